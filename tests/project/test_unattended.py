"""Interpreters for what runs by itself: found without a word of the work tree."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters.resolve import resolve
from hooks_compile.model import HookSource
from hooks_compile.project.config import Config
from hooks_compile.project.record import Project
from hooks_compile.project.selection import find_interpreters, for_unattended
from hooks_compile.trust import search_path
from tests.support.launches import default_interpreter
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Iterator


@functools.cache
def real() -> Path:
    return default_interpreter().executable


class Place:
    """A work tree in which each thing that is started leaves a mark, and a PATH outside of it."""

    def __init__(self, directory: Path) -> None:
        self.mark = directory / "mark"
        self.tree = directory / "tree"
        self.hook = write(self.tree / ".claude/hooks/guard.py", "print(1)\n")
        self.bin = directory / "bin"
        self.bin.mkdir()
        (self.bin / "python3").symlink_to(real())
        self.home = directory / "home"
        self.home.mkdir()
        self.runtime = directory / "runtime"

    def evil(self, path: Path) -> Path:
        return write(path, f"#!/bin/sh\ntouch '{self.mark}'\n", executable=True)

    def find(
        self, *path: Path | str, commands: tuple[str, ...] = (), strict: bool = False
    ) -> list[Path]:
        env = {"PATH": os.pathsep.join(map(str, path)), "HOME": str(self.home)}
        project = Project(self.tree, Config(), (HookSource(self.hook),), self.runtime)
        found = find_interpreters(project, for_unattended(project, env), commands, strict=strict)
        return [interpreter.executable for interpreter in found]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path.resolve())
    yield place
    assert not place.mark.exists()


def test_what_is_on_path_outside_of_the_tree_is_found(place: Place) -> None:
    assert place.find(place.bin) == [place.bin / "python3"]


def test_what_the_tree_brings_is_not_started(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.evil(place.tree / "bin/python3")
    place.evil(place.tree / "python3")
    monkeypatch.chdir(place.tree)
    link = place.home / "link"
    link.symlink_to(place.tree / "bin")
    for directory in (place.tree / "bin", "bin", ".", "", place.tree, link):
        assert place.find(directory, place.bin) == [place.bin / "python3"]


def test_a_virtual_environment_in_the_tree_is_the_python_that_it_leads_to(place: Place) -> None:
    venv = place.tree / ".venv/bin"
    venv.mkdir(parents=True)
    (venv / "python3").symlink_to(real())
    assert place.find(venv, "/usr/bin") == [real().resolve()]


def test_a_link_in_the_tree_leads_to_nothing_but_a_python_of_this_user(place: Place) -> None:
    links = place.tree / "bin"
    links.mkdir()
    other = place.evil(place.home / "python3")
    targets = [Path("/bin/sh"), place.evil(place.tree / "deep/python3"), Path("/gone/python3")]
    if os.geteuid() == 0:
        os.chown(other, 12345, 12345)
        targets.append(other)
    for target in targets:
        (links / "python3").unlink(missing_ok=True)
        (links / "python3").symlink_to(target)
        assert place.find(links, place.bin) == [place.bin / "python3"]


def test_a_shim_is_asked_at_home(place: Place) -> None:
    asked = place.home / "asked"
    shim = f"#!/bin/sh\npwd >> '{asked}'; echo \"$PWD\" >> '{asked}'\nexec '{real()}' \"$@\"\n"
    write(place.home / "shims/python3", shim, executable=True)
    assert place.find(place.home / "shims") == [real()]
    assert set(asked.read_text().splitlines()) == {str(place.home)}


def test_what_a_launch_recorded_is_compiled_for_unless_the_tree_brings_it(place: Place) -> None:
    inside = [
        place.evil(place.tree / "venv/bin/python3"),
        place.tree / "good/bin/python3",
        place.tree / "bad/bin/python3",
    ]
    for path, target in ((inside[1], real()), (inside[2], Path("/bin/sh"))):
        path.parent.mkdir(parents=True)
        path.symlink_to(target)
    for number, path in enumerate([*inside, Path("/gone/python3")]):
        write(place.runtime / "seen" / f"{number:016x}", f"{path}\0{place.hook.parent}")
    place.runtime.chmod(0o700)
    assert place.find("/nowhere") == [real().resolve()]


def test_what_is_not_there_is_left_out_or_told(place: Place) -> None:
    assert place.find(place.bin, commands=("python3", "python3.99")) == [place.bin / "python3"]
    with pytest.raises(InterpreterError, match=r"python3\.99"):
        place.find(place.bin, commands=("python3", "python3.99"), strict=True)


def test_a_path_in_the_users_own_words_counts_from_the_tree(place: Place) -> None:
    (place.tree / "mine").mkdir()
    (place.tree / "mine/python").symlink_to(real())
    assert place.find("/nowhere", commands=("mine/python",)) == [place.tree / "mine/python"]
    env = {"PATH": os.defpath, "HOME": "/"}
    assert resolve("mine/python", cwd=place.tree, env=env).version == default_interpreter().version


def test_a_search_path_without_what_trees_bring(place: Place) -> None:
    path = f"/usr/bin::.:bin:{place.tree}:{place.tree}/x:{place.bin}"
    assert search_path(path, place.tree) == f"/usr/bin:{place.bin}"
    assert search_path(path, place.tree, place.bin) == "/usr/bin"
