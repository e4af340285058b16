"""Each finding of the doctor in the situation that it is about, and its remedy, pasted."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile import agents
from hooks_compile.agents.wiring.plan import Scope, plan_init
from hooks_compile.doctor import machine_checks, start_files
from hooks_compile.doctor.checks import (
    check_cache_directory,
    check_entries,
    check_project,
    check_unchecked_modules,
    check_wrapper,
    examine,
)
from hooks_compile.doctor.command_checks import check_launches
from hooks_compile.entries import sync
from hooks_compile.install import wrapper
from hooks_compile.install.runtime_directory import ensure
from hooks_compile.launcher.observers import NEWEST_TESTED
from hooks_compile.model import HookSource
from hooks_compile.project.config import Config
from hooks_compile.project.record import Project, open_project
from hooks_compile.project.selection import for_person
from tests.support import interpreters_found
from tests.support.interpreters_found import each_cpython
from tests.support.launches import default_interpreter, interpreter_record, require_root
from tests.support.repositories import GitRepo, write
from tests.support.tool import HOOK, Tool, wrapper_of_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hooks_compile.doctor.findings import Finding
    from hooks_compile.model import Interpreter
    from hooks_compile.project.selection import Rules
    from tests.support.interpreters_found import Found

HOOKS = ".claude/hooks"
LATE = "it loads unknown modules, so Python itself ends each launch"
CACHE = f"{HOOKS}/__pycache_opt__"
SOMEBODY = 12345


@pytest.fixture(scope="session")
def plain_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python whose ``site`` has nothing to do: an empty virtual environment's."""
    return make_environment(tmp_path_factory.mktemp("plain"))


def make_environment(directory: Path, python: Path | None = None) -> Path:
    """Make an empty virtual environment, and return its interpreter."""
    python = python or default_interpreter().executable
    subprocess.run(
        [python, "-m", "venv", "--without-pip", directory],
        check=True,
        env=interpreters_found.clean_environment(),
    )
    return directory / "bin" / "python3"


def site_packages(python: Path) -> Path:
    return next((python.parent.parent / "lib").glob("*/site-packages"))


@pytest.fixture(scope="session")
def well(tmp_path_factory: pytest.TempPathFactory, plain_python: Path) -> Path:
    """A directory that holds a project and its user, as ``healthy`` copies them."""
    directory = tmp_path_factory.mktemp("well")
    GitRepo.create(directory / "repo").write(HOOK, "import json\nprint('ran')\n")
    tool = Tool.create(directory / "repo", directory, plain_python)
    tool.ok("wrapper")
    tool.ok("compile")
    assert tool.launch(HOOK)[0] == "hit"
    shutil.rmtree(directory / "bin")
    return directory


@pytest.fixture
def healthy(well: Path, tmp_path: Path, plain_python: Path) -> Tool:
    """A project in which all is well: a hook, compiled, with its wrapper."""
    shutil.copytree(well, tmp_path, dirs_exist_ok=True)
    return Tool.create((tmp_path / "repo").resolve(), tmp_path, plain_python)


@pytest.fixture
def interpreter() -> Interpreter:
    return interpreter_record(default_interpreter())


def diagnose(tool: Tool) -> list[Finding]:
    """All findings; each start of Python is measured once."""
    project = open_project(tool.cwd, tool.env, agents=agents)
    return list(examine(project, tool.cwd, tool.env, rounds=1))


def diagnose_project(tool: Tool) -> list[Finding]:
    """The findings about the machine and the project: no start is measured."""
    project = open_project(tool.cwd, tool.env, agents=agents)
    pythons, _ = find_pythons(tool)
    return [
        machine_checks.check_runtime(project.runtime),
        *machine_checks.check_variables(tool.env),
        *check_project(project, pythons, tool.env),
    ]


def find_pythons(tool: Tool) -> tuple[list[Interpreter], Rules]:
    project = open_project(tool.cwd, tool.env, agents=agents)
    rules = for_person(project, tool.cwd, tool.env)
    return machine_checks.find_pythons(project, rules)[0], rules


def only(findings: Iterable[Finding], part: str) -> Finding | None:
    """The one finding whose text holds ``part``."""
    matching = [finding for finding in findings if part in finding.text]
    assert len(matching) < 2, matching
    return matching[0] if matching else None


def found(tool: Tool, part: str) -> Finding | None:
    return only(diagnose_project(tool), part)


def expect(
    tool: Tool, part: str, level: str, look: Callable[[Tool], list[Finding]] = diagnose_project
) -> Finding:
    findings = look(tool)
    finding = only(findings, part)
    assert finding is not None, "\n".join(map(str, findings))
    assert finding.level == level, finding
    assert finding.remedy, finding
    return finding


def problems(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level == "problem"]


