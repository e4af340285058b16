"""In nobody's way, and nobody gets in: records that are broken or foreign, and other Pythons."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hooks_compile.agents.shell.launches import UV_OPTIONS_WITH_VALUE, UV_SWITCHES
from hooks_compile.install.runtime_directory import ensure, location, remove
from hooks_compile.interpreters.launch_records import uv_record_of, why_left_to_uv
from tests.install.test_wrapper_script import SHOW_WORDS, each_shell
from tests.support.interpreters_found import Found, each_interpreter
from tests.support.launches import WRAPPER
from tests.support.repositories import write
from tests.support.tiers import scaled
from tests.support.tool import HOOK, Tool
from tests.support.uv_machine import BLOCK, WHO, Machine, asked, needs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine.create(tmp_path.resolve() / "machine")


# In the place of uv: the words it was given, and what of its environment is ours.
SHOW_UV = f"{SHOW_WORDS}env | sed -n 's/^\\(HOOKS_COMPILE_UV\\|PYTHONPATH\\)=/&/p' >&2\n"
WORDS = [
    ["hook.py"],
    ["--script", "two words.py", "", "*", "-x", "--script"],
    ["-q", "-s", "hook", "a\nb"],
    ["--python", "3.11", "--project", "two words", "hook.py"],
]
# What may be something else than a script in one environment, or a path that leads elsewhere.
ALONE = [
    [],
    [""],
    ["--python"],
    ["--with", "x", "hook.py"],
    ["-v", "hook.py"],
    ["-m", "module"],
    ["--env-file", ".env", "hook.py"],
    ["--", "hook.py"],
    ["-"],
    ["../hook.py"],
    ["--script", "a/../../hook.py"],
    ["https://example.invalid/hook.py"],
]


@each_shell
def test_without_a_record_uv_is_given_the_words_as_they_are(
    machine: Machine, shell: tuple[str, ...]
) -> None:
    write(machine.bin / "uv2", SHOW_UV, executable=True)
    for options in ([], ["-eu"]):
        for words in WORDS:
            command = [*shell, *options, str(WRAPPER), "--uv=uv2", *words]
            launched = machine.run(command)
            assert os.fsdecode(launched.stdout).split("\0")[:-1] == ["run", *words]
            assert b"HOOKS_COMPILE_UV=" in launched.stderr
            with_path = machine.with_env(PYTHONPATH="mine").run(command)
            assert b"/uvsite:mine\n" in with_path.stderr
        for words in ALONE:
            launched = machine.run([*shell, *options, str(WRAPPER), "--uv=uv2", *words])
            assert os.fsdecode(launched.stdout).split("\0")[:-1] == ["run", *words]
            assert launched.stderr == b""


@each_shell
def test_without_a_launcher_it_is_uv_run(machine: Machine, shell: tuple[str, ...]) -> None:
    write(machine.bin / "uv2", SHOW_UV, executable=True)
    remove(machine.runtime)
    for words in [*WORDS, *ALONE]:
        launched = machine.run([*shell, str(WRAPPER), "--uv=uv2", *words])
        assert os.fsdecode(launched.stdout).split("\0")[:-1] == ["run", *words]
        assert launched.stderr == b""


@each_shell
def test_a_record_is_found_in_every_shell(machine: Machine, shell: tuple[str, ...]) -> None:
    machine.hook(WHO)
    machine.wrapped("hook.py", "a b")
    for options in ([], ["-eu"]):
        assert not asked(machine.run([*shell, *options, str(WRAPPER), "--uv", "hook.py", "a b"]))


def test_the_wrapper_knows_the_options_of_commands_that_are_wired() -> None:
    lines = [line.strip() for line in WRAPPER.with_name("uv.sh").read_text().splitlines()]
    options = [line.partition(")") for line in lines if line.startswith("-") and ")" in line]
    known = [(words.split(" | "), action) for words, _, action in options if " | '' " not in words]
    valued = {word for words, action in known for word in words if "value:" in action}
    assert valued == UV_OPTIONS_WITH_VALUE
    assert {word for words, _ in known for word in words} - valued - {"-:*"} == UV_SWITCHES


def test_shellcheck_finds_nothing_in_the_part_for_uv() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not on this machine")
    command = ["shellcheck", "--norc", str(WRAPPER.with_name("uv.sh"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_no_uv_at_all_is_reported_by_the_shell(machine: Machine) -> None:
    hook = machine.hook(WHO)
    assert not asked(machine.recorded(hook))
    (machine.bin / "uv").unlink()
    launched = machine.wrapped(hook)
    assert (launched.status, launched.stdout) == (127, b"")
    assert b"uv: not found" in launched.stderr


def clear(directory: Path, *patterns: str) -> None:
    for pattern in patterns:
        for path in directory.glob(pattern):
            path.unlink()


def into_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Machine, Path], object]] = {
    "empty": lambda m, record: record.write_text(""),
    "no line end": lambda m, record: record.write_text(m.bin.joinpath("python3").as_posix()),
    "half": lambda m, record: record.write_text(record.read_text()[:-40]),
    "no text": lambda m, record: record.write_bytes(b"\0\xff\n" * 99),
    "a limit that is none": lambda m, record: record.write_text(
        record.read_text().replace("\n", "\nx y\n", 1)
    ),
    "another interpreter": lambda m, record: record.write_text(
        record.read_text().replace("bin/python\n", "bin/none\n")
    ),
    "an interpreter that is none": lambda m, record: record.write_text(
        "/etc\n" + record.read_text().split("\n", 1)[1]
    ),
    "another digest": lambda m, record: record.write_text(
        "\n".join(
            line.replace("a", "b", 1) if line[:1] != "/" else line
            for line in record.read_text().split("\n")
        )
    ),
    "a directory": lambda m, record: into_directory(record),
    "a link": lambda m, record: record.symlink_to(record.rename(m.root / "kept")),
    "the key": lambda m, record: m.runtime.joinpath("key").write_bytes(b"x" * 16),
    "the parts": lambda m, record: clear(m.runtime, "*.uv.py"),
    "the wrapper's part": lambda m, record: clear(m.runtime, "uv.sh"),
    "the recorder": lambda m, record: shutil.rmtree(m.runtime / "uvsite"),
    "the compiled launcher": lambda m, record: clear(m.runtime, "launch.py.*"),
    "all but what finds it": lambda m, record: clear(m.runtime, "[!lp]*.py", "launch.py.*"),
}


@pytest.mark.parametrize("damage", list(DAMAGES)[:: scaled(3, 1, 1)])
def test_a_damaged_record_or_runtime_directory_is_in_nobodys_way(
    machine: Machine, damage: str
) -> None:
    hook = machine.hook("import os, sys\nprint(sys.argv, sys.prefix, sorted(os.environ))\n")
    machine.recorded("--script", hook, "a b")
    old = machine.uv("--script", hook, "a b")
    DAMAGES[damage](machine, machine.record(hook))
    for _ in range(3):
        assert machine.wrapped("--script", hook, "a b").shown == old.shown


def test_a_launcher_that_is_just_being_removed_leaves_all_to_uv(machine: Machine) -> None:
    hook = machine.hook("import sys\nprint(sys.argv, sys.prefix)\n")
    machine.recorded(hook)
    old = machine.uv(hook, "a b", "")
    record = machine.record(hook)
    python = record.read_text().split("\n")[0]
    for path in machine.runtime.glob("*.py*"):
        if path.name != "launch.py":
            path.unlink()
    words = [python, str(machine.runtime / "launch.py"), f"--uv=0:{record}", "uv", str(hook)]
    assert machine.run([*words, "a b", ""]).shown == old.shown


def test_a_runtime_directory_that_others_can_enter_is_not_used(machine: Machine) -> None:
    hook = machine.hook(WHO)
    assert not asked(machine.recorded(hook))
    machine.runtime.chmod(0o777)
    for _ in range(3):
        assert asked(machine.wrapped(hook))


def test_nothing_is_recorded_where_others_can_enter(machine: Machine) -> None:
    hook = machine.hook(WHO)
    machine.runtime.chmod(0o777)
    assert asked(machine.wrapped(hook))
    assert not machine.record(hook).exists()


def test_a_record_of_another_user_is_not_used(machine: Machine) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    hook = machine.hook(WHO)
    assert not asked(machine.recorded(hook))
    os.chown(machine.record(hook), 12_345, 12_345)
    assert asked(machine.wrapped(hook))


def _foreign_directory(machine: Machine) -> None:
    os.chown(machine.runtime / "uvsite", 12_345, 12_345)


def _foreign_file(machine: Machine) -> None:
    os.chown(machine.runtime / "uvsite" / "sitecustomize.py", 12_345, 12_345)


def _directory_that_is_a_link(machine: Machine) -> None:
    (machine.runtime / "uvsite").rename(machine.root / "elsewhere")
    (machine.runtime / "uvsite").symlink_to(machine.root / "elsewhere")


@pytest.mark.parametrize("harm", [_foreign_directory, _foreign_file, _directory_that_is_a_link])
def test_what_python_would_run_at_its_start_is_this_users_own(
    machine: Machine, harm: Callable[[Machine], None]
) -> None:
    if os.geteuid() != 0 and harm is not _directory_that_is_a_link:
        pytest.skip("only root can give files to another user")
    write(machine.bin / "uv2", SHOW_UV, executable=True)
    harm(machine)
    launched = machine.run(["sh", str(WRAPPER), "--uv=uv2", "hook.py"])
    assert os.fsdecode(launched.stdout).split("\0")[:-1] == ["run", "hook.py"]
    assert launched.stderr == b""


def test_a_runtime_directory_open_to_others_puts_nothing_in_front_of_python(
    machine: Machine,
) -> None:
    hook = machine.hook(WHO)
    assert not asked(machine.recorded(hook))
    write(machine.bin / "uv2", SHOW_UV, executable=True)
    record = machine.record(hook)
    words = [
        sys.executable,
        str(machine.runtime / "launch.py"),
        f"--uv=0:{record}",
        "uv2",
        str(hook),
    ]
    assert b"HOOKS_COMPILE_UV=" in machine.run(words).stderr
    machine.runtime.chmod(0o777)
    launched = machine.run(words)
    assert os.fsdecode(launched.stdout).split("\0")[:-1] == ["run", str(hook)]
    assert launched.stderr == b""


def test_a_clone_names_no_interpreter(machine: Machine) -> None:
    """A record that came with a project is none, wherever the script's path leads."""
    evil = write(machine.root / "evil", "#!/bin/sh\necho evil\n", executable=True)
    (machine.runtime / "uv").mkdir()
    hook = machine.hook(WHO, "p/hook.py")
    write(machine.work / "p/hook.py.uv", f"{evil}\n64\n")
    up = "/.." * 3
    for script in (f"{up}{hook}", f"../{machine.work.name}/p/hook.py", "p/../p/hook.py", str(hook)):
        assert asked(machine.wrapped("--script", script))


