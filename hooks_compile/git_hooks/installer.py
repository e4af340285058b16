"""``hooks-compile git-hooks``: our hooks among those that git runs.

git 2.54 and later takes hooks from its configuration, beside whatever else is there. For an older
git they are files (:mod:`hooks_compile.git_hooks.hook_files`). Every change is a
:class:`~hooks_compile.git_hooks.steps.Step` first, so that ``--dry-run`` tells what would be done.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hooks_compile import git
from hooks_compile import trust as outside
from hooks_compile.errors import GitError, HooksCompileError
from hooks_compile.git_hooks import stamp as git_stamp
from hooks_compile.git_hooks.hook_files import (
    excluding,
    installing,
    removing,
    tracked_in,
    without_excluded,
)
from hooks_compile.git_hooks.hook_script import EVENTS, config_command, text
from hooks_compile.git_hooks.steps import ANYWHERE, Do, Step, configure, read, settings, take
from hooks_compile.install import runtime_directory as runtime_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.git import Repository

Method = Literal["config", "files"]

SECTION = "hook.hooks-compile"
"""Our settings in git's configuration."""

SCRIPT = "git_hook.sh"
"""The hook in the runtime folder that git's configuration names."""

_TEMPLATE = "git-template"
_FIRST_WITH_CONFIG = (2, 54)


def install(
    root: Path,
    env: Mapping[str, str],
    *,
    global_: bool = False,
    dry_run: bool = False,
    method: Method | None = None,
    tool: Path | None = None,
) -> list[Step]:
    """Let git run our hook for EVENTS in the repository of ``root``, and return what that took.

    With ``global_`` in all repositories of the user (``root`` does not matter): through the global
    configuration; for an older git through ``core.hooksPath`` where the user has set it, else
    through the folder that new clones are made from. ``method`` is chosen by git's version,
    ``tool`` is the command ``hooks-compile`` of this installation. Nothing is written with
    ``dry_run``; where all is in place there are no steps but LEAVE. Raises GitError where ``root``
    is in no repository, or git runs no hooks there; HooksCompileError where a file can't be
    written.
    """
    tool = tool or own_command()
    runtime = runtime_folder.location(env)
    by_config = (method or best_method()) == "config"
    if global_:
        plan = _install_globally(runtime, tool, by_config=by_config)
    else:
        plan = _install_locally(repository_of(root), runtime, tool, by_config=by_config)
    if not dry_run:
        runtime_folder.ensure(runtime)
    return take(plan, dry_run=dry_run)


def uninstall(
    root: Path, env: Mapping[str, str], *, global_: bool = False, dry_run: bool = False
) -> list[Step]:
    """Take back what :func:`install` did, by any method, and return what that took.

    Foreign hooks are put back byte for byte. What others have changed since stays, as do hooks in
    clones that were made from the template. Raises as :func:`install` does.
    """
    if global_:
        return take(_uninstall_globally(runtime_folder.location(env)), dry_run=dry_run)
    repository = repository_of(root)
    steps = take(_uninstall_locally(repository), dry_run=dry_run)
    if not dry_run:
        git_stamp.remove(repository.common_dir)
    return steps


def remove_shared(runtime: Path) -> list[Path]:
    """Remove what :func:`install` put into the runtime folder, and return what was removed.

    The folder for new clones stays as long as git's configuration names it: git would warn.
    """
    steps = [Step(Do.REMOVE, runtime / SCRIPT), Step(Do.REMOVE, runtime / _TEMPLATE)]
    if runtime / _TEMPLATE in template_folders():
        steps.pop()
    there = [step for step in steps if os.path.lexists(step.path)]
    return [step.path for step in take(there, dry_run=False)]


def template_folders() -> list[Path]:
    """Return where git takes new repositories from, if the user has said so; none without git."""
    try:
        return list(map(Path, settings(ANYWHERE, "init.templateDir", "--global", "--path")))
    except GitError:
        return []


def own_command() -> Path:
    """Return the command ``hooks-compile`` of this installation. Raises HooksCompileError."""
    beside_python = Path(sysconfig.get_path("scripts"), "hooks-compile")
    if beside_python.is_file():
        return beside_python
    env = outside.environment(os.environ, outside.tree_around(Path.cwd()))
    found = shutil.which("hooks-compile", path=env.get("PATH"))
    if found is None:
        raise HooksCompileError(
            "the command hooks-compile, which git is to run, is not on PATH",
            remedy="pipx install hooks-compile",
        )
    return Path(found).absolute()


def git_version() -> tuple[int, int]:
    """Return the first two numbers of git's version. Raises GitError where git is missing."""
    answer = git.run(["version"], cwd=ANYWHERE).decode(errors="replace").strip()
    found = re.search(r"(\d+)\.(\d+)", answer)
    if found is None:
        raise GitError(f"git names no version: {answer}", remedy="git version")
    return int(found[1]), int(found[2])


def best_method() -> Method:
    """Return how this git is best given hooks."""
    return "config" if git_version() >= _FIRST_WITH_CONFIG else "files"


