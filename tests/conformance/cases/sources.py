"""What is in the file: sources that do not compile, that warn, and that are encoded otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.model import Case, Run

if TYPE_CHECKING:
    from collections.abc import Mapping

_BROKEN: Mapping[str, str | bytes] = {
    "indent": "def f():\nreturn 1\n",
    "unindent": "if 1:\n        a = 1\n    b = 2\n",
    "unexpected-indent": "a = 1\n  b = 2\n",
    "tabs": "if 1:\n        a = 1\n\tb = 2\n",
    "cookie": "# -*- coding: no-such-codec -*-\nprint(1)\n",
    "cookie-rot13": "# coding: rot13\nprint(1)\n",
    "cookie-utf-16": "# coding: utf-16\nprint(1)\n",
    "cookie-and-bom": b"\xef\xbb\xbf# coding: latin-1\nprint(1)\n",
    "cookie-ascii": b"# coding: ascii\nprint('\xc3\xa9')\n",
    "utf-16": "print(1)\n".encode("utf-16"),
    "not-utf-8": b"print('\xe9')\n",
    "not-utf-8-comment": b"print(1)\n# \xe9\nprint(2)\n",
    "not-utf-8-late": b"a = 1\n" * 300 + b"b = '\xff'\n",
    "nul": b"print(1)\nprint(2)\0\nprint(3)\n",
    "nul-first": b"\0",
    "unterminated": "print('abc)\n",
    "unterminated-triple": 'print(1)\nx = """abc\nline\n',
    "unclosed": "print((1,\nprint(2)\n",
    "unmatched": "print(1))\n",
    "mismatched": "print([1)\n",
    "eof": "def f():\n",
    "backslash": "x = 1 \\",
    "backslash-space": "x = 1 + \\ \n2\n",
    "invalid": "a b\n",
    "keyword": "class = 1\n",
    "return": "print(1)\nreturn 2\n",
    "yield": "yield 1\n",
    "await": "await f()\n",
    "break": "for i in []: pass\nbreak\n",
    "assign": "f() = 1\n",
    "walrus": "x := 1\n",
    "print": "print 'python 2'\n",
    "global": "def f():\n    x = 1\n    global x\n",
    "nonlocal": "nonlocal x\n",
    "star": "*a, *b = c\n",
    "arguments": "def f(a, a): pass\n",
    "keywords": "f(a=1, a=2)\n",
    "default": "def f(a=1, b): pass\n",
    "future": "a = 1\nfrom __future__ import annotations\n",
    "future-unknown": "from __future__ import braces\n",
    "future-unknown-name": "from __future__ import nonsense\n",
    "fstring": "a = f'{1 +}'\n",
    "fstring-open": "a = f'{1'\n",
    "escape": "a = '\\N{no such name}'\n",
    "escape-short": "a = '\\x1'\n",
    "bytes": "a = b'\u00e9'\n",
    "number": "a = 1__0\n",
    "octal": "a = 0777\n",
    "unicode": "a = 1 \u2013 2\n",
    "invisible": "a = 1\u200b\n",
    "debug": "__debug__ = 1\n",
    "parentheses": "(" * 30 + ")" * 29 + "\n",
    "indents": "".join(" " * depth + "if 1:\n" for depth in range(101)) + " " * 101 + "pass\n",
    "loops": "".join(" " * depth + "for a in b:\n" for depth in range(25)) + " " * 25 + "pass\n",
    "caret": "first = 1; second = (1 +* 2); third = 3  # \u00e9\n",
    "form-feed": "\x0cprint(1\n",
    "import": "import\n",
    "try": "try:\n    pass\nprint(1)\n",
    "except-star": "try:\n    pass\nexcept* ValueError:\n    break\n",
    "decorator": "@\ndef f(): pass\n",
    "lambda": "lambda: (yield) = 1\n",
    "ctrl-z": b"print(1)\n\x1a\n",
}

# Other errors than SyntaxError, or none, by version: plain Python has to say.
_PERHAPS_BROKEN: Mapping[str, str | bytes] = {
    "match": "match 1:\n    case int(): print('matched')\n",
    "except-group": "try:\n    pass\nexcept* ValueError:\n    pass\nprint('done')\n",
    "type": "type X = int\nprint(X)\n",
    "walrus-index": "a = [1, 2]\nprint(a[b := 1])\n",
    "parenthesized-with": "with (open(__file__) as f,):\n    print(len(f.read()))\n",
    "fstring-quotes": "a = {'b': 1}\nprint(f'{a['b']}')\n",
    "deep-sum": "a = " + "1 + " * 5000 + "1\nprint(a)\n",
    "long-int": "print(len(str(" + "9" * 4000 + ")))\na = " + "9" * 5000 + "\n",
    "many-arguments": "def f(*a): return len(a)\nprint(f(" + "1, " * 300 + "))\n",
    "nul-late": b"print(1)\n" + b"#" * 9000 + b"\0\n",
    "surrogate-escape": "print('\\udcff'.encode('utf-8', 'surrogateescape'))\n",
    "decorator-expression": "f = [lambda g: g]\n@f[0]\ndef h(): pass\nprint(h.__name__)\n",
    "positional-only": "def f(a, /): return a\nprint(f(1))\n",
    "star-index": "a = {(1, 2): 3}\nb = (1, 2)\nprint(a[*b])\n",
    "finally-return": "def f():\n  try:\n    1 / 0\n  finally:\n    return 1\nprint(f())\n",
    "finally-continue": "for a in 1,:\n    try: pass\n    finally: continue\nprint(a)\n",
}

