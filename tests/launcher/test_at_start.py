"""What real tools let a virtual environment load at each start does not keep a launch from ending
early and from importing ahead of the hook."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from tests.launcher.test_early_exit import ENDED_BY_PYTHON, telling_user
from tests.support.interpreters_found import clean_environment, each_of_few
from tests.support.repositories import write
from tests.support.tiers import ci_only

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.interpreters_found import Found
    from tests.support.launches import User

# project -> (its build backend, what builds it, more of its pyproject.toml)
EDITABLE = {
    # a finder: __editable___PROJECT_finder.py
    "by_setuptools": (
        "setuptools.build_meta",
        "setuptools",
        '[tool.setuptools]\npackages = ["by_setuptools"]\n',
    ),
    # a line with a path
    "by_hatch": ("hatchling.build", "hatchling", ""),
    # _editable_impl_PROJECT.py, which imports editables
    "by_hatch_exactly": (
        "hatchling.build",
        "hatchling",
        "[tool.hatch.build]\ndev-mode-exact = true\n",
    ),
    "by_poetry": ("poetry.core.masonry.api", "poetry-core", ""),
}
# They bring distutils-precedence.pth and a1_coverage.pth.
INSTALLED = ("setuptools", "coverage", "editables")
_HOOK = """\
import json
import sys
print(sys.path[0] in sys.path_importer_cache)
from by_hatch import VALUE as one
from by_hatch_exactly import VALUE as two
from by_poetry import VALUE as three
from by_setuptools import VALUE as four
print(one, two, three, four, len(sys.meta_path))
"""
_INDEX = ("PIP_", "UV_", "SSL_", "REQUESTS_", "HTTP", "http", "no_proxy", "NO_PROXY")


def uv(*words: object, cwd: Path) -> None:
    index = {name: value for name, value in os.environ.items() if name.startswith(_INDEX)}
    env = {**clean_environment(), **index}
    command = [find_uv_bin(), *map(str, words)]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def witness(interpreter: Found, tmp_path: Path) -> User:
    """Somebody whose launches tell on stderr if Python has to end the process."""
    return telling_user(tmp_path, interpreter)


@ci_only
@each_of_few
@pytest.mark.parametrize("maker", ["venv", "uv"])
def test_a_launch_with_what_tools_install_ends_early_and_imports_ahead(
    maker: str, interpreter: Found, witness: User, tmp_path: Path
) -> None:
    if interpreter.version < (3, 10):
        pytest.skip("imports are made ahead in 3.10 and later")
    venv = tmp_path / "venv"
    if maker == "uv":
        uv("venv", "--python", interpreter.executable, venv, cwd=tmp_path)
    else:
        command = [str(interpreter.executable), "-m", "venv", "--without-pip", str(venv)]
        subprocess.run(command, check=True, env=clean_environment())
    python = venv / "bin" / "python"
    editable: list[object] = []
    for name, (backend, requirement, more) in EDITABLE.items():
        text = f'[project]\nname = "{name}"\nversion = "1.0"\n[build-system]\n'
        text += f'requires = ["{requirement}"]\nbuild-backend = "{backend}"\n{more}'
        write(tmp_path / name / "pyproject.toml", text)
        source = name if backend.startswith("setuptools") else f"src/{name}"
        write(tmp_path / name / source / "__init__.py", f"VALUE = {name!r}\n")
        editable += ["-e", tmp_path / name]
    uv("pip", "install", "--python", python, *INSTALLED, *editable, cwd=tmp_path)
    loads_modules = [
        path.name
        for path in venv.glob("lib/*/site-packages/*.pth")
        if "import " in path.read_text()
    ]
    assert len(loads_modules) >= 4, loads_modules

    hook = write(tmp_path / "work" / "hook.py", _HOOK)
    witness.compile(hook)
    expected = witness.run([str(python), str(hook)])
    done = witness.run([str(python), str(witness.runtime / "launch.py"), str(hook)])
    assert (expected.status, expected.stderr) == (0, b"")
    assert expected.stdout.startswith(b"True\n")
    assert done.stdout == expected.stdout.replace(b"True", b"False", 1)
    assert (done.status, done.stderr, done.state) == (0, b"", "hit")


@each_of_few
def test_python_ends_the_process_if_an_unknown_module_was_loaded(
    interpreter: Found, witness: User, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    command = [str(interpreter.executable), "-m", "venv", "--without-pip", str(venv)]
    subprocess.run(command, check=True, env=clean_environment())
    (site,) = venv.glob("lib/*/site-packages")
    hook = write(tmp_path / "work" / "hook.py", "print('done')\n")
    words = [str(venv / "bin" / "python"), str(witness.runtime / "launch.py"), str(hook)]
    assert ENDED_BY_PYTHON not in witness.run(words).stderr
    write(site / "unknown.py", "")
    write(site / "unknown.pth", "import unknown\n")
    done = witness.run(words)
    assert (done.status, done.stdout) == (0, b"done\n")
    assert ENDED_BY_PYTHON in done.stderr


# What a backend's module of an editable installation does: it finds its own package alone.
_FINDS = """\
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        return None

