"""The interpreters of this machine that tests run hooks under, and which were not found.

``each_interpreter`` parametrizes a test with the argument ``interpreter``: one ``Found`` for each
supported version, and a skip that says what to install for each one that is missing.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.support import tiers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

CPYTHON_MINORS = range(8, 16)
# Newer interpreters that .ci/newer-pythons.sh unpacked: the directory of their directories.
PREFIX_VARIABLE = "HOOKS_COMPILE_PYTHONS"

_REMEDY = f"pyenv install, or .ci/newer-pythons.sh and {PREFIX_VARIABLE}"
_PROBE = (
    "import sys; i = sys.implementation; v = sys.version_info; "
    "print(i.name, v[0], v[1], v[2], sys.executable, sep='\\n')"
)


@dataclass(frozen=True, slots=True)
class Found:
    """A real binary: no shim, not a virtual environment's link."""

    implementation: str
    version: tuple[int, int, int]
    executable: Path

    @property
    def name(self) -> str:
        """``cpython3.8``, ``pypy3.9``: what a test's id shows."""
        return f"{self.implementation}{self.version[0]}.{self.version[1]}"

    @property
    def is_cpython(self) -> bool:
        """Whether it is CPython."""
        return self.implementation == "cpython"


def printed(
    found: Found, program: str, *words: str, flags: Sequence[str] = (), stdin: str = ""
) -> str:
    """What a program prints under an interpreter, without ``site``: in silence, and to its end."""
    done = subprocess.run(
        [found.executable, "-S", *flags, "-c", program, *words],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(),
        input=stdin,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def clean_environment() -> dict[str, str]:
    """This process's environment without what would change how a Python starts."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "GIT_", "HOOKS_COMPILE_"))
        and name not in ("VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    }


@functools.cache
def found() -> tuple[Found, ...]:
    """Every supported interpreter of this machine: one for each version, CPython first."""
    seen: dict[str, Found] = {}
    for candidate in _candidates():
        if f"c{candidate.name}" in seen:  # cpython3.12 is found: spare python3.12 the probe
            continue
        interpreter = _probe(candidate)
        if interpreter is not None and _supported(interpreter):
            seen.setdefault(interpreter.name, interpreter)
    return tuple(sorted(seen.values(), key=lambda i: (not i.is_cpython, i.version)))


def missing() -> tuple[str, ...]:
    """The names of the supported interpreters that are not on this machine."""
    names = {interpreter.name for interpreter in found()}
    wanted = [f"cpython3.{minor}" for minor in CPYTHON_MINORS]
    absent = [name for name in wanted if name not in names]
    if not any(name.startswith("pypy") for name in names):
        absent.append("pypy3")
    return tuple(absent)


def report() -> str:
    """One line for pytest's header."""
    here = ", ".join(f"{i.name}.{i.version[2]}" for i in used()) or "none"
    left = ", ".join(i.name for i in found() if i not in used())
    text = f"hook interpreters: {here}; not found: {', '.join(missing()) or 'none'}"
    return f"{text}; only with {tiers.VARIABLE}=ci: {left}" if left else text


@functools.cache
def used() -> tuple[Found, ...]:
    """The interpreters that this run uses.

    By default the oldest CPython, the newest and the one that runs the tests; in CI all.
    """
    return found() if tiers.IS_CI else few() or found()


def parameters(*, minimum: tuple[int, int] = (3, 8), pypy: bool = True) -> list[object]:
    """``pytest.param`` for each interpreter from ``minimum`` on; a skip for each missing one."""
    wanted = [i for i in used() if i.version[:2] >= minimum and (pypy or i.is_cpython)]
    params: list[object] = [pytest.param(i, id=i.name) for i in wanted]
    for name in missing():
        if name.startswith("pypy") and not pypy:
            continue
        if name.startswith("cpython") and (3, int(name.rpartition(".")[2])) < minimum:
            continue
        skip = pytest.mark.skip(reason=f"{name} is not on this machine ({_REMEDY})")
        params.append(pytest.param(None, id=name, marks=skip))
    return params


def few() -> tuple[Found, ...]:
    """Return the oldest CPython, the newest and our own; all of them in soaks."""
    cpythons = [interpreter for interpreter in found() if interpreter.is_cpython]
    if tiers.IS_SOAK:
        return tuple(cpythons)
    own = [i for i in cpythons if i.version[:2] == sys.version_info[:2]]
    chosen = {*cpythons[:1], *own, *cpythons[-1:]}
    return tuple(interpreter for interpreter in cpythons if interpreter in chosen)


def in_turn(
    values: Iterable[T],
    interpreters: Sequence[Found],
    name: Callable[[T], str] = str,
    fits: Callable[[T, Found], bool] = lambda _value, _interpreter: True,
    *,
    one_each: bool = not tiers.IS_CI,
) -> list[object]:
    """Return ``pytest.param(value, interpreter)`` for each value and each interpreter that fits.

    With ``one_each`` a value has one interpreter: that behind the one of the value before.
    """
    params: list[object] = []
    for number, value in enumerate(values):
        fitting = [interpreter for interpreter in interpreters if fits(value, interpreter)]
        if one_each and fitting:
            fitting = [fitting[number % len(fitting)]]
        params += [pytest.param(value, i, id=f"{name(value)}-{i.name}") for i in fitting]
    return params


def _candidates() -> Iterator[Path]:
    for root in _pyenv_roots():
        yield from _newest_first((root / "versions").glob("*/bin/python3"))
    if prefix := os.environ.get(PREFIX_VARIABLE):
        yield from _newest_first(Path(prefix).glob("*/bin/python3"))
    names = [f"python3.{minor}" for minor in CPYTHON_MINORS]
    for name in [*names, "python3", "pypy3", *(f"pypy3.{minor}" for minor in CPYTHON_MINORS)]:
        for directory in os.get_exec_path():
            if (path := Path(directory, name)).is_file():
                yield path


def _newest_first(paths: Iterable[Path]) -> list[Path]:
    def version(path: Path) -> list[int]:
        return [int(part) if part.isdigit() else 0 for part in path.parts[-3].split(".")]

    return sorted(paths, key=version, reverse=True)


def _pyenv_roots() -> Iterator[Path]:
    if "PYENV_ROOT" in os.environ:
        yield Path(os.environ["PYENV_ROOT"])
    if pyenv := shutil.which("pyenv"):
        answer = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            yield Path(answer.stdout.strip())


def _probe(candidate: Path) -> Found | None:
    # A shim whose version is not selected fails, a virtual environment's link names its base.
    try:
        answer = subprocess.run(
            [candidate, "-I", "-S", "-c", _PROBE],
            capture_output=True,
            text=True,
            env=clean_environment(),
            timeout=100,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = answer.stdout.splitlines()
    if answer.returncode != 0 or len(lines) != 5:
        return None
    executable = Path(lines[4]).resolve()
    return Found(lines[0], (int(lines[1]), int(lines[2]), int(lines[3])), executable)


def _supported(interpreter: Found) -> bool:
    if interpreter.implementation == "pypy":
        return interpreter.version >= (3, 8)
    return interpreter.version[0] == 3 and interpreter.version[1] in CPYTHON_MINORS


newest = pytest.mark.parametrize("interpreter", few()[-1:], ids=["newest"])
each_interpreter = pytest.mark.parametrize("interpreter", parameters())
each_cpython = pytest.mark.parametrize("interpreter", parameters(pypy=False))
each_cpython_in_ci = each_cpython if tiers.IS_CI else newest
each_of_few = pytest.mark.parametrize("interpreter", few(), ids=lambda found: found.name)
