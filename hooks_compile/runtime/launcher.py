"""The launcher: decides which code a launch runs, and makes ``__main__`` what it would have been.

``launch.py`` executes ``entry.py`` and this file, compiled as one by ``prepare.py``, in a namespace
of their own. Nothing is imported here that the bare interpreter has not loaded, and nothing but the
hook and Python itself writes to stdout or stderr.
"""

import _imp
import _warnings
import builtins
import marshal
import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType
    from typing import Any, Callable, Dict, Optional, Type, Union

    from hooks_compile.runtime.entry import FOLDER, entry_prefix, entry_suffix, unpack, verifies

    REST: bytes
    UV: bytes

# What launch.py leaves in __main__.
_NAMES = ("_data", "_file", "_imp", "_launch", "_scope", "marshal", "posix", "sys")
# The runtime folder, with a slash behind it.
RUNTIME = sys.argv[0][:-9]
_FUNCTION: "Any" = type(lambda: None)
_CPYTHON = sys.implementation.name == "cpython"
# A larger file is neither a hook nor an entry: plain Python may have it.
_LARGEST = 1 << 26
# A FIFO in the place of an entry must keep nobody waiting.
_READ = posix.O_RDONLY | posix.O_NONBLOCK


class Launch:
    """One launch, and the context that the hook runs in; ``launch.py`` is its only user."""

    __slots__ = ("function", "namespace")

    if TYPE_CHECKING:
        function: Callable[[], object]
        namespace: Dict[str, Any]

    def __init__(self, namespace: "Dict[str, Any]") -> None:
        """Find or compile the code, and restore ``namespace``, the globals of ``__main__``.

        Where plain Python has to do it, the process becomes plain Python: this does not return.
        """
        if sys.argv[1].startswith("--uv="):
            exec(marshal.loads(UV), globals())
            globals()["enter_uv"]()
        script = sys.argv[1]
        try:
            path = real_path(script)
            code = find_code(script, path)
        except Exception as error:
            trace("source", f"{type(error).__name__}: {error}", script)
            load_rest()["become_python"]()
        restore_main(namespace, script, path)
        self.namespace = namespace
        self.function = _FUNCTION(code, namespace)

    def __enter__(self) -> "Callable[[], Callable[[], object]]":
        """Return what takes our names out of ``__main__``, and returns the hook."""
        return self.take

    def take(self) -> "Callable[[], object]":
        """Return the hook's code as a function without arguments."""
        for name in _NAMES:
            self.namespace.pop(name, None)
        return self.function

    def __exit__(
        self,
        kind: "Optional[Type[BaseException]]",
        error: "Optional[BaseException]",
        traceback: "Optional[TracebackType]",
    ) -> None:
        """Take our own frame off the traceback of an exception that leaves the hook."""
        if error is None or traceback is None:
            return
        if sys.version_info >= (3, 11):
            # The interpreter goes on raising it with the traceback that it finds in the exception.
            error.__traceback__ = traceback.tb_next
        elif not isinstance(error, SystemExit) and hasattr(sys, "excepthook"):
            sys.excepthook = without_first_frame(sys.excepthook)


def without_first_frame(excepthook: "Callable[..., object]") -> "Callable[..., object]":
    """Wrap ``sys.excepthook`` for Pythons that go on raising with the traceback that they had."""

    def trimmed(kind: "Type[BaseException]", error: BaseException, traceback: "Any") -> None:
        sys.excepthook = excepthook
        error.__traceback__ = sys.last_traceback = traceback.tb_next
        excepthook(kind, error, traceback.tb_next)

    return trimmed


def find_code(script: str, path: str) -> "CodeType":
    """Return the code of ``script`` as it is now: from its entry, or compiled and stored.

    ``path`` is its real path. Raises OSError, ValueError, SyntaxError and whatever else ``compile``
    raises: all that plain Python has to deal with.
    """
    require_source(script)
    key = read_key()
    source = read(script)  # as typed: "hook.py/" is no file
    cut = path.rfind("/") + 1
    prefix = path[:cut] + FOLDER + "/" + entry_prefix(path[cut:], sys.implementation.cache_tag)
    suffix = entry_suffix(key, source)
    file = file_of(script)
    reason = "no entry"
    for level in (2, 1, 0):
        try:
            data = read(f"{prefix}{level}{suffix}")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            reason = f"unreadable entry: {error}"
            continue
        if verifies(key, level, data, source):
            code, warnings = unpack(data)
            if warnings:
                warn(warnings, file)
            _imp._fix_co_filename(code, file)  # type: ignore[attr-defined] # typeshed lacks it
            trace("hit", f"level {level}", script)
            return code
        reason = "the entry does not verify"
    code, stored = load_rest()["compile_and_store"](key, source, file, prefix, suffix)
    load_rest()["record"](reason, path)
    trace("miss", reason + stored, script)
    return code  # type: ignore[no-any-return] # miss.py is no import


