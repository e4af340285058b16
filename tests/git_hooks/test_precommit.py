"""Our ids under the real pre-commit and the real prek."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.git_scene import HOOK, Scene, hook_text
from tests.support.interpreters_found import found
from tests.support.precommit_scene import CONFIG, LOCAL, MANAGERS, Packaged
from tests.support.repositories import write
from tests.support.tiers import ci_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

IDS = ("hooks-compile", "hooks-compile-sync", "hooks-compile-check")

pytestmark = ci_only

_templates: dict[Path, Scene] = {}


@pytest.fixture(scope="session")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    return Packaged.shared(tmp_path_factory)


@pytest.fixture(params=MANAGERS, ids=lambda path: path.name)
def manager(request: pytest.FixtureRequest) -> Path:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def scene(
    manager: Path, packaged: Packaged, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Scene:
    """A project whose commits have all our ids, with the manager's hooks in its work tree."""
    if manager not in _templates:
        directory = tmp_path_factory.mktemp("template") / "scene"
        made = Scene.create(directory, files={CONFIG: packaged.config()}).with_env(**packaged.env)
        made.run(manager, "install", "--install-hooks")
        _templates[manager] = made
    return _templates[manager].copy_to(tmp_path / "scene")


@pytest.fixture
def run(scene: Scene, manager: Path) -> Callable[..., str]:
    """Run the manager; return what it printed."""

    def run(*words: str, status: int = 0) -> str:
        done = scene.run(manager, *words, status=status)
        return done.stdout + done.stderr

    return run


def commit(scene: Scene, *words: str, status: int = 0) -> str:
    """Commit what is staged; return what is shown."""
    done = scene.run(scene.git_binary, "commit", "-m", "change", *words, status=status)
    return done.stdout + done.stderr


PARALLEL = "- id: hooks-compile\n    require_serial: false\n"
BROKEN = "import sys\n\ndef f(:\n    pass\n"


def test_a_commit_compiles_the_hooks_that_it_changes(scene: Scene) -> None:
    other = write(scene.hook.with_name("other.py"), "print('other')\n")
    scene.quietly("add", "-A")
    scene.quietly("commit", "-q", "-m", "other")
    scene.edit()
    scene.git("add", "-A")
    without_sync = scene.with_env(SKIP="hooks-compile-sync", PREK_SKIP="hooks-compile-sync")
    commit(without_sync)
    assert scene.launch() == "hit"
    assert scene.launch(other) == "miss"


def test_a_hook_that_does_not_compile_fails_the_commit_with_file_line_and_caret(
    scene: Scene,
) -> None:
    scene.hook.write_text(BROKEN)
    scene.git("add", "-A")
    shown = commit(scene, status=1)
    assert shown.count(f"{HOOK}:3: SyntaxError: invalid syntax") == 1
    lines = shown.splitlines()
    source = next(number for number, line in enumerate(lines) if line.strip() == "def f(:")
    assert lines[source + 1].index("^") == lines[source].index("(:") + 1


def test_what_is_no_hook_is_no_concern_of_ours(scene: Scene) -> None:
    write(scene.repo / "src/broken.py", BROKEN)
    write(scene.repo / "tests/data/py2.py", "print 'hello'\n")
    scene.git("add", "-A")
    commit(scene)


def test_a_module_beside_the_hooks_counts(scene: Scene) -> None:
    write(scene.hook.with_name("package") / "__init__.py", "")
    write(scene.hook.with_name("package") / "inner.py", BROKEN)
    scene.git("add", "-A")
    assert ".claude/hooks/package/inner.py:3: SyntaxError" in commit(scene, status=1)


def test_unstaged_edits_are_neither_compiled_nor_lost(scene: Scene) -> None:
    scene.edit("staged")
    scene.git("add", "-A")
    scene.edit("not staged")
    commit(scene)
    assert scene.hook.read_text() == hook_text("not staged", "edited")
    scene.quietly("checkout", "-q", "--", HOOK)
    assert scene.launch() == "hit"


def test_of_a_partly_staged_file_the_staged_part_decides(scene: Scene) -> None:
    scene.edit("staged")
    scene.git("add", "-A")
    scene.hook.write_text(BROKEN)
    commit(scene)
    assert scene.hook.read_text() == BROKEN
    scene.git("add", "-A")
    scene.edit("corrected, but not staged")
    assert f"{HOOK}:3: SyntaxError" in commit(scene, status=1)
    assert scene.hook.read_text() == hook_text("corrected, but not staged", "edited")


