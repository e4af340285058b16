"""``__pycache_opt__`` from the outside: which files are ours, what may go and what stays."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
import threading
import time
from py_compile import PycInvalidationMode
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks_compile.entries import cache
from hooks_compile.entries.compiler import Compiler
from hooks_compile.launcher import entry
from hooks_compile.launcher.miss import store
from hooks_compile.model import HookSource, State
from tests.support.launches import CACHE_DIRECTORY, User, as_ordinary_user, entries
from tests.support.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.repositories import GitRepo

HASH = "0123456789abcdef"


@pytest.fixture
def hooks(tmp_path: Path) -> Path:
    """A directory with a hook, and a cache without entries."""
    directory = tmp_path / "hooks"
    directory.mkdir()
    (directory / "hook.py").write_text("print(1)\n")
    store.store(str(directory / CACHE_DIRECTORY), "draft", b"")
    (directory / CACHE_DIRECTORY / "draft").unlink()
    return directory


def put(directory: Path, *names: str, age_s: float = 0) -> list[Path]:
    """Make files, each a second younger than the one before."""
    paths = [directory / CACHE_DIRECTORY / name for name in names]
    for number, path in enumerate(paths):
        path.write_bytes(b"entry")
        when = time.time() - age_s - len(names) + number
        os.utime(path, (when, when))
    return paths


def name(number: int, stem: str = "hook", tag: str = "cpython-311", level: int = 0) -> str:
    return f"{stem}.{tag}.opt-{level}.{number:016x}.pyc"


# --- names


@pytest.mark.parametrize(
    ("file", "stem", "tag"),
    [
        (f"hook.cpython-311.opt-2.{HASH}.pyc", "hook", "cpython-311"),
        (f"a.b.pypy39.opt-0.{HASH}.pyc", "a.b", "pypy39"),
        (f"é -x\n.cpython-38.opt-1.{HASH}.pyc", "é -x\n", "cpython-38"),
    ],
)
def test_the_name_of_an_entry_has_the_script_and_the_interpreter(
    file: str, stem: str, tag: str
) -> None:
    match = cache.ENTRY.fullmatch(file)
    assert match is not None
    assert (match["stem"], match["tag"], match["hash"]) == (stem, tag, HASH)


def test_other_names_are_none_of_an_entry() -> None:
    for file in (
        *(
            f"hook.cpython-311.opt-3.{HASH}.pyc",
            "hook.cpython-311.opt-2.pyc",
            "hook.cpython-311.pyc",
        ),
        *(f"hook.cpython-311.opt-2.{HASH[1:]}.pyc", f"hook.cpython-311.opt-2.{HASH.upper()}.pyc"),
        *(f"hook.cpython-311.opt-2.{HASH}.pyc\n", f".cpython-311.opt-2.{HASH}.pyc"),
        *(".gitignore", ".1.2.tmp", "hook.cpython-311.pyc", ""),
    ):
        assert cache.ENTRY.fullmatch(file) is None, file


@given(
    stem=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1),
    level=st.sampled_from([0, 1, 2]),
    source=st.binary(),
)
def test_every_name_that_the_format_makes_is_read_again(
    stem: str, level: int, source: bytes
) -> None:
    name = entry.entry_names(bytes(16), source, f"{stem}.py", "cpython-313")[level]
    match = cache.ENTRY.fullmatch(name)
    assert match is not None
    assert match.groups() == (stem, "cpython-313", str(level), name[-20:-4])


# --- pruning


def test_the_newest_entries_of_each_script_and_interpreter_stay(hooks: Path) -> None:
    (hooks / "other").write_text("#!/usr/bin/env python3\n")
    old = put(hooks, *(name(n) for n in range(5)))
    other = put(hooks, *(name(n, "other") for n in range(3)))
    pypy = put(hooks, name(1, tag="pypy39"), name(2, tag="pypy39"))
    assert cache.prune(hooks / CACHE_DIRECTORY, keep=2) == [*old[:3], other[0]]
    assert entries(hooks) == sorted([*old[3:], *other[1:], *pypy])
    assert cache.prune(hooks / CACHE_DIRECTORY, keep=2) == []


def test_an_entry_that_is_needed_stays_however_old(hooks: Path) -> None:
    paths = put(hooks, *(name(n) for n in range(4)))
    assert cache.prune(hooks / CACHE_DIRECTORY, keep=1, needed=[paths[0].name]) == paths[1:3]


def test_the_entries_of_a_script_that_is_gone_go(hooks: Path) -> None:
    gone = put(hooks, name(1, "gone"), name(2, "gone"))
    (kept,) = put(hooks, name(1))
    assert cache.prune(hooks / CACHE_DIRECTORY, keep=3, needed=[gone[0].name]) == gone
    assert entries(hooks) == [kept]


def test_the_entries_of_a_broken_link_stay(hooks: Path) -> None:
    (hooks / "link.py").symlink_to("nowhere")
    (kept,) = put(hooks, name(1, "link"))
    assert cache.prune(hooks / CACHE_DIRECTORY, keep=3) == []
    assert kept.exists()


def test_only_drafts_that_no_writer_can_be_at_work_on_go(hooks: Path) -> None:
    (old,) = put(hooks, ".123.456.tmp", age_s=cache.DRAFT_AGE_S + 60)
    (new,) = put(hooks, ".124.457.tmp")
    (foreign,) = put(hooks, ".mine.tmp", age_s=cache.DRAFT_AGE_S + 60)
    assert cache.prune(hooks / CACHE_DIRECTORY, keep=3) == [old]
    assert new.exists()
    assert foreign.exists()


def test_what_is_not_ours_stays(hooks: Path) -> None:
    put(hooks, "README", "hook.cpython-311.pyc", f"hook.cpython-311.opt-2.{HASH}.pyc.orig")
    (hooks / CACHE_DIRECTORY / name(1, "gone")).mkdir()
    before = sorted((hooks / CACHE_DIRECTORY).iterdir())
    assert cache.prune(hooks / CACHE_DIRECTORY, keep=1) == []
    assert sorted((hooks / CACHE_DIRECTORY).iterdir()) == before


@pytest.mark.parametrize("work", ["prune", "clean"])
@pytest.mark.parametrize("kind", ["missing", "file", "symlink"])
def test_what_is_no_directory_of_ours_is_left_alone(tmp_path: Path, kind: str, work: str) -> None:
    directory = tmp_path / "hooks" / CACHE_DIRECTORY
    outside = tmp_path / "outside"
    outside.mkdir()
    directory.parent.mkdir()
    (outside / name(1, "gone")).write_bytes(b"")
    if kind == "file":
        directory.write_text("a file")
    elif kind == "symlink":
        directory.symlink_to(outside)
    removed = cache.clean(directory) if work == "clean" else cache.prune(directory, keep=1)
    assert removed == []
    assert len(list(outside.iterdir())) == 1


@pytest.mark.parametrize("work", ["prune", "clean"])
@pytest.mark.parametrize("mode", [0, 0o500])
def test_what_cannot_be_removed_is_an_error_that_names_the_file(
    hooks: Path, mode: int, work: str
) -> None:
    put(hooks, name(1, "gone"), name(2, "gone"))
    directory = hooks / CACHE_DIRECTORY
    directory.chmod(mode)
    code = (
        "import sys, pathlib; from hooks_compile.entries import cache\n"
        "prune = lambda path: cache.prune(path, keep=1)\n"
        "work = cache.clean if sys.argv[2] == 'clean' else prune\n"
        "try: work(pathlib.Path(sys.argv[1]))\n"
        "except OSError as error: print(error.strerror, error.filename, sep='\\n')\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, directory, work],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=as_ordinary_user(),
        )
    finally:
        directory.chmod(0o700)
    first = {"prune": name(1, "gone"), "clean": ".gitignore"}[work]
    path = directory / first if mode else directory
    assert (done.stdout, done.stderr) == (f"Permission denied\n{path}\n", "")


def test_what_can_be_removed_is_removed_all_the_same(hooks: Path) -> None:
    _, second, _ = put(hooks, *(name(n, "gone") for n in range(3)))
    subprocess.run(["chattr", "+i", second], check=False, capture_output=True)
    try:
        cache.clean(hooks / CACHE_DIRECTORY)
    except OSError as error:
        assert error.filename == str(second)
    else:
        pytest.skip("no file can be made immutable here")
    finally:
        subprocess.run(["chattr", "-i", second], check=False, capture_output=True)
    assert list((hooks / CACHE_DIRECTORY).iterdir()) == [second]


def test_two_prunings_at_once_do_not_meet_an_error(hooks: Path) -> None:
    errors: list[BaseException] = []

    def prune() -> None:
        try:
            for _ in range(20):
                cache.prune(hooks / CACHE_DIRECTORY, keep=1)
        except BaseException as error:
            errors.append(error)

    for _ in range(5):
        put(hooks, *(name(n, "gone") for n in range(200)))
        threads = [threading.Thread(target=prune) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert entries(hooks) == []


# --- cleaning


def test_cleaning_removes_what_is_ours_and_then_the_directory(hooks: Path) -> None:
    put(hooks, name(1), name(2, "gone"), ".1.2.tmp")
    removed = cache.clean(hooks / CACHE_DIRECTORY)
    assert len(removed) == 6
    assert removed[-1] == hooks / CACHE_DIRECTORY
    assert [path.name for path in hooks.iterdir()] == ["hook.py"]


def test_cleaning_leaves_what_is_not_ours(hooks: Path) -> None:
    put(hooks, name(1), "README")
    cache.clean(hooks / CACHE_DIRECTORY)
    assert [path.name for path in (hooks / CACHE_DIRECTORY).iterdir()] == ["README"]


# --- what others see of it


def test_git_sees_nothing_of_the_cache_whoever_made_it(tmp_path: Path, git_repo: GitRepo) -> None:
    user = User.create(tmp_path / "home")
    by_launch = git_repo.write("launched/hook.py", "print(1)\n")
    by_compile = git_repo.write("compiled/hook.py", "print(1)\n")
    git_repo.commit()
    assert user.launch(by_launch).state == "miss"
    assert user.compile(by_compile)[0].ok
    assert git_repo.git("status", "--porcelain", "--untracked-files=all") == ""
    for directory in (by_launch.parent, by_compile.parent):
        assert len(entries(directory)) == 1
        tag = (directory / CACHE_DIRECTORY / "CACHEDIR.TAG").read_bytes()
        assert tag.startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")


def test_markers_that_a_killed_writer_left_out_come_with_the_next_entry(hooks: Path) -> None:
    for marker, _ in store.MARKERS:
        (hooks / CACHE_DIRECTORY / marker).unlink()
    store.store(str(hooks / CACHE_DIRECTORY), "name", b"data")
    assert {path.name for path in (hooks / CACHE_DIRECTORY).iterdir()} == {
        "name",
        *(marker for marker, _ in store.MARKERS),
    }


def test_markers_that_somebody_changed_stay(hooks: Path) -> None:
    (hooks / CACHE_DIRECTORY / ".gitignore").write_text("# mine\n")
    store.store(str(hooks / CACHE_DIRECTORY), "name", b"data")
    assert (hooks / CACHE_DIRECTORY / ".gitignore").read_text() == "# mine\n"


def test_a_directory_of_modules_gets_no_markers(tmp_path: Path) -> None:
    store.store(str(tmp_path / "__pycache__"), "name", b"data", markers=False)
    assert [path.name for path in (tmp_path / "__pycache__").iterdir()] == ["name"]


# --- compiled modules


def test_only_the_compiled_modules_that_we_made_are_removed(
    tmp_path: Path, git_repo: GitRepo
) -> None:
    user = User.create(tmp_path / "home")
    names = ("ours", "pythons", "tracked", "stale")
    ours, pythons, tracked, stale = (
        git_repo.write(f"hooks/{name}.py", f"x = {name!r}\n") for name in names
    )
    py_compile.compile(str(pythons), invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    py_compile.compile(str(tracked))
    git_repo.git("add", "-f", "hooks")
    git_repo.commit()
    directory = ours.with_name(cache.MODULE_DIRECTORY)
    git_repo.git("rm", "-q", "--cached", "hooks/__pycache__/" + pyc(pythons))
    with Compiler([user.interpreter], user.key) as compiler:
        modules = [HookSource(path) for path in (ours, tracked, stale)]
        states = [result.state for result in compiler.modules(modules, write=True)]
    assert states == [State.COMPILED, State.COMPILED, State.MISSING]
    stale.write_text("x = 'edited'\n")
    assert git_repo.git("status", "--porcelain", "--", f"hooks/__pycache__/{pyc(tracked)}") == ""
    removed = cache.clean(directory)
    assert removed == [directory / pyc(ours), directory / pyc(stale)]
    assert {path.name for path in directory.iterdir()} == {pyc(pythons), pyc(tracked)}


def test_the_directory_of_modules_is_removed_if_it_is_empty_then(tmp_path: Path) -> None:
    user = User.create(tmp_path / "home")
    module = write(tmp_path / "hooks/helper.py", "x = 1\n")
    user.compile_modules(module)
    directory = module.with_name(cache.MODULE_DIRECTORY)
    assert cache.clean(directory) == [directory / pyc(module), directory]
    assert cache.clean(directory) == []


def pyc(module: Path) -> str:
    """The name of a module's compiled file under our own interpreter."""
    return f"{module.stem}.{sys.implementation.cache_tag}.pyc"
