"""Bounded reads and atomic writes."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from hooks_compile import files

if TYPE_CHECKING:
    from pathlib import Path


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_file_of_the_largest_size_is_read_and_a_larger_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    assert files.read_bytes(path, 10) == b"x" * 10
    with pytest.raises(OSError, match="larger") as caught:
        files.read_bytes(path, 9)
    assert caught.value.filename == str(path)


def test_a_fifo_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="not a regular file"):
        files.read_bytes(tmp_path / "fifo")


def test_a_device_without_an_end_is_refused() -> None:
    from pathlib import Path  # noqa: PLC0415 - only here at run time

    with pytest.raises(OSError, match="not a regular file"):
        files.read_bytes(Path("/dev/zero"))


def test_a_symlink_is_followed_only_if_asked_for(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"data")
    link = tmp_path / "link"
    link.symlink_to("target")
    assert files.read_bytes(link) == b"data"
    with pytest.raises(OSError):
        files.read_bytes(link, follow=False)


def test_a_write_replaces_the_link_and_not_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("target")
    files.replace(link, b"new", mode=0o640)
    assert not link.is_symlink()
    assert stat.S_IMODE(link.stat().st_mode) == 0o640
    assert (link.read_bytes(), (tmp_path / "target").read_bytes()) == (b"new", b"old")
    assert names_in(tmp_path) == ["link", "target"]


def test_a_failed_write_leaves_nothing_and_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "directory"
    path.mkdir()
    (path / "content").touch()
    with pytest.raises(OSError) as caught:
        files.replace(path, b"new")
    assert caught.value.filename == str(path)
    assert ".tmp" not in str(caught.value)
    assert names_in(tmp_path) == ["directory"]


def test_a_missing_directory_is_named_by_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        files.replace(tmp_path / "missing" / "file", b"new")
    assert caught.value.filename == str(tmp_path / "missing" / "file")


def test_an_equal_file_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert files.replace_if_changed(path, b"data")
    number = path.stat().st_ino
    assert not files.replace_if_changed(path, b"data")
    assert path.stat().st_ino == number
    assert files.replace_if_changed(path, b"other")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, "free some space (df -h {})"),
        (errno.EDQUOT, "free some space (df -h {})"),
        (errno.EROFS, "make its file system writable (findmnt -T {})"),
        (errno.EACCES, 'sudo chown -R "$(id -un)" {} && chmod -R u+rwX {}'),
        (errno.EIO, "ls -ld {}"),
    ],
)
def test_the_remedy_fits_the_cause_and_names_what_there_is(
    number: int, expected: str, tmp_path: Path
) -> None:
    cause = os.strerror(number)
    for directory in (tmp_path, tmp_path / "not" / "there"):
        wanted = expected.replace("{}", str(tmp_path))
        assert files.remedy(cause, directory).startswith(wanted)


def test_a_file_in_the_place_of_a_directory_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for directory in (tmp_path / "file", tmp_path / "file" / "below"):
        assert files.remedy(os.strerror(errno.ENOTDIR), directory) == f"rm {tmp_path / 'file'}"