def test_nothing_is_found_where_all_is_well_and_the_launch_is_a_hit(healthy: Tool) -> None:
    findings = diagnose(healthy)
    assert {finding.level for finding in findings} == {"ok"}, "\n".join(map(str, findings))
    assert {finding.remedy for finding in findings} == {""}
    assert healthy.launch(HOOK)[0] == "hit"
    texts = "\n".join(finding.text for finding in findings)
    assert "private" in texts
    assert "starts in" in texts
    assert "1 hook compiled" in texts


# What agents launch


def configured(tool: Tool, *commands: str) -> None:
    hooks = [{"type": "command", "command": command} for command in commands]
    settings = {"hooks": {"PreToolUse": [{"matcher": "*", "hooks": hooks}]}}
    write(tool.cwd / ".claude/settings.json", json.dumps(settings, indent=2))


def test_a_command_without_the_wrapper_is_named_and_init_fixes_it(healthy: Tool) -> None:
    command = f'python3 "$CLAUDE_PROJECT_DIR"/{HOOK} --flag'
    configured(healthy, command, "echo hello", f"bash {HOOKS}/shell.sh")
    finding = expect(healthy, "without the wrapper", "problem")
    assert finding.text == ".claude/settings.json: 1 command launches Python without the wrapper"
    assert healthy.shell(f"{finding.remedy} --yes --no-git").status == 0
    assert found(healthy, "without the wrapper") is None
    expect_ok = found(healthy, ".claude/settings.json: 1 command on the wrapper")
    assert expect_ok is not None
    assert expect_ok.level == "ok"


def test_what_is_left_on_purpose_is_no_problem(healthy: Tool) -> None:
    """An agent whose commands are not on the wrapper while those of another are, and commands
    that ``init`` has to leave: these have no remedy, since none would change anything."""
    shell = f"bash -c 'python3 {HOOK}'"
    configured(healthy, f"sh {HOOKS}/{wrapper.NAME} {HOOK}", shell, shell, "bash -c 'other.py'")
    codex = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": f"python3 {HOOK}"}]}]}}
    write(healthy.cwd / ".codex/hooks.json", json.dumps(codex))
    front = f"---\nhooks:\n  Stop:\n    - hooks:\n        - command: python3 {HOOK}\n---\n"
    write(healthy.cwd / ".claude/agents/a.md", front)
    plugin = Path(healthy.env["HOME"], ".claude/plugins/cache/m/p/1.0/hooks")
    write(plugin / "h.py", "pass\n")
    command = "python3 ${CLAUDE_PLUGIN_ROOT}/hooks/h.py"
    write(plugin / "hooks.json", json.dumps(codex).replace(f"python3 {HOOK}", command))
    repo = GitRepo(healthy.cwd)
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "--message", "wired")
    findings = diagnose_project(healthy)
    assert not problems(findings)
    (left,) = [each for each in findings if "bash" in each.text]
    place = "hooks.PreToolUse[0].hooks[1].command and 1 more"
    assert left.text == f".claude/settings.json: {place} not on the wrapper: it runs through `bash`"
    assert (left.level, left.remedy) == ("note", "")
    for part in (
        "a.md: line 5.command not on the wrapper: it is in",
        "hooks.json: 1 command stays",
    ):
        (left,) = [each for each in findings if part in each.text]
        assert (left.level, left.remedy) == ("note", "")
    remedy = expect(healthy, ".codex/hooks.json: 1 command launches", "note").remedy
    assert remedy == "hooks-compile init --agent codex"


def test_a_reason_that_the_user_can_remove_is_a_problem(healthy: Tool) -> None:
    configured(healthy, f"python3 {HOOK}")
    (healthy.cwd / HOOKS / "hook_wrapper.sh").write_text("#!/bin/sh\n# mine\n")
    finding = expect(healthy, "not on the wrapper: ", "problem")
    assert "is not ours" in finding.text


BLOCKING = "import sys\nsys.exit(2)\n"
IN_PROJECT = f'"$CLAUDE_PROJECT_DIR"/{HOOK}'


