"""What few launches need: to compile, store, record, trace, warn, or step aside.

``launcher.py`` executes ``store.py`` and this file in its own namespace on the first need, and
``uv.py`` for ``uv run``.
"""

import _imp
import _warnings
import builtins
import marshal
import posix
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Callable, Dict, NoReturn, Tuple, Type, Union

    from hooks_compile.runtime.entry import AS_PYTHON, NO_NOTES, pack, require_text
    from hooks_compile.runtime.store import CREATE, store

    RUNTIME: str
    UV: bytes  # from prepare.py: uv.py, marshalled

_LOG_LIMIT = 1 << 20
_FILE_NAMES = (sys.getfilesystemencoding(), "surrogateescape")


def load_uv() -> "Dict[str, Any]":
    """Return the functions of ``uv.py``, by name."""
    if "enter_uv" not in globals():  # else it came from its source
        exec(marshal.loads(UV), globals())
    return globals()


def compile_and_store(
    key: bytes, source: bytes, file: str, prefix: str, suffix: str
) -> "Tuple[CodeType, str]":
    """Return the code of ``source``, and why it can't be found next time ("" where it can).

    It is compiled as Python itself would at this launch, so that it is right whatever the source
    does; sync may find that a higher level is as good. Raises whatever ``compile`` raises.
    """
    code = compile_without_warning(source, file)
    if "no_debug_ranges" in sys._xoptions or b"PYTHONNODEBUGRANGES" in posix.environ:
        return code, "; it is not stored, because it tells no columns"
    folder_path, _, stem = prefix.rpartition("/")
    try:
        store(folder_path, f"{stem}0{suffix}", pack(key, 0, AS_PYTHON, code, NO_NOTES, source))
    except OSError as error:
        return code, f"; it can't be stored: {error.strerror}"
    return code, ""


def compile_without_warning(source: bytes, file: str) -> "CodeType":
    """Return the code of ``source``; raises whatever ``compile`` raises, and for every warning.

    Python shows a compile-time warning at each launch, and an entry made here would not know it.
    """
    filters = getattr(sys.modules.get("warnings", _warnings), "filters", [])
    filters.insert(0, ("error", None, Warning, None, 0))
    changed()
    try:
        require_text(source)
        return compile(source, file, "exec", 0, True, 0)
    finally:
        del filters[0]
        changed()


def changed() -> None:
    """Tell the interpreter that its warning filters are others now; 3.14 wants its lock held."""
    if sys.version_info < (3, 14):
        _warnings._filters_mutated()  # type: ignore[attr-defined] # typeshed lacks it
    else:
        _warnings._acquire_lock()
        _warnings._filters_mutated_lock_held()
        _warnings._release_lock()


def record(reason: str, path: str) -> None:
    """Note a fallback, and the interpreter that runs hooks in this folder: for ``status`` and sync.

    Where the runtime folder can't be written, the launch is all that counts.
    """
    try:
        line = f"{time.time():.0f}\t{sys.implementation.cache_tag}\t{reason}\t{path!r}\n"
        append(RUNTIME + "fallbacks.log", line, _LOG_LIMIT)
        known = f"{sys.executable}\0{path.rpartition('/')[0]}".encode(*_FILE_NAMES)
        file = posix.open(f"{RUNTIME}seen/{_imp.source_hash(0, known).hex()}", CREATE, 0o600)
        posix.write(file, known)
        posix.close(file)
    except OSError:
        return


def become_python() -> "NoReturn":
    """Replace the process by the Python that it would have been without the launcher."""
    if hasattr(sys, "orig_argv"):
        words = list(sys.orig_argv)
    else:
        try:
            with open("/proc/self/cmdline", "rb") as file:
                words = [word.decode(*_FILE_NAMES) for word in file.read().split(b"\0")[:-1]]
        except OSError:  # no Linux
            from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined] # noqa: PLC0415 - slow, rare

            words = [sys.executable, *_args_from_interpreter_flags(), *sys.argv]
    words[words.index(sys.argv[0]) :] = sys.argv[1:]
    posix.execv(sys.executable, words)


def without_first_frame(excepthook: "Callable[..., object]") -> "Callable[..., object]":
    """Wrap ``sys.excepthook`` for Pythons that go on raising with the traceback that they had."""

    def trimmed(kind: "Type[BaseException]", error: BaseException, traceback: "Any") -> None:
        sys.excepthook = excepthook
        error.__traceback__ = sys.last_traceback = traceback.tb_next
        excepthook(kind, error, traceback.tb_next)

    return trimmed


def warn(warnings: "Any", file: str) -> None:
    """Give the warnings that Python gives while it compiles, as its filters say at this launch.

    Raises ValueError where an option could turn one into an error: compiling has to show that.
    """
    if sys.warnoptions:
        raise ValueError("compile-time warnings under -W")
    for category, message, line in warnings:
        _warnings.warn_explicit(message, getattr(builtins, category), file, line)


def append(path: "Union[str, bytes]", line: str, limit: int) -> None:
    """Add ``line`` to the file with one write, unless it holds ``limit`` bytes. Raises OSError."""
    file = posix.open(path, posix.O_WRONLY | posix.O_APPEND | posix.O_CREAT, 0o600)
    try:
        if posix.fstat(file).st_size < limit:
            posix.write(file, line.encode("utf-8", "backslashreplace"))
    finally:
        posix.close(file)


def trace(state: str, reason: str, script: str) -> None:
    """Tell the file that HOOKS_COMPILE_TRACE names, if it does, how this launch went."""
    path = posix.environ.get(b"HOOKS_COMPILE_TRACE", b"")
    if path:
        script = script.replace("\n", "\\n")  # one launch, one line
        line = f"{state}\t{' '.join(reason.split())}\t{script}\n"
        try:
            append(path, line, sys.maxsize)
        except OSError:
            return  # it tells of the launch, and is no part of it


def pypy_folder(file: str) -> str:
    """Return what PyPy searches for modules first: it follows one symlink, and none in folders."""
    if posix.lstat(file).st_mode & 0o170000 == 0o120000:
        above = file[: file.rfind("/")]
        file = sys.modules["posixpath"].join(above, posix.readlink(file))
        file = sys.modules["posixpath"].abspath(file)
    return file[: file.rfind("/")] or "/"
