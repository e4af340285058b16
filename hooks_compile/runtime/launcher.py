"""The launcher: decides which code a launch runs, and makes ``__main__`` what it would have been.

``start.py`` executes this file, ``entry.py`` and ``leave.py``, compiled as one by ``prepare.py``,
in a namespace of their own. Nothing is imported here that the bare interpreter has not loaded, and
nothing but the hook and Python itself writes to stdout or stderr.
"""

import _imp
import marshal
import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any, Callable, Dict, List, NoReturn, Optional, Tuple

    from hooks_compile.runtime.entry import (
        DEFERRED,
        FOLDER,
        NO_NOTES,
        Notes,
        entry_prefix,
        entry_suffix,
        imports_of,
        unpack,
        verifies,
    )
    from hooks_compile.runtime.leave import (
        acts_at_end,
        can_go_ahead,
        can_leave,
        flush,
        is_plain,
        knows_modules,
        leave,
        tells,
    )

    # From start.py: the collector, and whether it is to be at work in the hook.
    GC: Optional[ModuleType]
    COLLECTS: bool
    # From prepare.py: what makes imports ahead, marshalled; the file with what few launches need.
    AHEAD: bytes
    REST: str
    REST_HASH: bytes
    BUILD: str

# What puts imports off, of lazy.py, where the entry asks for it.
WAITING: "List[Any]" = []
# What launch.py leaves in __main__.
_NAMES = (
    *("_data", "_file", "_hash", "_imp", "_launch", "_scope", "_user", "marshal", "posix", "sys"),
)
# The runtime folder, with a slash behind it.
RUNTIME = sys.argv[0][:-9]
_FUNCTION: "Any" = type(lambda: None)
_NONE = type(None)
_CPYTHON = sys.implementation.name == "cpython"
_TRACED = b"HOOKS_COMPILE_TRACE" in posix.environ
# The folder of the standard library, of which the bare interpreter has loaded the encodings.
STDLIB = (getattr(sys.modules["encodings"], "__file__", None) or "//").rsplit("/", 2)[0]
# A larger file is neither a hook nor an entry: plain Python may have it.
_LARGEST = 1 << 26
# A FIFO in the place of an entry must keep nobody waiting.
_READ = posix.O_RDONLY | posix.O_NONBLOCK


class Launch:
    """One launch, and the two contexts, one in the other, that ``launch.py`` runs the hook in."""

    __slots__ = ("ahead", "code", "gc", "namespace", "notes", "raised", "status", "within")

    if TYPE_CHECKING:
        ahead: bool
        code: CodeType
        gc: Optional[ModuleType]  # if Python may be spared the end of the process
        namespace: Dict[str, Any]
        notes: Notes
        raised: bool
        status: Optional[int]
        within: bool

    def __init__(self, namespace: "Dict[str, Any]") -> None:
        """Find or compile the code, and restore ``namespace``, the globals of ``__main__``.

        Where plain Python has to do it, the process becomes plain Python: this does not return.
        """
        try:
            if sys.argv[1].startswith("--uv="):
                load_rest()["load_uv"]()["enter_uv"]()
            script = sys.argv[1]
            path = real_path(script)
            source = read_source(script)
            file = file_of(script)
            self.code, self.notes = find_code(script, path, file, source)
        except Exception as error:
            step_aside(error)
        restore_main(namespace, script, path, file)
        if type(namespace.get("_file")) is int:  # else prepare.py has made this launcher
            posix.close(namespace["_file"])
        self.namespace = namespace
        known = knows_modules()
        self.ahead = can_go_ahead(source, known)
        self.gc = GC if self.ahead and can_leave(known) else None
        self.status = None
        self.raised = False
        self.within = True

    def __enter__(self) -> "Launch":
        """Return this, for both contexts."""
        return self

    def __call__(self) -> "Callable[[], object]":
        """Take our names out of ``__main__``, and return the hook's code as a function."""
        for name in _NAMES:
            self.namespace.pop(name, None)
        _, imports, patterns = self.notes
        if self.ahead and GC:
            if imports:
                load_ahead()["import_ahead"](imports, patterns)
            GC.freeze()
            if not (self.gc or WAITING):
                GC.unfreeze()  # it is Python that takes all of it apart: now as objects of old
            if patterns:
                load_ahead()["offer"](patterns)
        if COLLECTS and GC:
            GC.enable()
        return _FUNCTION(self.code, self.namespace)  # type: ignore[no-any-return]

    def __exit__(self, _: object, error: "Any", traceback: "Any") -> bool:
        """End the process, if that is all that is left to do; else let through what was raised.

        A hook that exits by an exception holds its variables until the inner context is left, so
        that it is the outer one that ends the process.
        """
        if self.within:
            self.within = False
            if self.gc and type(error) in (_NONE, SystemExit) and is_plain():
                self.status = status_of(error)
            if self.status is not None:
                flush()  # before variables vanish, which may show something
                self.raised = error is not None
                return True
            if error is not None:
                take_off_first_frame(error, traceback)
            return False
        if self.status is not None and self.gc:
            leave(self.status, self.gc)
        if WAITING and GC and acts_at_end(GC.get_objects()):
            WAITING[0].execute_all()  # what acts then can't import any more
        if GC and (self.gc or WAITING):
            GC.unfreeze()
        if self.raised:
            raise SystemExit(self.status)
        return False


