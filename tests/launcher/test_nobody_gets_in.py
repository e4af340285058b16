"""Compiled code that this user did not compile on this machine is never executed.

The code of the entries here leaves a mark. The first test shows that it would: the same bytes, made
with the user's own key and put where the launcher looks, do run.
"""

from __future__ import annotations

import _imp
import importlib.util
import marshal
import os
import shutil
import socket
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.launcher import entry
from hooks_compile.model import HookSource, State
from hooks_compile.project.config import Config
from hooks_compile.project.record import Project
from hooks_compile.project.selection import find_interpreters, for_person
from tests.support.launches import (
    BARE,
    CACHE_DIRECTORY,
    Launched,
    User,
    as_ordinary_user,
    default_interpreter,
    entries,
    require_root,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = b"import sys\nprint('the source', *sys.argv[1:])\n"
EXPECTED = b"the source ls\n"
STRANGER = 12_345


@dataclass(frozen=True, slots=True)
class Scene:
    """A hook, its user, and the file that hostile code would make."""

    user: User
    hook: Path
    mark: Path

    @property
    def cache(self) -> Path:
        return self.hook.parent / CACHE_DIRECTORY

    def hostile(self) -> str:
        """What an attacker would have the user run."""
        return f"open({str(self.mark)!r}, 'w').close()\nprint('hostile')\n"

    def forge(self, key: bytes, level: int = 2, source: bytes = SOURCE) -> bytes:
        """An entry for ``source`` with hostile code, in all else as the tool makes it."""
        code = compile(self.hostile(), "guard.py", "exec", 0, True, level)
        return entry.pack(key, level, b"aw", code, entry.NO_NOTES, source)

    def plant(self, data: bytes, level: int = 2) -> Path:
        """Put ``data`` where the launcher looks first for the hook's entry, and nothing else."""
        shutil.rmtree(self.cache, ignore_errors=True)
        self.cache.mkdir()
        path = self.user.entry_path(self.hook, level)
        path.write_bytes(data)
        return path

    def plant_what_would_run(self) -> None:
        """An entry that the launcher runs, unless something else than its tag stops it."""
        self.plant(self.forge(self.user.key))

    def launch(self, route: str = "launcher", *, ordinary: bool = False) -> Launched:
        """Launch the hook, through the launcher or the wrapper."""
        launch = self.user.launch if route == "launcher" else self.user.wrapped
        return launch(self.hook, "ls", before=as_ordinary_user() if ordinary else None)

    def assert_source_ran(self, launched: Launched, *states: str) -> None:
        """The hook showed what its source shows, and no hostile code ran."""
        assert launched.shown == (0, EXPECTED, b"")
        assert not self.mark.exists()
        assert launched.state in states, launched


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    hook = tmp_path / "hooks" / "guard.py"
    hook.parent.mkdir()
    hook.write_bytes(SOURCE)
    return Scene(User.create(tmp_path / "home"), hook, tmp_path / "mark")


routes = pytest.mark.parametrize("route", ["launcher", "wrapper"])


# --- the entry


@routes
def test_what_is_planted_here_would_run_if_the_key_were_right(scene: Scene, route: str) -> None:
    scene.plant_what_would_run()
    launched = scene.launch(route)
    assert (launched.state, launched.stdout) == ("hit", b"hostile\n")
    assert scene.mark.exists()


@pytest.mark.parametrize("level", [0, 1, 2])
def test_an_entry_made_with_another_key_does_not_run(scene: Scene, level: int) -> None:
    scene.plant(scene.forge(os.urandom(16), level), level)
    scene.assert_source_ran(scene.launch(), "miss")


@pytest.mark.parametrize("renamed", [False, True])
def test_an_entry_from_another_machine_does_not_run(
    scene: Scene, tmp_path: Path, *, renamed: bool
) -> None:
    other = User.create(tmp_path / "other home")
    scene.cache.mkdir()
    maker = other if not renamed else scene.user
    for level in (0, 1, 2):
        path = maker.entry_path(scene.hook, level)
        path.write_bytes(scene.forge(other.key, level))
    scene.assert_source_ran(scene.launch(), "miss")


def test_an_entry_copied_from_another_hook_does_not_run(scene: Scene) -> None:
    other = scene.hook.with_name("other.py")
    other.write_text(scene.hostile())
    (compiled,) = scene.user.compile(other)
    assert compiled.entry is not None
    data = compiled.entry.read_bytes()
    for level in (0, 1, 2):
        scene.plant(data, level)
        scene.assert_source_ran(scene.launch(), "miss")


def test_an_entry_of_an_earlier_content_does_not_run_under_the_new_ones_name(scene: Scene) -> None:
    scene.hook.write_text(scene.hostile())
    (compiled,) = scene.user.compile(scene.hook)
    assert compiled.entry is not None
    data = compiled.entry.read_bytes()
    scene.hook.write_bytes(SOURCE)
    scene.plant(data, compiled.choice.level)
    scene.assert_source_ran(scene.launch(), "miss")


def test_the_hostile_one_of_two_sources_with_one_pep_552_hash_does_not_run(scene: Scene) -> None:
    # See test_entry: what the user's own compiler would make of a colliding pair, under a name that
    # collides as well.
    data = scene.forge(scene.user.key, 2, scene.hostile().encode())
    body = data[:8] + importlib.util.source_hash(SOURCE) + data[16 : -entry.TAG_SIZE]
    tag = entry.tag(scene.user.key, 2, body, scene.hostile().encode())
    scene.plant(body + tag)
    scene.assert_source_ran(scene.launch(), "miss")


@pytest.mark.parametrize("level", [0, 1])
def test_an_entry_renamed_to_another_level_does_not_run(scene: Scene, level: int) -> None:
    scene.hook.write_text("assert False, 'kept'\nprint('stripped')\n")
    (compiled,) = scene.user.compile(scene.hook, optimize=2)
    assert compiled.entry is not None
    assert scene.launch().stdout == b"stripped\n"
    scene.plant(compiled.entry.read_bytes(), level)
    launched = scene.launch()
    assert launched.state == "miss"
    assert launched.status == 1
    assert launched.stderr.endswith(b"AssertionError: kept\n")


def _truncated(data: bytes, step: int) -> list[bytes]:
    return [data[:size] for size in {*range(0, len(data), step), len(data) - 1, len(data) - 16}]


def _flipped(data: bytes, step: int) -> list[bytes]:
    changed = []
    for bit in range(0, 8 * len(data), step):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        changed.append(bytes(damaged))
    return changed


def _appended(data: bytes, _: int) -> list[bytes]:
    return [data + more for more in (b"\0", b"\n", data, bytes(16), bytes(1 << 20))]


@pytest.mark.parametrize(
    ("damage", "step"),
    [
        pytest.param(_truncated, 5, id="truncated"),
        pytest.param(_flipped, 37, id="bit flipped"),
        pytest.param(_appended, 0, id="appended to"),
    ],
)
def test_a_damaged_entry_does_not_run(
    scene: Scene, damage: Callable[[bytes, int], list[bytes]], step: int
) -> None:
    for data in damage(scene.forge(scene.user.key), step):
        scene.plant(data)
        scene.assert_source_ran(scene.launch(), "miss")


def test_check_and_compile_see_a_foreign_entry_and_replace_it(scene: Scene) -> None:
    planted = scene.plant(scene.forge(os.urandom(16)))
    (compiled,) = scene.user.compile(scene.hook)
    assert compiled.state is State.COMPILED
    assert compiled.entry == planted
    scene.assert_source_ran(scene.launch(), "hit")


# --- the directory of entries


@pytest.mark.parametrize("where", ["outside", "with a foreign entry", "nowhere", "itself"])
def test_nothing_is_written_through_a_symlink_in_the_caches_place(
    scene: Scene, tmp_path: Path, where: str
) -> None:
    outside = tmp_path / "outside"
    target = {"nowhere": tmp_path / "nowhere", "itself": scene.cache}.get(where, outside)
    outside.mkdir()
    if where == "with a foreign entry":
        (outside / scene.user.entry_path(scene.hook, 2).name).write_bytes(
            scene.forge(os.urandom(16))
        )
    before = {path: path.read_bytes() for path in outside.iterdir()}
    scene.cache.symlink_to(target)
    (compiled,) = scene.user.compile(scene.hook)
    assert compiled.state is State.UNWRITABLE
    assert compiled.detail
    scene.assert_source_ran(scene.launch(), "miss")
    assert {path: path.read_bytes() for path in outside.iterdir()} == before
    assert not (tmp_path / "nowhere").exists()
    assert scene.cache.is_symlink()


def test_a_file_in_the_caches_place_stays_as_it_is(scene: Scene) -> None:
    scene.cache.write_bytes(b"a file")
    scene.assert_source_ran(scene.launch(), "miss")
    (compiled,) = scene.user.compile(scene.hook)
    assert compiled.state is State.UNWRITABLE
    assert scene.cache.read_bytes() == b"a file"


@pytest.mark.parametrize("mode", [0o000, 0o300, 0o100])
def test_an_unreadable_cache_is_a_miss(scene: Scene, mode: int) -> None:
    scene.plant(scene.forge(os.urandom(16)))
    scene.cache.chmod(mode)
    try:
        scene.assert_source_ran(scene.launch(ordinary=True), "miss")
    finally:
        scene.cache.chmod(0o700)


@pytest.mark.parametrize("directory", ["cache", "hooks"])
def test_a_read_only_directory_is_a_miss_at_each_launch_and_stays_as_it_is(
    scene: Scene, directory: str
) -> None:
    if directory == "cache":
        scene.plant(scene.forge(os.urandom(16)))
    closed = scene.cache if directory == "cache" else scene.hook.parent
    before = sorted(closed.rglob("*"))
    closed.chmod(0o500)
    try:
        for route in ("launcher", "wrapper", "launcher"):
            launched = scene.launch(route, ordinary=True)
            scene.assert_source_ran(launched, "miss")
            assert "it is not stored" in launched.reason
        assert sorted(closed.rglob("*")) == before
    finally:
        closed.chmod(0o700)


def test_an_entry_that_was_compiled_before_hits_in_a_read_only_directory(scene: Scene) -> None:
    scene.user.compile(scene.hook)
    scene.cache.chmod(0o500)
    scene.hook.parent.chmod(0o500)
    try:
        scene.assert_source_ran(scene.launch(ordinary=True), "hit")
    finally:
        scene.hook.parent.chmod(0o700)
        scene.cache.chmod(0o700)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.mkdir()


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _large(path: Path) -> None:
    # As large as the launcher reads, with the right beginning and end.
    with path.open("wb") as file:
        file.write(importlib.util.MAGIC_NUMBER)
        file.seek((1 << 26) - 20)
        file.write(entry.FORMAT + b"wp" + bytes(16))


def _socket(path: Path) -> None:
    # A socket's address has at most 108 bytes.
    with socket.socket(socket.AF_UNIX) as server:
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            server.bind(f"/proc/self/fd/{directory}/{path.name}"[-107:])
        finally:
            os.close(directory)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _unreadable(path: Path) -> None:
    path.write_bytes(b"entry")
    path.chmod(0)


KINDS = [_fifo, _directory, _huge, _large, _socket, _endless, _dangling, _loop, _unreadable]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__.strip("_"))
def test_no_kind_of_file_in_an_entrys_place_stops_or_delays_a_launch(
    scene: Scene, make: Callable[[Path], None]
) -> None:
    scene.cache.mkdir()
    for level in (0,) if make is _large else (0, 1, 2):
        make(scene.user.entry_path(scene.hook, level))
    scene.assert_source_ran(scene.launch(ordinary=True), "miss")
    state = "miss" if make is _directory else "hit"
    scene.assert_source_ran(scene.launch(ordinary=True), state)
    (compiled,) = scene.user.compile(scene.hook)
    assert compiled.state in (State.FRESH, State.COMPILED, State.UNWRITABLE)
    scene.assert_source_ran(scene.launch(ordinary=True), state)


