"""``hooks-compile git-hooks``: our hooks among those that git runs.

git 2.54 and later takes hooks from its configuration, beside whatever else is there. For an older
git they are files (:mod:`hooks_compile.git_hooks.hook_files`). Every change is a
:class:`~hooks_compile.git_hooks.steps.Step` first, so that ``--dry-run`` can show it, and that a
directory which can't be written is found before the first change.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hooks_compile import git, trust
from hooks_compile.errors import GitError, HooksCompileError
from hooks_compile.git_hooks import hook_files, stamp
from hooks_compile.git_hooks.hook_script import EVENTS, config_command, text
from hooks_compile.git_hooks.steps import Do, Step, check, read, take
from hooks_compile.install import runtime_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hooks_compile.git import Repository, Setting

Method = Literal["config", "files"]

SECTION = "hook.hooks-compile"
"""Our settings in git's configuration."""

SCRIPT = "git_hook.sh"
"""The hook in the runtime directory that git's configuration names."""

_TEMPLATE = "git-template"
_FIRST_WITH_CONFIG = (2, 54)
_SETTINGS = (
    r"^(core\.hookspath|init\.templatedir|hook\.hooks-compile\..*|filter\.lfs\..*|annex\.uuid)$"
)


def install(
    root: Path,
    env: Mapping[str, str],
    *,
    global_: bool = False,
    dry_run: bool = False,
    method: Method | None = None,
    tool: Path | None = None,
) -> list[Step]:
    """Let git run our hook for EVENTS in the repository of ``root``, and return the steps.

    With ``global_`` in all repositories of the user (``root`` does not matter): by the global
    configuration; for an older git by ``core.hooksPath`` if the user has set it, else by the
    directory that new clones are made from. ``method`` is chosen by git's version, ``tool`` is the
    command ``hooks-compile`` of this installation. With ``dry_run`` nothing is written.
    Raises GitError if ``root`` is in no repository, or git runs no hooks there; HooksCompileError
    if a file can't be written, which is found before the first change.
    """
    if global_:
        plan = list(_planned_globally(env, method, tool))
    else:
        plan = plan_install(git.require_repository(root), env, method=method, tool=tool)
    if not dry_run:
        check(plan)
        runtime_directory.ensure(runtime_directory.location(env))
        take(plan)
    return plan


def uninstall(
    root: Path, env: Mapping[str, str], *, global_: bool = False, dry_run: bool = False
) -> list[Step]:
    """Take back what :func:`install` did, by any method, and return the steps.

    Lines of others in our hooks stay, as do hooks in clones that were made from the template.
    Raises as :func:`install` does.
    """
    if global_:
        plan = list(_planned_removal_globally(env))
    else:
        plan = plan_uninstall(git.require_repository(root))
    if not dry_run:
        check(plan)
        take(plan)
    return plan


def plan_install(
    repository: Repository,
    env: Mapping[str, str],
    *,
    method: Method | None = None,
    tool: Path | None = None,
) -> list[Step]:
    """Return the steps that :func:`install` takes; none but LEAVE if all is in place.

    It takes two git processes, three if git's hooks are a directory of the work tree. Raises as
    :func:`install` does.
    """
    tool = tool or own_command()
    settings = git.settings(repository.work_tree, _SETTINGS)
    config = repository.common_dir / "config"
    directories = _own_directories(repository, settings)
    if (method or best_method()) == "config":
        script = runtime_directory.location(env) / SCRIPT
        steps = list(_configuring(config, script, tool, settings))
        for directory in directories:
            steps += hook_files.removing(directory, "git runs it by configuration now")
        return steps
    steps = _planned_files(repository, settings, directories[0], tool)
    return [*steps, *_unconfiguring(config, _in_scope(settings, "local"))]


def plan_uninstall(repository: Repository) -> list[Step]:
    """Return the steps that :func:`uninstall` takes in a repository. It takes one git process."""
    settings = git.settings(repository.work_tree, _SETTINGS)
    local = _in_scope(settings, "local")
    steps = list(_unconfiguring(repository.common_dir / "config", local))
    for directory in _own_directories(repository, settings):
        steps += hook_files.removing(directory)
    exclude = repository.common_dir / "info" / "exclude"
    old = read(exclude)
    new = hook_files.without_excluded(old)
    if new != old:
        steps.append(Step(Do.WRITE, exclude, "without our lines", content=new, mode=0o644))
    return [*steps, *(Step(Do.REMOVE, each) for each in stamp.directories(repository.common_dir))]


def remove_shared(runtime: Path) -> list[Path]:
    """Remove what :func:`install` put into the runtime directory, and return what was removed.

    The directory for new clones stays as long as git's configuration names it: git would warn.
    """
    own = [runtime / SCRIPT, runtime / _TEMPLATE]
    if runtime / _TEMPLATE in template_folders():
        own.pop()
    removed = [path for path in own if os.path.lexists(path)]
    take([Step(Do.REMOVE, path) for path in removed])
    return removed


def template_folders() -> list[Path]:
    """Return where git takes new repositories from, if the user has said so; none without git."""
    try:
        return _paths(git.settings(git.ANYWHERE, _SETTINGS), "init.templatedir", "global")
    except GitError:
        return []


def own_command() -> Path:
    """Return the command ``hooks-compile`` of this installation. Raises HooksCompileError."""
    beside_python = Path(sysconfig.get_path("scripts"), "hooks-compile")
    if beside_python.is_file():
        return beside_python
    env = trust.environment(os.environ, trust.tree_around(Path.cwd()))
    found = shutil.which("hooks-compile", path=env.get("PATH"))
    if found is None:
        raise HooksCompileError(
            "the command hooks-compile, which git is to run, is not on PATH",
            remedy="pipx install hooks-compile",
        )
    return Path(found).absolute()


