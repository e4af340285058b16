"""``hooks-compile git-hooks``: what is written where, what becomes of others' hooks."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile import git
from hooks_compile.errors import GitError, HooksCompileError
from hooks_compile.git_hooks import installer, setup
from hooks_compile.git_hooks.hook_files import EVENTS, text
from hooks_compile.git_hooks.installer import status
from hooks_compile.git_hooks.steps import Do, Step, apply, check, take
from tests.support.git_calls import git_calls, note_git_calls
from tests.support.git_scene import HOOK, NO_NEWER_GIT, TOOL, Scene, gits, is_new, newer_git
from tests.support.repositories import GitRepo, write
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooks_compile.git_hooks.installer import Method

_templates: dict[str, Scene] = {}
TOO_OLD = pytest.mark.skip(reason=NO_NEWER_GIT)


def ways() -> list[object]:
    """Each method with a git that knows it; for CI with each."""
    new = [version for version in gits() if is_new(version)]
    found: list[object] = [
        pytest.param(("files", each), id=f"files-{each}")
        for each in list(gits())[: scaled(1, None, None)]
    ]
    found += [pytest.param(("config", version), id=f"config-{version}") for version in new]
    return found if new else [*found, pytest.param(("config", ""), id="config", marks=TOO_OLD)]


@pytest.fixture
def make_scene(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Scene]:
    """Give a project, made once for each git and copied."""

    def make_scene(version: str) -> Scene:
        if version not in _templates:
            directory = tmp_path_factory.mktemp("template") / "scene"
            _templates[version] = Scene.create(directory, gits()[version])
        return _templates[version].copy_to(tmp_path / "the user's own")

    return make_scene


@pytest.fixture
def scene(make_scene: Callable[[str], Scene]) -> Scene:
    """A project under the git on PATH."""
    return make_scene(next(iter(gits())))


def make_newer(make_scene: Callable[[str], Scene]) -> Scene:
    """A project under a git that takes hooks from its configuration."""
    if not newer_git():
        pytest.skip(NO_NEWER_GIT)
    return make_scene(newer_git())


@pytest.fixture(params=ways())
def way(request: pytest.FixtureRequest) -> tuple[Method, str]:
    return request.param  # type: ignore[no-any-return]


def snapshot(directory: Path) -> dict[str, tuple[int, bytes]]:
    """What is in a directory: modes, contents, and where links lead."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(directory))] = (0, os.fsencode(path.readlink()))
        elif path.is_file():
            mode = stat.S_IMODE(path.stat().st_mode)
            found[str(path.relative_to(directory))] = (mode, path.read_bytes())
    return found


def hooks_of(scene: Scene) -> Path:
    return scene.repo / ".git" / "hooks"


def foreign(scene: Scene, event: str, first: str = "#!/bin/sh", end: str = "exit 0") -> Path:
    """Put a hook that notes its arguments and stdin in the file ``noted``."""
    noted = scene.directory / "noted"
    script = f'{first}\nprintf "%s|" {event} "$@" >> "{noted}"\ncat >> "{noted}"\n{end}\n'
    return write(hooks_of(scene) / event, script, executable=True)


def ours_in(directory: Path) -> list[str]:
    """The events for which a file with our block is in a directory."""
    return [event for event in EVENTS if b"hooks-compile git hook" in content(directory / event)]


