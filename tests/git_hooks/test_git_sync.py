"""What a git hook runs never hurts git, and nothing that a repository brings is executed by it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile import agents
from hooks_compile.agents.clients.table import AGENTS
from hooks_compile.git_hooks import stamp as git_stamp
from hooks_compile.git_hooks.stamp import MOST_FILES, MOST_PLACES, Stamp, places
from hooks_compile.model import HookSource
from hooks_compile.project.config import Config
from hooks_compile.project.record import Project, open_project
from tests.support.git_calls import git_calls, note_git_calls
from tests.support.git_scene import HOOK, TOOL, Scene, gits, hook_text
from tests.support.interpreters_found import found
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Iterator

_templates: list[Scene] = []


@pytest.fixture
def scene(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A project with our hooks as files, warm."""
    if not _templates:
        made = Scene.create(tmp_path_factory.mktemp("template") / "scene")
        made.make_warm()
        made.install("files")
        _templates.append(made)
    return _templates[0].copy_to(tmp_path / "scene")


def counted(scene: Scene) -> tuple[Scene, Path]:
    """The scene with a tool in front of ours that notes each call."""
    calls = scene.directory / "calls"
    front = write(
        scene.directory / "front" / "hooks-compile",
        f"#!/bin/sh\necho call >> '{calls}'\nexec '{TOOL}' \"$@\"\n",
        executable=True,
    )
    scene.install("files", tool=front)
    scene.tool("sync", "--git-hook")
    return scene, calls


def calls_in(calls: Path) -> int:
    found = len(calls.read_text().splitlines()) if calls.exists() else 0
    calls.unlink(missing_ok=True)
    return found


# Git is not disturbed


@pytest.mark.parametrize("how", ["broken", "no tool", "broken tool", "no python", "bad config"])
def test_every_command_ends_as_without_us(how: str, scene: Scene) -> None:
    said = ""
    env = {}
    if how == "broken":
        scene.quietly("checkout", "-q", "topic")
        scene.hook.write_text("def f(:\n")
        scene.quietly("commit", "-q", "-a", "-m", "broken")
        scene.quietly("checkout", "-q", "main")
        said = f"hooks-compile: {HOOK}:1: SyntaxError: "
    elif how == "no tool":
        scene.install("files", tool=Path("/gone"))
    elif how == "broken tool":
        tool = write(scene.directory / "hooks-compile", "#!/nowhere\n", executable=True)
        scene.install("files", tool=tool)
    elif how == "no python":
        env = {"HOOKS_COMPILE_HOME": "/proc/nothing"}
    else:
        write(scene.repo / ".hooks-compile.toml", "python = 3")
    done = scene.with_env(**env).run(scene.git_binary, "checkout", "-q", "topic")
    assert done.stdout == ""
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == (1 if said else 0)
    if how != "broken":
        scene.launch()  # and what runs is the source


def test_several_broken_sources_are_one_line(scene: Scene) -> None:
    scene.quietly("checkout", "-q", "topic")
    for name in ("a", "b", "c"):
        write(scene.hook.with_name(f"{name}.py"), "x = (\n")
    scene.quietly("add", "-A")
    scene.quietly("commit", "-q", "-m", "broken")
    scene.quietly("checkout", "-q", "main")
    done = scene.run(scene.git_binary, "checkout", "-q", "topic")
    assert done.stderr.count("\n") == 1
    assert ".claude/hooks/a.py:1: SyntaxError" in done.stderr
    assert "(and 2 more: hooks-compile check)" in done.stderr


def test_a_name_that_commands_the_terminal_is_shown_and_not_obeyed(scene: Scene) -> None:
    scene.quietly("checkout", "-q", "topic")
    write(scene.hook.with_name("a\x1b]0;owned\x07\u202e.py"), "x = (\n")
    scene.quietly("add", "-A")
    scene.quietly("commit", "-q", "-m", "a name")
    scene.quietly("checkout", "-q", "main")
    done = scene.run(scene.git_binary, "checkout", "-q", "topic")
    assert "a\\x1b]0;owned\\x07\\u202e.py:1: SyntaxError" in done.stderr
    assert "\x1b" not in done.stderr


