"""Each finding of the doctor in the situation that it is about, and its remedy, pasted."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile import agents
from hooks_compile.doctor import hook_checks, machine_checks
from hooks_compile.doctor.checks import examine
from hooks_compile.doctor.directory_checks import (
    check_cache_directory,
    check_tracked_entries,
    check_unchecked_modules,
    check_wrapper,
)
from hooks_compile.entries import sync
from hooks_compile.install import wrapper
from hooks_compile.install.runtime_directory import ensure
from hooks_compile.model import HookSource
from hooks_compile.project.config import Config
from hooks_compile.project.record import Project, open_project
from tests.support import interpreters_found
from tests.support.launches import default_interpreter, interpreter_record, require_root
from tests.support.repositories import GitRepo, write
from tests.support.tool import HOOK, Tool, wrapper_of_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hooks_compile.doctor.findings import Finding
    from hooks_compile.model import Interpreter

HOOKS = ".claude/hooks"
CACHE = f"{HOOKS}/__pycache_opt__"
SOMEBODY = 12345


@pytest.fixture(scope="session")
def plain_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python whose ``site`` has nothing to do: an empty virtual environment's."""
    return make_environment(tmp_path_factory.mktemp("plain"))


def make_environment(directory: Path) -> Path:
    """Make an empty virtual environment, and return its interpreter."""
    python = default_interpreter().executable
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
    write(directory / "repo" / HOOK, "import json\nprint('ran')\n")
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
    return Tool.create(GitRepo.create(tmp_path / "repo").path, tmp_path, plain_python)


@pytest.fixture
def interpreter() -> Interpreter:
    return interpreter_record(default_interpreter())


def diagnose(tool: Tool) -> list[Finding]:
    project = open_project(tool.cwd, tool.env, agents=agents)
    return examine(project, tool.cwd, tool.env, rounds=2)


def found(tool: Tool, part: str) -> Finding | None:
    """The one finding whose text holds ``part``."""
    findings = diagnose(tool)
    matching = [finding for finding in findings if part in finding.text]
    assert len(matching) < 2, matching
    return matching[0] if matching else None


def expect(tool: Tool, part: str, level: str) -> Finding:
    finding = found(tool, part)
    assert finding is not None, "\n".join(map(str, diagnose(tool)))
    assert finding.level == level, finding
    assert finding.remedy, finding
    return finding


def test_nothing_is_found_where_all_is_well_and_the_launch_is_a_hit(healthy: Tool) -> None:
    findings = diagnose(healthy)
    assert {finding.level for finding in findings} == {"ok"}, "\n".join(map(str, findings))
    assert {finding.remedy for finding in findings} == {""}
    assert healthy.launch(HOOK)[0] == "hit"
    texts = "\n".join(finding.text for finding in findings)
    assert "private" in texts
    assert "starts in" in texts
    assert "1 hook compiled" in texts
    assert "hook_wrapper.sh is current" in texts


# What agents launch


def configured(tool: Tool, *commands: str) -> None:
    hooks = [{"type": "command", "command": command} for command in commands]
    settings = {"hooks": {"PreToolUse": [{"matcher": "*", "hooks": hooks}]}}
    write(tool.cwd / ".claude/settings.json", json.dumps(settings, indent=2))


def test_a_command_without_the_wrapper_is_named_and_init_fixes_it(healthy: Tool) -> None:
    command = f'python3 "$CLAUDE_PROJECT_DIR"/{HOOK} --flag'
    configured(healthy, command, "echo hello", f"bash {HOOKS}/shell.sh")
    finding = expect(healthy, "without the wrapper", "problem")
    assert ".claude/settings.json: 1 command launches Python without the wrapper: " in finding.text
    assert "hooks.PreToolUse" in finding.text
    assert command in finding.text
    assert finding.remedy == "hooks-compile init"
    healthy.ok("init", "--yes", "--no-git")
    assert found(healthy, "without the wrapper") is None
    expect_ok = found(healthy, ".claude/settings.json: 1 command on the wrapper")
    assert expect_ok is not None
    assert expect_ok.level == "ok"


