"""What is in the wheel, and that it works where nothing else of us is."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from typing import TYPE_CHECKING

import pytest

from hooks_compile import __version__
from hooks_compile.snapshots.loader_build import LoaderError, compile_loader
from tests.conftest import CHECKOUT
from tests.support.interpreters_found import clean_environment
from tests.support.repositories import write
from tests.support.tool import HOOK

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("hooks_compile", "watcher")
NEEDED = ("pyproject.toml", "README.md", "LICENSE")
# What runs in the user's shell; the rest is Python.
SCRIPTS = (
    "hooks_compile/git_hooks/git_hook.sh",
    "hooks_compile/launcher/hook_wrapper.sh",
    "hooks_compile/launcher/shims.sh",
    "hooks_compile/launcher/uv.sh",
)
# The source of the loader; compiled, it is there as well if there is a C compiler.
LOADER = (
    "hooks_compile/snapshots/loader/loader.c",
    "hooks_compile/snapshots/loader/aarch64.h",
    "hooks_compile/snapshots/loader/x86_64.h",
)
COMPILED = f"hooks_compile/snapshots/loader/loader-{platform.machine()}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout with nothing but what is needed."""
    directory = tmp_path_factory.mktemp("checkout")
    for name in PACKAGES:
        shutil.copytree(
            CHECKOUT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in NEEDED:
        shutil.copy(CHECKOUT / name, directory)
    write(directory / "hooks_compile" / "leftover.txt", "not ours\n")
    write(directory / "tests" / "test_x.py", "")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--outdir",
        str(directory / "dist"),
        str(directory),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = (directory / "dist").iterdir()
    return built


def test_the_wheel_holds_every_module_and_data_file_and_nothing_else(wheel: Path) -> None:
    version = f"hooks_compile-{__version__}.dist-info"
    expected = {
        path.relative_to(CHECKOUT).as_posix()
        for package in PACKAGES
        for pattern in ("*.py", "py.typed")
        for path in (CHECKOUT / package).rglob(pattern)
    }
    expected |= {*SCRIPTS, *LOADER}
    is_compiled = True
    try:
        compile_loader()
    except LoaderError:
        is_compiled = False
    expected |= {COMPILED} if is_compiled else set()
    expected |= {
        f"{version}/{name}"
        for name in (
            "METADATA",
            "RECORD",
            "WHEEL",
            "entry_points.txt",
            "licenses/LICENSE",
            "top_level.txt",
        )
    }
    with zipfile.ZipFile(wheel) as archive:
        assert set(archive.namelist()) == expected
        for name in (*SCRIPTS, *LOADER):
            assert archive.read(name) == (CHECKOUT / name).read_bytes()
    tag = sysconfig.get_platform().replace("-", "_") if is_compiled else "any"
    assert wheel.name == f"hooks_compile-{__version__}-py3-none-{tag}.whl"


def test_every_script_of_the_package_is_listed_here() -> None:
    found = [path for package in PACKAGES for path in (CHECKOUT / package).rglob("*.sh")]
    assert {path.relative_to(CHECKOUT).as_posix() for path in found} == set(SCRIPTS)


def test_an_installed_wheel_compiles_and_launches_hooks(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    env = clean_environment() | {"HOOKS_COMPILE_HOME": str(tmp_path / "runtime")}
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", environment], check=True, env=env
    )
    python = environment / "bin" / "python"
    # no shim: its record takes a lock, which comes with a package
    env["PATH"] = f"{python.parent}:/usr/bin:/bin"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", python),
            *("install", "--quiet", "--no-deps", "--no-index", wheel),
        ],
        check=True,
        env=env,
    )
    write(tmp_path / "project" / HOOK, "import sys\nprint('ran', *sys.argv[1:])\n")

    def tool(*words: str) -> str:
        done = subprocess.run(
            [environment / "bin" / "hooks-compile", *words],
            cwd=tmp_path / "project",
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done
        return done.stdout

    assert tool("--version") == f"hooks-compile {__version__}\n"
    assert "1 compiled" in tool("compile")
    assert tool("run", HOOK, "x") == "ran x\n"
    assert "written" in tool("wrapper")
    assert os.access((tmp_path / "project" / HOOK).with_name("hook_wrapper.sh"), os.X_OK)
    assert "1 up to date" in tool("check"), "neither needs a package that is not there"
