"""Every command of ``hooks-compile``, run as users and programs run it."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile import __version__
from hooks_compile.cli import main as cli
from hooks_compile.cli import parser as parser_module
from hooks_compile.cli.parser import build_parser
from hooks_compile.install import runtime_directory, wrapper
from tests.support import interpreters_found
from tests.support.launches import as_ordinary_user
from tests.support.repositories import GitRepo, write
from tests.support.tiers import scaled
from tests.support.tool import HOOK, Done, Tool, wrapper_of_version

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = ".claude/hooks"
CACHE = f"{HOOKS}/__pycache_opt__"
BROKEN = "import json\n\nif x = 1:\n    pass\n"
COMMANDS = (
    *("compile", "sync", "check", "status", "wrapper", "run", "clean", "runtime", "doctor", "demo"),
    *("init", "uninit", "git-hooks"),
)


@pytest.fixture
def tool(git_repo: GitRepo, tmp_path: Path) -> Tool:
    """A user in a git project with one hook."""
    git_repo.write(HOOK, "print('ran')\n")
    return Tool.create(git_repo.path, tmp_path)


def parsed(done: Done) -> Any:
    return json.loads(done.out)


def entries(tool: Tool) -> list[str]:
    return sorted(path.name for path in (tool.cwd / CACHE).glob("*.pyc"))


# Usage


def test_version_and_help_are_printed(tool: Tool, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.ok("--version") == f"hooks-compile {__version__}\n"
    for words, said in ((["--help"], "COMMAND"), (["compile", "--help"], "hooks-compile compile")):
        with pytest.raises(SystemExit) as caught:
            cli.main(words)
        text = capsys.readouterr().out
        assert caught.value.code == 0
        assert said in text
        for command in COMMANDS if said == "COMMAND" else ():
            assert re.search(rf"^    {command}\b", text, re.MULTILINE), command


def test_a_wrong_call_is_2_and_says_why_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        *([], ["unknown"], ["compile", "--optimize", "3"], ["compile", "--optimize", "x"]),
        *(["compile", "--unknown"], ["run"], ["runtime", "more"]),
        # options that would have no effect
        *(["git-hooks", "status", "--global"], ["git-hooks", "status", "--dry-run"]),
        *(["snapshot", "off", "--limit-mb", "9"], ["snapshot", "status", "--limit-mb", "9"]),
    ):
        with pytest.raises(SystemExit) as caught:
            cli.main(words)
        shown = capsys.readouterr()
        assert (caught.value.code, shown.out) == (2, "")
        assert shown.err.startswith("usage: hooks-compile")


def test_every_argument_is_read_by_its_command() -> None:
    """An option that does nothing is a defect. Two functions read for several commands."""
    (group,) = (each for each in build_parser()._actions if isinstance(each.choices, dict))
    assert isinstance(group.choices, dict)
    assert set(group.choices) == {*COMMANDS, "snapshot", "bench"}
    modules = sorted(Path(parser_module.__file__).parent.glob("*_command*.py"))
    trees = [ast.parse(path.read_bytes()) for path in modules]
    functions = {
        node.name: node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)
    }
    context = Path(parser_module.__file__).with_name("context.py").read_text()

    def source_of(name: str) -> str:
        """The function with those of its module that it hands the arguments to."""
        text = ast.unparse(functions[name])
        inner = {found for found in re.findall(r"(\w+)\(arguments\b", text) if found in functions}
        return text + "".join(map(source_of, inner - {name})) + context

    for command, parser in group.choices.items():
        name = "run_hook" if command == "run" else f"run_{command.replace('-', '_')}"
        text = source_of(name) + ("arguments.json" * ("output.show(arguments" in source_of(name)))
        for dest in {action.dest for action in parser._actions} - {"help", "git_hook"}:
            is_read = f"arguments.{dest}" in text or f"'{dest}'" in text or f'"{dest}"' in text
            assert is_read, f"{command}: {dest}"


# compile, check, sync


def test_compile_compiles_once_and_then_finds_it_up_to_date(tool: Tool) -> None:
    first = tool.ok("compile")
    assert first.startswith("1 hook for CPython ")
    assert "1 compiled, 0 up to date" in first
    (name,) = entries(tool)
    stamp = (tool.cwd / CACHE / name).stat().st_mtime_ns
    assert "0 compiled, 1 up to date" in tool.ok("compile")
    assert (tool.cwd / CACHE / name).stat().st_mtime_ns == stamp
    assert tool.launch(HOOK)[0] == "hit"


def test_json_of_compile_and_check_tells_every_result(tool: Tool) -> None:
    write(tool.cwd / HOOKS / "package/__init__.py")
    value = parsed(tool.run("compile", "--json"))
    assert list(value) == ["ok", "seconds", "results", "modules", "pruned", "refused", "to_fix"]
    assert value["ok"] is True
    assert value["seconds"] > 0
    assert value["pruned"] == []
    (result,) = value["results"]
    assert list(result) == [
        *("hook", "origin", "interpreter", "version", "cache_tag", "level", "level_reason"),
        *("state", "entry", "detail", "error"),
    ]
    assert result["hook"] == str(tool.cwd / HOOK)
    assert result["origin"] == "in .claude/hooks"
    assert result["interpreter"] == str(tool.bin / "python3")
    assert result["cache_tag"] == f"cpython-3{sys.version_info[1]}"
    assert (result["state"], result["level"], result["error"]) == ("compiled", 2, None)
    assert Path(result["entry"]).is_file()
    assert [module["state"] for module in value["modules"]] == ["compiled"]
    for words in (("check",), ("check", "--sources-only"), ("compile", "--changed", HOOK)):
        assert parsed(tool.run(*words, "--json"))["results"][0]["state"] == "fresh"


def test_paths_are_compiled_instead_of_all_hooks(tool: Tool) -> None:
    write(tool.cwd / "tools/other.py", "pass\n")
    assert "1 hook for" in tool.ok("compile", "tools/other.py")
    assert entries(tool) == []
    assert "1 hook for" in tool.ok("compile", tool.cwd / "tools")
    assert "2 hooks for" in tool.ok("compile", "tools", HOOK)
    done = tool.run("compile", "missing.py")
    assert done.status == 1
    assert "missing.py" in done.err


def test_a_syntax_error_names_file_line_and_caret_and_the_others_are_compiled(tool: Tool) -> None:
    write(tool.cwd / HOOKS / "broken.py", BROKEN)
    write(tool.cwd / HOOKS / "package/__init__.py", BROKEN)
    write(tool.cwd / HOOKS / "utf.py", "x = 'ä' +\n")
    for command in ("compile", "check"):
        done = tool.run(command)
        assert done.status == 1
        lines = done.err.splitlines()
        assert lines[0].startswith(f"{HOOKS}/broken.py:3: SyntaxError: ")
        assert lines[1] == "    if x = 1:"
        assert lines[2].index("^") == lines[1].index("x")
        assert f"{HOOKS}/utf.py:1: SyntaxError: " in done.err
        assert f"{HOOKS}/package/__init__.py:3: SyntaxError" in done.err
        assert "2 to fix" in done.out
    assert len(entries(tool)) == 1
    assert tool.launch(HOOK)[0] == "hit"
    result = next(
        result for result in parsed(tool.run("check", "--json"))["results"] if result["error"]
    )
    assert result["state"] == "broken"
    assert result["error"]["kind"] == "SyntaxError"
    assert (result["error"]["line"], result["error"]["column"]) == (3, 4)
    assert result["error"]["text"].rstrip() == "if x = 1:"


def test_check_lists_what_is_not_compiled_and_writes_nothing(tool: Tool) -> None:
    done = tool.run("check")
    assert done.status == 1
    assert f"{HOOK}: not compiled under CPython" in done.err
    assert done.err.splitlines()[-1].endswith("then run hooks-compile compile")
    assert not (tool.cwd / CACHE).exists()
    assert not tool.runtime.exists()
    assert parsed(tool.run("check", "--json"))["ok"] is False
    tool.ok("compile")
    assert "1 up to date" in tool.ok("check")


def test_what_a_launch_compiled_is_compiled_for_check(tool: Tool) -> None:
    tool.ok("compile")
    write(tool.cwd / HOOK, "print('edited')\n")
    assert tool.run("check").status == 1
    assert tool.launch(HOOK)[0] == "miss"
    assert "1 up to date" in tool.ok("check")
    assert "1 compiled" in tool.ok("compile"), "at the level that a launch does not look for"


def test_sync_removes_old_entries_and_those_of_hooks_that_are_gone(tool: Tool) -> None:
    gone = write(tool.cwd / HOOKS / "gone.py", "pass\n")
    tool.ok("compile")
    newest = tool.cwd / CACHE / next(name for name in entries(tool) if name.startswith("hook."))
    for number in range(5):
        old = newest.with_name(re.sub("[0-9a-f]{16}", f"{number:016x}", newest.name))
        os.utime(write(old, ""), (number, number))
    gone.unlink()
    assert "4 old entries removed" in tool.ok("sync")
    assert len(entries(tool)) == 3
    assert tool.launch(HOOK)[0] == "hit"
    assert parsed(tool.run("sync", "--json"))["pruned"] == []


def test_a_sync_for_git_never_fails_however_it_is_written(tool: Tool) -> None:
    write(tool.cwd / HOOKS / "broken.py", BROKEN)
    assert tool.run("sync").status == 1
    for words in (["--git-hook"], ["--git"], ["--git-hook", "--json"], ["--git-hook", "hook.py"]):
        assert tool.run("sync", *words).status == 0


def test_several_interpreters_are_compiled_for(tool: Tool) -> None:
    found = interpreters_found.found()[:3]
    if len(found) < 2:
        pytest.skip("there is only one interpreter on this machine")
    words = [word for each in found for word in ("--python", str(each.executable))]
    done = tool.run("compile", *words, "--json")
    versions = {result["version"] for result in parsed(done)["results"]}
    assert versions == {".".join(map(str, each.version)) for each in found}
    assert len(entries(tool)) == len(found)
    for each in found:
        done = tool.run("run", "--explain", "--python", str(each.executable), HOOK)
        assert "hit:" in done.err


def test_an_interpreter_that_is_not_there_is_an_error_with_a_remedy(tool: Tool) -> None:
    done = tool.run("compile", "--python", "python3.99")
    assert done.status == 1
    assert "there is no 'python3.99' to run hooks with" in done.err
    assert "\n  to fix it: " in done.err


def test_a_forced_level_is_obeyed_and_status_says_what_it_drops(tool: Tool) -> None:
    write(tool.cwd / HOOK, '"""Doc."""\nassert __doc__, "gone"\nprint(__doc__)\n')
    tool.ok("compile", "--optimize", "2")
    assert [name.split(".")[2] for name in entries(tool)] == ["opt-2"]
    assert tool.launch(HOOK)[1].out == "None\n"
    shown = tool.ok("status", "--optimize", "2")
    assert f"{HOOK}: level 2 is forced: asserts and docstrings are" in shown
    (row,) = parsed(tool.run("status", "--optimize", "2", "--json"))["hooks"]
    assert (row["level"], row["level_reason"], row["state"]) == (2, "forced", "fresh")
    assert row["dropped"] == ["asserts", "docstrings"]
    assert tool.run("check").status == 1, "what auto asks for is another level"


def test_an_entry_that_cannot_be_written_is_a_trouble(tool: Tool) -> None:
    (tool.cwd / CACHE).write_text("")
    done = tool.run("compile")
    assert done.status == 1
    assert f"{HOOK}: its entry can't be written: " in done.err


def test_without_hooks_and_git_there_is_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    tool = Tool.create(tmp_path / "plain", tmp_path)
    assert tool.ok("compile").startswith("no hooks found")
    assert tool.ok("status").startswith("no hooks in ")
    write(tool.cwd / HOOK, "pass\n")
    assert "1 compiled" in tool.ok("sync")


# status


def test_status_counts_launches_and_fallbacks_from_real_launches(
    tool: Tool, tmp_path: Path
) -> None:
    tool.ok("compile")
    tool.ok("wrapper")
    other = write(tool.cwd / HOOKS / "other.py", "pass\n")
    write(tool.cwd / HOOK, "print('edited')\n")
    traced = tool.with_env(HOOKS_COMPILE_TRACE=str(tmp_path / "launches"))
    words = ["sh", f"{HOOKS}/{wrapper.NAME}", f"./{HOOK}"]
    for _ in range(3):
        assert traced.shell(shlex.join(words)).out == "edited\n"
    traced.shell(shlex.join([*words[:2], str(tool.cwd / HOOK)]))
    before = time.time()
    rows = {Path(row["hook"]).name: row for row in parsed(traced.run("status", "--json"))["hooks"]}
    assert rows["hook.py"]["launches"] == 4
    (fallback,) = rows["hook.py"]["fallbacks"]
    assert fallback["reason"] == "no entry"
    assert before - 60 < fallback["time"] <= before + 1
    assert rows["hook.py"]["state"] == "fresh"
    assert (rows[other.name]["launches"], rows[other.name]["fallbacks"]) == (0, [])
    assert rows[other.name]["state"] == "missing"
    year = time.strftime("%Y-")
    assert f"launches: 1 had to compile since {year}" in traced.ok("status")
    assert "4 launches" in " ".join(traced.ok("status", "--verbose").split())
    untraced = tool.ok("status", "--verbose")
    assert "HOOKS_COMPILE_TRACE" in untraced.splitlines()[-1]
    assert parsed(tool.run("status", "--json"))["hooks"][0]["launches"] is None


@pytest.mark.parametrize("words", [(), ("--verbose",)])
def test_lines_of_status_fit_a_pipe_and_a_terminal(tool: Tool, words: tuple[str, ...]) -> None:
    name = "a-hook-with-a-name-that-is-as-long-as-those-that-people-write.py"
    write(tool.cwd / HOOKS / name, BROKEN)
    out = tool.ok("status", *words)
    assert max(map(len, out.splitlines())) <= 100
    shown = in_a_terminal(tool, "status", *words, width=50)
    assert max(map(len, shown.splitlines())) <= 50


def in_a_terminal(tool: Tool, *words: str, width: int = 80) -> str:
    """Run the tool with all of its input and output on a terminal, and return what it shows."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, width))
    process = tool.start(*words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux says EIO when the last process has closed it
        while select.select([ours], [], [], 30)[0]:
            data = os.read(ours, 1 << 16)
            if not data:
                break
            shown += data
    os.close(ours)
    assert process.wait(timeout=60) == 0, shown
    return shown.decode()


# wrapper


def test_the_wrapper_is_written_executable_and_works_from_anywhere(tool: Tool) -> None:
    path = tool.cwd / HOOKS / wrapper.NAME
    assert tool.ok("wrapper") == f"{path}: written\n"
    assert os.access(path, os.X_OK)
    assert tool.ok("wrapper") == f"{path}: up to date\n"
    elsewhere = Tool(tool.home, tool.env)
    assert elsewhere.shell(f"{path} {tool.cwd / HOOK} a b").out == "ran\n"


def test_an_older_wrapper_is_replaced_a_foreign_or_edited_one_never(tool: Tool) -> None:
    path = tool.cwd / HOOKS / wrapper.NAME
    path.write_bytes(wrapper_of_version(0))
    assert tool.ok("wrapper").endswith(": replaced an older one\n")
    assert path.read_bytes() == wrapper.text()
    for content, said in (
        (b"#!/bin/sh\necho mine\n", "it is not ours"),
        (wrapper.text() + b"echo mine\n", "it was edited"),
    ):
        path.write_bytes(content)
        done = tool.run("wrapper")
        assert done.status == 1
        assert said in done.out
        assert path.read_bytes() == content
    done = tool.run("wrapper", "--json")
    assert (done.status, parsed(done)) == (1, {str(path): "edited"})


def test_the_wrapper_goes_where_it_is_told(tool: Tool) -> None:
    (tool.cwd / "tools").mkdir()
    assert tool.ok("wrapper", "tools") == f"tools/{wrapper.NAME}: written\n"
    assert not (tool.cwd / HOOKS / wrapper.NAME).exists()
    assert parsed(tool.run("wrapper", "tools", "--json")) == {f"tools/{wrapper.NAME}": "current"}
    (tool.cwd / "tools" / wrapper.NAME).unlink()
    done = tool.run("wrapper", "missing", "tools")
    assert done.status == 1
    assert "the wrapper can't be written: No such file" in done.err
    assert done.out == f"tools/{wrapper.NAME}: written\n"


def test_without_hooks_of_an_agent_a_directory_has_to_be_named(tool: Tool) -> None:
    (tool.cwd / HOOK).unlink()
    done = tool.run("wrapper")
    assert done.status == 1
    assert "hooks-compile wrapper DIR" in done.out


# run


SHOWING = """\
import os, sys
data = sys.stdin.buffer.read()
sys.stdout.buffer.write(repr(sys.argv[1:]).encode() + data)
print("to stderr", file=sys.stderr)
sys.exit(7)
"""


@pytest.mark.parametrize("explain", [(), ("--explain",)])
def test_run_passes_stdin_arguments_and_status_through(
    tool: Tool, explain: tuple[str, ...]
) -> None:
    write(tool.cwd / HOOK, SHOWING)
    tool.ok("compile")
    arguments = ["--explain", "-x", "", "a b", "--", "--python=none", "ä"]
    done = tool.run("run", *explain, HOOK, *arguments, stdin=b"\xff\x00\n")
    assert done.status == 7
    assert done.out.encode("utf-8", "surrogateescape") == repr(arguments).encode() + b"\xff\x00\n"
    expected = "to stderr\n"
    if explain:
        expected += "hooks-compile: hit: the hook ran from its entry (level 2)\n"
    assert done.err == expected


def test_run_explains_which_code_ran_and_why(tool: Tool) -> None:
    without = "source: plain Python ran the hook, because the wrapper found no launcher"
    assert without in explained(tool)
    tool.ok("runtime")
    assert "miss: the hook was compiled for this launch (no entry)" in explained(tool)
    assert "hit: the hook ran from its entry (level 0)" in explained(tool)
    homeless = {name: value for name, value in tool.env.items() if name != "HOOKS_COMPILE_HOME"}
    assert without in explained(Tool(tool.cwd, {**homeless, "HOME": ""}))


def explained(tool: Tool) -> str:
    done = tool.run("run", "--explain", HOOK)
    assert (done.status, done.out) == (0, "ran\n")
    return done.err


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT", "SIGPIPE"][: scaled(1, 4, 4)])
def test_run_dies_by_the_signal_that_ended_the_hook(tool: Tool, name: str) -> None:
    write(
        tool.cwd / HOOK,
        f"import os, signal\nnumber = signal.{name}\n"
        "if number != signal.SIGKILL: signal.signal(number, signal.SIG_DFL)\n"
        "os.kill(os.getpid(), number)\n",
    )
    done = tool.run("run", "--explain", HOOK)
    assert done.status == -getattr(signal, name)
    assert "source:" in done.err


def test_an_interrupt_during_run_is_the_hooks_own_concern(tool: Tool) -> None:
    write(
        tool.cwd / HOOK,
        "import time\ntry:\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.2)\n    print('handled')\n"
        "    raise SystemExit(5)\n",
    )
    process = tool.start(
        "run", "--explain", HOOK, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does on ^C
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (5, b"handled\n")
    assert b"source:" in err


# clean, runtime, doctor


def test_clean_removes_entries_and_nothing_else(tool: Tool) -> None:
    tool.ok("compile")
    write(tool.cwd / CACHE / "mine.txt", "mine\n")
    pythons = write(tool.cwd / HOOKS / "__pycache__/hook.cpython-311.pyc")
    value = parsed(tool.run("clean", "--json"))
    assert max(Path(path).name for path in value["removed"]).startswith("hook.cpython")
    assert [path.name for path in (tool.cwd / CACHE).iterdir()] == ["mine.txt"]
    assert pythons.exists()
    assert tool.runtime.exists()
    assert tool.ok("clean") == "0 files removed\n"


@pytest.mark.parametrize("words", [("clean",), ("uninit", "--yes")], ids=str)
def test_the_compiled_modules_that_only_we_made_are_removed(
    tool: Tool, words: tuple[str, ...]
) -> None:
    pythons = write(tool.cwd / HOOKS / "other/__pycache__/mine.cpython-311.pyc", "made by Python")
    beside = [write(tool.cwd / HOOKS / f"{name}.py") for name in ("helper", "package/__init__")]
    write(tool.cwd / HOOK, "import helper, package\n")
    tool.ok("compile")
    caches = [path.parent / "__pycache__" for path in beside]
    assert [len(list(cache.iterdir())) for cache in caches] == [1, 1]
    tool.ok(*words)
    assert list(tool.cwd.rglob("*.pyc")) == [pythons]
    assert list(tool.cwd.rglob("__pycache*")) == [pythons.parent]


def without_last_hook(tool: Tool) -> list[Path]:
    """The caches of hooks that are gone; of the last one only its launch told."""
    write(tool.cwd / ".hooks-compile.toml", 'include = ["tools/*.py"]\n')
    named = write(tool.cwd / "scripts/named.py", "print('named')\n")
    hooks = [tool.cwd / HOOK, tool.cwd / HOOKS / "deep/a.py", tool.cwd / "tools/b.py"]
    for hook in hooks[1:]:
        write(hook, "print(1)\n")
    tool.ok("compile")
    assert tool.launch(named)[0] == "miss"
    for hook in (*hooks, named):
        assert list((hook.parent / "__pycache_opt__").glob("*.pyc"))
        hook.unlink()
    return [hook.parent / "__pycache_opt__" for hook in (*hooks, named)]


@pytest.mark.parametrize("words", [(), (".claude", "tools", "scripts")], ids=str)
def test_clean_finds_the_cache_of_a_directory_whose_last_hook_is_gone(
    tool: Tool, words: tuple[str, ...]
) -> None:
    caches = without_last_hook(tool)
    elsewhere = GitRepo.create(tool.cwd / "vendor").write("hooks/__pycache_opt__/.gitignore", "*\n")
    venv = write(tool.cwd / ".venv/hooks/__pycache_opt__/.gitignore", "*\n")
    write(tool.cwd / ".venv/pyvenv.cfg")
    (tool.cwd / HOOKS / "link").symlink_to(elsewhere.parent.parent)
    tool.ok("clean", *words)
    assert not any(cache.exists() for cache in caches)
    assert elsewhere.exists()
    assert venv.exists()


def test_clean_takes_the_cache_directory_and_on_demand_the_runtime_directory(tool: Tool) -> None:
    tool.ok("compile")
    tool.launch(HOOK)
    tool.ok("clean", HOOK)
    assert not (tool.cwd / CACHE).exists()
    assert tool.launch(HOOK)[0] == "miss"
    tool.ok("clean", "--runtime")
    assert not tool.runtime.exists()
    state, done = tool.launch(HOOK)
    assert (state, done.out) == ("", "ran\n")


def test_clean_takes_what_git_hooks_put_into_the_runtime_directory(tool: Tool) -> None:
    tool.ok("git-hooks", "install", "--global")
    write(tool.runtime / "git_hook.sh", "# of a git that takes hooks from its configuration\n")
    template = tool.runtime / "git-template"
    is_named = template.exists()  # not where git's configuration names the script
    done = tool.run("clean", "--runtime")
    assert done.status == 0
    assert template.exists() is is_named
    if is_named:
        assert "hooks-compile git-hooks uninstall --global" in done.err
        assert [path.name for path in tool.runtime.iterdir()] == ["git-template"]
    tool.ok("git-hooks", "uninstall", "--global")
    assert tool.run("clean", "--runtime").err == ""
    assert not tool.runtime.exists()


def test_runtime_prints_the_launchers_path_and_brings_it_up_to_date(tool: Tool) -> None:
    launcher = tool.runtime / "launch.py"
    assert tool.ok("runtime") == f"{launcher}\n"
    text = launcher.read_bytes()
    launcher.write_bytes(text + b"#\n")
    tool.ok("runtime")
    assert launcher.read_bytes() == text
    assert tool.shell(f'python3 "$(hooks-compile runtime)" {HOOK}').out == "ran\n"


def test_doctor_exits_with_1_for_problems_only(tool: Tool) -> None:
    done = tool.run("doctor")
    assert done.status == 1
    assert "problem: the runtime directory" in done.out
    assert "\n  to fix it: hooks-compile compile\n" in done.out
    tool.ok("compile")
    tool.ok("wrapper")
    done = tool.with_env(PYTHONDONTWRITEBYTECODE="1").run("doctor", "--json")
    assert done.status == 0
    findings = parsed(done)
    assert {tuple(finding) for finding in findings} == {("level", "text", "remedy")}
    assert {finding["level"] for finding in findings} <= {"ok", "note"}
    assert "note" in {finding["level"] for finding in findings}


# What can go wrong around a command


@pytest.mark.parametrize(
    "command", ["compile", "check", "wrapper", "status", "doctor", "clean"][: scaled(2, 6, 6)]
)
def test_no_command_ignores_a_config_error(tool: Tool, command: str) -> None:
    path = write(tool.cwd / ".hooks-compile.toml", "python = ['./evil']\n")
    done = tool.run(command)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"hooks-compile: {path}: python is './evil'; ")
    assert "\n  to fix it: " in done.err


def test_settings_of_the_project_are_used(tool: Tool) -> None:
    write(
        tool.cwd / "pyproject.toml",
        '[tool.hooks-compile]\ninclude = ["tools/*.py"]\noptimize = 1\nkeep = 1\n',
    )
    write(tool.cwd / "tools/x.py", "pass\n")
    assert "2 hooks" in tool.ok("compile")
    assert entries(tool)[0].split(".")[2] == "opt-1"
    write(tool.cwd / HOOK, "print('edited')\n")
    assert "1 old entry removed" in tool.ok("sync")


def test_a_runtime_directory_that_is_not_private_is_an_error_with_a_remedy(tool: Tool) -> None:
    tool.runtime.mkdir(mode=0o755)
    done = tool.run("compile")
    assert done.status == 1
    assert done.err.startswith(f"hooks-compile: {tool.runtime}: mode 755")
    assert "\n  to fix it: " in done.err
    assert tool.run("check").status == 1


@pytest.mark.parametrize(
    "words", [("status",), ("status", "--json"), ("compile",), ("doctor",)][: scaled(1, 4, 4)]
)
def test_a_reader_that_leaves_is_no_error(tool: Tool, words: tuple[str, ...]) -> None:
    for number in range(60):
        write(tool.cwd / HOOKS / f"h{number}.py", "pass\n")
    done = tool.shell(f"hooks-compile {shlex.join(words)} | head -1")
    assert len(done.out.splitlines()) == 1
    assert done.err == ""


def test_a_full_disk_behind_stdout_is_told(tool: Tool) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = tool.shell("hooks-compile compile > /dev/full")
    assert done.status == 1
    assert done.err == "hooks-compile: nothing more can be written: the disk is full\n"


def test_a_closed_stream_is_no_error(tool: Tool) -> None:
    done = tool.shell("hooks-compile compile >&-; hooks-compile status >&-")
    assert (done.status, done.err) == (0, "")
    done = tool.shell("exec 2>&- <&-; hooks-compile sync && hooks-compile status >&- || echo no")
    assert "no" not in done.out.split()
    assert "nobody is there to ask" in tool.shell("hooks-compile init <&- >&-").err


@pytest.mark.parametrize(
    "words",
    [
        *(("compile",), ("sync",), ("check",), ("check", "--sources-only"), ("status",)),
        *(("doctor",), ("wrapper",), ("clean",), ("init", "--yes"), ("init", "--dry-run")),
        *(("uninit", "--yes"), ("git-hooks", "install"), ("git-hooks", "status")),
        *(("compile", "--changed", HOOK), ("sync", "--git-hook"), ("compile", HOOK)),
    ][:: scaled(4, 1, 1)],
    ids=" ".join,
)
def test_no_command_starts_what_a_clone_brings(tool: Tool, words: tuple[str, ...]) -> None:
    mark = tool.home / "mark"
    evil = f'#!/bin/sh\necho "$0" "$@" >>\'{mark}\'\n'
    for directory in (".", "bin", ".venv/bin", "real/bin"):
        for name in ("git", "python", "python3", "sh", "id"):
            write(tool.cwd / directory / name, evil, executable=True)
    links = tool.cwd / "links"
    links.mkdir()
    (links / "python3").symlink_to("/bin/sh")
    write(tool.cwd / ".venv/pyvenv.cfg", "home = /usr/bin\n")
    for name in (
        "sitecustomize",
        "usercustomize",
        "site",
        "re",
        "argparse",
        "json",
        "hooks_compile",
    ):
        for directory in (".", HOOKS):
            write(
                tool.cwd / directory / f"{name}.py", f"open({str(mark)!r}, 'a').write(__file__)\n"
            )
    directories = ["", ".", "bin", tool.cwd / ".venv/bin", tool.cwd / "real/bin", links]
    path = os.pathsep.join(map(str, [*directories, tool.env["PATH"]]))
    note = f"{tool.cwd / '.venv/bin/python3'}\0{tool.cwd / HOOKS}"
    runtime_directory.ensure(tool.runtime)
    write(tool.runtime / "seen/0123456789abcdef", note)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "hooks_compile", *words],  # -P: as the command does it
        cwd=tool.cwd,
        env=tool.with_env(PATH=path).env,
        capture_output=True,
        check=False,
    )
    assert not mark.exists(), mark.read_text()
    assert done.returncode in (0, 1), done
    if words[0] in ("compile", "sync", "init") and "--dry-run" not in words:
        assert entries(tool)


