"""Loads text.toml, where every sentence stands in French and English, and sets its typography.

A missing language, an unknown placeholder or an unused sentence stops the build, so the two languages cannot drift
apart. Used by compile.py only; sentences chosen at run time (sections `error`, `notice`, … below) become an enum there.
"""
import re
import tomllib

LANGS = ("fr", "en")
RUNTIME = ("change", "error", "notice", "record", "right", "role")    # sections whose sentences C code chooses
PART = re.compile(r"\*\*(.+?)\*\*|\[([^\]]+)\]\(([^)\s]+)\)|\{(\w+)\}|`([^`]+)`")
NBSP, NARROW = "\u00a0", "\u202f"


class TextError(Exception):
    pass


def typography(lang, text):
    text = text.replace("...", "…").replace("'", "’")
    if lang == "fr":
        # French sets a fixed space before double signs and inside guillemets, so that they never start a line.
        text = re.sub(r" ([;?!])", NARROW + r"\1", text)
        text = text.replace(" :", NBSP + ":").replace("« ", "«" + NBSP).replace(" »", NBSP + "»")
    return text


class Texts:
    def __init__(self, path):
        self.path, self.used = path, set()
        with open(path, "rb") as f:
            try:
                self.keys = dict(self.flatten("", tomllib.load(f)))
            except tomllib.TOMLDecodeError as e:
                raise TextError(f"{path}: {e}") from None
        for key, entry in self.keys.items():
            for lang in LANGS:
                if not entry.get(lang):
                    raise TextError(f"{path}: {key} has no {lang}")
            if set(entry) - set(LANGS):
                raise TextError(f"{path}: {key} has something beside {' and '.join(LANGS)}")
            if self.placeholders(entry["fr"]) != self.placeholders(entry["en"]):
                raise TextError(f"{path}: {key} has other placeholders in French than in English")
            for lang in LANGS:
                entry[lang] = typography(lang, entry[lang])

    def flatten(self, prefix, table):
        for name, value in table.items():
            if not isinstance(value, dict):
                raise TextError(f"{self.path}: {prefix}{name} is not a table of languages")
            if all(isinstance(v, str) for v in value.values()):
                yield prefix + name, value
            else:
                yield from self.flatten(prefix + name + ".", value)

    @staticmethod
    def placeholders(text):
        return set(re.findall(r"\{(\w+)\}", text))

    @classmethod
    def arguments(cls, parts):
        out = set()
        for kind, rest, *_ in parts:
            out |= {rest} if kind == "arg" else cls.arguments(rest) if kind != "text" else set()
        return out

    def parts(self, key, lang):
        """The sentence as [(kind, …)]: ("text", s) ("arg", name) ("strong", parts) ("code", parts)
        ("link", parts, url). A plural is two such lists: `one || many`."""
        if key not in self.keys:
            raise TextError(f"there is no text {key!r} in {self.path}")
        self.used.add(key)
        return [self.split(form.strip()) for form in self.keys[key][lang].split("||")]

    @classmethod
    def split(cls, text):
        out, at = [], 0
        for m in PART.finditer(text):
            if m.start() > at:
                out.append(("text", text[at:m.start()]))
            if m.group(1):
                out.append(("strong", cls.split(m.group(1))))
            elif m.group(2):
                out.append(("link", cls.split(m.group(2)), m.group(3)))
            elif m.group(5):
                out.append(("code", cls.split(m.group(5))))
            else:
                out.append(("arg", m.group(4)))
            at = m.end()
        if at < len(text):
            out.append(("text", text[at:]))
        return out

    def runtime(self):
        return sorted(k for k in self.keys if k.split(".")[0] in RUNTIME)

    def unused(self):
        return sorted(k for k in self.keys if k not in self.used and k.split(".")[0] not in RUNTIME)
