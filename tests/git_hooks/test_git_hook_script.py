"""The git hook itself, in the shells that may be ``sh``: when it syncs, when it does nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.git_hooks.hook_files import (
    config_command,
    has_block,
    text,
    with_block,
    without_block,
)
from hooks_compile.git_hooks.stamp import NAME, Stamp
from tests.support.launches import require_root
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = {
    "dash": ["dash"],
    "bash": ["bash", "--posix"],
    "busybox": ["busybox", "sh"],
    "zsh": ["zsh", "--emulate", "sh"],
}


@pytest.fixture(params=list(SHELLS.values()), ids=list(SHELLS))
def shell(request: pytest.FixtureRequest) -> list[str]:
    name, *flags = request.param
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return [found, *flags]


class Place:
    """A work tree without git, a tool that counts its calls, and our hook as a file."""

    def __init__(self, directory: Path, shell: Sequence[str] = ("sh",)) -> None:
        self.shell = list(shell)
        self.calls = directory / "calls"
        self.tool = write(directory / "a tool's directory" / "hooks-compile", "", executable=True)
        self.tree = directory / "work tree"
        self.hooks = directory / "hooks"
        self.env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
        self.stamp = Stamp(self.tree / ".git")
        (self.tree / ".git").mkdir(parents=True)
        self.answer('echo "$@" >> "$CALLS"')
        self.put("post-checkout")

    def answer(self, script: str) -> None:
        """Let the tool be a shell script."""
        write(self.tool, f"#!/bin/sh\nCALLS='{self.calls}'\n{script}\n", executable=True)

    def put(self, event: str) -> Path:
        """Write the hook of an event."""
        return write(self.hooks / event, text(self.tool), executable=True)

    def run(self, *arguments: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
        """Run post-checkout, as git would; return status, stdout and stderr."""
        return self.run_file("post-checkout", *arguments, stdin=stdin, **env)

    def run_file(
        self, name: str, *arguments: str, stdin: str = "", **env: str
    ) -> tuple[int, str, str]:
        """Run a file of the hooks directory."""
        done = subprocess.run(
            [*self.shell, self.hooks / name, *arguments],
            cwd=self.tree,
            env={**self.env, **env},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    @property
    def synced(self) -> int:
        """How often the tool was called since the last look."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        assert set(lines) <= {"sync --git-hook"}
        return len(lines)

    def settle(self, *places: str) -> None:
        """Put a stamp, as a sync that begins now does."""
        self.stamp.begin()
        self.stamp.succeed(places)

    def date_stamp(self, when: float) -> None:
        """Let the last sync have begun then."""
        os.utime(self.stamp.directory / "stamp", (when, when))


@pytest.fixture
def place(tmp_path: Path, shell: list[str]) -> Place:
    return Place(tmp_path, shell)


SILENT = (0, "", "")


def test_without_a_stamp_it_syncs(place: Place) -> None:
    assert place.run() == SILENT
    assert place.synced == 1


def test_with_a_stamp_it_does_nothing_until_a_place_changes(place: Place) -> None:
    directory = place.tree / "hooks of mine"
    write(directory / "a.py")
    time.sleep(0.02)
    place.settle("nothing here", "hooks of mine")
    if "busybox" not in place.shell[0]:  # it sees whole seconds, and makes sure for one of them
        assert place.run() == SILENT
        assert place.synced == 0
    write(directory / "draft").replace(directory / "a.py")
    assert place.run() == SILENT
    assert place.synced == 1


def test_a_shell_that_sees_whole_seconds_never_misses_a_change(place: Place) -> None:
    directory = place.tree / "hooks"
    write(directory / "a.py")
    for _ in range(5):
        place.settle("hooks")
        time.sleep(0.02)
        write(directory / "draft").replace(directory / "a.py")
        place.run()
        assert place.synced == 1


def test_after_two_seconds_every_shell_is_quiet(place: Place) -> None:
    directory = place.tree / "hooks"
    write(directory / "a.py")
    old = time.time() - 2
    os.utime(directory, (old, old))
    place.settle("hooks")
    place.run()
    assert place.synced == 0


def test_a_place_that_appears_is_a_change(place: Place) -> None:
    place.settle(".claude/hooks", "pyproject.toml")
    time.sleep(0.02)
    write(place.tree / ".claude/hooks/new.py")
    place.run()
    assert place.synced == 1


def test_names_of_every_kind_are_places(place: Place) -> None:
    names = ["-n", "!", "(", "a b", "*", "'", '"', "$HOME", "`x`", "\\", "ünï", "=", "-nt"]
    time.sleep(0.02)
    for name in names:
        place.settle(*[each for each in names if each != name], name)
        time.sleep(0.02)
        write(place.tree / name)
        assert place.run() == SILENT
        assert place.synced == 1, name
        (place.tree / name).unlink()


