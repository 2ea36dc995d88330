#!/usr/bin/env python3
"""Checks that whoever calls a function that may park is marked fy_async, too.

It reads C as tokens (comments, strings and preprocessor lines apart), finds declarations and definitions at file
scope, and looks at each call in each body. Macros that call such a function count as one; so do calls through a
pointer whose type is marked, where its name says which that is. It does not follow a function's address: who passes
one on must know its type.
Declarations and definitions must agree. Called by `make lint`; --self-test proves that it sees what it must.

usage: check_async.py [--self-test] [FILE or DIRECTORY]...
"""
import pathlib
import re
import sys

MARK = 'fy_async'
TOKEN = re.compile(r'''
    (?P<space>[ \t\r\f\v]+|\\\n)
  | (?P<newline>\n)
  | (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>\.?\d(?:[\w.]|[eEpP][+-])*)
  | (?P<sign>->|.)
''', re.VERBOSE | re.DOTALL)
# What looks like a call and is none.
WORDS = {'if', 'while', 'for', 'switch', 'return', 'sizeof', 'do', 'else', 'case', '__attribute__', '_Alignof', '_Static_assert',
         'static_assert', 'typeof', '__typeof__', 'defined', '_Alignas', '_Generic'}


class Token:
    __slots__ = ('kind', 'text', 'line')

    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line


def tokens_of(source):
    """The tokens of a file, and its macros as {name: tokens of the body}."""
    found, macros, line = [], {}, 1
    at_line_start, at = True, 0
    while at < len(source):
        if at_line_start and (directive := re.compile(r'[ \t]*#(?:[^\n\\]|\\.|\\\n)*', re.DOTALL).match(source, at)):
            text = directive.group()
            define = re.match(r'[ \t]*#[ \t]*define[ \t]+(\w+)(\([^)]*\))?(.*)', text, re.DOTALL)
            if define:
                body, _ = tokens_of(define.group(3).replace('\\\n', ' '))
                macros[define.group(1)] = body
            line += text.count('\n')
            at = directive.end()
            continue
        match = TOKEN.match(source, at)
        kind, text = match.lastgroup, match.group()
        if kind in ('name', 'number', 'text', 'sign'):
            found.append(Token(kind, text, line))
        if kind == 'newline':
            at_line_start = True
        elif kind not in ('space', 'comment'):
            at_line_start = False
        line += text.count('\n')
        at = match.end()
    return found, macros


def closing(tokens, at, opening, end):
    """The index of the sign that closes the one at `at`."""
    depth = 0
    for i in range(at, len(tokens)):
        if tokens[i].text == opening:
            depth += 1
        elif tokens[i].text == end:
            depth -= 1
            if depth == 0:
                return i
    return len(tokens) - 1


def calls_in(tokens):
    """(name, line, is_member) of each call."""
    for i in range(len(tokens) - 1):
        token = tokens[i]
        if token.kind == 'name' and token.text not in WORDS and tokens[i + 1].text == '(':
            before = tokens[i - 1].text if i else ''
            # "struct x name (" and "int name (" are declarations, which a block of ours does not hold.
            yield token.text, token.line, before in ('.', '->')


class Function:
    def __init__(self, name, line, parks, static, body, path):
        self.name, self.line, self.parks, self.static, self.body, self.path = name, line, parks, static, body, path


