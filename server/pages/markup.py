"""Follows HTML as it is written and says in which context the next character stands.

It knows just enough of HTML's tokenizer to choose an escaping, and refuses every place where no escaping is safe
(inline script and style, event handlers, unquoted attributes, comments). Reading templates is template.py's part,
writing C is compile.py's; both ask the Context here.
"""

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
URL_ATTRIBUTES = {"href", "src", "action", "formaction", "cite", "poster", "data"}
REFUSED_ELEMENTS = {"script", "style", "iframe", "object", "embed", "base", "noscript"}
REFUSED_ATTRIBUTES = {"srcdoc", "srcset", "ping", "background", "http-equiv"}


class MarkupError(Exception):
    """The template asks for something that cannot be made safe, or is not well formed."""


class Context:
    """The state between two characters of HTML. Copies are cheap; equal states may be merged after a branch."""

    def __init__(self, allow_style=False):
        self.state = "text"
        self.element = ""        # the tag being read
        self.attribute = ""      # the attribute being read
        self.value = ""          # what its value holds so far; DYNAMIC stands for a run-time part
        self.closing = False
        self.seen = ()           # attributes of the tag being read: a double one is a mistake
        self.glued = False       # an attribute has just ended: a space must come before the next one
        self.open = ()           # elements not closed yet
        self.allow_style = allow_style

    DYNAMIC = "\0"

    def copy(self):
        twin = Context(self.allow_style)
        twin.__dict__.update(self.__dict__)
        return twin

    def settle(self):
        """A branch begins or ends here: a name that was being read is over, as it must not go on elsewhere."""
        if self.state in ("attribute", "name"):
            getattr(self, "_" + self.state)(" ")
            self.glued = True

    def merge(self, other):
        """After two branches that end in the same place."""
        self.glued = self.glued or other.glued
        self.seen += other.seen

    def same(self, other):
        # Which optional attributes a branch wrote does not matter to what may follow.
        def key(c):
            return (c.state, c.element, c.attribute, bool(c.value), "?" in c.value, c.closing, c.open)
        return key(self) == key(other)

    def __str__(self):
        inside = " > ".join(self.open) or "nothing"
        return f"{self.state} (inside {inside}, tag <{self.element}>, attribute {self.attribute!r})"

    def feed(self, text):
        for c in text:
            getattr(self, "_" + self.state)(c)

    def escape(self):
        """The escaping that a run-time value needs here: text, attribute, url, path, query."""
        if self.state == "text":
            return "text"
        if self.state == "value":
            if self.attribute not in URL_ATTRIBUTES:
                return "attribute"
            if not self.value:
                return "url"
            return "query" if "?" in self.value or "#" in self.value else "path"
        place = {"before_value": "an unquoted attribute value", "comment": "a comment", "tag": "a tag's inside",
                 "name": "a tag's name", "attribute": "an attribute's name", "after_name": "a tag's inside",
                 "open": "a tag's name", "declaration": "a declaration"}[self.state]
        raise MarkupError(f"a value may not stand in {place}")

    def dynamic(self):
        if self.state == "value":
            self.value += self.DYNAMIC

    # One method for each state: what the next character does.

    def _text(self, c):
        if c == "<":
            self.state = "open"

    def _open(self, c):
        if c == "!":
            self.state, self.element = "declaration", "!"
        elif c == "/":
            self.state, self.element, self.closing = "name", "", True
        elif c.isalpha():
            self.state, self.element, self.closing, self.seen = "name", c.lower(), False, ()
        else:
            raise MarkupError(f"'<' is followed by {c!r}; write &lt;")

    def _declaration(self, c):
        self.element += c
        if self.element == "!--":
            self.state = "comment"
        elif c == ">":
            self.state = "text"

    def _comment(self, c):
        raise MarkupError("HTML comments reach the visitor; use {# … #}")

    def _name(self, c):
        if c.isalnum() or c == "-":
            self.element += c.lower()
            return
        if self.element in REFUSED_ELEMENTS:
            raise MarkupError(f"<{self.element}> is not allowed: the policy is no inline script or style, no frames")
        self.state = "tag"
        self._tag(c)

    def _tag(self, c):
        if c == ">":
            self._end_tag()
        elif c == "/" or c.isspace():
            self.glued = False
        elif c.isalpha() and self.glued:
            raise MarkupError(f"a space must stand before the attribute that begins with {c!r}")
        elif c.isalpha():
            self.state, self.attribute = "attribute", c.lower()
        else:
            raise MarkupError(f"{c!r} inside <{self.element}>")

    def _attribute(self, c):
        if c.isalnum() or c in "-:_":
            self.attribute += c.lower()
            return
        name = self.attribute
        if name.startswith("on"):
            raise MarkupError(f"event handler {name}= is not allowed")
        if name in REFUSED_ATTRIBUTES or (name == "style" and not self.allow_style):
            raise MarkupError(f"attribute {name}= is not allowed")
        if name in self.seen:
            raise MarkupError(f"attribute {name}= stands twice in <{self.element}>")
        self.seen += (name,)
        if c == "=":
            self.state = "before_value"
        else:
            self.state, self.attribute = "tag", ""
            self._tag(c)

    def _before_value(self, c):
        if c != '"':
            raise MarkupError(f"the value of {self.attribute}= must stand in double quotes")
        self.state, self.value = "value", ""

    def _value(self, c):
        if c == '"':
            if self.attribute in URL_ATTRIBUTES and self.value.split(":")[0].lower().strip() in ("javascript", "data"):
                raise MarkupError(f"{self.attribute}= may not hold {self.value!r}")
            self.state, self.attribute, self.value, self.glued = "tag", "", "", True
        else:
            self.value += c

    def _end_tag(self):
        name = self.element
        if self.closing:
            if not self.open or self.open[-1] != name:
                raise MarkupError(f"</{name}> closes {'nothing' if not self.open else '<' + self.open[-1] + '>'}")
            self.open = self.open[:-1]
        elif name not in VOID:
            self.open += (name,)
        self.state, self.element, self.closing, self.seen, self.glued = "text", "", False, (), False
