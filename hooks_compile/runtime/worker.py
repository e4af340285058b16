"""Checks and compiles sources in the interpreter that will run them.

The tool imports this module where its own interpreter makes the same entries, and else runs it:
``PYTHON -I -S -B worker.py``. It then answers requests on stdin, each a length of 4 bytes
(little-endian) and as many bytes of marshalled ``(function's name, arguments)``, with its results
in the same form on stdout, until stdin ends. Python 3.8 syntax, standard library only.
"""

import marshal
import os
import sys
import warnings

if __name__ != "__main__":
    from hooks_compile.runtime import entry, notes, store
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import entry  # type: ignore[import-not-found,no-redef]
    import notes  # type: ignore[import-not-found,no-redef]
    import store  # type: ignore[import-not-found,no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Callable, Dict, List, Optional, Sequence, Tuple

    # kind, message, line, column, text
    Problem = Tuple[str, str, Optional[int], Optional[int], Optional[str]]
    # state, level, who chose it or why it is not fresh, the entry's name
    Finding = Tuple[str, int, str, str]
    # the path, the source, its level, who chose it
    Job = Tuple[str, bytes, int, str]
    # state, the entry's name, detail, problem
    Outcome = Tuple[str, str, str, Optional[Problem]]

# The marshal format that every Python reads.
_PLAIN = 2
_LARGEST = 1 << 26
_CACHE_TAG = sys.implementation.cache_tag


def read(path: str) -> bytes:
    """Return the bytes of a file. Raises OSError; ValueError for what is no regular file."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(file)
        if status.st_mode & 0o170000 != 0o100000 or status.st_size > _LARGEST:
            raise ValueError("not a regular file, or larger than 64 MiB")
        data = os.read(file, status.st_size + 1)
        while len(data) != status.st_size:  # it changes while we read, or comes in parts
            more = os.read(file, 1 << 16)
            if not more:
                break
            data += more
        return data
    finally:
        os.close(file)


def check(key: bytes, paths: "Sequence[str]") -> "List[Finding]":
    """Tell for each path what the launcher would find.

    ``("fresh", level, who chose the level, name)``, ``("missing", 0, "", "")``,
    ``("damaged", level, why, name)`` or ``("unreadable", 0, why, "")``.
    """
    return [_check(key, path) for path in paths]


def _check(key: bytes, path: str) -> "Finding":
    try:
        source = read(path)
    except (OSError, ValueError) as error:
        return "unreadable", 0, str(error), ""
    folder, _, name = path.rpartition("/")
    prefix = entry.entry_prefix(name, _CACHE_TAG)
    suffix = entry.entry_suffix(key, source)
    finding = "missing", 0, "", ""
    for level in (2, 1, 0):
        entry_name = f"{prefix}{level}{suffix}"
        try:
            data = read(f"{folder}/{entry.FOLDER}/{entry_name}")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            finding = "damaged", level, str(error), entry_name
            continue
        if entry.verifies(key, level, data, source):
            return "fresh", level, entry.choice_of(data).decode(), entry_name
        why = "it does not verify: made with another key, or damaged"
        finding = "damaged", level, why, entry_name
    return finding


def compile_all(key: bytes, jobs: "Sequence[Job]", write: bool) -> "List[Outcome]":
    """Compile each job, and store the entry if ``write``.

    States are ``compiled``, ``broken`` (with the problem) and ``unwritable`` (detail says why).
    Entries of the same content at other levels are removed: the launcher would take the highest.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return [_compile(key, job, write, caught) for job in jobs]


def _compile(key: bytes, job: "Job", write: bool, caught: "List[Any]") -> "Outcome":
    path, source, level, choice = job
    folder, _, name = path.rpartition("/")
    prefix = entry.entry_prefix(name, _CACHE_TAG)
    suffix = entry.entry_suffix(key, source)
    entry_name = f"{prefix}{level}{suffix}"
    try:
        code, warned = compile_recording_warnings(source, name, level, caught)
    except Exception as error:  # whatever compile raises, Python would show at the launch
        return "broken", "", "", problem_of(error)
    if write:
        place = f"{folder}/{entry.FOLDER}"
        noted = (warned, *notes.noted(code))
        data = entry.pack(key, level, choice.encode(), code, noted, source)
        try:
            store.store(place, entry_name, data)
            for other in {0, 1, 2} - {level}:
                _remove(f"{place}/{prefix}{other}{suffix}")
        except OSError as error:
            return "unwritable", "", error.strerror or str(error), None
    return "compiled", entry_name, "", None


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def compile_modules(key: bytes, paths: "Sequence[str]", write: bool) -> "List[Outcome]":
    """Bring the ``.pyc`` files of modules up to date: in ``__pycache__``, checked by hash.

    They carry our trailer too, which Python ignores, so that a ``.pyc`` which came with a clone is
    known and replaced. States are ``fresh``, ``compiled``, ``missing`` (when not ``write``),
    ``broken``, ``unreadable`` and ``unwritable``.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return [_compile_module(key, path, write, caught) for path in paths]


def _compile_module(key: bytes, path: str, write: bool, caught: "List[Any]") -> "Outcome":
    folder, _, name = path.rpartition("/")
    cached = f"{name[:-3]}.{_CACHE_TAG}.pyc"
    try:
        source = read(path)
    except (OSError, ValueError) as error:
        return "unreadable", "", str(error), None
    try:
        if entry.verifies(key, 0, read(f"{folder}/__pycache__/{cached}"), source):
            return "fresh", cached, "", None
    except (OSError, ValueError):
        pass  # missing or unusable: made anew below
    try:
        code, warned = compile_recording_warnings(source, path, 0, caught)
    except Exception as error:  # as above
        return "broken", "", "", problem_of(error)
    if not write:
        return "missing", "", "", None
    data = entry.pack(key, 0, entry.AS_PYTHON, code, (warned, (), {}), source)
    try:
        store.store(f"{folder}/__pycache__", cached, data, markers=False)
    except OSError as error:
        return "unwritable", "", error.strerror or str(error), None
    return "compiled", cached, "", None


def compile_recording_warnings(
    source: bytes, filename: str, level: int, caught: "List[Any]"
) -> "Tuple[Any, entry.Warnings]":
    """Return the code, and the warnings that Python gives whenever it compiles ``source``.

    ``caught`` is the list in which all warnings are being recorded.
    """
    del caught[:]
    entry.require_text(source)
    code = compile(source, filename, "exec", 0, True, level)
    return code, tuple([(w.category.__name__, str(w.message), w.lineno) for w in caught])


def problem_of(error: BaseException) -> "Problem":
    """Return what a person needs to find a source's mistake."""
    kind = type(error).__name__
    if isinstance(error, SyntaxError):
        text = error.text if isinstance(error.text, str) else None
        return kind, error.msg, error.lineno, error.offset, text
    return kind, str(error) or kind, None, None, None


def serve(requests: "BinaryIO", replies: "BinaryIO") -> None:
    """Answer requests until there are no more."""
    functions: Dict[str, Callable[..., Any]] = {
        "check": check,
        "compile_all": compile_all,
        "compile_modules": compile_modules,
    }
    while True:
        size = requests.read(4)
        if len(size) < 4:
            return
        name, arguments = marshal.loads(requests.read(int.from_bytes(size, "little")))
        reply = marshal.dumps(functions[name](*arguments), _PLAIN)
        replies.write(len(reply).to_bytes(4, "little") + reply)
        replies.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # all is written, and taking the interpreter down would take 4 ms
