#!/usr/bin/env python3
"""Holds the data register against the migrations and the statements, and turns it into C tables.

Every column that a migration creates stands in storage/register.toml once, marked public, personal or
secret; personal text travels through statements sealed, secrets in the type of that name; what is kept
elsewhere than in a column is a store, which only a person can keep complete. Where one of these
fails this prints one sentence for each mistake and exits with 1, which stops the build. Run by meson:
    register.py --register R.toml --settings config_keys.def --migrations M.sql... --statements S.def...
                [--header OUT.h --source OUT.c] [--policy DIR --policy-source OUT.c --depfile OUT.d]
With --policy the newest published version of the policy must say what the register says. By hand, to publish one:
    storage/register.py --write-policy 2026-11-23 [--effective 2027-01-01]
The format is described in README.md beside this file.
"""
import argparse
import glob
import os
import re
import sys
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "sql")]
import generate  # noqa: E402  (the reader of .def files)
import policy  # noqa: E402

TEXT_TYPES = ("CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "JSON", "ENUM", "SET")
BYTE_TYPES = ("VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB")
VOCABULARY = ("purposes", "categories", "persons", "activities", "bases", "sources", "triggers", "thens", "viewers")
PREFIX = {"purposes": "PURPOSE", "categories": "CATEGORY", "persons": "PERSONS", "activities": "ACTIVITY", "bases": "BASIS",
          "sources": "SOURCE", "triggers": "TRIGGER", "thens": "THEN", "viewers": "VIEWER"}
SETS = ("purposes", "persons", "viewers")       # fields have several of them: bits
INHERITED = ("basis", "provided_by", "keep", "then", "seen_by")
REQUIRED = ("label", "category", "purposes", "basis", "provided_by", "keep", "then")
COLUMN_KEYS = {"name", "mark", "derived_from", "in_clear", "sealed", *REQUIRED, "seen_by"}
RIGHTS = "rights"       # the purpose that every sealed value is collected for: the person's own rights
TABLE_KEYS = {"label", "person", "persons", "activity", "public", *INHERITED}
STORE_KEYS = {"name", "label", "persons", "activity", "fields", "category", "purposes", *INHERITED}
KEEPS_MAX = 3
UNITS = {"days": 86400, "minutes": 60}          # how settings' names end, and what rules count


class Mistakes:
    def __init__(self):
        self.lines = []

    def __call__(self, where, text):
        self.lines.append(f"{where}: {text}")


# ---- migrations: which columns exist ----------------------------------------------------------------

NAME = r"`?([A-Za-z_][A-Za-z0-9_]*)`?"


def statements_of(text):
    """The SQL statements of a migration, without comments. Quotes are respected."""
    token = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|--[^\n]*|#[^\n]*|/\*.*?\*/|;", re.S)
    out, at, current = [], 0, ""
    for match in token.finditer(text):
        current += text[at:match.start()]
        at = match.end()
        piece = match.group()
        if piece == ";":
            out.append(current)
            current = ""
        elif piece.startswith(("--", "#", "/*")):
            current += " "
        else:
            current += piece
    out.append(current + text[at:])
    # "{keys}" is the database beside this one (migrate.h); its tables are held to the same rules.
    return [" ".join(s.split()).replace("{keys}.", "") for s in out if s.strip()]


def split_top(text):
    """Splits at the commas that stand in no parentheses and no quotes."""
    parts, depth, quote, current = [], 0, None, ""
    for char in text:
        if quote:
            quote = None if char == quote else quote
        elif char in "'\"`":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        if char == "," and depth == 0 and not quote:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return [p for p in parts + [current.strip()] if p]


NOT_A_COLUMN = re.compile(r"^(PRIMARY\s+KEY|UNIQUE(\s+(KEY|INDEX))?\b|KEY\b|INDEX\b|FULLTEXT\b|SPATIAL\b|CONSTRAINT\b|"
                          r"FOREIGN\s+KEY|CHECK\s*\(|PERIOD\s+FOR)", re.I)
UNIQUE_COLUMN = re.compile(r"^(UNIQUE|KEY|INDEX|CHECK)\s+(TINYINT|SMALLINT|INT|BIGINT|VARCHAR|VARBINARY)\b", re.I)


def column_of(definition):
    """(name, TYPE) of a column definition; None for a key or a constraint."""
    if NOT_A_COLUMN.match(definition) and not UNIQUE_COLUMN.match(definition):
        return None
    match = re.match(NAME + r"\s+([A-Za-z]+)", definition)
    return (match.group(1), match.group(2).upper()) if match else ("", "")


class Schema:
    """table -> {column: TYPE}, after all migrations."""

    def __init__(self, mistake):
        self.tables, self.origin, self.mistake = {}, {}, mistake

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            for sql in statements_of(file.read()):
                self.apply(os.path.basename(path), sql)

    def apply(self, file, sql):
        word = sql.split(None, 1)[0].upper()
        if word in ("INSERT", "UPDATE", "DELETE", "SET", "ANALYZE", "OPTIMIZE") or \
           re.match(r"(CREATE\s+(UNIQUE\s+)?INDEX|DROP\s+INDEX|CREATE\s+DATABASE)\b", sql, re.I):
            return
        for pattern, act in ((r"CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?" + NAME + r"\s*\((.*)\)[^()]*$", self.create),
                             (r"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?([A-Za-z0-9_`, ]+?)(\s+RESTRICT|\s+CASCADE)?$", self.drop),
                             (r"RENAME\s+TABLE\s+" + NAME + r"\s+TO\s+" + NAME + "$", self.rename),
                             (r"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?" + NAME + r"\s+(.*)$", self.alter)):
            match = re.match(pattern, sql, re.I)
            if match:
                act(file, *match.groups())
                return
        self.mistake(file, f"the register cannot tell which columns this makes: '{sql[:60]}…'; "
                           "write CREATE TABLE name (columns) or ALTER TABLE name ADD COLUMN …")

    def create(self, file, table, body):
        columns = self.tables.setdefault(table, {})
        for definition in split_top(body):
            self.add(file, table, columns, definition)

    def add(self, file, table, columns, definition):
        column = column_of(definition)
        if column is None:
            return
        name, kind = column
        if not name:
            self.mistake(file, f"the register cannot read the column '{definition[:60]}' of {table}")
            return
        columns[name] = kind
        self.origin.setdefault(f"{table}.{name}", file)

    def drop(self, file, tables, _how):
        for table in tables.replace("`", "").split(","):
            self.tables.pop(table.strip(), None)

    def rename(self, file, old, new):
        self.tables[new] = self.tables.pop(old, {})
        for column in self.tables[new]:
            self.origin[f"{new}.{column}"] = file

    def alter(self, file, table, body):
        columns = self.tables.setdefault(table, {})
        for action in split_top(body):
            match = re.match(r"ADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?(.*)$", action, re.I)
            if match:
                what = match.group(1)
                inner = re.match(r"\((.*)\)$", what)
                for definition in split_top(inner.group(1)) if inner else [what]:
                    self.add(file, table, columns, definition)
                continue
            match = re.match(r"DROP\s+(?!PRIMARY|KEY\b|INDEX\b|FOREIGN|CONSTRAINT|CHECK)(?:COLUMN\s+)?(?:IF\s+EXISTS\s+)?" + NAME, action, re.I)
            if match:
                columns.pop(match.group(1), None)
                continue
            match = re.match(r"CHANGE\s+(?:COLUMN\s+)?(?:IF\s+EXISTS\s+)?" + NAME + r"\s+(.*)$", action, re.I)
            if match:
                columns.pop(match.group(1), None)
                self.add(file, table, columns, match.group(2))
                continue
            match = re.match(r"MODIFY\s+(?:COLUMN\s+)?(?:IF\s+EXISTS\s+)?(.*)$", action, re.I)
            if match:
                self.add(file, table, columns, match.group(1))
                continue
            match = re.match(r"RENAME\s+COLUMN\s+(?:IF\s+EXISTS\s+)?" + NAME + r"\s+TO\s+" + NAME + "$", action, re.I)
            if match:
                columns[match.group(2)] = columns.pop(match.group(1), "")
                self.origin[f"{table}.{match.group(2)}"] = file
                continue
            match = re.match(r"RENAME\s+(?:TO\s+|AS\s+)?" + NAME + "$", action, re.I)
            if match and not re.match(r"RENAME\s+(KEY|INDEX)\b", action, re.I):
                self.rename(file, table, match.group(1))


# ---- the register itself ----------------------------------------------------------------------------


def is_label(value):
    return isinstance(value, dict) and set(value) == {"fr", "en"} and all(isinstance(v, str) and v for v in value.values())


class Register:
    def __init__(self, path, settings, mistake):
        self.mistake, self.settings, self.file = mistake, settings, os.path.basename(path)
        with open(path, "rb") as file:
            self.data = tomllib.load(file)
        self.words = {kind: list(self.data.get(kind, {})) for kind in VOCABULARY}
        self.tables = self.data.get("tables", {})
        self.marks, self.fields = {}, []     # "table.column" -> mark; personal and secret columns, complete
        self.sealed = {}                     # "table.column" -> bool
        self.stores, self.own_basis = {}, {}     # name -> store, its fields complete; purpose -> basis
        self.despite_restriction = []        # purposes that a person's restriction (GDPR Article 18) leaves
        for key in self.data:
            if key not in (*VOCABULARY, "tables", "columns", "stores"):
                mistake(self.file, f"unknown section '{key}'")
        for kind in VOCABULARY:
            for place, (word, label) in enumerate(self.data.get(kind, {}).items()):
                if kind == "purposes" and (not isinstance(label, dict) or label.pop("bit", None) != place):
                    mistake(self.file, f"purposes.{word} needs bit = {place}: sealed values carry the numbers, so a purpose "
                                       "keeps its own for ever and a new one comes last")
                if kind == "purposes" and isinstance(label, dict) and "basis" in label:
                    self.own_basis[word] = label.pop("basis")
                    self.check_word(f"purposes.{word}", "bases", self.own_basis[word])
                if kind == "purposes" and isinstance(label, dict) and label.pop("despite_restriction", False) is True:
                    self.despite_restriction.append(word)
                if not is_label(label):
                    mistake(self.file, f"{kind}.{word} needs a text in fr and en")
        if RIGHTS not in self.words["purposes"]:
            mistake(self.file, f"there is no purpose '{RIGHTS}', for which a person reads the own data")
        for kind in SETS:
            if len(self.words[kind]) > 31:
                mistake(self.file, f"more than 31 {kind} do not fit into a set of bits")
        for name, table in self.tables.items():
            self.read_table(name, table)
        for column in self.data.get("columns", []):
            self.read_column(column)
        for store in self.data.get("stores", []):
            self.read_store(store)

    def mark(self, name, mark):
        if name in self.marks:
            self.mistake(self.file, f"{name} is listed twice")
        self.marks[name] = mark

    def read_table(self, name, table):
        for key in table:
            if key not in TABLE_KEYS:
                self.mistake(self.file, f"table {name}: unknown key '{key}'")
        if not is_label(table.get("label")):
            self.mistake(self.file, f"table {name} needs a label in fr and en")
        for column in table.get("public", []):
            self.mark(f"{name}.{column}", "public")
        if "persons" in table or "activity" in table:
            self.check_holder(f"table {name}", table)

    def check_holder(self, name, holder):
        """What a table or a store says of its rows as a whole."""
        if not holder.get("persons"):
            self.mistake(self.file, f"{name} must say whom its rows are about: persons = [\"…\"]")
        for word in holder.get("persons", []):
            self.check_word(name, "persons", word)
        if "activity" not in holder:
            self.mistake(self.file, f"{name} must say to which activity of the record of processing it belongs: activity = \"…\"")
        else:
            self.check_word(name, "activities", holder["activity"])

    def read_store(self, given):
        name = given.get("name", "")
        if not re.match(r"^[a-z][a-z0-9_]*$", name) or name in self.tables or name in self.stores:
            self.mistake(self.file, f"a [[stores]] entry needs a name of its own, not '{name}'")
            return
        where = f"store {name}"
        for key in given:
            if key not in STORE_KEYS:
                self.mistake(self.file, f"{where}: unknown key '{key}'")
        missing = [key for key in ("fields", "seen_by", *REQUIRED) if key not in given]
        if missing:
            self.mistake(self.file, f"{where} lacks {', '.join(missing)}")
            return
        self.check_holder(where, given)
        self.check_values(where, given)
        for field, label in given["fields"].items():
            if not is_label(label):
                self.mistake(self.file, f"{where}: {field} needs a label in fr and en")
        terms = {key: given[key] for key in ("category", "purposes", *INHERITED)}
        self.stores[name] = given | {"fields": {
            field: {"name": f"{name}.{field}", "mark": "personal", "label": label, "in_clear": True, **terms}
            for field, label in given["fields"].items()}}

    def read_column(self, given):
        name = given.get("name", "")
        if not re.match(r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", name):
            self.mistake(self.file, f"a [[columns]] entry needs name = \"table.column\", not '{name}'")
            return
        mark = given.get("mark")
        if mark not in ("personal", "secret"):
            self.mistake(self.file, f"{name} needs mark = \"personal\" or \"secret\"; public ones are listed at their table")
            self.mark(name, "public")
            return
        self.mark(name, mark)
        for key in given:
            if key not in COLUMN_KEYS:
                self.mistake(self.file, f"{name}: unknown key '{key}'")
        table = self.tables.get(name.split(".")[0])
        if table is None:
            self.mistake(self.file, f"{name}: there is no [tables.{name.split('.')[0]}]")
            table = {}
        elif "person" not in table:
            self.mistake(self.file, f"{name} is {mark}, so [tables.{name.split('.')[0]}] must say by which column a "
                                    "row belongs to a person: person = \"column\"")
        elif "persons" not in table and "activity" not in table:
            self.check_holder(f"table {name.split('.')[0]}", table)
        field = {key: table[key] for key in INHERITED if key in table} | given
        required = REQUIRED + (("seen_by",) if mark == "personal" else ())
        missing = [key for key in required if key not in field]
        if missing:
            self.mistake(self.file, f"{name} is {mark} and lacks {', '.join(missing)}")
            return
        if mark == "secret":
            if given.get("seen_by"):
                self.mistake(self.file, f"{name} is secret: nobody sees it, so it has no seen_by")
            field["seen_by"] = []
        self.check_values(name, field)
        if mark == "personal" and given.get("sealed"):
            self.mistake(self.file, f"{name} is personal: it is sealed unless it says in_clear")
        self.sealed[name] = given.get("sealed", False) if mark == "secret" else not ("in_clear" in given or "derived_from" in given)
        self.fields.append(field)

    def check_word(self, name, kind, word):
        if word not in self.words[kind]:
            self.mistake(self.file, f"{name}: '{word}' is not one of the {kind}: {', '.join(self.words[kind])}")

    def check_values(self, name, field):
        if not is_label(field["label"]):
            self.mistake(self.file, f"{name} needs a label in fr and en")
        if not field["purposes"]:
            self.mistake(self.file, f"{name} needs at least one purpose")
        for purpose in field["purposes"]:
            self.check_word(name, "purposes", purpose)
        for viewer in field["seen_by"]:
            self.check_word(name, "viewers", viewer)
        for key, kind in (("category", "categories"), ("basis", "bases"), ("provided_by", "sources"), ("then", "thens")):
            self.check_word(name, kind, field[key])
        keeps = field["keep"]
        if not isinstance(keeps, list) or not 1 <= len(keeps) <= KEEPS_MAX:
            self.mistake(self.file, f"{name}: keep is a list of 1 to {KEEPS_MAX} rules")
            field["keep"] = keeps = []
        for keep in keeps:
            if set(keep) not in ({"days", "from"}, {"minutes", "from"}, {"setting", "from"}):
                self.mistake(self.file, f"{name}: a rule of keep is {{ days = N, from = \"…\" }}, {{ minutes = N, from = \"…\" }} "
                                        "or { setting = \"section.key\", from = \"…\" }")
                continue
            self.check_word(name, "triggers", keep["from"])
            if "setting" in keep and keep["setting"] not in self.settings:
                self.mistake(self.file, f"{name}: there is no setting '{keep['setting']}' that counts days or minutes")
            for unit in UNITS:
                if unit in keep and (not isinstance(keep[unit], int) or not 0 <= keep[unit] <= 36525):
                    self.mistake(self.file, f"{name}: {unit} is a number from 0 to 36525")

    def compare(self, schema):
        for table, columns in schema.tables.items():
            for column, kind in columns.items():
                name = f"{table}.{column}"
                if name not in self.marks:
                    self.mistake(schema.origin.get(name, "migrations"),
                                 f"creates the column {name}, which {self.file} does not list: mark it public, personal or secret")
        for name in self.marks:
            table, column = name.split(".")
            if column not in schema.tables.get(table, {}):
                self.mistake(self.file, f"{name} is listed, but no migration creates it")
        for table, given in self.tables.items():
            person = given.get("person")
            if table not in schema.tables:
                self.mistake(self.file, f"[tables.{table}] is listed, but no migration creates it")
            elif person and person not in schema.tables[table]:
                self.mistake(self.file, f"[tables.{table}]: there is no column '{person}' by which a row belongs to a person")
        for field in self.fields:
            table, column = field["name"].split(".")
            kind = schema.tables.get(table, {}).get(column)
            origin = field.get("derived_from")
            if origin and self.marks.get(origin) != "personal":
                self.mistake(self.file, f"{field['name']} is derived from '{origin}', which is not a personal column")
            if self.sealed.get(field["name"]) and kind is not None and kind not in BYTE_TYPES and field["mark"] == "secret":
                self.mistake(self.file, f"{field['name']} is sealed and {kind}: make it VARBINARY or a BLOB")
            if kind is None or field["mark"] != "personal":
                continue
            clear = field.get("in_clear")
            if kind not in BYTE_TYPES and not clear:
                why = "cannot hold a sealed value: make it VARBINARY or a BLOB" if kind in TEXT_TYPES else "is never sealed"
                self.mistake(self.file, f"{field['name']} is personal and {kind}, which {why}, or say why it may stay "
                                        "readable: in_clear = \"reason\"")


def time_settings(path):
    """The settings that can say how long something is kept: "section.key" -> its default, in seconds."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return {f"{section}.{key}": int(default) * UNITS[unit] for section, key, unit, default in
            re.findall(r'FY_KEY\(\s*(\w+)\s*,\s*(\w+_(days|minutes))\s*,\s*INT\s*,\s*"(\d+)"', text)}


def keep_seconds(keep, settings):
    """How long a rule means by default; None where it names a setting that is no more."""
    if "setting" in keep:
        return settings.get(keep["setting"])
    return next(keep[unit] * seconds for unit, seconds in UNITS.items() if unit in keep)


# ---- statements: personal and secret text keeps its type --------------------------------------------

WORDS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?")
RANK = {"public": 0, "personal": 1, "secret": 2}
CARRIES = {"personal": 1, "secret": 2, "sealed": 2}       # what a slice type may carry; text and bytes: nothing


class StatementCheck:
    def __init__(self, register, schema, mistake):
        self.register, self.schema, self.mistake = register, schema, mistake

    def tables_of(self, sql):
        """alias or name -> table, for the tables of the schema that the text names."""
        found = {}
        for name, alias in re.findall(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+([A-Za-z_]\w*)(?:\s+(?:AS\s+)?([A-Za-z_]\w*))?", sql, re.I):
            if name in self.schema.tables:
                found[name] = name
                if alias and alias.upper() not in ("SET", "WHERE", "ON", "JOIN", "LEFT", "INNER", "ORDER", "GROUP", "LIMIT",
                                                   "VALUES", "FOR", "USING", "CROSS", "RIGHT", "HAVING", "UNION"):
                    found[alias] = name
        return found

    def mark_of(self, text, tables):
        """The strongest mark among the columns that an expression names: (mark, column)."""
        best = ("public", "")
        for word in WORDS.findall(text):
            head, _, tail = word.rpartition(".")
            for alias, table in tables.items():
                if (not head or head == alias) and tail in self.schema.tables[table]:
                    mark = self.register.marks.get(f"{table}.{tail}", "public")
                    if RANK[mark] > RANK[best[0]]:
                        best = (mark, f"{table}.{tail}")
        return best

    def select_list(self, sql):
        match = re.match(r"SELECT\s+(?:DISTINCT\s+)?(.*?)\s+FROM\s", sql, re.I)
        return split_top(match.group(1)) if match else []

    def param_columns(self, sql):
        """For each '?', the text in which its column is named, or ''."""
        insert = re.match(r"INSERT\s+(?:IGNORE\s+)?INTO\s+\w+\s*\(([^)]*)\)\s*VALUES\s*\(([^()]*)\)", sql, re.I)
        out = []
        if insert:
            for column, value in zip(split_top(insert.group(1)), split_top(insert.group(2))):
                out += [column] * value.count("?")
            sql = sql[insert.end():]
        for match in re.finditer(r"\?", sql):
            before = re.search(r"([A-Za-z_][A-Za-z0-9_.]*)\s*(?:=|<=>|<>|!=|<=|>=|<|>|\bLIKE\b|\bIN\s*\()\s*$", sql[:match.start()], re.I)
            out.append(before.group(1) if before else "")
        return out

    def check(self, path, s):
        s.sql = s.sql.replace("{keys}.", "")
        tables = self.tables_of(s.sql)
        expressions = self.select_list(s.sql)
        for i, field in enumerate(s.row):
            text = expressions[i] if len(expressions) == len(s.row) else field.name
            self.check_field(path, s, "column", field, text, tables)
        columns = self.param_columns(s.sql)
        for i, field in enumerate(s.params):
            text = columns[i] if len(columns) == len(s.params) and columns[i] else field.name
            self.check_field(path, s, "parameter", field, text, tables)

    def check_field(self, path, s, what, field, text, tables):
        mark, column = self.mark_of(text, tables)
        if not field.slice:
            return
        sealed = self.register.sealed.get(column, False)
        if sealed != (field.type == "sealed"):
            wanted = "sealed" if sealed else mark if mark != "public" else "text"
        elif mark == "public" or CARRIES.get(field.type, 0) >= RANK[mark]:
            return
        else:
            wanted = mark
        self.mistake(f"{os.path.basename(path)}:{s.line}",
                     f"statement {s.name} has {what} {field.name} as {field.type}, but {column or 'its column'} is "
                     f"{'sealed' if sealed else mark}: declare it {wanted}({field.max})")


# ---- output -----------------------------------------------------------------------------------------


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def set_type(lang, text):
    """Apostrophes and fixed spaces as the pages have them (server/pages/texts.py)."""
    text = text.replace("'", "\u2019")
    return text.replace(" :", "\u00a0:").replace(" ;", "\u202f;") if lang == "fr" else text


def both(label):
    return "{ " + ", ".join(f"FY_LIT_INIT({c_string(set_type(lang, label[lang]))})" for lang in ("fr", "en")) + " }"


def bits(kind, words):
    return " | ".join(f"1u << FY_{PREFIX[kind]}_{w.upper()}" for w in words) or "0"


def write_header(register, schema, out):
    out.write("/* Generated by storage/register.py from register.toml: its words, as C. See register.h. */\n#pragma once\n")
    out.write("\n/* The columns, as indices of fy_register_fields. */\nenum fy_register_column {\n")
    for table in register.tables:
        out.write("".join(f"\tFY_COLUMN_{table.upper()}_{column.upper()},\n" for column in schema.tables.get(table, {})))
    out.write("\tFY_COLUMN_COUNT,\n};\n")
    out.write("\n/* The fields of the stores, as indices of fy_register_store_fields. */\nenum fy_register_store_field {\n")
    for name, store in register.stores.items():
        out.write("".join(f"\tFY_STORE_{name.upper()}_{field.upper()},\n" for field in store["fields"]))
    out.write("\tFY_STORE_COUNT,\n};\n")
    for kind in VOCABULARY:
        name = PREFIX[kind].lower()
        out.write(f"\nenum fy_register_{name} {{\n" + "".join(f"\tFY_{PREFIX[kind]}_{w.upper()},\n" for w in register.words[kind])
                  + f"\tFY_{PREFIX[kind]}_COUNT,\n}};\n")
    by_consent = [purpose for purpose, basis in register.own_basis.items() if basis == "consent"]
    out.write("\n/* What is open to nobody before the person has consented, and what stays open under a restriction. */\n"
              f"#define FY_PURPOSES_BY_CONSENT ({bits('purposes', by_consent)})\n"
              f"#define FY_PURPOSES_DESPITE_RESTRICTION ({bits('purposes', register.despite_restriction)})\n")


def c_keep(keep, settings):
    """The members of a struct fy_register_keep but `from`."""
    if "setting" not in keep:
        return f".seconds = {keep_seconds(keep, settings)}"
    if keep["setting"] not in settings:
        return f".setting = {c_string(keep['setting'])}"
    unit = UNITS[keep["setting"].rsplit("_", 1)[1]]
    return (f".setting = {c_string(keep['setting'])}, .setting_unit_s = {unit}, "
            f".setting_offset = offsetof(struct fy_config, {keep['setting'].replace('.', '_')})")


def c_holder(name, holder):
    person = c_string(holder["person"]) if "person" in holder else "NULL"
    activity = f"FY_ACTIVITY_{holder['activity'].upper()}" if "activity" in holder else "0"
    return (f"\t{{ .name = {c_string(name)}, .label = {both(holder['label'])}, .person = {person},\n"
            f"\t  .persons = {bits('persons', holder.get('persons', []))}, .activity = {activity} }},\n")


def c_field(register, index, f):
    keeps = "".join("{ %s, .from = FY_TRIGGER_%s }, " % (c_keep(keep, register.settings), keep["from"].upper()) for keep in f["keep"])
    return (f"\t{{ .table = {index}, .column = {c_string(f['name'].split('.')[1])}, .mark = FY_MARK_{f['mark'].upper()},\n"
            f"\t  .label = {both(f['label'])},\n"
            f"\t  .category = FY_CATEGORY_{f['category'].upper()}, .basis = FY_BASIS_{f['basis'].upper()}, "
            f".provided_by = FY_SOURCE_{f['provided_by'].upper()}, .then = FY_THEN_{f['then'].upper()},\n"
            f"\t  .purposes = {bits('purposes', f['purposes'])},\n"
            f"\t  .seen_by = {bits('viewers', f['seen_by'])},\n"
            f"\t  .keep = {{ {keeps}}}, .keep_count = {len(f['keep'])},\n"
            f"\t  .derived = {str('derived_from' in f).lower()}, .sealed = {str(register.sealed.get(f['name'], False)).lower()} }},\n")


def write_source(register, schema, out):
    out.write("/* Generated by storage/register.py from register.toml. */\n#include \"foyer/config.h\"\n"
              "#include \"storage/register.h\"\n\n#define FY_LIT_INIT(s) { (s), sizeof(s) - 1 }\n")
    for kind in VOCABULARY:
        name = PREFIX[kind].lower()
        out.write(f"\nconst struct fy_register_word fy_register_{kind}[] = {{\n")
        for word in register.words[kind]:
            out.write(f"\t{{ .key = {c_string(word)}, .label = {both(register.data[kind][word])} }},\n")
        out.write(f"}};\n_Static_assert(sizeof(fy_register_{kind}) / sizeof(fy_register_{kind}[0]) == FY_{PREFIX[kind]}_COUNT, \"{name}\");\n")
    out.write("\nconst struct fy_register_table fy_register_tables[] = {\n" +
              "".join(c_holder(name, table) for name, table in register.tables.items()) +
              f"}};\nconst size_t fy_register_table_count = {len(register.tables)};\n")
    out.write("\nconst struct fy_register_field fy_register_fields[] = {\n")
    by_name = {f["name"]: f for f in register.fields}
    count = 0
    for index, table in enumerate(register.tables):
        for column in schema.tables.get(table, {}):
            name = f"{table}.{column}"
            mark, f = register.marks[name], by_name.get(name)
            count += 1
            if not f:
                out.write(f"\t{{ .table = {index}, .column = {c_string(column)}, .mark = FY_MARK_PUBLIC }},\n")
                continue
            out.write(c_field(register, index, f))
    out.write(f"}};\nconst size_t fy_register_field_count = {count};\n")
    kept = [(index, f) for index, store in enumerate(register.stores.values()) for f in store["fields"].values()]
    out.write("\nconst struct fy_register_table fy_register_stores[] = {\n" +
              "".join(c_holder(name, store) for name, store in register.stores.items()) +
              f"\t{{ .name = NULL }},\n}};\nconst size_t fy_register_store_count = {len(register.stores)};\n"
              "\nconst struct fy_register_field fy_register_store_fields[] = {\n" +
              "".join(c_field(register, index, f) for index, f in kept) +
              f"\t{{ .column = NULL }},\n}};\nconst size_t fy_register_store_field_count = {len(kept)};\n")


def write_policy_source(args, register):
    """The published versions as C, once the newest is known to be the register."""
    versions = policy.read_versions(args.policy)
    policy.check_newest(versions, policy.promises(register))
    if args.policy_source:
        with open(args.policy_source, "w", encoding="utf-8") as out:
            policy.Writer(sys.modules[__name__], register, out).write(versions, args.policy_list)
    if args.depfile:
        with open(args.depfile, "w", encoding="utf-8") as out:
            files = [args.policy, *(os.path.join(args.policy, version.date + ".json") for version in versions)]
            out.write(f"{args.policy_source}: {' '.join(files)}\n")


def publish(args, register):
    """Writes the next version, and says what it will mean to people."""
    folder = args.policy or os.path.join(HERE, "policy")
    print(policy.write_version(folder, args.write_policy, policy.promises(register), args.effective))
    versions = policy.read_versions(folder)
    before = versions[-2].content if len(versions) > 1 else None
    changes = policy.difference(before, versions[-1].content, lambda keep: keep_seconds(keep, register.settings)) if before else []
    waits = versions[-1].effective != versions[-1].date
    for change in changes:
        # Only a purpose is shut until its day (fy_policy_shut): what else changes, the program does as soon as it runs.
        early = waits and change["major"] and change["kind"] not in ("purpose_added", "field_added")
        print(f"  {'major' if change['major'] else 'minor'}: {change['kind']} {', '.join(change['fields'])}".rstrip()
              + (f"; does NOT wait for {versions[-1].effective}: deploy it on that day" if early else ""))
    if any(change["major"] for change in changes):
        print(f"  in force from {versions[-1].effective}; the persons concerned are told by mail once a server runs with it")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--register", default=os.path.join(HERE, "register.toml"))
    arguments.add_argument("--settings", default=os.path.join(HERE, "../include/foyer/config_keys.def"))
    arguments.add_argument("--migrations", nargs="*", default=glob.glob(os.path.join(HERE, "migrations/*.sql")))
    arguments.add_argument("--statements", nargs="*", default=glob.glob(os.path.join(HERE, "sql/*.def")))
    arguments.add_argument("--header")
    arguments.add_argument("--source")
    arguments.add_argument("--policy", help="the folder of the published versions")
    arguments.add_argument("--policy-source")
    arguments.add_argument("--policy-list", default=policy.LIST, help="the list's name in C; tests have their own")
    arguments.add_argument("--depfile")
    arguments.add_argument("--write-policy", metavar="DATE", help="publish the register as the policy of that date")
    arguments.add_argument("--effective", metavar="DATE", help="with --write-policy: the day it takes effect, where it is a later one")
    args = arguments.parse_args()
    mistake = Mistakes()
    try:
        schema = Schema(mistake)
        for path in sorted(args.migrations, key=os.path.basename):
            schema.read(path)
        register = Register(args.register, time_settings(args.settings), mistake)
    except (OSError, tomllib.TOMLDecodeError) as problem:
        print(f"{args.register}: {problem}", file=sys.stderr)
        return 1
    register.compare(schema)
    check = StatementCheck(register, schema, mistake)
    for path in sorted(args.statements) if not mistake.lines else []:     # a wrong register would make more of them
        try:
            for statement in generate.parse(path):
                check.check(path, statement)
        except generate.Mistake as problem:
            mistake(f"{os.path.basename(path)}:{problem.line}", str(problem))
    if mistake.lines:
        print("\n".join(mistake.lines), file=sys.stderr)
        return 1
    try:
        if args.write_policy:
            publish(args, register)
        elif args.policy:
            write_policy_source(args, register)
    except policy.PolicyError as problem:
        print(f"policy: {problem}", file=sys.stderr)
        return 1
    if args.header:
        with open(args.header, "w", encoding="utf-8") as out:
            write_header(register, schema, out)
    if args.source:
        with open(args.source, "w", encoding="utf-8") as out:
            write_source(register, schema, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