# --- the runtime directory


def _remove(scene: Scene) -> None:
    shutil.rmtree(scene.user.runtime)


def _open_to_all(scene: Scene) -> None:
    scene.user.runtime.chmod(0o777)


def _open_to_group(scene: Scene) -> None:
    scene.user.runtime.chmod(0o750)


def _readable_by_others(scene: Scene) -> None:
    scene.user.runtime.chmod(0o704)


def _given_away(scene: Scene) -> None:
    require_root()
    os.chown(scene.user.runtime, STRANGER, STRANGER)


def _key_missing(scene: Scene) -> None:
    (scene.user.runtime / "key").unlink()


def _key_short(scene: Scene) -> None:
    (scene.user.runtime / "key").write_bytes(scene.user.key[:15])


def _key_long(scene: Scene) -> None:
    (scene.user.runtime / "key").write_bytes(scene.user.key + b"\n")


def _key_empty(scene: Scene) -> None:
    (scene.user.runtime / "key").write_bytes(b"")


def _key_unreadable(scene: Scene) -> None:
    (scene.user.runtime / "key").chmod(0)


def _key_known_to_others(scene: Scene) -> None:
    (scene.user.runtime / "key").chmod(0o644)


def _key_written_by_another(scene: Scene) -> None:
    require_root()
    os.chown(scene.user.runtime / "key", STRANGER, STRANGER)


