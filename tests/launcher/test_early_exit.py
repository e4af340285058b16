"""A launch ends early where nobody can tell, and only there; each way it shows what Python shows.

In CI each hook meets the oldest CPython, the newest and our own, by default one of them.
"""

from __future__ import annotations

import functools
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ends import ENDS, LEAVES, End
from tests.support.interpreters_found import each_of_few, few, in_turn, newest
from tests.support.launches import CACHE_DIRECTORY, User
from tests.support.repositories import write
from tests.support.tiers import IS_SOAK as SOAK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.support.interpreters_found import Found

# Without site: what this machine puts there may be what nobody knows.
_FLAGS = ("-S",)
ENDED_BY_PYTHON = b"[Python ended the process]"
# The last lines of launch.py, which tell when they are left by other ways than the process's end.
_LAST = "with _launch"
_TELLING = """\
try:
    {}
finally:
    __import__("posix").write(2, {!r})
"""
_ADDRESS = re.compile(rb"0x[0-9a-fA-F]{6,}|(?<=object refcount : )\d+")
_RANDOM_NAME = re.compile(r"^t[a-z0-9_]{8}$")


def end_of(name: str) -> End:
    """The hook with this name."""
    return LEAVES.get(name) or ENDS[name]


each_end = pytest.mark.parametrize(
    ("name", "interpreter"),
    in_turn(
        [*LEAVES, *ENDS],
        few(),
        fits=lambda name, interpreter: interpreter.version >= end_of(name).minimum,
    ),
)


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Found], User]:
    """Somebody for each interpreter."""
    return functools.cache(lambda found: User.create(tmp_path_factory.mktemp("user"), found))


@pytest.fixture(scope="module")
def witnesses(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Found], User]:
    """The same for those whose launches tell on stderr when Python has to end the process."""
    return functools.cache(lambda found: telling_user(tmp_path_factory.mktemp("user"), found))


@pytest.fixture
def user(interpreter: Found, users: Callable[[Found], User]) -> User:
    """Somebody whose hooks run under the interpreter."""
    return users(interpreter)


@pytest.fixture
def witness(interpreter: Found, witnesses: Callable[[Found], User]) -> User:
    """Somebody whose launches tell on stderr when Python has to end the process."""
    return witnesses(interpreter)


def telling_user(directory: Path, interpreter: Found) -> User:
    """Make somebody whose launches write ENDED_BY_PYTHON to stderr if Python ends the process."""
    user = User.create(directory, interpreter)
    launch = user.runtime / "launch.py"
    head, last, tail = launch.read_text().partition(_LAST)
    lines = "\n    ".join((last + tail).splitlines())
    launch.write_text(head + _TELLING.format(lines, ENDED_BY_PYTHON))
    return user


def laid(directory: Path, end: End) -> Path:
    """The hook, in a fresh directory with all that lies beside it."""
    shutil.rmtree(directory, ignore_errors=True)
    for name, text in end.files.items():
        write(directory / name, text)
    return write(directory / "hook.py", end.source)


def files_in(directory: Path, end: End) -> dict[str, bytes]:
    """What the hook has written, by name, and gone are the files; a random name is masked."""
    found = {}
    for path in sorted(directory.iterdir()):
        if (
            path.name not in ("hook.py", "__pycache__", CACHE_DIRECTORY)
            and path.name not in end.files
        ):
            name = _RANDOM_NAME.sub("random", path.name)
            if path.is_file():
                found[name] = path.read_bytes()
                path.unlink()
            elif not any(file.startswith(f"{path.name}/") for file in end.files):
                found[name] = b"a directory"
    return found


def differences(
    user: User, end: End, directory: Path, flags: Sequence[str] = _FLAGS
) -> list[tuple[str, object, object]]:
    """Launch it in each state, and return what differs: (how, of the source, of the launch).

    The second launch and its source have stdout and stderr in one pipe, as their order may differ.
    Python 3.8 keeps stderr back: there it may differ in a way that is of no use to anybody.
    """

    def shown(words: Sequence[str], together: bool) -> tuple[str, object]:
        shell = ["sh", "-c", 'exec "$@" 2>&1', "sh"] if together else []
        done = user.run(
            [*shell, user.python, *flags, *words, str(hook)], cwd=directory, stdin=b"[]"
        )
        stdout, stderr = (_ADDRESS.sub(b"0xADDRESS", each) for each in (done.stdout, done.stderr))
        return done.state, (done.status, stdout, stderr, files_in(directory, end))

    hook = laid(directory, end)
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


