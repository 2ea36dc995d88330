"""Turns template nodes into C statements, for one language at a time.

Static text is collected and written as one constant run; each value is written by the function that its place in the
HTML asks for (markup.py). Which functions and structs surround the statements is compile.py's part.
"""
import html

import markup
from template import Literal, Node, TemplateError

PAGE_FIELDS = {
    "site_name": ("text", "page->site_name"), "site_address": ("text", "page->site_address"),
    "path": ("text", "page->path"), "query": ("text", "page->query"),
    "csrf": ("secret", "page->csrf"), "who": ("personal", "page->who"), "request_id": ("text", "page->request_id"),
    "now": ("time", "page->now"), "expires": ("time", "page->expires"),
    "notice": ("bool", "(page->notice != 0)"), "errors": ("bool", "(page->error_count != 0)"),
    "guest": ("bool", "(page->role == FY_PAGE_GUEST)"), "member": ("bool", "(page->role == FY_PAGE_MEMBER)"),
    "manager": ("bool", "(page->role == FY_PAGE_MANAGER)"),
    "may_sessions": ("bool", "(page->office >> FY_OFFICE_SESSIONS & 1)"),
    "may_contact": ("bool", "(page->office >> FY_OFFICE_CONTACT & 1)"),
    "may_jobs": ("bool", "(page->office >> FY_OFFICE_JOBS & 1)"),
    "may_people": ("bool", "(page->office >> FY_OFFICE_PEOPLE & 1)"),
    "may_access": ("bool", "(page->office >> FY_OFFICE_ACCESS & 1)"),
    "may_requests": ("bool", "(page->office >> FY_OFFICE_REQUESTS & 1)"),
    "may_holds": ("bool", "(page->office >> FY_OFFICE_HOLDS & 1)"),
    "may_studies": ("bool", "(page->office >> FY_OFFICE_STUDIES & 1)"),
    "may_breaches": ("bool", "(page->office >> FY_OFFICE_BREACHES & 1)"),
    "may_privacy": ("bool", "(page->office >> FY_OFFICE_PRIVACY & 1)"),
    "may_log": ("bool", "(page->office >> FY_OFFICE_LOG & 1)"),
    "notice_done": ("bool", "(page->notice_tone == FY_NOTICE_DONE)"),
    "notice_warning": ("bool", "(page->notice_tone == FY_NOTICE_WARNING)"),
}
MAIL_FIELDS = {"site_name": ("text", "mail->site_name"), "site_address": ("text", "mail->site_address"),
               "home_url": ("url", "mail->home_url")}
TIME_FILTERS = {None: "fy_write_time", "time": "fy_write_time", "date": "fy_write_date", "iso": "fy_write_iso"}


class Plain:
    """The context of a mail's text and subject: no markup, so nothing to escape but control characters."""
    open = ()

    def feed(self, text):
        pass

    def dynamic(self):
        pass

    def escape(self):
        return "plain"

    def settle(self):
        pass

    def merge(self, other):
        pass

    def copy(self):
        return self

    def same(self, other):
        return True


def c_string(text):
    out = []
    for line in text.split("\n"):
        out.append(line.replace("\\", "\\\\").replace('"', '\\"'))
    return '"' + "\\n".join(out) + '"'


def squeeze(text):
    """Indentation and blank lines of a template are for its reader; a visitor gets one newline."""
    lines = text.split("\n")
    if len(lines) == 1:
        return text
    middle = [line.strip() for line in lines[1:-1]]
    parts = [lines[0].rstrip()] + [m for m in middle if m] + [lines[-1].lstrip()]
    return "\n".join(parts)