def test_a_record_is_not_taken_over_by_another_script(machine: Machine) -> None:
    """A link that a branch puts in the place of a directory leads to another script, so to uv."""
    machine.hook(WHO, "one/hook.py")
    machine.hook(WHO, "two/hook.py", **needs())
    assert not asked(machine.recorded("one/hook.py"))
    (machine.work / "one").rename(machine.work / "three")
    (machine.work / "one").symlink_to("two")
    assert asked(machine.wrapped("one/hook.py"))


HOSTILE = '# /// script\n# dependencies = ["hostile"]\n# ///\n'


def test_the_tool_never_runs_uv_whatever_a_clone_asks_for(tmp_path: Path) -> None:
    """What a script's metadata names is installed, and built, by a launch of the agent alone."""
    project = tmp_path / "project"
    tool = Tool.create(project, tmp_path)
    write(tool.bin / "uv", '#!/bin/sh\necho "$@" >>"$0.ran"\nexit 1\n', executable=True)
    hook = write(project / HOOK, f"#!/usr/bin/env -S uv run --script\n{HOSTILE}")
    hook.chmod(0o755)
    write(
        project / ".claude/settings.json",
        '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "uv run ' + HOOK + '"}]}]}}',
    )
    write(location(tool.env) / f"uv{hook}.uv", "/gone/python\n64\n")
    tool.runtime.chmod(0o700)
    for words in (
        ("init", "--yes", "--no-git"),
        ("sync",),
        ("check",),
        ("status",),
        ("doctor",),
        ("uninit", "--yes"),
    ):
        done = tool.run(*words)
        assert done.status in (0, 1), done
        assert not (tool.bin / "uv.ran").exists(), words
    assert tool.run("run", HOOK).status != 3


