"""A throw-away pyenv: the real one's scripts and plugins, and links to the real one's versions.

``Scene.compare`` launches one hook twice in the same moment: from its source by ``python3``, which
is pyenv's shim, and through the wrapper. What the hook sees must be the same.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile.install import runtime_directory
from hooks_compile.interpreters import shims
from tests.support.launches import BARE, WRAPPER

if TYPE_CHECKING:
    from collections.abc import Mapping

# Shows what the shim's choice leaves a hook to see, itself and in a python3 that it starts.
HOOK = """
import json, os, subprocess, sys
env = dict(os.environ)
inner = "import json, os, sys; print(json.dumps([sys.executable, dict(os.environ)]))"
seen = {"executable": sys.executable, "prefix": sys.prefix, "argv": sys.argv, "env": env,
        "path": sys.path, "cwd": os.getcwd(), "version": sys.version}
if "--child" in sys.argv:
    seen["child"] = json.loads(subprocess.check_output(["python3", "-I", "-S", "-c", inner]))
print(json.dumps(seen, sort_keys=True))
sys.stderr.write("to stderr")
sys.exit(3)
"""
# Long ago, as pyenv's files are where nobody has just installed it.
LONG_AGO = 1_600_000_000
SYSTEM = ("/usr/bin", "/bin")


@functools.cache
def real_root() -> Path:
    """The directory of the real pyenv; skips the test where there is none, or no two versions."""
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        pytest.skip("pyenv is not on this machine")
    done = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True)
    root = Path(done.stdout.strip())
    if not (root / "libexec").is_dir():
        pytest.skip("this pyenv keeps its scripts elsewhere than its versions")
    return root


@functools.cache
def versions() -> tuple[str, ...]:
    """The names of the CPythons from 3.8 on that pyenv has here, oldest first; two at least."""
    names = [path.parents[1].name for path in real_root().glob("versions/3.*/bin/python3")]
    numbers = sorted(tuple(map(int, name.split("."))) for name in names if name.count(".") == 2)
    found = tuple(".".join(map(str, number)) for number in numbers if number >= (3, 8))
    if len(found) < 3:
        pytest.skip("pyenv with three versions of Python is not on this machine")
    return found


@dataclass(frozen=True)
class Launched:
    """What a launch showed."""

    status: int
    out: str
    err: str

    @property
    def seen(self) -> dict[str, Any]:
        """What the hook saw."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@dataclass
class Scene:
    """A pyenv, a user's runtime directory, and a hook in a project."""

    top: Path
    env: dict[str, str] = field(default_factory=dict)
    settled: int = 0

    @classmethod
    def create(cls, top: Path, *installed: str) -> Scene:
        """Set up a scene in ``top`` with these versions, the first of them the global one."""
        scene = cls(top)
        for name in ("libexec", "pyenv.d", "plugins"):
            spared = shutil.ignore_patterns(".*", "share", "test", "man")  # thousands of files
            shutil.copytree(real_root() / name, scene.root / name, symlinks=True, ignore=spared)
        (scene.root / "versions").mkdir()
        for name in installed:
            scene.install(name)
        if installed:
            scene.choose_globally(installed[0])
        (scene.root / "shims").mkdir()
        for name in ("python", "python3"):  # as a rehash writes them, which takes long
            text = (real_root() / "shims" / name).read_text()
            shim = scene.root / "shims" / name
            shim.write_text(text.replace(str(real_root()), str(scene.root)))
            shim.chmod(0o755)
        scene.settle()
        runtime_directory.ensure(scene.runtime)
        (scene.project / "sub" / "deep").mkdir(parents=True)
        scene.hook.write_text(HOOK)
        scene.env = {
            "HOME": str(top),
            "PATH": os.pathsep.join([str(scene.root / "shims"), *SYSTEM]),
            "HOOKS_COMPILE_HOME": str(scene.runtime),
        }
        return scene

    @property
    def root(self) -> Path:
        """pyenv's directory."""
        return self.top / "pyenv root"

    @property
    def runtime(self) -> Path:
        """The user's runtime directory."""
        return self.top / "runtime"

    @property
    def project(self) -> Path:
        """Where the hooks are launched from."""
        return self.top / "project"

    @property
    def hook(self) -> Path:
        """A hook that shows what it sees."""
        return self.project / "hook.py"

    def install(self, name: str, real: str | None = None) -> None:
        """Put a version there under ``name``."""
        (self.root / "versions" / name).symlink_to(real_root() / "versions" / (real or name))

    def uninstall(self, name: str) -> None:
        """Take a version away."""
        (self.root / "versions" / name).unlink()

    def choose_globally(self, text: str) -> None:
        """Write pyenv's global file."""
        (self.root / "version").write_text(f"{text}\n")

    def choose(self, text: str, directory: str = ".") -> Path:
        """Write a ``.python-version`` as it is given."""
        path = self.project / directory / ".python-version"
        path.write_text(text)
        return path

    def rehash(self) -> None:
        """Let pyenv write its shims."""
        env = {"PATH": os.pathsep.join(SYSTEM), "PYENV_ROOT": str(self.root)}
        done = subprocess.run(
            [self.root / "libexec" / "pyenv", "rehash"], env=env, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")

    def settle(self) -> None:
        """Let time go by since pyenv's files and directories were written."""
        self.settled += 1
        for name in ("shims", "libexec", "pyenv.d", "plugins", "versions"):
            inside = () if name == "versions" else (self.root / name).rglob("*")
            for path in (self.root / name, *inside):
                if path.lstat().st_mtime > LONG_AGO + 1000:
                    past = LONG_AGO + self.settled
                    os.utime(path, (past, past), follow_symlinks=False)

    def refresh(self, directory: str = ".", **env: str) -> shims.Bypass:
        """Record what the shim chooses now, as ``hooks-compile compile`` does."""
        cwd = self.project / directory
        given = self.env | env
        bypass = shims.bypass_of(self.runtime, "python3", cwd=cwd, env=given, record=True)
        assert bypass is not None
        return bypass

    def passes(self, directory: str = ".", **env: str) -> bool:
        """Whether a launch goes past the shim now."""
        cwd = self.project / directory
        bypass = shims.bypass_of(self.runtime, "python3", cwd=cwd, env=self.env | env)
        return bypass is not None and bypass.binary is not None

    def launch(
        self,
        *words: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        shell: tuple[str, ...] = ("sh",),
        wrapper: bool,
    ) -> Launched:
        """Launch the hook, from its source or through the wrapper."""
        arguments = [*BARE, str(self.hook), *words]
        command = [str(WRAPPER), *arguments] if wrapper else ["-c", 'exec python3 "$@"', "sh"]
        done = subprocess.run(
            [*shell, *command, *(() if wrapper else arguments)],
            cwd=cwd or self.project,
            env=dict(env or self.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
        return Launched(done.returncode, done.stdout, done.stderr)

    def compare(
        self,
        *words: str,
        directory: str = ".",
        shell: tuple[str, ...] = ("sh",),
        env: Mapping[str, str] = MappingProxyType({}),
    ) -> Launched:
        """Launch twice, require the same, and return what was seen."""
        cwd = self.project / directory
        given = self.env | dict(env)
        source = self.launch(*words, cwd=cwd, env=given, shell=shell, wrapper=False)
        wrapped = self.launch(*words, cwd=cwd, env=given, shell=shell, wrapper=True)
        assert wrapped == source
        return source
