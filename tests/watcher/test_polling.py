"""Looking in place of being told: mounts, and what changed between two looks."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.repositories import write
from watcher import filesystems
from watcher.filters import ALWAYS, Interest
from watcher.model import Event, Kind
from watcher.polling import Poller, look

if TYPE_CHECKING:
    from pathlib import Path

MOUNTINFO = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:26 / /mnt/c rw,noatime - 9p drvfs rw,dirsync
31 22 0:27 / /home/a\\040user/net rw - nfs4 server:/x rw
32 31 0:28 / /home/a\\040user/net/inner rw - tmpfs tmpfs rw
33 22 0:29 / /host rw shared:1 - fuse.grpcfuse grpcfuse rw
torn line
"""


@pytest.mark.parametrize(
    ("path", "kind", "remote"),
    [
        ("/", "ext4", False),
        ("/home/a user/repo", "ext4", False),
        ("/mnt/c/Users/me/repo", "9p", True),
        ("/mnt/cc", "ext4", False),
        ("/home/a user/net/repo", "nfs4", True),
        ("/home/a user/net/inner/x", "tmpfs", False),
        ("/host/repo/.claude/hooks", "fuse.grpcfuse", True),
    ],
)
def test_mounts_that_other_machines_change_are_known(path: str, kind: str, remote: bool) -> None:
    found = filesystems.type_of(path, filesystems.parse(MOUNTINFO))
    assert found == kind
    assert filesystems.is_remote(found) is remote


def test_without_a_list_of_mounts_nothing_is_remote() -> None:
    assert filesystems.type_of("/x", {}) == ""
    assert not filesystems.is_remote("")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_this_machines_root_is_mounted() -> None:
    assert filesystems.type_of("/", filesystems.mounted())


def kinds(events: list[Event], folder: Path) -> dict[str, Kind]:
    return {os.path.relpath(event.path, folder): event.kind for event in events}


def test_two_looks_tell_what_changed_between_them(tmp_path: Path) -> None:
    poller = Poller()
    places = {str(tmp_path): ALWAYS}
    same = write(tmp_path / "same.py", "1")
    write(tmp_path / "changed.py", "1")
    write(tmp_path / "gone.py", "1")
    write(tmp_path / "old/x.py", "1")
    assert poller.want(places) == [str(tmp_path)]
    assert poller.want(places) == []
    assert list(poller.events(places, 1.0)) == []
    write(tmp_path / "changed.py", "2")
    write(tmp_path / "new.py", "1")
    write(tmp_path / "ignored.log", "1")
    write(tmp_path / "__pycache_opt__/guard.pyc", "1")
    (tmp_path / "gone.py").unlink()
    (tmp_path / "old").rename(tmp_path / "renamed")
    assert kinds(list(poller.events(places, 2.0)), tmp_path) == {
        "changed.py": Kind.CHANGED,
        "new.py": Kind.CREATED,
        "gone.py": Kind.GONE,
        "old": Kind.GONE,
        "renamed": Kind.CREATED,
        "__pycache_opt__": Kind.CREATED,
    }
    assert list(poller.events(places, 3.0)) == []
    assert same.exists()


def test_an_edit_of_the_same_size_and_time_is_seen(tmp_path: Path) -> None:
    path = write(tmp_path / "guard.py", "one")
    poller, places = Poller(), {str(tmp_path): ALWAYS}
    poller.want(places)
    before = path.stat()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kinds(list(poller.events(places, 1.0)), tmp_path) == {"guard.py": Kind.CHANGED}


def test_a_folder_that_vanishes_takes_its_files_with_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "hooks/guard.py", "1").parent
    poller, places = Poller(), {str(folder): ALWAYS}
    poller.want(places)
    (folder / "guard.py").unlink()
    folder.rmdir()
    assert kinds(list(poller.events(places, 1.0)), folder) == {"guard.py": Kind.GONE}
    write(folder / "guard.py", "1")
    assert kinds(list(poller.events(places, 2.0)), folder) == {"guard.py": Kind.CREATED}


def test_only_what_matters_is_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "settings.json", "{}")
    write(tmp_path / "other.json", "{}")
    write(tmp_path / "guard.py", "1")
    assert list(look(str(tmp_path), Interest(frozenset({"settings.json"})))) == ["settings.json"]
    assert look(str(tmp_path / "guard.py"), ALWAYS) == {}
    assert look(str(tmp_path / "missing"), ALWAYS) == {}
