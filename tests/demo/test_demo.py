"""The demo does what it says, anywhere, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from hooks_compile.demo import story as demo
from hooks_compile.demo.samples import FILES, GUARD, SETTINGS, STRICTER
from hooks_compile.errors import HooksCompileError
from tests.support.interpreters_found import Found, each_interpreter
from tests.support.launches import default_interpreter
from tests.support.repositories import write
from tests.support.snapshot_machine import NEEDS_LOADER, bare_environment, loader
from tests.support.tiers import ci_only, scaled
from tests.support.tool import Tool

README = Path(__file__).parents[2] / "README.md"
HOSTILE_GIT = """\
[core]
\thooksPath = {hooks}
\texcludesFile = {ignore}
[commit]
\tgpgSign = true
[gpg]
\tprogram = false
[init]
\ttemplateDir = {template}
\tdefaultBranch = somewhere
[status]
\tshowUntrackedFiles = no
"""


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``python3`` of an empty virtual environment: its start runs no files."""
    directory = tmp_path_factory.mktemp("plain")
    binary = default_interpreter().executable
    subprocess.run([binary, "-m", "venv", "--without-pip", directory], check=True)
    return directory / "bin" / "python3"


@pytest.fixture
def tool(tmp_path: Path, python: Path) -> Tool:
    """A user outside of any git project, whose temporary directory is their own."""
    directory = tmp_path / "anywhere"
    directory.mkdir()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    user = Tool.create(directory, tmp_path).with_env(TMPDIR=str(temporary))
    start_by(user, f'exec {python} "$@"')
    return user


def start_by(tool: Tool, shell: str) -> Path:
    """Let ``python3`` be a script."""
    (tool.bin / "python3").unlink(missing_ok=True)
    return write(tool.bin / "python3", f"#!/bin/sh\n{shell}\n", executable=True)


def temporary_files(tool: Tool) -> list[Path]:
    return list(Path(tool.env["TMPDIR"]).iterdir())


def test_the_demo_plays_whatever_the_users_settings_are(tool: Tool, tmp_path: Path) -> None:
    hooks = write(tmp_path / "user-hooks" / "theirs.py", "print('theirs')\n").parent
    write(tmp_path / "template/hooks/pre-commit", "#!/bin/sh\nexit 1\n", executable=True)
    ignore = write(tmp_path / "ignore", ".claude/\n*.py\n")
    config = HOSTILE_GIT.format(hooks=hooks, ignore=ignore, template=tmp_path / "template")
    done = tool.with_env(
        HOME="",
        GIT_CONFIG_GLOBAL=str(write(tmp_path / "gitconfig", config)),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONUNBUFFERED="1",
        PYTHONOPTIMIZE="2",
        HOOKS_COMPILE_TRACE=str(tmp_path / "trace"),
    ).run("demo")
    assert done.err == ""
    assert done.status == 0, done.out
    assert "!" not in done.out

    # nothing is left behind, and nothing of the user is touched
    assert temporary_files(tool) == []
    assert list(tool.cwd.iterdir()) == []
    assert not tool.runtime.exists()
    assert [path.name for path in hooks.iterdir()] == ["theirs.py"]
    assert not (tmp_path / "trace").exists()

    lines = done.out.partition("hooks-compile doctor says")[0].splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.out
    assert_launches(done.out)
    assert_measured(done.out, ["python3", "its binary"])
    assert "is a shim" in done.out.rpartition("doctor says that this costs time here:")[2]
    (in_readme,) = re.findall(r"```text\n(.*?)```", README.read_text(), re.DOTALL)
    assert in_readme in done.out


def assert_launches(out: str) -> None:
    """Every launch is shown, with the code that ran and what came out."""
    launches = re.findall(r"^  guard.py +.+? +(hit|miss|source) +exit (\d)$", out, re.MULTILINE)
    assert launches == [("hit", "0"), ("hit", "2"), ("miss", "2"), ("hit", "2")]
    assert "guard: blocked, because it removes everything" in out
    assert out.count("history of others") == 2, "the new text runs after the edit"


def assert_measured(out: str, starters: list[str]) -> None:
    """Each way to start the hook is in the table; what may be noise is called so."""
    times, ratio = r"([\d.]+) ms +([\d.]+) ms", r"[\d.]+ \(([\d.]+)-([\d.]+)\)"
    pattern = rf"^  (.+?) +{times}  {ratio}(  no difference but noise)?$"
    rows = re.findall(pattern, out, re.MULTILINE)
    assert [row[0] for row in rows] == starters
    for _, source, entry, low, high, noise in rows:
        assert float(source) > 0
        assert float(entry) > 0
        assert not noise or float(low) <= 1 <= float(high)
        assert noise or float(low) >= 1 or float(high) <= 1
    assert f"medians of {demo.ROUNDS}" in out