# The recorder in other Pythons


@each_interpreter
def test_another_python_starts_as_if_we_were_not_there(interpreter: Found, tmp_path: Path) -> None:
    machine = Machine.create(tmp_path.resolve() / "machine", interpreter)
    program = "import os, sys; print(sys.path, sorted(os.environ.items()), sys.argv)"
    words = [str(interpreter.executable), "-c", program, "a"]
    own = {"HOOKS_COMPILE_UV": f"{machine.runtime}/uv/x.uv"}
    uvsite = f"{machine.runtime}/uvsite"
    for given in ("", ":", ":/x"):
        alone = machine.with_env(**({"PYTHONPATH": given[1:]} if given else {})).run(words)
        beside = machine.with_env(**own, PYTHONPATH=uvsite + given).run(words)
        assert beside.shown == alone.shown
    site = write(machine.root / "site/sitecustomize.py", "print('theirs')\n").parent
    theirs = machine.with_env(**own, PYTHONPATH=f"{uvsite}:{site}").run(words)
    assert theirs.stdout.startswith(b"theirs\n")


def test_a_record_is_written_only_below_its_directory(machine: Machine) -> None:
    hook = machine.hook(WHO)
    uvsite = f"{machine.runtime}/uvsite"
    for target in (machine.root / "bashrc", machine.runtime / "uv/../launch.py"):
        before = target.read_bytes() if target.exists() else None
        odd = machine.with_env(HOOKS_COMPILE_UV=str(target), PYTHONPATH=uvsite)
        assert odd.uv(hook).status == 0
        assert (target.read_bytes() if target.exists() else None) == before


