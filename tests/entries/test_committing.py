"""What our pre-commit ids call, by hand: which files count, and what fails a commit."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.git_scene import HOOK, TOOL, Scene
from tests.support.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = "import sys\nx = (\n"

_templates: list[Scene] = []


@pytest.fixture
def scene(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    if not _templates:
        _templates.append(Scene.create(tmp_path_factory.mktemp("template") / "scene"))
    return _templates[0].copy_to(tmp_path / "scene")


def entries(scene: Scene) -> set[str]:
    return {path.name.partition(".")[0] for path in scene.repo.rglob("*.opt-*.pyc")}


def test_only_the_given_hooks_are_compiled(scene: Scene) -> None:
    write(scene.hook.with_name("other.py"), "print(1)\n")
    write(scene.repo / "src/module.py", BROKEN)
    scene.tool("compile", "--changed", HOOK, "src/module.py", "notes.txt", "gone.py")
    assert entries(scene) == {"guard"}
    assert scene.launch() == "hit"


def test_without_files_there_is_nothing_to_do(scene: Scene) -> None:
    scene.hook.write_text(BROKEN)
    scene.tool("compile", "--changed")
    assert entries(scene) == set()


def test_from_a_directory_below_names_count_from_there(scene: Scene) -> None:
    scene.tool("compile", "--changed", "guard.py", cwd=scene.hook.parent)
    assert entries(scene) == {"guard"}


def test_a_broken_hook_or_module_fails_and_the_others_are_compiled(scene: Scene) -> None:
    write(scene.hook.with_name("broken.py"), BROKEN)
    write(scene.hook.with_name("package") / "__init__.py", BROKEN)
    names = [HOOK, ".claude/hooks/broken.py", ".claude/hooks/package/__init__.py"]
    done = scene.tool("compile", "--changed", *names, status=1)
    assert ".claude/hooks/broken.py:2: SyntaxError" in done.stderr
    assert ".claude/hooks/package/__init__.py:2: SyntaxError" in done.stderr
    assert entries(scene) == {"guard"}


def test_a_cache_that_cannot_be_written_keeps_nobody_from_committing(scene: Scene) -> None:
    blocked = scene.with_env(HOOKS_COMPILE_HOME=str(scene.repo / "notes.txt" / "no directory"))
    blocked.tool("compile", "--changed", HOOK)
    scene.hook.write_text(BROKEN)
    assert "SyntaxError" in blocked.tool("compile", "--changed", HOOK, status=1).stderr


def test_a_place_that_cannot_be_written_keeps_nobody_from_committing(scene: Scene) -> None:
    (scene.hook.parent / "__pycache_opt__").write_text("a file in the directory's place")
    scene.tool("compile", "--changed", HOOK)


def test_the_check_of_sources_is_quiet_where_all_compiles(scene: Scene) -> None:
    done = scene.tool("check", "--sources-only")
    assert "SyntaxError" not in done.stdout + done.stderr
    assert not (scene.directory / "runtime").exists()
    assert not list(scene.repo.rglob("__pycache*"))


def test_the_check_of_sources_needs_no_network(scene: Scene) -> None:
    alone = ["unshare", "--user", "--map-root-user", "--net"]
    if not shutil.which("unshare") or scene.run(*alone, "true", status=None).returncode:
        pytest.skip("no network namespace can be made here")
    scene.run(*alone, TOOL, "check", "--sources-only")
    scene.hook.write_text(BROKEN)
    assert "SyntaxError" in scene.run(*alone, TOOL, "check", "--sources-only", status=1).stderr


def test_the_check_of_sources_does_not_ask_for_entries_and_compiles_all(scene: Scene) -> None:
    write(scene.hook.with_name("other.py"), BROKEN)
    write(scene.hook.with_name("helpers") / "__init__.py", "")
    write(scene.hook.with_name("helpers") / "deep.py", BROKEN)
    done = scene.tool("check", "--sources-only", status=1)
    assert ".claude/hooks/other.py:2: SyntaxError" in done.stderr
    assert ".claude/hooks/helpers/deep.py:2: SyntaxError" in done.stderr


def test_compiled_files_that_git_tracks_are_told_with_the_remedy(scene: Scene) -> None:
    write(scene.hook.parent / "__pycache_opt__/x.pyc", "x")
    write(scene.repo / "elsewhere/__pycache_opt__/y.pyc", "y")
    write(scene.hook.parent / "__pycache__/z.cpython-311.pyc", "z")
    scene.quietly("add", "-A", "-f")
    done = scene.tool("check", "--sources-only", status=1)
    for name in (".claude/hooks/__pycache_opt__/x.pyc", "elsewhere/__pycache_opt__/y.pyc"):
        assert name in done.stderr
    assert ".claude/hooks/__pycache__/z.cpython-311.pyc" in done.stderr
    value = json.loads(scene.tool("check", "--sources-only", "--json", status=1).stdout)
    assert (value["ok"], len(value["to_fix"])) == (False, 3)
    scene.quietly("rm", "-r", "-q", "--cached", ":(glob)**/*.pyc")
    scene.tool("check", "--sources-only")


def test_the_check_works_without_git(scene: Scene, tmp_path: Path) -> None:
    directory = tmp_path / "no repository"
    shutil.copytree(scene.repo / ".claude", directory / ".claude")
    scene.tool("check", "--sources-only", cwd=directory)
    (directory / HOOK).write_text(BROKEN)
    scene.tool("check", "--sources-only", cwd=directory, status=1)


def test_an_interpreter_that_is_configured_and_not_there_fails_the_check(scene: Scene) -> None:
    write(scene.repo / ".hooks-compile.toml", 'python = ["python3", "python3.99"]\n')
    done = scene.tool("check", "--sources-only", status=1)
    assert "python3.99" in done.stderr


def test_the_order_of_results_is_that_of_the_names(scene: Scene) -> None:
    for name in ("c", "a", "b"):
        write(scene.hook.with_name(f"{name}.py"), BROKEN)
    done = scene.tool("check", "--sources-only", status=1)
    shown = [line for line in done.stderr.splitlines() if line.startswith(".claude")]
    assert [os.path.basename(line)[0] for line in shown] == ["a", "b", "c"]  # noqa: PTH119 - text