def test_a_kept_project_goes_on_working(tool: Tool, python: Path) -> None:
    tool = tool.with_environment_of(python)
    done = tool.run("demo", "--keep")
    assert done.status == 0, done
    assert_measured(done.out, ["python3"])
    assert "hooks-compile doctor says that nothing else costs time here." in done.out
    (directory,) = temporary_files(tool)
    project = directory / "project"
    assert f"The project stays in {project}" in done.out
    export = done.out.rpartition("To go on there: ")[2].strip()
    again = Tool(project, tool.env)
    shown = again.shell(f"{export}\nhooks-compile compile && hooks-compile check")
    assert shown.status == 0, shown
    settings = json.loads((project / SETTINGS).read_text())
    command = settings["hooks"]["PreToolUse"][0]["hooks"][0]["command"]
    event = json.dumps({"tool_name": "Bash", "tool_input": {"command": "mkfs.ext4 /dev/sda"}})
    launch = f"{export}\nexport CLAUDE_PROJECT_DIR={shlex.quote(str(project))}\n{command}"
    launched = again.shell(launch, event.encode())
    assert launched.status == 2
    assert "makes a new file system" in launched.err


@ci_only
@NEEDS_LOADER
@pytest.mark.timeout(600)
def test_snapshots_are_measured_if_they_are_on(tool: Tool) -> None:
    write(tool.runtime / "snapshots/loader", executable=True).write_bytes(loader())
    without = tool.with_env(PATH=str(tool.bin)).run("demo")  # and without a C compiler
    assert without.status == 0, without
    assert "no snapshots here: " in without.out
    assert_measured(without.out, ["python3", "its binary"])
    python = bare_environment(default_interpreter().executable)
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    process = tool.with_env(PATH=path).start("demo", stdout=subprocess.PIPE)
    out = process.communicate()[0].decode()  # the test's time limit ends this
    assert process.returncode == 0, out
    assert "  guard.py    git status            resumed exit 0\n" in out
    assert_measured(out, ["python3", "a snapshot"])


@pytest.mark.parametrize(
    ("number", "status", "seconds"),
    [(signal.SIGINT, 130, 0.4), (signal.SIGHUP, 129, 0.1), (signal.SIGTERM, 143, 0.8)][
        : scaled(1, 3, 3)
    ],
)
def test_an_interrupt_at_any_moment_removes_the_directory(
    tool: Tool, number: signal.Signals, status: int, seconds: float
) -> None:
    process = tool.start("demo", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not temporary_files(tool) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(seconds)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert err == b""
    assert temporary_files(tool) == []


def test_what_a_hook_has_started_ends_before_the_directory_is_removed(
    tool: Tool, python: Path
) -> None:
    """Here a shim starts a process that writes into the directory until it is killed."""
    write_on = 'while :; do echo x >>"$HOOKS_COMPILE_TRACE"; done'
    start_by(tool, f'[ -z "$HOOKS_COMPILE_TRACE" ] || ({write_on})\nexec {python} "$@"')
    process = tool.start("demo", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(Path(tool.env["TMPDIR"]).glob("*/trace")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, b"")
    assert temporary_files(tool) == []


def test_without_an_interpreter_the_demo_says_so_and_leaves_nothing(tool: Tool) -> None:
    (tool.bin / "python3").unlink()
    done = tool.run("demo")
    assert done.status == 1
    assert "there is no 'python3' to run hooks with" in done.err
    assert temporary_files(tool) == []


def test_what_is_not_as_expected_is_shown_and_is_a_failure(tool: Tool, python: Path) -> None:
    start_by(tool, f'exec {python} -O "$@"')
    done = tool.run("demo")
    assert done.status == 1
    assert re.search(r"guard.py .* source +exit 0\n  ! expected: hit", done.out)
    assert "hooks-compile doctor" in done.out.splitlines()[-1]
    assert "ms" not in done.out.split(), "what did not work is not measured"
    assert temporary_files(tool) == []


def test_a_command_that_fails_is_shown_and_is_a_failure(tool: Tool, python: Path) -> None:
    flag = tool.home / "asked"
    start_by(tool, f'[ -e {flag} ] && exit 9\n: >{flag}\nexec {python} "$@"')
    done = tool.run("demo")
    assert done.status == 1
    assert "  ! expected: exit 0" in done.out
    assert "exit 9" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_without_a_place_for_its_directory_the_demo_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(HooksCompileError, match="no place") as caught:
        demo.run(print, keep=False)
    assert "TMPDIR" in caught.value.remedy


@each_interpreter
def test_the_hook_of_the_demo_runs_under_every_interpreter(
    interpreter: Found, tmp_path: Path
) -> None:
    hook = write(tmp_path / "guard.py", FILES[GUARD].replace(*STRICTER))
    for command, status in (("git status", 0), ("git push --force", 2)):
        event = json.dumps({"tool_name": "Bash", "tool_input": {"command": command}})
        done = subprocess.run(
            [interpreter.executable, hook], input=event.encode(), capture_output=True, check=False
        )
        assert done.returncode == status, done


def test_the_edit_of_the_demo_changes_exactly_one_place() -> None:
    assert FILES[GUARD].count(STRICTER[0]) == 1