def test_of_many_commands_without_the_wrapper_the_first_are_named(healthy: Tool) -> None:
    configured(healthy, *(f"python3 {HOOK} {number}" for number in range(7)))
    text = expect(healthy, "without the wrapper", "problem").text
    assert "7 commands launch Python without the wrapper: " in text
    assert f"(python3 {HOOK} 4) and 2 more" in text


def test_a_command_that_init_has_to_leave_is_a_note_with_the_reason(healthy: Tool) -> None:
    configured(healthy, f"bash -c 'python3 {HOOK}'", "bash -c 'python3 other.py'")
    finding = expect(healthy, f"(bash -c 'python3 {HOOK}') is not on the wrapper: ", "note")
    assert "runs through `bash`" in finding.text.rpartition(": ")[2]


def test_a_reason_that_the_user_can_remove_is_a_problem(healthy: Tool) -> None:
    configured(healthy, f"python3 {HOOK}")
    (healthy.cwd / HOOKS / "hook_wrapper.sh").write_text("#!/bin/sh\n# mine\n")
    finding = expect(healthy, f"(python3 {HOOK}) is not on the wrapper: ", "problem")
    assert "is not ours" in finding.text


def test_a_command_whose_wrapper_is_missing_is_named(healthy: Tool) -> None:
    """On disk, and in the last commit: a clone of that has hooks that can't be started."""
    script = f"{HOOKS}/{wrapper.NAME}"
    configured(healthy, f"sh {script} {HOOK}")
    repo = GitRepo(healthy.cwd)
    repo.git("add", ".claude/settings.json")
    repo.git("commit", "--quiet", "--message", "without the wrapper")
    finding = expect(healthy, f"names {script}, which is not in HEAD", "problem")
    assert finding.text.startswith(".claude/settings.json: ")
    (healthy.cwd / script).unlink()
    expect(healthy, f"names {script}, which is not in the work tree", "problem")
    healthy.ok("wrapper")
    repo.git("add", script)
    repo.git("commit", "--quiet", "--message", "with it")
    assert found(healthy, "which is not in ") is None


def test_a_configuration_that_can_not_be_read_is_a_problem(healthy: Tool) -> None:
    write(healthy.cwd / ".claude/settings.json", '{"hooks": ')
    finding = expect(healthy, "nobody knows how its hooks are launched", "problem")
    assert finding.text.startswith(".claude/settings.json: it does not parse")


# The runtime directory and the entries: what stands in the way, what a launch does then, and that
# the pasted remedy fixes both


def remove_runtime(tool: Tool) -> None:
    shutil.rmtree(tool.runtime)


def file_for_runtime(tool: Tool) -> None:
    remove_runtime(tool)
    tool.runtime.write_text("")


def open_key(tool: Tool) -> None:
    (tool.runtime / "key").chmod(0o644)


def open_runtime(tool: Tool) -> None:
    tool.runtime.chmod(0o755)


def writable_runtime(tool: Tool) -> None:
    tool.runtime.chmod(0o777)


def remove_key(tool: Tool) -> None:
    (tool.runtime / "key").unlink()


def shorten_key(tool: Tool) -> None:
    (tool.runtime / "key").write_bytes(b"short")


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


def remove_wrapper(tool: Tool) -> None:
    (tool.cwd / HOOKS / wrapper.NAME).unlink()


def lock_wrapper(tool: Tool) -> None:
    (tool.cwd / HOOKS / wrapper.NAME).chmod(0o644)


def foreign_wrapper(tool: Tool) -> None:
    (tool.cwd / HOOKS / wrapper.NAME).write_text("#!/bin/sh\nexec python3 $1\n")


