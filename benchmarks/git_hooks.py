"""What our git hooks cost git: ``python -m benchmarks.git_hooks``.

The same repository with and without them, in turn. ``git status`` has to write the index each
time, so that git runs post-index-change; a checkout of changed hooks brings ten contents that were
never compiled.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import timing
from hooks_compile.git_hooks import installer as git_hooks

CHANGED = 10
REBASED = 50
# At most as much more, in milliseconds, in a tree with few sources; if nothing is to be done,
# many of them may add MANY_ADD to it. A rebase has no bound, nor has a sync of 10,000 sources.
BOUNDS = {"status": 2.0, "checkout, no hook changed": 5.0, "checkout, 10 hooks changed": 150.0}
FEW = 100
MANY_ADD = 5.0


class Repository:
    """One work tree with ``count`` hook sources, with or without our git hooks."""

    def __init__(self, path: Path, count: int, env: dict[str, str], *, hooks: bool) -> None:
        """Make it. The first sync is not measured."""
        self.path = path
        self.env = env
        self.quiet = {**env, "HOOKS_COMPILE_GIT_HOOK": "1"}
        self._contents = 0
        directory = path / ".claude" / "hooks"
        directory.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        for number in range(count):
            place = directory / f"set{number // 100}"
            place.mkdir(exist_ok=True)
            (place / f"hook{number}.py").write_text(f"import json\nprint({number})\n")
        for number in range(200):
            (path / f"file{number}.txt").write_text(f"{number}\n")
        self._commit("start")
        self.git("checkout", "-q", "-b", "other")
        for number in range(20):
            (path / f"file{number}.txt").write_text("other\n")
        self._commit("other")
        self.git("checkout", "-q", "-b", "many")
        for number in range(REBASED):
            (path / f"file{50 + number}.txt").write_text("many\n")
            self._commit(str(number))
        self.git("checkout", "-q", "main")
        (path / "upstream.txt").write_text("new base\n")
        self._commit("new base")
        # Launches would leave the same entries, and git looks at their directories too.
        self.tool("compile")
        if hooks:
            self.tool("git-hooks", "install")
            self.tool("sync", "--git-hook")

    def tool(self, *words: str) -> None:
        """Run ``hooks-compile``."""
        command = [str(git_hooks.own_command()), *words]
        subprocess.run(command, cwd=self.path, env=self.env, check=True, capture_output=True)

    def git(self, *words: str) -> None:
        """Run git without our hooks."""
        subprocess.run(
            ["git", "-C", self.path, *words], env=self.quiet, check=True, capture_output=True
        )

    def _commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", message)

    def be_ready_for(self, what: str) -> None:
        """Bring the repository to the state in which the next measured command starts."""
        if what == "status":
            os.utime(self.path / "file150.txt")
        elif what == "checkout, no hook changed":
            self.git("checkout", "-q", "main")
        elif what == "checkout, 10 hooks changed":
            self.git("checkout", "-q", "-f", "main")
            self.git("checkout", "-q", "-B", "new")
            for number in range(CHANGED):
                self._contents += 1
                hook = self.path / f".claude/hooks/set0/hook{number}.py"
                hook.write_text(f"import json, re\nprint('new {self._contents}')\n")
            self._commit("new")
            self.git("checkout", "-q", "main")
            self.tool("sync", "--git-hook")  # what our hook would have done after these steps
        else:
            self.git("checkout", "-q", "-B", "rebased", "many")


COMMANDS = {
    "status": ["status", "--short"],
    "checkout, no hook changed": ["checkout", "-q", "other"],
    "checkout, 10 hooks changed": ["checkout", "-q", "new"],
    f"rebase of {REBASED} commits": ["rebase", "-q", "main"],
}


def measure(count: int, rounds: int, directory: Path) -> list[tuple[str, float, float, float]]:
    """Return ``(what, without, with, the median of the differences)`` in milliseconds."""
    home = directory / "home"
    home.mkdir(parents=True)
    (home / ".gitconfig").write_text("[user]\n\tname = B\n\temail = b@example.invalid\n")
    env = timing.environment(HOME=str(home), HOOKS_COMPILE_HOME=str(directory / "runtime"))
    env = {name: value for name, value in env.items() if not name.startswith("GIT_")}
    trees = {
        name: Repository(directory / name, count, env, hooks=name == "with")
        for name in ("without", "with")
    }
    rows = []
    for what, words in COMMANDS.items():
        times = timing.in_turn(
            {name: ["git", "-C", str(tree.path), *words] for name, tree in trees.items()},
            rounds=max(rounds // 10, 3) if "rebase" in what else rounds,
            env=env,
            before=lambda name, what=what: trees[name].be_ready_for(what),  # type: ignore[misc]
        )
        pairs = zip(times["with"].seconds, times["without"].seconds, strict=True)
        more = timing.Timing(tuple(a - b for a, b in pairs)).median_ms
        rows.append((what, times["without"].median_ms, times["with"].median_ms, more))
    return rows


def main(argv: list[str] | None = None) -> int:
    """Print the table; exit 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--sources", type=int, nargs="+", default=[10, 10_000])
    arguments = parser.parse_args(argv)
    version = subprocess.run(["git", "version"], capture_output=True, text=True, check=True)
    print(f"{version.stdout.strip()}, {git_hooks.best_method()}; {timing.machine()}\n")
    print("| hook sources | git | without, ms | with, ms | more, ms | at most |")
    print("|---|---|---|---|---|---|")
    failed = False
    few: dict[str, float] = {}
    for count in arguments.sources:
        directory = Path(tempfile.mkdtemp(prefix="hooks-compile-bench-"))
        try:
            for what, without, with_, more in measure(count, arguments.rounds, directory):
                if count <= FEW:
                    few[what] = more
                bound = BOUNDS.get(what)
                if count > FEW and bound is not None:
                    is_idle = "10 hooks" not in what
                    bound = few[what] + MANY_ADD if is_idle and what in few else None
                failed |= bound is not None and more > bound
                shown = f"{bound:.1f}" if bound is not None else ""
                print(
                    f"| {count:,} | {what} | {without:.1f} | {with_:.1f} | {more:.1f} | {shown} |"
                )
                sys.stdout.flush()
        finally:
            shutil.rmtree(directory)
    if failed:
        print("\na bound does not hold; on a busy machine measure again", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