@pytest.mark.parametrize(
    ("source", "event", "entry", "expected"),
    [
        (BLOCKING, "PreToolUse", {"onFailure": "block"}, ""),
        (BLOCKING, "PreToolUse", {"timeout": 5}, "(no onFailure)"),
        ("print(json.dumps({'decision': 'block'}))\n", "Stop", {}, ""),
        ("print(json.dumps({'decision': 'block'}))\n", "PreToolUse", {}, "(no onFailure, no "),
        ('x["permissionDecision"] = "deny"\n', "PreToolUse", {"timeout": 5}, "(no onFailure)"),
        ('print("{\\"decision\\": \\"deny\\"}")\n', "PreToolUse", {"timeout": 5}, "(no onFailure)"),
        ('dict(permission="deny")\n', "beforeShellExecution", {}, "(no onFailure, no timeout)"),
        ('print({"permissionDecision": "allow"})\n', "PreToolUse", {}, ""),
        (BLOCKING, "UserPromptSubmit", {}, "(no onFailure, no timeout)"),
        (BLOCKING, "PostToolUse", {}, ""),
        ("import sys\nsys.exit(3)\n", "PreToolUse", {}, ""),
        (
            "def main():\n    return 2\n",
            "PreToolUse",
            {"command": f"cd .claude; sh hooks/{wrapper.NAME} hooks/hook.py", "timeout": 5},
            "(no onFailure, relative path)",
        ),
        (BLOCKING, "PreToolUse", {"command": "cd /tmp; python3 hook.py"}, ""),
        (BLOCKING, "PreToolUse", {"command": f"python3.99 {IN_PROJECT}"}, "no 'python3.99' to run"),
        (BLOCKING, "PreToolUse", {"command": f"/no/python {IN_PROJECT}"}, "no '/no/python' to run"),
    ],
)
def test_guards_that_let_everything_pass_if_their_launch_fails_are_named(
    healthy: Tool, source: str, event: str, entry: dict[str, object], expected: str
) -> None:
    write(healthy.cwd / HOOK, source)
    hook = {"type": "command", "command": f"python3 {IN_PROJECT}", **entry}
    settings = {"hooks": {event: [{"matcher": "*", "hooks": [hook]}]}}
    write(healthy.cwd / ".claude/settings.json", json.dumps(settings))
    plans = plan_init(Scope(healthy.cwd, healthy.env)).files
    findings = [each for plan in plans for each in check_launches(plan, healthy.env)]
    assert bool(findings) == bool(expected)
    if expected:
        assert expected in findings[0].text
        assert ("onFailure" in findings[-1].remedy) == ("onFailure" in findings[-1].text)


def test_a_missing_interpreter_is_named_once_with_its_place(healthy: Tool) -> None:
    write(healthy.cwd / HOOK, BLOCKING)
    configured(healthy, *[f"python3.99 {IN_PROJECT}"] * 2, f"python3 {IN_PROJECT}")
    (healthy.bin / "python3").unlink(missing_ok=True)
    findings = diagnose(healthy.with_env(PATH=str(healthy.bin)))
    named = [each.text for each in findings if each.text.rpartition("there is no ")[1]]
    place = ".claude/settings.json: hooks.PreToolUse[0].hooks[0].command and 1 more"
    assert named == [
        "there is no 'python3' to run hooks with",
        f"{place}: there is no 'python3.99' to run its hook with",
    ]


def test_a_command_whose_wrapper_is_missing_is_named_once_with_all_places(healthy: Tool) -> None:
    """On disk, in the next commit, and in the last: a clone of that can't start its hooks."""
    script = f"{HOOKS}/{wrapper.NAME}"
    configured(healthy, f"sh {script} {HOOK}")
    repo = GitRepo(healthy.cwd)
    repo.git("add", ".claude/settings.json")
    part = f"names {script}, which is missing in: "
    assert expect(healthy, part, "problem").text.endswith(": index"), "there is no HEAD"
    repo.git("commit", "--quiet", "--message", "without the wrapper")
    finding = expect(healthy, part, "problem")
    assert finding.text.startswith(".claude/settings.json: ")
    assert finding.text.endswith(": index, HEAD")
    repo.git("add", script)
    assert expect(healthy, part, "problem").text.endswith(": HEAD")
    repo.git("rm", "--quiet", "--force", script)
    finding = expect(healthy, part, "problem")
    assert finding.text.endswith(": work tree, index, HEAD")
    steps = finding.remedy.split(" && ")
    assert steps.pop() == "git commit"
    assert healthy.shell(" && ".join(steps)).status == 0
    repo.git("commit", "--quiet", "--message", "with it")
    assert found(healthy, part) is None


def test_a_configuration_that_can_not_be_read_is_a_problem(healthy: Tool) -> None:
    write(healthy.cwd / ".claude/settings.json", '{"hooks": ')
    finding = expect(healthy, "nobody knows how its hooks are launched", "problem")
    assert finding.text.startswith(".claude/settings.json: it does not parse")


# The runtime directory and the entries: what stands in the way, what a launch does then, and that
# the pasted remedy fixes both


def remove_runtime(tool: Tool) -> None:
    shutil.rmtree(tool.runtime)


def open_key(tool: Tool) -> None:
    (tool.runtime / "key").chmod(0o644)


def writable_runtime(tool: Tool) -> None:
    tool.runtime.chmod(0o777)


def remove_key(tool: Tool) -> None:
    (tool.runtime / "key").unlink()


def remove_launcher(tool: Tool) -> None:
    (tool.runtime / "launch.py").unlink()


def remove_part(tool: Tool) -> None:
    next(tool.runtime.glob("*.main.py")).unlink()
    for compiled in tool.runtime.glob("*cpython-*"):
        compiled.unlink()