def init():
    sys.meta_path.insert(0, Finder())
"""
_SHOWS = """\
import json
import sys
print(sys.path[0] in sys.path_importer_cache, len(sys.meta_path))
"""
# case -> the .pth files as tools write them, and what they load
_PTH_FILES = {
    "namespace package": {
        "zope.interface-4.7.2-nspkg.pth": (
            "import sys, types, os;has_mfs = sys.version_info > (3, 5);"
            "p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('zope',));"
            "importlib = has_mfs and __import__('importlib.util');"
            "has_mfs and __import__('importlib.machinery');"
            "m = has_mfs and sys.modules.setdefault('zope', importlib.util.module_from_spec("
            "importlib.machinery.PathFinder.find_spec('zope', [os.path.dirname(p)])));"
            "m = m or sys.modules.setdefault('zope', types.ModuleType('zope'));"
            "mp = (m or []) and m.__dict__.setdefault('__path__',[]);"
            "(p not in mp) and mp.append(p)\n"
        ),
        "zope/interface/__init__.py": "",
    },
    "scikit-build-core": {
        "_editable_skbc_some.pth": "import _editable_skbc_some\n/usr/share\n",
        "_editable_skbc_some.py": f"{_FINDS}\ninit()\n",
    },
    "scikit-build-core before 0.12": {
        "_some_editable.pth": "import _some_editable\n",
        "_some_editable.py": f"{_FINDS}\ninit()\n",
    },
    "meson-python": {
        "some-editable.pth": "import _some_editable_loader; _some_editable_loader.init()",
        "_some_editable_loader.py": _FINDS,
    },
    "pywin32": {
        # 3.15 names directories that are missing
        "win32/x.py": "",
        "win32\\lib/x.py": "",
        "Pythonwin/x.py": "",
        "pywin32.pth": (
            "# .pth file for the PyWin32 extensions\nwin32\nwin32\\lib\nPythonwin\n"
            "# And some hackery to deal with environments where the post_install script\n"
            "# isn't run.\nimport pywin32_bootstrap\n"
        ),
        "pywin32_bootstrap.py": (
            "try:\n    import pywin32_system32\nexcept ImportError:\n    pass\n"
        ),
    },
    "those that only look at a variable": {
        "coloredlogs.pth": (
            """import os; exec('try: __import__("coloredlogs").auto_install() """
            """if os.environ.get("COLOREDLOGS_AUTO_INSTALL") else None\\n"""
            """except ImportError: pass')\n"""
        ),
        "init_cov_core.pth": (
            """import os, sys;exec('if "COV_CORE_SOURCE" in os.environ:\\n """
            """from pytest_cov.embed import init\\n init()')\n"""
        ),
        "manhole.pth": (
            """import os, sys;exec('if "PYTHONMANHOLE" in os.environ:\\n """
            """from manhole import install\\n install()')\n"""
        ),
        "some.pth": "/usr/share\n",  # uv, poetry, flit, pdm, hatch, setuptools (strict)
    },
}


@each_of_few
@pytest.mark.parametrize("case", _PTH_FILES)
def test_files_of_other_tools_that_are_loaded_at_start(
    case: str, interpreter: Found, witness: User, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    command = [str(interpreter.executable), "-m", "venv", "--without-pip", str(venv)]
    subprocess.run(command, check=True, env=clean_environment())
    (site,) = venv.glob("lib/*/site-packages")
    for name, text in _PTH_FILES[case].items():
        write(site / name, text)
    hook = write(tmp_path / "work/hook.py", _SHOWS)
    witness.compile(hook)
    python = str(venv / "bin" / "python")
    expected = witness.run([python, str(hook)])
    done = witness.run([python, str(witness.runtime / "launch.py"), str(hook)])
    assert (expected.status, expected.stderr) == (0, b"")
    assert expected.stdout.startswith(b"True ")
    is_ahead = interpreter.version >= (3, 10)
    assert done.stdout == expected.stdout.replace(b"True", b"False" if is_ahead else b"True", 1)
    assert (done.status, done.stderr, done.state) == (0, b"", "hit")
