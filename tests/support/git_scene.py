"""A project with one hook, in a repository where our git hooks and pre-commit may be installed.

``author`` is a second repository, without hooks, from which the work tree was cloned. The branches
are made so that every merge of the hook brings a content that was never on disk before::

    start ── main    the hook's last line changes, and notes.txt
       ├──── topic   the hook's first line changes
       └──── clash   the hook's first line changes, and notes.txt, against main
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hooks_compile.git_hooks.hook_files import EVENTS
from hooks_compile.install import wrapper
from tests.support.launches import default_interpreter
from tests.support.repositories import write
from tests.support.tiers import coverage_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hooks_compile.git_hooks.installer import Method

HOOK = ".claude/hooks/guard.py"
TIMEOUT_S = 300  # pre-commit may build an environment
TOOL = Path(sys.executable).parent / "hooks-compile"
PRE_COMMIT = Path(sys.executable).parent / "pre-commit"

_FILLER = "# a line that stays\n" * 12
_CONFIG = """\
[user]
\tname = Test Person
\temail = test@example.invalid
[init]
\tdefaultBranch = main
[protocol "file"]
\tallow = always
[advice]
\tdetachedHead = false
"""

State = Literal["hit", "miss", "source", ""]
"""What a launch through the wrapper was; "" where it found no launcher."""


def hook_text(top: str = "0", bottom: str = "0") -> str:
    """Return a hook whose two ends change independently of each other."""
    return f"import sys\nTOP = {top!r}\n{_FILLER}BOTTOM = {bottom!r}\nprint(TOP, BOTTOM)\n"


def gits() -> dict[str, Path]:
    """The git versions of this machine: the one on PATH, and those HOOKS_COMPILE_TEST_GIT names.

    The variable holds directories with a ``git``, separated as in PATH.
    """
    return _GITS


NO_NEWER_GIT = "git is older than 2.54 here (HOOKS_COMPILE_TEST_GIT names the directory of another)"


def is_new(version: str) -> bool:
    """Return whether a git of this version takes hooks from its configuration."""
    return tuple(map(int, version.split(".")[:2])) >= (2, 54)


def newer_git() -> str:
    """Return the version of a git here that takes hooks from its configuration, "" if none does."""
    return next(filter(is_new, gits()), "")


def _find_gits() -> dict[str, Path]:
    directories = os.environ.get("HOOKS_COMPILE_TEST_GIT", "").split(os.pathsep)
    found = [shutil.which("git"), *(f"{directory}/git" for directory in directories if directory)]
    versions = {}
    for git in filter(None, found):
        done = subprocess.run([git, "version"], capture_output=True, text=True, check=True)
        versions[done.stdout.split()[2]] = Path(git)
    return versions


_GITS = _find_gits()


@dataclass(frozen=True, slots=True)
class Scene:
    """``directory`` holds all of one user: home, runtime directory, ``author`` and ``repo``."""

    directory: Path
    git_binary: Path
    env: Mapping[str, str]

    @classmethod
    def create(
        cls, directory: Path, git_binary: Path | None = None, files: Mapping[str, str] | None = None
    ) -> Scene:
        """Make the two repositories, with ``files`` in every commit, and install nothing."""
        directory.mkdir(parents=True, exist_ok=True)
        directory = directory.resolve()
        git_binary = git_binary or next(iter(gits().values()))
        links = directory / "bin"
        links.mkdir()
        (links / "python3").symlink_to(default_interpreter().executable)
        write(directory / "home" / ".gitconfig", _CONFIG)
        env = {
            "PATH": os.pathsep.join(
                [str(links), str(git_binary.parent), *("/usr/local/bin", "/usr/bin", "/bin")]
            ),
            "HOME": str(directory / "home"),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOOKS_COMPILE_HOME": str(directory / "runtime"),
            **coverage_variables(),
        }
        scene = cls(directory, git_binary, env)
        scene._make(files or {})
        return scene

    def _make(self, files: Mapping[str, str]) -> None:
        self.author.mkdir()
        self.git("init", "-q", cwd=self.author)
        write(self.author / HOOK, hook_text())
        write(self.author / "notes.txt", "as it was\n")
        for name, text in files.items():
            write(self.author / name, text, executable=text.startswith("#!"))
        wrapper.write((self.author / HOOK).parent)
        self._commit("start")
        for branch, top, bottom, notes in (
            ("topic", "topic", "0", "as it was\n"),
            ("clash", "clash", "0", "clash\n"),
        ):
            self.git("checkout", "-q", "-b", branch, "main", cwd=self.author)
            write(self.author / HOOK, hook_text(top, bottom))
            write(self.author / "notes.txt", notes)
            self._commit(branch)
        self.git("checkout", "-q", "main", cwd=self.author)
        write(self.author / HOOK, hook_text(bottom="main"))
        write(self.author / "notes.txt", "main\n")
        self._commit("main")
        self.git("clone", "-q", "author", "repo", cwd=self.directory)
        for branch in ("topic", "clash"):
            self.git("branch", "-q", branch, f"origin/{branch}")

    def _commit(self, message: str) -> None:
        self.git("add", "-A", cwd=self.author)
        self.git("commit", "-q", "-m", message, cwd=self.author)

    def copy_to(self, directory: Path) -> Scene:
        """Copy it all, which is quicker than to make it; hooks name their own paths."""
        shutil.copytree(self.directory, directory, symlinks=True)
        env = {
            name: value.replace(str(self.directory), str(directory))
            for name, value in self.env.items()
            if not name.startswith("COVERAGE_")
        } | coverage_variables()
        scene = Scene(directory, self.git_binary, env)
        scene.git("remote", "set-url", "origin", str(scene.author))
        for copy in (scene.author, scene.repo):  # other inodes than the index knows
            scene.quietly("update-index", "-q", "--refresh", cwd=copy)
        return scene

    @property
    def author(self) -> Path:
        """Where the commits come from."""
        return self.directory / "author"

    @property
    def repo(self) -> Path:
        """The work tree that everything happens in."""
        return self.directory / "repo"

    @property
    def hook(self) -> Path:
        """The hook there."""
        return self.repo / HOOK

    def with_env(self, **env: str) -> Scene:
        """The same with more in the environment."""
        return replace(self, env={**self.env, **env})

    def run(
        self,
        *words: str | Path,
        cwd: Path | None = None,
        status: int | None = 0,
        stdin: str = "",
        timeout: float = TIMEOUT_S,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this user; the test fails where its exit status is another."""
        done = subprocess.run(
            [os.fspath(word) for word in words],
            cwd=cwd or self.repo,
            env=dict(self.env),
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            timeout=timeout,
        )
        assert status is None or done.returncode == status, f"{words}: {done}"
        return done

    def git(self, *words: str | Path, cwd: Path | None = None, status: int | None = 0) -> str:
        """Run git with its hooks; return its stdout, stripped."""
        return self.run(self.git_binary, *words, cwd=cwd, status=status).stdout.strip()

    def quietly(self, *words: str | Path, cwd: Path | None = None, status: int | None = 0) -> str:
        """Run git without any hook."""
        without = self.with_env(HOOKS_COMPILE_GIT_HOOK="1")
        return without.git("-c", "core.hooksPath=/dev/null", *words, cwd=cwd, status=status)

    def tool(
        self, *words: str | Path, cwd: Path | None = None, status: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run ``hooks-compile``."""
        return self.run(TOOL, *words, cwd=cwd, status=status)

    def install(
        self,
        method: Method | None = None,
        *,
        cwd: Path | None = None,
        global_: bool = False,
        tool: Path | None = None,
    ) -> None:
        """Install our git hooks as ``git-hooks install`` does, by any method."""
        code = (
            "import os, pathlib; from hooks_compile import git; "
            "from hooks_compile.git_hooks.installer import plan_install; "
            "from hooks_compile.git_hooks.steps import apply; "
            f"where = None if {global_} else git.require_repository(pathlib.Path.cwd()); "
            f"tool = {f'pathlib.Path({str(tool)!r})' if tool else None}; "
            f"plan = plan_install(where, os.environ, method={method!r}, tool=tool); "
            "apply(plan, os.environ)"
        )
        self.run(sys.executable, "-P", "-c", code, cwd=cwd)

    def edit(self, top: str = "0", bottom: str = "edited") -> None:
        """Change the hook in place, as many editors do."""
        self.hook.write_text(hook_text(top, bottom))

    def forget_global(self) -> None:
        """Make git's global configuration what it was before anything was installed."""
        write(self.directory / "home" / ".gitconfig", _CONFIG)

    def make_warm(self, *hooks: Path) -> None:
        """Forget everything compiled, then compile the hooks as they are now."""
        for hook in {self.hook, *hooks}:
            shutil.rmtree(hook.parent / "__pycache_opt__", ignore_errors=True)
        for tree in {self.repo, *(_tree_of(hook) for hook in hooks)}:
            self.tool("sync", "--git-hook", cwd=tree)

    def launch(self, hook: Path | None = None) -> State:
        """Launch a hook through the wrapper, and return whether it was a hit.

        The test fails where anything but the source as it is now ran.
        """
        hook = hook or self.hook
        trace = self.directory / "trace"
        trace.unlink(missing_ok=True)
        script = hook.parent / wrapper.NAME
        traced = self.with_env(HOOKS_COMPILE_TRACE=str(trace))
        launched = traced.run("sh", script, hook, cwd=hook.parent, status=None)
        source = self.run("python3", hook, cwd=hook.parent, status=None)
        assert (launched.returncode, launched.stdout) == (source.returncode, source.stdout)
        state = trace.read_text().partition("\t")[0] if trace.exists() else ""
        assert state in ("hit", "miss", "source", "")
        return state  # type: ignore[return-value]  # just asserted

    def put_husky(self) -> None:
        """Give the work tree a ``core.hooksPath`` with the layout of husky 9.

        Every file there finds out by ``$0`` which script of the project it stands for.
        """
        inner = self.repo / ".husky" / "_"
        write(inner / ".gitignore", "*")
        write(
            inner / "h",
            'name=${0##*/}\nscript=.husky/$name\n[ -f "$script" ] || exit 0\nsh -e "$script" "$@"\n'
            "exit $?\n",
        )
        stub = '#!/usr/bin/env sh\n. "$(dirname "$0")/h"\n'
        for event in ("pre-commit", *EVENTS[:-1]):  # husky knows no post-index-change
            write(inner / event, stub, executable=True)
        self.quietly("config", "core.hooksPath", ".husky/_")


def husky_script(words: Sequence[str | Path]) -> str:
    """Return a script of a project that uses husky: it runs a command with git's arguments."""
    return f'{shlex.join(str(word) for word in words)} "$@"\n'


def _tree_of(hook: Path) -> Path:
    return next(directory for directory in hook.parents if (directory / ".git").exists())
