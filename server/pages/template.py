"""Reads a template: its head (what the page is given), and its body as a tree of nodes.

    {% page title="register.title" %}                     a page; also: fragment, mail, part
    {% mail consent="market_research" %}                   a mail that rests on a consent: it has a link to withdraw it
    {% view %}
    personal given_name                                    types: text personal secret url bool u64 time html
    list session sessions: text id, time seen              a list, each item a struct fy_row_session
    {% endview %}
    {{ given_name }} {{ seen|date }}                       a value, escaped for the place it stands in
    {% t "register.intro" site=page.site_name %}           a sentence of text.toml
    {% if not a and b == "x" %} … {% elif c %} … {% else %} … {% endif %}
    {% for s in sessions %} … {% else %} … {% endfor %}    `else`: the list is empty
    {% include "field" name="email" value=email %}         a part, with its parameters put in at build time
    {% include "csrf" %}                                   a part without parameters: one shared function
    {% asset "site.css" %}                                 the fingerprinted address of a static file
    {# for us only #}

What may stand where is markup.py's question, and compile.py writes the C.
"""
import re
from dataclasses import dataclass, field


class TemplateError(Exception):
    def __init__(self, path, line, message):
        super().__init__(f"{path}:{line}: {message}")


SCALARS = ("text", "personal", "secret", "url", "bool", "u64", "time", "html")
TOKEN = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}|\{#(.*?)#\}", re.S)
WORD = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_$][\w.$]*(?:\|\w+)?)|(\d+)|(==|=|:|,|/))')


@dataclass
class Node:
    kind: str                       # static put if for text include asset builtin
    line: int
    text: str = ""                  # static text, or a name
    args: dict = field(default_factory=dict)
    condition: list = field(default_factory=list)
    body: list = field(default_factory=list)
    other: list = field(default_factory=list)


@dataclass
class Template:
    path: str
    name: str
    kind: str = "part"              # page fragment mail part
    options: dict = field(default_factory=dict)
    fields: list = field(default_factory=list)      # (type, name, row) in the order of the struct
    rows: dict = field(default_factory=dict)        # row name -> [(type, name)]
    params: dict = field(default_factory=dict)      # of a part: name -> is optional
    body: list = field(default_factory=list)


@dataclass(frozen=True)
class Literal:
    value: str


def words(path, line, text):
    """Splits a tag into names, Literals and signs."""
    out, at, text = [], 0, text.strip()
    while at < len(text):
        m = WORD.match(text, at)
        if not m:
            raise TemplateError(path, line, f"cannot read {text[at:]!r}")
        at = m.end()
        if m.group(1) is not None:
            out.append(Literal(m.group(1).replace('\\"', '"')))
        else:
            out.append(m.group(2) or m.group(3) or m.group(4))
    return out


def arguments(path, line, parts):
    """name=value pairs; a value is a Literal, a name or a number."""
    args = {}
    while parts:
        if len(parts) < 3 or parts[1] != "=" or not isinstance(parts[0], str):
            raise TemplateError(path, line, f"expected name=value, not {parts[0]!r}")
        if parts[0] in args:
            raise TemplateError(path, line, f"{parts[0]}= stands twice")
        args[parts[0]] = parts[2]
        parts = parts[3:]
    return args


