"""Random walks: no launch is stale, and none is cold where git could have told of the change."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule

from tests.support.git_scene import HOOK, NO_NEWER_GIT, Scene, gits, newer_git
from tests.support.tiers import scaled

_LINES = 4
_MOST_TREES = 3

_templates: dict[str, Scene] = {}
_directory: list[Path] = []


@pytest.fixture(scope="module", autouse=True)
def _place_for_walks(tmp_path_factory: pytest.TempPathFactory) -> None:
    _directory.append(tmp_path_factory.mktemp("walks"))


def content(values: list[str]) -> str:
    """A hook whose lines change independently of each other."""
    lines = [f"v{number} = {value!r}\n" + "# stays\n" * 8 for number, value in enumerate(values)]
    return "import sys\n" + "".join(lines) + f"print({', '.join(f'v{n}' for n in range(_LINES))})\n"


class Walk(RuleBasedStateMachine):
    """``cold`` are the trees in which the next launch may have to compile: a person has edited the
    hook, or git has changed it without a word."""

    version = next(iter(gits()))
    branches: Bundle[str] = Bundle("branches")

    def __init__(self) -> None:
        super().__init__()
        if self.version not in _templates:
            scene = Scene.create(_directory[0] / f"git {self.version}", gits()[self.version])
            scene.hook.write_text(content(["0"] * _LINES))
            scene.quietly("commit", "-q", "-a", "-m", "lines")
            scene.make_warm()
            scene.install()
            _templates[self.version] = scene
        self.scene = _templates[self.version].copy_to(
            Path(tempfile.mkdtemp(dir=_directory[0])) / "scene"
        )
        self.trees = [self.scene.repo]
        self.cold: set[Path] = set()
        self.number = 0

    def teardown(self) -> None:
        shutil.rmtree(self.scene.directory)

    def new(self) -> str:
        self.number += 1
        return f"n{self.number}"

    def tree(self, index: int) -> Path:
        return self.trees[index % len(self.trees)]

    def git(self, tree: Path, *words: str) -> bool:
        """Run git; tell whether it did what was asked."""
        command = [str(self.scene.git_binary), *words]
        done = subprocess.run(
            command,
            cwd=tree,
            env={**self.scene.env, "GIT_EDITOR": "true"},
            capture_output=True,
            check=False,
            timeout=60,
        )
        said = [line for line in done.stderr.splitlines() if line.startswith(b"hooks-compile: ")]
        assert all(b"SyntaxError" in line for line in said), done  # a conflict in the hook
        return done.returncode == 0

    def look(self, tree: Path) -> None:
        """Launch the hook; it may be cold only once, and only where that was to be expected."""
        if not (tree / HOOK).exists():
            return
        state = self.scene.launch(tree / HOOK)
        assert state == "hit" or tree in self.cold, f"{tree.name}: {state}"
        self.cold.discard(tree)

    @initialize(target=branches)
    def start(self) -> str:
        return "main"

    @rule(index=st.integers(0, 2), line=st.integers(0, _LINES - 1), in_place=st.booleans())
    def edit(self, index: int, line: int, in_place: bool) -> None:
        tree = self.tree(index)
        if not (tree / HOOK).exists():
            return
        text = (tree / HOOK).read_text().splitlines(keepends=True)
        at = next((i for i, each in enumerate(text) if each.startswith(f"v{line} =")), None)
        if at is None:
            return
        text[at] = f"v{line} = {self.new()!r}\n"
        target = tree / HOOK if in_place else tree / f"{HOOK}.draft"
        target.write_text("".join(text))
        if not in_place:
            target.replace(tree / HOOK)
        self.cold.add(tree)

    @rule(index=st.integers(0, 2))
    def launch(self, index: int) -> None:
        self.look(self.tree(index))

    @rule(index=st.integers(0, 2), amend=st.booleans())
    def commit(self, index: int, amend: bool) -> None:
        tree = self.tree(index)
        words = ["--amend"] if amend else []
        if self.git(tree, "commit", "-q", "-a", "-m", self.new(), *words):
            self.cold.discard(tree)
        self.look(tree)

    @rule(target=branches, index=st.integers(0, 2))
    def branch(self, index: int) -> str:
        name = self.new()
        assert self.git(self.tree(index), "branch", name)
        return name

    @rule(index=st.integers(0, 2), branch=branches, detach=st.booleans())
    def checkout(self, index: int, branch: str, detach: bool) -> None:
        tree = self.tree(index)
        self.git(tree, "checkout", "-q", *(["--detach"] if detach else []), branch)
        self.look(tree)

    @rule(index=st.integers(0, 2), branch=branches)
    def merge(self, index: int, branch: str) -> None:
        tree = self.tree(index)
        if not self.git(tree, "merge", "-q", "--no-edit", branch):
            self.git(tree, "merge", "--abort")
        self.look(tree)

    @rule(index=st.integers(0, 2), branch=branches, autostash=st.booleans())
    def rebase(self, index: int, branch: str, autostash: bool) -> None:
        tree = self.tree(index)
        words = ["--autostash"] if autostash else []
        if not self.git(tree, "-c", "merge.conflictStyle=merge", "rebase", "-q", *words, branch):
            self.git(tree, "rebase", "--abort")
        if b"<<<<<<<" in (tree / HOOK).read_bytes():  # the stash did not fit
            self.git(tree, "reset", "-q", "--hard")
        self.look(tree)

    @rule(index=st.integers(0, 2), branch=branches, no_commit=st.booleans())
    def cherry_pick(self, index: int, branch: str, no_commit: bool) -> None:
        tree = self.tree(index)
        picked = self.git(tree, "cherry-pick", *(["-n"] if no_commit else []), branch)
        if not picked and not self.git(tree, "cherry-pick", "--abort"):
            self.git(tree, "reset", "-q", "--merge")
        self.look(tree)

    @rule(index=st.integers(0, 2))
    def revert(self, index: int) -> None:
        tree = self.tree(index)
        if not self.git(tree, "revert", "--no-edit", "HEAD"):
            self.git(tree, "revert", "--abort")
        self.look(tree)

    @rule(index=st.integers(0, 2), keep=st.booleans())
    def stash(self, index: int, keep: bool) -> None:
        tree = self.tree(index)
        self.git(tree, "stash", "push", "-q", *(["--keep-index"] if keep else []))
        self.look(tree)

    @rule(index=st.integers(0, 2))
    def stash_pop(self, index: int) -> None:
        tree = self.tree(index)
        if not self.git(tree, "stash", "pop", "-q"):
            self.git(tree, "checkout", "-q", "-f", "HEAD")
        self.look(tree)

    @rule(index=st.integers(0, 2), branch=branches, mode=st.sampled_from(["hard", "keep", "merge"]))
    def reset(self, index: int, branch: str, mode: str) -> None:
        tree = self.tree(index)
        self.git(tree, "reset", "-q", f"--{mode}", branch)
        self.look(tree)

    @rule(index=st.integers(0, 2), branch=branches, staged=st.booleans())
    def restore(self, index: int, branch: str, staged: bool) -> None:
        tree = self.tree(index)
        words = ["--staged", "--worktree"] if staged else []
        self.git(tree, "restore", "--source", branch, *words, HOOK)
        self.look(tree)

    @precondition(lambda self: len(self.trees) < _MOST_TREES)
    @rule(branch=branches)
    def worktree(self, branch: str) -> None:
        tree = self.scene.directory / self.new()
        assert self.git(self.scene.repo, "worktree", "add", "-q", "--detach", str(tree), branch)
        self.trees.append(tree)
        self.look(tree)

    @rule(index=st.integers(0, 2), branch=branches)
    def apply(self, index: int, branch: str) -> None:
        """One of the operations for which git runs no hook."""
        tree = self.tree(index)
        patch = self.scene.directory / "patch"
        assert self.git(tree, "diff", f"--output={patch}", "HEAD", branch)
        if patch.stat().st_size and self.git(tree, "apply", str(patch)):
            self.cold.add(tree)
        self.look(tree)

    @rule(index=st.integers(0, 2))
    def clean(self, index: int) -> None:
        """Another one: it takes what is compiled."""
        tree = self.tree(index)
        assert self.git(tree, "clean", "-q", "-f", "-d", "-x")
        self.cold.add(tree)
        self.look(tree)


class NewestWalk(Walk):
    """The same under the newest git here: its hooks are in its configuration."""

    version = newer_git() or next(iter(gits()))


for each in (Walk, NewestWalk):
    each.TestCase.settings = settings(
        max_examples=scaled(1, 5, 150),
        stateful_step_count=scaled(12, 20, 60),
    )


limit = pytest.mark.timeout(scaled(600, 600, 7200))
TestWalks = limit(Walk.TestCase)
TestWalksOfTheNewest = pytest.mark.skipif(not newer_git(), reason=NO_NEWER_GIT)(
    limit(NewestWalk.TestCase)
)
