"""A record is used only while uv would decide the same: each thing that it goes by, changed."""

from __future__ import annotations

import os
import shutil
import subprocess
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.support.interpreters_found import found
from tests.support.launches import default_interpreter
from tests.support.repositories import write
from tests.support.tiers import scaled
from tests.support.uv_machine import BLOCK, WHO, Machine, asked, needs, remove

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IMPORTS = "import peer\nprint(peer.VERSION)\n"
WITH_PYTHONS = '# /// script\n# requires-python = ">=3.8"\n# dependencies = []\n# ///\n'
PROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.8"\n'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine.create(tmp_path.resolve() / "machine")
    machine.wheel("peer", "1.0")
    machine.wheel("peer", "2.0")
    return machine


def settled(machine: Machine, *words: str | Path) -> Machine:
    """A record is there, and launches do without uv."""
    assert asked(machine.wrapped(*words))
    assert not asked(machine.wrapped(*words))
    return machine


def environment(machine: Machine) -> Path:
    """The only environment of a script."""
    (directory,) = (machine.root / "cache").glob("environments-*/*")
    return directory


def edit(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def take_out(package: str, *environments: Path) -> None:
    for directory in environments:
        for path in directory.glob(f"lib/*/site-packages/{package}*"):
            remove(path)


def relink(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def lock(machine: Machine, hook: Path) -> None:
    """Lock a script that says for which Pythons: for others uv has a warning each time."""
    subprocess.run(
        ["uv", "lock", "-q", "--script", hook],
        env=machine.environment(),
        cwd=machine.work,
        check=True,
    )


def python_of(machine: Machine, version: str) -> str:
    """Another interpreter than that of most tests."""
    others = [i for i in found() if i.is_cpython and i != default_interpreter()]
    if not others:
        pytest.skip("needs a second CPython")
    return str(others[0].executable) if version == "path" else ".".join(map(str, others[0].version))


SCRIPT_CHANGES: dict[str, Callable[[Machine, Path], object]] = {
    "the metadata": lambda m, hook: m.hook(WHO),
    "a lock file": lock,
    "uv.toml beside it": lambda m, hook: write(hook.with_name("uv.toml"), "offline = true\n"),
    "uv.toml above it": lambda m, hook: write(m.root / "uv.toml", "offline = true\n"),
    "pyproject.toml": lambda m, hook: write(m.work / "pyproject.toml", "[tool.uv]\noffline=true\n"),
    "the user's uv.toml": lambda m, hook: write(
        m.root / "home/.config/uv/uv.toml", "offline = true\n"
    ),
    "the Python that the user wants": lambda m, hook: write(
        m.work / ".python-version", python_of(m, "path")
    ),
    "the Python that the user wants everywhere": lambda m, hook: write(
        m.root / "home/.config/uv/.python-version", python_of(m, "path")
    ),
    "uv": lambda m, hook: m.own_uv(),
    "the environment": lambda m, hook: remove(environment(m)),
    "the cache": lambda m, hook: remove(m.root / "cache"),
    "the environment's settings": lambda m, hook: edit(environment(m) / "pyvenv.cfg", "x = y\n"),
    "a package in the environment": lambda m, hook: write(
        next(environment(m).glob("lib/*/site-packages")) / "more.py", ""
    ),
    "the environment's interpreter": lambda m, hook: relink(
        environment(m) / "bin/python", python_of(m, "path")
    ),
}


@pytest.mark.parametrize("change", list(SCRIPT_CHANGES)[:: scaled(2, 1, 1)])
def test_uv_is_asked_again_where_a_change_could_matter(machine: Machine, change: str) -> None:
    hook = machine.hook(WHO, block=WITH_PYTHONS)
    settled(machine, "--script", hook)
    SCRIPT_CHANGES[change](machine, hook)
    first = machine.wrapped("--script", hook)
    assert asked(first)
    again = machine.wrapped("--script", hook)
    assert not asked(again)
    assert again.stdout.split(b" ", 1)[1] == machine.uv("--script", hook).stdout.split(b" ", 1)[1]


def test_uv_is_not_asked_again_where_only_the_code_changed(machine: Machine) -> None:
    hook = machine.hook(WHO)
    settled(machine, "--script", hook)
    machine.hook(WHO + "print('more')\n# more\n")
    assert not asked(machine.wrapped("--script", hook))
    hook.touch()
    assert not asked(machine.wrapped("--script", hook))


def test_a_python_wanted_by_its_path_or_name_is_looked_for(machine: Machine) -> None:
    hook = machine.hook(WHO)
    wanted = machine.root / "wanted"
    wanted.symlink_to(default_interpreter().executable)
    settled(machine, "--python", str(wanted), hook)
    relink(wanted, python_of(machine, "path"))
    changed = machine.wrapped("--python", str(wanted), hook)
    assert asked(changed)
    by_name = ("--python", "python3", hook)
    for _ in range(3):
        assert asked(machine.wrapped(*by_name))


def test_variables_of_uv_are_part_of_the_record(machine: Machine) -> None:
    hook = machine.hook(WHO)
    settled(machine, hook)
    other = machine.with_env(UV_PYTHON=python_of(machine, "path"))
    # the script has one environment, which uv makes anew for each
    assert asked(other.wrapped(hook))
    assert b"(3, 11)" not in other.wrapped(hook).stdout
    assert asked(machine.wrapped(hook))


def test_a_dependency_is_seen_as_soon_as_it_is_written(machine: Machine) -> None:
    hook = machine.hook(IMPORTS, **needs("peer<2"))
    assert machine.recorded(hook).stdout == b"1.0\n"
    assert machine.wrapped(hook).shown == (0, b"1.0\n", b"")
    machine.hook(IMPORTS, **needs("peer>=2"))
    assert machine.wrapped(hook).stdout == b"2.0\n"
    assert machine.wrapped(hook).shown == (0, b"2.0\n", b"")
    machine.hook(IMPORTS, **needs("peer<2"))
    assert machine.wrapped(hook).stdout == b"1.0\n"


def test_a_dependency_that_is_not_to_be_had_stops_the_hook_each_time(machine: Machine) -> None:
    hook = machine.hook("print('ran')\n")
    machine.recorded(hook)
    machine.hook("print('ran')\n", **needs("nowhere"))
    old = machine.uv(hook)
    assert (old.status, old.stdout) == (1, b"")
    for _ in range(3):
        assert machine.wrapped(hook).shown == old.shown


@pytest.mark.parametrize("block", ["# /// script\n# dependencies = [\n# ///\n", BLOCK + BLOCK])
def test_metadata_that_uv_refuses_is_refused(machine: Machine, block: str) -> None:
    hook = machine.hook("print('ran')\n")
    machine.recorded(hook)
    machine.hook("print('ran')\n", block=block)
    old = machine.uv(hook)
    assert old.status != 0
    for _ in range(3):
        assert machine.wrapped(hook).shown == old.shown


def test_a_package_that_somebody_took_out_comes_back(machine: Machine) -> None:
    hook = machine.hook(IMPORTS, **needs("peer"))
    machine.recorded(hook)
    take_out("peer", environment(machine))
    assert machine.wrapped(hook).stdout == b"2.0\n"


def test_a_project_is_synced_where_it_changed(machine: Machine) -> None:
    hook = machine.hook(IMPORTS, block="")
    write(machine.work / "pyproject.toml", PROJECT + 'dependencies = ["peer<2"]\n')
    assert machine.recorded(hook).shown == (0, b"1.0\n", b"")
    write(machine.work / "pyproject.toml", PROJECT + 'dependencies = ["peer>=2"]\n')
    assert machine.wrapped(hook).stdout == b"2.0\n"
    assert machine.wrapped(hook).shown == (0, b"2.0\n", b"")
    # a lock file that came with a branch counts as well
    write(machine.work / "pyproject.toml", PROJECT + 'dependencies = ["peer"]\n')
    assert machine.recorded(hook).stdout == b"2.0\n"
    locked = (machine.work / "uv.lock").read_text()
    subprocess.run(
        ["uv", "lock", "-q", "-P", "peer==1.0"],
        env=machine.environment(),
        cwd=machine.work,
        check=True,
    )
    assert (machine.work / "uv.lock").read_text() != locked
    assert machine.wrapped(hook).stdout == b"1.0\n"


def test_a_project_that_begins_is_found(machine: Machine) -> None:
    hook = machine.hook(WHO, "hooks/hook.py", block="")
    settled(machine, hook)
    before = machine.wrapped(hook).stdout
    write(machine.work / "pyproject.toml", PROJECT)
    assert asked(machine.wrapped(hook))
    after = machine.wrapped(hook)
    assert not asked(after)
    assert after.stdout != before
    assert str(machine.work / ".venv").encode() in after.stdout


def test_another_python_that_comes_first_on_path_is_taken(machine: Machine) -> None:
    hook = machine.hook(WHO, block="")
    settled(machine, hook)
    (machine.root / "first").mkdir()
    first = machine.with_env(PATH=f"{machine.root}/first:{machine.environment()['PATH']}")
    assert asked(first.wrapped(hook))
    assert not asked(first.wrapped(hook))
    (machine.root / "first/python3").symlink_to(python_of(machine, "path"))
    assert asked(first.wrapped(hook))
    assert first.wrapped(hook).stdout.split()[1:] == first.uv(hook).stdout.split()[1:]
    (machine.work / ".venv").mkdir()
    assert asked(first.wrapped(hook))


def test_a_python_that_uv_manages_is_taken_while_it_is_the_newest(machine: Machine) -> None:
    installed = machine.root / "home/.local/share/uv/python"
    installed.mkdir(parents=True)
    by_version = sorted(
        (i.version, i.executable)
        for i in found()
        if i.is_cpython and i.executable.parent.name == "bin"
    )
    if len(by_version) < 2 or os.uname().machine != "x86_64":
        pytest.skip("needs two CPythons that look like those of uv")
    hook = machine.hook(WHO, block="")
    for version, executable in by_version[-2:]:
        name = f"cpython-{'.'.join(map(str, version))}-linux-x86_64-gnu"
        (installed / name).mkdir()
        for directory in executable.parent.parent.iterdir():
            (installed / name / directory.name).symlink_to(directory)
        settled(machine, hook)
        assert str(version[:2]).encode() in machine.wrapped(hook).stdout


def test_a_hook_used_in_two_projects_has_the_environment_of_each(machine: Machine) -> None:
    hook = machine.hook(WHO, "own/hook.py", block="")
    for name in ("one", "two"):
        write(machine.work / name / "pyproject.toml", PROJECT.replace('"p"', f'"{name}"'))
    for name in ("one", "two"):
        settled(machine, "--project", str(machine.work / name), hook)
    for name in ("one", "two", "one"):
        launched = machine.wrapped("--project", str(machine.work / name), hook)
        assert not asked(launched)
        assert str(machine.work / name / ".venv").encode() in launched.stdout


def test_a_record_holds_several_circumstances(machine: Machine) -> None:
    hook = machine.hook(WHO)
    for number in range(3):
        settled(machine.with_env(UV_NUMBER=str(number)), hook)
    for number in range(3):
        assert not asked(machine.with_env(UV_NUMBER=str(number)).wrapped(hook))
    # what is left to uv in some circumstances is not in others
    for env in ({"UV_CONFIG_FILE": str(write(machine.root / "own.toml", ""))}, {"RUST_LOG": "uv"}):
        assert asked(machine.with_env(**env).wrapped(hook))
        assert asked(machine.with_env(**env).wrapped(hook))
        assert not asked(machine.with_env(UV_NUMBER="0").wrapped(hook))


SEEN = """\
import sys
try:
    from peer import VERSION
except ImportError:
    VERSION = "none"
print(sys.prefix, sys.version_info[:2], VERSION)
"""


@pytest.mark.parametrize("seed", range(scaled(1, 2, 30)))
def test_a_random_walk_runs_what_uv_runs(machine: Machine, seed: int) -> None:
    """The wrapper goes first at each step: uv would repair what it had to see itself."""
    random = Random(seed)  # noqa: S311 - a walk that can be walked again
    here, home, cache = machine.work, machine.root / "home/.config/uv", machine.root / "cache"
    project = here / "pyproject.toml"
    pin = here / ".python-version"
    needed = ["[]", '["peer<2"]', '["peer>=2"]', '["nowhere"]']
    blocks = ["", *(f"# /// script\n# dependencies = {it}\n# ///\n" for it in needed)]
    steps: list[Callable[[], object]] = [
        *(lambda block=block: machine.hook(SEEN, block=block) for block in blocks),
        *(lambda it=it: write(project, f"{PROJECT}dependencies = {it}\n") for it in needed),
        lambda: project.unlink(missing_ok=True),
        lambda: write(pin, ".".join(map(str, default_interpreter().version[:2]))),
        lambda: write(pin, python_of(machine, "path")),
        lambda: pin.unlink(missing_ok=True),
        lambda: write(here / "uv.toml", random.choice(["", "offline = true\n", "broken"])),
        lambda: write(home / "uv.toml", 'resolution = "lowest"\n'),
        lambda: shutil.rmtree(home, ignore_errors=True),
        lambda: shutil.rmtree(cache, ignore_errors=True),
        lambda: shutil.rmtree(here / ".venv", ignore_errors=True),
        lambda: (here / "uv.lock").unlink(missing_ok=True),
        lambda: take_out("peer", *cache.glob("environments-*/*")),
        lambda: take_out("peer", here / ".venv"),
        lambda: None,
    ]
    hook = machine.hook(SEEN)
    for _ in range(scaled(10, 25, 25)):
        random.choice(steps)()
        for _ in range(random.choice([1, 3])):
            ours = machine.wrapped(hook)
        theirs = machine.uv(hook)
        assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout)


LEFT_TO_UV: dict[str, Callable[[Machine], object]] = {
    "a package by its path": lambda m: m.hook(
        WHO, **needs(f"peer @ file://{m.root}/wheels/peer-1.0-py3-none-any.whl")
    ),
    "rules of uv in the metadata": lambda m: m.hook(
        WHO, block=f"{BLOCK[:-6]}# [tool.uv]\n# offline = true\n# ///\n"
    ),
    "a workspace": lambda m: (
        write(m.work / "pyproject.toml", PROJECT + '[tool.uv.workspace]\nmembers = ["a"]\n'),
        write(m.work / "a/pyproject.toml", PROJECT.replace('"p"', '"a"')),
        m.hook(WHO, block=""),
    ),
    "a package beside the project": lambda m: (
        write(m.root / "b/pyproject.toml", PROJECT.replace('"p"', '"b"')),
        write(
            m.work / "pyproject.toml",
            PROJECT + 'dependencies = ["b"]\n[tool.uv.sources]\n'
            'b = { path = "../b", package = false }\n',
        ),
        m.hook(WHO, block=""),
    ),
}


@pytest.mark.parametrize("case", list(LEFT_TO_UV)[:: scaled(2, 1, 1)])
def test_what_a_record_can_not_hold_to_is_left_to_uv(machine: Machine, case: str) -> None:
    LEFT_TO_UV[case](machine)
    hook = machine.work / "hook.py"
    for _ in range(3):
        assert asked(machine.wrapped(hook))
    assert machine.record(hook).read_text().startswith("-\n")


def test_no_variable_of_ours_reaches_a_hook_that_is_left_to_uv(machine: Machine) -> None:
    text = "import os\nprint(sorted(os.environ))\n"
    hook = machine.hook(text, block=f"{BLOCK[:-6]}# [tool.uv]\n# ///\n")
    machine.uv(hook)
    for _ in range(3):
        assert machine.wrapped(hook).stdout == machine.uv(hook).stdout
    assert os.fsencode(str(machine.runtime)) not in machine.uv(hook).stdout