def test_a_conflict_in_the_hook_itself_is_told_and_launched_as_it_is(scene: Scene) -> None:
    scene.edit("ours")
    scene.quietly("commit", "-q", "-a", "-m", "ours")
    done = scene.run(scene.git_binary, "merge", "-q", "topic", status=1)
    assert f"hooks-compile: {HOOK}:" in done.stderr
    assert scene.launch() == "source"
    scene.git("merge", "--abort")
    assert scene.launch() == "hit"


def test_git_status_costs_no_sync_when_nothing_changed(scene: Scene) -> None:
    scene, calls = counted(scene)
    scene.git("status")
    scene.git("status")
    calls_in(calls)
    for _ in range(3):
        os.utime(scene.repo / "notes.txt")  # so that git writes the index
        scene.git("status")
    assert calls_in(calls) == 0


def test_a_checkout_syncs_once(scene: Scene) -> None:
    scene, calls = counted(scene)
    scene.git("checkout", "-q", "topic")
    assert calls_in(calls) == 1
    scene.git("checkout", "-q", "-b", "same")
    assert calls_in(calls) == 0


def test_a_checkout_that_changes_no_hook_does_not_sync(scene: Scene) -> None:
    scene.quietly("checkout", "-q", "-b", "notes")
    (scene.repo / "notes.txt").write_text("others\n")
    (scene.repo / "new.txt").write_text("new at the top\n")
    scene.quietly("add", "-A")
    scene.quietly("commit", "-q", "-m", "notes")
    scene, calls = counted(scene)
    scene.git("status")
    calls_in(calls)
    scene.git("checkout", "-q", "-")
    scene.git("checkout", "-q", "-")
    assert calls_in(calls) == 0


def test_a_sync_calls_no_hook_and_takes_no_lock(scene: Scene) -> None:
    scene, calls = counted(scene)
    (scene.repo / ".git" / "index.lock").write_text("")
    scene.git("checkout", "-q", "topic", status=128)  # git itself can't
    (scene.repo / ".git" / "index.lock").unlink()
    calls_in(calls)
    scene.git("checkout", "-q", "topic")
    assert calls_in(calls) == 1
    index = (scene.repo / ".git" / "index").read_bytes()
    os.utime(scene.hook)  # now git would like to write the index
    (scene.repo / ".git" / "index.lock").write_text("")
    scene.tool("sync", "--git-hook")
    assert Stamp(scene.repo / ".git").failure() == ""
    assert (scene.repo / ".git" / "index").read_bytes() == index


def test_git_variables_of_the_hook_do_not_lead_the_sync_astray(scene: Scene) -> None:
    scene.quietly("worktree", "add", "-q", "../linked", "topic")
    linked = scene.directory / "linked"
    scene.make_warm(linked / HOOK)
    # git sets GIT_DIR for the hooks of a linked worktree, and GIT_INDEX_FILE for those of a commit.
    (linked / HOOK).write_text(hook_text("linked"))
    scene.git("commit", "-q", "-m", "one file", HOOK, cwd=linked)
    assert scene.launch(linked / HOOK) == "hit"
    assert scene.launch() == "hit"


def test_a_git_directory_elsewhere_is_left_alone(scene: Scene, tmp_path: Path) -> None:
    """The layout of dotfiles: a home directory is the work tree of a repository beside it."""
    tree = tmp_path / "dotfiles' home"
    tree.mkdir()
    write(tree / HOOK, "print(1)\n")
    words: list[str | Path] = ["--git-dir", scene.repo / ".git", "--work-tree", tree]
    scene.run(scene.git_binary, *words, "status", cwd=tree)
    scene.run(scene.git_binary, *words, "add", HOOK, cwd=tree)
    assert not (tree / HOOK).parent.joinpath("__pycache_opt__").exists()