def _key_a_directory(scene: Scene) -> None:
    (scene.user.runtime / "key").unlink()
    (scene.user.runtime / "key").mkdir()


def _key_a_fifo(scene: Scene) -> None:
    (scene.user.runtime / "key").unlink()
    os.mkfifo(scene.user.runtime / "key", 0o600)


SPOILED = [
    _remove,
    _open_to_all,
    _open_to_group,
    _readable_by_others,
    _given_away,
    _key_missing,
    _key_short,
    _key_long,
    _key_empty,
    _key_unreadable,
    _key_known_to_others,
    _key_written_by_another,
    _key_a_directory,
    _key_a_fifo,
]


@routes
@pytest.mark.parametrize("spoil", SPOILED, ids=lambda spoil: spoil.__name__.strip("_"))
def test_a_runtime_directory_that_is_not_ours_alone_runs_the_source(
    scene: Scene, spoil: Callable[[Scene], None], route: str
) -> None:
    scene.plant_what_would_run()
    before = entries(scene.hook.parent)
    spoil(scene)
    if route == "launcher" and spoil in (_remove, _given_away):
        # plain Python can't open launch.py: only the wrapper looks before
        assert not scene.mark.exists()
        return
    scene.assert_source_ran(scene.launch(route, ordinary=True), "source", "")
    assert entries(scene.hook.parent) == before