def test_deletions_and_renames(scene: Scene) -> None:
    write(scene.hook.with_name("other.py"), "print('other')\n")
    scene.git("add", "-A")
    commit(scene)
    scene.git("rm", "-q", ".claude/hooks/other.py")
    commit(scene)
    scene.git("mv", HOOK, ".claude/hooks/renamed.py")
    commit(scene)
    assert scene.launch(scene.hook.with_name("renamed.py")) == "hit"
    left = scene.hook.with_name("__pycache_opt__").glob("*.pyc")
    assert {path.name.partition(".")[0] for path in left} == {"renamed"}


def test_a_merge_with_a_conflict_in_the_hook(scene: Scene) -> None:
    scene.edit("ours")
    scene.quietly("commit", "-q", "-a", "-m", "ours")
    scene.git("merge", "-q", "topic", status=1)
    scene.git("add", "-A")
    assert f"{HOOK}:2: SyntaxError" in commit(scene, status=1)
    scene.edit("solved")
    scene.git("add", "-A")
    commit(scene)
    assert scene.launch() == "hit"


def test_a_branch_whose_configuration_does_not_know_us(scene: Scene, manager: Path) -> None:
    scene.quietly("checkout", "-q", "-b", "others")
    write(scene.repo / CONFIG, LOCAL.format(noted=scene.directory / "noted"))
    scene.edit("others")
    scene.quietly("commit", "-q", "-a", "-m", "others")
    scene.quietly("checkout", "-q", "-b", "none")
    scene.quietly("rm", "-q", CONFIG)
    scene.edit("none")
    scene.quietly("commit", "-q", "-a", "-m", "none")
    scene.quietly("checkout", "-q", "main")
    scene.run(manager, "install", "-f", "--allow-missing-config")
    for branch in ("others", "none"):
        scene.git("checkout", "-q", branch)
        assert scene.launch() != "hit"
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"


def test_a_checkout_with_a_broken_hook_succeeds(scene: Scene) -> None:
    scene.quietly("checkout", "-q", "-b", "broken")
    scene.hook.write_text(BROKEN)
    scene.quietly("commit", "-q", "-a", "-m", "broken")
    scene.quietly("checkout", "-q", "main")
    scene.git("checkout", "-q", "broken", status=0)
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"


def test_all_files_in_parallel(scene: Scene, run: Callable[..., str]) -> None:
    hooks = [write(scene.hook.with_name(f"h{n}.py"), f"print({n})\n") for n in range(60)]
    scene.quietly("add", "-A")
    run("run", "--all-files", "hooks-compile")
    assert scene.launch(hooks[0]) == scene.launch(hooks[59]) == "hit"
    hooks[7].write_text(BROKEN)
    scene.quietly("add", "-A")
    assert ".claude/hooks/h7.py:3: SyntaxError" in run("run", "--all-files", status=1)


def test_in_several_processes_where_a_project_wants_it_so(
    scene: Scene, run: Callable[..., str], packaged: Packaged
) -> None:
    config = packaged.config().replace("- id: hooks-compile\n", PARALLEL)
    write(scene.repo / CONFIG, config)
    hooks = [write(scene.hook.with_name(f"h{n}.py"), f"print({n})\n") for n in range(60)]
    scene.quietly("add", "-A")
    run("run", "--all-files", "hooks-compile")
    assert [scene.launch(hook) for hook in hooks[::15]] == ["hit"] * 4


def test_in_two_worktrees_at_the_same_time(scene: Scene, manager: Path) -> None:
    linked = scene.directory / "linked"
    scene.quietly("worktree", "add", "-q", linked, "topic")
    words: list[str | Path] = [manager, "run", "--all-files", "hooks-compile"]
    runs = [
        subprocess.Popen(words, cwd=tree, env=dict(scene.env), stdout=subprocess.DEVNULL)
        for tree in (scene.repo, linked, scene.repo)
    ]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    assert scene.launch() == scene.launch(linked / HOOK) == "hit"


def test_the_users_interpreter_is_compiled_for_not_the_managers(scene: Scene) -> None:
    others = [i for i in found() if i.is_cpython and i.version[:2] != (3, 11)]
    if not others:
        pytest.skip("there is one Python on this machine (try: pyenv install)")
    link = scene.directory / "bin/python3"
    link.unlink()
    link.symlink_to(others[0].executable)
    scene.edit()
    scene.git("add", "-A")
    commit(scene)
    assert scene.launch() == "hit"
    tags = {path.name.split(".")[1] for path in scene.hook.parent.rglob("guard.*.pyc")}
    assert tags == {f"cpython-3{others[0].version[1]}"}