def test_syncs_at_the_same_time_do_not_disturb_each_other(scene: Scene) -> None:
    for number in range(4):
        write(scene.hook.with_name(f"h{number}.py"), f"print({number})\n")
    threads = [threading.Thread(target=scene.tool, args=("sync", "--git-hook")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        assert scene.launch(scene.hook.with_name(f"h{number}.py")) == "hit"
    assert not list(scene.repo.rglob("*.tmp"))
    assert not list((scene.repo / ".git" / git_stamp.NAME).glob(".stamp.*"))


def test_back_and_forth_between_many_versions_stays_warm(scene: Scene) -> None:
    for number in range(4):
        scene.edit(str(number))
        scene.git("commit", "-q", "-a", "-m", str(number))
    for number in (3, 0, 2):
        scene.git("checkout", "-q", f"main~{number}")
        assert scene.launch() == "hit"


def test_the_pycache_of_a_directory_is_no_change_of_a_hook(scene: Scene) -> None:
    scene, calls = counted(scene)
    write(scene.hook.with_name("helper.py"), "NAME = 1\n")
    scene.git("add", "-A")
    scene.git("status")
    calls_in(calls)
    scene.launch()
    scene.git("commit", "-q", "-m", "helper")
    assert calls_in(calls) == 0


def test_without_any_interpreter_it_is_silent_and_the_reason_is_kept(scene: Scene) -> None:
    write(scene.repo / ".hooks-compile.toml", 'python = ["python3.99"]\n')
    done = scene.tool("sync", "--git-hook")
    assert (done.stdout, done.stderr) == ("", "")
    assert "none of python3.99 is on PATH" in Stamp(scene.repo / ".git").failure()


def test_outside_of_a_work_tree_there_is_nothing_to_do(scene: Scene) -> None:
    for directory in (scene.directory, scene.repo / ".git"):
        done = scene.tool("sync", "--git-hook", cwd=directory)
        assert (done.stdout, done.stderr) == ("", "")


def test_a_git_directory_that_cannot_be_written_is_no_trouble(scene: Scene) -> None:
    own = scene.repo / ".git" / git_stamp.NAME
    (own / "failure").mkdir()
    write(scene.repo / ".hooks-compile.toml", "python = 3\n")
    scene.tool("sync", "--git-hook")
    shutil.rmtree(own)
    own.write_text("a file in its place")
    done = scene.tool("sync", "--git-hook")
    assert (done.stdout, done.stderr) == ("", "")
    assert scene.run(scene.git_binary, "checkout", "-q", "topic").stderr == ""


# Time


def limited(seconds: float) -> str:
    """The code of a sync with another limit."""
    return (
        "import os, pathlib; from hooks_compile.git_hooks import git_sync; "
        f"print(git_sync.run(pathlib.Path.cwd(), os.environ, limit={seconds}), end='')"
    )


def run_with_limit(scene: Scene, seconds: float, *statuses: int) -> float:
    start = time.monotonic()
    done = scene.run(sys.executable, "-P", "-c", limited(seconds), status=None)
    assert done.returncode in {0, *statuses}
    assert (done.stdout, done.stderr) == ("", "")
    return time.monotonic() - start


def test_a_sync_that_waits_for_ever_ends_in_time_and_says_so(scene: Scene) -> None:
    scene.edit()
    (scene.directory / "bin/python3").unlink()
    write(scene.directory / "bin/python3", "#!/bin/sh\nexec sleep 100\n", executable=True)
    shutil.rmtree(scene.directory / "runtime/seen")
    assert run_with_limit(scene, 0.5) < 10
    assert "more than 0.5 s" in Stamp(scene.repo / ".git").failure()


def test_a_python_that_hangs_holds_the_hook_up_no_longer_than_us(scene: Scene) -> None:
    """It answers what it is, and then never compiles: its directory is a mount that is gone."""
    others = [i for i in found() if i.is_cpython and i.version[:2] != sys.version_info[:2]]
    if not others:
        pytest.skip("there is one Python on this machine (try: pyenv install)")
    scene.edit()
    python = scene.directory / "bin/python3"
    python.unlink()
    # the third word of the answer is the path of the Python
    path = os.fsencode(python).hex()
    answer = f"'{others[0].executable}' \"$@\" | sed 's/ cpython [^ ]*/ cpython {path}/'"
    hang = "echo noise >&2; exec sleep 60"
    script = f"case $* in\n*compile_worker*) {hang} ;;\n*) {answer} ;;\nesac\n"
    write(python, f"#!/bin/sh\n{script}", executable=True)
    sync = f"#!/bin/sh\nexec '{sys.executable}' -P -c \"{limited(1)}\"\n"
    scene.install("files", tool=write(scene.directory / "sync", sync, executable=True))
    start = time.monotonic()
    done = scene.run(scene.git_binary, "commit", "-q", "-a", "-m", "edited")
    assert (done.stdout, done.stderr) == ("", "")
    assert time.monotonic() - start < 40
    assert "more than 1 s" in Stamp(scene.repo / ".git").failure()


def test_a_source_that_compiles_for_ever_ends_in_time(scene: Scene) -> None:
    # Each "finally" is compiled twice, with all that is in it; no signal is looked at meanwhile.
    tabs = ["\t" * depth for depth in range(20)]
    blocks = [f"{tab}try:\n{tab}\tx = 1\n{tab}finally:\n" for tab in tabs[:19]]
    scene.hook.write_text("".join(blocks) + f"{tabs[19]}x = 2\n")
    # On a busy machine the time may be up before the compilation begins.
    assert run_with_limit(scene, 0.5, -signal.SIGXCPU) < 50


# Nothing that a repository brings is executed


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Scene]:
    """A repository in which everything that might be started leaves a mark."""
    mark = tmp_path / "mark"
    evil = f"#!/bin/sh\necho \"$0\" >> '{mark}'\n"
    python = f"open({str(mark)!r}, 'a').write(__file__)\n"
    files = dict.fromkeys(("python3", "git", "hooks-compile", "bin/python3", "bin/git"), evil)
    files |= {f".venv/bin/{name}": evil for name in ("python", "python3")}
    files |= {".venv/pyvenv.cfg": "home = /usr/bin\n", ".python-version": "../../evil\n"}
    files |= {".tool-versions": "python path:./bin\n", ".githooks/post-checkout": evil}
    for name in ("sitecustomize", "usercustomize", "re", "argparse", "hooks_compile", "json"):
        files[f"{name}.py"] = python
        files[f".claude/hooks/{name}.py"] = python
    files[".hooks-compile.toml"] = 'python = ["python3", "pypy3"]\ninclude = ["*.py"]\n'
    scene = Scene.create(tmp_path / "scene", files=files)
    yield scene
    assert not mark.exists(), mark.read_text()


@pytest.mark.parametrize("method", ["files", "config"])
def test_a_clone_of_a_hostile_repository_executes_nothing(method: str, hostile: Scene) -> None:
    git = list(gits().values())[-1]
    if method == "config" and list(gits())[-1] < "2.54":
        pytest.skip("the newest git here knows no configured hooks")
    scene = Scene(hostile.directory, git, hostile.env)
    scene.install(method, global_=True)  # type: ignore[arg-type]
    path = f".:bin:{scene.directory}/clone/bin::{scene.env['PATH']}"
    scene.with_env(PATH=path).run(git, "clone", "-q", "author", "clone", cwd=scene.directory)
    clone = scene.directory / "clone"
    scene.with_env(PATH=path).run(git, "checkout", "-q", "origin/topic", cwd=clone)
    assert (clone / ".git" / git_stamp.NAME / "stamp").exists()
    assert Stamp(clone / ".git").failure() == ""
    assert list(clone.glob(".claude/hooks/__pycache_opt__/guard*.pyc"))


@pytest.mark.parametrize("nested", ["", "env/.venv", "env"])
def test_a_branch_that_replaces_our_command_is_not_run(nested: str, scene: Scene) -> None:
    """Our command may be in the project's own environment. git overwrites what it ignores.

    ``nested`` is the submodule that brings it, if one does.
    """
    tool = scene.repo / "env/.venv/bin/hooks-compile"
    write(tool, f"#!/bin/sh\nexec '{TOOL}' \"$@\"\n", executable=True)
    write(scene.repo / ".git/info/exclude", "env\n")
    mark = scene.directory / "mark"
    evil = f"#!/bin/sh\ntouch '{mark}'\n"
    scene.install("files", tool=tool)
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"
    scene.quietly("checkout", "-q", "-b", "hostile", "clash")
    good = tool.read_text()
    write(tool, evil, executable=True)
    if nested:
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "evil"]):
            scene.quietly(*words, cwd=scene.repo / nested)
    scene.quietly("add", "-A", "-f")
    scene.quietly("commit", "-q", "-m", "hostile")
    if not nested:  # what is nested comes with "git submodule update" or submodule.recurse
        scene.quietly("checkout", "-q", "main")
        write(tool, good, executable=True)
        scene.git("checkout", "-q", "hostile")
    assert tool.read_text() == evil
    scene.edit("hostile")
    scene.git("commit", "-q", "-a", "-m", "more")
    scene.git("worktree", "add", "-q", "../linked", "main")  # it runs the same hook elsewhere
    assert not mark.exists()