class File:
    def __init__(self, path, source):
        self.path = path
        self.functions, self.declarations = [], []
        self.parking_types, self.typed_names, self.parking_members, self.plain_members = set(), [], set(), set()
        tokens, self.macros = tokens_of(source)
        self.read(tokens)

    def read(self, tokens):
        start = at = 0
        while at < len(tokens):
            text = tokens[at].text
            if text == '(':
                at = closing(tokens, at, '(', ')') + 1
            elif text == ';':
                self.declaration(tokens[start:at])
                start = at = at + 1
            elif text == '{':
                end = closing(tokens, at, '{', '}')
                at = self.block(tokens, start, at, end)
                if at <= end:
                    at = end + 1
                # After the body of a function a new declaration begins; after a struct's or a table's its ';' comes.
                if self.was_function:
                    start = at
            else:
                at += 1

    was_function = False

    @staticmethod
    def named_function(head):
        """The name in a function's declaration, or None: the first name with a list of parameters at depth 0."""
        depth = 0
        for i, token in enumerate(head):
            if token.text == '(':
                depth += 1
            elif token.text == ')':
                depth -= 1
            elif token.text == '=' and depth == 0:
                return None
            elif (depth == 0 and token.kind == 'name' and token.text not in WORDS and i and i + 1 < len(head)
                  and head[i + 1].text == '('):
                inside = head[i + 2].text if i + 2 < len(head) else ''
                if inside == '*':            # int (*name)(…) after a macro: a pointer
                    return None
                return token
        return None

    def block(self, tokens, start, at, end):
        head = tokens[start:at]
        words = {token.text for token in head}
        name = self.named_function(head)
        self.was_function = False
        if 'struct' in words and name is None or 'union' in words and name is None:
            self.members(tokens[at + 1:end])
        elif 'extern' in words and name is None and '=' not in words:
            self.read(tokens[at + 1:end])    # extern "C" { … }
            self.was_function = True
        elif name is not None:
            self.was_function = True
            self.functions.append(Function(name.text, name.line, MARK in words, 'static' in words, tokens[at + 1:end], self.path))
            self.parameters(head)
        return end + 1

    def declaration(self, tokens):
        words = [token.text for token in tokens]
        if 'typedef' in words and MARK in words:
            pointer = re.search(r'\( \* (\w+) \)', ' '.join(words))
            self.parking_types.add(pointer.group(1) if pointer else words[-1])
            return
        name = self.named_function(tokens)
        if name is not None and 'typedef' not in words:
            self.declarations.append(Function(name.text, name.line, MARK in words, 'static' in words, None, self.path))
            self.parameters(tokens)
        else:
            self.members(tokens + [Token('sign', ';', 0)])

    def members(self, tokens):
        """Members and variables: those of a marked type are remembered by name, to be matched with the types later."""
        start = 0
        for i, token in enumerate(tokens):
            if token.text not in (';', '{', '}', ','):
                continue
            words = [one.text for one in tokens[start:i]]
            pointer = re.search(r'\( \* (\w+) \)', ' '.join(words))
            if pointer:
                (self.parking_members if MARK in words else self.plain_members).add(pointer.group(1))
            plain = [word for word in words if word not in ('const', 'static')]
            if len(plain) == 2 and all(re.match(r'\w+$', word) for word in plain):
                self.typed_names.append(tuple(plain))
            start = i + 1

    def parameters(self, tokens):
        for i in range(1, len(tokens)):
            if tokens[i].kind == tokens[i - 1].kind == 'name':
                self.typed_names.append((tokens[i - 1].text, tokens[i].text))
        for pointer in re.finditer(MARK + r' \w+ \( \* (\w+) \)', ' '.join(token.text for token in tokens)):
            self.parking_members.add(pointer.group(1))


def check(files):
    """Sentences about what is wrong."""
    complaints = []
    shared, said = {}, {}
    for file in files:
        for function in file.functions + file.declarations:
            if function.static:
                continue
            before = said.get(function.name)
            if before is not None and before.parks != function.parks:
                complaints.append(f'{function.path}:{function.line}: {function.name} is {"" if function.parks else "not "}marked {MARK} here, '
                                  f'and it is {"" if before.parks else "not "}in {before.path}:{before.line}')
            said.setdefault(function.name, function)
            shared[function.name] = shared.get(function.name, False) or function.parks
    parking = {name for name, parks in shared.items() if parks}
    types = set().union(*(file.parking_types for file in files)) if files else set()
    members = set().union(*(file.parking_members for file in files)) if files else set()
    for file in files:
        members |= {name for type_name, name in file.typed_names if type_name in types}
    # One name, two kinds of pointers: which it is cannot be told without types, so it is left to the reader.
    for file in files:
        members -= file.plain_members
    macros = {}
    for file in files:
        macros.update(file.macros)
    grown = True
    while grown:
        grown = False
        for name, body in macros.items():
            if name not in parking and any(called in parking for called, _, member in calls_in(body) if not member):
                parking.add(name)
                grown = True
    for file in files:
        own = {function.name: function.parks for function in file.functions + file.declarations if function.static}
        for function in file.functions:
            if function.static:
                own[function.name] = own.get(function.name, False) or function.parks
        for function in file.declarations:
            if function.static and function.parks != own[function.name]:
                complaints.append(f'{file.path}:{function.line}: {function.name} is declared without {MARK} and defined with it')
        for function in file.functions:
            if function.parks:
                continue
            for name, line, member in calls_in(function.body):
                may_park = name in members if member else own[name] if name in own else name in parking or name in members and name not in shared
                if may_park:
                    complaints.append(f'{file.path}:{line}: {function.name} calls {name}, which may park, and is not marked {MARK}')
    return complaints