STEERING = "\x1b]0;owned\x07\x1b[2J\u202e\x9b1m"


def steered(tool: Tool) -> Tool:
    """The user in a clone whose author tries to command the terminal, wherever text is shown."""
    hooks = tool.cwd / HOOKS
    write(hooks / f"broken{STEERING}\nline.py", f"x = ('{STEERING}\n")
    write(hooks / "broken.py", f"def {STEERING}(:\n")
    write(hooks / f"good{STEERING}.py", "assert 1\n")
    command = f"python3 .claude/hooks/good{STEERING}.py '{STEERING}'"
    settings = {
        "hooks": {f"Stop{STEERING}": [{"hooks": [{"type": "command", "command": command}]}]}
    }
    write(tool.cwd / ".claude/settings.json", json.dumps(settings))
    write(tool.cwd / ".codex/hooks.json", f'{{"{STEERING}": ')
    return tool


@pytest.mark.parametrize(
    "words",
    [
        *(("compile",), ("sync",), ("sync", "--git-hook"), ("check",), ("check", "--sources-only")),
        *(("status",), ("status", "--optimize", "2"), ("wrapper",), ("doctor",), ("clean",)),
        *(("init", "--dry-run"), ("init", "--yes", "--agent", "claude"), ("uninit", "--yes")),
        *(("compile", f"gone{STEERING}"), ("compile", "--python", STEERING)),
        *(("init", "--agent", STEERING), ("wrapper", f"gone{STEERING}")),
        *(("git-hooks", "install"), ("git-hooks", "status"), ("run", "--explain", f"a{STEERING}")),
        *(("compile", "--json"), ("status", "--json"), ("doctor", "--json")),
    ][:: scaled(5, 1, 1)],
    ids=lambda words: " ".join(words).partition("\x1b")[0],
)
def test_nothing_that_a_clone_says_steers_the_terminal(tool: Tool, words: tuple[str, ...]) -> None:
    done = steered(tool).run(*words)
    assert done.status in (0, 1, 2), done
    assert "Traceback" not in done.err
    shown = (done.out + done.err).replace("\n", "").replace("\t", "")
    python_says = shown.count(f"open file '{tool.cwd}") if words[0] == "run" else 0
    assert python_says or shown.isprintable(), ascii(shown)


