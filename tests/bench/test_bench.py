"""``hooks-compile bench`` measures each kind of hook and changes nothing of the user's."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hooks_compile import agents
from hooks_compile.bench import results
from hooks_compile.bench.estimates import Estimate, ratio
from hooks_compile.bench.measure import network_modules
from hooks_compile.bench.results import HookResult, Results, Way
from hooks_compile.bench.sample import Launch, launch
from hooks_compile.bench.scratch import Scratch
from hooks_compile.project.record import open_project
from tests.support.processes import is_running
from tests.support.repositories import GitRepo, write
from tests.support.tiers import ci_only
from tests.support.tool import Tool

HOOKS = ".claude/hooks"
KINDS = {
    "plain.py": "import json, sys\nprint(json.load(sys.stdin)['hook_event_name'])\n",
    "blocks.py": "import sys\nprint('no', file=sys.stderr)\nsys.exit(2)\n",
    "fails.py": "raise ValueError('always')\n",
    "killed.py": "import os\nos.kill(os.getpid(), 15)\n",
    "hangs.py": "import time\ntime.sleep(60)\n",
    "reads_nothing.py": "print('done')\n",
    "writes.py": "import os\n"
    "for place in ('~/log', os.environ['CLAUDE_PROJECT_DIR'] + '/log', 'here'):\n"
    "    with open(os.path.expanduser(place), 'a') as file:\n"
    "        file.write('x')\n"
    "print(os.path.getsize('here'))\n",
    "leaves.py": "import subprocess\nsubprocess.Popen(['sleep', '30'])\n",
    "varies.py": "import time\nprint(time.time_ns())\n",
    "counts.py": "import pathlib\np = pathlib.Path('count')\n"
    "n = int(p.read_text()) + 1 if p.exists() else 1\np.write_text(str(n))\nprint(n)\n",
    "network.py": "import urllib.request\nprint('hello')\n",
    "pushes.py": "import subprocess\nsubprocess.run(['git', 'push', 'origin', 'HEAD:stolen'])\n"
    "subprocess.run(['git', 'tag', 'mine'])\n",
    "broken.py": "if:\n",
}


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """A user in a repository with one hook of each kind, one of them named by the settings."""
    repo = GitRepo.create(tmp_path / "repo")
    for name, text in KINDS.items():
        write(repo.path / HOOKS / name, text)
    entry = {"type": "command", "command": f"python3 $CLAUDE_PROJECT_DIR/{HOOKS}/plain.py"}
    settings = {"hooks": {"PostToolUse": [{"matcher": "Edit|Write", "hooks": [entry]}]}}
    write(repo.path / ".claude/settings.json", json.dumps(settings))
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "--message", "hooks")
    return Tool.create(repo.path, tmp_path)


def bench(tool: Tool, *words: str | Path, status: int = 0) -> dict[str, Any]:
    command = "bench", "--time", "0", "--json", *words
    process = tool.start(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    out, _ = process.communicate(timeout=600)
    assert process.returncode == status
    found: dict[str, Any] = json.loads(out)
    return found


def by_name(found: dict[str, Any]) -> dict[str, Any]:
    return {Path(hook["hook"]).name: hook for hook in found["hooks"]}


def everything_in(directory: Path) -> dict[str, bytes | None]:
    return {
        str(path): path.read_bytes() if path.is_file() else None
        for path in directory.rglob("*")
        if ".git/" not in str(path)
    }


def refs_of(tool: Tool) -> str:
    return tool.shell("git for-each-ref; git worktree list; git status --short").out


def test_one_hook_is_measured_with_the_event_that_launches_it(tool: Tool, tmp_path: Path) -> None:
    before = everything_in(tmp_path / "repo")
    page = tmp_path / "page.html"
    done = tool.run("bench", f"{HOOKS}/plain.py", "--time", "0", "--html", page)
    assert done.status == 0, done
    assert re.search(r"plain\.py +source +[\d.]+ ms", done.out)
    assert re.search(r"wrapper +[\d.]+ ms +[\d.]+ ms +[\d.]+ \([\d.]+-[\d.]+\)", done.out)
    assert f"{HOOKS}/plain.py (PostToolUse Edit), 8 rounds" in done.out
    assert re.search(r"its imports: json [\d.]+ ms", done.out)
    assert "in copies of the project with a home directory of their own" in done.err
    html = page.read_text()
    assert html.count("<svg") == html.count("</svg>") > 3
    assert not re.search(r"<script|https?://|url\(", html)
    assert everything_in(tmp_path / "repo") == before


@ci_only
def test_each_kind_of_hook_is_measured_or_refused(tool: Tool, tmp_path: Path) -> None:
    before = everything_in(tmp_path / "repo"), everything_in(tool.home), refs_of(tool)
    found = bench(tool)
    assert (everything_in(tmp_path / "repo"), everything_in(tool.home), refs_of(tool)) == before
    hooks, left_out = by_name(found), found["left_out"]
    assert set(left_out) == {f"{HOOKS}/hangs.py", f"{HOOKS}/network.py"}
    assert "does not end within 10 s" in left_out[f"{HOOKS}/hangs.py"]
    assert "--network" in left_out[f"{HOOKS}/network.py"]
    assert set(hooks) == set(KINDS) - {"hangs.py", "network.py"}
    for name, hook in hooks.items():
        (wrapper,) = hook["ways"][1:]
        assert wrapper["unequal"] == "", name
        assert 0.2 < wrapper["ratio"]["value"] < 5, name
        assert wrapper["memory"] > 1_000_000, name
    notes = {name: " ".join(hook["notes"]) for name, hook in hooks.items()}
    assert "it blocks this event (exit 2)" in notes["blocks.py"]
    assert "it fails: exit 1" in notes["fails.py"]
    assert "it fails: exit 1" in notes["broken.py"]
    assert "signal 15 ends it" in notes["killed.py"]
    assert "it leaves a process behind" in notes["leaves.py"]
    assert "it shows something else at each launch" in notes["varies.py"]
    for name in ("plain.py", "reads_nothing.py", "writes.py", "counts.py"):
        assert not notes[name], name
        assert hooks[name]["parts"], name
    assert hooks["reads_nothing.py"]["imports"] == []


@ci_only
def test_a_hook_for_the_network_runs_if_that_is_allowed(tool: Tool) -> None:
    assert by_name(bench(tool, f"{HOOKS}/network.py", "--network")).keys() == {"network.py"}


def test_a_hook_for_the_network_is_named(tool: Tool) -> None:
    done = tool.run("bench", f"{HOOKS}/network.py")
    assert done.status == 1
    assert f"{HOOKS}/network.py may use the network: urllib.request" in done.err


def test_a_hook_that_no_parser_reads_names_no_module(tmp_path: Path) -> None:
    for text in ("(" * 5000 + ")" * 5000, "x = " + "-" * 100_000 + "1", "\0", "# coding: nope"):
        write(tmp_path / "hook.py", text)
        assert network_modules(tmp_path / "hook.py") == set()


@ci_only
def test_a_slow_import_is_found_and_its_use_is_tried(tool: Tool) -> None:
    write(tool.cwd / HOOKS / "slow.py", "import time\ntime.sleep(0.2)\nvalue = 1\n")
    text = "import sys\nimport slow\n\nif len(sys.argv) > {count}:\n    print(slow.value)\n"
    write(tool.cwd / HOOKS / "spares.py", text.format(count=9))
    write(tool.cwd / HOOKS / "needs.py", text.format(count=0))
    hooks = by_name(bench(tool, f"{HOOKS}/spares.py", f"{HOOKS}/needs.py"))
    for hook in hooks.values():
        name, seconds = hook["imports"][0]
        assert name == "slow"
        assert 0.2 < seconds < 5
    (advice,) = (line for line in hooks["spares.py"]["advice"] if "slow" in line)
    saved = re.match(r"import slow inside the function that needs it: .* (\d+) of \d+ ms", advice)
    assert saved
    assert 100 < int(saved[1]) < 2000
    assert not any("slow" in line for line in hooks["needs.py"]["advice"])


def test_what_shows_something_else_than_the_source_gets_no_ratio(tool: Tool) -> None:
    write(tool.cwd / HOOKS / "asserts.py", "assert not __file__.endswith('.py'), 'a source'\n")
    (tool.bin / "bash").symlink_to(str(shutil.which("bash")))
    found = bench(tool, f"{HOOKS}/asserts.py", "--against", "pyc,shim")
    (hook,) = found["hooks"]
    ways = {way["name"]: way for way in hook["ways"]}
    assert ways["pyc"]["unequal"] == "exit 0 instead of 1"
    assert ways["pyc"]["ratio"] is None
    assert ways["pyc"]["size"] > 100
    assert "is no shim" in hook["refused"]["shim"]


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_process_in_a_session_of_its_own_is_killed(tmp_path: Path) -> None:
    (tmp_path / "event").touch()
    words = "setsid sh -c 'echo >begun; exec sleep 50' & echo $!; until [ -e begun ]; do :; done"
    env = {"PATH": os.defpath, "TMPDIR": str(tmp_path / "tmp")}
    how = Launch(("/bin/sh", "-c", words), tmp_path, env, tmp_path / "event")
    sample = launch(how, timeout=60)
    assert (sample.status, sample.leaves_processes) == (0, True)
    while is_running(int(sample.output[0])):  # the test's time limit ends this
        time.sleep(0.01)


def test_an_interrupt_shows_what_there_is_and_leaves_nothing(tool: Tool, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    own = tool.with_env(TMPDIR=str(temporary))
    process = own.start(
        "bench", f"{HOOKS}/plain.py", f"{HOOKS}/counts.py", "--time", "0", "--json",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    seen: set[str] = set()
    while len(seen) < 2 and time.monotonic() < deadline:
        seen.update(path.name for path in temporary.glob("hooks-compile-bench-*"))
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    found = json.loads(out)
    assert len(found["hooks"]) == 1
    assert found["left_out"] == {"the rest": "interrupted"}
    assert list(temporary.iterdir()) == []


def made_up(rounds: int, factor: float, seed: int) -> Results:
    """Return a run in which the wrapper takes ``factor`` of what it usually takes."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible one
    machine = chance.uniform(0.5, 2)

    def times(seconds: float) -> tuple[float, ...]:
        return tuple(machine * seconds * chance.lognormvariate(0, 0.05) for _ in range(rounds))

    bare, source, wrapper = times(0.01), times(0.02), times(0.015 * factor)
    ways = (Way("source", source, source, 1), Way("wrapper", wrapper, wrapper, 1))
    hook = HookResult("guard.py", "Stop", 0, ways, Estimate(1, 0.99, 1.01), bare)
    return Results("Linux", "CPython 3.11.7", "2026-11-30", (hook,))