def content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def steps(done: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(done)
    return found


def install_files(scene: Scene, tree: Path) -> list[Step]:
    """Install as ``git-hooks install`` does before git 2.54, in this process."""
    plan = installer.plan_install(
        git.require_repository(tree), scene.env, method="files", tool=TOOL
    )
    apply(plan, scene.env)
    return plan


# What is written


def test_installed_twice_is_installed_once(
    way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    scene.install(method)
    first = snapshot(scene.repo / ".git")
    scene.install(method)
    assert snapshot(scene.repo / ".git") == first
    best = "config" if is_new(version) else "files"
    found = scene.tool("git-hooks", "status", status=int(method != best)).stdout
    assert "not installed" not in found


def test_uninstalling_leaves_the_repository_as_it_was(
    way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    for event in EVENTS[:3]:
        foreign(scene, event)
    (hooks_of(scene) / EVENTS[3]).symlink_to("post-merge")
    (hooks_of(scene) / EVENTS[4]).symlink_to("gone")
    before = snapshot(scene.repo / ".git")
    scene.install(method)
    assert snapshot(scene.repo / ".git") != before
    scene.tool("sync", "--git-hook")
    scene.tool("git-hooks", "uninstall")
    assert snapshot(scene.repo / ".git") == before
    assert scene.tool("git-hooks", "uninstall", "--json").stdout.strip() == "[]"


def test_after_either_installation_a_checkout_makes_the_hook_warm(
    way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    scene.make_warm()
    scene.install(method)
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"


def test_changing_the_method_leaves_one(make_scene: Callable[[str], Scene]) -> None:
    scene = make_newer(make_scene)
    foreign(scene, "post-merge")
    before = snapshot(hooks_of(scene))
    scene.install("files")
    scene.install("config")
    assert snapshot(hooks_of(scene)) == before
    scene.install("files")
    assert "hooks-compile" not in (scene.repo / ".git/config").read_text()


@pytest.mark.parametrize("version", gits())
def test_git_2_54_and_later_gets_hooks_by_configuration_an_older_one_files(
    version: str, make_scene: Callable[[str], Scene]
) -> None:
    scene = make_scene(version)
    scene.tool("git-hooks", "install")
    configured = scene.git("config", "--get-all", "hook.hooks-compile.event", status=None)
    files = [event for event in EVENTS if (hooks_of(scene) / event).exists()]
    if is_new(version):
        assert configured.split() == list(EVENTS)
        assert files == []
    else:
        assert configured == ""
        assert files == list(EVENTS)


def test_what_is_written_for_git_2_54_is_a_command_and_its_events(scene: Scene) -> None:
    scene.install("config")
    values = scene.git("config", "--local", "--get-regexp", r"^hook\.").splitlines()
    script = scene.directory / "runtime" / installer.SCRIPT
    quoted = str(script).replace("'", "'\"'\"'")
    assert values[0] == (f"hook.hooks-compile.command [ ! -r '{quoted}' ] || . '{quoted}'")
    assert values[1:] == [f"hook.hooks-compile.event {event}" for event in EVENTS]
    assert script.read_bytes() == text(TOOL)


def test_the_global_configuration_is_written_once_and_taken_back(scene: Scene) -> None:
    before = snapshot(scene.directory / "home")
    scene.install("config", global_=True)
    written = snapshot(scene.directory / "home")
    values = scene.git("config", "--global", "--get-all", "hook.hooks-compile.event").split()
    assert values == list(EVENTS)
    scene.install("config", global_=True)
    assert snapshot(scene.directory / "home") == written
    scene.git("config", "--global", "--unset", "hook.hooks-compile.event", "post-merge")
    scene.install("config", global_=True)
    values = scene.git("config", "--global", "--get-all", "hook.hooks-compile.event").split()
    assert sorted(values) == sorted(EVENTS)
    scene.tool("git-hooks", "uninstall", "--global")
    assert snapshot(scene.directory / "home") == before


def test_with_another_runtime_directory_the_command_is_another(scene: Scene) -> None:
    scene.install("config")
    moved = scene.with_env(HOOKS_COMPILE_HOME=str(scene.directory / "another runtime"))
    moved.install("config")
    commands = scene.git("config", "--get-all", "hook.hooks-compile.command").splitlines()
    assert len(commands) == 1
    assert "another runtime" in commands[0]
    scene.tool("git-hooks", "uninstall")
    assert "hooks-compile" not in (scene.repo / ".git/config").read_text()


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(scene: Scene) -> None:
    foreign(scene, "post-merge")
    before = snapshot(scene.directory)
    would = steps(scene.tool("git-hooks", "install", "--dry-run", "--json").stdout)
    after = snapshot(scene.directory)
    assert after == before
    did = steps(scene.tool("git-hooks", "install", "--json").stdout)
    assert would == did
    installed = snapshot(scene.directory)
    would = steps(scene.tool("git-hooks", "uninstall", "--dry-run", "--json").stdout)
    assert snapshot(scene.directory) == installed
    assert steps(scene.tool("git-hooks", "uninstall", "--json").stdout) == would


def test_a_step_is_a_line_for_a_person(scene: Scene) -> None:
    foreign(scene, "post-merge")
    lines = scene.tool("git-hooks", "install", "--dry-run").stdout.splitlines()
    hooks = hooks_of(scene)
    left = f"leave {hooks}/post-merge (somebody else's; ours for post-index-change does its work)"
    if not is_new(next(iter(gits()))):
        assert left in lines
        assert f"write {hooks}/post-checkout" in lines


def test_an_older_version_is_replaced_and_lines_of_others_stay(scene: Scene) -> None:
    scene.install("files")
    hook = hooks_of(scene) / "post-merge"
    older = text(Path("/older/hooks-compile")).replace(b"git hook 2", b"git hook 1")
    hook.write_bytes(older.replace(b"#!/bin/sh\n", b"#!/bin/sh\n# first\n") + b"# last")
    assert "to be changed: write" in scene.tool("git-hooks", "status", status=1).stdout
    scene.install("files")
    ours = text(TOOL).replace(b"#!/bin/sh\n", b"#!/bin/sh\n# first\n")
    assert hook.read_bytes() == ours + b"# last"
    scene.tool("git-hooks", "status")
    scene.tool("git-hooks", "uninstall")
    assert hook.read_bytes() == b"#!/bin/sh\n# first\n# last"


def test_a_hook_of_ours_that_lost_its_executable_bit_gets_it_back(scene: Scene) -> None:
    scene.install("files")
    hook = hooks_of(scene) / "post-merge"
    hook.chmod(0o644)
    assert "post-merge: not installed" in scene.tool("git-hooks", "status", status=1).stdout
    scene.install("files")
    assert os.access(hook, os.X_OK)


def test_few_git_processes_plan_it(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env, log = note_git_calls(tmp_path, scene.env)
    monkeypatch.setenv("PATH", env["PATH"])
    repository = git.open_repository(scene.repo)
    assert repository is not None
    assert git_calls(log) == ["rev-parse"]
    apply(setup.plan(scene.repo, env, repository).steps, env)
    calls = git_calls(log)
    assert calls[:2] == ["config", "version"]
    assert not is_new(next(iter(gits()))) or set(calls[2:]) == {"config"}, "writes of settings"
    plan = setup.plan_removal(scene.repo, env, repository)
    assert git_calls(log) == ["config"]
    assert plan.steps
    in_tree = scene.repo / ".githooks"
    in_tree.mkdir()
    scene.git("config", "core.hooksPath", ".githooks")
    found = git.require_repository(scene.repo)
    git_calls(log)
    installer.plan_install(found, env, method="files")
    assert git_calls(log) == ["config", "check-ignore"]


# Lines that others append


def append(scene: Scene, event: str, lines: str) -> None:
    with (hooks_of(scene) / event).open("a") as hook:
        hook.write(lines)


@pytest.mark.parametrize("kept", ["#!/usr/bin/env bash", ""][: scaled(1, 2, 2)])
def test_appended_lines_run_with_arguments_and_stdin_and_outlive_us(
    kept: str, scene: Scene
) -> None:
    noted = scene.directory / "noted"
    lines = f'\n# of another tool\nprintf "<%s>" "$@" >> "{noted}"\ncat >> "{noted}"\n'
    for event in ("post-checkout", "post-rewrite"):
        if kept:
            foreign(scene, event, kept, end="# theirs ends")
    scene.make_warm()
    scene.install("files")
    for event in ("post-checkout", "post-rewrite"):
        append(scene, event, lines)

    def both_run() -> None:
        noted.unlink(missing_ok=True)
        old = scene.git("rev-parse", "HEAD")
        scene.git("checkout", "-q", "topic")
        assert noted.read_text().endswith(f"<{old}><{scene.git('rev-parse', 'HEAD')}><1>")
        assert noted.read_text().startswith("post-checkout|" if kept else "<")
        noted.unlink()
        old = scene.git("rev-parse", "HEAD")
        scene.git("commit", "-q", "--amend", "-m", "again")
        rewritten = f"{old} {scene.git('rev-parse', 'HEAD')}\n"
        assert rewritten in noted.read_text()
        assert noted.read_text().endswith("<amend>" if kept else f"<amend>{rewritten}")
        assert scene.launch() == "hit"
        scene.git("checkout", "-q", "main")
        scene.git("branch", "-q", "-f", "topic", "origin/topic")

    both_run()
    scene.install("files")
    both_run()
    scene.tool("git-hooks", "status")
    scene.tool("git-hooks", "uninstall")
    assert ours_in(hooks_of(scene)) == []
    both_run()


# What can't be done is found before the first change


@pytest.mark.parametrize("configured", [True, False])
def test_a_place_of_hooks_that_is_no_directory_is_an_error(configured: bool, scene: Scene) -> None:
    hooks = scene.repo / ".git/elsewhere" if configured else hooks_of(scene)
    shutil.rmtree(hooks, ignore_errors=True)
    hooks.touch()
    if configured:
        scene.git("config", "core.hooksPath", hooks)
    with pytest.raises(HooksCompileError, match="is no directory") as caught:
        install_files(scene, scene.repo)
    assert caught.value.path == hooks
    assert "core.hooksPath" in caught.value.remedy


def test_a_hooks_path_of_all_repositories_is_made_if_it_is_missing(scene: Scene) -> None:
    directory = scene.directory / "not made yet"
    scene.git("config", "--global", "core.hooksPath", directory)
    scene.install("files", global_=True)
    assert ours_in(directory) == ["post-rewrite", "post-applypatch", "post-index-change"]
    scene.git("config", "--global", "core.hooksPath", "relative")
    with pytest.raises(AssertionError, match="install, in each repository"):
        scene.install("files", global_=True)


def test_outside_of_a_work_tree_there_is_an_error(scene: Scene) -> None:
    for words in (["install"], ["uninstall"], ["status"]):
        done = scene.tool("git-hooks", *words, cwd=scene.directory, status=1)
        assert "git work tree" in done.stderr or "has no .git" in done.stderr


@pytest.fixture
def _script_is_loaded() -> None:
    text(TOOL)


@pytest.mark.parametrize("method", ["files", "config"])
def test_a_read_only_git_directory_is_found_before_any_change(
    method: Method, _script_is_loaded: None, unprivileged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    repo = GitRepo.create(unprivileged / "repo")
    opened = git.require_repository(repo.path)
    env = {**os.environ, "HOOKS_COMPILE_HOME": str(unprivileged / "runtime")}
    tool = Path("/usr/bin/hooks-compile")
    directories = [repo.path / ".git", repo.path / ".git/hooks"]

    def is_refused(ask: Callable[[], object]) -> None:
        before = snapshot(unprivileged)
        for directory in directories:
            directory.chmod(0o555)
        with pytest.raises(HooksCompileError, match="is read-only") as caught:
            ask()
        assert caught.value.path in directories
        for directory in directories:
            directory.chmod(0o755)
        assert snapshot(unprivileged) == before

    plan = installer.plan_install(opened, env, method=method, tool=tool)
    is_refused(lambda: check(plan))
    take(plan)
    assert installer.plan_install(opened, env, method=method, tool=tool) == []
    is_refused(lambda: setup.plan_removal(repo.path, env, opened))
    apply(setup.plan_removal(repo.path, env, opened).steps, env)
    assert setup.plan_removal(repo.path, env, opened) == setup.GitPlan()


# Hooks of others


def test_foreign_hooks_are_left_alone_and_all_is_warm_nevertheless(scene: Scene) -> None:
    for event in EVENTS[:-1]:
        foreign(scene, event)
    before = snapshot(hooks_of(scene))
    scene.make_warm()
    scene.install("files")
    assert ours_in(hooks_of(scene)) == ["post-index-change"]
    for words in (["checkout", "-q", "topic"], ["reset", "-q", "--hard", "clash"]):
        scene.git(*words)
        assert scene.launch() == "hit"
    found = scene.tool("git-hooks", "status").stdout
    assert "post-merge: somebody else's; ours for post-index-change does its work" in found
    scene.tool("git-hooks", "uninstall")
    assert snapshot(hooks_of(scene)) == before


def test_a_foreign_hook_for_the_index_is_told(scene: Scene) -> None:
    theirs = foreign(scene, "post-index-change").read_bytes()
    scene.install("files")
    assert (hooks_of(scene) / "post-index-change").read_bytes() == theirs
    found = scene.tool("git-hooks", "status", status=1).stdout
    assert "add to it: hooks-compile sync --git-hook || :" in found
    assert "git runs nothing of ours for post-index-change" in found


def test_the_real_lefthook_runs_too_in_any_order(scene: Scene) -> None:
    (scene.directory / "bin/lefthook").symlink_to(Path(sys.executable).with_name("lefthook"))
    noted = scene.directory / "home/noted"
    job = 'post-checkout:\n  jobs:\n    - run: cd "$HOME" && echo it >> noted\n'
    write(scene.repo / "lefthook.yml", job)
    scene.make_warm()
    scene.install("files")
    for branch, times in (("topic", 1), ("clash", 2)):
        scene.run("lefthook", "install")  # moves ours for post-checkout to post-checkout.old
        scene.git("checkout", "-q", branch)
        assert noted.read_text() == "it\n" * times
        assert scene.launch() == "hit"
        scene.install("files")
    scene.tool("git-hooks", "uninstall")
    scene.git("checkout", "-q", "topic")
    assert noted.read_text() == "it\n" * 3
    assert not (hooks_of(scene) / "post-checkout.old").exists()


def only_if_none(scene: Scene, event: str = "post-checkout", repo: Path | None = None) -> bool:
    """Install a hook as git-lfs, DVC and git-annex do; return whether that was possible."""
    hook = (repo or scene.repo) / ".git/hooks" / event
    if hook.exists():
        return False
    write(hook, f'#!/bin/sh\necho theirs >> "{scene.directory}/noted"\n', executable=True)
    return True


def use_git_lfs(scene: Scene) -> None:
    scene.git("config", "--global", "filter.lfs.process", "git-lfs filter-process")


def use_git_annex(scene: Scene) -> None:
    scene.git("config", "annex.uuid", "1234")


def use_dvc(scene: Scene) -> None:
    write(scene.repo / ".dvc/config", "")


def track_with_lfs(scene: Scene) -> None:
    write(scene.repo / ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")


@pytest.mark.parametrize(
    ("use", "first"),
    [
        (use_git_lfs, "theirs"),
        (use_git_lfs, "ours, before it was in use"),
        *((use, "ours") for use in (use_git_lfs, use_git_annex, use_dvc)),
        (track_with_lfs, "ours"),
    ][:: scaled(3, 1, 1)],
)
def test_a_tool_that_tolerates_no_other_hook_gets_its_own_in_any_order(
    use: Callable[[Scene], None], first: str, scene: Scene
) -> None:
    scene.make_warm()
    if first == "ours, before it was in use":
        scene.install("files")
        assert not only_if_none(scene)
    use(scene)
    if first == "theirs":
        assert only_if_none(scene)
    scene.install("files")
    if first != "theirs":
        assert only_if_none(scene)
    for event in ("post-merge", "post-commit"):
        assert only_if_none(scene, event)
    assert ours_in(hooks_of(scene)) == ["post-rewrite", "post-applypatch", "post-index-change"]
    scene.git("checkout", "-q", "topic")
    assert (scene.directory / "noted").read_text() == "theirs\n"
    assert scene.launch() == "hit"
    scene.tool("git-hooks", "status")


needs_git_lfs = pytest.mark.skipif(
    shutil.which("git-lfs") is None, reason="git-lfs is not on this machine (apt install git-lfs)"
)
LFS_HOOKS = ("post-checkout", "post-commit", "post-merge", "pre-push")


def has_lfs(repo: Path) -> bool:
    return all(b"git lfs" in content(repo / ".git/hooks" / name) for name in LFS_HOOKS)


@needs_git_lfs
@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_the_real_git_lfs_has_its_hooks_in_any_order(
    first: str, way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    scene.make_warm()
    scene.git("lfs", "install", "--skip-repo")  # what each of its users does once
    if first == "ours":
        scene.install(method)
    for _ in range(2):
        scene.git("lfs", "install")
        scene.install(method)
    assert has_lfs(scene.repo)
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"
    scene.tool("git-hooks", "uninstall")
    assert has_lfs(scene.repo)


@needs_git_lfs
@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_with_the_real_git_lfs_a_clone_has_its_hooks_and_ours(
    first: str, way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    if first == "ours":
        scene.install(method, global_=True)
    scene.git("lfs", "install")
    if first == "theirs":
        scene.install(method, global_=True)
    scene.git("clone", "-q", "author", "clone", cwd=scene.directory)
    clone = scene.directory / "clone"
    scene.git("lfs", "install", cwd=clone)
    assert has_lfs(clone)
    assert scene.launch(clone / HOOK) == "hit"


# core.hooksPath


@pytest.fixture(scope="session")
def husky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real one, as npm has it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not on this machine, from which husky comes (try: apt install npm)")
    directory = tmp_path_factory.mktemp("husky")
    words: list[str | Path] = [
        npm,
        "install",
        "--no-audit",
        "--no-fund",
        "--prefix",
        directory,
        "husky@9",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=500)
    if done.returncode != 0:
        pytest.skip(f"npm gives no husky here: {done.stderr.strip().splitlines()[-1:]}")
    return directory / "node_modules/husky/bin.js"


def test_the_real_husky_runs_its_scripts_and_ours(scene: Scene, husky: Path) -> None:
    noted = scene.directory / "noted"
    for event in ("post-checkout", "post-merge"):
        write(scene.repo / ".husky" / event, f'echo {event} "$@" >> "{noted}"\n')
    scene.make_warm()
    scene.install("files")  # before there is a husky: in git's own directory
    scene.run("node", husky)
    assert scene.git("config", "core.hooksPath") == ".husky/_"
    assert "to be changed" in scene.tool("git-hooks", "status", status=1).stdout
    alone = snapshot(scene.repo / ".husky")
    scene.install("files")
    scene.git("checkout", "-q", "topic")
    assert noted.read_text().split()[0] == "post-checkout"
    assert len(noted.read_text().splitlines()) == 1
    assert scene.launch() == "hit"
    scene.run("node", husky)  # as "npm install" does
    scene.git("reset", "-q", "--hard", "clash")
    assert scene.launch() == "hit"
    scene.install("files")
    noted.unlink()
    scene.git("merge", "-q", "-m", "merged", "-X", "ours", "main")
    assert noted.read_text() == "post-merge 0\n"
    assert scene.launch() == "hit"
    assert "?? .husky/_" not in scene.git("status", "--short")
    scene.tool("git-hooks", "uninstall")
    assert snapshot(scene.repo / ".husky") == alone
    assert not any((hooks_of(scene) / event).exists() for event in EVENTS)


def test_beside_husky_before_and_after_it_writes_its_files_again(scene: Scene) -> None:
    noted = scene.directory / "noted"
    write(scene.repo / ".husky/post-checkout", f'echo "$@" >> "{noted}"\nexit 5\n')
    scene.install("files")  # into git's own directory, which husky then leaves unused
    scene.put_husky()
    assert "to be changed" in scene.tool("git-hooks", "status", status=1).stdout
    before = snapshot(scene.repo / ".husky")
    scene.make_warm()
    scene.install("files")
    assert ours_in(scene.repo / ".husky/_") == ["post-index-change"]
    assert "?? .husky/_" not in scene.git("status", "--short")
    scene.git("checkout", "-q", "topic", status=1)
    assert noted.read_text().split()[2] == "1"
    assert scene.launch() == "hit"
    scene.put_husky()  # npm install does
    scene.git("reset", "-q", "--hard", "main")
    assert scene.launch() == "hit"
    scene.tool("git-hooks", "status")
    scene.tool("git-hooks", "uninstall")
    assert snapshot(scene.repo / ".husky") == before
    assert ours_in(hooks_of(scene)) == []


def test_a_directory_of_hooks_for_commits_gets_none_that_names_this_machine(scene: Scene) -> None:
    directory = scene.repo / ".githooks"
    write(directory / "post-checkout", "#!/bin/sh\nexit 0\n", executable=True)
    scene.quietly("config", "core.hooksPath", ".githooks")
    before = snapshot(directory)
    done = scene.tool("git-hooks", "install").stdout
    if not is_new(next(iter(gits()))):
        assert f"leave {directory}/post-index-change (this directory is for commits" in done
        assert snapshot(directory) == before
    line = "#!/bin/sh\nhooks-compile sync --git-hook || :\n"  # as the advice says
    write(directory / "post-index-change", line, executable=True)
    (scene.directory / "bin/hooks-compile").symlink_to(TOOL)
    scene.make_warm()
    scene.git("reset", "-q", "--hard", "topic")
    assert scene.launch() == "hit"


def test_a_hooks_path_of_this_repository_alone_is_used_wherever_it_is(scene: Scene) -> None:
    directory = scene.directory / "hooks of the team"
    directory.mkdir()
    scene.git("config", "core.hooksPath", directory)
    scene.make_warm()
    scene.install("files")
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"
    scene.tool("git-hooks", "uninstall")
    assert list(directory.iterdir()) == []


def test_a_hooks_path_of_all_repositories_is_not_written_for_one(scene: Scene) -> None:
    directory = scene.directory / "shared hooks"
    directory.mkdir()
    scene.git("config", "--global", "core.hooksPath", directory)
    with pytest.raises(AssertionError, match="install --global"):
        scene.install("files")
    assert list(directory.iterdir()) == []
    scene.make_warm()
    scene.install("files", global_=True)
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"
    scene.tool("git-hooks", "uninstall")  # of this repository: that directory is not its own
    assert ours_in(directory) == ["post-rewrite", "post-applypatch", "post-index-change"]
    scene.tool("git-hooks", "uninstall", "--global")
    assert list(directory.iterdir()) == []


def test_hooks_switched_off_for_all_repositories_stay_off(scene: Scene) -> None:
    scene.git("config", "--global", "core.hooksPath", "/dev/null")
    for flags in ({}, {"global_": True}):
        with pytest.raises(AssertionError, match=r"is no directory|your repositories share"):
            scene.install("files", **flags)  # type: ignore[arg-type]
    assert scene.git("config", "--global", "core.hooksPath") == "/dev/null"


def test_a_hooks_path_of_one_worktree_is_its_own(scene: Scene) -> None:
    linked = scene.directory / "linked"
    scene.quietly("worktree", "add", "-q", linked, "topic")
    scene.git("config", "extensions.worktreeConfig", "true")
    directory = scene.directory / "hooks of one"
    directory.mkdir()
    scene.git("config", "--worktree", "core.hooksPath", directory, cwd=linked)
    scene.make_warm(linked / HOOK)
    scene.install("files", cwd=linked)
    assert ours_in(directory) == list(EVENTS)
    scene.git("reset", "-q", "--hard", "clash", cwd=linked)
    assert scene.launch(linked / HOOK) == "hit"
    scene.tool("git-hooks", "uninstall", cwd=linked)
    assert list(directory.iterdir()) == []
    scene.git("config", "--worktree", "core.hooksPath", "/dev/null", cwd=linked)
    with pytest.raises(HooksCompileError, match="/dev/null: is no directory"):
        install_files(scene, linked)


# Layouts


def test_linked_worktrees_share_the_hooks_and_each_is_warm(
    way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    scene.quietly("worktree", "add", "-q", "../a linked one", "topic")
    linked = scene.directory / "a linked one"
    scene.install(method, cwd=linked)
    scene.make_warm(linked / HOOK)
    scene.git("reset", "-q", "--hard", "clash", cwd=linked)
    assert scene.launch(linked / HOOK) == "hit"
    scene.git("reset", "-q", "--hard", "topic")
    assert scene.launch() == "hit"
    scene.tool("git-hooks", "uninstall", cwd=linked)
    assert not list((scene.repo / ".git").rglob("stamp"))


def test_a_worktree_of_a_bare_repository_is_warm(
    way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    scene.git("clone", "-q", "--bare", "author", "bare.git", cwd=scene.directory)
    tree = scene.directory / "of bare"
    scene.git("worktree", "add", "-q", tree, "main", cwd=scene.directory / "bare.git")
    scene.install(method, cwd=tree)
    scene.make_warm(tree / HOOK)
    scene.git("checkout", "-q", "topic", cwd=tree)
    assert scene.launch(tree / HOOK) == "hit"


def test_a_submodule_has_hooks_of_its_own(
    way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    scene.quietly("submodule", "--quiet", "add", scene.author, "inner")
    inner = scene.repo / "inner"
    scene.install(method, cwd=inner)
    scene.make_warm(inner / HOOK)
    scene.git("checkout", "-q", "origin/topic", cwd=inner)
    assert scene.launch(inner / HOOK) == "hit"
    assert not any((hooks_of(scene) / event).exists() for event in EVENTS)


def test_from_a_directory_below_the_root_git_is_followed_all_the_same(scene: Scene) -> None:
    scene.make_warm()
    scene.install("files")
    scene.git("reset", "-q", "--hard", "topic", cwd=scene.hook.parent)
    assert scene.launch() == "hit"


def test_a_repository_that_was_moved_needs_nothing(scene: Scene) -> None:
    scene.make_warm()
    scene.install("files")
    moved = scene.directory / "moved"
    scene.repo.rename(moved)
    scene.git("checkout", "-q", "topic", cwd=moved)
    assert scene.launch(moved / HOOK) == "hit"


# --global


def test_globally_installed_a_clone_is_warm_from_the_start(
    way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    before = snapshot(scene.directory / "home")
    scene.install(method, global_=True)
    scene.install(method, global_=True)
    scene.git("clone", "-q", "author", "clone", cwd=scene.directory)
    clone = scene.directory / "clone"
    assert scene.launch(clone / HOOK) == "hit"
    scene.git("reset", "-q", "--hard", "origin/topic", cwd=clone)
    assert scene.launch(clone / HOOK) == "hit"
    scene.tool("git-hooks", "uninstall", "--global")
    assert snapshot(scene.directory / "home") == before
    assert scene.tool("git-hooks", "uninstall", "--global", "--json").stdout.strip() == "[]"


def test_the_template_is_our_hooks_and_the_place_of_exclusions(scene: Scene) -> None:
    scene.install("files", global_=True)
    scene.git("init", "-q", "ours", cwd=scene.directory)

    def names(directory: str) -> set[str]:
        inside = scene.directory / directory / ".git"
        return {str(path.relative_to(inside)) for path in inside.rglob("*")}

    events = ("post-rewrite", "post-applypatch", "post-index-change")
    assert names("ours") >= {"info/exclude", "hooks", *(f"hooks/{event}" for event in events)}


def test_a_template_of_the_users_stays_theirs(scene: Scene) -> None:
    template = scene.directory / "my template"
    noted = scene.directory / "noted"
    script = f'#!/bin/sh\necho mine >> "{noted}"\n'
    write(template / "hooks/post-checkout", script, executable=True)
    scene.git("config", "--global", "init.templateDir", template)
    before = snapshot(template)
    scene.install("files", global_=True)
    scene.git("clone", "-q", "author", "clone", cwd=scene.directory)
    assert noted.read_text() == "mine\n"
    assert scene.launch(scene.directory / "clone" / HOOK) == "hit"
    scene.tool("git-hooks", "uninstall", "--global")
    assert snapshot(template) == before
    assert scene.git("config", "--global", "init.templateDir") == str(template)


def test_a_clone_of_the_template_lets_other_tools_install_their_hooks(scene: Scene) -> None:
    scene.install("files", global_=True)
    scene.git("clone", "-q", "author", "clone", cwd=scene.directory)
    clone = scene.directory / "clone"
    for event in ("post-checkout", "post-merge", "post-commit", "pre-push"):
        assert only_if_none(scene, event, clone)
    scene.tool("git-hooks", "status", cwd=clone)


def test_in_a_clone_of_a_template_the_hooks_can_be_taken_away(scene: Scene) -> None:
    scene.install("files", global_=True)
    scene.git("clone", "-q", "author", "clone", cwd=scene.directory)
    clone = scene.directory / "clone"
    scene.tool("git-hooks", "status", cwd=clone)
    scene.tool("git-hooks", "uninstall", cwd=clone)
    assert not any((clone / ".git/hooks" / event).exists() for event in EVENTS)


def test_installed_globally_and_here_it_runs_once(make_scene: Callable[[str], Scene]) -> None:
    scene = make_newer(make_scene)
    scene.install("config")
    scene.install("config", global_=True)
    hooks = scene.git("hook", "list", "post-checkout").splitlines()
    assert hooks == ["hooks-compile"]


# Status


def test_the_status_tells_what_is_installed_and_how(scene: Scene) -> None:
    assert status(scene.repo, scene.env).problems
    foreign(scene, "post-merge")
    scene.install("files")
    found = status(scene.repo, scene.env)
    assert [event.event for event in found.events] == list(EVENTS)
    how = {event.event: event.how for event in found.events}
    assert how["post-checkout"] == str(hooks_of(scene) / "post-checkout")
    assert how["post-merge"] == ""
    assert found.problems == ()
    assert json.loads(scene.tool("git-hooks", "status", "--json").stdout)["ok"] is True


def test_the_status_tells_of_a_configured_hook_that_this_git_does_not_know(scene: Scene) -> None:
    if is_new(next(iter(gits()))):
        pytest.skip("the git on PATH knows configured hooks")
    scene.install("config")
    found = scene.tool("git-hooks", "status", status=1).stdout
    assert "post-index-change: not installed" in found
    assert "to be changed" in found


def test_the_status_tells_of_a_configured_hook_that_is_off_or_gone(
    make_scene: Callable[[str], Scene],
) -> None:
    scene = make_newer(make_scene)
    scene.install("config")
    scene.tool("git-hooks", "status")
    scene.git("config", "hook.hooks-compile.enabled", "false")
    assert "switched off" in scene.tool("git-hooks", "status", status=1).stdout
    scene.git("config", "--unset", "hook.hooks-compile.enabled")
    (scene.directory / "runtime" / installer.SCRIPT).unlink()
    assert "to be changed: write" in scene.tool("git-hooks", "status", status=1).stdout
    scene.git("checkout", "-q", "topic")  # and git does not complain about it


def test_the_status_tells_why_the_last_sync_failed(scene: Scene) -> None:
    scene.install("files")
    write(scene.repo / ".hooks-compile.toml", "<<<<<<< ours\n")
    assert scene.run(scene.git_binary, "checkout", "-q", "topic").stderr == ""
    found = scene.tool("git-hooks", "status", status=1).stdout
    assert "the last sync by a git hook failed" in found
    assert ".hooks-compile.toml" in found
    (scene.repo / ".hooks-compile.toml").unlink()
    scene.git("checkout", "-q", "clash")
    assert "failed" not in scene.tool("git-hooks", "status").stdout


# The plan itself


def test_a_step_that_fails_says_which_file_and_what_was_done_before(tmp_path: Path) -> None:
    first = Step(Do.WRITE, tmp_path / "first", content=b"x")
    (tmp_path / "taken").mkdir()
    second = Step(Do.WRITE, tmp_path / "taken", content=b"x")
    check([first, second])
    with pytest.raises(
        HooksCompileError, match=r"can't write: .* \(1 of 2 changes were made\)"
    ) as e:
        take([first, second])
    assert e.value.path == tmp_path / "taken"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "taken"]
    locked = Step(
        Do.CONFIG, tmp_path / "config", arguments=("--file", "/nowhere/config", "a.b", "c")
    )
    with pytest.raises(GitError, match="could not lock config file"):
        take([locked])


def test_a_file_in_a_directory_s_place_is_found_before_the_first_change(scene: Scene) -> None:
    shutil.rmtree(hooks_of(scene))
    hooks_of(scene).write_text("a file")
    with pytest.raises(HooksCompileError, match="no directory"):
        install_files(scene, scene.repo)
    exclude = scene.repo / ".git/info"
    shutil.rmtree(exclude)
    exclude.write_text("a file")
    with pytest.raises(HooksCompileError, match="is no directory") as caught:
        check([Step(Do.WRITE, exclude / "exclude")])
    assert caught.value.path == exclude


def test_the_command_is_this_installations_or_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert installer.own_command() == TOOL
    monkeypatch.setattr("sysconfig.get_path", lambda _, scheme: str(tmp_path / scheme))
    with pytest.raises(HooksCompileError, match="is not installed"):
        installer.own_command()
    of_user = write(tmp_path / "posix_user/hooks-compile", "#!/bin/sh\n", executable=True)
    assert installer.own_command() == of_user