def test_doctor_names_what_is_left_to_uv_and_sync_has_it_looked_at_again(
    machine: Machine, tmp_path: Path
) -> None:
    tool = Tool.create(machine.work, tmp_path)
    machine = machine.with_env(HOOKS_COMPILE_HOME=str(tool.runtime))
    ensure(tool.runtime)
    name = ".claude/hooks/hook.py"
    hook = machine.hook(WHO, name, block=f"{BLOCK[:-6]}# [tool.uv]\n# ///\n")
    other = machine.hook(WHO, ".claude/hooks/other.py")
    record = uv_record_of(tool.runtime, hook)
    for script in (hook, other):
        machine.wrapped(script)
    assert why_left_to_uv(tool.runtime, other) == ""
    said = f"note: {name} is launched by uv each time: its metadata names more than packages"
    assert said in tool.run("doctor").out
    machine.hook(WHO, name)
    assert record.exists()
    tool.run("sync")
    assert not record.exists()
    assert uv_record_of(tool.runtime, other).exists()
    assert not asked(machine.recorded(hook))
    assert "launched by uv" not in tool.run("doctor").out


def test_records_go_with_the_runtime_directory(machine: Machine) -> None:
    machine.wrapped(machine.hook(WHO))
    machine.wrapped(machine.hook(WHO, "a/b/c.py"))
    remove(machine.runtime)
    assert not machine.runtime.exists()
