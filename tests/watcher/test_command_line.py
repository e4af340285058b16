"""``hooks-watch`` as a process: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import plistlib
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.conftest import CHECKOUT
from tests.support import watching as running
from tests.support.repositories import write
from tests.support.watching import HOOK, PATIENCE_S, wait_until, wait_warm
from watcher.command_line import build_parser, main

if TYPE_CHECKING:
    from tests.watcher.conftest import Scene

BROKEN = "import sys\nprint((1\n"


class Call(Protocol):
    def __call__(self, *words: str | Path) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def call(scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run ``hooks-watch WORDS`` to its end, in this process: that is quicker."""
    for name, value in running.environment(scene.user).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(scene.root)

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        status = main(["--python", scene.user.python, *map(str, words)])
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(words, status, out, err)

    return run


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_in_order(scene: Scene, number: signal.Signals, status: int) -> None:
    with scene.watching() as watcher:
        watcher.wait_started()
        assert watcher.end(number) == status
        assert watcher.messages()[-1]["event"] == "stopped"
        assert watcher.err.read_text() == ""
    assert [path.suffix for path in (scene.user.runtime / "watch").iterdir()] == [".lock"]


def test_a_signal_right_at_the_start_ends_it_too(scene: Scene) -> None:
    with scene.watching() as watcher:
        wait_until((scene.user.runtime / "watch").exists, lambda: "it has started")
        assert watcher.end(signal.SIGTERM) in (143, -signal.SIGTERM)


def test_nohup_is_respected(scene: Scene) -> None:
    prefix = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"]
    with running.watching(scene.user, scene.root, prefix=prefix) as watcher:
        watcher.wait_started()
        watcher.process.send_signal(signal.SIGHUP)
        scene.hook.write_text(HOOK.format("second"))
        scene.assert_hit()


def test_a_person_reads_what_happens(scene: Scene) -> None:
    with running.watching(scene.user, scene.root, json_too=False) as watcher:
        wait_until(lambda: b"watching" in watcher.out.read_bytes(), watcher.out.read_text)
        scene.hook.write_text(HOOK.format("second"))
        wait_until(lambda: b"guard.py" in watcher.out.read_bytes(), watcher.out.read_text)
        scene.hook.write_text(BROKEN)
        wait_until(lambda: b"BROKEN" in watcher.err.read_bytes(), watcher.err.read_text)
        scene.hook.write_text(HOOK.format("third"))
        wait_until(lambda: b"fixed" in watcher.err.read_bytes(), watcher.err.read_text)
        assert watcher.end(signal.SIGINT) == 130
        out, err = watcher.out.read_text(), watcher.err.read_text()
    label = scene.user.interpreter.label
    assert f"watching {scene.root}: 2 hooks, for {label} (2 compiled, " in out
    assert f".claude/hooks/guard.py  compiled: {label}, level 2, " in out
    assert out.endswith("  ended\n")
    assert ".claude/hooks/guard.py:2: SyntaxError: '(' was never closed\n" in err
    assert "\n        print((1\n              ^\n" in err
    assert "\x1b" not in out + err