def test_the_place_of_our_command_is_no_repository_that_a_branch_brings(scene: Scene) -> None:
    """git takes a directory with HEAD, objects and refs for a repository, settings and all."""
    venv = scene.repo / ".venv"
    write(venv / "bin/hooks-compile", f"#!/bin/sh\nexec '{TOOL}' \"$@\"\n", executable=True)
    write(scene.repo / ".git/info/exclude", "/.venv/bin\n")
    scene.install("files", tool=venv / "bin/hooks-compile")
    mark = scene.directory / "mark"
    settings = f"bare = false\n\tworktree = ..\n\tfsmonitor = \"touch '{mark}'; false\"\n"
    scene.quietly("checkout", "-q", "-b", "hostile", "clash")
    for name, text in (
        ("HEAD", "ref: refs/heads/x\n"),
        ("config", f"[core]\n\trepositoryFormatVersion = 0\n\t{settings}"),
        *(("objects/x", ""), ("refs/x", "")),
    ):
        write(venv / name, text)
    scene.run(scene.git_binary, "ls-files", cwd=venv, status=None)
    assert mark.exists(), "git alone obeys it, or this test shows nothing"
    mark.unlink()
    scene.quietly("add", "-A")
    scene.quietly("commit", "-q", "-m", "hostile")
    scene.quietly("checkout", "-q", "main")
    scene.git("checkout", "-q", "hostile")
    assert not mark.exists()