@pytest.mark.parametrize(
    ("situation", "part", "states"),
    [
        (remove_runtime, "is not there, so hooks run from their sources", {""}),
        (file_for_runtime, "is not there, so hooks run from their sources", {""}),
        (open_runtime, "runtime: mode 755", {"source"}),
        (writable_runtime, "runtime: mode 777", {"source"}),
        (open_key, "key: mode 644", {"source"}),
        (remove_key, "the key can't be read", {"source"}),
        (shorten_key, "the key has 5 bytes", {"source"}),
        (remove_launcher, "lacks files of this version: launch.py", {""}),
        (remove_part, "lacks files of this version: ", {"", "source"}),
        (change_launcher, "lacks files of this version: launch.py", {"hit"}),
        (remove_entries, "1 hook (.claude/hooks/hook.py): not compiled", {"miss"}),
        (damage_entry, "do not verify", {"miss"}),
        (symlinked_cache, "is a symlink", {"miss"}),
        (file_for_cache, "is not a directory", {"miss"}),
        (remove_wrapper, "hook_wrapper.sh is not there", {"hit"}),
        (lock_wrapper, "is not executable", {"hit"}),
        (foreign_wrapper, "is not ours", {"hit"}),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_problem_is_found_and_its_remedy_can_be_pasted(
    healthy: Tool, situation: Callable[[Tool], None], part: str, states: set[str]
) -> None:
    situation(healthy)
    finding = expect(healthy, part, "problem")
    assert finding.is_problem
    shutil.copytree(healthy.cwd, healthy.cwd.with_name("before"), symlinks=True)
    state, done = healthy.launch(HOOK)
    assert state in states
    assert done.out == "ran\n", "a hook runs whatever is wrong"
    # the launch may have fixed it: a miss stores what is missing
    shutil.rmtree(healthy.cwd)
    healthy.cwd.with_name("before").rename(healthy.cwd)
    pasted = healthy.shell(finding.remedy)
    assert pasted.status == 0, pasted
    assert not any(finding.is_problem for finding in diagnose(healthy))
    assert healthy.launch(HOOK)[0] == "hit"


def test_an_older_wrapper_and_an_edited_one_are_noted_and_their_remedies_replace_them(
    healthy: Tool,
) -> None:
    path = healthy.cwd / HOOKS / wrapper.NAME
    path.write_bytes(wrapper_of_version(0))
    for part in ("is of an older version", "was edited"):
        finding = expect(healthy, f"hook_wrapper.sh {part}", "note")
        assert healthy.shell(finding.remedy).status == 0
        assert wrapper.standing(path) is wrapper.Standing.CURRENT
        path.write_bytes(wrapper.text() + b"echo edited\n")


def test_a_wrapper_of_a_newer_version_is_noted(healthy: Tool) -> None:
    (healthy.cwd / HOOKS / wrapper.NAME).write_bytes(wrapper_of_version(999))
    expect(healthy, "is of a newer version", "note")


def test_the_wrapper_is_only_missed_beside_hooks_of_agents(
    git_repo: GitRepo, tmp_path: Path, plain_python: Path
) -> None:
    git_repo.write(".githooks/pre-push", "#!/usr/bin/env python3\n")
    tool = Tool.create(git_repo.path, tmp_path, plain_python)
    tool.ok("compile")
    assert {finding.level for finding in diagnose(tool)} == {"ok"}


def test_a_runtime_directory_of_somebody_else_is_a_problem(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        foreign = tmp_path / "runtime"
        foreign.mkdir(mode=0o700)
        os.chown(foreign, SOMEBODY, SOMEBODY)
    else:
        foreign = Path("/")
    finding = machine_checks.check_runtime(foreign)
    assert finding.is_problem
    assert f"{foreign} belongs to another user" in finding.text
    assert f'chown -R "$(id -u)" {foreign}' in finding.remedy


def test_a_launcher_that_root_left_in_the_users_directory_is_a_problem(healthy: Tool) -> None:
    require_root()
    os.chown(healthy.runtime / "launch.py", SOMEBODY, SOMEBODY)
    finding = expect(healthy, "launch.py belongs to another user", "problem")
    assert "chown" in finding.remedy
    assert healthy.launch(HOOK)[0] == ""


def test_a_runtime_directory_that_cannot_be_looked_at_is_a_problem(unprivileged: Path) -> None:
    directory = unprivileged / "closed" / "runtime"
    directory.mkdir(parents=True)
    directory.parent.chmod(0)
    finding = machine_checks.check_runtime(directory)
    assert finding.is_problem
    assert "can't be read" in finding.text
    directory.parent.chmod(0o700)


def test_a_launcher_that_cannot_be_read_is_a_problem(unprivileged: Path) -> None:
    directory = unprivileged / "runtime"
    ensure(directory)
    (directory / "launch.py").chmod(0)
    finding = machine_checks.check_runtime(directory)
    assert finding.is_problem
    assert "can't be read" in finding.text
    assert "launch.py" in finding.text


# Interpreters


def test_no_interpreter_is_a_problem_with_the_interpreters_own_remedy(healthy: Tool) -> None:
    tool = healthy.with_env(PATH=str(healthy.bin))
    (healthy.bin / "python3").unlink(missing_ok=True)
    expect(tool, "there is no 'python3' to run hooks with", "problem")


def test_something_else_called_python_is_a_problem(healthy: Tool) -> None:
    healthy.link_python(Path(shutil.which("true") or "/bin/true"))
    finding = expect(
        healthy.with_env(PATH=str(healthy.bin)), "is no Python that can run hooks", "problem"
    )
    assert str(healthy.bin / "python3") in finding.text


def test_a_shim_is_named_with_its_measured_cost_and_the_remedy_avoids_it(
    healthy: Tool, plain_python: Path
) -> None:
    shim = healthy.bin / "python3"
    write(shim, f'#!/bin/sh\nsleep 0.3\nexec {plain_python} "$@"\n', executable=True)
    tool = healthy.with_env(PATH=str(healthy.bin))
    finding = expect(tool, f"{shim} is a shim", "note")
    cost = int(finding.text.partition("it takes ")[2].partition(" ms")[0])
    assert cost >= 60
    assert str(plain_python) in finding.text
    answer = tool.shell(f"{finding.remedy}\ncommand -v python3")
    assert answer.out == f"{plain_python}\n"


def test_a_real_pyenv_shim_is_known(healthy: Tool) -> None:
    shim = next(
        (path for path in map(Path, os.get_exec_path()) if (path / "python3").exists()
         and path.parts[-2:] == (".pyenv", "shims")),
        None,
    )  # fmt: skip
    if shim is None:
        pytest.skip("pyenv is not on this machine")
    tool = healthy.with_env(PATH=f"{shim}:{os.environ['PATH']}")
    finding = expect(tool, "is a shim", "note")
    assert str(shim / "python3") in finding.text


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
    finding = expect(healthy, part, "note")
    assert str(gone) in finding.text
    assert healthy.shell(finding.remedy).status == 0
    assert found(healthy, part) is None


def test_interpreters_that_share_no_entries_are_noted(healthy: Tool) -> None:
    others = [i for i in interpreters_found.found() if i.version[:2] != sys.version_info[:2]]
    if not others:
        pytest.skip("there is only one interpreter on this machine")
    write(healthy.cwd / HOOK, "print('new')\n")
    healthy.link_python(others[0].executable)
    assert healthy.with_env(PATH=str(healthy.bin)).launch(HOOK)[0] == "miss"
    healthy.ok("compile")
    finding = expect(healthy, "share no entries", "note")
    assert ".".join(map(str, others[0].version)) in finding.text


@pytest.mark.parametrize("name", ["slow.pth", "sitecustomize.py"])
def test_a_file_that_slows_every_start_is_named_with_what_it_costs(
    healthy: Tool, tmp_path: Path, name: str
) -> None:
    python = make_environment(tmp_path / "slow")
    write(site_packages(python) / name, "import time; time.sleep(0.2)\n")
    finding = expect(healthy.with_environment_of(python), "before a hook's first line", "note")
    assert str(site_packages(python) / name) in finding.text
    cost = int(finding.text.partition(" spends ")[2].partition(" ms")[0])
    assert cost >= 60
    assert "-X importtime" in finding.remedy


def test_a_usercustomize_that_slows_every_start_is_named(healthy: Tool) -> None:
    python = default_interpreter()
    version = ".".join(map(str, python.version[:2]))
    custom = healthy.home / f".local/lib/python{version}/site-packages/usercustomize.py"
    write(custom, "import time; time.sleep(0.2)\n")
    healthy.link_python(python.executable)
    tool = healthy.with_env(PATH=str(healthy.bin))
    assert str(custom) in expect(tool, "before a hook's first line", "note").text


def test_a_pth_file_that_only_adds_directories_is_not_named(healthy: Tool, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "paths")
    write(site_packages(python) / "paths.pth", f"{tmp_path}\n# import this\n")
    write(site_packages(python) / ".hidden.pth", "import this\n")
    tool = healthy.with_environment_of(python)
    assert not [finding for finding in diagnose(tool) if ".pth" in finding.text]


def test_a_python_that_starts_slowly_is_measured_once_and_ended(
    healthy: Tool, tmp_path: Path
) -> None:
    python = make_environment(tmp_path / "slow")
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    write(
        site_packages(python) / "slow.pth",
        "import os, time; note = lambda name: open(name, 'a').write(f'{os.getpid()}\\n'); "
        f"note({str(begun)!r}); time.sleep(1.5); note({str(ended)!r})\n",
    )
    expect(
        healthy.with_environment_of(python),
        "takes so long to start that it was not measured",
        "note",
    )
    # asking it how it starts is no measurement
    assert len(set(begun.read_text().split()) - set(ended.read_text().split())) == 1


def test_an_interpreter_that_ends_before_its_first_line_is_a_problem(
    healthy: Tool, tmp_path: Path
) -> None:
    python = make_environment(tmp_path / "broken")
    write(site_packages(python) / "sitecustomize.py", "raise SystemExit('not today')\n")
    finding = expect(healthy.with_environment_of(python), "does not start", "problem")
    assert "not today" in finding.text


def test_an_interpreter_that_hangs_before_its_first_line_is_a_problem(
    healthy: Tool, tmp_path: Path
) -> None:
    python = make_environment(tmp_path / "hanging")
    write(site_packages(python) / "sitecustomize.py", "import time; time.sleep(60)\n")
    finding = expect(healthy.with_environment_of(python), "does not start", "problem")
    assert "did not reach its first line in" in finding.text


def test_what_a_sitecustomize_prints_is_no_answer(healthy: Tool, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "loud")
    write(site_packages(python) / "sitecustomize.py", "print('{}')\n")
    findings = diagnose(healthy.with_environment_of(python))
    assert [finding for finding in findings if f"({python}) " in finding.text], "it was asked"
    assert not any(finding.is_problem for finding in findings)


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
        "PYTHONNODEBUGRANGES",
        "PYTHONPYCACHEPREFIX",
        "PYTHONUNBUFFERED",
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
    finding = expect(healthy.with_env(HOOKS_COMPILE="off"), "HOOKS_COMPILE is set here", "problem")
    assert finding.remedy == "unset HOOKS_COMPILE"
    assert found(healthy.with_env(HOOKS_COMPILE="on"), "HOOKS_COMPILE is set here") is None


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


def test_a_cache_that_another_user_owns_is_noted(healthy: Tool) -> None:
    require_root()
    os.chown(healthy.cwd / CACHE, SOMEBODY, SOMEBODY)
    finding = expect(healthy, f"{CACHE} belongs to user {SOMEBODY}", "note")
    assert "chown" in finding.remedy


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
    (finding,) = [finding for finding in findings if finding.is_problem]
    assert finding.text.startswith(f"{HOOK}: can't be read: ")


def test_a_damaged_index_is_a_problem(git_repo: GitRepo) -> None:
    write(git_repo.path / ".git/index", "garbage")
    (finding,) = check_tracked_entries(git_repo.path)
    assert finding.is_problem
    assert "git ls-files failed" in finding.text


def test_many_hooks_without_entries_are_one_finding(healthy: Tool) -> None:
    for number in range(9):
        write(healthy.cwd / HOOKS / f"h{number}.py", "pass\n")
    finding = expect(healthy, "not compiled", "problem")
    assert finding.text.startswith(f"9 hooks ({HOOKS}/h0.py, ")
    assert "and 4 more)" in finding.text


def test_a_project_without_hooks_is_noted(git_repo: GitRepo, tmp_path: Path) -> None:
    tool = Tool.create(git_repo.path, tmp_path)
    finding = expect(tool, "no hooks in", "note")
    assert str(git_repo.path) in finding.text


def test_names_that_are_not_utf8_can_be_printed(healthy: Tool) -> None:
    directory = healthy.cwd / os.fsdecode(b".claude/hooks/caf\xe9")
    write(directory / "hook.py", "pass\n")
    texts = "\n".join(map(str, diagnose(healthy)))
    assert "caf\\udce9" in texts
    texts.encode()


# Permissions and mounts, which need no process


def test_an_unreadable_hook_is_a_problem(interpreter: Interpreter, unprivileged: Path) -> None:
    hook = write(unprivileged / "hook.py", "pass\n")
    hook.chmod(0)
    project = Project(unprivileged, Config(), (HookSource(hook),), unprivileged, given=True)
    results = sync.examine(project, [interpreter]).results
    (finding,) = hook_checks.check_entries(results, unprivileged)
    assert finding.is_problem
    assert "hook.py: can't be read" in finding.text


def test_an_unreadable_wrapper_is_a_problem(unprivileged: Path) -> None:
    path = write(unprivileged / wrapper.NAME, wrapper.text())
    path.chmod(0)
    finding = check_wrapper(unprivileged, unprivileged)
    assert finding.is_problem
    assert "hook_wrapper.sh can't be read" in finding.text
    subprocess.run(["sh", "-c", finding.remedy], check=True)
    assert not check_wrapper(unprivileged, unprivileged).is_problem


def test_what_cannot_be_read_is_not_reported_as_unchecked(unprivileged: Path) -> None:
    hook = write(unprivileged / "hook.py", "pass\n")
    write(unprivileged / "__pycache__/hook.x.pyc", bytes(16)).chmod(0)
    sources = [HookSource(hook)]
    assert not list(check_unchecked_modules(sources, unprivileged))


@pytest.mark.parametrize(("lacking", "level"), [(True, "problem"), (False, "note")])
def test_a_directory_that_cannot_be_written_is_reported(
    unprivileged: Path, lacking: bool, level: str
) -> None:
    directory = unprivileged / "hooks"
    directory.mkdir()
    directory.chmod(0o500)
    (finding,) = check_cache_directory(directory, unprivileged, lacking=lacking)
    assert finding.level == level
    assert finding.text.startswith("hooks can't be written")
    subprocess.run(["sh", "-c", finding.remedy], check=True)
    assert not list(check_cache_directory(directory, unprivileged, lacking=lacking))


@pytest.mark.parametrize(("lacking", "level"), [(True, "problem"), (False, "note")])
def test_a_cache_that_cannot_be_written_is_reported(
    unprivileged: Path, lacking: bool, level: str
) -> None:
    place = unprivileged / "__pycache_opt__"
    place.mkdir()
    place.chmod(0o500)
    (finding,) = check_cache_directory(unprivileged, unprivileged, lacking=lacking)
    assert finding.level == level
    assert finding.text.startswith("__pycache_opt__ can't be written")
    subprocess.run(["sh", "-c", finding.remedy], check=True)
    assert not list(check_cache_directory(unprivileged, unprivileged, lacking=lacking))


def test_a_cache_of_somebody_else_that_cannot_be_written_is_reported(
    unprivileged: Path,
) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can make a directory that is not this user's")
    place = unprivileged / "__pycache_opt__"
    os.seteuid(0)
    place.mkdir(mode=0o755)
    os.seteuid(SOMEBODY)
    (finding,) = check_cache_directory(unprivileged, unprivileged, lacking=True)
    assert finding.is_problem
    assert "can't be written and belongs to user 0" in finding.text
    assert "chown" in finding.remedy


def test_a_directory_that_cannot_be_entered_is_reported(unprivileged: Path) -> None:
    directory = unprivileged / "hooks"
    directory.mkdir()
    directory.chmod(0o600)
    (finding,) = check_cache_directory(directory, unprivileged, lacking=True)
    assert "can't be written" in finding.text
    assert finding.is_problem


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
    for lacking, level in ((True, "problem"), (False, "note")):
        (finding,) = check_cache_directory(directory, directory, lacking=lacking)
        assert finding.level == level
        assert "read-only file system" in finding.text