class Emitter:
    def __init__(self, compiler, lang, context, scope, lang_expr):
        self.compiler, self.lang, self.context, self.scope = compiler, lang, context, scope
        self.lang_expr = lang_expr
        self.lines, self.pending, self.depth, self.static_bytes, self.loops = [], "", 1, 0, 0
        self.template = None
        self.plain = isinstance(context, Plain)
        self.one_line = False    # a mail's subject

    # Writing lines

    def line(self, text):
        self.lines.append("\t" * self.depth + text)

    def static(self, text):
        if not self.plain and (self.pending.endswith("\n") or not (self.lines or self.pending)):
            text = text.lstrip("\n")
        self.context.feed(text)
        self.pending += text

    def flush(self):
        if self.pending:
            size = len(self.pending.encode())
            self.static_bytes += size
            self.line(f"put(out, {c_string(self.pending)}, {size});")
            self.pending = ""

    def call(self, text):
        self.flush()
        self.line(text)

    # Values

    def fail(self, node, message):
        raise TemplateError(self.template.path, node.line, message)

    def look_up(self, node, name):
        """(type, C expression or constant) of a name as the template writes it."""
        if isinstance(name, Literal):
            return "const", name.value
        name = name.lstrip("$")
        if name.isdigit():
            return "u64", name
        head, _, tail = name.partition(".")
        if head in self.scope and not tail:
            return self.scope[head]
        if head in self.scope and self.scope[head][0] == "row":
            _, var, fields = self.scope[head]
            for kind, field in fields:
                if field == tail:
                    return kind, f"{var}->{field}"
        if head in ("page", "mail") and tail:
            fields = MAIL_FIELDS if self.compiler.kind == "mail" else PAGE_FIELDS
            if tail in fields:
                return fields[tail]
        self.fail(node, f"there is no {name!r} here")

    @staticmethod
    def slice_of(kind, expr):
        return expr + ".text" if kind in ("personal", "secret") else expr

    def put(self, node, name):
        filter_name = None
        if isinstance(name, str) and "|" in name:
            name, filter_name = name.split("|")
        kind, expr, *_ = self.look_up(node, name)
        try:
            escape = self.context.escape()
        except markup.MarkupError as e:
            self.fail(node, str(e))
        if kind == "const":
            self.static(html.escape(expr) if not self.plain else expr)
            return
        if kind == "html":
            if escape != "text":
                self.fail(node, "markup may stand in text only")
            self.call(f"fy_buf_put(out, {expr}.markup);")
        elif kind == "u64":
            if filter_name == "duration":
                self.call(f"fy_write_duration(out, {self.lang_expr}, {expr});")
            else:
                self.call(f"fy_buf_u64(out, {expr});")
        elif kind == "time":
            if filter_name not in TIME_FILTERS:
                self.fail(node, f"a time has no filter {filter_name!r}")
            self.call(f"{TIME_FILTERS[filter_name]}(out, {self.lang_expr}, {expr});")
        elif kind in ("text", "personal", "secret", "url"):
            if kind == "secret" and escape not in ("attribute", "query", "plain", "url"):
                self.fail(node, "a secret may stand in an attribute only")
            value = self.slice_of(kind, expr)
            if filter_name == "country":
                value = f"fy_country_name({self.lang_expr}, {value})"
            elif filter_name == "paragraphs":
                if escape not in ("text", "plain") or self.one_line:
                    self.fail(node, "paragraphs stand in text only")
                self.call(f"{'fy_html_paragraphs' if escape == 'text' else 'fy_write_lines'}(out, {value});")
                return
            elif filter_name:
                self.fail(node, f"text has no filter {filter_name!r}")
            writer = {"text": "fy_html_text", "attribute": "fy_html_attr", "url": "fy_write_url",
                      "path": "fy_write_component", "query": "fy_write_component", "plain": "fy_write_plain"}[escape]
            self.call(f"{writer}(out, {value});")
        else:
            self.fail(node, f"a {kind} cannot be shown; use it in a condition")
        self.context.dynamic()

    def truth(self, node, negated, name, other):
        """A condition's term as True, False or C."""
        if name == "error" and other is not None:
            kind, value, *_ = self.look_up(node, other)
            if kind != "const":
                self.fail(node, "error NAME needs a name that is known at build time")
            c = f"fy_page_refuses(page, {c_string(value)}, {len(value)})"
        else:
            kind, expr, *_ = self.look_up(node, name)
            if other is not None:
                okind, oexpr, *_ = self.look_up(node, other)
                if kind == "const" and okind == "const":
                    return (expr == oexpr) != negated
                if kind == "u64" and okind == "u64":
                    c = f"{expr} == {oexpr}"
                elif okind == "const" and kind in ("text", "personal", "url"):
                    c = f"fy_eq({self.slice_of(kind, expr)}, FY_LIT({c_string(oexpr)}))"
                else:
                    self.fail(node, f"a {kind} is not compared with a {okind}")
            elif kind == "const":
                return bool(expr) != negated
            elif kind in ("bool", "u64", "time"):
                c = expr if kind == "bool" else f"{expr} != 0"
            elif kind == "list":
                c = f"{expr}_count != 0"
            elif kind == "html":
                c = f"{expr}.markup.len != 0"
            else:
                c = f"{self.slice_of(kind, expr)}.len != 0"
        return f"!({c})" if negated else c

    def condition(self, node):
        joiner, terms = node.condition
        values = [self.truth(node, *t) for t in terms]
        decided = False if joiner == "and" else True
        if any(v is decided for v in values):
            return decided
        values = [v for v in values if not isinstance(v, bool)]
        if not values:
            return not decided
        sign = " && " if joiner == "and" else " || "
        return sign.join(f"({v})" if len(values) > 1 else v for v in values)

    # Nodes

    def nodes(self, template, nodes):
        outer, self.template = self.template, template
        for node in nodes:
            try:
                getattr(self, "node_" + node.kind)(node)
            except markup.MarkupError as e:
                self.fail(node, str(e))
        self.template = outer

    def node_static(self, node):
        self.static(squeeze(node.text) if not self.plain else node.text)

    def node_put(self, node):
        self.put(node, node.args["value"])

    def node_if(self, node):
        test = self.condition(node)
        if isinstance(test, bool):
            self.nodes(self.template, node.body if test else node.other)
            return
        self.flush()
        self.context.settle()
        before = self.context.copy()
        self.line(f"if ({test}) {{")
        self.branch(node.body)
        after, self.context = self.context, before
        if node.other:
            self.line("} else {")
            self.branch(node.other)
        self.line("}")
        if not after.same(self.context):
            self.fail(node, f"the branches end in different places: {after}; {self.context}")
        self.context.merge(after)

    def branch(self, nodes):
        self.depth += 1
        self.nodes(self.template, nodes)
        self.flush()
        self.context.settle()
        self.depth -= 1

    def node_for(self, node):
        kind, expr, fields = (*self.look_up(node, node.args["list"]), None)[:3]
        if kind != "list":
            self.fail(node, f"{node.args['list']} is not a list")
        self.flush()
        before, var, outer = self.context.copy(), f"i{self.loops}", self.scope
        self.loops += 1
        self.line(f"for (size_t n_{var} = 0; n_{var} < {expr}_count; n_{var}++) {{")
        self.depth += 1
        self.line(f"const struct fy_row_{fields[0]} *{var} = &{expr}[n_{var}];")
        self.line(f"(void){var};")
        self.depth -= 1
        self.scope = {**outer, node.text: ("row", var, fields[1])}
        self.branch(node.body)
        self.scope = outer
        self.line("}")
        if not before.same(self.context):
            self.fail(node, f"the loop's body ends elsewhere than it began: {self.context}")
        if node.other:
            self.line(f"if ({expr}_count == 0) {{")
            self.branch(node.other)
            self.line("}")

    def node_text(self, node):
        key = self.look_up(node, node.args["$"])
        if key[0] != "const":
            self.fail(node, "a text's key must be known at build time")
        try:
            forms = self.compiler.texts.parts(key[1], self.lang)
        except Exception as e:
            self.fail(node, str(e))
        args = {k: v for k, v in node.args.items() if k != "$"}
        wanted = set().union(*(self.compiler.texts.arguments(form) for form in forms))
        if wanted - set(args):
            self.fail(node, f"{key[1]} needs {', '.join(sorted(wanted - set(args)))}=")
        if set(args) - wanted - {"n"}:
            self.fail(node, f"{key[1]} has no {', '.join(sorted(set(args) - wanted))}")
        if len(forms) == 1:
            self.sentence(node, forms[0], args)
            return
        if "n" not in args:
            self.fail(node, f"{key[1]} has a plural and needs n=")
        number = self.look_up(node, args["n"])[1]
        self.flush()
        # French counts 0 as singular, English does not.
        self.line(f"if ({number} {'< 2' if self.lang == 'fr' else '== 1'}) {{")
        before = self.context.copy()
        self.depth += 1
        self.sentence(node, forms[0], args)
        self.flush()
        self.context = before
        self.depth -= 1
        self.line("} else {")
        self.depth += 1
        self.sentence(node, forms[1], args)
        self.flush()
        self.depth -= 1
        self.line("}")

    def sentence(self, node, parts, args):
        where = self.context.escape()
        for kind, rest, *url in parts:
            if kind == "arg":
                self.put(node, args[rest])
            elif kind == "text":
                self.static(rest if where == "plain" else html.escape(rest, quote=where != "text"))
            elif where == "plain":
                self.sentence(node, rest, args)
                if url:
                    self.static(f" ({url[0]})")
            elif where != "text":
                self.fail(node, "a sentence with a link or emphasis may stand in text only")
            else:
                self.static(f'<a href="{html.escape(url[0])}">' if kind == "link" else f"<{kind}>")
                self.sentence(node, rest, args)
                self.static("</a>" if kind == "link" else f"</{kind}>")

    def node_asset(self, node):
        name = node.args["$"]
        if not isinstance(name, Literal) or name.value not in self.compiler.assets:
            self.fail(node, f"there is no static file {name!r}")
        self.static(self.compiler.assets[name.value])
        self.compiler.assets_used.add(name.value)

    def node_include(self, node):
        name = node.args["$"]
        part = self.compiler.part(name.value) if isinstance(name, Literal) else None
        if part is None:
            self.fail(node, f"there is no part {name!r}")
        args = {k: v for k, v in node.args.items() if k != "$"}
        missing = [p for p, optional in part.params.items() if not optional and p not in args]
        if missing:
            self.fail(node, f"part {part.name} needs {', '.join(missing)}=")
        if set(args) - set(part.params):
            self.fail(node, f"part {part.name} takes no {', '.join(sorted(set(args) - set(part.params)))}")
        if not part.params and self.compiler.kind != "mail":
            if self.context.state != "text":
                self.fail(node, "a part stands between tags")
            self.call(f"{self.compiler.part_function(part, self.lang)}(out, page);")
            return
        inner = {p: ("const", "") for p in part.params}
        inner.update({k: self.look_up(node, v) for k, v in args.items()})
        outer, self.scope = self.scope, inner
        self.nodes(part, part.body)
        self.scope = outer

    def node_builtin(self, node):
        values = [self.look_up(node, v) for v in node.args["values"]]
        table = {
            "title": ("text", 0, "fy_buf_put(out, title);"),
            "notice": ("text", 0, "fy_write_sentence(out, {lang}, page->notice, page->notice_args);"),
            "error_links": ("text", 0, "fy_write_error_links(out, page);"),
            "error": ("text", 1, "fy_write_error(out, page, {0});"),
            "other_language": ("url", 0, "fy_write_other_language(out, page);"),
            "country_options": ("text", 1, "fy_write_country_options(out, {lang}, {0});"),
        }
        if node.text not in table:
            self.fail(node, f"there is no builtin {node.text!r}")
        place, count, c = table[node.text]
        if self.context.escape() != place or len(values) != count:
            self.fail(node, f"builtin {node.text} stands in {place} and takes {count} values")
        exprs = [f"FY_LIT({c_string(v[1])})" if v[0] == "const" else self.slice_of(v[0], v[1]) for v in values]
        self.call(c.replace("{lang}", self.lang_expr).replace("{0}", exprs[0] if exprs else ""))
        self.context.dynamic()

    # Mail blocks: one source, written as text and as simple HTML

    def node_block(self, node):
        link = node.args.get("url")
        inner = Node("text", node.line, args={k: v for k, v in node.args.items() if k != "url"})
        if self.plain:
            self.node_text(inner)
            if link:
                self.static("\n")
                self.put(node, link)
            self.static("\n\n")
            return
        before, after = self.compiler.mail_shapes[node.text]
        self.static(before)
        if link:
            self.put(node, link)
            self.static('">')
        self.node_text(inner)
        self.static(after + "\n")