@pytest.mark.parametrize(
    "variable",
    [
        "HOOKS_COMPILE_GIT_HOOK",
        "_PRE_COMMIT_SKIP_POST_CHECKOUT",
        "PREK_INTERNAL__SKIP_POST_CHECKOUT",
    ],
)
def test_inside_of_a_sync_or_of_a_stash_of_pre_commit_it_does_nothing(
    variable: str, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    place.run(**{variable: "1"})
    assert place.synced == 0


@pytest.mark.parametrize(
    ("index", "calls"),
    [
        (".git/index", 1),
        ("index", 1),
        ("", 1),
        ("/elsewhere/.git/worktrees/x/index", 1),
        (".git/index.stash.123", 0),
        ("/elsewhere/.git/next-index-12.lock", 0),
    ],
)
def test_an_index_on_the_side_says_nothing_about_the_files(
    index: str, calls: int, tmp_path: Path
) -> None:
    place = Place(tmp_path)
    place.run(GIT_INDEX_FILE=index)
    assert place.synced == calls


def test_in_a_directory_without_git_it_does_nothing(place: Place) -> None:
    (place.tree / ".git").rmdir()
    assert place.run() == SILENT
    assert place.synced == 0


def test_in_the_tree_of_another_user_it_leaves_nothing(place: Place) -> None:
    require_root()
    os.chown(place.tree, 12345, 12345)
    assert place.run() == SILENT
    assert place.synced == 0


def test_a_linked_worktree_and_a_submodule_have_their_own_stamp(place: Place) -> None:
    real = place.tree.parent / "main repository" / "worktrees" / "one"
    real.mkdir(parents=True)
    (place.tree / ".git").rmdir()
    for link in (f"{real}\n", f"{real}", "../main repository/worktrees/one\n"):
        (place.tree / ".git").write_text(f"gitdir: {link}")
        place.run()
        assert place.synced == 1
    stamp = Stamp(real)
    stamp.begin()
    stamp.succeed([])
    place.run()
    assert place.synced == 0


def test_a_link_to_a_git_directory_that_is_gone_is_no_work_tree(place: Place) -> None:
    (place.tree / ".git").rmdir()
    for text_ in ("gitdir: /nowhere/at/all\n", "", "\n", "rubbish"):
        (place.tree / ".git").write_text(text_)
        assert place.run() == SILENT
    assert place.synced == 0


def test_what_the_tool_says_of_a_hook_goes_to_stderr(place: Place) -> None:
    place.answer("echo 'hooks-compile: a.py:1: SyntaxError'; echo noise >&2")
    assert place.run() == (0, "", "hooks-compile: a.py:1: SyntaxError\n")


@pytest.mark.parametrize(
    "script",
    [
        "echo Traceback >&2; exit 3",
        "kill -9 $$",
        "kill -XCPU $$",
        "exec /nowhere/python",
        "echo 'usage: hooks-compile' >&2; exit 2",
    ],
)
def test_a_broken_tool_is_silent_and_costs_once(script: str, place: Place) -> None:
    write(place.tree / "hooks/a.py")
    changed = time.time() - 50
    os.utime(place.tree / "hooks", (changed, changed))
    place.settle("hooks")
    place.date_stamp(changed - 50)
    place.answer(f'echo sync --git-hook >> "$CALLS"\n{script}')
    assert place.run() == SILENT
    assert place.synced == 1
    assert place.run() == SILENT
    assert place.synced == 0
    place.date_stamp(changed - 1)
    assert place.run() == SILENT
    assert place.synced == 1


def test_a_tool_that_hangs_behind_its_end_does_not_hold_git_up(place: Place) -> None:
    place.answer("sleep 60 >/dev/null & exit 0")
    start = time.monotonic()
    assert place.run() == SILENT
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("entry", ["/nowhere", ".", "", "bin", "{tree}/bin"])
def test_without_the_tool_it_does_nothing_whatever_is_on_path(entry: str, place: Place) -> None:
    place.tool.unlink()
    for directory in (place.tree, place.tree / "bin"):
        evil = f"#!/bin/sh\necho sync --git-hook >> '{place.calls}'\n"
        write(directory / "hooks-compile", evil, executable=True)
    path = entry.format(tree=place.tree)
    assert place.run(PATH=f"{path}:{place.env['PATH']}") == SILENT
    assert place.synced == 0


def append(place: Place, lines: str, event: str = "post-checkout") -> None:
    with (place.hooks / event).open("a") as hook:
        hook.write(lines)


def test_lines_that_others_append_see_no_variable_and_no_function_of_ours(place: Place) -> None:
    append(place, "set | grep '^hooks_compile'\nenv | grep -i hooks_compile\nexit 0\n")
    assert place.run() == SILENT
    assert place.synced == 1


def test_lines_that_others_append_have_arguments_stdin_and_their_own_status(place: Place) -> None:
    append(place, "\n# theirs\nprintf '<%s>' \"$@\"\ncat\necho problem >&2\nexit 7\n")
    for synced in (1, 0):
        status, out, err = place.run("a b", "", "*", stdin="one\ntwo\n")
        assert (status, out, err) == (7, "<a b><><*>one\ntwo\n", "problem\n")
        assert place.synced == synced
        place.settle()


def test_lines_that_others_append_run_whenever_ours_do_nothing(place: Place) -> None:
    append(place, 'echo "it ran in ${0##*/}"\n')
    ran = (0, "it ran in post-checkout\n", "")
    assert place.run(HOOKS_COMPILE_GIT_HOOK="1") == ran
    assert place.run(GIT_INDEX_FILE="/a/next-index-1.lock") == ran
    place.answer("echo Traceback >&2; exit 3")
    assert place.run() == ran
    place.tool.unlink()
    assert place.run(PATH="/nowhere") == ran
    (place.tree / ".git").rmdir()
    assert place.run() == ran


def test_a_shell_that_stops_at_errors_is_not_stopped_by_us(place: Place) -> None:
    ours = (place.hooks / "post-checkout").read_text()
    theirs = ours.replace("#!/bin/sh\n", "#!/bin/sh\nset -eu\n", 1)
    write(place.hooks / "post-checkout", theirs + "echo end\n", executable=True)
    assert place.run() == (0, "end\n", "")
    place.answer("exit 3")
    assert place.run() == (0, "end\n", "")


def test_the_environment_of_the_tool_keeps_it_from_recursion(place: Place) -> None:
    place.answer('echo "hooks-compile: $HOOKS_COMPILE_GIT_HOOK/$PYTHONDONTWRITEBYTECODE."')
    assert place.run(PYTHONDONTWRITEBYTECODE="1")[2] == "hooks-compile: 1/.\n"


def test_as_a_configured_hook_it_runs_and_goes_without_its_script(tmp_path: Path) -> None:
    place = Place(tmp_path)
    script = write(tmp_path / "it's here" / "git_hook.sh", text(place.tool))
    for expected in (1, 0):
        done = subprocess.run(
            ["sh", "-c", f'{config_command(script)} "$@"', "name", "1", "0"],
            cwd=place.tree,
            env=place.env,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert place.synced == expected
        script.unlink(missing_ok=True)


def test_our_block_is_known_again_whatever_the_tool_is_called() -> None:
    for tool in ("/usr/bin/hooks-compile", "/it's a/tool", "/\udcff/x", "/$(rm)/`x`"):
        shebang, _, block = text(Path(tool)).partition(b"\n")
        assert b"@" not in block
        for before, after in ((b"", b""), (b"set -x\n", b"echo theirs"), (b"", b"\n# x\n")):
            mixed = shebang + b"\n" + before + block + after
            assert has_block(mixed)
            others = shebang + b"\n" + before + after
            assert without_block(mixed) == (others if before or after else b"")
            new = text(Path("/other")).partition(b"\n")[2]
            assert with_block(mixed, Path("/other")) == shebang + b"\n" + before + new + after


def test_what_is_not_our_whole_block_is_not_ours() -> None:
    ours = text(Path("/tool"))
    for content in (b"", b"#!/bin/sh\nhooks-compile sync\n", ours[:-20], ours[40:]):
        assert not has_block(content)
        assert with_block(content, Path("/tool")) == content


def test_a_link_to_the_tool_s_directory_that_a_branch_may_replace_is_not_followed(
    tmp_path: Path,
) -> None:
    (tmp_path / "tree/.git").mkdir(parents=True)
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "tree/.venv").symlink_to("../venv")
    content = text(tmp_path / "tree/.venv/bin/hooks-compile").decode()
    assert f"hooks_compile_tool={tmp_path}/venv/bin/hooks-compile\n" in content


def test_shellcheck_finds_nothing_but_what_we_know(tmp_path: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not on this machine")
    script = write(tmp_path / "hook", text(Path("/usr/bin/hooks-compile")))
    known = ["--exclude=SC3013,SC2094"]  # every sh has -ot, and it writes nothing
    done = subprocess.run(["shellcheck", *known, script], capture_output=True, check=False)
    assert done.stdout.decode() == ""


def test_no_process_is_started_when_nothing_changed(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not on this machine")
    place = Place(tmp_path)
    place.settle(*[f"place {number}" for number in range(50)])
    trace = tmp_path / "trace"
    place.shell = ["strace", "-f", "-o", str(trace), "-e", "trace=process", "sh"]
    status, _, err = place.run("0", "0")
    if status and "ptrace" in err.lower():
        pytest.skip("strace may not trace here")
    calls = [line.split(maxsplit=1)[1] for line in trace.read_text().splitlines()]
    assert [call for call in calls if call.startswith(("clone", "fork", "vfork"))] == []
    assert sum(call.startswith("execve") for call in calls) == 1
    assert NAME in str(place.stamp.directory)