def test_a_configuration_does_not_steer_the_terminal(tool: Tool) -> None:
    write(tool.cwd / ".hooks-compile.toml", f'"{STEERING}" = 1\n'.replace("\x1b", "\\u001b"))
    done = tool.run("compile")
    assert done.status == 1
    assert done.err.replace("\n", "").isprintable()


def test_names_that_steer_the_terminal_are_the_same_for_programs(tool: Tool) -> None:
    results = parsed(steered(tool).run("check", "--json"))["results"]
    assert str(tool.cwd / HOOKS / f"broken{STEERING}\nline.py") in {r["hook"] for r in results}


def test_names_that_are_not_utf8_go_through_every_command(tool: Tool) -> None:
    name = os.fsdecode(b"caf\xe9")
    hook = tool.cwd / HOOKS / name / f"{name}.py"
    write(hook, "print('latin')\n")
    broken = write(hook.with_name("broken.py"), BROKEN)
    assert "caf\\udce9/broken.py:3: SyntaxError" in tool.run("compile").err
    broken.unlink()
    assert "caf\\udce9/hook_wrapper.sh: written" in tool.ok("wrapper")
    hooks = [row["hook"] for row in parsed(tool.run("status", "--json"))["hooks"]]
    assert any(each.endswith("caf\udce9.py") for each in hooks)
    assert "caf\\udce9.py" in tool.ok("status", "--optimize", "2")
    assert tool.launch(hook)[0] == "hit"
    assert tool.ok("run", hook) == "latin\n"
    tool.ok("doctor")
    tool.ok("clean")
    elsewhere = tool.cwd / name
    elsewhere.mkdir()
    moved = tool.with_env(HOOKS_COMPILE_HOME=str(elsewhere / "runtime"))
    assert moved.ok("runtime").rstrip("\n") == str(elsewhere / "runtime" / "launch.py")


