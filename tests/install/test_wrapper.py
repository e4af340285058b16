"""What is written as ``hook_wrapper.sh``, and what is left alone."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import HooksCompileError
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import DONE, LEFT_ALONE, Standing
from tests.support.repositories import write
from tests.support.tool import wrapper_of_version

if TYPE_CHECKING:
    from pathlib import Path


def test_our_own_wrapper_carries_the_digest_of_its_text() -> None:
    text = wrapper.text()
    assert wrapper.judge(text) is Standing.CURRENT
    digest = re.search(rb"\(([0-9a-f]{16})\)", text)
    assert digest is not None
    blank = text.replace(digest[1], b"", 1)
    assert hashlib.sha256(blank).hexdigest()[:16].encode() == digest[1], "anyone can check it"


def test_the_version_line_is_near_the_top_and_says_what_the_file_is_for() -> None:
    first, second, *_ = wrapper.text().splitlines()
    assert first == b"#!/bin/sh"
    assert second.startswith(b"# hooks-compile wrapper ")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wrapper.text(), Standing.CURRENT),
        (wrapper_of_version(0), Standing.OLDER),
        (wrapper_of_version(999), Standing.NEWER),
        (wrapper.text() + b"\n", Standing.EDITED),
        (wrapper.text().replace(b"exec", b"exec ", 1), Standing.EDITED),
        (wrapper.text().replace(b"\n", b"\r\n"), Standing.CURRENT),
        (wrapper_of_version(0).replace(b"\n", b"\r\n"), Standing.OLDER),
        (wrapper_of_version(0).replace(b"exec", b"echo", 1), Standing.EDITED),
        (re.sub(rb"wrapper \d+", b"wrapper 999", wrapper.text(), count=1), Standing.EDITED),
        (b"", Standing.FOREIGN),
        (b"#!/bin/sh\nexec python3 $1\n", Standing.FOREIGN),
        (b"# hooks-compile wrapper\n", Standing.FOREIGN),
        (b"\xff\xfe\x00", Standing.FOREIGN),
    ],
)
def test_what_a_file_is_to_us_is_told_by_its_content(content: bytes, expected: Standing) -> None:
    assert wrapper.judge(content) is expected


def test_every_standing_has_a_text_and_only_ours_that_are_older_are_replaced() -> None:
    assert set(DONE) == set(Standing)
    assert set(Standing) - set(LEFT_ALONE) == {
        Standing.CURRENT,
        Standing.MISSING,
        Standing.OLDER,
    }


def test_a_missing_wrapper_is_written_executable_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert wrapper.write(tmp_path) is Standing.MISSING
    finally:
        os.umask(before)
    path = tmp_path / wrapper.NAME
    assert path.read_bytes() == wrapper.text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert [item.name for item in tmp_path.iterdir()] == [wrapper.NAME], "no draft is left"


def test_a_current_wrapper_is_not_written_again_and_gets_its_bit_back(tmp_path: Path) -> None:
    wrapper.write(tmp_path)
    path = tmp_path / wrapper.NAME
    path.chmod(0o644)
    stamp = path.stat().st_mtime_ns
    assert wrapper.write(tmp_path) is Standing.CURRENT
    assert path.stat().st_mtime_ns == stamp
    assert os.access(path, os.X_OK)


def test_an_older_wrapper_is_replaced_atomically(tmp_path: Path) -> None:
    path = write(tmp_path / wrapper.NAME, wrapper_of_version(0))
    with path.open("rb") as running:  # a shell reads its script while it runs
        assert wrapper.write(tmp_path) is Standing.OLDER
        assert running.read() == wrapper_of_version(0)
    assert wrapper.standing(path) is Standing.CURRENT
    assert os.access(path, os.X_OK)


@pytest.mark.parametrize("content", [wrapper_of_version(999), wrapper.text() + b"#\n", b"mine\n"])
def test_what_is_not_ours_to_replace_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / wrapper.NAME, content)
    path.chmod(0o600)
    assert wrapper.write(tmp_path) in LEFT_ALONE
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_symlink_or_a_directory_in_its_place_is_foreign(tmp_path: Path) -> None:
    target = write(tmp_path / "elsewhere" / "target", wrapper_of_version(0))
    (tmp_path / wrapper.NAME).symlink_to(target)
    assert wrapper.write(tmp_path) is Standing.FOREIGN
    assert target.read_bytes() == wrapper_of_version(0)
    (tmp_path / wrapper.NAME).unlink()
    (tmp_path / wrapper.NAME).symlink_to(tmp_path / "missing")
    assert wrapper.write(tmp_path) is Standing.FOREIGN
    (tmp_path / "directory" / wrapper.NAME).mkdir(parents=True)
    assert wrapper.write(tmp_path / "directory") is Standing.FOREIGN


def test_a_directory_that_cannot_be_written_is_an_error_with_a_remedy(unprivileged: Path) -> None:
    directory = unprivileged / "hooks"
    directory.mkdir()
    directory.chmod(0o500)
    with pytest.raises(HooksCompileError, match="Permission denied") as caught:
        wrapper.write(directory)
    assert caught.value.path == directory
    assert caught.value.remedy.endswith(f"chmod -R u+rwX {directory}")
    assert list(directory.iterdir()) == []


def test_a_directory_that_is_missing_or_a_file_has_a_remedy_that_helps(tmp_path: Path) -> None:
    missing = tmp_path / "hooks"
    with pytest.raises(HooksCompileError) as caught:
        wrapper.write(missing)
    assert caught.value.remedy == f"mkdir -p {missing} && hooks-compile wrapper {missing}"
    missing.touch()
    with pytest.raises(HooksCompileError) as caught:
        wrapper.write(missing)
    assert caught.value.remedy == f"hooks-compile wrapper {tmp_path}"


def test_a_wrapper_that_cannot_be_read_is_an_error(unprivileged: Path) -> None:
    path = write(unprivileged / wrapper.NAME, "x")
    path.chmod(0)
    with pytest.raises(HooksCompileError, match="Permission denied"):
        wrapper.write(unprivileged)
