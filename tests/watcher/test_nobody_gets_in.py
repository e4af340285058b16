"""A watcher goes on while branches are checked out that nobody has read: it executes none of it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support import watching as running
from tests.support.repositories import GitRepo, write
from tests.support.watching import HOOK, wait_until, wait_warm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.watcher.conftest import Scene


def make_hostile(root: Path, mark: Path) -> None:
    """Put files that leave a mark wherever somebody might start or import them."""
    evil = f"#!/bin/sh\necho \"$0\" >> '{mark}'\n"
    for name in ("python3", "git", "bin/python3", "bin/git", ".venv/bin/python3"):
        write(root / name, evil, executable=True)
    write(root / ".venv/pyvenv.cfg", "home = /usr/bin\n")
    write(root / ".python-version", "../../tree\n")
    write(root / ".tool-versions", "python path:./bin\n")
    for name in ("sitecustomize", "json", "watchdog", "hooks_compile", "watcher"):
        for directory in (root, root / ".claude/hooks"):
            write(directory / f"{name}.py", f"open({str(mark)!r}, 'a').write(__file__)\n")
    write(root / ".hooks-compile.toml", 'python = ["python3"]\ninclude = ["*.py"]\n')


def test_a_hostile_branch_that_is_checked_out_executes_nothing(scene: Scene) -> None:
    mark, asked = scene.root.parent / "mark", scene.root.parent / "asked"
    shim = f"#!/bin/sh\npwd >> '{asked}'\nexec '{scene.user.python}' \"$@\"\n"
    write(scene.root.parent / "shims/python3", shim, executable=True)
    home = scene.root.parent / "home"
    home.mkdir()
    scene.repo.git("switch", "--quiet", "--create", "hostile")
    make_hostile(scene.root, mark)
    scene.hook.write_text(HOOK.format("hostile"))
    scene.repo.git("add", "--force", "--all")
    scene.repo.commit()
    scene.repo.git("switch", "--quiet", "main")
    second = GitRepo.create(scene.root.parent / "second")  # PATH leads out of it into the first
    check = second.write(".claude/hooks/check.py", HOOK.format("first"))

    directories = [".", scene.root / "bin", scene.root / ".venv/bin", scene.root.parent / "shims"]
    path = os.pathsep.join([*map(str, directories), os.environ["PATH"]])
    out = scene.root.parent / "out.jsonl"
    with out.open("wb") as to_out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "watcher", "--json", scene.root, second.path],
            cwd=scene.root,
            env=running.environment(scene.user) | {"PATH": path, "HOME": str(home)},
            stdout=to_out,
        )
    try:
        wait_until(lambda: out.read_bytes().count(b'"watching"') == 2, out.read_text)
        scene.repo.git("switch", "--quiet", "hostile")
        wait_warm(scene.user, scene.hook, scene.root / "json.py")
        wait_warm(scene.user, check, second.write(".claude/hooks/new.py", HOOK.format("new")))
        assert b'"trouble"' not in out.read_bytes()
    finally:
        process.terminate()
        process.wait(running.PATIENCE_S)
    assert not mark.exists(), mark.read_text()
    assert set(asked.read_text().splitlines()) == {str(home)}
