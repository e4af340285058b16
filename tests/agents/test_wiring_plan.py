"""Plans on disk: whatever the settings file looks like, the way back is exact."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks_compile.agents.wiring import plan as wiring_plan
from hooks_compile.agents.wiring.describe import diff, summary
from hooks_compile.agents.wiring.plan import Scope
from hooks_compile.errors import HooksCompileError
from hooks_compile.install import wrapper
from tests.agents.test_rewrite import texts
from tests.support.repositories import write
from tests.support.tiers import scaled
from tests.support.wired_project import carry_out

ENV: dict[str, str] = {}
SCRIPTS = ("guard.py", "log.py", "run.py", "slow.py")
TOML = (
    '[[hooks.PreToolUse]]{eol}matcher = "^Bash$" # {note}{eol}{eol}'
    "  [[hooks.PreToolUse.hooks]]{eol}  command = {quote}{python} .claude/hooks/{name}{quote}{eol}"
    "{more}"
)


def project(directory: Path) -> Path:
    for name in SCRIPTS:
        write(directory / ".claude/hooks" / name, "#!/usr/bin/env python3\n", executable=True)
    return directory.resolve()


def there_and_back(root: Path, path: Path) -> None:
    """Apply both plans; a second one of each has nothing to do."""
    before, mode = path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
    hooks = root / ".claude/hooks"
    names = sorted(root.rglob("*"))
    plan = wiring_plan.plan_init(Scope(root, ENV))
    carry_out(plan)
    for change in plan.changes:
        for each in change.wrappers:
            assert each.read_bytes() == wrapper.text()
    wired = path.read_bytes()
    assert (wired != before) == bool(plan.changes)
    again = wiring_plan.plan_init(Scope(root, ENV))
    assert summary(again) == diff(again) == ""
    back = wiring_plan.plan_uninit(Scope(root, ENV), [hooks])
    carry_out(back)
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert sorted(root.rglob("*")) == names
    assert summary(wiring_plan.plan_uninit(Scope(root, ENV), [hooks])) == ""


@settings(max_examples=scaled(10, 60, 1000))
@given(texts(comments=True), st.sampled_from([0o600, 0o640, 0o644]))
def test_uninit_after_init_is_the_same_file_for_any_json(text: str, mode: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = project(Path(name))
        path = write(root / ".claude/settings.json", text)
        path.chmod(mode)
        there_and_back(root, path)


@settings(max_examples=scaled(10, 30, 500))
@given(
    eol=st.sampled_from(["\n", "\r\n"]),
    note=st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=5),
    quote=st.sampled_from(['"', "'", '"""', "'''"]),
    python=st.sampled_from(["python3", "python", "/usr/bin/python3", "exec python3 -u", ""]),
    name=st.sampled_from([*SCRIPTS, "gone.py", "guard.py --a b"]),
    more=st.sampled_from(["", "timeout = 3", '\n[model]\nname = "x"\n\n']),
)
def test_uninit_after_init_is_the_same_file_for_any_toml(**parts: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = project(Path(name))
        path = write(root / ".codex/config.toml", TOML.format(**parts))
        there_and_back(root, path)


def test_a_plan_whose_file_changed_since_is_not_carried_out(tmp_path: Path) -> None:
    root = project(tmp_path)
    text = '{"statusLine": {"command": "python3 .claude/hooks/guard.py"}}'
    first = write(root / ".claude/settings.json", text)
    second = write(root / ".claude/settings.local.json", text)
    plan = wiring_plan.plan_init(Scope(root, ENV))
    second.write_text(text + "\n")
    with pytest.raises(HooksCompileError, match="changed since it was read"):
        carry_out(plan)
    assert first.read_text() == text
    assert not (root / ".claude/hooks/hook_wrapper.sh").exists()


def killed_before(plan: wiring_plan.Plan, number: int) -> bool:
    """Carry a plan out in a process that is killed before the given change of a name."""
    pid = os.fork()
    if pid == 0:
        left = number

        def count(event: str, _: object) -> None:
            nonlocal left
            if event in ("os.rename", "os.remove", "os.chmod", "tempfile.mkstemp"):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            carry_out(plan)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("first", ["init", "uninit"])
@pytest.mark.parametrize("second", ["init", "uninit"])
def test_after_a_kill_at_any_moment_nothing_is_lost_and_both_ways_lead_on(
    tmp_path: Path, first: str, second: str
) -> None:
    root = project(tmp_path)
    write(root / "other/x.py", "pass\n")
    directories = [root / ".claude/hooks", root / "other"]
    command = "python3 .claude/hooks/guard.py; python3 other/x.py"
    for name in ("settings.json", "settings.local.json"):
        write(root / ".claude" / name, json.dumps({"statusLine": {"command": command}}))

    def plan(way: str) -> wiring_plan.Plan:
        if way == "init":
            return wiring_plan.plan_init(Scope(root, ENV))
        return wiring_plan.plan_uninit(Scope(root, ENV), directories)

    def state() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}

    unwired = state()
    carry_out(plan("init"))
    wired = state()
    assert len(wired) == len(unwired) + 2
    wanted = {"init": wired, "uninit": unwired}
    number = 0
    killed = True
    while killed:
        number += 1
        carry_out(plan("uninit" if first == "init" else "init"))
        killed = killed_before(plan(first), number)
        for path, old in unwired.items():
            assert path.read_bytes() in (old, wired[path])
            if path.suffix == ".json" and path.read_bytes() == wired[path]:
                assert all((each / wrapper.NAME).exists() for each in directories)
        for draft in set(state()) - set(wired):  # all that a killed process leaves
            assert draft.suffix == ".tmp"
            draft.unlink()
        carry_out(plan(second))
        assert state() == wanted[second]
    assert number > (8 if first == "init" else 6)


def test_a_wrapper_that_was_edited_since_the_plan_is_not_removed(tmp_path: Path) -> None:
    root = project(tmp_path)
    hooks = root / ".claude/hooks"
    wrapper.write(hooks)
    plan = wiring_plan.plan_uninit(Scope(root, ENV), [hooks])
    assert plan.removed == (hooks / wrapper.NAME,)
    (hooks / wrapper.NAME).write_bytes(wrapper.text() + b"# mine\n")
    with pytest.raises(HooksCompileError, match="changed since it was read"):
        carry_out(plan)
    assert (hooks / wrapper.NAME).exists()


def test_a_wrapper_that_can_not_be_read_is_not_ours(unprivileged: Path) -> None:
    root = project(unprivileged / "project")
    write(
        root / ".claude/settings.json",
        '{"statusLine": {"command": "python3 .claude/hooks/guard.py"}}',
    )
    wrapper.write(root / ".claude/hooks")
    (root / ".claude/hooks" / wrapper.NAME).chmod(0)
    plan = wiring_plan.plan_init(Scope(root, ENV))
    assert (summary(plan), plan.unfinished) == ("", 1)


def test_files_in_a_home_directory_have_absolute_names_in_the_diff(tmp_path: Path) -> None:
    root, home = tmp_path / "project", project(tmp_path / "home")
    root.mkdir()
    write(
        home / ".cursor/hooks.json",
        '{"hooks": {"stop": [{"command": "python3 ../.claude/hooks/log.py"}]}}',
    )
    plan = wiring_plan.plan_init(Scope(root, {"HOME": str(home)}, ["cursor"], home))
    assert f"+++ b{home}/.cursor/hooks.json\n" in diff(plan)
    assert os.path.commonpath([home, *plan.written]) == str(home)