CHECK = ("run", "--hook-stage", "manual", "hooks-compile-check", "--all-files")


def with_check(scene: Scene, packaged: Packaged) -> None:
    write(scene.repo / CONFIG, packaged.config(IDS))
    scene.quietly("commit", "-q", "-a", "-m", "check")


def test_the_check_writes_nothing_and_needs_no_runtime_directory(
    scene: Scene, run: Callable[..., str], packaged: Packaged
) -> None:
    with_check(scene, packaged)
    shutil.rmtree(scene.directory / "runtime", ignore_errors=True)
    run(*CHECK)
    assert not (scene.directory / "runtime").exists()
    assert not list(scene.repo.rglob("__pycache_opt__"))


def test_the_check_finds_what_does_not_compile_and_what_git_should_not_track(
    scene: Scene, run: Callable[..., str], packaged: Packaged
) -> None:
    with_check(scene, packaged)
    scene.hook.write_text(BROKEN)
    write(scene.hook.with_name("other.py"), BROKEN)
    cached = write(scene.hook.parent / "__pycache_opt__/guard.cpython-311.opt-2.0123.pyc", "x")
    write(scene.hook.parent / "__pycache__/helper.cpython-311.pyc", "x")
    scene.quietly("add", "-A", "-f")
    shown = run(*CHECK, status=1)
    assert f"{HOOK}:3: SyntaxError" in shown
    assert ".claude/hooks/other.py:3: SyntaxError" in shown
    assert str(cached.relative_to(scene.repo)) in shown
    assert ".claude/hooks/__pycache__/helper.cpython-311.pyc" in shown
    assert "git rm" in shown


def test_the_check_compiles_for_every_configured_interpreter(
    scene: Scene, run: Callable[..., str], packaged: Packaged
) -> None:
    older = [i for i in found() if i.is_cpython and i.version < (3, 10)]
    if not older:
        pytest.skip("no Python before 3.10 is on this machine (try: pyenv install 3.9)")
    with_check(scene, packaged)
    name = f"python3.{older[0].version[1]}"
    (scene.directory / "bin" / name).symlink_to(older[0].executable)
    write(scene.repo / ".hooks-compile.toml", f'python = ["python3", "{name}"]\n')
    scene.hook.write_text("match 1:\n    case 1:\n        print(1)\n")
    shown = run(*CHECK, status=1)
    assert f"{HOOK}:1: SyntaxError" in shown
    assert f"(compiled under CPython 3.{older[0].version[1]}" in shown


def test_the_oldest_pre_commit_that_we_name(packaged: Packaged, tmp_path: Path) -> None:
    """3.2 is the first that knows the stages by their new names."""
    scene = Scene.create(tmp_path / "scene", files={CONFIG: packaged.config(IDS)})
    scene = scene.with_env(**{**packaged.env, "PRE_COMMIT_HOME": str(tmp_path / "3.2")})
    venv = tmp_path / "venv"
    scene.run(sys.executable, "-m", "venv", venv)
    scene.run(venv / "bin/pip", "install", "-q", "pre-commit==3.2.0")
    oldest = venv / "bin/pre-commit"
    assert scene.run(oldest, "--version").stdout == "pre-commit 3.2.0\n"
    scene.run(oldest, "install", "--install-hooks")
    scene.git("checkout", "-q", "topic")
    assert scene.launch() == "hit"
    scene.edit()
    scene.git("add", "-A")
    commit(scene)
    assert scene.launch() == "hit"
    scene.hook.write_text(BROKEN)
    scene.git("add", "-A")
    shown = commit(scene, status=1)
    assert shown.count(f"{HOOK}:3: SyntaxError") == 1, "it is reported once"
    assert f"{HOOK}:3" in scene.run(oldest, *CHECK, status=1).stdout


def test_no_environment_of_a_manager_is_left_on_path_for_hooks(scene: Scene) -> None:
    """``python3`` of pre-commit's environment is first on PATH while our ids run."""
    asked = scene.directory / "asked"
    python = scene.directory / "bin/python3"
    script = f"#!/bin/sh\necho x >> '{asked}'\nexec '{os.path.realpath(python)}' \"$@\"\n"
    python.unlink()
    write(python, script, executable=True)
    scene.git("checkout", "-q", "topic")
    assert asked.exists()