_WARNS = """\
import sys

def compare(x):
    return x is "y"

pattern = "\\d"
other = b"\\q"
tuple_called = lambda: (1, 2)(3)
indexed = lambda: [1, 2]["a"]
always = lambda x: (_ for _ in ()).throw(ValueError) if x is 5 else None
def check(x):
    assert (x, "always true")
hexadecimal = 0xfor x in ()
print(pattern, other, sorted(sys.modules))
print([str(w) for w in globals().get("__warningregistry__", {})])
if len(sys.argv) > 1:
    import warnings
    with open(__file__) as file:
        text = file.read()
    compile(text, __file__, "exec")
    warnings.simplefilter("always")
    compile(text, __file__, "exec")
    warnings.warn("at run time")
""".replace("hexadecimal = 0xfor x in ()\n", "")

_WARN_FLAGS: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...] = (
    ((), {}),
    (("-W", "always"), {}),
    (("-W", "ignore"), {}),
    (("-W", "once"), {}),
    (("-W", "default"), {}),
    (("-W", "error"), {}),
    (("-W", "error::SyntaxWarning"), {}),
    (("-W", "error::DeprecationWarning"), {}),
    (("-W", "ignore::SyntaxWarning"), {}),
    (("-W", "error::ImportWarning"), {}),
    (("-X", "dev"), {}),
    (("-b",), {}),
    (("-O",), {}),
    (("-OO",), {}),
    ((), {"PYTHONWARNINGS": "error"}),
    ((), {"PYTHONWARNINGS": "always"}),
    ((), {"PYTHONDEVMODE": "1"}),
    (("-E",), {"PYTHONWARNINGS": "error"}),
)

_WARNS_ONE = {
    "is.py": 'x = 1\nif x is "y":\n    pass\nprint("on")\n',
    "escape.py": 'print("\\d on")\n',
    "octal.py": 'print("\\777 on".encode("utf-8"))\n',
    "call.py": 'def f():\n    return "text"()\nprint("on")\n',
    "comma.py": "def f():\n    return [[1] [2, 3]]\nprint('on')\n",
    "number.py": "print('on', 1if 1else 2)\n",
    "assert.py": "assert (1, 'always')\nprint('on')\n",
    "finally.py": "def f():\n    try:\n        pass\n    finally:\n        return 1\nprint('on')\n",
    "then-fails.py": 'a = 1 is 1\nprint("on")\n1 / 0\n',
    "then-broken.py": "a = 1 is 1\nb = (\n",
    "twice.py": "a = 1 is 1; b = 2 is 2\nprint('on')\n",
    "folded.py": "def f(x):\n  if x is ():\n    pass\n  return x is not 'a' 'b'\nprint('on')\n",
}

