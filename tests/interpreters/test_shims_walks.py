"""At random: pyenv, version files and variables change, hooks are launched, the tool records.

Each launch is made twice, by the shim and through the wrapper, and shows the same.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.support.pyenv_scene import Scene, versions
from tests.support.tiers import scaled

DIRECTORIES = (".", "sub", "sub/deep")
MINE = "mine"


@st.composite
def names(draw: st.DrawFn) -> str:
    """A version as somebody may name it: in full, by its beginning, or something else."""
    full = draw(st.sampled_from([*versions()[:3], versions()[-1]]))
    minor = full.rpartition(".")[0]
    return draw(
        st.sampled_from([full, full, minor, minor, "3", "system", MINE, "9.9", f"{minor}.99"])
    )


contents = st.lists(names(), min_size=0, max_size=2)
directories = st.sampled_from(DIRECTORIES)


class Walk(RuleBasedStateMachine):
    """A pyenv whose state is the directory's; nothing is remembered here but the variables."""

    @initialize()
    def create(self) -> None:
        """Set up a pyenv with two versions."""
        self.top = Path(tempfile.mkdtemp(prefix="hooks-shims-"))
        self.scene = Scene.create(self.top, *versions()[:2])
        self.env: dict[str, str] = {}

    @rule(directory=directories, content=contents, end=st.sampled_from(["\n", "", "\n# more\n"]))
    def choose(self, directory: str, content: list[str], end: str) -> None:
        """Write a version file."""
        self.scene.choose("\n".join(content) + end, directory)

    @rule(directory=directories)
    def choose_no_more(self, directory: str) -> None:
        """Remove a version file."""
        (self.scene.project / directory / ".python-version").unlink(missing_ok=True)

    @rule(content=contents)
    def choose_globally(self, content: list[str]) -> None:
        """Write pyenv's global file."""
        self.scene.choose_globally("\n".join(content))

    @rule(name=names(), real=st.sampled_from([0, 1, 2, -1]))
    def install_or_uninstall(self, name: str, real: int) -> None:
        """Put a version there, or take it away."""
        if (self.scene.root / "versions" / name).is_symlink():
            self.scene.uninstall(name)
        elif name not in ("3", "system"):
            self.scene.install(name, versions()[real])

    @rule(content=contents)
    def set_variable(self, content: list[str]) -> None:
        """Set PYENV_VERSION, or unset it."""
        self.env = {"PYENV_VERSION": ":".join(content)} if content else {}

    @rule(upgraded=st.sampled_from(["pyenv-exec", "pyenv---version", "pyenv-which"]))
    def touch(self, upgraded: str) -> None:
        """Let one of pyenv's scripts be another file, with the same text."""
        path = self.scene.root / "libexec" / upgraded
        shutil.copyfile(path, path.with_name("new"))
        shutil.copymode(path, path.with_name("new"))
        path.with_name("new").replace(path)

    @rule()
    def settle(self) -> None:
        """Let time go by."""
        self.scene.settle()

    @rule(directory=directories)
    def record(self, directory: str) -> None:
        """What ``hooks-compile compile`` does; a launch after it shows the same, too."""
        self.scene.refresh(directory, **self.env)
        self.scene.compare(directory=directory, env=self.env)

    @rule(directory=directories)
    def launch(self, directory: str) -> None:
        """Launch by the shim and through the wrapper."""
        self.scene.compare(directory=directory, env=self.env)

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "top"):
            shutil.rmtree(self.top)


Walk.TestCase.settings = settings(
    max_examples=scaled(1, 5, 150),
    stateful_step_count=scaled(10, 20, 40),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestWalks = pytest.mark.timeout(scaled(600, 600, 7200))(Walk.TestCase)
