"""What runs is the source as it is at the launch, whatever its times say and whatever was there."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks_compile.entries import cache
from hooks_compile.errors import HooksCompileError
from hooks_compile.launcher import entry, safe_read
from hooks_compile.launcher.miss import store
from hooks_compile.model import State
from tests.support.interpreters_found import found
from tests.support.launches import User, entries
from tests.support.tiers import IS_SOAK as SOAK

if TYPE_CHECKING:
    from hooks_compile.model import Optimize
    from tests.support.repositories import GitRepo

OLD = "import sys\nprint('version 1')\n"
NEW = "import sys\nprint('version 2')\n"


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User.create(tmp_path / "home")


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    path = tmp_path / "hooks" / "hook.py"
    path.parent.mkdir()
    path.write_text(OLD)
    return path


def assert_runs(user: User, hook: Path, output: str, state: str) -> None:
    launched = user.launch(hook)
    assert (launched.stdout.decode(), launched.stderr, launched.state) == (
        f"{output}\n",
        b"",
        state,
    )


# --- times


def test_same_second_same_size_edits_are_seen(user: User, hook: Path) -> None:
    stamp = time.time_ns()
    for number in range(20):
        hook.write_text(f"print('version {number:02}')\n")
        os.utime(hook, ns=(stamp, stamp))
        assert_runs(user, hook, f"version {number:02}", "miss")
        assert_runs(user, hook, f"version {number:02}", "hit")


def test_an_older_file_copied_over_with_its_time_is_seen(user: User, hook: Path) -> None:
    older = hook.with_name("older.py")
    older.write_text(NEW)
    os.utime(older, (1, 1))
    assert user.compile(hook)[0].ok
    assert_runs(user, hook, "version 1", "hit")
    shutil.copy2(older, hook)
    assert hook.stat().st_mtime == 1
    assert_runs(user, hook, "version 2", "miss")


@pytest.mark.parametrize("seconds", [0, 1, 10**9, 4 * 10**9])
def test_a_touch_without_a_change_stays_a_hit(user: User, hook: Path, seconds: int) -> None:
    assert user.compile(hook)[0].ok
    os.utime(hook, (seconds, seconds))
    assert_runs(user, hook, "version 1", "hit")
    assert user.compile(hook)[0].state is State.FRESH


def test_the_times_of_an_entry_decide_nothing(user: User, hook: Path) -> None:
    (compiled,) = user.compile(hook)
    assert compiled.entry is not None
    for seconds in (0, 4 * 10**9):
        os.utime(compiled.entry, (seconds, seconds))
        assert_runs(user, hook, "version 1", "hit")
        hook.write_text(NEW)
        assert user.launch(hook).stdout == b"version 2\n"
        hook.write_text(OLD)


def test_a_file_renamed_over_the_hook_is_seen(user: User, hook: Path) -> None:
    assert user.compile(hook)[0].ok
    other = hook.with_name("other")
    other.write_text(NEW)
    other.replace(hook)
    assert_runs(user, hook, "version 2", "miss")


def test_a_hook_that_becomes_a_symlink_is_seen(user: User, hook: Path) -> None:
    assert user.compile(hook)[0].ok
    target = hook.parent.parent / "elsewhere" / "target.py"
    target.parent.mkdir()
    target.write_text(NEW)
    hook.unlink()
    hook.symlink_to(target)
    assert_runs(user, hook, "version 2", "miss")
    assert len(entries(target.parent)) == 1, "the entries lie beside the file itself"
    assert_runs(user, hook, "version 2", "hit")


def test_an_edit_through_another_name_is_seen(user: User, hook: Path) -> None:
    other = hook.with_name("linked.py")
    other.hardlink_to(hook)
    assert user.compile(hook)[0].ok
    other.write_text(NEW)
    assert_runs(user, hook, "version 2", "miss")


def test_a_file_seen_empty_while_it_is_saved_leaves_nothing_behind(user: User, hook: Path) -> None:
    hook.write_bytes(b"")
    assert user.launch(hook).stdout == b""
    user.compile(hook)
    hook.write_text(OLD)
    assert_runs(user, hook, "version 1", "miss")


def test_an_edit_that_breaks_the_hook_shows_pythons_error_and_mending_it_hits(
    user: User, hook: Path
) -> None:
    assert user.compile(hook)[0].ok
    hook.write_text("def broken(:\n")
    launched = user.launch(hook)
    assert launched.shown == user.source(hook, flags=("-I", "-S")).shown
    assert launched.status == 1
    assert launched.state == "source"
    assert user.compile(hook)[0].state is State.BROKEN
    hook.write_text(OLD)
    assert_runs(user, hook, "version 1", "hit")


# --- branches


def test_a_git_switch_there_and_back_hits(user: User, git_repo: GitRepo) -> None:
    hook = git_repo.write(".claude/hooks/hook.py", OLD)
    git_repo.commit()
    git_repo.git("switch", "--quiet", "--create", "other")
    hook.write_text(NEW)
    git_repo.commit()
    assert_runs(user, hook, "version 2", "miss")
    git_repo.git("switch", "--quiet", "main")
    assert_runs(user, hook, "version 1", "miss")
    for branch, output in (("other", "version 2"), ("main", "version 1")) * 2:
        git_repo.git("switch", "--quiet", branch)
        assert_runs(user, hook, output, "hit")
    assert git_repo.git("status", "--porcelain") == ""
    git_repo.git("add", "--all")
    assert git_repo.git("status", "--porcelain") == "", "git leaves our directory alone"


def test_a_moved_directory_and_a_second_worktree_hit(user: User, git_repo: GitRepo) -> None:
    hook = git_repo.write("hooks/hook.py", OLD + "print(__file__)\n")
    git_repo.commit()
    user.compile(hook)
    other = git_repo.worktree(git_repo.path.parent / "tree")
    shutil.copytree(
        hook.parent / entry.CACHE_DIRECTORY, other.path / "hooks" / entry.CACHE_DIRECTORY
    )
    moved = other.path / "hooks" / "hook.py"
    assert_runs(user, moved, f"version 1\n{moved}", "hit")


def test_a_second_interpreter_does_not_take_the_entry_of_the_first(
    tmp_path: Path, hook: Path
) -> None:
    users = [User.create(tmp_path / "home", interpreter) for interpreter in found()]
    if len(users) < 2:
        pytest.skip("only one Python is on this machine (try: pyenv install)")
    hook.write_text("import sys\nprint(sys.version_info[:2], sys.implementation.name)\n")
    for state in ("miss", "hit"):
        for user in users:
            output = f"{user.interpreter.version[:2]} {user.interpreter.implementation}"
            assert_runs(user, hook, output, state)


# --- modules beside the hook


def test_a_same_second_edit_of_a_compiled_sibling_is_seen(user: User, hook: Path) -> None:
    sibling = hook.with_name("sibling.py")
    hook.write_text("import sibling\nprint(sibling.WORD)\n")
    stamp = time.time_ns()
    for word in ("one", "two", "six"):
        sibling.write_text(f"WORD = '{word}'\n")
        os.utime(sibling, ns=(stamp, stamp))
        if word == "one":
            assert user.compile(hook)[0].ok
            assert user.compile_modules(sibling)[0].ok
        launched = user.launch(hook, flags=("-S",))
        assert (launched.stdout, launched.state) == (f"{word}\n".encode(), "hit")
    (module,) = user.compile_modules(sibling)
    assert module.state is State.COMPILED
    assert module.entry is not None
    assert module.entry.parent.name == "__pycache__"
    assert user.compile_modules(sibling)[0].state is State.FRESH


# --- levels


def test_the_level_that_was_asked_for_last_is_the_one_that_runs(user: User, hook: Path) -> None:
    hook.write_text('"""doc"""\nprint(__debug__, __doc__)\n')
    shown: dict[Optimize, str] = {
        0: "True doc",
        1: "False doc",
        2: "False None",
        "auto": "True doc",
    }
    sequence: list[Optimize] = [2, 0, 1, 2, "auto", 2, 1, 0, "auto"]
    for level in sequence:
        assert user.compile(hook, optimize=level)[0].ok
        assert_runs(user, hook, shown[level], "hit")
        assert len(entries(hook.parent)) == 1
        assert user.compile(hook, optimize=level)[0].state is State.FRESH


def test_what_a_launch_compiled_is_compiled_better_once_and_not_again(
    user: User, hook: Path
) -> None:
    assert_runs(user, hook, "version 1", "miss")
    states = [user.compile(hook)[0].state for _ in range(2)]
    assert states == [State.COMPILED, State.FRESH]
    assert user.launch(hook).reason == "level 2"


# --- between the look and the run


def test_a_source_that_changes_while_it_is_compiled_gets_no_entry_of_the_other(
    user: User, hook: Path
) -> None:
    # What the compiler read is what it stores, under that content's own name.
    done = threading.Event()

    def change() -> None:
        draft = hook.with_name("draft")
        while not done.is_set():
            for content in (NEW, OLD):
                draft.write_text(content)
                draft.replace(hook)

    thread = threading.Thread(target=change)
    thread.start()
    for _ in range(100):
        user.compile(hook)
    done.set()
    thread.join()
    for content, version in ((OLD, "version 1"), (NEW, "version 2")):
        hook.write_text(content)
        user.compile(hook)
        assert_runs(user, hook, version, "hit")


def test_a_source_that_goes_between_check_and_compile_is_reported(user: User, hook: Path) -> None:
    hook.unlink()
    (result,) = user.compile(hook)
    assert result.state is State.UNREADABLE
    assert result.detail


def test_a_file_is_read_to_its_end_whatever_size_it_tells() -> None:
    for path in ("/proc/self/status", "/proc/version"):
        if not Path(path).exists():
            pytest.skip(f"there is no {path}")
        assert Path(path).stat().st_size == 0
        assert len(safe_read.read(path)) > 0
    assert safe_read.read("/proc/version") == Path("/proc/version").read_bytes()


# --- any sequence

_LINES = (
    "print('a')",
    "print('b')",
    "assert print('c') is None",
    "print(__debug__)",
    "print(__doc__)",
    "'''text'''",
    "print('d') if __debug__ else print('e')",
    "import sys; print(len(sys.argv))",
    "def f():\n    'doc'\n    return f.__doc__",
    "print(f())",
    "x = (",
    "raise SystemExit(2)",
    "1 is 1",
    "# \N{LATIN SMALL LETTER E WITH ACUTE}",
    "",
)
_Step = tuple[Literal["edit", "touch", "compile", "sync", "launch", "damage"], object]
_sources = st.lists(st.sampled_from(_LINES), max_size=4).map("\n".join)
_steps: st.SearchStrategy[list[_Step]] = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), _sources),
        st.tuples(st.just("touch"), st.integers(0, 2**32)),
        st.tuples(st.just("compile"), st.just("auto")),
        st.tuples(st.just("sync"), st.integers(1, 3)),
        st.tuples(st.just("launch"), st.none()),
        st.tuples(st.just("damage"), st.integers(0, 2**16)),
    ),
    max_size=12,
)


@pytest.mark.soak
@pytest.mark.timeout(3600 if SOAK else 600)
@settings(
    max_examples=3000 if SOAK else 12,
)
@given(steps=_steps)
def test_after_any_sequence_the_output_is_that_of_the_source(
    user: User, tmp_path_factory: pytest.TempPathFactory, steps: list[_Step]
) -> None:
    hook = tmp_path_factory.mktemp("hooks") / "hook.py"
    hook.write_text(OLD)
    for kind, value in [*steps, ("launch", None)]:
        _take(user, hook, kind, value)
    launched = user.launch(hook)
    assert launched.shown == user.source(hook, flags=("-I", "-S")).shown


def _take(user: User, hook: Path, kind: str, value: object) -> None:
    directory = hook.parent / entry.CACHE_DIRECTORY
    if kind == "edit":
        hook.write_text(str(value))
    elif kind == "touch":
        os.utime(hook, (int(str(value)), int(str(value))))
    elif kind == "compile":
        user.compile(hook)
    elif kind == "sync":
        needed = [r.entry.name for r in user.compile(hook) if r.entry]
        cache.prune(directory, keep=int(str(value)), needed=needed)
    elif kind == "damage":
        for path in entries(hook.parent):
            data = bytearray(path.read_bytes())
            data[int(str(value)) % len(data)] ^= 0x10
            path.write_bytes(data)
    else:
        launched = user.launch(hook)
        expected = user.source(hook, flags=("-I", "-S"))
        assert launched.shown == expected.shown


@pytest.mark.soak
@pytest.mark.timeout(3600 if SOAK else 600)
@settings(
    max_examples=2000 if SOAK else 10,
)
@given(
    data=st.data(),
    steps=st.lists(st.sampled_from(["edit", "compile", "auto", "launch", "back"]), max_size=10),
)
def test_a_forced_level_holds_for_the_content_it_was_forced_for_and_no_other(
    user: User,
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    steps: list[str],
) -> None:
    hook = tmp_path_factory.mktemp("hooks") / "hook.py"
    forced: dict[int, int] = {}
    version = 0
    for step in ["edit", *steps, "launch"]:
        if step == "edit":
            version += 1
        elif step == "back":
            version = max(1, version - 1)
        hook.write_text(f"'''doc'''\nprint({version}, bool(__debug__), bool(__doc__))\n")
        if step == "compile":
            level: Literal[0, 1, 2] = data.draw(st.sampled_from([0, 1, 2]))
            assert user.compile(hook, optimize=level)[0].ok
            forced[version] = level
        elif step == "auto":
            assert user.compile(hook)[0].ok
            forced[version] = 0
        elif step == "launch":
            at = forced.get(version, 0)
            assert user.launch(hook).stdout.decode() == f"{version} {at < 1} {at < 2}\n"


def test_a_store_that_was_refused_leaves_no_draft(user: User, hook: Path) -> None:
    directory = hook.parent / entry.CACHE_DIRECTORY
    directory.mkdir()
    (directory / "taken").mkdir()
    with pytest.raises(OSError, match=r"directory|Is a"):
        store.store(str(directory), "taken", b"data")
    assert sorted(path.name for path in directory.iterdir()) == [
        ".gitignore",
        "CACHEDIR.TAG",
        "taken",
    ]
    assert user.launch(hook).state == "miss"


def test_an_unreadable_hook_is_reported_and_not_raised(user: User, hook: Path) -> None:
    hook.unlink()
    hook.mkdir()
    try:
        (result,) = user.compile(hook)
    except HooksCompileError:
        pytest.fail("one bad hook stopped the others")
    assert result.state is State.UNREADABLE