@each_end
def test_a_hook_shows_what_its_source_shows(name: str, user: User, tmp_path: Path) -> None:
    assert not differences(user, end_of(name), tmp_path / "work")


@each_end
def test_the_process_ends_early_where_nobody_can_tell(
    name: str, witness: User, tmp_path: Path
) -> None:
    hook = laid(tmp_path / "work", end_of(name))
    done = witness.launch(hook, flags=_FLAGS, cwd=hook.parent)
    assert (ENDED_BY_PYTHON in done.stderr) == (name in ENDS), done


# Those that can stand before others in one hook: each still runs what comes behind it.
_LAST_ONES = (
    "exit",
    "error",
    "interrupt",
    "modules",
    "frames",
    "stdout",
    "stderr",
    "fork",
    "lazy",
    "logging",
)
_TOGETHER = sorted(
    name
    for name, end in {**LEAVES, **ENDS}.items()
    if not any(word in name for word in _LAST_ONES)
    and not end.files
    # What they print has no order: it is of a thread or another process, or a name made by chance.
    and name not in ("a thread", "a timer")
    and not any(word in end.source for word in ("popen", "tempfile"))
)


def closes_in_an_order(names: list[str]) -> bool:
    """Whether at most one file is left open. Python itself closes several in any order."""
    return sum("out.txt" in end_of(name).source for name in names) < 2


@each_of_few
@settings(
    max_examples=60 if SOAK else 6,
)
@given(
    names=st.lists(st.sampled_from(_TOGETHER), min_size=2, max_size=5, unique=True).filter(
        closes_in_an_order
    )
)
def test_several_together_show_what_their_source_shows(
    names: list[str], interpreter: Found, user: User, tmp_path: Path
) -> None:
    ends = [end_of(name) for name in names]
    parts = [
        f"def part{number}():\n    global __annotations__\n"
        + "".join(f"    {line}\n" for line in end.source.splitlines())
        + f"part{number}()\n"
        if number % 2
        else end.source
        for number, end in enumerate(ends)
        if interpreter.version >= end.minimum
    ]
    assert not differences(user, End("\n".join(parts)), tmp_path / "work")


@each_of_few
def test_the_normal_exit_shows_the_same(interpreter: Found, user: User, tmp_path: Path) -> None:
    normal = user.with_env(HOOKS_COMPILE_NORMAL_EXIT="1")
    for name in sorted(LEAVES)[:: 1 if SOAK else 6]:
        if interpreter.version >= LEAVES[name].minimum:
            assert not differences(normal, LEAVES[name], tmp_path / "work"), name


@pytest.mark.parametrize(
    ("flags", "env", "early"),
    [
        ((), {}, True),
        (("-s", "-B", "-E", "-u"), {}, True),
        ((), {"PYTHONUNBUFFERED": "1", "PYTHONPATH": "more"}, True),
        ((), {"HOOKS_COMPILE_NORMAL_EXIT": ""}, True),
        ((), {"HOOKS_COMPILE_NORMAL_EXIT": "1"}, False),
        (("-X", "dev"), {}, False),
        (("-X", "importtime"), {}, False),
        (("-W", "error"), {}, False),
        (("-v",), {}, False),
        (("-i",), {}, False),
        ((), {"PYTHONWARNINGS": "always"}, False),
        ((), {"PYTHONDEVMODE": "1"}, False),
        ((), {"PYTHONINSPECT": "1"}, False),
        ((), {"PYTHONMALLOCSTATS": "1"}, False),
        ((), {"PYTHONTRACEMALLOC": "1"}, False),
        ((), {"PYTHONFAULTHANDLER": "1"}, False),
        ((), {"LD_PRELOAD": ""}, False),
    ],
    ids=str,
)
@newest
def test_an_option_that_asks_for_something_at_the_end_gets_it(
    flags: tuple[str, ...],
    env: dict[str, str],
    early: bool,
    interpreter: Found,
    witness: User,
    tmp_path: Path,
) -> None:
    hook = write(tmp_path / "hook.py", "print('done')\n")
    done = witness.with_env(**env).launch(hook, flags=(*_FLAGS, *flags))
    assert done.stdout == b"done\n"
    assert (ENDED_BY_PYTHON not in done.stderr) == early
