"""The runtime directory: where it is, what is in it, and that it stays the user's alone."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import RuntimeDirectoryError
from hooks_compile.install import runtime_directory
from tests.support.interpreters_found import each_interpreter
from tests.support.launches import User, as_ordinary_user, require_root

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.interpreters_found import Found

STRANGER = 12_345


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    directory = tmp_path / "data" / "hooks-compile"
    runtime_directory.ensure(directory)
    return directory


def times(directory: Path) -> dict[str, tuple[int, int]]:
    paths = [directory, *directory.rglob("*")]
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in paths}


def as_another_user_would(directory: Path, call: str) -> subprocess.CompletedProcess[str]:
    """Call a function of ``runtime_directory`` in a process that permissions stop."""
    code = (
        "import sys, pathlib\nfrom hooks_compile import errors\n"
        "from hooks_compile.install import runtime_directory\n"
        f"try: print(runtime_directory.{call}(pathlib.Path(sys.argv[1])))\n"
        "except errors.RuntimeDirectoryError as error: sys.exit(str(error))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, directory],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=as_ordinary_user(),
    )


# --- where it is


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"HOOKS_COMPILE_HOME": "/a", "XDG_DATA_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"HOOKS_COMPILE_HOME": "", "XDG_DATA_HOME": "/b", "HOME": "/c"}, "/b/hooks-compile"),
        ({"XDG_DATA_HOME": "", "HOME": "/c"}, "/c/.local/share/hooks-compile"),
        ({"HOME": "/c d/é"}, "/c d/é/.local/share/hooks-compile"),
    ],
)
def test_it_is_where_the_first_variable_that_is_set_says(
    env: Mapping[str, str], expected: str
) -> None:
    assert runtime_directory.location(env) == Path(expected)


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"HOOKS_COMPILE_HOME": "a", "HOME": "/c"}, "HOOKS_COMPILE_HOME"),
        ({"HOOKS_COMPILE_HOME": "./a"}, "HOOKS_COMPILE_HOME"),
        ({"HOOKS_COMPILE_HOME": "~/a", "HOME": "/c"}, "HOOKS_COMPILE_HOME"),
        ({"XDG_DATA_HOME": "b", "HOME": "/c"}, "XDG_DATA_HOME"),
        ({"HOME": ""}, "HOME"),
        ({}, "HOME"),
    ],
)
def test_a_relative_place_is_refused_with_the_variable_to_set(
    env: Mapping[str, str], variable: str
) -> None:
    with pytest.raises(RuntimeDirectoryError) as caught:
        runtime_directory.location(env)
    assert variable in caught.value.cause
    assert caught.value.remedy.startswith(f"export {variable}=")


# --- what is in it


def test_a_new_one_is_private_and_has_a_key_and_a_launcher(runtime: Path) -> None:
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert len((runtime / "key").read_bytes()) == 16
    assert runtime_directory.ensure(runtime) == runtime / "launch.py"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in runtime.iterdir()}
    assert modes.pop("seen") == modes.pop("uvsite") == 0o700
    assert set(modes.values()) == {0o600}, modes
    version = runtime_directory.build()
    assert version in (runtime / "launch.py").read_text()
    assert (runtime / f"{version}.main.py").exists()
    text = "".join(path.read_text() for path in runtime.glob("*.py"))
    assert "@BUILD@" not in text
    assert "@PARTS@" not in text


def test_two_users_have_two_keys(tmp_path: Path, runtime: Path) -> None:
    other = tmp_path / "other"
    runtime_directory.ensure(other)
    assert runtime_directory.read_key(other) != runtime_directory.read_key(runtime)


def test_where_all_is_there_nothing_is_written(runtime: Path) -> None:
    before = times(runtime)
    runtime_directory.ensure(runtime)
    assert times(runtime) == before


def test_what_is_missing_or_damaged_is_made_again_and_the_key_stays(runtime: Path) -> None:
    key = runtime_directory.read_key(runtime)
    good = {path.name: path.read_bytes() for path in runtime.glob("*.py")}
    for name in good:
        (runtime / name).unlink()
        runtime_directory.ensure(runtime)
        (runtime / name).write_bytes(b"damaged")
        runtime_directory.ensure(runtime)
        assert {path.name: path.read_bytes() for path in runtime.glob("*.py")} == good
    assert runtime_directory.read_key(runtime) == key


@each_interpreter
def test_a_launch_reads_all_of_the_compiled_launcher(interpreter: Found, tmp_path: Path) -> None:
    user = User.create(tmp_path, interpreter)
    hook = tmp_path / "hook.py"
    hook.write_text("pass\n")
    user.launch(hook)
    ((launcher, number),) = [
        (path, path.stat().st_ino)
        for path in user.runtime.glob("launch.py.*")
        if path.suffix not in (".miss", ".snapshot", ".uv")
    ]
    user.launch(hook)
    assert launcher.stat().st_ino == number  # else it is made again each time
    assert launcher.stat().st_size < 60_000  # launch.py reads 65,544 bytes


def test_the_files_of_other_versions_go_once_the_launcher_is_replaced(runtime: Path) -> None:
    other = [
        runtime / "0123456789abcdef.entry.py",
        runtime / "0123456789abcdef.miss.py",
        runtime / "launch.py.0123456789abcdef.cpython-311-30b07f0",
    ]
    mine = runtime / "notes.txt"
    for path in (*other, mine):
        path.write_text("")
    (runtime / "launch.py").write_text("# another version\n")
    runtime_directory.ensure(runtime)
    assert not any(path.exists() for path in other)
    assert mine.exists()


def test_a_file_that_another_user_left_there_is_replaced_though_it_reads_right(
    runtime: Path,
) -> None:
    # It would still be theirs to change, by a name or a descriptor that they kept.
    require_root()
    for path in runtime.glob("*.py"):
        os.chown(path, STRANGER, STRANGER)
    runtime_directory.ensure(runtime)
    assert {path.stat().st_uid for path in runtime.glob("*.py")} == {os.geteuid()}


def test_a_link_in_a_files_place_is_replaced_and_not_followed(
    runtime: Path, tmp_path: Path
) -> None:
    for name in ("launch.py", "prepare.py"):
        outside = (runtime / name).rename(tmp_path / name)
        (runtime / name).symlink_to(outside)
        content = outside.read_bytes()
        runtime_directory.ensure(runtime)
        assert not (runtime / name).is_symlink()
        assert outside.read_bytes() == content


# --- whose it is


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o770, 0o777, 0o702])
def test_one_that_others_can_enter_is_refused(runtime: Path, mode: int) -> None:
    runtime.chmod(mode)
    for call in (runtime_directory.ensure, runtime_directory.read_key):
        with pytest.raises(RuntimeDirectoryError, match=f"mode {mode:o}") as caught:
            call(runtime)
        assert caught.value.remedy
    assert not runtime_directory.is_private(runtime)


def test_one_of_another_user_is_refused(runtime: Path) -> None:
    require_root()
    os.chown(runtime, STRANGER, STRANGER)
    before = times(runtime)
    for call in (runtime_directory.ensure, runtime_directory.read_key):
        with pytest.raises(RuntimeDirectoryError, match=f"of user {STRANGER}"):
            call(runtime)
    assert times(runtime) == before


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_key_that_others_may_know_is_refused(runtime: Path, mode: int) -> None:
    (runtime / "key").chmod(mode)
    with pytest.raises(RuntimeDirectoryError, match=f"mode {mode:o}"):
        runtime_directory.read_key(runtime)


def test_a_key_that_another_user_wrote_is_refused(runtime: Path) -> None:
    require_root()
    os.chown(runtime / "key", STRANGER, STRANGER)
    with pytest.raises(RuntimeDirectoryError, match=f"of user {STRANGER}"):
        runtime_directory.read_key(runtime)


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_a_key_of_another_size_is_refused_and_stays(runtime: Path, size: int) -> None:
    (runtime / "key").write_bytes(bytes(size))
    with pytest.raises(RuntimeDirectoryError, match=f"{size} bytes instead of 16"):
        runtime_directory.read_key(runtime)
    runtime_directory.ensure(runtime)
    assert (runtime / "key").read_bytes() == bytes(size)


def test_the_remedy_for_a_damaged_key_fixes_it(runtime: Path) -> None:
    (runtime / "key").write_bytes(b"short")
    with pytest.raises(RuntimeDirectoryError) as caught:
        runtime_directory.read_key(runtime)
    remove, _, then = caught.value.remedy.partition(" && ")
    assert then.startswith("hooks-compile")
    subprocess.run(["sh", "-c", remove], check=True)
    runtime_directory.ensure(runtime)
    assert len(runtime_directory.read_key(runtime)) == 16


def test_a_missing_key_is_told_with_the_command_that_makes_one(runtime: Path) -> None:
    (runtime / "key").unlink()
    with pytest.raises(RuntimeDirectoryError) as caught:
        runtime_directory.read_key(runtime)
    assert caught.value.remedy.endswith(" && hooks-compile compile")


# --- what can not be written or read


def _key_unreadable(runtime: Path) -> None:
    (runtime / "key").chmod(0)


def _closed(runtime: Path) -> None:
    runtime.chmod(0)


def _parent_read_only(runtime: Path) -> None:
    shutil.rmtree(runtime)
    runtime.parent.chmod(0o500)


def _read_only_and_incomplete(runtime: Path) -> None:
    (runtime / "launch.py").unlink()
    runtime.chmod(0o500)


@pytest.mark.parametrize(
    ("harm", "call"),
    [
        (_key_unreadable, "read_key"),
        (_closed, "ensure"),
        (_parent_read_only, "ensure"),
        (_read_only_and_incomplete, "ensure"),
    ],
)
def test_what_permissions_forbid_is_an_error_with_a_remedy(
    runtime: Path, harm: Callable[[Path], None], call: str
) -> None:
    harm(runtime)
    try:
        done = as_another_user_would(runtime, call)
    finally:
        runtime.parent.chmod(0o700)
        if runtime.exists():
            runtime.chmod(0o700)
    assert done.returncode == 1
    assert "Permission denied" in done.stderr
    assert "to fix it: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_complete_one_needs_no_permission_to_write(runtime: Path) -> None:
    runtime.chmod(0o500)
    done = as_another_user_would(runtime, "ensure")
    assert (done.returncode, done.stdout.strip()) == (0, str(runtime / "launch.py"))
    runtime.chmod(0o700)


@pytest.mark.parametrize("place", ["file", "below a file"])
def test_a_file_in_its_place_is_an_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    directory = tmp_path / "file" if place == "file" else tmp_path / "file" / "runtime"
    with pytest.raises(RuntimeDirectoryError):
        runtime_directory.ensure(directory)
    with pytest.raises(RuntimeDirectoryError):
        runtime_directory.read_key(directory)


# --- removing it


def test_removing_takes_all_that_is_ours(runtime: Path, tmp_path: Path) -> None:
    user = User(User.create(tmp_path / "home").interpreter, runtime)
    hook = tmp_path / "hook.py"
    hook.write_text("print(1)\n")
    assert user.launch(hook).state == "miss"
    removed = runtime_directory.remove(runtime)
    assert removed[-1] == runtime
    assert not runtime.exists()
    assert user.wrapped(hook).shown == (0, b"1\n", b"")


def test_removing_leaves_what_is_not_ours(runtime: Path) -> None:
    (runtime / ".notes.tmp").write_text("")
    (runtime / "empty").mkdir()
    runtime_directory.remove(runtime)
    assert {path.name for path in runtime.iterdir()} == {".notes.tmp", "empty"}


@pytest.mark.parametrize("kind", ["missing", "file", "symlink"])
def test_removing_what_is_no_directory_of_ours_does_nothing(
    runtime: Path, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / kind
    if kind == "file":
        path.write_text("")
    elif kind == "symlink":
        path.symlink_to(runtime)
    before = times(runtime)
    assert runtime_directory.remove(path) == []
    assert times(runtime) == before


def test_a_key_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import pathlib, resource, sys\n"
        "from hooks_compile.install import runtime_directory\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8, 8))  # as a disk that is full\n"
        "runtime_directory.ensure(pathlib.Path(sys.argv[1]))\n"
    )
    place = tmp_path / "runtime"
    command = [sys.executable, "-c", program, str(place)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert "the runtime directory can't be written" in done.stderr
    assert not list(place.glob(".key*"))
    assert not (place / "key").exists()