def take_off_first_frame(error: "Any", traceback: "Any") -> None:
    """Let what the hook raised be shown without the frame of launch.py."""
    if sys.version_info >= (3, 11):
        # The interpreter goes on raising with the traceback that it finds in the exception.
        error.__traceback__ = traceback.tb_next
    elif not isinstance(error, SystemExit) and hasattr(sys, "excepthook"):
        sys.excepthook = load_rest()["without_first_frame"](sys.excepthook)


def status_of(error: "Optional[BaseException]") -> "Optional[int]":
    """Return the exit status that Python gives to a hook that ends so; None where it shows more."""
    if error is None:
        return 0
    if type(error) is SystemExit:
        code = 0 if error.code is None else error.code
        if type(code) in (int, bool) and code in range(256):
            return int(code)
    return None


def collector() -> "ModuleType":
    """Return ``gc``, which is built in; an import would leave it in ``sys.modules``."""
    known = "gc" in sys.modules
    gc: "ModuleType" = _imp.create_builtin(type(sys.__spec__)("gc", None))
    _imp.exec_builtin(gc)
    if not known:
        sys.modules.pop("gc", None)  # Pythons before 3.10 put it there
    return gc


def find_code(script: str, path: str, file: str, source: bytes) -> "Tuple[CodeType, Notes]":
    """Return the code of ``source`` and what its entry notes: from there, or compiled and stored.

    ``path`` is the script's real path, ``file`` its :func:`file_of`. Raises OSError, ValueError,
    SyntaxError and whatever else ``compile`` raises: all that plain Python has to deal with.
    """
    key = read_key()
    cut = path.rfind("/") + 1
    prefix = path[:cut] + FOLDER + "/" + entry_prefix(path[cut:], sys.implementation.cache_tag)
    suffix = entry_suffix(key, source)
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
            code, notes = unpack(data)
            if notes[0]:
                load_rest()["warn"](notes[0], file)
            _imp._fix_co_filename(code, file)  # type: ignore[attr-defined] # typeshed lacks it
            if imports_of(data) == DEFERRED:
                code = load_ahead()["ready_to_defer"](code, {} if tells(source) else notes[2])
            if _TRACED:
                load_rest()["trace"]("hit", f"level {level}", script)
            return code, notes
        reason = "the entry does not verify"
    code, stored = load_rest()["compile_and_store"](key, source, file, prefix, suffix)
    load_rest()["record"](reason, path)
    load_rest()["trace"]("miss", reason + stored, script)
    return code, NO_NOTES


