"""Every git operation that changes files, and whether the hook is warm after it.

``python -m tests.support.git_matrix`` prints the table of ``docs/git.md``.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.git_scene import HOOK, hook_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.git_scene import Scene, State

# Prepares the scene without hooks, yields, then acts; what it yields at the end is launched.
Act = Callable[["Scene"], "Iterator[Path | None]"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row: what is typed, and how it is tried.

    ``silent``: git runs no hook for it, so that only the watcher sees the change.
    """

    name: str
    act: Act
    silent: bool = False


OPERATIONS: dict[str, Operation] = {}
COLUMNS = {
    "native_files": "native hooks",
    "husky_files": "native hooks beside husky's, which run pre-commit",
    "pre_commit": "pre-commit",
}
"""The set-ups of the table, each with its heading; what they are is in ``git_setups``."""


def operation(name: str, *, silent: bool = False) -> Callable[[Act], Act]:
    """Register a row."""

    def register(act: Act) -> Act:
        OPERATIONS[name] = Operation(name, act, silent)
        return act

    return register


def result(each: Operation, scene: Scene) -> State:
    """Try an operation in a fresh scene, and return what the launch after it was.

    Before it every hook is compiled. The test fails where another code than the source's runs.
    """
    steps = each.act(scene)
    also = next(steps)
    scene.make_warm(*([also] if also else []))
    before = scene.hook.read_bytes() if scene.hook.exists() else b""
    hook = next(steps, None)
    if hook is None:
        assert scene.hook.read_bytes() != before, "the operation did not change the hook"
    return scene.launch(hook)


