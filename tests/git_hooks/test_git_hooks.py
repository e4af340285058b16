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

from hooks_compile.errors import GitError, HooksCompileError
from hooks_compile.git_hooks import installer as git_hooks
from hooks_compile.git_hooks.hook_script import EVENTS, KEPT, Kind, kind, text
from hooks_compile.git_hooks.hook_status import status
from hooks_compile.git_hooks.steps import Do, Step
from tests.support.git_scene import HOOK, TOOL, Scene, gits
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooks_compile.git_hooks.installer import Method

_templates: dict[str, Scene] = {}
TOO_OLD = pytest.mark.skip(
    reason="no git of 2.54 or later is on this machine (name its folder in HOOKS_COMPILE_TEST_GIT)"
)


def is_new(version: str) -> bool:
    return tuple(map(int, version.split(".")[:2])) >= (2, 54)


def ways() -> list[object]:
    """Each method with each git that knows it."""
    new = [version for version in gits() if is_new(version)]
    found: list[object] = [pytest.param(("files", each), id=f"files-{each}") for each in gits()]
    found += [pytest.param(("config", version), id=f"config-{version}") for version in new]
    return found if new else [*found, pytest.param(("config", ""), id="config", marks=TOO_OLD)]


@pytest.fixture
def make_scene(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Scene]:
    """Give a project, made once for each git and copied."""

    def make_scene(version: str) -> Scene:
        if version not in _templates:
            folder = tmp_path_factory.mktemp("template") / "scene"
            _templates[version] = Scene.create(folder, gits()[version])
        return _templates[version].copy_to(tmp_path / "the user's own")

    return make_scene


@pytest.fixture
def scene(make_scene: Callable[[str], Scene]) -> Scene:
    """A project under the git on PATH."""
    return make_scene(next(iter(gits())))