GONE = [
    *(("compile",), ("sync",), ("check",), ("status",), ("wrapper",), ("clean",), ("doctor",)),
    *(("init", "--yes"), ("uninit", "--yes"), ("git-hooks", "status"), ("git-hooks", "install")),
]


@pytest.mark.parametrize("words", GONE[:: scaled(4, 1, 1)], ids=" ".join)
def test_a_current_directory_that_is_gone_is_one_line(tool: Tool, words: tuple[str, ...]) -> None:
    call = f"hooks-compile {shlex.join(words)}"
    done = tool.shell(f"mkdir gone && cd gone && rm -r ../gone && {call}")
    assert done.status == 1
    assert done.err.endswith("hooks-compile: the current directory is gone\n  to fix it: cd /\n")
    assert "Traceback" not in done.err


NO_DIRECTORIES: dict[str, tuple[str, Callable[[Tool], object]]] = {
    "home": ("compile", lambda tool: tool.home.rename(tool.home.parent / "x")),
    "runtime": ("compile", lambda tool: write(tool.runtime, "")),
    "runtime/seen": ("sync", lambda tool: write(tool.runtime / "seen", "")),
    ".claude": ("status", lambda tool: file_instead_of(tool.cwd / ".claude")),
    "hooks": ("compile", lambda tool: file_instead_of(tool.cwd / HOOKS)),
    "wrapper": ("wrapper", lambda tool: (tool.cwd / HOOKS / wrapper.NAME).mkdir()),
    "git": ("compile", lambda tool: write(tool.cwd / ".git", "")),
}