def own_folders(repository: Repository) -> list[Path]:
    """Return the folders in which this repository alone has hooks: the one that git uses first.

    One that ``core.hooksPath`` names for all repositories of the user is not among them.
    """
    used = Path(os.path.realpath(repository.hooks_path))
    usual = repository.common_dir / "hooks"
    inside = [each for each in (repository.work_tree, repository.common_dir) if is_in(used, each)]
    if inside or settings(repository.work_tree, "core.hooksPath", "--local"):
        return list(dict.fromkeys((used, usual)))
    return [usual]


def is_in(path: Path, folder: Path) -> bool:
    """Tell whether ``path`` is below ``folder``, symlinks aside."""
    return path.is_relative_to(os.path.realpath(folder))


def repository_of(root: Path) -> Repository:
    """Return the repository whose work tree holds ``root``; raises GitError where there is none."""
    found = git.repository(root)
    if found is None:
        remedy = f"git init {shlex.quote(str(root))}"
        raise GitError("is not in a git work tree", path=root, remedy=remedy)
    return found


def _install_locally(
    repository: Repository, runtime: Path, tool: Path, *, by_config: bool
) -> Iterator[Step]:
    tree = repository.work_tree
    folders = own_folders(repository)
    if by_config:
        yield from _configuring(tree, "--local", runtime / SCRIPT, tool)
        for folder in folders:
            yield from removing(folder, "git runs it by configuration now")
        return
    folder = folders[0]
    if folder != Path(os.path.realpath(repository.hooks_path)):
        raise GitError(
            f"core.hooksPath leads to {repository.hooks_path}, which your repositories share",
            path=tree,
            remedy="hooks-compile git-hooks install --global",
        )
    if folder.exists() and not folder.is_dir():
        raise GitError(
            f"core.hooksPath is {folder}, no folder: git runs no hooks here",
            path=tree,
            remedy="git config --unset core.hooksPath",
        )
    tracked = tracked_in(repository, folder)
    yield from excluding(repository, folder, tracked)
    yield from installing(folder, tool, tracked)
    yield from _unconfiguring(tree, "--local")


def _install_globally(runtime: Path, tool: Path, *, by_config: bool) -> Iterator[Step]:
    if by_config:
        yield from _configuring(ANYWHERE, "--global", runtime / SCRIPT, tool)
        return
    for shared in settings(ANYWHERE, "core.hooksPath", "--global", "--path")[-1:]:
        if not Path(shared).is_dir():
            raise GitError(
                f"core.hooksPath is {shared}, no folder that all your repositories share",
                remedy="hooks-compile git-hooks install, in each repository",
            )
        yield from installing(Path(shared), tool)
        return
    templates = settings(ANYWHERE, "init.templateDir", "--global", "--path")
    folder = Path(templates[-1]) if templates else runtime / _TEMPLATE
    if not templates and not folder.exists():
        programs = Path(os.fsdecode(git.run(["--exec-path"], cwd=ANYWHERE)).strip())
        usual = programs.parent.parent / "share" / "git-core" / "templates"
        if usual.is_dir():
            yield Step(Do.COPY, folder, "what git puts into new repositories", usual)
    yield from installing(folder / "hooks", tool)
    if not templates:
        why = "new clones are made from it"
        yield configure(ANYWHERE, "--global", "init.templateDir", str(folder), why=why)


def _configuring(where: Path, scope: str, script: Path, tool: Path) -> Iterator[Step]:
    content = text(tool, None)
    if read(script) != content:
        yield Step(Do.WRITE, script, "git's configuration names it", content=content)
    command = config_command(script)
    if settings(where, f"{SECTION}.command", scope) != [command]:
        yield configure(where, scope, "--replace-all", f"{SECTION}.command", command)
    events = settings(where, f"{SECTION}.event", scope)
    for event in EVENTS:
        if event not in events:
            yield configure(where, scope, "--add", f"{SECTION}.event", event)


def _unconfiguring(where: Path, scope: str) -> Iterator[Step]:
    if any(settings(where, f"{SECTION}.{key}", scope) for key in ("command", "event")):
        yield configure(where, scope, "--remove-section", SECTION)


def _uninstall_locally(repository: Repository) -> Iterator[Step]:
    yield from _unconfiguring(repository.work_tree, "--local")
    for folder in own_folders(repository):
        yield from removing(folder)
    exclude = repository.common_dir / "info" / "exclude"
    old = read(exclude) or b""
    if without_excluded(old) != old:
        content = without_excluded(old)
        yield Step(Do.WRITE, exclude, "without our lines", content=content, mode=0o644)


def _uninstall_globally(runtime: Path) -> Iterator[Step]:
    yield from _unconfiguring(ANYWHERE, "--global")
    for shared in settings(ANYWHERE, "core.hooksPath", "--global", "--path"):
        yield from removing(Path(shared))
    own = runtime / _TEMPLATE
    for template in settings(ANYWHERE, "init.templateDir", "--global", "--path"):
        if Path(template) == own:
            yield configure(ANYWHERE, "--global", "--unset-all", "init.templateDir")
        else:
            yield from removing(Path(template, "hooks"))
    if own.is_dir():
        yield Step(Do.REMOVE, own)
