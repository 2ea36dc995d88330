"""Compiles the templates of the pages and mails into C.

    compile.py DIR --out-c pages_gen.c --out-h pages_gen.h [--depfile F]

DIR holds templates/, parts/, mail/, static/ and text.toml. Each page becomes `struct fy_view_NAME` and
`fy_page_NAME`; each mail `struct fy_mailview_NAME`, `fy_mail_NAME`, which packs it (letter.h), and a row of
`fy_letter_templates`, which writes it. A mistake prints FILE:LINE: what is wrong, and exits 1. The reader is template.py, the HTML contexts are markup.py, the statements emit.py.
"""
import argparse
import os
import sys
import tomllib
import unicodedata

import embed
import markup
import template
import texts as textfile
from emit import Emitter, Plain, c_string

C_TYPES = {"text": "struct fy_slice", "url": "struct fy_slice", "personal": "struct fy_personal",
           "secret": "struct fy_secret", "bool": "bool", "u64": "uint64_t", "time": "fy_time",
           "html": "struct fy_html"}


WITHDRAW = "withdraw_link"


def collation(name):
    """Accents do not count in alphabetical order."""
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c)).casefold()


class Compiler:
    def __init__(self, folder):
        self.folder, self.inputs = folder, []
        self.texts = textfile.Texts(self.note(os.path.join(folder, "text.toml")))
        self.assets = {a.name: a.path for a in embed.read_folder(os.path.join(folder, "static"))}
        self.assets_used = set()
        self.parts, self.part_done, self.parts_used = {}, {}, set()
        self.rows, self.header, self.source, self.shared = {}, [], [], []
        self.kind = "page"
        self.mail_shapes = {
            "p": ('<p style="margin:0 0 16px">', "</p>"),
            "button": ('<p style="margin:24px 0"><a style="background:#1f4d46;color:#ffffff;padding:12px 20px;'
                       'border-radius:8px;text-decoration:none;font-weight:600;display:inline-block" href="',
                       "</a></p>"),
            "link": ('<p style="margin:0 0 12px;font-size:14px"><a style="color:#1f4d46" href="', "</a></p>"),
            "small": ('<p style="margin:0 0 12px;color:#5c5648;font-size:14px">', "</p>"),
        }

    def note(self, path):
        self.inputs.append(path)
        return path

    def read(self, subfolder, suffix):
        folder = os.path.join(self.folder, subfolder)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        for file in names:
            name, ext = os.path.splitext(file)
            if ext == suffix:
                path = self.note(os.path.join(folder, file))
                with open(path, encoding="utf-8") as f:
                    yield template.read(path, name, f.read())

    # Structs

    def add_rows(self, t):
        for row, fields in t.rows.items():
            if self.rows.setdefault(row, fields) != fields:
                raise template.TemplateError(t.path, 1, f"row {row} is declared differently elsewhere")

    def struct_rows(self):
        for row, fields in sorted(self.rows.items()):
            self.header.append(f"struct fy_row_{row} {{")
            self.header += [f"\t{C_TYPES[kind]} {name};" for kind, name in fields]
            self.header.append("};\n")

    def struct_view(self, prefix, t):
        self.header.append(f"struct {prefix}{t.name} {{")
        for kind, name, row in t.fields:
            if kind == "list":
                if row not in self.rows:
                    raise template.TemplateError(t.path, 1, f"row {row} is declared nowhere")
                self.header.append(f"\tconst struct fy_row_{row} *{name};\n\tsize_t {name}_count;")
            else:
                self.header.append(f"\t{C_TYPES[kind]} {name};")
        if not t.fields:
            self.header.append("\tchar unused;   /* the page needs nothing but the layout */")
        self.header.append("};")

    def scope(self, t):
        out = {}
        for kind, name, row in t.fields:
            out[name] = ("list", f"v->{name}", (row, self.rows[row])) if kind == "list" else (kind, f"v->{name}")
        return out

    # Functions

    def part(self, name):
        self.parts_used.add(name)
        return self.parts.get(name)

    def part_function(self, t, lang):
        name = f"part_{t.name}_{lang}"
        if name not in self.part_done:
            e = self.emitter(lang, markup.Context(), {})
            e.nodes(t, t.body)
            self.finish(e, t, ())
            self.part_done[name] = True
            self.shared += [f"static void {name}(struct fy_buf *out, const struct fy_page *page)", "{",
                            "\t(void)page;", *e.lines, "}\n"]
        return name

    def emitter(self, lang, context, scope, lang_expr=None):
        return Emitter(self, lang, context, scope, lang_expr or f"FY_LANG_{lang.upper()}")

    @staticmethod
    def finish(e, t, open_before):
        e.flush()
        c = e.context
        if c.state != "text" or c.open != tuple(open_before):
            raise template.TemplateError(t.path, 1, f"ends in {c}")

    def layout(self, t, lang, half):
        """The layout's half as a function, one for each set of options; returns its name and the context after it."""
        options = {k: v.value for k, v in t.options.items() if k != "title"}
        part = self.part("layout_" + half)
        tag = "_".join(f"{k}_{v}" for k, v in sorted(options.items())) or "plain"
        name = f"layout_{half}_{tag}_{lang}".replace("-", "_")
        if name not in self.part_done:
            context = markup.Context() if half == "top" else self.layout(t, lang, "top")[1].copy()
            scope = {p: ("const", options.get(p, "")) for p in part.params}
            unknown = set(options) - set(self.part("layout_top").params) - set(self.part("layout_bottom").params)
            if unknown:
                raise template.TemplateError(t.path, 1, f"the layout has no option {', '.join(unknown)}")
            e = self.emitter(lang, context, scope)
            e.nodes(part, part.body)
            e.flush()
            if e.context.state != "text" or (half == "bottom" and e.context.open):
                raise template.TemplateError(part.path, 1, f"ends in {e.context}")
            self.part_done[name] = e.context
            title = ", struct fy_slice title" if half == "top" else ""
            self.shared += [f"static void {name}(struct fy_buf *out, const struct fy_page *page{title})", "{",
                            "\t(void)page;", *e.lines, "}\n"]
        return name, self.part_done[name]

    def page(self, t):
        self.kind = "page"
        view = f"const struct fy_view_{t.name} *"
        self.struct_view("fy_view_", t)
        fragment = t.kind == "fragment"
        head = (f"struct fy_html fy_fragment_{t.name}" if fragment else f"void fy_page_{t.name}") + \
            f"(struct fy_buf *out, const struct fy_page *page, {view}view)"
        self.header.append(head + ";\n")
        size = 0
        for lang in textfile.LANGS:
            top, context = (None, markup.Context()) if fragment else self.layout(t, lang, "top")
            e = self.emitter(lang, context.copy(), self.scope(t))
            if not fragment:
                title = t.options.get("title")
                if title is None:
                    raise template.TemplateError(t.path, 1, "a page needs a title")
                parts = self.texts.parts(title.value, lang)[0]
                if any(p[0] != "text" for p in parts):
                    raise template.TemplateError(t.path, 1, f"{title.value} is a title: no links, no arguments")
                words = "".join(p[1] for p in parts).replace("&", "&amp;").replace("<", "&lt;")
                e.call(f"{top}(out, page, FY_LIT({c_string(words)}));")
            e.nodes(t, t.body)
            self.finish(e, t, context.open)
            if not fragment:
                e.call(f"{self.layout(t, lang, 'bottom')[0]}(out, page);")
            size = max(size, e.static_bytes)
            self.source += [f"static void {t.name}_{lang}(struct fy_buf *out, const struct fy_page *page, {view}v)",
                            "{", "\t(void)page;", "\t(void)v;", *e.lines, "}\n"]
        self.source += [head, "{"]
        if fragment:
            self.source.append("\tsize_t start = out->len;")
        # Room for the whole page at once, so that the buffer rarely grows while it is written.
        self.source += [f"\tfy_buf_reserve(out, {size + 6144});" if not fragment else "\tfy_buf_reserve(out, 1);",
                        f"\t(page->lang == FY_LANG_EN ? {t.name}_en : {t.name}_fr)(out, page, view);"]
        if fragment:
            self.source.append("\treturn (struct fy_html){ fy_slice(out->ptr + start, out->len - start) };")
        self.source.append("}\n")

    @staticmethod
    def consent(t):
        """The consent that a mail rests on, as C; None: on none. Who agreed can take it back by each such mail (GDPR
        Article 7(3)), so its link stands in it under no condition."""
        unknown = set(t.options) - {"consent"}
        if unknown:
            raise template.TemplateError(t.path, 1, f"a mail has no option {', '.join(sorted(unknown))}")
        if "consent" not in t.options:
            return None
        if ("secret", WITHDRAW, None) not in t.fields:
            raise template.TemplateError(t.path, 1, f"a mail that rests on a consent is given: secret {WITHDRAW}")
        if not any(n.kind == "block" and n.text != "subject" and n.args.get("url") == WITHDRAW for n in t.body):
            raise template.TemplateError(t.path, 1, f"a mail that rests on a consent links to {WITHDRAW}, always")
        return f"FY_CONSENT_{t.options['consent'].value.upper()}"

    def mail(self, t):
        self.kind = "mail"
        consent = self.consent(t)
        view = f"const struct fy_mailview_{t.name} *"
        self.struct_view("fy_mailview_", t)
        head = f"void fy_mail_{t.name}(struct fy_buf *fields, {view}view)"
        self.header.append(head + ";\n")
        subject = [n for n in t.body if n.kind == "block" and n.text == "subject"]
        if len(subject) != 1:
            raise template.TemplateError(t.path, 1, "a mail has one subject")
        body = [n for n in t.body if n.kind == "block" and n.text != "subject" or n.kind in ("if", "for", "put")]
        for lang in textfile.LANGS:
            for what in ("subject", "text", "html"):
                context = Plain() if what != "html" else markup.Context(allow_style=True)
                e = self.emitter(lang, context, self.scope(t))
                e.template = t
                if what == "subject":
                    e.one_line = True
                    e.node_text(template.Node("text", subject[0].line, args=subject[0].args))
                    e.flush()
                elif what == "text":
                    e.nodes(t, body)
                    e.nodes(self.part("mail_text"), self.part("mail_text").body)
                    e.flush()
                else:
                    for part in (self.part("mail_top"), t, self.part("mail_bottom")):
                        e.nodes(part, body if part is t else part.body)
                    self.finish(e, t, ())
                self.source += [f"static void mail_{t.name}_{what}_{lang}(struct fy_buf *out, "
                                f"const struct fy_letterhead *mail, {view}v)", "{", "\t(void)mail;", "\t(void)v;",
                                *e.lines, "}\n"]
        self.source += [head, "{"]
        unpack = []
        for kind, name, _ in t.fields:
            if kind not in ("text", "url", "personal", "secret", "u64", "time"):
                raise template.TemplateError(t.path, 1, f"a {kind} cannot wait in the outbox")
            if kind in ("u64", "time"):
                self.source.append(f'\tfy_fields_put_number(fields, "{name}", (int64_t)view->{name});')
                unpack.append(f'\tview.{name} = ({C_TYPES[kind]})fy_fields_take_number(in, "{name}");')
            else:
                self.source.append(f'\tfy_fields_put(fields, "{name}", {Emitter.slice_of(kind, f"view->{name}")});')
                unpack.append(f'\t{Emitter.slice_of(kind, f"view.{name}")} = fy_fields_take(in, "{name}");')
        self.source += ["}\n", f"static bool write_{t.name}(struct fy_letter_text *out, const struct fy_letterhead *mail, "
                        "struct fy_fields *in)", "{", f"\tstruct fy_mailview_{t.name} view;", *unpack,
                        "\tif (in->failed || in->rest.len)", "\t\treturn false;"]
        if consent:
            self.source.append(f"\tout->withdraw_link = view.{WITHDRAW};")
        for what in ("subject", "text", "html"):
            self.source.append(f"\t(mail->lang == FY_LANG_EN ? mail_{t.name}_{what}_en : mail_{t.name}_{what}_fr)"
                               f"(&out->{what}, mail, &view);")
        self.source.append("\treturn true;\n}\n")

    def letter_table(self, mails):
        self.source.append("const struct fy_letter_template fy_letter_templates[] = {")
        self.source += [f"\t{{ FY_LIT({c_string(t.name)}), {self.consent(t) or 0}, write_{t.name} }}," for t in mails]
        self.source += ["};", f"const size_t fy_letter_template_count = {len(mails)};\n"]

    def sentences(self):
        """The enum of sentences that C code chooses, and their table."""
        keys = self.texts.runtime()
        self.header += ["enum fy_text {", "\tFY_TEXT_NONE = 0,"]
        self.header += [f"\tFY_TEXT_{k.replace('.', '_').upper()}," for k in keys]
        self.header += ["\tFY_TEXT_COUNT", "};\n"]
        self.source.append("const struct fy_sentence fy_sentences[FY_TEXT_COUNT] = {")
        for k in keys:
            entry = self.texts.keys[k]
            both = ", ".join(f"FY_LIT({c_string(entry[lang])})" for lang in textfile.LANGS)
            self.source.append(f"\t[FY_TEXT_{k.replace('.', '_').upper()}] = {{ FY_LIT({c_string(k)}), {{ {both} }} }},")
        self.source.append("};\n")

    def countries(self):
        """The choice of countries, in the alphabetical order of each language."""
        with open(self.note(os.path.join(self.folder, "countries.toml")), "rb") as f:
            names = tomllib.load(f)
        self.source.append(f"const size_t fy_country_count = {len(names)};")
        self.source.append("const struct fy_country fy_countries[2][256] = {")
        for lang in textfile.LANGS:
            self.source.append("\t{")
            for code, entry in sorted(names.items(), key=lambda item: collation(item[1][lang])):
                self.source.append(f'\t\t{{ "{code}", FY_LIT({c_string(textfile.typography(lang, entry[lang]))}) }},')
            self.source.append("\t},")
        self.source.append("};\n")

    def run(self):
        self.parts = {t.name: t for t in self.read("parts", ".html")}
        pages = list(self.read("templates", ".html"))
        mails = list(self.read("mail", ".mail"))
        for t in pages + mails:
            self.add_rows(t)
        self.sentences()
        self.countries()
        self.struct_rows()
        for t in pages:
            if t.kind not in ("page", "fragment"):
                raise template.TemplateError(t.path, 1, "a template begins with {% page … %} or {% fragment %}")
            self.page(t)
        for t in mails:
            if t.kind != "mail":
                raise template.TemplateError(t.path, 1, "a mail begins with {% mail %}")
            self.mail(t)
        self.letter_table(mails)
        problems = [f"{self.texts.path}: {k} is used by no template" for k in self.texts.unused()]
        problems += [f"{p.path}: is included nowhere" for n, p in self.parts.items() if n not in self.parts_used]
        problems += [f"static/{a}: is used by no template" for a in self.assets if a not in self.assets_used]
        if problems:
            raise textfile.TextError("\n".join(problems))


