"""Compiles the launcher for an interpreter that runs it for the first time.

``launch.py`` executes this file when it finds no compiled launcher that is this user's own and
undamaged; afterwards the namespace holds what the compiled launcher would have put there.
"""

import _imp
import marshal
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Tuple

_BUILD = "@BUILD@"
# What is executed of the launcher: first of all, in each launch, and before what is made ahead,
# each marshalled in the one before it; where imports wait, and seldom, in files of their own, the
# last with what "uv run" needs in it.
_START, _HOT, _AHEAD = ("start",), ("entry", "leave", "launcher"), ("finder", "ahead")
_LAZY, _REST, _UV = ("lazy",), ("store", "miss"), ("uv",)
# What of _HOT belongs elsewhere.
_FIRST = ("collector",)
_COLD = ("pack", "require_text", "choice_of")
_FOLDER = sys.argv[0][:-9]
_NAME = f"launch.py.{_BUILD}.{sys.implementation.cache_tag}-{sys.hexversion:x}"


def compile_launcher() -> "Tuple[bytes, bytes, bytes]":
    """Return the launcher, marshalled: what each launch needs, and apart from it what few need, and
    those that defer imports.

    Raises OSError where a part is missing or the folder is not this user's alone; SyntaxError and
    ValueError for a damaged part.
    """
    status = posix.stat(_FOLDER)
    if status.st_uid != posix.geteuid() or status.st_mode & 0o77:
        raise PermissionError(_FOLDER)
    start, hot, ahead, rest, uv = map(parsed, (_START, _HOT, _AHEAD, _REST, _UV))
    move(_FIRST, hot, start)
    move(_COLD, hot, rest)
    define(rest, UV=marshalled(uv))
    cold = marshalled(rest)
    lazy = marshalled(parsed(_LAZY), "<hooks-compile>")
    define(ahead, LAZY=_NAME + ".lazy", LAZY_HASH=_imp.source_hash(sys.hexversion, lazy))
    define(hot, AHEAD=marshalled(ahead), BUILD=_BUILD, REST=_NAME + ".rest")
    define(hot, REST_HASH=_imp.source_hash(sys.hexversion, cold))
    define(start, LAUNCHER=marshalled(hot))
    return marshalled(start), cold, lazy


def parsed(names: "Tuple[str, ...]") -> "Any":
    """Return the syntax tree of parts without what is of no use to a launch. Raises OSError."""
    source = b""
    for name in names:
        with open(f"{_FOLDER}{_BUILD}.{name}.py", "rb") as file:
            source += file.read()
    return tree_of(source)


def tree_of(source: bytes) -> "Any":
    """Return the syntax tree of ``source`` without what is of no use to a launch."""
    tree: Any = compile(source, "launcher.py", "exec", 0x400, True)  # ast.PyCF_ONLY_AST
    strip(tree)
    return tree


def move(names: "Tuple[str, ...]", source: "Any", target: "Any") -> None:
    """Move functions from one syntax tree to the beginning of another."""
    moved = [node for node in source.body if getattr(node, "name", "") in names]
    source.body = [node for node in source.body if node not in moved]
    target.body[:0] = moved


def define(tree: "Any", **constants: "Any") -> None:
    """Let what ``tree`` does begin with the definition of constants."""
    for name, value in constants.items():
        tree.body[:0] = tree_of(f"{name} = {value!r}".encode()).body


def marshalled(tree: "Any", file: str = "launcher.py") -> bytes:
    """Return the code of a syntax tree; all that is felt in each launch is left out."""
    return marshal.dumps(bare(compile(tree, file, "exec", 0, True, 2)))


def strip(node: "Any") -> None:
    """Take annotations, and what is there for type checkers, off the syntax tree ``node``."""
    if hasattr(node, "returns"):
        node.returns = None
    if hasattr(node, "annotation") and hasattr(node, "arg"):
        node.annotation = None
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            value[:] = [child for child in value if not is_for_typing(child)]
        for child in value if isinstance(value, list) else [value]:
            if hasattr(child, "_fields"):
                strip(child)


def is_for_typing(node: "Any") -> bool:
    """Tell whether ``node`` is an ``if TYPE_CHECKING``."""
    return getattr(getattr(node, "test", None), "id", "") == "TYPE_CHECKING"


def bare(code: "CodeType") -> "CodeType":
    """Return ``code`` without line numbers and long names, which only tracebacks show."""
    kind = type(code)
    changes: Any = {
        "co_consts": tuple([bare(one) if type(one) is kind else one for one in code.co_consts]),
        "co_linetable" if sys.version_info >= (3, 10) else "co_lnotab": b"",
    }
    if sys.version_info >= (3, 11):
        changes["co_qualname"] = code.co_name
    return code.replace(**changes) if sys.implementation.name == "cpython" else code


def keep(name: str, data: bytes) -> None:
    """Write a part of it; where the folder can't be written, it is made anew each time."""
    draft = f"{_FOLDER}{name}.{posix.getpid()}.{time.time_ns()}"
    try:
        file = posix.open(draft, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL, 0o600)
    except OSError:
        return
    try:
        try:
            posix.write(file, data)
        finally:
            posix.close(file)
        posix.rename(draft, _FOLDER + name)
    except OSError:
        try:
            posix.unlink(draft)
        except FileNotFoundError:
            return  # an upgrade took it away: it was of the version before


try:
    _launcher, _rest, _lazy = compile_launcher()
except (OSError, ValueError, SyntaxError):
    # half installed, or open to others: as if we were not there
    _words = list(getattr(sys, "orig_argv", [sys.executable, *sys.argv]))
    _words.remove(sys.argv[0])
    if sys.argv[1].startswith("--uv="):
        posix.execv("/bin/sh", ["sh", "-c", 'exec "$0" run "$@"', *sys.argv[2:]])
    posix.execv(sys.executable, _words)
keep(_NAME + ".rest", _rest)
keep(_NAME + ".lazy", _lazy)
keep(_NAME, _imp.source_hash(sys.hexversion, _launcher) + _launcher)
exec(marshal.loads(_launcher), globals())