def test_a_link_in_the_place_of_our_environment_is_not_run(scene: Scene) -> None:
    tool = scene.repo / ".venv/bin/hooks-compile"
    write(tool, f"#!/bin/sh\nexec '{TOOL}' \"$@\"\n", executable=True)
    write(scene.repo / ".git/info/exclude", ".venv\n")
    scene.install("files", tool=tool)
    mark = scene.directory / "mark"
    scene.quietly("checkout", "-q", "-b", "hostile", "clash")
    shutil.rmtree(scene.repo / ".venv")
    write(scene.repo / "evil/bin/hooks-compile", f"#!/bin/sh\ntouch '{mark}'\n", executable=True)
    (scene.repo / ".venv").symlink_to("evil")
    scene.quietly("add", "-A", "-f")
    scene.quietly("commit", "-q", "-m", "hostile")
    scene.edit()
    scene.git("commit", "-q", "-a", "-m", "more")
    assert not mark.exists()


def test_a_shim_is_asked_where_the_repository_has_no_word(scene: Scene) -> None:
    """pyenv and asdf start what a file in the current directory names."""
    real = (scene.directory / "bin/python3").resolve()
    (scene.directory / "bin/python3").unlink()
    asked = scene.directory / "asked"
    shim = f"#!/bin/sh\npwd >> '{asked}'; echo \"$PWD\" >> '{asked}'\nexec '{real}' \"$@\"\n"
    write(scene.directory / "bin/python3", shim, executable=True)
    scene.git("checkout", "-q", "topic")
    assert set(asked.read_text().splitlines()) == {scene.env["HOME"]}
    assert scene.launch() == "hit"


# Places


def project_of(scene: Scene) -> Project:
    return open_project(scene.repo, scene.env, agents=agents)


def test_places_are_directories_of_hooks_first_and_relative(scene: Scene) -> None:
    found = places(project_of(scene))
    assert found[:2] == [".claude/hooks", ".claude"]
    assert HOOK in found
    assert {"pyproject.toml", ".hooks-compile.toml", ".githooks", "hooks", "plugins"} <= set(found)
    assert "" not in found
    assert "." not in found


def test_settings_of_every_agent_show_whether_they_are_there_or_not(scene: Scene) -> None:
    scene.make_warm()
    for agent in AGENTS:
        for name in (name for name in agent.names if "*" not in name):
            stamp = (scene.repo / ".git/hooks-compile/stamp").stat().st_mtime_ns
            write(scene.repo / name, "" if name.endswith(".toml") else "{}")
            scene.git("add", "-A")
            assert (scene.repo / ".git/hooks-compile/stamp").stat().st_mtime_ns > stamp, name
    assert len(places(project_of(scene))) > len(AGENTS)


def test_places_follow_include_plugins_and_packages(scene: Scene) -> None:
    write(scene.repo / "tools/x/deep.py", "pass\n")
    write(scene.repo / "plugins/one/hooks/hooks.json", "{}")
    write(scene.repo / "plugins/one/hooks/run.py", "pass\n")
    write(scene.hook.with_name("package") / "__init__.py", "")
    include = 'include = ["tools/**/*.py", "single/file.py"]\n'
    write(scene.repo / ".hooks-compile.toml", include)
    found = places(project_of(scene))
    expected = {"tools/x", "tools", "single", "single/file.py", "plugins/one", "plugins"}
    assert {*expected, "plugins/one/hooks", ".claude/hooks/package"} <= set(found)