def test_colour_is_for_terminals_that_want_it(
    scene: Scene, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    scene.hook.write_text(BROKEN)
    for no_colour, coloured in ((None, True), ("1", False)):
        control, terminal = pty.openpty()
        with open(terminal, "w") as stream, monkeypatch.context() as patch:  # noqa: PTH123 - a descriptor
            patch.setattr("sys.stderr", stream)
            if no_colour:
                patch.setenv("NO_COLOR", no_colour)
            assert call("--once").returncode == 1
        text = os.read(control, 4096).decode()
        os.close(control)
        assert ("\x1b[" in text) is coloured, text


def test_quiet_says_only_what_is_to_be_fixed(scene: Scene) -> None:
    with scene.watching("--quiet") as watcher:
        wait_warm(scene.user, scene.hook)
        scene.hook.write_text(HOOK.format("second"))
        scene.assert_hit()
        scene.hook.write_text(BROKEN)
        watcher.wait_for("broken")
        scene.hook.write_text(HOOK.format("third"))
        watcher.wait_for("changed", lambda message: message["fixed"])
        watcher.end()
        assert [message["event"] for message in watcher.messages()] == ["broken", "changed"]


def test_once_compiles_and_ends(scene: Scene, call: Call) -> None:
    done = call("--once")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{scene.root}: 2 hooks, for {scene.user.interpreter.label} (2 compiled, " in done.stdout
    scene.assert_hit()
    again = json.loads(call("--once", "--json").stdout)
    assert (again["hooks"], again["counts"]) == (2, {"fresh": 2})
    scene.hook.write_text(BROKEN)
    broken = call("--once")
    assert broken.returncode == 1
    assert "guard.py:2: SyntaxError" in broken.stderr


def test_one_watcher_for_a_tree(scene: Scene, call: Call) -> None:
    with scene.watching() as watcher:
        watcher.wait_started()
        second = call()
        assert second.returncode == 1
        assert f"is watched already, by process {watcher.process.pid} since" in second.stderr
        assert f"kill {watcher.process.pid}" in second.stderr
        other = call(scene.hook.parent, "--status")
        assert other.returncode == 1  # a directory of hooks is another thing to watch
        assert call("--once").returncode == 0


def test_status_tells_whether_one_runs_and_what_it_does(scene: Scene, call: Call) -> None:
    before = call("--status")
    assert before.returncode == 1
    assert "not watched" in before.stdout
    with scene.watching() as watcher:
        watcher.wait_started()
        scene.hook.write_text(HOOK.format("second"))
        watcher.wait_for("changed")
        scene.hook.with_name("other.py").write_text(BROKEN)
        watcher.wait_for("broken")

        def status() -> str:
            return call("--status").stdout

        wait_until(lambda: "broken: " in status(), status)
        text = status()
        assert f"watched by process {watcher.process.pid} since" in text
        assert f"2 hooks, 0 local modules, for {scene.user.interpreter.label}" in text
        assert re.search(r"watched by events in \d directories and a scan every 60 s", text)
        assert (
            f"broken: {scene.hook.with_name('other.py')}:2: SyntaxError: '(' was never closed"
            in text
        )
        shown = call("--status", "--json")
        assert shown.returncode == 0
        (value,) = json.loads(shown.stdout)
        assert value["watched"] is True
        assert value["watcher"]["pid"] == watcher.process.pid
        assert value["watcher"]["last_change"]["event"] == "broken"
        watcher.end(signal.SIGKILL)
    after = call("--status")
    assert after.returncode == 1
    assert f"the last watcher was process {watcher.process.pid} since" in after.stdout


def test_several_trees_and_worktrees_at_a_time(scene: Scene, tmp_path: Path) -> None:
    tree = scene.repo.worktree(tmp_path / "tree")
    plain = write(tmp_path / "plain/check.py", HOOK.format("plain"))
    with running.watching(
        scene.user, tmp_path, scene.root, tree.path, plain.parent, scene.root
    ) as watcher:
        wait_until(lambda: len(watcher.messages("watching")) == 3, lambda: "all are watched")
        for hook in (scene.hook, tree.path / ".claude/hooks/guard.py", plain):
            hook.write_text(HOOK.format("second"))
            scene.assert_hit(hook)
        new = write(plain.with_name("new.py"), HOOK.format("new"))
        scene.assert_hit(new)


def test_names_that_are_not_utf8_are_watched_and_shown(scene: Scene) -> None:
    root = scene.root.with_name(os.fsdecode(b"r\xe9po"))
    scene.root.rename(root)
    hook = root / ".claude/hooks" / os.fsdecode(b"gu\xe4rd.py")
    hook.write_text(HOOK.format("first"))
    with running.watching(scene.user, root, json_too=False) as watcher:
        wait_until(
            lambda: b"r\\udce9po: 3 hooks" in watcher.out.read_bytes(), watcher.out.read_text
        )
        hook.write_text(BROKEN)
        wait_until(lambda: b"gu\\udce4rd.py:2" in watcher.err.read_bytes(), watcher.err.read_text)
        (root / ".hooks-compile.toml").write_text("keep = 0\n")
        wait_until(lambda: b"from 1 up" in watcher.err.read_bytes(), watcher.err.read_text)
        assert "Traceback" not in watcher.err.read_text()


def test_a_single_file_is_watched(scene: Scene) -> None:
    other = scene.hook.with_name("other.py")
    for number in range(5):  # more versions than are kept, the one in use the oldest
        other.write_text(HOOK.format(number))
        scene.user.compile(other)
    other.write_text(HOOK.format(0))
    with scene.watching(scene.hook, "--scan", "0.2") as watcher:
        watcher.wait_started()
        assert watcher.messages("watching")[0]["hooks"] == 1
        time.sleep(1.0)  # some scans
        assert scene.user.launch(other).state == "hit"
        scene.hook.unlink()
        watcher.wait_for("trouble", lambda message: "does not exist any more" in message["text"])
        scene.hook.write_text(HOOK.format("second"))
        scene.assert_hit()


def test_polling_when_asked_for(scene: Scene) -> None:
    with scene.watching("--poll", "0.2") as watcher:
        watcher.wait_started()
        assert not watcher.messages("notice"), "nothing is left out if nothing is to be watched"
        descriptors = Path("/proc", str(watcher.process.pid), "fd")
        if descriptors.exists():
            links = [os.path.realpath(path) for path in descriptors.iterdir()]
            assert not [link for link in links if "inotify" in link]
        scene.hook.write_text(HOOK.format("second"))
        new = write(scene.root / ".codex/hooks/new.py", HOOK.format("new"))
        scene.assert_hit()
        scene.assert_hit(new)


def test_every_interpreter_gets_its_entry_at_once(scene: Scene) -> None:
    from tests.support.interpreters_found import found  # noqa: PLC0415 - it starts them all

    others = [
        each for each in found() if each.is_cpython and each.executable != Path(scene.user.python)
    ]
    if not others:
        pytest.skip("there is only one CPython here")
    with scene.watching("--python", others[0].executable) as watcher:
        watcher.wait_started()
        scene.hook.write_text(HOOK.format("second"))
        message = watcher.wait_for("changed")
        versions = {result["version"] for result in message["results"]}
        assert len(versions) == 2
        scene.hook.write_text("match = 1\nmatch match:\n    case 1:\n        print(1)\n")
        if others[0].version < (3, 10):
            broken = watcher.wait_for("broken")
            assert [result["interpreter"] for result in broken["results"]] == [
                str(others[0].executable)
            ]
        scene.assert_hit()


def test_ctrl_c_reaches_the_watcher_and_its_workers_without_a_traceback(scene: Scene) -> None:
    """A terminal sends SIGINT to the whole foreground group."""
    from tests.support.interpreters_found import found  # noqa: PLC0415 - it starts them all

    others = [each for each in found() if each.executable != Path(scene.user.python)]
    if not others:
        pytest.skip("there is only one Python here")
    other = ("--python", others[0].executable)
    with running.watching(scene.user, scene.root, *other, new_session=True) as watcher:
        watcher.wait_started()
        os.killpg(watcher.process.pid, signal.SIGINT)
        assert watcher.process.wait(PATIENCE_S) == 130
        assert watcher.err.read_text() == ""


def test_a_worker_process_that_is_killed_is_started_again(scene: Scene) -> None:
    from tests.support.interpreters_found import found  # noqa: PLC0415 - it starts them all

    others = [each for each in found() if each.executable != Path(scene.user.python)]
    if not others or sys.platform != "linux":
        pytest.skip("there is only one Python here, or no /proc to find its processes in")
    with scene.watching("--python", others[0].executable) as watcher:
        watcher.wait_started()
        for child in watcher.proc("task/*/children").split():
            os.kill(int(child), signal.SIGKILL)
        scene.hook.write_text(HOOK.format("second"))
        message = watcher.wait_for("changed", lambda message: len(message["results"]) == 2)
        assert message["path"] == str(scene.hook)
        assert not watcher.messages("broken")
        scene.assert_hit()


def test_who_reads_our_output_may_leave(scene: Scene) -> None:
    pipe = subprocess.PIPE
    with running.watching(scene.user, scene.root, json_too=False, stdout=pipe) as watcher:
        assert watcher.process.stdout is not None
        watcher.process.stdout.readline()
        watcher.process.stdout.close()
        scene.hook.write_text(HOOK.format("second"))
        assert watcher.process.wait(PATIENCE_S) == 128 + signal.SIGPIPE
        assert watcher.err.read_text() == ""


def test_a_path_that_does_not_exist_is_refused_with_a_remedy(call: Call) -> None:
    done = call("missing")
    assert done.returncode == 1
    assert done.stderr == "hooks-watch: missing: does not exist\n  to fix it: ls -ld missing\n"


def test_a_current_directory_that_does_not_exist_any_more(
    scene: Scene, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    away.rmdir()
    for words in ([], ["--once"], ["--status"], [scene.root, "--once"]):
        done = call(*words)
        assert done.returncode == 1
        assert done.stderr == ("hooks-watch: the current directory is gone\n  to fix it: cd /\n")


@pytest.mark.parametrize("name", ["", "watch"])
def test_a_file_where_a_directory_of_ours_is_expected(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    runtime = tmp_path / "other"
    path = write(runtime / name, "a file") if name else write(runtime, "a file")
    runtime.chmod(0o700)
    monkeypatch.setenv("HOOKS_COMPILE_HOME", str(runtime))
    done = call()
    assert done.returncode == 1
    assert done.stderr.startswith(f"hooks-watch: {path}: ")
    assert "\n  to fix it: " in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_files_where_directories_of_the_project_are_expected(scene: Scene, call: Call) -> None:
    write(scene.root / ".codex", "a file")
    write(scene.root / ".githooks", "a file")
    cache = write(scene.hook.parent / "__pycache_opt__", "a file")
    done = call("--once")
    assert done.returncode == 1
    assert ".claude/hooks/guard.py is not compiled: its entry can't be written: " in done.stderr
    assert f"to fix it: rm {shlex.quote(str(cache))}\n" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="mounts are made as Linux makes them")
def test_a_cache_that_can_not_be_written_is_one_line_with_path_and_remedy(
    scene: Scene, call: Call
) -> None:
    """As on a read-only mount, or if root made it."""
    assert call("--once").returncode == 0
    scene.hook.write_text(HOOK.format("second"))
    cache = scene.hook.parent / "__pycache_opt__"
    script = (
        f"""mount --bind '{cache}' '{cache}' && mount -o remount,bind,ro '{cache}' && exec "$@" """
    )
    words = ["unshare", "--mount", "--user", "--map-root-user", "sh", "-c", script, "sh"]
    if subprocess.run([*words, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no mount can be made here")
    done = subprocess.run(
        [*words, *running.command(scene.user, "--once", "--json")],
        cwd=scene.root,
        env=running.environment(scene.user),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    troubles = [json.loads(line) for line in done.stdout.splitlines()]
    troubles = [message for message in troubles if message["event"] == "trouble"]
    assert [message["path"] for message in troubles] == [str(scene.hook)]
    for message in troubles:
        assert "Read-only file system" in message["text"]
        mount = f"make its file system writable (findmnt -T {shlex.quote(str(cache))})"
        assert f"to fix it: {mount}" in message["text"]
        assert ".tmp" not in message["text"]


@pytest.mark.parametrize(
    "words", [["--poll", "soon"], ["--poll=0"], ["--scan", "nan"], ["--optimize", "3"], ["--what"]]
)
def test_wrong_calls_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: hooks-watch" in capsys.readouterr().err


def test_help_and_the_documentation_name_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    text = (CHECKOUT / "docs/watching.md").read_text()
    options = [o for action in build_parser()._actions for o in action.option_strings if o != "-h"]
    assert options
    for option in options:
        assert option in shown
        assert option in text, f"docs/watching.md does not name {option}"


def test_the_runtime_directory_may_go_away_and_come_back(scene: Scene) -> None:
    with scene.watching("--scan", "1") as watcher:
        watcher.wait_started()
        gone = scene.user.runtime.rename(scene.user.runtime.with_name("gone"))
        shutil.rmtree(gone, ignore_errors=True)  # the watcher may be writing in it
        wait_until((scene.user.runtime / "key").exists, lambda: "there is a key again")
        scene.hook.write_text(HOOK.format("second"))
        wait_until(lambda: scene.user.launch(scene.hook).state == "hit", lambda: "the launch hits")
        states = scene.user.runtime / "watch"
        wait_until(lambda: list(states.glob("*.json")), lambda: "it says that it lives")


def test_a_full_disk_under_the_log_does_not_end_it(scene: Scene) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    with (
        full.open("wb", buffering=0) as stream,
        running.watching(scene.user, scene.root, stdout=stream) as watcher,
    ):
        scene.assert_hit()
        scene.hook.write_text(HOOK.format("second"))
        scene.assert_hit()
        assert watcher.process.poll() is None


def test_service_prints_units_that_run_this_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/tools/bin/hooks-watch"])
    path = str(tmp_path)
    options = [*("--python", "python3.12", "--optimize", "1"), *("--poll", "3.0"), "--quiet"]
    options[-1:-1] = ["--scan", "30.0"]
    assert main([path, *options, "--service=systemd"]) == 0
    words = " ".join(f'"{word}"' for word in ["/opt/tools/bin/hooks-watch", path, *options])
    assert f"ExecStart={words}\n" in capsys.readouterr().out
    assert main([path, "--service=launchd"]) == 0
    agent = plistlib.loads(capsys.readouterr().out.encode())
    assert agent["ProgramArguments"] == ["/opt/tools/bin/hooks-watch", path, "--scan", "60.0"]
    monkeypatch.setattr(sys, "argv", ["/opt/tools/lib/watcher/__main__.py"])
    assert main([path, "--service"]) == 0
    text = capsys.readouterr().out
    if sys.platform == "linux":
        assert f'ExecStart="{sys.executable}" "-m" "watcher" "{path}" ' in text
