"""Configuration files on disk."""

from __future__ import annotations

import os
import resource
import stat
from typing import TYPE_CHECKING

import pytest

from hooks_compile.agents.wiring.config_files import (
    look_in,
    read,
    replace,
    require_writable,
)
from hooks_compile.errors import AgentConfigError

if TYPE_CHECKING:
    from pathlib import Path

OLD = '{"a": 1}\r\n'
NEW = '{"a": 2}\r\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


def config(root: Path, text: str = OLD) -> Path:
    path = root / "settings.json"
    path.write_bytes(text.encode())
    return path


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def refusal(path: Path, root: Path, text: str = NEW) -> AgentConfigError:
    with pytest.raises(AgentConfigError) as caught:
        replace(read(path, root), text)
    assert caught.value.path == path
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755])
def test_a_file_is_replaced_with_its_mode_and_its_line_ends(root: Path, mode: int) -> None:
    path = config(root)
    path.chmod(mode)
    replace(read(path, root), NEW)
    assert path.read_bytes() == NEW.encode()
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert names(root) == ["settings.json"]


def test_a_byte_order_mark_stays(root: Path) -> None:
    path = config(root, "\ufeff" + OLD)
    file = read(path, root)
    replace(file, file.text.replace("1", "2"))
    assert path.read_bytes() == b"\xef\xbb\xbf" + NEW.encode()


def test_a_file_that_changed_since_it_was_read_is_not_written(root: Path) -> None:
    path = config(root)
    file = read(path, root)
    path.write_text('{"a": 3}')
    with pytest.raises(AgentConfigError, match="changed since it was read"):
        replace(file, NEW)
    assert path.read_text() == '{"a": 3}'
    assert names(root) == ["settings.json"]


def test_a_file_that_is_gone_since_it_was_read_is_not_written(root: Path) -> None:
    path = config(root)
    file = read(path, root)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        replace(file, NEW)
    assert names(root) == []


def test_a_link_inside_the_project_stays_a_link(root: Path) -> None:
    target = config(root)
    link = root / "link.json"
    link.symlink_to("settings.json")
    replace(read(link, root), NEW)
    assert link.is_symlink()
    assert target.read_bytes() == NEW.encode()


def test_a_link_out_of_the_project_counts_as_outside(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (root / "settings.json").symlink_to(config(outside))
    assert read(root / "settings.json", root).outside


def test_a_directory_linked_out_of_the_project_counts_as_outside(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    config(outside)
    (root / "linked").symlink_to(outside)
    assert read(root / "linked/settings.json", root).outside


def test_a_file_with_a_second_name_is_not_written(root: Path) -> None:
    path = config(root)
    (root / "second.json").hardlink_to(path)
    assert "hard link" in refusal(path, root).cause
    assert (root / "second.json").read_bytes() == OLD.encode()


def test_a_file_that_somebody_made_read_only_is_not_written(root: Path) -> None:
    path = config(root)
    path.chmod(0o444)
    error = refusal(path, root)
    assert (error.cause, error.remedy) == (
        "it is read-only: somebody protects it",
        f"chmod u+w {path}",
    )
    assert path.read_bytes() == OLD.encode()


def test_a_directory_that_can_not_be_written_is_an_error(unprivileged: Path) -> None:
    directory = unprivileged / "project"
    directory.mkdir()
    path = config(directory)
    directory.chmod(0o555)
    assert "can't be written" in refusal(path, directory).cause
    assert path.read_bytes() == OLD.encode()
    directory.chmod(0o755)


def test_a_file_that_can_not_be_read_is_an_error(root: Path) -> None:
    path = config(root)
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(AgentConfigError, match="not UTF-8 text"):
        read(path, root)
    with pytest.raises(AgentConfigError, match="can't be read: No such file"):
        read(root / "gone.json", root)
    with pytest.raises(AgentConfigError, match="can't be read: it is not a regular file"):
        read(root, root)


def test_looking_tells_files_from_all_else_and_inside_from_outside(root: Path) -> None:
    look = look_in(root)
    (root / "hooks").mkdir()
    script = root / "hooks/a.py"
    script.write_bytes(b"#!x\n" + b"-" * 9999)
    (root.parent / "b.py").write_text("b")
    (root / "out").symlink_to(root.parent)
    (root / "link.py").symlink_to(root.parent / "b.py")
    seen = look(script)
    assert seen is not None
    assert (seen.head[:4], seen.obstacle) == (b"#!x\n", "")
    assert look(root / "hooks") is None
    assert look(root / "gone.py") is None
    assert look(root / "a\0b") is None
    for link in ("out/b.py", "link.py"):  # one rule for links to directories and to files
        outside = look(root / link)
        assert outside is not None
        assert f"is a symlink to `{root.parent}/b.py`, outside the project" in outside.obstacle
    (root / "hooks/__main__.py").write_text("")
    package = look(root / "hooks")
    assert package is not None
    assert "a directory, which Python runs" in package.obstacle


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_stays_theirs(root: Path) -> None:
    path = config(root)
    os.chown(path, 12345, 23456)
    replace(read(path, root), NEW)
    assert path.read_bytes() == NEW.encode()
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456)


def test_looking_at_what_can_not_be_read_sees_nothing(unprivileged: Path) -> None:
    (unprivileged / "hook").write_text("#!/usr/bin/env python3\n")
    (unprivileged / "hook").chmod(0)
    assert look_in(unprivileged)(unprivileged / "hook") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_file_of_another_user_is_not_ours_to_replace(unprivileged: Path) -> None:
    path = config(unprivileged)
    os.seteuid(0)
    os.chown(path, 0, 0)
    os.seteuid(12345)
    file = read(path, unprivileged)
    with pytest.raises(AgentConfigError, match="belongs to another user"):
        require_writable(file)


def test_looking_whether_a_file_can_be_written_writes_nothing(unprivileged: Path) -> None:
    path = config(unprivileged)
    file = read(path, unprivileged)
    before = unprivileged.stat()
    require_writable(file)
    assert unprivileged.stat() == before
    unprivileged.chmod(0o555)
    with pytest.raises(AgentConfigError, match="its directory is read-only"):
        require_writable(file)
    unprivileged.chmod(0o755)


def test_a_write_that_fails_half_way_leaves_the_old_file_and_no_other(root: Path) -> None:
    path = config(root)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            replace(read(path, root), NEW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == OLD.encode()
    assert names(root) == ["settings.json"]