def test_a_change_of_a_tenth_is_found_and_noise_is_not(tmp_path: Path) -> None:
    found = {"slower": 0, "same": 0, "source": 0}
    for seed in range(60):
        old = made_up(60, 1.0, seed)
        path = write(tmp_path / "old.json", json.dumps(old.as_json()))
        assert results.read(path) == old
        for name, factor in (("slower", 1.1), ("same", 1.0)):
            new = made_up(60, factor, 1000 + seed)
            source, wrapper = results.changes(results.read(path), new)
            found[name] += wrapper.is_clear
            found["source"] += source.is_clear
    assert found["slower"] >= 57
    assert found["same"] <= 3
    assert found["source"] <= 6


def test_the_interval_of_a_ratio_holds_the_true_one() -> None:
    held = 0
    for seed in range(400):
        chance = random.Random(seed)  # noqa: S311 - a reproducible one
        base = [chance.lognormvariate(0, 0.2) for _ in range(25)]
        held += (
            (found := ratio([b * chance.lognormvariate(0, 0.1) for b in base], base)).low
            <= 1
            <= found.high
        )
    assert 0.93 <= held / 400 <= 0.995


def test_a_result_that_is_none_is_refused_by_name(tool: Tool, tmp_path: Path) -> None:
    done = tool.run("bench", "--compare", write(tmp_path / "old.json", "{}"))
    assert done.status == 1
    assert done.err.startswith(f"hooks-compile: {tmp_path / 'old.json'}: is not what")
    assert "to fix it: hooks-compile bench --json > old.json" in done.err