def test_a_new_hook_directory_beside_a_known_one_is_seen(scene: Scene) -> None:
    write(scene.repo / "plugins/one/hooks/hooks.json", "{}")
    write(scene.repo / "plugins/one/hooks/run.py", "print(1)\n")
    scene.git("add", "-A")
    scene.git("commit", "-q", "-m", "one")
    scene.quietly("checkout", "-q", "-b", "two")
    write(scene.repo / "plugins/two/hooks/hooks.json", "{}")
    new = write(scene.repo / "plugins/two/hooks/run.py", "print(2)\n")
    shutil.copy(scene.hook.with_name("hook_wrapper.sh"), new.parent)
    scene.quietly("add", "-A")
    scene.quietly("commit", "-q", "-m", "two")
    scene.quietly("checkout", "-q", "main")
    scene.make_warm()
    scene.git("checkout", "-q", "two")
    assert scene.launch(new) == "hit"


def test_a_configuration_that_names_another_script_is_seen(scene: Scene) -> None:
    named = write(scene.repo / "scripts/named.py", "print(3)\n")
    shutil.copy(scene.hook.with_name("hook_wrapper.sh"), named.parent)
    scene.make_warm()
    command = '"python3 scripts/named.py"'
    write(
        scene.repo / ".claude/settings.json",
        '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": ' + command + "}]}]}}",
    )
    scene.git("add", "-A")
    assert scene.launch(named) == "hit"


def test_many_directories_and_files_are_cut_at_a_bound(scene: Scene) -> None:
    for number in range(MOST_FILES + 1):
        write(scene.hook.with_name(f"h{number}.py"), "pass\n")
    found = places(project_of(scene))
    assert not [name for name in found if name.endswith(".py")]
    sources = tuple(HookSource(scene.repo / f"many/{n}/hook.py") for n in range(MOST_PLACES + 5))
    many = Project(scene.repo, Config(), sources, scene.directory)
    assert len(places(many)) == MOST_PLACES


def test_a_name_with_a_newline_is_no_line(scene: Scene) -> None:
    write(scene.repo / ".claude/hooks/a\nb/c.py", "pass\n")
    found = places(project_of(scene))
    assert not [name for name in found if "\n" in name]
    assert ".claude/hooks" in found


def test_hooks_of_git_outside_of_a_linked_worktree_are_places_by_their_full_name(
    scene: Scene,
) -> None:
    scene.quietly("worktree", "add", "-q", "../linked", "topic")
    own = scene.repo / ".git/hooks"
    write(own / "pre-push", "#!/usr/bin/env python3\nprint(1)\n")
    linked = scene.directory / "linked"
    assert str(own) in places(open_project(linked, scene.env, agents=agents))


def test_a_stamp_dates_from_before_its_sync(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path)
    stamp.begin()
    (tmp_path / "changed").write_text("")
    stamp.succeed(["one", "two"])
    put = tmp_path / git_stamp.NAME
    assert stamp.read() == ["one", "two"]
    assert (put / "stamp").stat().st_mtime_ns < (tmp_path / "changed").stat().st_mtime_ns
    assert [path.name for path in put.iterdir()] == ["stamp"]
    assert git_stamp.directories(tmp_path) == [put]


def test_a_failure_keeps_the_places_until_a_success(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path)
    stamp.begin()
    stamp.fail("no luck")
    assert ".claude/hooks" in stamp.read()
    assert stamp.failure() == "no luck"
    stamp.begin()
    stamp.succeed(["here"])
    stamp.begin()
    stamp.fail("again")
    assert stamp.read() == ["here"]
    stamp.begin()
    stamp.succeed(["there"])
    assert stamp.failure() == ""


def test_a_sync_takes_three_git_processes_at_most(scene: Scene) -> None:
    env, log = note_git_calls(scene.directory, scene.env)
    scene.edit()
    replace(scene, env=env).tool("sync", "--git-hook")
    assert git_calls(log) == ["rev-parse", "ls-files"]  # and check-ignore for what is not listed
    assert scene.launch() == "hit"