def test_root_does_not_use_the_runtime_directory_of_another_user(scene: Scene) -> None:
    require_root()
    scene.plant_what_would_run()
    for path in (scene.user.runtime, *scene.user.runtime.rglob("*")):
        os.chown(path, STRANGER, STRANGER)
    scene.assert_source_ran(scene.launch("wrapper"), "")
    scene.assert_source_ran(scene.launch("launcher"), "source", "")


@pytest.mark.parametrize("place", [".", "runtime", "./runtime", "../home/runtime", ""])
def test_a_relative_runtime_directory_is_not_used(scene: Scene, place: str) -> None:
    scene.plant_what_would_run()
    user = scene.user.with_env(HOOKS_COMPILE_HOME=place)
    launched = user.wrapped(scene.hook, "ls", cwd=scene.user.runtime.parent)
    scene.assert_source_ran(launched, "")


def _hostile_launcher(scene: Scene) -> bytes:
    return scene.hostile().encode()


def test_a_launcher_of_another_user_is_not_run(scene: Scene) -> None:
    require_root()
    launcher = scene.user.runtime / "launch.py"
    launcher.write_bytes(_hostile_launcher(scene))
    os.chown(launcher, STRANGER, STRANGER)
    scene.assert_source_ran(scene.launch("wrapper"), "")


def test_a_launcher_that_is_a_symlink_is_not_run(scene: Scene, tmp_path: Path) -> None:
    # In a directory that others can write: their link to a file of ours, which a clone brought.
    cloned = tmp_path / "cloned.py"
    cloned.write_bytes(_hostile_launcher(scene))
    launcher = scene.user.runtime / "launch.py"
    launcher.unlink()
    launcher.symlink_to(cloned)
    scene.assert_source_ran(scene.launch("wrapper"), "")


def _compiled_launcher(scene: Scene) -> Path:
    assert scene.launch().state in ("miss", "hit")
    made = scene.user.runtime.glob("launch.py.*")
    (path,) = (each for each in made if each.suffix not in (".miss", ".snapshot", ".uv"))
    return path


def _hostile_bin(scene: Scene) -> bytes:
    data = marshal.dumps(compile(scene.hostile(), "launcher.py", "exec"))
    return _imp.source_hash(sys.hexversion, data) + data


def test_a_compiled_launcher_that_is_a_symlink_is_not_run(scene: Scene, tmp_path: Path) -> None:
    path = _compiled_launcher(scene)
    scene.plant_what_would_run()
    cloned = tmp_path / "cloned.bin"
    cloned.write_bytes(_hostile_bin(scene))
    path.write_bytes(cloned.read_bytes())
    assert b"hostile" in scene.launch().stdout, "as a file of the user's own it is trusted"
    scene.mark.unlink()
    path.unlink()
    path.symlink_to(cloned)
    scene.user.runtime.chmod(0o777)
    scene.assert_source_ran(scene.launch(), "source", "")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o701])