def test_a_copy_is_the_users_tree_as_it_is(tool: Tool, tmp_path: Path) -> None:
    write(tool.cwd / "changed.txt", "new")
    write(tool.cwd / ".gitignore", "ignored\n")
    write(tool.cwd / "ignored", "secret")
    (tool.cwd / "link").symlink_to("changed.txt")
    write(tool.cwd / "replaced" / "file", "old")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["add", "replaced"], [*identity, "commit", "--quiet", "--message", "file"]):
        subprocess.run(["git", *words], cwd=tool.cwd, check=True)
    shutil.rmtree(tool.cwd / "replaced")
    write(tmp_path / "elsewhere" / "file", "of the user")
    (tool.cwd / "replaced").symlink_to(tmp_path / "elsewhere")
    scratch = Scratch(open_project(tool.cwd, tool.env, agents=agents), tmp_path / "scratch")
    copy = scratch.copy()
    names = {path.name for path in copy.project.iterdir()}
    assert names == {".claude", ".git", ".gitignore", "changed.txt", "link", "replaced"}
    assert (copy.project / "link").readlink() == Path("changed.txt")
    here, there = (
        subprocess.run(["git", *words], cwd=cwd, capture_output=True, check=True).stdout
        for cwd in (tool.cwd, copy.project)
        for words in [("status", "--short")]
    )
    assert here == there
    remotes = subprocess.run(["git", "remote"], cwd=copy.project, capture_output=True, check=True)
    assert remotes.stdout == b""
    env = copy.environment({**tool.env, "X": str(tool.cwd), "SSH_AUTH_SOCK": "s"}, tool.cwd)
    assert env["X"] == str(copy.project)
    assert Path(env["HOME"]) == copy.top / "home"
    assert "SSH_AUTH_SOCK" not in env
    own = dict.fromkeys(("CLAUDE_CONFIG_DIR", "CLAUDE_ENV_FILE", "OLDPWD"), "/home/of/the/user")
    assert not own.keys() & copy.environment({**tool.env, **own}, tool.cwd).keys()


def test_a_whole_home_directory_is_no_project(tool: Tool) -> None:
    write(tool.home / HOOKS / "ping.py", "print('pong')\n")
    done = Tool(tool.home, tool.env).run("bench")
    assert done.status == 1
    assert "this is no project" in done.err
    assert "to fix it: hooks-compile bench HOOK" in done.err