_ENCODED: Mapping[str, str | bytes] = {
    "bom.py": b"\xef\xbb\xbfprint(ascii('\xc3\xa9'))\n1/0\n",
    "bom-cookie.py": b"\xef\xbb\xbf# coding: utf-8\nprint(ascii('\xc3\xa9'))\n1/0\n",
    "utf-8-sig.py": b"# coding: utf-8-sig\nprint(ascii('\xc3\xa9'))\n1/0\n",
    "latin-1.py": b"# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n'\xe9' / 0\n",
    "latin-15.py": b"# coding: iso-8859-15\nprint(ascii('\xa4'))\n'\xe9' / 0\n",
    "cp1252.py": b"#!/bin/sh\n# vim: set fileencoding=cp1252 :\nprint(ascii('\x80'))\n'\x80' / 0\n",
    "euc-jp.py": b"# coding: euc-jp\nprint(ascii('\xc6\xfc'))\n'\xc6\xfc' / 0\n",
    "utf-7.py": b"# coding: utf-7\nprint(ascii('+AOk-'))\n1/0\n",
    "third-line.py": b"#\n#\n# coding: latin-1\nprint(ascii('\xc3\xa9'))\n1/0\n",
    "after-code.py": b"x = 1\n# coding: latin-1\nprint(ascii('\xc3\xa9'))\n1/0\n",
    "blank-then-cookie.py": b"\n# coding: latin-1\nprint(ascii('\xe9'))\n1/0\n",
    "crlf.py": b"def f():\r\n  '''a\r\nb'''\r\n  return '''c\r\nd'''\r\nprint([f()])\r\n1/0\r\n",
    "cr.py": b"print(1)\rprint(2)\r1/0\r",
    "mixed.py": b"print(1)\r\nprint(2)\rprint(3)\n1/0",
    "form-feed.py": b"\x0c\nprint(1)\n\x0c\ndef f():\n\x0c    return 1 / 0\nf()\n",
    "no-newline.py": b"print(1)\n1/0",
    "no-newline-comment.py": b"print(1)\n1/0\n# end",
    "no-newline-indent.py": b"if 1:\n    print(1)\n    1/0\n    ",
    "vertical.py": "a = 'x\u2028y\x0bz\x1c'\nprint(ascii(a), a.splitlines())\n1/0\n",
    "normalized.py": "\ufb01 = 1\nprint(fi, '\u00b5' == '\u03bc', 'fi' in globals())\n1/0\n",
    "long-line.py": b"a = '" + b"x" * 100_000 + b"'; print(len(a)); 1/0\n",
    "many-lines.py": b"x = 1\n" * 5_000 + b"print(x); 1/0\n",
    "late-error.py": b"'''" + b"\n" * 70_000 + b"'''\n1/0\n",
    "continuation.py": b"print(1,\\\n  2)\nx = 1 \\\n  / 0\n",
    "shebang.py": b"#!/usr/bin/env -S python3 -u\nprint(__doc__)\n1/0\n",
    "annotations.py": b"from __future__ import annotations\ndef f(x: Unknown[1, 'a']): pass\n"
    b"y: Missing = 1\nprint(f.__annotations__, __annotations__, annotations)\n"
    b"exec('z: Other = 1')\n1/0\n",
    "futures.py": b"'doc'\nfrom __future__ import annotations, division\nimport sys\n"
    b"print(__doc__, sys._getframe().f_code.co_flags)\nprint(eval('1 / 2'))\n1/0\n",
}

_WITHOUT_ERROR: Mapping[str, str | bytes] = {
    "empty.py": b"",
    "newline.py": b"\n",
    "bom-only.py": b"\xef\xbb\xbf",
    "comments.py": b"# nothing\n# here",
    "docstring.py": b'"""Only that."""\n',
    "pass.py": b"pass",
    "spaces.py": b"   \n\t\n",
    "unused.py": b"def f():\n    '''Doc.'''\n",
}

CASES = [
    Case(
        "syntax-errors",
        {f"{name}.py": text for name, text in _BROKEN.items()},
        tuple(Run((f"{name}.py",), status=None, trace="any") for name in _BROKEN),
    ),
    Case(
        "syntax-by-version",
        {f"{name}.py": text for name, text in _PERHAPS_BROKEN.items()},
        tuple(
            Run((f"{name}.py", "argument"), status=None, trace="any") for name in _PERHAPS_BROKEN
        ),
    ),
    Case(
        "a-broken-source-runs-as-source",
        {"hook.py": "import os\nprint('never')\nif:\n"},
        (
            Run(status=1, shows="SyntaxError: invalid syntax", trace="source"),
            Run(("hook.py", "a"), ("-W", "error", "-u", "-X", "dev"), status=1, trace="source"),
            Run(("./hook.py",), status=1, trace="source", stdin=None),
            Run(("{dir}/hook.py",), status=1, trace="source", stdout="pty"),
        ),
    ),
    Case(
        "compile-time-warnings",
        {"hook.py": _WARNS},
        tuple(Run(flags=flags, env=env, status=None, trace="any") for flags, env in _WARN_FLAGS),
    ),
    Case(
        "compile-time-warnings-again-at-run-time",
        {"hook.py": _WARNS},
        (
            Run(("hook.py", "again"), shows="at run time", trace="any", pypy=False),
            Run(("hook.py", "again"), ("-W", "once"), shows="at run time", trace="any", pypy=False),
            Run(("hook.py", "again"), ("-X", "dev"), shows="at run time", trace="any", pypy=False),
        ),
    ),
    Case(
        "kinds-of-compile-time-warnings",
        _WARNS_ONE,
        tuple(
            run
            for name in _WARNS_ONE
            for run in (
                Run((name,), status=None, trace="any" if "broken" in name else "warns"),
                Run((name,), ("-W", "error"), status=None, trace="any"),
            )
        ),
    ),
    Case(
        "encodings",
        _ENCODED,
        tuple(Run((name,), status=1, trace="entry") for name in _ENCODED),
    ),
    Case(
        "hardly-any-source",
        _WITHOUT_ERROR,
        tuple(Run((name,)) for name in _WITHOUT_ERROR),
    ),
]
