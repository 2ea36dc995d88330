#!/usr/bin/env python3
"""Turns storage/sql/*.def into typed C: one params struct, row struct and function per statement.

The format and everything that is refused are described in README.md beside this file. Run by meson:
    generate.py --header OUT.h --source OUT.c [--include storage/statements.h] [--list fy_sql_builtin] FILE.def...
It exits with 1 and one line "file:line: what is wrong" for each mistake.
"""
import argparse
import re
import sys

INTEGERS = {"u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "i64": "int64_t", "bool": "bool"}
SLICES = {"text": "struct fy_slice", "bytes": "struct fy_slice", "personal": "struct fy_personal",
          "secret": "struct fy_secret", "sealed": "struct fy_sealed"}
KINDS = ("one", "many", "exec", "merge", "insert_batch")
WITH_ROW = ("one", "many", "merge")
WIDTHS = {"merge": (1, 8, 32), "insert_batch": (1, 2, 4, 8, 16, 32)}
LENGTH_MAX = 16 * 1024 * 1024
C_WORDS = set("auto break case char const continue default do double else enum extern float for goto if inline int long "
              "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile "
              "while bool true false".split())
REFUSED_WORDS = {
    "begin": "transactions are fy_tx's", "commit": "transactions are fy_tx's", "rollback": "transactions are fy_tx's",
    "savepoint": "transactions are fy_tx's", "create": "data definition belongs into a migration",
    "alter": "data definition belongs into a migration", "drop": "data definition belongs into a migration",
    "truncate": "data definition belongs into a migration", "rename": "data definition belongs into a migration",
    "grant": "rights are not the server's business", "revoke": "rights are not the server's business",
    "get_lock": "it does not work on Galera; take a lease row", "sleep": "it blocks a connection",
    "now": "time is a parameter from ctx->now", "sysdate": "time is a parameter from ctx->now",
    "current_timestamp": "time is a parameter from ctx->now", "utc_timestamp": "time is a parameter from ctx->now",
    "current_date": "time is a parameter from ctx->now", "current_time": "time is a parameter from ctx->now",
    "localtime": "time is a parameter from ctx->now", "localtimestamp": "time is a parameter from ctx->now",
    "utc_date": "time is a parameter from ctx->now", "utc_time": "time is a parameter from ctx->now",
    "curdate": "time is a parameter from ctx->now", "curtime": "time is a parameter from ctx->now",
    "unix_timestamp": "time is a parameter from ctx->now", "outfile": "the server writes no files",
    "dumpfile": "the server writes no files", "load_file": "the server reads no files",
}
FIELD = re.compile(r"^([a-z][a-z0-9_]*):([a-z0-9]+)(?:\((=?)(\d+)\))?(\?)?$")


class Mistake(Exception):
    def __init__(self, line, text):
        super().__init__(text)
        self.line = line


class Field:
    def __init__(self, text, line):
        match = FIELD.match(text)
        if not match:
            raise Mistake(line, f"'{text}' is not name:type, name:type(N) or name:type?")
        self.name, self.type, exact, length, nullable = match.groups()
        self.exact, self.nullable = bool(exact), bool(nullable)
        self.slice = self.type in SLICES
        if self.name in C_WORDS or self.name.startswith("has_"):
            raise Mistake(line, f"'{self.name}' is not usable as a name in C")
        if not self.slice and self.type not in INTEGERS and self.type != "time":
            raise Mistake(line, f"unknown type '{self.type}'")
        if self.slice and (length is None or not 1 <= int(length) <= LENGTH_MAX):
            raise Mistake(line, f"'{self.name}' needs a length from 1 to {LENGTH_MAX}: {self.type}(N)")
        if not self.slice and length is not None:
            raise Mistake(line, f"'{self.name}': only text, bytes, personal, secret and sealed have a length")
        if self.exact and self.type != "bytes":
            raise Mistake(line, f"'{self.name}': only bytes have an exact length")
        self.max = int(length) if length else 0

    def c_type(self):
        return SLICES.get(self.type) or INTEGERS.get(self.type) or "fy_time"

    def declaration(self):
        unit = "bytes" if self.type in ("bytes", "secret", "sealed") else "characters"
        note = ""
        if self.slice:
            note = f"\t/* {'exactly' if self.exact else 'at most'} {self.max} {unit}{'; ptr NULL: NULL' if self.nullable else ''} */"
        flag = f"\tbool has_{self.name};\t/* false: NULL */\n" if self.nullable and not self.slice else ""
        return f"\t{self.c_type()} {self.name};{note}\n{flag}"

    def table_row(self, struct):
        has = f"offsetof(struct {struct}, has_{self.name})" if self.nullable and not self.slice else "FY_SQL_NO_FLAG"
        return (f'\t{{ .name = "{self.name}", .type = FY_SQL_{self.type.upper()}, .nullable = {str(self.nullable).lower()}, '
                f".exact = {str(self.exact).lower()}, .offset = offsetof(struct {struct}, {self.name}), "
                f".has_offset = {has}, .max = {self.max} }},\n")


def fields(text, line):
    if text.strip() == "none":
        return []
    out = [Field(part.strip(), line) for part in text.split(",")]
    names = [f.name for f in out]
    for name in names:
        if names.count(name) > 1:
            raise Mistake(line, f"'{name}' stands twice")
    return out


class Statement:
    def __init__(self, path, line, keys, sql):
        self.path, self.line = path, line
        for key in keys:
            if key not in ("statement", "params", "row", "kind", "max"):
                raise Mistake(line, f"unknown key '{key}'")
        for key in ("statement", "params", "kind"):
            if not keys.get(key):
                raise Mistake(line, f"no '{key}' line")
        self.name, self.kind = keys["statement"], keys["kind"]
        if not re.match(r"^[a-z][a-z0-9_]*$", self.name):
            raise Mistake(line, f"'{self.name}' is not a statement name")
        if self.kind not in KINDS:
            raise Mistake(line, f"kind '{self.kind}' is not one of {', '.join(KINDS)}")
        self.params = fields(keys["params"], line)
        if (self.kind in WITH_ROW) != ("row" in keys):
            raise Mistake(line, f"kind {self.kind} {'needs a row line' if self.kind in WITH_ROW else 'has no row'}")
        self.row = fields(keys["row"], line) if "row" in keys else []
        if self.kind in WITH_ROW and not self.row:
            raise Mistake(line, "a row has at least one column")
        if (self.kind == "many") != ("max" in keys):
            raise Mistake(line, "kind many needs a max line, and only that kind has one")
        self.max = int(keys["max"]) if keys.get("max", "").isdigit() else 0
        if self.kind == "many" and not 1 <= self.max <= 10000:
            raise Mistake(line, "max is a number from 1 to 10000")
        self.sql = " ".join(sql.split())
        self.returning = False
        self.check_text()
        self.variants = getattr(self, "widen_" + self.kind, lambda: [(1, self.sql)])()

    def check_text(self):
        sql, low = self.sql, self.sql.lower()
        if not sql:
            raise Mistake(self.line, "no SQL text")
        for char, why in (("'", "values are parameters, not quoted text"), ('"', "values are parameters, not quoted text"),
                          ("`", "names that need quoting are not used"), (";", "one statement a block"),
                          ("@", "no session or user variables"), ("#", "no comment inside the text"),
                          ("\\", "no backslash")):
            if char in sql:
                raise Mistake(self.line, f"{char} is refused: {why}")
        if "--" in sql or "/*" in sql:
            raise Mistake(self.line, "no comment inside the text")
        if re.search(r"(\bselect\s+(distinct\s+)?|,\s*|\.)\*", low):
            raise Mistake(self.line, "SELECT * is refused: name the columns")
        for word in re.findall(r"[a-z_]+", low):
            if word in REFUSED_WORDS:
                raise Mistake(self.line, f"{word.upper()} is refused: {REFUSED_WORDS[word]}")
        first = low.split(None, 1)[0]
        allowed = {"one": ("select", "with"), "many": ("select", "with"), "merge": ("select",),
                   "exec": ("insert", "update", "delete", "replace"), "insert_batch": ("insert",)}[self.kind]
        if first not in allowed:
            raise Mistake(self.line, f"kind {self.kind} begins with {' or '.join(allowed).upper()}")
        if first in ("update", "delete") and not re.search(r"\bwhere\b", low):
            raise Mistake(self.line, f"{first.upper()} without WHERE")
        if self.kind == "exec" and re.search(r"\breturning\b", low):
            raise Mistake(self.line, "RETURNING belongs to insert_batch")
        marks = sql.count("?")
        if marks != len(self.params):
            raise Mistake(self.line, f"{marks} question marks, {len(self.params)} declared parameters")

    def widen_merge(self):
        match = re.search(r"\bwhere\s+((?:[a-z_][a-z0-9_]*\.)?[a-z_][a-z0-9_]*)\s*=\s*\?$", self.sql, re.I)
        if not match or len(self.params) != 1 or self.params[0].type != "u64" or self.params[0].nullable:
            raise Mistake(self.line, "a merge has one u64 parameter and ends with WHERE column = ?")
        column = match.group(1).lower()
        if not re.match(r"select\s+" + re.escape(column) + r"\s*[, ]", self.sql.lower()):
            raise Mistake(self.line, f"a merge selects {column} first")
        if self.row[0].type != "u64" or self.row[0].nullable:
            raise Mistake(self.line, "the first column of a merge's row is its u64 id")
        head = self.sql[:match.end(1)]
        return [(w, self.sql if w == 1 else f"{head} IN ({', '.join('?' * w)})") for w in WIDTHS["merge"]]

    def widen_insert_batch(self):
        match = re.match(r"^(insert\s+into\s+(?:\{keys\}\.)?[a-z_][a-z0-9_]*\s*\([a-z0-9_, ]+\)\s*values\s*)(\([^()]*\))(\s+returning\s+[a-z_][a-z0-9_]*)?$",
                         self.sql, re.I)
        if not match:
            raise Mistake(self.line, "an insert_batch is INSERT INTO t (columns) VALUES (one row) [RETURNING id]")
        for value in match.group(2)[1:-1].split(","):
            if not re.match(r"^\s*(\?|-?\d+|null|true|false|default)\s*$", value, re.I):
                raise Mistake(self.line, f"'{value.strip()}' in the value list: only ?, numbers, NULL, TRUE, FALSE, DEFAULT")
        if not self.params:
            raise Mistake(self.line, "an insert_batch has parameters")
        self.returning = match.group(3) is not None
        return [(w, match.group(1) + ", ".join([match.group(2)] * w) + (match.group(3) or "")) for w in WIDTHS["insert_batch"]]


def parse(path):
    """The blocks of one file, as Statement objects."""
    statements, keys, sql, start, last = [], {}, [], 0, None
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if line.startswith("--"):
            if sql:
                raise Mistake(number, "no comment inside the text")
            body = line[2:].strip()
            match = re.match(r"^([a-z]+):\s*(.*)$", body)
            going_on = last and (body.startswith(",") or keys[last].endswith(","))
            if going_on and not (match and match.group(1) in ("statement", "params", "row", "kind", "max")):
                keys[last] += body
            elif match and (match.group(1) in ("statement", "params", "row", "kind", "max") or keys):
                key, value = match.groups()
                if key == "statement":
                    if keys:
                        raise Mistake(number, f"statement '{keys['statement']}' has no text")
                    start = number
                elif not keys:
                    raise Mistake(number, "a block begins with '-- statement: name'")
                if key in keys:
                    raise Mistake(number, f"'{key}' stands twice")
                keys[key] = value.strip()
                last = key if key in ("params", "row") else None
            else:
                last = None
        elif line:
            if not keys:
                raise Mistake(number, "SQL without a '-- statement: name' block")
            last = None
            sql.append(line)
            if line.endswith(";"):
                statements.append(Statement(path, start, keys, "\n".join(sql)[:-1]))
                keys, sql = {}, []
    if keys:
        raise Mistake(start, f"statement '{keys['statement']}' does not end with ;")
    return statements


def signature(s):
    name = "fy_sql_" + s.name
    args = ["struct fy_ctx *ctx"]
    if s.kind == "merge":
        args.append(f"uint64_t {s.params[0].name}")
    elif s.params:
        args.append(f"const struct {name}_params *p")
    args += {"one": [f"struct {name}_row *ret_row"], "merge": [f"struct {name}_row *ret_row"],
             "many": [f"struct {name}_row **ret_rows", "size_t *ret_count"],
             "exec": ["struct fy_db_done *ret_done"], "insert_batch": ["uint64_t *ret_id"]}[s.kind]
    return f"fy_async int {name}({', '.join(args)})"


def header(statements, out, list_name):
    out.write("/* Generated by storage/sql/generate.py from the .def files. The kinds, the types and the errors\n"
              " * are described in storage/sql/README.md and storage/db.h. Repositories call these functions. */\n"
              "#pragma once\n\n#include \"foyer/clock.h\"\n#include \"foyer/slice.h\"\n#include \"storage/db.h\"\n"
              "#include \"storage/db_statement.h\"\n\n")
    if list_name != "fy_sql_builtin":
        out.write(f"extern const struct fy_sql_list {list_name};\n\n")
    for s in statements:
        name = "fy_sql_" + s.name
        out.write(f"extern const struct fy_sql_statement {name}_statement;\n")
        if s.params and s.kind != "merge":
            out.write(f"struct {name}_params {{\n" + "".join(f.declaration() for f in s.params) + "};\n")
        if s.row:
            out.write(f"struct {name}_row {{\n" + "".join(f.declaration() for f in s.row) + "};\n")
        out.write(signature(s) + ";\n")
        if s.kind == "merge":
            out.write(f"fy_async static inline int {name}_each(struct fy_ctx *ctx, const uint64_t *ids, size_t count, "
                      f"struct {name}_row *ret_rows,\n\t\tbool *ret_found)\n"
                      f"{{\n\treturn fy_db_merge_each(ctx, &{name}_statement, ids, count, ret_rows, ret_found);\n}}\n")
        if s.kind == "insert_batch":
            out.write(f"static inline struct fy_db_insert {name}_insert(const struct {name}_params *p)\n"
                      f"{{\n\treturn (struct fy_db_insert){{ .statement = &{name}_statement, .params = p }};\n}}\n")
        out.write("\n")


def c_text(text):
    """A C string literal, in pieces of a readable length."""
    pieces = [text[i:i + 100] for i in range(0, len(text), 100)]
    return "\n\t\t\t".join(f'"{p}"' for p in pieces)


def source(statements, out, include, list_name):
    out.write("/* Generated by storage/sql/generate.py. */\n" f'#include "{include}"\n\n')
    slot = 0
    for index, s in enumerate(statements):
        name = "fy_sql_" + s.name
        if s.params:
            struct = f"{name}_params"
            if s.kind == "merge":
                f = s.params[0]
                out.write(f"static const struct fy_sql_field {name}_param_fields[] = {{\n"
                          f'\t{{ .name = "{f.name}", .type = FY_SQL_U64, .has_offset = FY_SQL_NO_FLAG }},\n}};\n')
            else:
                out.write(f"static const struct fy_sql_field {name}_param_fields[] = {{\n"
                          + "".join(f.table_row(struct) for f in s.params) + "};\n")
        if s.row:
            out.write(f"static const struct fy_sql_field {name}_row_fields[] = {{\n"
                      + "".join(f.table_row(f"{name}_row") for f in s.row) + "};\n")
        size = "sizeof(uint64_t)" if s.kind == "merge" else f"sizeof(struct {name}_params)" if s.params else "0"
        out.write(f"const struct fy_sql_statement {name}_statement = {{\n"
                  f'\t.name = "{s.name}", .kind = FY_SQL_{s.kind.upper()}, .index = {index}, .slot = {slot},\n'
                  f"\t.param_count = {len(s.params)}, .row_count = {len(s.row)}, .variant_count = {len(s.variants)},\n"
                  f"\t.params = {name + '_param_fields' if s.params else 'NULL'}, .row = {name + '_row_fields' if s.row else 'NULL'},\n"
                  f"\t.params_size = {size}, .row_size = {f'sizeof(struct {name}_row)' if s.row else '0'},\n"
                  f"\t.max_rows = {s.max}, .returning = {str(s.returning).lower()},\n\t.variants = {{\n")
        for width, text in s.variants:
            out.write(f"\t\t{{ .width = {width}, .len = {len(text.encode())}, .text =\n\t\t\t{c_text(text)} }},\n")
        out.write("\t},\n};\n\n" + signature(s) + "\n{\n")
        p = "p" if s.params else "NULL"
        out.write({"one": f"\treturn fy_db_one(ctx, &{name}_statement, {p}, ret_row);\n",
                   "many": f"\treturn fy_db_many(ctx, &{name}_statement, {p}, ret_rows, ret_count);\n",
                   "exec": f"\treturn fy_db_exec(ctx, &{name}_statement, {p}, ret_done);\n",
                   "merge": f"\treturn fy_db_merge(ctx, &{name}_statement, {s.params[0].name if s.params else ''}, ret_row);\n",
                   "insert_batch": f"\tconst struct fy_db_insert insert = {name}_insert(p);\n\treturn fy_db_unit(ctx, &insert, 1, ret_id);\n",
                   }[s.kind] + "}\n\n")
        slot += len(s.variants)
    if statements:
        out.write("static const struct fy_sql_statement *const all[] = {\n"
                  + "".join(f"\t&fy_sql_{s.name}_statement,\n" for s in statements) + "};\n\n")
    out.write(f"const struct fy_sql_list {list_name} = {{ .statements = {'all' if statements else 'NULL'}, "
              f".count = {len(statements)}, .slots = {slot} }};\n")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--header")
    arguments.add_argument("--source")
    arguments.add_argument("--include", default="storage/statements.h")
    arguments.add_argument("--list", default="fy_sql_builtin")
    arguments.add_argument("files", nargs="*")
    args = arguments.parse_args()
    statements, failed, seen = [], False, {}
    for path in sorted(args.files):
        try:
            for s in parse(path):
                if s.name in seen:
                    raise Mistake(s.line, f"'{s.name}' exists already in {seen[s.name]}")
                seen[s.name] = path
                statements.append(s)
        except Mistake as mistake:
            print(f"{path}:{mistake.line}: {mistake}", file=sys.stderr)
            failed = True
    if failed:
        return 1
    if args.header:
        with open(args.header, "w", encoding="utf-8") as out:
            header(statements, out, args.list)
    if args.source:
        with open(args.source, "w", encoding="utf-8") as out:
            source(statements, out, args.include, args.list)
    return 0


if __name__ == "__main__":
    sys.exit(main())