def best_method() -> Method:
    """Return which method fits this git. Raises GitError if git is missing."""
    return "config" if git.version() >= _FIRST_WITH_CONFIG else "files"


# Settings


def _in_scope(settings: Sequence[Setting], scope: str) -> list[Setting]:
    return [each for each in settings if each.scope == scope and each.name.startswith(SECTION)]


def _paths(settings: Sequence[Setting], name: str, *scopes: str) -> list[Path]:
    found = (each for each in settings if each.name == name and each.scope in scopes)
    # Path.expanduser raises if there is no such user.
    return [Path(os.path.expanduser(each.value)) for each in found if each.value]  # noqa: PTH111


def _configuring(
    config: Path, script: Path, tool: Path, settings: Sequence[Setting]
) -> Iterator[Step]:
    content = text(tool)
    if read(script) != content:
        yield Step(Do.WRITE, script, "git's configuration names it", content=content)
    command = config_command(script)
    commands = [each.value for each in settings if each.name == f"{SECTION}.command"]
    if commands[-1:] != [command]:
        yield _configure(config, "--replace-all", f"{SECTION}.command", command)
    events = [each.value for each in settings if each.name == f"{SECTION}.event"]
    for event in EVENTS:
        if event not in events:
            yield _configure(config, "--add", f"{SECTION}.event", event)


def _unconfiguring(config: Path, settings: Sequence[Setting]) -> Iterator[Step]:
    if settings:
        yield _configure(config, "--remove-section", SECTION)


def _configure(config: Path, *arguments: str, why: str = "") -> Step:
    """Return the step ``git config ARGUMENTS``, for the user's configuration if ANYWHERE."""
    where = ("--global",) if config == git.ANYWHERE else ("--file", str(config))
    return Step(Do.CONFIG, config, why, arguments=(*where, *arguments))


# Files, for a git before 2.54


def _own_directories(repository: Repository, settings: Sequence[Setting]) -> list[Path]:
    """Return the directories in which this repository alone has hooks, the one in use first.

    One that ``core.hooksPath`` names for all repositories of the user is not among them.
    """
    used = Path(os.path.realpath(repository.hooks_path))
    usual = repository.common_dir / "hooks"
    inside = (repository.work_tree, repository.common_dir)
    is_inside = any(used.is_relative_to(os.path.realpath(each)) for each in inside)
    is_own = is_inside or _paths(settings, "core.hookspath", "local", "worktree")
    return list(dict.fromkeys((used, usual))) if is_own else [usual]


def _planned_files(
    repository: Repository, settings: Sequence[Setting], directory: Path, tool: Path
) -> list[Step]:
    tree = repository.work_tree
    scopes = [each.scope for each in settings if each.name == "core.hookspath"]
    if directory != Path(os.path.realpath(repository.hooks_path)):
        raise GitError(
            f"its hooks are in {repository.hooks_path}, which your repositories share",
            path=tree,
            remedy="hooks-compile git-hooks install --global",
        )
    if directory.exists() and not directory.is_dir():
        raise GitError(
            f"core.hooksPath is {directory}, no directory: git runs no hooks here",
            path=tree,
            remedy=f"git config --{scopes[-1] if scopes else 'local'} --unset core.hooksPath",
        )
    left_to = hook_files.exclusive_tool(tree, directory, settings)
    steps = list(hook_files.installing(directory, tool, left_to=left_to))
    return [*hook_files.excluding(repository, directory, steps), *steps]


# --global


def _planned_globally(
    env: Mapping[str, str], method: Method | None, tool: Path | None
) -> Iterator[Step]:
    tool = tool or own_command()
    runtime = runtime_directory.location(env)
    settings = git.settings(git.ANYWHERE, _SETTINGS)
    if (method or best_method()) == "config":
        ours = _in_scope(settings, "global")
        yield from _configuring(git.ANYWHERE, runtime / SCRIPT, tool, ours)
        return
    left_to = "any tool"  # of each new clone
    for shared in _paths(settings, "core.hookspath", "global")[-1:]:
        if not shared.is_dir():
            raise GitError(
                f"core.hooksPath is {shared}, no directory that all your repositories share",
                remedy="hooks-compile git-hooks install, in each repository",
            )
        yield from hook_files.installing(shared, tool, left_to=left_to)
        return
    templates = _paths(settings, "init.templatedir", "global")
    directory = templates[-1] if templates else runtime / _TEMPLATE
    if not templates and not directory.exists():
        programs = Path(os.fsdecode(git.run(["--exec-path"], cwd=git.ANYWHERE)).strip())
        usual = programs.parent.parent / "share" / "git-core" / "templates"
        if usual.is_dir():
            yield Step(Do.COPY, directory, "what git puts into new repositories", usual)
    yield from hook_files.installing(directory / "hooks", tool, left_to=left_to)
    if not templates:
        why = "new clones are made from it"
        yield _configure(git.ANYWHERE, "init.templateDir", str(directory), why=why)


def _planned_removal_globally(env: Mapping[str, str]) -> Iterator[Step]:
    settings = git.settings(git.ANYWHERE, _SETTINGS)
    yield from _unconfiguring(git.ANYWHERE, _in_scope(settings, "global"))
    for shared in _paths(settings, "core.hookspath", "global"):
        yield from hook_files.removing(shared)
    own = runtime_directory.location(env) / _TEMPLATE
    for template in _paths(settings, "init.templatedir", "global"):
        if template == own:
            yield _configure(git.ANYWHERE, "--unset-all", "init.templateDir")
        else:
            yield from hook_files.removing(template / "hooks")
    if own.is_dir():
        yield Step(Do.REMOVE, own)