def require_source(script: str) -> None:
    """Raise ValueError for a script or an interpreter whose code is not to be kept; OSError."""
    if script.endswith(".pyc") or sys.flags.optimize:
        raise ValueError("entries are for sources, and for Python without -O")
    if getattr(sys.flags, "int_max_str_digits", -1) not in (-1, 4300):
        raise ValueError("another int_max_str_digits may change which numbers compile")
    if posix.stat(script).st_mode & 0o170000 != 0o100000:
        raise ValueError("not a file")  # opening a FIFO would take what Python has to read


def read_key() -> bytes:
    """Return the key. Raises OSError, ValueError where it is not this user's alone, or damaged."""
    status = posix.stat(RUNTIME)
    if status.st_uid != posix.geteuid() or status.st_mode & 0o77:
        raise PermissionError("the runtime folder is not this user's alone")
    key = read(RUNTIME + "key", private=True)
    if len(key) != 16:
        raise ValueError("the key of the runtime folder is damaged")
    return key


def load_rest() -> "Dict[str, Any]":
    """Return the functions of ``store.py`` and ``miss.py``, by name."""
    if "become_python" not in globals():
        exec(marshal.loads(REST), globals())
    return globals()


def read(path: str, private: bool = False) -> bytes:
    """Return the bytes of a regular file. Raises OSError; ValueError for what is none.

    PermissionError is raised, too, for a ``private`` one that others may know or have written.
    """
    file = posix.open(path, _READ)
    try:
        status = posix.fstat(file)
        if private and (status.st_uid != posix.geteuid() or status.st_mode & 0o77):
            raise PermissionError(f"{path} is not this user's alone")
        if status.st_mode & 0o170000 != 0o100000 or status.st_size > _LARGEST:
            raise ValueError(f"not a regular file of less than {_LARGEST >> 20} MiB")
        data = posix.read(file, status.st_size + 1)
        if len(data) == status.st_size:
            return data
        parts = [data]  # it changes while we read, or comes in parts
        while len(parts) < 1024 and parts[-1]:
            parts.append(posix.read(file, 1 << 16))
        return b"".join(parts)
    finally:
        posix.close(file)


def warn(warnings: "Any", file: str) -> None:
    """Give the warnings that Python gives while it compiles, as its filters say at this launch.

    Raises ValueError where an option could turn one into an error: compiling has to show that.
    """
    if sys.warnoptions:
        raise ValueError("compile-time warnings under -W")
    for category, message, line in warnings:
        _warnings.warn_explicit(message, getattr(builtins, category), file, line)


def real_path(script: str) -> str:
    """Return the absolute path of ``script`` without symlinks, as realpath(3) does.

    Raises OSError where a part of it does not exist, or for a loop.
    """
    rest = script.split("/")[::-1]
    path = "" if script.startswith("/") else posix.getcwd()
    links = 0
    while rest:
        name = rest.pop()
        if name in ("", "."):
            continue
        if name == "..":
            path = path[: path.rfind("/")] if path else ""
            continue
        path = f"{path}/{name}"
        if posix.lstat(path).st_mode & 0o170000 == 0o120000:
            links += 1
            if links > 40:
                raise OSError(40, "too many levels of symbolic links", script)
            target = posix.readlink(path)
            path = "" if target.startswith("/") else path[: path.rfind("/")]
            rest += target.split("/")[::-1]
    return path


def file_of(script: str) -> str:
    """Return the file that code and tracebacks name, ``__file__``: absolute since 3.9."""
    if not _CPYTHON:
        return sys.modules["posixpath"].abspath(script)  # type: ignore[no-any-return]
    if script.startswith("/") or sys.version_info < (3, 9):
        return script
    return f"{posix.getcwd()}/{script}"


def restore_main(namespace: "Dict[str, Any]", script: str, path: str) -> None:
    """Make ``__main__`` and ``sys`` what they would be, had Python been given the script alone.

    ``path`` is the script's real path. What is done here is what CPython's ``Modules/main.c`` and
    ``Python/pythonrun.c`` do before the first line runs.
    """
    file = file_of(script)
    launcher = sys.argv.pop(0)
    namespace["__file__"] = file
    namespace["__loader__"] = type(namespace["__loader__"])(
        "__main__", file if _CPYTHON else script
    )
    if hasattr(sys, "orig_argv"):
        sys.orig_argv.remove(launcher)
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = folder_of(file, path)
    if launcher in sys.path_importer_cache:
        sys.path_importer_cache[file] = sys.path_importer_cache.pop(launcher)
    # The frame of launch.py counts, and a RecursionError tells how many there were.
    if _CPYTHON:
        sys.setrecursionlimit(sys.getrecursionlimit() + 1)


def folder_of(file: str, path: str) -> str:
    """Return what Python searches for modules first: the folder of the real path ``path``.

    PyPy follows one symlink at ``file``, and none in its folders.
    """
    if not _CPYTHON:
        path = file
        if posix.lstat(file).st_mode & 0o170000 == 0o120000:
            above = file[: file.rfind("/")]
            path = sys.modules["posixpath"].join(above, posix.readlink(file))
            path = sys.modules["posixpath"].abspath(path)
    return path[: path.rfind("/")] or "/"


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
