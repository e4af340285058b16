"""The script of a launch: its real path, its name in tracebacks, and bounded reads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks_compile.launcher.safe_read import LARGEST_BYTES, read
from hooks_compile.launcher.script import file_of, read_script, real_path
from tests.support.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

_names = st.sampled_from([".", "..", "a", "b", "link", "deep", "up", ""])


@pytest.fixture
def maze(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Directories and links that lead through each other; the current directory is in it."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    write(tmp_path / "a" / "hook.py", "1\n")
    (tmp_path / "a" / "link").symlink_to("b")
    (tmp_path / "a" / "b" / "up").symlink_to("../..")
    (tmp_path / "deep").symlink_to(tmp_path / "a" / "b" / ".." / "link" / "up" / "a")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path / "a")
    return tmp_path


@settings(max_examples=200)
@given(names=st.lists(_names, max_size=8), absolute=st.booleans())
def test_a_real_path_is_what_the_library_says(
    maze: Path, names: list[str], *, absolute: bool
) -> None:
    path = "/".join([str(maze), *names] if absolute else names)
    try:
        expected = os.path.realpath(path, strict=True)
    except OSError as error:
        with pytest.raises(type(error)):
            real_path(path)
    else:
        assert real_path(path) == expected.rstrip("/")


def test_a_loop_of_links_is_an_error(maze: Path) -> None:
    with pytest.raises(OSError, match="too many levels"):
        real_path(str(maze / "loop"))


def test_a_script_has_all_that_a_launch_needs(maze: Path) -> None:
    script = read_script("link/../hook.py")
    assert script.argument == "link/../hook.py"
    assert script.file == f"{maze}/a/link/../hook.py" == file_of("link/../hook.py")
    assert script.path == f"{maze}/a/hook.py"
    assert script.source == b"1\n"
    assert file_of("/hook.py") == "/hook.py"


@pytest.mark.parametrize(
    ("name", "why"), [("hook.pyc", "for sources"), ("directory", "not a file"), ("fifo", "not a")]
)
def test_what_entries_are_not_for_runs_as_a_source(tmp_path: Path, name: str, why: str) -> None:
    write(tmp_path / "hook.pyc")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError, match=why):
        read_script(str(tmp_path / name))


def test_a_read_refuses_what_has_no_end_and_what_others_can_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    for path in (str(tmp_path / "fifo"), str(tmp_path / "large"), "/dev/zero"):
        with pytest.raises(ValueError, match="not a regular file of at most 64 MiB"):
            read(path)
    key = write(tmp_path / "key", "secret")
    key.chmod(0o640)
    assert read(str(key)) == b"secret"
    with pytest.raises(PermissionError, match="not private"):
        read(str(key), private=True)
    key.chmod(0o600)
    assert read(str(key), private=True) == b"secret"