def test_nothing_is_compiled_in_a_directory_that_others_can_enter(scene: Scene, mode: int) -> None:
    _compiled_launcher(scene).unlink()
    scene.plant_what_would_run()
    prepare = scene.user.runtime / "prepare.py"
    prepare.write_bytes(_hostile_launcher(scene) + prepare.read_bytes())
    assert b"hostile" in scene.launch().stdout, "in a private directory it is trusted"
    scene.mark.unlink()
    for path in scene.user.runtime.glob("launch.py.*"):
        path.unlink()
    scene.user.runtime.chmod(mode)
    scene.assert_source_ran(scene.launch(), "")
    assert not list(scene.user.runtime.glob("launch.py.*"))


def test_a_compiled_launcher_of_another_user_is_not_run_and_is_replaced(scene: Scene) -> None:
    require_root()
    path = _compiled_launcher(scene)
    path.write_bytes(_hostile_bin(scene))
    os.chown(path, STRANGER, STRANGER)
    scene.assert_source_ran(scene.launch(), "hit")
    assert path.stat().st_uid == os.geteuid()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[:7], id="shorter than its hash"),
        pytest.param(lambda data: data[:-1], id="truncated"),
        pytest.param(lambda data: data + b"\0", id="appended to"),
        pytest.param(lambda data: data[:500] + b"\xff" + data[501:], id="byte changed"),
        pytest.param(lambda data: b"\0" + data[1:], id="hash changed"),
        pytest.param(lambda data: bytes(len(data)), id="zeros of a crash"),
    ],
)
def test_a_damaged_compiled_launcher_is_made_again(
    scene: Scene, damage: Callable[[bytes], bytes]
) -> None:
    path = _compiled_launcher(scene)
    good = path.read_bytes()
    path.write_bytes(damage(good))
    scene.assert_source_ran(scene.launch(), "hit")
    assert path.read_bytes() == good
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_compiled_launcher_of_another_version_of_python_is_not_loaded(scene: Scene) -> None:
    path = _compiled_launcher(scene)
    good = path.read_bytes()
    assert good[:8] == _imp.source_hash(sys.hexversion, good[8:])
    path.write_bytes(_imp.source_hash(sys.hexversion + 16, good[8:]) + good[8:])
    scene.assert_source_ran(scene.launch(), "hit")
    assert path.read_bytes() == good
    for part in (sys.implementation.cache_tag or "?", f"{sys.hexversion:x}"):
        other = path.rename(path.with_name(path.name.replace(part, "0")))
        scene.assert_source_ran(scene.launch(), "hit")
        assert path.read_bytes() == other.read_bytes() == good, "each has a launcher of its own"


def _rest_is_gone(path: Path) -> None:
    path.unlink()


def _rest_is_empty(path: Path) -> None:
    path.write_bytes(b"")


def _rest_has_another_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _rest_is_readable_by_others(path: Path) -> None:
    path.chmod(0o644)


@pytest.mark.parametrize(
    "harm", [_rest_is_gone, _rest_is_empty, _rest_has_another_bit, _rest_is_readable_by_others]
)
def test_what_few_launches_need_is_run_from_its_sources_where_it_is_not_as_it_was_made(
    scene: Scene, harm: Callable[[Path], None]
) -> None:
    harm(_compiled_launcher(scene).with_name(_compiled_launcher(scene).name + ".miss"))
    scene.assert_source_ran(scene.launch(), "hit")
    for path in entries(scene.hook.parent):
        path.unlink()
    scene.assert_source_ran(scene.launch(), "miss")
    scene.assert_source_ran(scene.launch(), "hit")


def test_a_hostile_part_for_few_launches_is_not_run(scene: Scene) -> None:
    rest = _compiled_launcher(scene).with_name(_compiled_launcher(scene).name + ".miss")
    rest.write_bytes(_hostile_bin(scene)[8:])
    for path in entries(scene.hook.parent):
        path.unlink()
    scene.assert_source_ran(scene.launch(), "miss")


