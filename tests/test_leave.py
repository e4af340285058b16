"""A launch ends early where nobody can tell, and only there; each way it shows what Python shows.

By default each hook meets the oldest CPython, the newest and our own; ``HOOKS_COMPILE_SOAK=1`` lets
it meet all of them.
"""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests import interpreters_found
from tests.ends import ENDS, LEAVES, End
from tests.launches import FOLDER, SOAK, User
from tests.repositories import write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.interpreters_found import Found

# Without site: what this machine puts there may be what nobody knows.
_FLAGS = ("-S",)
_PYTHON_ENDED = b"[Python ended the process]"
# The last lines of launch.py, which tell when they are left by other ways than the process's end.
_LAST = "with _scope["
_TELLING = """\
try:
    {}
finally:
    __import__("posix").write(2, {!r})
"""
_ADDRESS = re.compile(rb"0x[0-9a-fA-F]{6,}|(?<=object refcount : )\d+")
_RANDOM_NAME = re.compile(r"^t[a-z0-9_]{8}$")


def some_interpreters() -> list[Found]:
    """The interpreters that these tests run hooks under."""
    all_of_them = [found for found in interpreters_found.found() if found.is_cpython]
    ours = [found for found in all_of_them if found.version[:2] == sys.version_info[:2]]
    if SOAK:
        return all_of_them
    few = {found.version: found for found in (all_of_them[0], *ours, all_of_them[-1])}
    return list(few.values())


each_of_some = pytest.mark.parametrize(
    "interpreter", some_interpreters(), ids=lambda found: found.name, scope="module"
)
each_end = pytest.mark.parametrize("name", [*LEAVES, *ENDS])


@pytest.fixture(scope="module")
def user(interpreter: Found, tmp_path_factory: pytest.TempPathFactory) -> User:
    """Somebody whose hooks run under the interpreter."""
    return User.create(tmp_path_factory.mktemp("user"), interpreter)


@pytest.fixture(scope="module")
def witness(interpreter: Found, tmp_path_factory: pytest.TempPathFactory) -> User:
    """Somebody whose launches tell on stderr when Python has to end the process."""
    user = User.create(tmp_path_factory.mktemp("witness"), interpreter)
    launch = user.runtime / "launch.py"
    head, last, tail = launch.read_text().partition(_LAST)
    lines = "\n    ".join((last + tail).splitlines())
    launch.write_text(head + _TELLING.format(lines, _PYTHON_ENDED))
    return user


def end_of(name: str, interpreter: Found) -> End:
    """The hook with this name; the test is skipped where it can't run."""
    end = LEAVES.get(name) or ENDS[name]
    if interpreter.version < end.minimum:
        pytest.skip(f"needs Python {end.minimum}")
    return end


def laid(folder: Path, end: End) -> Path:
    """The hook, in a fresh folder with all that lies beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in end.files.items():
        write(folder / name, text)
    return write(folder / "hook.py", end.source)


def files_in(folder: Path, end: End) -> dict[str, bytes]:
    """What the hook has written, by name, and gone are the files; a random name is masked."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name not in ("hook.py", "__pycache__", FOLDER) and path.name not in end.files:
            name = _RANDOM_NAME.sub("random", path.name)
            if path.is_file():
                found[name] = path.read_bytes()
                path.unlink()
            elif not any(file.startswith(f"{path.name}/") for file in end.files):
                found[name] = b"a folder"
    return found


def differences(
    user: User, end: End, folder: Path, flags: Sequence[str] = _FLAGS
) -> list[tuple[str, object, object]]:
    """Launch it in each state, and return what differs: (how, of the source, of the launch).

    The second launch and its source have stdout and stderr in one pipe, as their order may differ.
    Python 3.8 keeps stderr back: there it may differ in a way that is of no use to anybody.
    """

    def shown(words: Sequence[str], together: bool) -> tuple[str, object]:
        shell = ["sh", "-c", 'exec "$@" 2>&1', "sh"] if together else []
        done = user.run([*shell, user.python, *flags, *words, str(hook)], cwd=folder, stdin=b"[]")
        stdout, stderr = (_ADDRESS.sub(b"0xADDRESS", each) for each in (done.stdout, done.stderr))
        return done.state, (done.status, stdout, stderr, files_in(folder, end))

    hook = laid(folder, end)
    found = []
    expected = {False: shown([], False)[1]}
    expected[True] = shown([], True)[1] if user.interpreter.version >= (3, 9) else None
    for how in ("miss", "hit", "compiled"):
        if how == "compiled":
            user.compile(hook)
        together = how == "hit" and expected[True] is not None
        state, got = shown([str(user.runtime / "launch.py")], together)
        assert state == ("miss" if how == "miss" else "hit")
        if got != expected[together]:
            found.append((how, expected[together], got))
    return found


@each_of_some
@each_end
def test_a_hook_shows_what_its_source_shows(
    name: str, interpreter: Found, user: User, tmp_path: Path
) -> None:
    end = end_of(name, interpreter)
    assert not differences(user, end, tmp_path / "work")


@each_of_some
@each_end
def test_the_process_ends_early_where_nobody_can_tell(
    name: str, interpreter: Found, witness: User, tmp_path: Path
) -> None:
    end = end_of(name, interpreter)
    hook = laid(tmp_path / "work", end)
    done = witness.launch(hook, flags=_FLAGS, cwd=hook.parent)
    assert (_PYTHON_ENDED in done.stderr) == (name in ENDS), done