@pytest.fixture(params=ways())
def way(request: pytest.FixtureRequest) -> tuple[Method, str]:
    return request.param  # type: ignore[no-any-return]


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """What is in a folder: modes, contents, and where links lead; nothing of ours in a git dir."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = (0, os.fsencode(path.readlink()))
        elif path.is_file():
            mode = stat.S_IMODE(path.stat().st_mode)
            found[str(path.relative_to(folder))] = (mode, path.read_bytes())
    return found


def hooks_of(scene: Scene) -> Path:
    return scene.repo / ".git" / "hooks"


def foreign(scene: Scene, event: str, first: str = "#!/bin/sh", end: str = "exit 0") -> Path:
    """Put a hook that notes its arguments and stdin in the file ``noted``."""
    noted = scene.folder / "noted"
    script = f'{first}\nprintf "%s|" {event} "$@" >> "{noted}"\ncat >> "{noted}"\n{end}\n'
    return write(hooks_of(scene) / event, script, executable=True)


def steps(done: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(done)
    return found


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
    assert scene.tool("git-hooks", "status").stdout.count("not installed") == 0


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
    new = [version for version in gits() if is_new(version)]
    if not new:
        pytest.skip(TOO_OLD.kwargs["reason"])
    scene = make_scene(new[0])
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
    script = scene.folder / "runtime" / git_hooks.SCRIPT
    quoted = str(script).replace("'", "'\"'\"'")
    assert values[0] == (f"hook.hooks-compile.command [ ! -r '{quoted}' ] || . '{quoted}'")
    assert values[1:] == [f"hook.hooks-compile.event {event}" for event in EVENTS]
    assert script.read_bytes() == text(TOOL, None)


def test_the_global_configuration_is_written_once_and_taken_back(scene: Scene) -> None:
    before = snapshot(scene.folder / "home")
    scene.install("config", global_=True)
    written = snapshot(scene.folder / "home")
    values = scene.git("config", "--global", "--get-all", "hook.hooks-compile.event").split()
    assert values == list(EVENTS)
    scene.install("config", global_=True)
    assert snapshot(scene.folder / "home") == written
    scene.git("config", "--global", "--unset", "hook.hooks-compile.event", "post-merge")
    scene.install("config", global_=True)
    values = scene.git("config", "--global", "--get-all", "hook.hooks-compile.event").split()
    assert sorted(values) == sorted(EVENTS)
    scene.tool("git-hooks", "uninstall", "--global")
    assert snapshot(scene.folder / "home") == before


def test_with_another_runtime_folder_the_command_is_another(scene: Scene) -> None:
    scene.install("config")
    moved = scene.with_env(HOOKS_COMPILE_HOME=str(scene.folder / "another runtime"))
    moved.install("config")
    commands = scene.git("config", "--get-all", "hook.hooks-compile.command").splitlines()
    assert len(commands) == 1
    assert "another runtime" in commands[0]
    scene.tool("git-hooks", "uninstall")
    assert "hooks-compile" not in (scene.repo / ".git/config").read_text()


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(scene: Scene) -> None:
    foreign(scene, "post-merge")
    before = snapshot(scene.folder)
    would = steps(scene.tool("git-hooks", "install", "--dry-run", "--json").stdout)
    after = snapshot(scene.folder)
    assert after == before
    did = steps(scene.tool("git-hooks", "install", "--json").stdout)
    assert would == did
    installed = snapshot(scene.folder)
    would = steps(scene.tool("git-hooks", "uninstall", "--dry-run", "--json").stdout)
    assert snapshot(scene.folder) == installed
    assert steps(scene.tool("git-hooks", "uninstall", "--json").stdout) == would


def test_a_step_is_a_line_for_a_person(scene: Scene) -> None:
    foreign(scene, "post-merge")
    lines = scene.tool("git-hooks", "install", "--dry-run").stdout.splitlines()
    hooks = hooks_of(scene)
    kept = f"move {hooks}/post-merge to {hooks}/post-merge{KEPT} (kept: ours goes on to it)"
    assert kept in lines
    assert f"write {hooks}/post-checkout" in lines


def test_an_older_version_is_replaced_and_the_kept_hook_stays_kept(scene: Scene) -> None:
    before = foreign(scene, "post-merge").read_bytes()
    scene.install("files")
    hook = hooks_of(scene) / "post-merge"
    older = text(Path("/older/hooks-compile"), "post-merge")
    hook.write_bytes(older)
    assert "another version" in scene.tool("git-hooks", "status", status=1).stdout
    scene.install("files")
    assert hook.read_bytes() == text(TOOL, "post-merge")
    scene.tool("git-hooks", "uninstall")
    assert hook.read_bytes() == before


def test_a_hook_of_ours_that_lost_its_executable_bit_gets_it_back(scene: Scene) -> None:
    scene.install("files")
    hook = hooks_of(scene) / "post-merge"
    hook.chmod(0o644)
    assert "post-merge: not installed" in scene.tool("git-hooks", "status", status=1).stdout
    scene.install("files")
    assert os.access(hook, os.X_OK)


def test_what_somebody_added_to_our_hook_is_never_lost(scene: Scene) -> None:
    scene.install("files")
    hook = hooks_of(scene) / "post-merge"
    edited = hook.read_bytes() + b"echo mine\n"
    hook.write_bytes(edited)
    found = steps(scene.tool("git-hooks", "install", "--json").stdout)
    assert [(step["do"], step["path"]) for step in found] == [("leave", str(hook))]
    scene.tool("git-hooks", "uninstall")
    assert hook.read_bytes() == edited
    assert "edited by hand" in scene.tool("git-hooks", "status", status=1).stdout


def test_a_folder_that_cannot_be_written_is_an_error_with_a_remedy(scene: Scene) -> None:
    hooks = hooks_of(scene)
    for path in hooks.iterdir():
        path.unlink()
    hooks.rmdir()
    (scene.repo / ".git/elsewhere").write_text("")
    scene.git("config", "core.hooksPath", scene.repo / ".git/elsewhere")
    done = scene.tool("git-hooks", "install", status=1)
    assert "no folder" in done.stderr
    assert "git config --unset core.hooksPath" in done.stderr


def test_outside_of_a_work_tree_there_is_an_error(scene: Scene) -> None:
    for words in (["install"], ["uninstall"], ["status"]):
        done = scene.tool("git-hooks", *words, cwd=scene.folder, status=1)
        assert "not in a git work tree" in done.stderr


# Hooks of others


@pytest.mark.parametrize("first", ["#!/bin/sh", "#!/usr/bin/env bash"])
def test_every_foreign_hook_runs_as_often_as_before_and_with_as_much(
    first: str, scene: Scene
) -> None:
    for event in EVENTS:
        foreign(scene, event, first, end=f'echo >> "{scene.folder}/noted"')
    noted = scene.folder / "noted"

    def do_it_all() -> list[tuple[str, int]]:
        noted.unlink(missing_ok=True)
        scene.git("checkout", "-q", "topic")
        scene.edit("amended", "0")
        scene.git("commit", "-q", "-a", "--amend", "-m", "topic")
        scene.git("merge", "-q", "-m", "merged", "main")
        patch = scene.git("format-patch", "-q", "--stdout", "-1", "origin/clash")
        write(scene.folder / "patch", patch + "\n")
        scene.git("checkout", "-q", "--detach", "origin/clash~1")
        scene.git("am", "-q", scene.folder / "patch")
        lines = [line.partition("|") for line in noted.read_text().split("\n") if line]
        scene.git("checkout", "-q", "-f", "main")
        scene.git("branch", "-q", "-f", "topic", "origin/topic")
        return [(event, len(rest)) for event, _, rest in lines]

    scene.make_warm()
    before = do_it_all()
    scene.install("files")
    assert do_it_all() == before
    assert {event for event, _ in before} == set(EVENTS)


def test_the_status_of_a_foreign_hook_is_gits_and_ours_never_is(scene: Scene) -> None:
    foreign(scene, "post-checkout", end="echo loud; exit 3")
    scene.install("files")
    done = scene.run(scene.git_binary, "checkout", "-q", "topic", status=1)
    assert (done.stdout, done.stderr) == ("", "loud\n")
    assert scene.launch() == "hit"


def test_post_rewrite_hands_its_stdin_on(scene: Scene) -> None:
    foreign(scene, "post-rewrite")
    scene.install("files")
    old = scene.git("rev-parse", "HEAD")
    scene.git("commit", "-q", "--amend", "-m", "again")
    new = scene.git("rev-parse", "HEAD")
    assert (scene.folder / "noted").read_text() == f"post-rewrite|amend|{old} {new}\n"


def test_a_second_foreign_hook_does_not_destroy_the_first(scene: Scene) -> None:
    first = foreign(scene, "post-merge").read_bytes()
    scene.install("files")
    second = foreign(scene, "post-merge", end="# another").read_bytes()
    scene.install("files")
    scene.tool("git-hooks", "uninstall")
    hooks = hooks_of(scene)
    assert (hooks / "post-merge").read_bytes() == second
    assert (hooks / f"post-merge{KEPT}.1").read_bytes() == first


def test_a_hook_that_its_owner_puts_there_again_and_again_is_kept_once(scene: Scene) -> None:
    theirs = foreign(scene, "post-merge").read_bytes()
    hooks = hooks_of(scene)
    for _ in range(3):
        scene.install("files")
        foreign(scene, "post-merge")
    scene.tool("git-hooks", "uninstall")
    left = [path.name for path in hooks.iterdir() if path.name.startswith("post-merge")]
    assert left == ["post-merge"]
    assert (hooks / "post-merge").read_bytes() == theirs


def test_moved_aside_by_lefthook_it_is_installed_again_in_front(scene: Scene) -> None:
    scene.install("files")
    hook = hooks_of(scene) / "post-checkout"
    hook.rename(hook.with_name("post-checkout.old"))
    lefthook = foreign(scene, "post-checkout").read_bytes()
    assert "post-checkout: not installed" in scene.tool("git-hooks", "status", status=1).stdout
    scene.install("files")
    assert not hook.with_name("post-checkout.old").exists()
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"
    assert "post-checkout|" in (scene.folder / "noted").read_text()
    scene.tool("git-hooks", "uninstall")
    assert hook.read_bytes() == lefthook


def test_a_kept_hook_comes_back_when_somebody_has_removed_ours(scene: Scene) -> None:
    theirs = foreign(scene, "post-merge").read_bytes()
    scene.install("files")
    (hooks_of(scene) / "post-merge").unlink()
    scene.tool("git-hooks", "uninstall")
    assert (hooks_of(scene) / "post-merge").read_bytes() == theirs


def test_of_many_foreign_hooks_none_is_destroyed(scene: Scene) -> None:
    contents = []
    for number in range(3):
        contents.append(foreign(scene, "post-merge", end=f"# {number}").read_bytes())
        scene.install("files")
    hooks = hooks_of(scene)
    left = [path.read_bytes() for path in hooks.glob(f"post-merge{KEPT}*")]
    assert sorted(left) == sorted(contents)


def test_a_kept_hook_whose_place_is_taken_stays_and_is_told(scene: Scene) -> None:
    first = foreign(scene, "post-merge").read_bytes()
    scene.install("files")
    foreign(scene, "post-merge", end="# another")
    found = steps(scene.tool("git-hooks", "uninstall", "--json").stdout)
    left = [step for step in found if step["do"] == "leave"]
    assert [Path(step["path"]).name for step in left] == [f"post-merge{KEPT}"]
    assert (hooks_of(scene) / f"post-merge{KEPT}").read_bytes() == first


def test_the_real_lefthook_runs_too_and_its_next_installation_is_mended(scene: Scene) -> None:
    (scene.folder / "bin/lefthook").symlink_to(Path(sys.executable).with_name("lefthook"))
    noted = scene.folder / "home/noted"
    job = 'post-checkout:\n  jobs:\n    - run: cd "$HOME" && echo it >> noted\n'
    write(scene.repo / "lefthook.yml", job)
    scene.make_warm()
    for branch, times in (("topic", 1), ("clash", 2)):
        scene.run("lefthook", "install")
        scene.install("files")
        scene.git("checkout", "-q", branch)
        assert noted.read_text() == "it\n" * times
        assert scene.launch() == "hit"
    scene.tool("git-hooks", "uninstall")
    scene.git("checkout", "-q", "topic")
    assert noted.read_text() == "it\n" * 3


def test_a_foreign_hook_sees_the_environment_that_git_gives_it(scene: Scene) -> None:
    seen = scene.folder / "seen"
    script = "import json, os\n" + f"json.dump(dict(os.environ), open({str(seen)!r}, 'w'))\n"
    for event in EVENTS:
        write(hooks_of(scene) / event, f"#!/usr/bin/env python3\n{script}", executable=True)
    of_any_shell = {"PWD", "OLDPWD", "SHLVL", "_"}

    def environments() -> list[dict[str, str]]:
        found = []
        for words in (["checkout", "-q", "topic"], ["commit", "-q", "--amend", "-m", "it"]):
            scene.git(*words)
            env = json.loads(seen.read_text())
            found.append({name: env[name] for name in env.keys() - of_any_shell})
        scene.git("checkout", "-q", "main")
        scene.git("branch", "-q", "-f", "topic", "origin/topic")
        return found

    before = environments()
    scene.install("files")
    assert environments() == before


# core.hooksPath


@pytest.fixture(scope="session")
def husky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real one, as npm has it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not on this machine, from which husky comes (try: apt install npm)")
    folder = tmp_path_factory.mktemp("husky")
    words: list[str | Path] = [
        npm,
        "install",
        "--no-audit",
        "--no-fund",
        "--prefix",
        folder,
        "husky@9",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=110)
    if done.returncode != 0:
        pytest.skip(f"npm gives no husky here: {done.stderr.strip().splitlines()[-1:]}")
    return folder / "node_modules/husky/bin.js"


def test_the_real_husky_runs_its_scripts_and_ours(scene: Scene, husky: Path) -> None:
    noted = scene.folder / "noted"
    for event in ("post-checkout", "post-merge"):
        write(scene.repo / ".husky" / event, f'echo {event} "$@" >> "{noted}"\n')
    scene.make_warm()
    scene.install("files")  # before there is a husky: in git's own folder
    scene.run("node", husky)
    assert scene.git("config", "core.hooksPath") == ".husky/_"
    assert "not installed" in scene.tool("git-hooks", "status", status=1).stdout
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


def test_husky_goes_on_to_its_scripts(scene: Scene) -> None:
    noted = scene.folder / "noted"
    write(scene.repo / ".husky/post-checkout", f'echo "$@" >> "{noted}"\nexit 5\n')
    scene.put_husky()
    before = snapshot(scene.repo / ".husky")
    scene.make_warm()
    scene.install("files")
    assert "?? .husky/_" not in scene.git("status", "--short")
    scene.git("checkout", "-q", "topic", status=1)
    assert noted.read_text().split()[2] == "1"
    assert scene.launch() == "hit"
    scene.git("reset", "-q", "--hard", "main")
    assert scene.launch() == "hit"
    scene.tool("git-hooks", "uninstall")
    assert snapshot(scene.repo / ".husky") == before


def test_husky_installed_after_us_is_told_and_mended(scene: Scene) -> None:
    scene.install("files")
    scene.put_husky()
    assert "not installed" in scene.tool("git-hooks", "status", status=1).stdout
    scene.install("files")
    assert "not installed" not in scene.tool("git-hooks", "status").stdout
    scene.put_husky()  # npm install writes its files again
    assert "not installed" in scene.tool("git-hooks", "status", status=1).stdout
    assert scene.tool("git-hooks", "status", status=1).stdout.count(": not installed") == 5
    scene.git("reset", "-q", "--hard", "topic")
    assert scene.launch() == "hit"  # post-index-change is none of husky's
    scene.install("files")
    scene.tool("git-hooks", "uninstall")
    assert kind(hooks_of(scene) / "post-checkout") is Kind.MISSING


def tracked_hooks(scene: Scene) -> Path:
    folder = scene.repo / ".githooks"
    write(folder / "post-checkout", "#!/bin/sh\nexit 0\n", executable=True)
    write(folder / "pre-commit", "#!/bin/sh\nexit 0\n", executable=True)
    scene.quietly("add", "-A")
    scene.quietly("commit", "-q", "-m", "hooks")
    scene.quietly("config", "core.hooksPath", ".githooks")
    return folder


def test_tracked_hooks_are_left_alone_and_ours_beside_them_are_no_change(scene: Scene) -> None:
    folder = tracked_hooks(scene)
    before = snapshot(folder)
    exclude = scene.repo / ".git/info/exclude"
    excluded = exclude.read_bytes()
    scene.make_warm()
    found = (
        steps(scene.tool("git-hooks", "install", "--json").stdout)
        if not is_new(next(iter(gits())))
        else []
    )
    scene.install("files")
    assert scene.git("status", "--short") == ""
    assert snapshot(folder)["post-checkout"] == before["post-checkout"]
    left = [step for step in found if step["do"] == "leave"]
    assert [Path(step["path"]).name for step in left] in (["post-checkout"], [])
    scene.git("reset", "-q", "--hard", "HEAD~1")
    scene.git("reset", "-q", "--hard", "topic")
    assert scene.launch() == "hit"
    scene.quietly("reset", "-q", "--hard", "main@{2}")
    scene.tool("git-hooks", "uninstall")
    assert snapshot(folder) == before
    assert exclude.read_bytes() == excluded


def test_a_hooks_path_of_this_repository_alone_is_used_wherever_it_is(scene: Scene) -> None:
    folder = scene.folder / "hooks of the team"
    folder.mkdir()
    scene.git("config", "core.hooksPath", folder)
    scene.make_warm()
    scene.install("files")
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"
    scene.tool("git-hooks", "uninstall")
    assert list(folder.iterdir()) == []


def test_a_hooks_path_of_all_repositories_is_not_written_for_one(scene: Scene) -> None:
    folder = scene.folder / "shared hooks"
    folder.mkdir()
    scene.git("config", "--global", "core.hooksPath", folder)
    with pytest.raises(AssertionError, match="install --global"):
        scene.install("files")
    assert list(folder.iterdir()) == []
    scene.make_warm()
    scene.install("files", global_=True)
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"
    scene.tool("git-hooks", "uninstall")  # of this repository: that folder is not its own
    assert len(list(folder.iterdir())) == len(EVENTS)
    scene.tool("git-hooks", "uninstall", "--global")
    assert list(folder.iterdir()) == []


def test_hooks_switched_off_for_all_repositories_stay_off(scene: Scene) -> None:
    scene.git("config", "--global", "core.hooksPath", "/dev/null")
    for flags in ({}, {"global_": True}):
        with pytest.raises(AssertionError, match="GitError"):
            scene.install("files", **flags)  # type: ignore[arg-type]
    assert scene.git("config", "--global", "core.hooksPath") == "/dev/null"


# Layouts


def test_linked_worktrees_share_the_hooks_and_each_is_warm(
    way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    scene.quietly("worktree", "add", "-q", "../a linked one", "topic")
    linked = scene.folder / "a linked one"
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
    scene.git("clone", "-q", "--bare", "author", "bare.git", cwd=scene.folder)
    tree = scene.folder / "of bare"
    scene.git("worktree", "add", "-q", tree, "main", cwd=scene.folder / "bare.git")
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


def test_from_a_folder_below_the_root_git_is_followed_all_the_same(scene: Scene) -> None:
    scene.make_warm()
    scene.install("files")
    scene.git("reset", "-q", "--hard", "topic", cwd=scene.hook.parent)
    assert scene.launch() == "hit"


def test_a_repository_that_was_moved_needs_nothing(scene: Scene) -> None:
    scene.make_warm()
    scene.install("files")
    moved = scene.folder / "moved"
    scene.repo.rename(moved)
    scene.git("checkout", "-q", "topic", cwd=moved)
    assert scene.launch(moved / HOOK) == "hit"


# --global


def test_globally_installed_a_clone_is_warm_from_the_start(
    way: tuple[Method, str], make_scene: Callable[[str], Scene]
) -> None:
    method, version = way
    scene = make_scene(version)
    before = snapshot(scene.folder / "home")
    scene.install(method, global_=True)
    scene.install(method, global_=True)
    scene.git("clone", "-q", "author", "clone", cwd=scene.folder)
    clone = scene.folder / "clone"
    assert scene.launch(clone / HOOK) == "hit"
    scene.git("reset", "-q", "--hard", "origin/topic", cwd=clone)
    assert scene.launch(clone / HOOK) == "hit"
    scene.tool("git-hooks", "uninstall", "--global")
    assert snapshot(scene.folder / "home") == before
    assert scene.tool("git-hooks", "uninstall", "--global", "--json").stdout.strip() == "[]"


def test_the_template_is_gits_own_and_our_hooks(scene: Scene) -> None:
    scene.git("init", "-q", "usual", cwd=scene.folder)
    scene.install("files", global_=True)
    scene.git("init", "-q", "ours", cwd=scene.folder)

    def names(folder: str) -> set[str]:
        inside = scene.folder / folder / ".git"
        return {str(path.relative_to(inside)) for path in inside.rglob("*")}

    assert names("ours") == names("usual") | {"hooks", *(f"hooks/{event}" for event in EVENTS)}


def test_a_template_of_the_users_is_kept_and_its_hooks_are_chained(scene: Scene) -> None:
    template = scene.folder / "my template"
    noted = scene.folder / "noted"
    script = f'#!/bin/sh\necho mine >> "{noted}"\n'
    write(template / "hooks/post-checkout", script, executable=True)
    scene.git("config", "--global", "init.templateDir", template)
    before = snapshot(template)
    scene.install("files", global_=True)
    scene.git("clone", "-q", "author", "clone", cwd=scene.folder)
    assert noted.read_text() == "mine\n"
    assert scene.launch(scene.folder / "clone" / HOOK) == "hit"
    scene.tool("git-hooks", "uninstall", "--global")
    assert snapshot(template) == before
    assert scene.git("config", "--global", "init.templateDir") == str(template)


def test_in_a_clone_of_a_template_the_hooks_can_be_taken_away(scene: Scene) -> None:
    scene.install("files", global_=True)
    scene.git("clone", "-q", "author", "clone", cwd=scene.folder)
    clone = scene.folder / "clone"
    assert "not installed" not in scene.tool("git-hooks", "status", cwd=clone).stdout
    scene.tool("git-hooks", "uninstall", cwd=clone)
    assert not any((clone / ".git/hooks" / event).exists() for event in EVENTS)


def test_installed_globally_and_here_it_runs_once(make_scene: Callable[[str], Scene]) -> None:
    new = [version for version in gits() if is_new(version)]
    if not new:
        pytest.skip(TOO_OLD.kwargs["reason"])
    scene = make_scene(new[0])
    scene.install("config")
    scene.install("config", global_=True)
    hooks = scene.git("hook", "list", "post-checkout").splitlines()
    assert hooks == ["hooks-compile"]


# Status


def test_the_status_tells_what_is_installed_and_how(scene: Scene) -> None:
    assert status(scene.repo, scene.env).ok is False
    foreign(scene, "post-merge")
    scene.install("files")
    found = status(scene.repo, scene.env)
    assert [event.event for event in found.events] == list(EVENTS)
    how = {event.event: event.how for event in found.events}
    assert how["post-checkout"] == str(hooks_of(scene) / "post-checkout")
    assert how["post-merge"].endswith(f", and goes on to post-merge{KEPT}")
    assert found.problems == ()
    assert json.loads(scene.tool("git-hooks", "status", "--json").stdout)["ok"] is True


def test_the_status_tells_of_a_configured_hook_that_this_git_does_not_know(scene: Scene) -> None:
    if is_new(next(iter(gits()))):
        pytest.skip("the git on PATH knows configured hooks")
    scene.install("config")
    found = scene.tool("git-hooks", "status", status=1).stdout
    assert "takes no hooks from its configuration: hooks-compile git-hooks install" in found


def test_the_status_tells_of_a_configured_hook_that_is_off_or_gone(
    make_scene: Callable[[str], Scene],
) -> None:
    new = [version for version in gits() if is_new(version)]
    if not new:
        pytest.skip(TOO_OLD.kwargs["reason"])
    scene = make_scene(new[0])
    scene.install("config")
    scene.tool("git-hooks", "status")
    scene.git("config", "hook.hooks-compile.enabled", "false")
    assert "switched off" in scene.tool("git-hooks", "status", status=1).stdout
    scene.git("config", "--unset", "hook.hooks-compile.enabled")
    (scene.folder / "runtime" / git_hooks.SCRIPT).unlink()
    assert "is missing or of another version" in scene.tool("git-hooks", "status", status=1).stdout
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


def test_errors_name_the_command_that_mends_them(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        git_hooks.install(tmp_path / "the user's own", scene.env)
    assert "git init" in caught.value.remedy
    blocked = hooks_of(scene) / "post-merge"
    blocked.mkdir()
    (blocked / "full").write_text("")
    found = git_hooks.install(scene.repo, scene.env, method="files", tool=TOOL, dry_run=True)
    assert [step.path.name for step in found if step.do is Do.MOVE] == ["post-merge"]


def test_a_step_that_fails_says_which_file(scene: Scene) -> None:
    found = git_hooks.install(scene.repo, scene.env, method="files", tool=TOOL, dry_run=True)
    for path in hooks_of(scene).iterdir():
        path.unlink()
    hooks_of(scene).rmdir()
    hooks_of(scene).write_text("a file in the folder's place")
    with pytest.raises(HooksCompileError, match="can't write") as caught:
        found[0].take()
    assert caught.value.path == hooks_of(scene) / "post-checkout"


def test_a_file_that_cannot_take_its_place_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(HooksCompileError, match="can't write"):
        Step(Do.WRITE, tmp_path / "taken", content=b"x").take()
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_git_without_a_version_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "git", "#!/bin/sh\necho some other program\n", executable=True)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(GitError, match="some other program"):
        git_hooks.git_version()


def test_the_command_is_this_installations_or_else_that_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_hooks.own_command() == TOOL
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path / "nothing"))
    on_path = write(tmp_path / "bin/hooks-compile", "#!/bin/sh\n", executable=True)
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert git_hooks.own_command() == on_path
    on_path.unlink()
    with pytest.raises(HooksCompileError, match="not on PATH"):
        git_hooks.own_command()