def test_a_runtime_directory_open_to_others_names_no_binary_that_the_tool_starts(
    scene: Scene, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    evil = tmp_path_factory.mktemp("elsewhere") / "evil"
    evil.write_text(f"#!/bin/sh\n: >{scene.mark}\n")
    evil.chmod(0o755)
    runtime = scene.user.runtime
    (runtime / "seen" / "0").write_text(f"{evil}\0{scene.hook.parent}")
    project = Project(tmp_path, Config(), (HookSource(scene.hook),), runtime)
    find_interpreters(project, for_person(project, tmp_path, os.environ))
    assert scene.mark.exists(), "a launch's record is followed in a private directory"
    scene.mark.unlink()
    runtime.chmod(0o777)
    find_interpreters(project, for_person(project, tmp_path, os.environ))
    assert not scene.mark.exists()


# --- modules beside the hook


def _unchecked_hash(code: bytes, source: Path) -> bytes:
    return importlib.util.MAGIC_NUMBER + b"\1\0\0\0" + bytes(8) + code


def _timestamp(code: bytes, source: Path) -> bytes:
    status = source.stat()
    stamp = int(status.st_mtime).to_bytes(4, "little") + status.st_size.to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + bytes(4) + stamp + code


def _checked_hash(code: bytes, source: Path) -> bytes:
    hashed = importlib.util.source_hash(source.read_bytes())
    return importlib.util.MAGIC_NUMBER + b"\3\0\0\0" + hashed + code


@pytest.mark.parametrize("header", [_unchecked_hash, _timestamp, _checked_hash])
def test_the_compiled_module_that_a_clone_brought_is_replaced_by_compile(
    scene: Scene, header: Callable[[bytes, Path], bytes]
) -> None:
    module = scene.hook.with_name("sibling.py")
    module.write_text("WORD = 'the source'\n")
    scene.hook.write_text("import sys, sibling\nprint(sibling.WORD, *sys.argv[1:])\n")
    code = marshal.dumps(compile(scene.hostile() + "WORD = 'x'\n", "sibling.py", "exec"))
    cached = Path(importlib.util.cache_from_source(str(module), optimization=""))
    cached.parent.mkdir()
    cached.write_bytes(header(code, module))
    assert scene.user.source(scene.hook, "ls").stdout == b"hostile\nx ls\n", "Python believes it"
    scene.mark.unlink()
    scene.user.compile(scene.hook)
    (result,) = scene.user.compile_modules(module)
    assert result.state is State.COMPILED
    scene.assert_source_ran(scene.user.launch(scene.hook, "ls", flags=("-S",)), "hit")
    assert scene.user.source(scene.hook, "ls").stdout == EXPECTED
    assert not scene.mark.exists()
    (again,) = scene.user.compile_modules(module)
    assert again.state is State.FRESH


def test_a_symlinked_directory_of_compiled_modules_is_not_written_through(
    scene: Scene, tmp_path: Path
) -> None:
    module = scene.hook.with_name("sibling.py")
    module.write_text("WORD = 1\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    module.with_name("__pycache__").symlink_to(outside)
    (result,) = scene.user.compile_modules(module)
    assert result.state is State.UNWRITABLE
    assert list(outside.iterdir()) == []


# --- what we write


def test_neither_key_nor_launcher_is_open_to_others_whatever_the_umask(tmp_path: Path) -> None:
    def without_umask() -> None:
        os.umask(0)

    runtime = tmp_path / "runtime"
    code = (
        "import sys, pathlib; from hooks_compile.install import runtime_directory as r; "
        "r.ensure(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, runtime], check=True, preexec_fn=without_umask)
    hook = tmp_path / "hook.py"
    hook.write_bytes(SOURCE)
    launcher = runtime / "launch.py"
    subprocess.run(
        [default_interpreter().executable, *BARE, launcher, hook],
        check=True,
        capture_output=True,
        env={},
        preexec_fn=without_umask,
    )
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in runtime.rglob("*")}
    assert {mode & 0o077 for mode in modes.values()} == {0}, modes
    assert len(list(runtime.glob("launch.py.*"))) == 4


def test_the_key_is_in_no_entry_name_or_log(scene: Scene) -> None:
    scene.launch()
    scene.user.compile(scene.hook)
    key = scene.user.key
    for path in [*scene.hook.parent.rglob("*"), *scene.user.runtime.rglob("*")]:
        for half in (key[:8], key[8:]):
            assert half.hex() not in path.name
            if path.is_file() and path.name != "key":
                assert half not in path.read_bytes()
                assert half.hex().encode() not in path.read_bytes()