@operation("clone")
def _clone(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("clone", "-q", "author", "clone", cwd=s.directory)
    yield s.directory / "clone" / HOOK


@operation("clone --recurse-submodules: a hook in the submodule")
def _clone_recursive(s: Scene) -> Iterator[Path | None]:
    outer = s.directory / "outer"
    s.quietly("init", "-q", outer)
    s.quietly("submodule", "--quiet", "add", s.author, "inner", cwd=outer)
    s.quietly("commit", "-q", "-m", "submodule", cwd=outer)
    yield None
    s.git("clone", "-q", "--recurse-submodules", "outer", "clone", cwd=s.directory)
    yield s.directory / "clone/inner" / HOOK


@operation("clone --no-checkout, then checkout")
def _clone_empty(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("clone", "-q", "--no-checkout", "author", "clone", cwd=s.directory)
    s.git("checkout", "-q", cwd=s.directory / "clone")
    yield s.directory / "clone" / HOOK


@operation("checkout BRANCH")
def _checkout(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("checkout", "-q", "topic")


@operation("checkout -b NEW START")
def _checkout_new(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("checkout", "-q", "-b", "new", "origin/topic")


@operation("checkout --detach")
def _checkout_detach(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("checkout", "-q", "--detach", "topic")


@operation("checkout -f")
def _checkout_force(s: Scene) -> Iterator[Path | None]:
    s.edit()
    yield None
    s.git("checkout", "-q", "-f", "topic")


@operation("checkout -m")
def _checkout_merge(s: Scene) -> Iterator[Path | None]:
    s.edit(bottom="main")
    s.hook.write_text(s.hook.read_text() + "print(1)\n")
    yield None
    s.git("checkout", "-q", "-m", "topic", status=None)
    if "<<<<" in s.hook.read_text():
        s.git("checkout", "--theirs", HOOK)


@operation("switch")
def _switch(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("switch", "-q", "topic")


@operation("switch -c NEW START")
def _switch_new(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("switch", "-q", "-c", "new", "origin/topic")


@operation("checkout -- FILE")
def _checkout_file(s: Scene) -> Iterator[Path | None]:
    s.quietly("reset", "-q", "--soft", "topic")  # the index is main's: its hook is on disk
    s.edit()
    yield None
    s.git("checkout", "-q", "--", HOOK)


@operation("checkout REVISION -- FILE")
def _checkout_file_of(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("checkout", "-q", "topic", "--", HOOK)


@operation("restore FILE")
def _restore(s: Scene) -> Iterator[Path | None]:
    s.edit()
    yield None
    s.git("restore", HOOK)


@operation("restore --source")
def _restore_source(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("restore", "--source", "topic", HOOK)


@operation("restore --source --staged --worktree")
def _restore_both(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("restore", "--source", "topic", "--staged", "--worktree", HOOK)


@operation("worktree add")
def _worktree_add(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("worktree", "add", "-q", "../linked", "topic")
    yield s.directory / "linked" / HOOK


@operation("reset --hard in a linked worktree")
def _worktree_reset(s: Scene) -> Iterator[Path | None]:
    s.quietly("worktree", "add", "-q", "../linked", "topic")
    linked = s.directory / "linked"
    yield linked / HOOK
    s.git("reset", "-q", "--hard", "clash", cwd=linked)
    yield linked / HOOK


@operation("worktree move")
def _worktree_move(s: Scene) -> Iterator[Path | None]:
    s.quietly("worktree", "add", "-q", "../linked", "topic")
    yield s.directory / "linked" / HOOK
    s.git("worktree", "move", "../linked", "../moved")
    yield s.directory / "moved" / HOOK


@operation("merge, fast-forward")
def _merge_ff(s: Scene) -> Iterator[Path | None]:
    s.quietly("reset", "-q", "--hard", "main~1")
    yield None
    s.git("merge", "-q", "origin/main")


@operation("merge")
def _merge(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("merge", "-q", "-m", "merged", "topic")


@operation("merge --squash")
def _merge_squash(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("merge", "-q", "--squash", "topic")


@operation("merge --no-commit")
def _merge_no_commit(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("merge", "-q", "--no-commit", "topic")


@operation("merge, stopped by a conflict")
def _merge_conflict(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("merge", "-q", "clash", status=1)


@operation("merge --abort")
def _merge_abort(s: Scene) -> Iterator[Path | None]:
    s.quietly("merge", "-q", "clash", status=1)
    yield None
    s.git("merge", "--abort")


@operation("merge --autostash")
def _merge_autostash(s: Scene) -> Iterator[Path | None]:
    s.edit(bottom="edited")
    yield None
    s.git("merge", "-q", "--autostash", "-m", "merged", "topic")


@operation("pull")
def _pull(s: Scene) -> Iterator[Path | None]:
    s.quietly("reset", "-q", "--hard", "main~1")
    yield None
    s.git("pull", "-q", "--no-rebase")


@operation("pull --rebase")
def _pull_rebase(s: Scene) -> Iterator[Path | None]:
    s.quietly("checkout", "-q", "topic")
    yield None
    s.git("pull", "-q", "--rebase", "origin", "main")


@operation("pull --rebase --autostash")
def _pull_autostash(s: Scene) -> Iterator[Path | None]:
    s.quietly("checkout", "-q", "topic")
    s.hook.write_text(s.hook.read_text().replace("import sys", "import os"))
    yield None
    s.git("pull", "-q", "--rebase", "--autostash", "origin", "main")


@operation("rebase")
def _rebase(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("rebase", "-q", "topic")


@operation("rebase --apply")
def _rebase_apply(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("rebase", "-q", "--apply", "topic")


@operation("rebase, stopped by a conflict")
def _rebase_conflict(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("rebase", "-q", "clash", status=1)


@operation("rebase --abort")
def _rebase_abort(s: Scene) -> Iterator[Path | None]:
    s.quietly("rebase", "-q", "clash", status=1)
    yield None
    s.git("rebase", "--abort")


@operation("rebase --quit")
def _rebase_quit(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("rebase", "-q", "clash", status=1)
    s.git("rebase", "--quit")


@operation("rebase --continue")
def _rebase_continue(s: Scene) -> Iterator[Path | None]:
    s.quietly("rebase", "-q", "clash", status=1)
    (s.repo / "notes.txt").write_text("solved\n")
    s.hook.write_text(s.hook.read_text() + "print(1)\n")
    yield None
    s.quietly("checkout", "-q", "HEAD", "--", HOOK)
    s.git("add", "-A")
    s.with_env(GIT_EDITOR="true").git("rebase", "--continue")


@operation("rebase --skip")
def _rebase_skip(s: Scene) -> Iterator[Path | None]:
    s.quietly("rebase", "-q", "clash", status=1)
    yield None
    s.git("rebase", "--skip")


@operation("rebase --autostash")
def _rebase_autostash(s: Scene) -> Iterator[Path | None]:
    s.hook.write_text(s.hook.read_text() + "print(1)\n")
    yield None
    s.git("rebase", "-q", "--autostash", "topic")


@operation("rebase -i, at an edit")
def _rebase_edit(s: Scene) -> Iterator[Path | None]:
    yield None
    s.with_env(GIT_SEQUENCE_EDITOR="sed -i s/^pick/edit/").git("rebase", "-q", "-i", "topic")


@operation("rebase -i, at an edit, --abort")
def _rebase_edit_abort(s: Scene) -> Iterator[Path | None]:
    editor = s.with_env(GIT_SEQUENCE_EDITOR="sed -i s/^pick/edit/")
    editor.quietly("rebase", "-q", "-i", "topic")
    yield None
    s.git("rebase", "--abort")


@operation("rebase -i --autostash")
def _rebase_i_autostash(s: Scene) -> Iterator[Path | None]:
    s.hook.write_text(s.hook.read_text() + "print(1)\n")
    yield None
    editor = s.with_env(GIT_SEQUENCE_EDITOR="true")
    editor.git("rebase", "-q", "-i", "--autostash", "topic")


@operation("rebase -i --autostash, at an edit, --abort")
def _rebase_i_autostash_abort(s: Scene) -> Iterator[Path | None]:
    s.hook.write_text(s.hook.read_text() + "print(1)\n")
    editor = s.with_env(GIT_SEQUENCE_EDITOR="sed -i s/^pick/edit/")
    editor.quietly("rebase", "-q", "-i", "--autostash", "topic")
    yield None
    s.git("rebase", "--abort")


@operation("rebase --exec")
def _rebase_exec(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("rebase", "-q", "--exec", f"echo 'print(1)' >> {HOOK} && git commit -qam exec", "topic")


@operation("rebase -i, a commit dropped")
def _rebase_drop(s: Scene) -> Iterator[Path | None]:
    s.quietly("checkout", "-q", "topic")
    yield None
    editor = s.with_env(GIT_SEQUENCE_EDITOR="sed -i s/^pick/drop/")
    editor.git("rebase", "-q", "-i", "main~1")


@operation("cherry-pick")
def _cherry_pick(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("cherry-pick", "topic")


@operation("cherry-pick -n")
def _cherry_pick_n(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("cherry-pick", "-n", "topic")


@operation("cherry-pick --ff")
def _cherry_pick_ff(s: Scene) -> Iterator[Path | None]:
    s.quietly("reset", "-q", "--hard", "main~1")
    yield None
    s.git("cherry-pick", "--ff", "origin/main")


@operation("cherry-pick, stopped by a conflict")
def _cherry_pick_conflict(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("cherry-pick", "clash", status=1)


@operation("cherry-pick --abort")
def _cherry_pick_abort(s: Scene) -> Iterator[Path | None]:
    s.quietly("cherry-pick", "clash", status=1)
    yield None
    s.git("cherry-pick", "--abort")


@operation("cherry-pick --skip")
def _cherry_pick_skip(s: Scene) -> Iterator[Path | None]:
    s.quietly("cherry-pick", "clash", status=1)
    yield None
    s.git("cherry-pick", "--skip")


@operation("cherry-pick --continue")
def _cherry_pick_continue(s: Scene) -> Iterator[Path | None]:
    s.quietly("cherry-pick", "clash", "topic", status=1)
    (s.repo / "notes.txt").write_text("solved\n")
    s.hook.write_text(hook_text("topic", "main"))
    s.quietly("add", "-A")
    s.quietly("checkout", "-q", "main", "--", HOOK)
    yield None
    s.with_env(GIT_EDITOR="true").git("cherry-pick", "--continue")


@operation("revert")
def _revert(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("revert", "--no-edit", "HEAD")


@operation("revert -n")
def _revert_n(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("revert", "-n", "HEAD")


def _patch(s: Scene, revision: str = "topic") -> Path:
    name = s.quietly("format-patch", "-q", "-1", "--stdout", revision)
    path = s.directory / "change.patch"
    path.write_text(name + "\n")
    return path


@operation("revert --abort")
def _revert_abort(s: Scene) -> Iterator[Path | None]:
    (s.repo / "notes.txt").write_text("other\n")
    s.quietly("commit", "-q", "-a", "-m", "other")
    s.quietly("revert", "--no-edit", "HEAD~1", status=1)
    yield None
    s.git("revert", "--abort")


@operation("am")
def _am(s: Scene) -> Iterator[Path | None]:
    patch = _patch(s)
    yield None
    s.git("am", "-q", patch)


@operation("am -3")
def _am_3(s: Scene) -> Iterator[Path | None]:
    patch = _patch(s)
    s.quietly("checkout", "-q", "clash")
    s.hook.write_text(hook_text("0", "other"))
    s.quietly("commit", "-q", "-a", "-m", "other")
    yield None
    s.git("am", "-q", "-3", patch)


@operation("am, stopped by a conflict")
def _am_conflict(s: Scene) -> Iterator[Path | None]:
    patches = _patch(s).read_text() + _patch(s, "clash").read_text()
    both = s.directory / "both.patch"
    both.write_text(patches)
    yield None
    s.git("am", "-q", both, status=128)


@operation("am --skip")
def _am_skip(s: Scene) -> Iterator[Path | None]:
    other = _patch(s, "topic").read_text()
    both = s.directory / "both.patch"
    both.write_text(_patch(s, "clash").read_text() + other)
    s.quietly("am", "-q", both, status=128)
    yield None
    s.git("am", "--skip")


@operation("am --abort")
def _am_abort(s: Scene) -> Iterator[Path | None]:
    patches = _patch(s).read_text() + _patch(s, "clash").read_text()
    both = s.directory / "both.patch"
    both.write_text(patches)
    s.quietly("am", "-q", both, status=128)
    yield None
    s.git("am", "--abort")


@operation("apply", silent=True)
def _apply(s: Scene) -> Iterator[Path | None]:
    patch = _patch(s)
    yield None
    s.git("apply", patch)


@operation("apply --index")
def _apply_index(s: Scene) -> Iterator[Path | None]:
    patch = _patch(s)
    yield None
    s.git("apply", "--index", patch)


@operation("apply --3way")
def _apply_3way(s: Scene) -> Iterator[Path | None]:
    patch = _patch(s)
    yield None
    s.git("apply", "--3way", patch)


@operation("stash push")
def _stash_push(s: Scene) -> Iterator[Path | None]:
    s.edit()
    yield None
    s.git("stash", "push", "-q")


@operation("stash push -u")
def _stash_push_u(s: Scene) -> Iterator[Path | None]:
    s.edit()
    (s.repo / "new.txt").write_text("new\n")
    yield None
    s.git("stash", "push", "-q", "-u")


@operation("stash push --keep-index")
def _stash_keep(s: Scene) -> Iterator[Path | None]:
    s.edit(bottom="staged")
    s.quietly("add", "-A")
    s.edit(bottom="not staged")
    yield None
    s.git("stash", "push", "-q", "--keep-index")


@operation("stash push FILE")
def _stash_file(s: Scene) -> Iterator[Path | None]:
    s.edit()
    yield None
    s.git("stash", "push", "-q", "--", HOOK)


@operation("stash pop")
def _stash_pop(s: Scene) -> Iterator[Path | None]:
    s.edit()
    s.quietly("stash", "push", "-q")
    yield None
    s.git("stash", "pop", "-q")


@operation("stash apply --index")
def _stash_apply(s: Scene) -> Iterator[Path | None]:
    s.edit(bottom="staged")
    s.quietly("add", "-A")
    s.quietly("stash", "push", "-q")
    yield None
    s.git("stash", "apply", "-q", "--index")


@operation("stash branch")
def _stash_branch(s: Scene) -> Iterator[Path | None]:
    s.edit()
    s.quietly("stash", "push", "-q")
    s.quietly("checkout", "-q", "topic")
    yield None
    s.git("stash", "branch", "stashed")


@operation("stash pop of an untracked file", silent=True)
def _stash_pop_untracked(s: Scene) -> Iterator[Path | None]:
    new = s.hook.with_name("new.py")
    new.write_text("print('new')\n")
    s.quietly("stash", "push", "-q", "-u")
    yield None
    s.git("stash", "pop", "-q")
    yield new


@operation("reset --hard")
def _reset_hard(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("reset", "-q", "--hard", "topic")


@operation("reset --keep")
def _reset_keep(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("reset", "-q", "--keep", "topic")


@operation("reset --merge")
def _reset_merge(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("reset", "-q", "--merge", "topic")


@operation("add, after an edit in place")
def _add(s: Scene) -> Iterator[Path | None]:
    yield None
    s.edit()
    s.git("add", "-A")


@operation("commit -a, after an edit in place")
def _commit(s: Scene) -> Iterator[Path | None]:
    yield None
    s.edit()
    s.git("commit", "-q", "-a", "-m", "edited")


@operation("commit --amend, after an edit in place")
def _commit_amend(s: Scene) -> Iterator[Path | None]:
    yield None
    s.edit()
    s.git("commit", "-q", "-a", "--amend", "-m", "edited")


@operation("commit FILE, after an edit in place")
def _commit_file(s: Scene) -> Iterator[Path | None]:
    yield None
    s.edit()
    (s.repo / "notes.txt").write_text("not in the commit\n")
    s.git("commit", "-q", "-m", "edited", HOOK)


@operation("mv")
def _mv(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("mv", HOOK, f"{HOOK[:-8]}renamed.py")
    yield s.hook.with_name("renamed.py")


@operation("rm of another hook")
def _rm(s: Scene) -> Iterator[Path | None]:
    other = s.hook.with_name("other.py")
    other.write_text("print('other')\n")
    s.quietly("add", "-A")
    s.quietly("commit", "-q", "-m", "other")
    yield None
    s.edit()
    s.git("rm", "-q", str(other))


@operation("sparse-checkout disable")
def _sparse(s: Scene) -> Iterator[Path | None]:
    s.quietly("sparse-checkout", "set", ".husky")
    yield None
    s.git("sparse-checkout", "disable")


@operation("sparse-checkout set")
def _sparse_set(s: Scene) -> Iterator[Path | None]:
    s.quietly("sparse-checkout", "set", ".husky")
    yield None
    s.git("sparse-checkout", "set", ".claude", ".husky")


@operation("read-tree -u -m")
def _read_tree(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("read-tree", "-u", "-m", "HEAD", "topic")


@operation("bisect")
def _bisect(s: Scene) -> Iterator[Path | None]:
    s.quietly("checkout", "-q", "-B", "long", "topic")
    for number in range(3):
        s.hook.write_text(hook_text(str(number)))
        s.quietly("commit", "-q", "-a", "-m", str(number))
    yield None
    s.git("bisect", "start", "long", "topic~1")


@operation("bisect reset")
def _bisect_reset(s: Scene) -> Iterator[Path | None]:
    s.quietly("bisect", "start", "topic", "main~1")
    s.quietly("checkout", "-q", "clash")
    yield None
    s.git("bisect", "reset")


@operation("filter-branch")
def _filter_branch(s: Scene) -> Iterator[Path | None]:
    yield None
    edit = f"echo 'print(1)' >> {HOOK}"
    quick = s.with_env(FILTER_BRANCH_SQUELCH_WARNING="1")
    quick.git("filter-branch", "-f", "--tree-filter", edit, "HEAD~1..HEAD")


@operation("push to it, with receive.denyCurrentBranch=updateInstead")
def _push_to(s: Scene) -> Iterator[Path | None]:
    s.quietly("config", "receive.denyCurrentBranch", "updateInstead")
    s.quietly("merge", "-q", "-m", "merged", "topic", cwd=s.author, status=None)
    s.quietly("merge", "-q", "-m", "merged", "origin/topic", cwd=s.author, status=None)
    (s.author / HOOK).write_text(hook_text("pushed"))
    s.quietly("commit", "-q", "-a", "-m", "pushed", cwd=s.author)
    yield None
    s.git("push", "-q", s.repo, "main", cwd=s.author)


@operation("checkout-index -f", silent=True)
def _checkout_index(s: Scene) -> Iterator[Path | None]:
    s.edit()
    yield None
    s.git("checkout-index", "-f", HOOK)


@operation("clean -x, which takes what is compiled", silent=True)
def _clean(s: Scene) -> Iterator[Path | None]:
    yield None
    s.git("clean", "-q", "-f", "-d", "-x", ".claude")
    yield s.hook


@operation("submodule update, hooks in the superproject only", silent=True)
def _submodule(s: Scene) -> Iterator[Path | None]:
    s.forget_global()
    s.quietly("checkout", "-q", "-b", "with")
    s.quietly("submodule", "--quiet", "add", s.author, "inner")
    s.quietly("commit", "-q", "-m", "submodule")
    s.quietly("checkout", "-q", "topic", cwd=s.repo / "inner")
    s.quietly("commit", "-q", "-a", "-m", "submodule moved")
    s.quietly("checkout", "-q", "HEAD~1")
    s.quietly("submodule", "--quiet", "update")
    hook = s.repo / "inner" / HOOK
    yield hook
    s.quietly("checkout", "-q", "with")
    s.git("submodule", "--quiet", "update")
    yield hook


def table(cold: Mapping[str, Sequence[str]]) -> str:
    """Return the Markdown table of the operations after which a hook is cold, for each set-up."""
    rows = (f"| {COLUMNS[column]} | {'; '.join(names)} |\n" for column, names in cold.items())
    return "| set-up | cold after |\n|---|---|\n" + "".join(rows)


def cold(document: str) -> dict[str, list[str]]:
    """Return what :func:`table` was given, from a text that holds the table."""
    rows = document.partition("| set-up | cold after |\n")[2].partition("\n\n")[0].splitlines()[1:]
    names = [row.strip("| ").split(" | ")[1].split("; ") for row in rows]
    return dict(zip(COLUMNS, names, strict=True))


def main(names: list[str]) -> int:
    """Try everything, or the operations of these names, with the git on PATH; print the table."""
    from tests.support import git_setups  # noqa: PLC0415 - it needs pre-commit
    from tests.support.git_scene import gits  # noqa: PLC0415
    from tests.support.precommit_scene import Packaged  # noqa: PLC0415

    chosen = [OPERATIONS[name] for name in names] or list(OPERATIONS.values())
    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="hooks-compile-matrix-") as name:
        directory = Path(name).resolve()
        packaged = Packaged.create(directory / "packaged")
        for column in COLUMNS:
            make = getattr(git_setups, column)
            scene = make(directory / column, next(iter(gits().values())), lambda: packaged)
            found[column] = []
            for each in chosen:
                copy = scene.copy_to(directory / "scene")
                state = result(each, copy)
                if state != "hit":
                    found[column].append(each.name)
                shutil.rmtree(copy.directory)
                sys.stderr.write(f"{column}: {each.name}: {state}\n")
    sys.stdout.write(table(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