HEADER = """/* Generated by server/pages/compile.py from server/pages/templates, mail and text.toml. */
#pragma once

#include "server/pages/letter.h"
#include "server/pages/pages.h"

"""
SOURCE = """/* Generated by server/pages/compile.py from server/pages/templates, mail and text.toml. */
#include "server/pages/pages_gen.h"
#include "server/pages/write.h"

static inline void put(struct fy_buf *out, const char *text, size_t len)
{
	fy_buf_put(out, (struct fy_slice){ text, len });
}

"""


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("folder")
    args.add_argument("--out-c", required=True)
    args.add_argument("--out-h", required=True)
    args.add_argument("--depfile")
    args = args.parse_args()
    compiler = None
    try:
        compiler = Compiler(args.folder)
        compiler.run()
    except (template.TemplateError, textfile.TextError, markup.MarkupError, embed.EmbedError) as e:
        sys.exit(str(e))
    with open(args.out_h, "w", encoding="utf-8") as f:
        f.write(HEADER + "\n".join(compiler.header))
    with open(args.out_c, "w", encoding="utf-8") as f:
        f.write(SOURCE + "\n".join(compiler.shared + compiler.source))
    if args.depfile:
        static = [os.path.join(args.folder, "static", n) for n in sorted(os.listdir(args.folder + "/static"))]
        with open(args.depfile, "w", encoding="utf-8") as f:
            f.write(f"{args.out_c} {args.out_h}: " + " ".join(compiler.inputs + static) + "\n")


if __name__ == "__main__":
    main()