def change_launcher(tool: Tool) -> None:
    with (tool.runtime / "launch.py").open("a") as file:
        file.write("\n")


def remove_entries(tool: Tool) -> None:
    shutil.rmtree(tool.cwd / CACHE)


def damage_entry(tool: Tool) -> None:
    entry = next((tool.cwd / CACHE).glob("*.pyc"))
    data = bytearray(entry.read_bytes())
    data[-1] ^= 1
    entry.write_bytes(data)


def symlinked_cache(tool: Tool) -> None:
    remove_entries(tool)
    (tool.cwd / "elsewhere").mkdir()
    (tool.cwd / CACHE).symlink_to(tool.cwd / "elsewhere")


def file_for_cache(tool: Tool) -> None:
    remove_entries(tool)
    (tool.cwd / CACHE).write_text("")


def lock_wrapper(tool: Tool) -> None:
    (tool.cwd / HOOKS / wrapper.NAME).chmod(0o644)


def foreign_wrapper(tool: Tool) -> None:
    (tool.cwd / HOOKS / wrapper.NAME).write_text("#!/bin/sh\nexec python3 $1\n")


@pytest.mark.parametrize(
    ("situation", "part", "states"),
    [
        (remove_runtime, "is missing, so hooks run from their sources", {""}),
        (writable_runtime, "runtime: mode 777", {"source"}),
        (open_key, "key: mode 644", {"source"}),
        (remove_key, "the key can't be read", {"source"}),
        (remove_launcher, "lacks files of this version: launch.py", {""}),
        (remove_part, "lacks files of this version: ", {"", "source"}),
        (change_launcher, "lacks files of this version: launch.py", {"hit"}),
        (remove_entries, f"{HOOK}: not compiled under ", {"miss"}),
        (damage_entry, f"{HOOK}: its entry is not used under ", {"miss"}),
        (symlinked_cache, "is a symlink", {"miss"}),
        (file_for_cache, "is not a directory", {"miss"}),
        (lock_wrapper, "is not executable", {"hit"}),
        (foreign_wrapper, "not the wrapper of this version (foreign)", {"hit"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_problem_is_found_and_its_remedy_can_be_pasted(
    healthy: Tool, situation: Callable[[Tool], None], part: str, states: set[str]
) -> None:
    situation(healthy)
    finding = expect(healthy, part, "problem")
    shutil.copytree(healthy.cwd, healthy.cwd.with_name("before"), symlinks=True)
    state, done = healthy.launch(HOOK)
    assert state in states
    assert done.out == "ran\n", "a hook runs whatever is wrong"
    # the launch may have fixed it: a miss stores what is missing
    shutil.rmtree(healthy.cwd)
    healthy.cwd.with_name("before").rename(healthy.cwd)
    pasted = healthy.shell(finding.remedy)
    assert pasted.status == 0, pasted
    assert not problems(diagnose_project(healthy))
    assert healthy.launch(HOOK)[0] == "hit"


def test_an_older_wrapper_and_an_edited_one_are_noted_and_their_remedies_replace_them(
    healthy: Tool,
) -> None:
    path = healthy.cwd / HOOKS / wrapper.NAME
    path.write_bytes(wrapper_of_version(0))
    for standing in ("older", "edited"):
        part = f"hook_wrapper.sh is not the wrapper of this version ({standing})"
        finding = expect(healthy, part, "note")
        assert healthy.shell(finding.remedy).status == 0
        assert wrapper.standing(path) is wrapper.Standing.CURRENT
        path.write_bytes(wrapper.text() + b"echo edited\n")


def test_wrappers_that_are_newer_or_missing_are_all_right_if_no_command_names_them(
    healthy: Tool,
) -> None:
    path = healthy.cwd / HOOKS / wrapper.NAME
    path.write_bytes(wrapper_of_version(999))
    assert {finding.level for finding in diagnose_project(healthy)} == {"ok"}
    path.unlink()
    assert {finding.level for finding in diagnose_project(healthy)} == {"ok"}


def test_a_runtime_directory_of_somebody_else_is_a_problem(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        foreign = tmp_path / "runtime"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, SOMEBODY, SOMEBODY)
    else:
        foreign = Path("/")
    finding = machine_checks.check_runtime(foreign)
    assert finding.level == "problem"
    assert f"{foreign}: mode " in finding.text
    assert f'chown -R "$(id -u)" {foreign}' in finding.remedy


def test_a_launcher_that_root_left_in_the_users_directory_is_a_problem(healthy: Tool) -> None:
    require_root()
    os.chown(healthy.runtime / "launch.py", SOMEBODY, SOMEBODY)
    finding = expect(healthy, "lacks files of this version: launch.py", "problem")
    assert healthy.launch(HOOK)[0] == ""
    assert healthy.shell(finding.remedy).status == 0
    assert healthy.launch(HOOK)[0] == "hit"


def test_a_runtime_directory_that_cannot_be_looked_at_is_a_problem(unprivileged: Path) -> None:
    directory = unprivileged / "closed" / "runtime"
    directory.mkdir(parents=True)
    directory.parent.chmod(0)
    finding = machine_checks.check_runtime(directory)
    assert finding.level == "problem"
    assert finding.text == f"{directory}: Permission denied"
    assert "chmod -R u+rwX" in finding.remedy
    directory.parent.chmod(0o700)


def test_a_launcher_that_cannot_be_read_is_a_problem(unprivileged: Path) -> None:
    directory = unprivileged / "runtime"
    ensure(directory)
    (directory / "launch.py").chmod(0)
    finding = machine_checks.check_runtime(directory)
    assert finding.level == "problem"
    assert finding.text.endswith("lacks files of this version: launch.py")
    ensure(directory)  # what the remedy does
    assert machine_checks.check_runtime(directory).level == "ok"


# Interpreters


def test_no_interpreter_is_a_problem_with_the_interpreters_own_remedy(healthy: Tool) -> None:
    tool = healthy.with_env(PATH=str(healthy.bin))
    (healthy.bin / "python3").unlink(missing_ok=True)
    expect(tool, "there is no 'python3' to run hooks with", "problem", diagnose)


def test_something_else_called_python_is_a_problem(healthy: Tool) -> None:
    healthy.link_python(Path(shutil.which("true") or "/bin/true"))
    tool = healthy.with_env(PATH=str(healthy.bin))
    finding = expect(tool, "is no Python that can run hooks", "problem", diagnose)
    assert str(healthy.bin / "python3") in finding.text


def test_a_shim_is_named_and_the_remedy_avoids_it(healthy: Tool, plain_python: Path) -> None:
    shim = healthy.bin / "python3"
    write(shim, f'#!/bin/sh\nexec {plain_python} "$@"\n', executable=True)
    tool = healthy.with_env(PATH=str(healthy.bin))
    finding = expect(tool, f"{shim} is a shim", "note", diagnose)
    answer = tool.shell(f"{finding.remedy}\ncommand -v python3")
    assert answer.out == f"{plain_python}\n"


def test_a_recorded_interpreter_that_vanished_is_noted_until_its_record_is_removed(
    healthy: Tool, tmp_path: Path
) -> None:
    gone = make_environment(tmp_path / "gone")
    write(healthy.cwd / HOOK, "print('new')\n")
    assert healthy.with_environment_of(gone).launch(HOOK)[0] == "miss"
    elsewhere = write(tmp_path / "elsewhere" / "hook.py", "pass\n")
    assert healthy.with_environment_of(gone).launch(elsewhere)[0] == "miss"
    shutil.rmtree(tmp_path / "gone")
    part = "which can't be run any more"
    finding = expect(healthy, part, "note", diagnose)
    assert str(gone) in finding.text
    assert healthy.shell(finding.remedy).status == 0
    assert only(diagnose(healthy), part) is None


@pytest.mark.parametrize("name", ["slow.pth", "sitecustomize.py"])
def test_a_file_that_slows_every_start_is_named_with_what_it_costs(
    healthy: Tool, tmp_path: Path, name: str
) -> None:
    python = make_environment(tmp_path / "slow")
    file = write(site_packages(python) / name, "import time; time.sleep(0.1)\n")
    tool = healthy.with_environment_of(python)
    finding = expect(tool, str(file), "note", diagnose)
    cost = float(finding.text.partition(" ms of")[0].rpartition(" ")[2])
    assert 100 <= cost < 2000
    assert finding.text.endswith(LATE) == (not name.endswith(".pth"))
    assert finding.remedy.startswith(f"rm {file}  # ")
    healthy.shell(finding.remedy)
    assert only(diagnose(tool), str(file)) is None


FINAL = """\
import posix
class Final:
    def __del__(self, write=posix.write):
        write(1, b"ended by Python\\n")
final = Final()
"""


@each_cpython
def test_what_is_said_of_start_files_is_what_launches_do(
    interpreter: Found, healthy: Tool, tmp_path: Path
) -> None:
    """A file loads a module of its own, or one of setuptools, or only runs a line. One looks for
    its directory as those of namespace packages do. A ``.start`` file acts from Python 3.15 on."""
    python = make_environment(tmp_path / "venv", interpreter.executable)
    site = site_packages(python)
    lines = {
        "own.pth": "import own_module",
        "known.pth": "import _distutils_hack",
        "slow.pth": "import time; time.sleep(0.01)",
        "late.pth": "import site, time; site.execsitecustomize = lambda s=time.sleep: s(0.01)",
        "x-nspkg.pth": "import sys; sys._getframe(1).f_locals['sitedir'] + ''",
        "paths.pth": f"{tmp_path}\n# import this",
        "entry.start": "start_module:slow",
    }
    for name, line in lines.items():
        write(site / name, f"{line}\n")
    for module in ("own_module", "_distutils_hack"):
        write(site / f"{module}.py", FINAL)
    write(site / "start_module.py", "import time\ndef slow():\n    time.sleep(0.03)\n")
    tool = healthy.with_environment_of(python)
    (record,), rules = find_pythons(tool)
    texts = [str(each) for each in machine_checks.check_python(record, rules, rounds=1)]
    named = {name: [text for text in texts if f"{site / name} takes " in text] for name in lines}
    late = {name for name, found in named.items() if LATE in "".join(found)}
    expected = {"own.pth", "entry.start"} if record.version >= (3, 15) else {"own.pth"}
    assert late == expected
    assert {name for name in lines if named[name]} >= {"slow.pth", "late.pth", *expected}
    assert not named["paths.pth"]
    cheap = start_files.StartFile(str(site / "known.pth"), 0.001, is_known=True)
    assert not list(start_files.describe([cheap], record))
    tool.ok("compile")
    for name in ("slow.pth", "late.pth", "entry.start"):
        (site / name).unlink()
    for name, other, out in (
        ("known.pth", "own.pth", "ran\n"),
        ("own.pth", "known.pth", "ran\nended by Python\n"),
    ):
        write(site / name, f"{lines[name]}\n")
        (site / other).unlink()
        assert tool.launch(HOOK)[1].out == out


@pytest.mark.parametrize("editable", [False, True])
def test_a_pth_file_of_a_distribution_is_removed_with_it(
    healthy: Tool, tmp_path: Path, editable: bool
) -> None:
    python = make_environment(tmp_path / "venv")
    site = site_packages(python)
    write(site / "own_module.py")
    write(site / "__own.pth", "import own_module\n")
    write(site / "some_thing-1.0.dist-info/RECORD", "some/x.py,,\n__own.pth,sha256=x,20\n")
    write(site / "some_thing-1.0.dist-info/METADATA", "Name: some-thing\n")
    write(site / "another-1.0.dist-info/RECORD", "some/__own.pth,,\n")
    origin = {"url": "file:///some%20where", "dir_info": {"editable": editable}}
    write(site / "some_thing-1.0.dist-info/direct_url.json", json.dumps(origin))
    remedy = expect(healthy.with_environment_of(python), "__own.pth", "note", diagnose).remedy
    if editable:
        assert remedy == f"{python} -m pip install file:///some%20where  # not --editable"
    else:
        assert remedy == f"{python} -m pip uninstall some-thing"


def test_a_usercustomize_is_named(healthy: Tool) -> None:
    python = default_interpreter()
    version = ".".join(map(str, python.version[:2]))
    custom = healthy.home / f".local/lib/python{version}/site-packages/usercustomize.py"
    write(custom, "pass\n")
    healthy.link_python(python.executable)
    tool = healthy.with_env(PATH=str(healthy.bin))
    assert LATE in expect(tool, str(custom), "note", diagnose).text


def test_a_python_newer_than_those_tested_is_named(healthy: Tool) -> None:
    (python,), rules = find_pythons(healthy)
    major, minor = NEWEST_TESTED
    for version, implementation, levels in (
        ((major, minor, 99), "cpython", []),
        ((major, minor + 1, 0), "cpython", ["note"]),
        ((major, minor + 1, 0), "pypy", []),
    ):
        newer = python._replace(version=version, implementation=implementation)
        findings = machine_checks.check_python(newer, rules, rounds=1)
        assert [each.level for each in findings if "is newer than" in each.text] == levels


def test_an_interpreter_that_ends_before_its_first_line_is_a_problem(
    healthy: Tool, tmp_path: Path
) -> None:
    python = make_environment(tmp_path / "broken")
    write(site_packages(python) / "sitecustomize.py", "raise SystemExit('not today')\n")
    finding = expect(healthy.with_environment_of(python), "does not start", "problem", diagnose)
    assert "not today" in finding.text


def test_an_interpreter_that_hangs_before_its_first_line_is_a_problem(
    healthy: Tool, tmp_path: Path
) -> None:
    python = make_environment(tmp_path / "hanging")
    write(site_packages(python) / "sitecustomize.py", "import time; time.sleep(60)\n")
    finding = expect(healthy.with_environment_of(python), "does not start", "problem", diagnose)
    assert "did not reach its first line in" in finding.text


def test_what_a_sitecustomize_prints_is_no_answer(healthy: Tool, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "loud")
    write(site_packages(python) / "sitecustomize.py", "print('{}')\n")
    findings = diagnose(healthy.with_environment_of(python))
    assert [finding for finding in findings if f"({python}) " in finding.text], "it was asked"
    assert not problems(findings)


# The environment


def test_optimization_by_the_environment_is_a_problem(healthy: Tool) -> None:
    tool = healthy.with_env(PYTHONOPTIMIZE="1")
    finding = expect(tool, "PYTHONOPTIMIZE", "problem")
    assert tool.launch(HOOK)[0] == "source"
    answer = tool.shell(f"{finding.remedy}; hooks-compile doctor")
    assert answer.status == 0, answer
    assert found(healthy.with_env(PYTHONOPTIMIZE="0"), "PYTHONOPTIMIZE") is None


@pytest.mark.parametrize(
    "name",
    [
        "HOOKS_COMPILE_NORMAL_EXIT",
        "PYTHONDEVMODE",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPYCACHEPREFIX",
    ],
)
def test_variables_that_cost_something_are_noted(healthy: Tool, tmp_path: Path, name: str) -> None:
    tool = healthy.with_env(**{name: str(tmp_path)})
    finding = expect(tool, name, "note")
    assert finding.remedy == f"unset {name}"
    assert tool.launch(HOOK)[0] == "hit"
    assert found(healthy.with_env(**{name: ""}), name) is None


def test_a_warning_option_is_noted_because_hooks_with_warnings_run_from_their_sources(
    healthy: Tool,
) -> None:
    write(healthy.cwd / HOOK, "x = 1\nprint('ran') if x is 1 else None\n")
    healthy.ok("compile")
    tool = healthy.with_env(PYTHONWARNINGS="ignore")
    expect(tool, "PYTHONWARNINGS is set here", "note")
    assert tool.launch(HOOK)[0] == "source"


def test_hooks_compile_off_is_a_problem(healthy: Tool) -> None:
    finding = expect(healthy.with_env(HOOKS_COMPILE="off"), "HOOKS_COMPILE is off here", "problem")
    assert finding.remedy == "unset HOOKS_COMPILE"
    assert found(healthy.with_env(HOOKS_COMPILE="on"), "HOOKS_COMPILE is off here") is None


def test_variables_that_sh_drops_are_named(healthy: Tool) -> None:
    """Compare with what a hook on the wrapper sees: not every ``sh`` drops them."""
    write(healthy.cwd / HOOK, "import os\nprint('my-name' in os.environ)\n")
    tool = healthy.with_env(**{"my-name": "1", "BASH_FUNC_f%%": "() { :; }", "usual_1": "1"})
    finding = found(tool, "sh drops these variables")
    seen = tool.launch(HOOK)[1].out
    assert seen in ("True\n", "False\n")
    assert (finding is None) == (seen == "True\n")
    if finding is not None:
        assert finding.level == "note"
        assert finding.text.endswith("my-name")
        assert "usual_1" not in finding.text


# Entries, caches and what a clone brings


def test_cache_files_that_git_tracks_are_a_problem_and_the_remedy_untracks_them(
    healthy: Tool,
) -> None:
    GitRepo(healthy.cwd).git("add", "--force", CACHE)
    finding = expect(healthy, "git tracks", "problem")
    assert healthy.shell(finding.remedy).status == 0
    assert found(healthy, "git tracks") is None
    assert healthy.launch(HOOK)[0] == "hit", "what git forgets stays on disk"


def test_outside_of_git_nothing_is_tracked(tmp_path: Path, plain_python: Path) -> None:
    write(tmp_path / "project" / HOOK, "pass\n")
    tool = Tool.create(tmp_path / "project", tmp_path, plain_python)
    tool.ok("compile")
    tool.ok("wrapper")
    assert {finding.level for finding in diagnose(tool)} == {"ok"}


@pytest.mark.parametrize("name", ["sibling.py", "package/__init__.py"])
def test_a_compiled_module_that_python_never_checks_is_a_problem(healthy: Tool, name: str) -> None:
    module = write(healthy.cwd / HOOKS / name, "print('from the clone')\n")
    imported = name.partition("/")[0].removesuffix(".py")
    write(healthy.cwd / HOOK, f"import {imported}\n")
    healthy.ok("compile")
    cached = next((module.parent / "__pycache__").glob("*.pyc"))
    py_compile.compile(
        str(module),
        cfile=str(cached),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    module.write_text("print('from the source')\n")
    plain = healthy.shell(f"python3 {HOOK}")
    assert plain.out == "from the clone\n", "Python runs it whatever the source says"
    finding = expect(healthy, "without a look at its source", "problem")
    assert cached.name in finding.text
    assert healthy.shell(finding.remedy).status == 0
    assert found(healthy, "without a look at its source") is None
    assert healthy.shell(f"python3 {HOOK}").out == "from the source\n"


@pytest.mark.parametrize("mode", ["CHECKED_HASH", "TIMESTAMP"])
def test_compiled_modules_that_python_checks_are_no_trouble(healthy: Tool, mode: str) -> None:
    module = write(healthy.cwd / HOOKS / "sibling.py", "pass\n")
    py_compile.compile(str(module), invalidation_mode=py_compile.PycInvalidationMode[mode])
    assert found(healthy, "without a look") is None


# Sources


def test_a_hook_that_does_not_compile_is_a_problem_with_its_line(healthy: Tool) -> None:
    write(healthy.cwd / HOOK, "import json\ndef f(:\n")
    finding = expect(healthy, "SyntaxError", "problem")
    assert finding.text.startswith(f"{HOOK}:2: ")
    pasted = healthy.shell(finding.remedy.partition("; ")[2].partition(" shows")[0])
    assert pasted.status == 1
    assert "def f(:" in pasted.err


def test_a_module_that_does_not_compile_is_a_problem(healthy: Tool) -> None:
    write(healthy.cwd / HOOKS / "package/__init__.py", "")
    write(healthy.cwd / HOOKS / "package/broken.py", "def f(:\n")
    finding = expect(healthy, "SyntaxError", "problem")
    assert finding.text.startswith(f"{HOOKS}/package/broken.py:1: ")


def test_a_hook_that_vanishes_meanwhile_is_a_problem(healthy: Tool) -> None:
    project = open_project(healthy.cwd, healthy.env, agents=agents)
    (healthy.cwd / HOOK).unlink()
    findings = examine(project, healthy.cwd, healthy.env)
    (finding,) = problems(findings)
    assert finding.text.startswith(f"{HOOK}: can't be read: ")


def test_many_hooks_without_entries_are_one_finding(healthy: Tool) -> None:
    for number in range(9):
        write(healthy.cwd / HOOKS / f"h{number}.py", "pass\n")
    assert expect(
        healthy, "h0.py, .claude/hooks/h1.py, .claude/hooks/h2.py and 6 more: ", "problem"
    )


def test_a_project_without_hooks_is_noted(git_repo: GitRepo, tmp_path: Path) -> None:
    tool = Tool.create(git_repo.path, tmp_path)
    finding = only(diagnose(tool), f"no hooks in {git_repo.path}")
    assert finding is not None
    assert finding.level == "note"


def test_names_that_are_not_utf8_can_be_printed(healthy: Tool) -> None:
    directory = healthy.cwd / os.fsdecode(b".claude/hooks/caf\xe9")
    write(directory / "hook.py", "def f(:\n")
    texts = "\n".join(map(str, diagnose_project(healthy)))
    assert "caf\\udce9" in texts
    texts.encode()


# Permissions and mounts, which need no process


def test_an_unreadable_hook_is_a_problem(interpreter: Interpreter, unprivileged: Path) -> None:
    hook = write(unprivileged / "hook.py", "pass\n")
    hook.chmod(0)
    project = Project(unprivileged, Config(), (HookSource(hook),), unprivileged)
    results = sync.examine(project, [interpreter], "auto").results
    (finding,) = check_entries(results, unprivileged)
    assert finding.level == "problem"
    assert "hook.py: can't be read" in finding.text
    assert finding.remedy == "chmod u+rX . hook.py"


def test_an_unreadable_wrapper_is_a_problem(unprivileged: Path) -> None:
    path = write(unprivileged / wrapper.NAME, wrapper.text())
    path.chmod(0)
    (finding,) = check_wrapper(unprivileged, unprivileged)
    assert finding.level == "problem"
    assert "hook_wrapper.sh is not the wrapper of this version (foreign)" in finding.text


def test_what_cannot_be_read_is_not_reported_as_unchecked(unprivileged: Path) -> None:
    hook = write(unprivileged / "hook.py", "pass\n")
    write(unprivileged / "__pycache__/hook.x.pyc", bytes(16)).chmod(0)
    sources = [HookSource(hook)]
    assert not list(check_unchecked_modules(sources, unprivileged))


@pytest.mark.parametrize(
    ("name", "mode"), [("hooks", 0o500), ("hooks", 0o600), ("hooks/__pycache_opt__", 0o500)]
)
def test_a_directory_that_cannot_be_written_is_a_problem(
    unprivileged: Path, name: str, mode: int
) -> None:
    place = unprivileged / name
    place.mkdir(parents=True)
    place.chmod(mode)
    (finding,) = check_cache_directory(unprivileged / "hooks", unprivileged)
    assert finding.level == "problem"
    assert finding.text == f"no entry can be stored in {name}: Permission denied"
    assert "chmod -R u+rwX" in finding.remedy


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts an empty file system with options, where the machine allows that."""
    directory = tmp_path / "mounted"

    def mount(options: str) -> Path:
        directory.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"{options},size=64k", "none", str(directory)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"this user may not mount: {done.stderr.decode().strip()}")
        return directory

    yield mount
    if directory.is_mount():
        subprocess.run(["umount", directory], check=True)


def test_a_read_only_file_system_is_reported(mounted: Callable[[str], Path]) -> None:
    directory = mounted("ro")
    (finding,) = check_cache_directory(directory, directory)
    assert finding.level == "problem"
    assert "Read-only file system" in finding.text