class Reader:
    def __init__(self, path, name, source, squeeze=True):
        self.t = Template(path, name)
        self.source, self.squeeze = source, squeeze
        self.tokens = list(self.tokenize())
        self.at = 0

    def fail(self, line, message):
        raise TemplateError(self.t.path, line, message)

    def tokenize(self):
        end = 0
        for m in TOKEN.finditer(self.source):
            yield from self.static(end, m.start())
            line = self.source.count("\n", 0, m.start()) + 1
            if m.group(1) is not None:
                yield "put", m.group(1).strip(), line
            elif m.group(2) is not None:
                yield "tag", m.group(2).strip(), line
            end = m.end()
        yield from self.static(end, len(self.source))

    def static(self, start, end):
        text = self.source[start:end]
        for mark in ("{{", "}}", "{%", "%}"):
            if mark in text:
                self.fail(self.source.count("\n", 0, start) + 1, f"stray {mark}")
        if text:
            yield "static", text, self.source.count("\n", 0, start) + 1

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def read(self):
        self.t.body = self.block(())[0]
        return self.t

    def block(self, ends):
        """Nodes up to a tag in `ends`; returns them with that tag's word, rest and line."""
        nodes = []
        while self.at < len(self.tokens):
            kind, text, line = self.next()
            if kind == "static":
                nodes.append(Node("static", line, text))
            elif kind == "put":
                parts = words(self.t.path, line, text)
                if len(parts) != 1:
                    self.fail(line, f"one value between {{{{ and }}}}, not {text!r}")
                nodes.append(Node("put", line, args={"value": parts[0]}))
            else:
                word, _, rest = text.partition(" ")
                if word in ends:
                    return nodes, word, rest, line
                node = self.tag(word, rest, line)
                if node:
                    nodes.append(node)
        if ends:
            self.fail(self.source.count("\n"), f"expected {{% {ends[-1]} %}} before the end")
        return nodes, "", "", 0

    def tag(self, word, rest, line):
        method = getattr(self, "tag_" + word, None)
        if method is None:
            self.fail(line, f"unknown tag {word!r}")
        return method(rest, line)

    def head(word):
        def method(self, rest, line):
            self.t.kind = word
            self.t.options = arguments(self.t.path, line, words(self.t.path, line, rest))
        return method

    tag_page, tag_fragment, tag_mail = head("page"), head("fragment"), head("mail")

    def tag_params(self, rest, line):
        for name in rest.split():
            self.t.params[name.rstrip("?")] = name.endswith("?")

    def tag_view(self, rest, line):
        kind, text, at = self.next()
        if kind != "static" or self.next()[:2] != ("tag", "endview"):
            self.fail(line, "a view holds declarations only, up to {% endview %}")
        for offset, declaration in enumerate(text.split("\n")):
            declaration = declaration.split("#")[0].strip()
            if declaration:
                self.declare(declaration, at + offset)

    def declare(self, text, line):
        kind, _, rest = text.partition(" ")
        if kind == "list":
            head, _, columns = rest.partition(":")
            if len(head.split()) != 2:
                self.fail(line, "a list is declared as: list ROW NAME: type field, type field")
            row, name = head.split()
            if columns.strip():
                fields = [tuple(c.split()) for c in columns.split(",")]
                for f in fields:
                    if len(f) != 2 or f[0] not in SCALARS:
                        self.fail(line, f"a list's fields are of {' '.join(SCALARS)}, not {' '.join(f)!r}")
                self.t.rows[row] = fields
        else:
            row, name = None, rest.strip()
            if kind not in SCALARS:
                self.fail(line, f"unknown type {kind!r}; there are {' '.join(SCALARS)} list")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            self.fail(line, f"{name!r} is not a field name")
        if any(name == f[1] for f in self.t.fields):
            self.fail(line, f"{name} is declared twice")
        self.t.fields.append((kind, name, row))

    def condition(self, rest, line):
        """[(negated, name, comparison)…] joined by `and` or `or`, which do not mix."""
        out, joiner, negated, parts = [], None, False, words(self.t.path, line, rest)
        while parts:
            word = parts.pop(0)
            if word in ("and", "or"):
                if joiner not in (None, word):
                    self.fail(line, "`and` and `or` do not mix in one condition")
                joiner = word
            elif word == "not":
                negated = not negated
            else:
                other = None
                if parts and parts[0] == "==":
                    if len(parts) < 2:
                        self.fail(line, "== needs a value on its right")
                    other, parts = parts[1], parts[2:]
                elif word == "error" and parts:
                    other = parts.pop(0)
                out.append((negated, word, other))
                negated = False
        if not out:
            self.fail(line, "an empty condition")
        return [joiner or "and", out]

    def tag_if(self, rest, line):
        node = Node("if", line, condition=self.condition(rest, line))
        node.body, word, rest, at = self.block(("elif", "else", "endif"))
        if word == "elif":
            node.other = [self.tag_if(rest, at)]
        elif word == "else":
            node.other = self.block(("endif",))[0]
        return node

    def tag_for(self, rest, line):
        m = re.fullmatch(r"(\w+) in ([\w.]+)", rest.strip())
        if not m:
            self.fail(line, "a loop is written: for ITEM in LIST")
        node = Node("for", line, m.group(1), {"list": m.group(2)})
        node.body, word, _, _ = self.block(("else", "endfor"))
        if word == "else":
            node.other = self.block(("endfor",))[0]
        return node

    def named(kind):
        def method(self, rest, line):
            parts = words(self.t.path, line, rest)
            if not parts:
                self.fail(line, f"{kind} needs a name")
            name, *parts = parts
            if kind == "text" and isinstance(name, str) and not name.startswith("$"):
                self.fail(line, 'a text is named as {% t "section.key" %}, or {% t $parameter %} in a part')
            return Node(kind, line, args={"$": name, **arguments(self.t.path, line, parts)})
        return method

    tag_t, tag_include, tag_asset = named("text"), named("include"), named("asset")

    def block_tag(shape):
        """Mail blocks: {% p "key" name=given_name %}, {% button "key" url=link %}, {% link "key" url=link %}."""
        def method(self, rest, line):
            name, *parts = words(self.t.path, line, rest)
            return Node("block", line, shape, {"$": name, **arguments(self.t.path, line, parts)})
        return method

    tag_subject, tag_p = block_tag("subject"), block_tag("p")
    tag_button, tag_small, tag_link = block_tag("button"), block_tag("small"), block_tag("link")

    def tag_builtin(self, rest, line):
        """{% builtin NAME [value] %}: what only the C side can write (server/pages/write.h)."""
        name, *parts = words(self.t.path, line, rest)
        return Node("builtin", line, name, {"values": parts})


def read(path, name, source):
    return Reader(path, name, source).read()