def file_instead_of(directory: Path) -> None:
    shutil.rmtree(directory)
    write(directory, "")


@pytest.mark.parametrize("place", list(NO_DIRECTORIES)[:: scaled(2, 1, 1)])
def test_a_file_where_a_directory_is_expected_is_no_bug(tool: Tool, place: str) -> None:
    command, harm = NO_DIRECTORIES[place]
    if place == "home":
        tool = tool.with_env(HOME=str(write(tool.home.parent / "file", "")))
    elif place == "git":
        shutil.rmtree(tool.cwd / ".git")
        harm(tool)
    else:
        harm(tool)
    done = tool.run(command)
    assert done.status in (0, 1)
    assert "Traceback" not in done.err
    if done.status == 1 and place != "wrapper":
        assert "\n  to fix it: " in done.err


def test_what_can_not_be_removed_stops_nothing_else(tool: Tool) -> None:
    other = write(tool.cwd / ".codex/hooks/other.py", "pass\n")
    tool.ok("compile")
    locked = tool.cwd / CACHE
    for command in (("clean",), ("uninit", "--yes")):
        locked.chmod(0o555)
        process = tool.start(
            *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=as_ordinary_user()
        )
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert err.decode().startswith(f"hooks-compile: {locked}")
        assert "\n  to fix it: " in err.decode()
        assert "Traceback" not in err.decode()
        assert not (other.parent / "__pycache_opt__").exists()
        locked.chmod(0o755)
        tool.ok("compile")