def read_source(script: str) -> bytes:
    """Return the bytes of ``script`` as it is now.

    Raises OSError; ValueError for a script or an interpreter whose code is not to be kept.
    """
    if script.endswith(".pyc") or sys.flags.optimize:
        raise ValueError("entries are for sources, and for Python without -O")
    if getattr(sys.flags, "int_max_str_digits", -1) not in (-1, 4300):
        raise ValueError("another int_max_str_digits may change which numbers compile")
    if posix.stat(script).st_mode & 0o170000 != 0o100000:
        raise ValueError("not a file")  # opening a FIFO would take what Python has to read
    return read(script)  # as typed: "hook.py/" is no file


def read_key() -> bytes:
    """Return the key. Raises OSError, ValueError where it is not this user's alone, or damaged."""
    status = posix.stat(RUNTIME)
    if status.st_uid != posix.geteuid() or status.st_mode & 0o77:
        raise PermissionError("the runtime folder is not this user's alone")
    key = read(RUNTIME + "key", private=True)
    if len(key) != 16:
        raise ValueError("the key of the runtime folder is damaged")
    return key


def load_ahead() -> "Dict[str, Any]":
    """Return the functions of ``ahead.py``, by name."""
    if "import_ahead" not in globals():
        exec(marshal.loads(AHEAD), globals())
    return globals()


def load_rest() -> "Dict[str, Any]":
    """Return the functions of ``store.py`` and ``miss.py``, by name. Raises OSError."""
    if "become_python" not in globals():
        data = kept(REST, REST_HASH)
        if data:
            exec(marshal.loads(data), globals())
        else:
            for part in ("entry", "store", "miss", "uv"):
                exec(read(f"{RUNTIME}{BUILD}.{part}.py", private=True), globals())
    return globals()


def kept(name: str, digest: bytes) -> bytes:
    """Return what ``prepare.py`` has made for few launches, b"" where it is lost or damaged."""
    try:
        data = read(RUNTIME + name, private=True)
    except (OSError, ValueError):
        return b""
    return data if _imp.source_hash(sys.hexversion, data) == digest else b""


def step_aside(error: BaseException) -> "NoReturn":
    """Become plain Python, for which ``error`` is the reason."""
    try:
        rest = load_rest()
        rest["trace"]("source", f"{type(error).__name__}: {error}", sys.argv[1])
        become_python: Callable[[], NoReturn] = rest["become_python"]
        become_python()
    except OSError:  # being removed: as if we were not there
        words = list(getattr(sys, "orig_argv", [sys.executable, *sys.argv]))
        words.remove(sys.argv[0])
        if sys.argv[1].startswith("--uv="):
            posix.execv("/bin/sh", ["sh", "-c", 'exec "$0" run "$@"', *sys.argv[2:]])
        posix.execv(sys.executable, words)


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


def restore_main(namespace: "Dict[str, Any]", script: str, path: str, file: str) -> None:
    """Make ``__main__`` and ``sys`` what they would be, had Python been given the script alone.

    ``path`` is the script's real path, ``file`` its :func:`file_of`. What is done here is what
    CPython's ``Modules/main.c`` and ``Python/pythonrun.c`` do before the first line runs.
    """
    launcher = sys.argv.pop(0)
    namespace["__file__"] = file
    namespace["__loader__"] = type(namespace["__loader__"])(
        "__main__", file if _CPYTHON else script
    )
    if hasattr(sys, "orig_argv"):
        sys.orig_argv.remove(launcher)
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = (
            path[: path.rfind("/")] or "/" if _CPYTHON else load_rest()["pypy_folder"](file)
        )
    if launcher in sys.path_importer_cache:
        sys.path_importer_cache[file] = sys.path_importer_cache.pop(launcher)
    # The frame of launch.py counts, and a RecursionError tells how many there were.
    if _CPYTHON:
        sys.setrecursionlimit(sys.getrecursionlimit() + 1)