def read(paths):
    found = []
    for path in paths:
        path = pathlib.Path(path)
        found += sorted(path.rglob('*.[ch]')) if path.is_dir() else [path]
    return [File(str(path), path.read_text('utf-8')) for path in found]


GOOD = '''
#include "x.h"
#define AWAIT(x) park(x)
fy_async int park(int x);
typedef fy_async int (*handler)(int x);
struct route { const char *name; handler run; };
static fy_async int child(int x) { return AWAIT(x); }
fy_async static int parent(struct route *r) { if (child(1)) return park(2); return r->run(3); }
static int name_only(void) { start(parent, "park(1)"); /* park(1) */ return 'p'; }   // park(2)
static const struct route table[] = { { "park(1)", parent } };
static int plain(int (*f)(int)) { return f(1); }
'''
SEEDED = [
    ('a plain caller', 'fy_async int park(int x);\nstatic int f(void)\n{\n\treturn park(1);\n}\n', 4),
    ('a caller of a static one', 'static fy_async int g(void) { return 1; }\nint f(void)\n{\n\tif (1 && g())\n\t\treturn 2;\n\treturn 1;\n}\n', 4),
    ('through a macro', '#define AWAIT(x) \\\n\tpark(x)\nfy_async int park(int x);\nvoid f(void)\n{\n\tAWAIT(1);\n}\n', 6),
    ('through a pointer of a marked type', 'typedef fy_async int (*handler)(int);\nstruct r { handler run; };\nint f(struct r *r)\n{\n\treturn r->run(1);\n}\n', 5),
    ('through a marked pointer', 'struct r { fy_async int (*run)(int); };\nint f(struct r *r) { return r->run(1); }\n', 2),
    ('a declaration that says less', 'int f(void);\nfy_async int f(void) { return 1; }\n', 1),
    ('after a table and a comment', 'fy_async int park(int x);\nstatic const int t[] = { 1, 2 };\n/* { */ static int f(void) { return t[0] + park(1); }\n', 3),
    ('inside extern "C"', 'extern "C" {\nfy_async int park(int x);\nint f(void) { return park(1); }\n}\n', 3),
]


def self_test(paths):
    assert check([File('good.c', GOOD)]) == [], check([File('good.c', GOOD)])
    for what, source, line in SEEDED:
        complaints = check([File('bad.c', source)])
        assert len(complaints) == 1 and complaints[0].startswith(f'bad.c:{line}:'), f'{what}: {complaints}'
    # And in the real sources: each mark that is taken from a static function that needs it must be missed.
    files = read(paths)
    assert check(files) == [], 'the sources themselves must be right first'
    taken = 0
    for i, file in enumerate(files):
        source = pathlib.Path(file.path).read_text('utf-8')
        for match in list(re.finditer(r'^(fy_async static|static fy_async) (?=[\w ]+[ *](\w+)\()', source, re.MULTILINE))[:2]:
            function = next((one for one in file.functions if one.name == match.group(2)), None)
            if function is None or taken >= 40:
                continue
            mutant = File(file.path, source[:match.start()] + 'static ' + source[match.end():])
            complaints = check(files[:i] + [mutant] + files[i + 1:])
            if not complaints:
                continue                     # a handler that parks nowhere is marked for its type
            assert any(match.group(2) in one for one in complaints), complaints
            taken += 1
    assert not paths or taken >= 10, f'only {taken} marks could be taken away with a complaint'
    print(f'check_async: {len(SEEDED)} seeded mistakes and {taken} taken marks are seen')


def main():
    arguments = sys.argv[1:]
    if '--self-test' in arguments:
        arguments.remove('--self-test')
        self_test(arguments)
        return 0
    files = read(arguments)
    complaints = check(files)
    for complaint in complaints:
        print(complaint)
    marked = sum(function.parks for file in files for function in file.functions)
    print(f'check_async: {len(files)} files, {marked} functions that may park, {len(complaints)} complaints')
    return 1 if complaints or marked == 0 else 0


if __name__ == '__main__':
    sys.exit(main())