def test_an_interrupt_is_130_without_a_traceback(tool: Tool) -> None:
    slow = tool.home / "slow"
    begun = tool.home / "begun"
    write(slow, f"#!/bin/sh\n: >'{begun}'\nsleep 60\n", executable=True)
    process = tool.start(
        "compile", "--python", slow, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not begun.exists():  # the test's time limit ends this
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_bug_of_ours_is_3_with_a_traceback(tool: Tool, tmp_path: Path) -> None:
    package = tmp_path / "damaged" / "hooks_compile"
    shutil.copytree(Path(cli.__file__).parents[1], package)
    (package / "install" / "wrapper.py").write_text("raise RuntimeError('damaged')\n")
    done = tool.with_env(PYTHONPATH=str(package.parent)).run("wrapper")
    assert done.status == 3
    assert "Traceback (most recent call last):" in done.err
    assert "RuntimeError: damaged" in done.err
    assert done.err.splitlines()[-1].startswith("hooks-compile: this is a bug")


def test_messages_name_files_that_may_not_be_read(tool: Tool) -> None:
    config = write(tool.cwd / ".hooks-compile.toml", "")
    config.chmod(0)
    process = tool.start(
        "compile",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=as_ordinary_user(),
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b".hooks-compile.toml: can't be read: Permission denied" in err
