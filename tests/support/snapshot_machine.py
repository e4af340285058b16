"""Machines with snapshots: a user whose launches go through the loader."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.snapshots import loader_build, maker, snapshot_store
from tests.support import interpreters_found
from tests.support.interpreters_found import Found
from tests.support.launches import Launched, User

if TYPE_CHECKING:
    from hooks_compile.model import Interpreter

NEEDS_LOADER = pytest.mark.skipif(
    not loader_build.is_supported_machine(), reason="snapshots are for Linux on x86-64"
)
# Snapshots are for these and later; the bounds of speed hold from 3.11 on.
OLDEST = (3, 11)


@functools.cache
def loader() -> bytes:
    """The loader, compiled once; without a compiler its tests are skipped."""
    try:
        return loader_build.loader()
    except loader_build.LoaderError as error:
        return pytest.skip(str(error))


def interpreters() -> list[Found]:
    """The interpreters that tests make snapshots of: of those that a run uses."""
    return [
        each for each in interpreters_found.used() if each.is_cpython and each.version >= OLDEST
    ]


each_snapshot_interpreter = pytest.mark.parametrize(
    "interpreter", interpreters(), ids=[each.name for each in interpreters()]
)


@functools.cache
def bare_environment(executable: Path) -> Path:
    """The Python of a new virtual environment: what this machine installs stays out."""
    directory = tempfile.mkdtemp(prefix="hooks-compile-venv-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    subprocess.run(
        [executable, "-m", "venv", "--without-pip", directory],
        check=True,
        capture_output=True,
        env=interpreters_found.clean_environment(),
    )
    return Path(directory, "bin", "python3")


def make(snapshots: snapshot_store.Store, place: snapshot_store.Place, kind: str) -> None:
    """Make a snapshot that was not tested."""
    held = snapshot_store.KINDS[kind]
    launcher = snapshots.runtime / "launch.py"
    copy = functools.partial(snapshots.copy_program, place)
    parts = maker.make(place.python, launcher, place.environment, held, copy)
    snapshots.publish(place, kind, snapshots.draft(place, parts))


@dataclass(frozen=True)
class Machine:
    """A user with snapshots on, one interpreter, and a directory for hooks."""

    user: User
    directory: Path
    snapshots: snapshot_store.Store

    @classmethod
    def create(cls, directory: Path, found: Found) -> Machine:
        """Turn snapshots on for the Python of a virtual environment of ``found``."""
        python = bare_environment(found.executable)
        user = User.create(directory, Found(found.implementation, found.version, python))
        home = directory / "home"
        home.mkdir()
        return cls.of(user.with_env(HOME=str(home)), directory)

    @classmethod
    def of(cls, user: User, directory: Path) -> Machine:
        """Turn snapshots on for a user."""
        snapshots = snapshot_store.Store(user.runtime)
        snapshots.create()
        snapshots.turn_on(loader())
        return cls(user, directory, snapshots)

    @property
    def interpreter(self) -> Interpreter:
        """The interpreter of the hooks."""
        return self.user.interpreter

    def write(self, source: str, name: str = "hook.py") -> Path:
        """Write a hook and compile it."""
        hook = self.directory / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(source, encoding="utf-8")
        self.user.compile(hook)
        return hook

    def make(self, *hooks: Path) -> Path:
        """Make the standard snapshot if there are hooks for it, or the base; return its path.

        It is not tested before it is used: the test is the test.
        """
        kind = snapshot_store.STANDARD if hooks else snapshot_store.BASE
        place = self.snapshots.place(self.user.python, self.user.environment())
        make(self.snapshots, place, kind)
        return place.directory / kind

    def launch(self, hook: Path, *arguments: str, **how: object) -> Launched:
        """A launch through the loader."""
        words = [
            *(str(self.snapshots.loader), self.user.python),
            *(str(self.user.runtime / "launch.py"), str(hook), *arguments),
        ]
        return self.user.run(words, **how)  # type: ignore[arg-type]
