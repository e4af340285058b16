"""The git hook itself, in the shells that may be ``sh``: when it syncs, when it does nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.git_hooks.hook_script import EVENTS, KEPT, Kind, config_command, judge, text
from hooks_compile.git_hooks.stamp import FOLDER, Stamp
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

    def __init__(self, folder: Path, shell: Sequence[str] = ("sh",)) -> None:
        self.shell = list(shell)
        self.calls = folder / "calls"
        self.tool = write(folder / "a tool's folder" / "hooks-compile", "", executable=True)
        self.tree = folder / "work tree"
        self.hooks = folder / "hooks"
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
        return write(self.hooks / event, text(self.tool, event), executable=True)

    def run(self, *arguments: str, stdin: str = "", **env: str) -> tuple[int, str, str]:
        """Run post-checkout, as git would; return status, stdout and stderr."""
        return self.run_file("post-checkout", *arguments, stdin=stdin, **env)

    def run_file(
        self, name: str, *arguments: str, stdin: str = "", **env: str
    ) -> tuple[int, str, str]:
        """Run a file of the hooks folder."""
        done = subprocess.run(
            [*self.shell, self.hooks / name, *arguments],
            cwd=self.tree,
            env={**self.env, **env},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
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
        for name, before in (("stamp", 0.0), ("second", 1.0), ("coarse", 2.0)):
            os.utime(self.stamp.folder / name, (when - before, when - before))


@pytest.fixture
def place(tmp_path: Path, shell: list[str]) -> Place:
    return Place(tmp_path, shell)


SILENT = (0, "", "")


def test_without_a_stamp_it_syncs(place: Place) -> None:
    assert place.run() == SILENT
    assert place.synced == 1


def test_with_a_stamp_it_does_nothing_until_a_place_changes(place: Place) -> None:
    folder = place.tree / "hooks of mine"
    write(folder / "a.py")
    time.sleep(0.02)
    place.settle("nothing here", "hooks of mine")
    if "busybox" not in place.shell[0]:  # it sees whole seconds, and makes sure for two of them
        assert place.run() == SILENT
        assert place.synced == 0
    write(folder / "draft").replace(folder / "a.py")
    assert place.run() == SILENT
    assert place.synced == 1


def test_a_shell_that_sees_whole_seconds_never_misses_a_change(place: Place) -> None:
    folder = place.tree / "hooks"
    write(folder / "a.py")
    for _ in range(5):
        place.settle("hooks")
        time.sleep(0.02)
        write(folder / "draft").replace(folder / "a.py")
        place.run()
        assert place.synced == 1


def test_after_two_seconds_every_shell_is_quiet(place: Place) -> None:
    folder = place.tree / "hooks"
    write(folder / "a.py")
    old = time.time() - 2
    os.utime(folder, (old, old))
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


def test_in_a_folder_without_git_it_does_nothing(place: Place) -> None:
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


def test_a_link_to_a_git_folder_that_is_gone_is_no_work_tree(place: Place) -> None:
    (place.tree / ".git").rmdir()
    for text_ in ("gitdir: /nowhere/at/all\n", "", "\n", "rubbish"):
        (place.tree / ".git").write_text(text_)
        assert place.run() == SILENT
    assert place.synced == 0


def test_what_the_tool_says_of_a_hook_goes_to_stderr(place: Place) -> None:
    place.answer("echo 'hooks-compile: a.py:1: SyntaxError' >&2; echo noise")
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
    place.settle("hooks")
    place.date_stamp(time.time() - 100)
    place.answer(f'echo sync --git-hook >> "$CALLS"\n{script}')
    assert place.run() == SILENT
    assert place.synced == 1
    assert place.run() == SILENT
    assert place.synced == 0
    place.date_stamp(time.time() - 50)
    assert place.run() == SILENT
    assert place.synced == 1


def test_without_the_tool_it_is_silent(place: Place) -> None:
    place.tool.unlink()
    assert place.run(PATH="/nowhere") == SILENT


def test_a_tool_that_has_moved_is_found_on_path(place: Place, tmp_path: Path) -> None:
    moved = place.tool.rename(write(tmp_path / "new place" / "x").with_name("hooks-compile"))
    place.run(PATH=f"{moved.parent}:{place.env['PATH']}")
    assert place.synced == 1


@pytest.mark.parametrize("entry", [".", "", "bin", "{tree}/bin", "{tree}"])
def test_a_tool_that_the_repository_brings_is_never_run(entry: str, place: Place) -> None:
    place.tool.unlink()
    for folder in (place.tree, place.tree / "bin"):
        evil = "#!/bin/sh\necho sync --git-hook >> " + f"'{place.calls}'\n"
        write(folder / "hooks-compile", evil, executable=True)
    path = entry.format(tree=place.tree)
    assert place.run(PATH=f"{path}:{place.env['PATH']}") == SILENT
    assert place.synced == 0


def test_it_leaves_no_variable_and_no_function_to_a_hook_that_it_goes_on_to(place: Place) -> None:
    write(
        place.hooks / f"post-checkout{KEPT}",
        "#!/bin/sh\nset | grep '^hooks_compile_' | grep -v '^hooks_compile_kept='\n"
        "env | grep -i hooks_compile\nexit 0\n",
        executable=True,
    )
    assert place.run() == SILENT


def test_the_environment_of_the_tool_keeps_it_from_recursion(place: Place) -> None:
    place.answer('echo "hooks-compile: $HOOKS_COMPILE_GIT_HOOK/$PYTHONDONTWRITEBYTECODE." >&2')
    assert place.run(PYTHONDONTWRITEBYTECODE="1")[2] == "hooks-compile: 1/.\n"


CHAINED = {
    "sh": "#!/bin/sh\n",
    "env sh": "#!/usr/bin/env sh\n",
    "sh -e": "#!/bin/sh -e\n",
    "bash": "#!/usr/bin/env bash\n",
    "no shebang": "",
}


@pytest.mark.parametrize("start", CHAINED.values(), ids=CHAINED)
def test_a_hook_behind_ours_has_its_arguments_stdin_and_status(start: str, place: Place) -> None:
    script = f"{start}printf '<%s>' \"$@\"\ncat\necho problem >&2\nexit 7\n"
    write(place.hooks / f"post-checkout{KEPT}", script, executable=True)
    status, out, err = place.run("a b", "", "*", stdin="one\ntwo\n")
    assert (status, out, err) == (7, "<a b><><*>one\ntwo\n", "problem\n")
    assert place.synced == 1


def test_a_python_hook_behind_ours_finds_what_is_beside_it(place: Place) -> None:
    write(place.hooks / "beside.py", "NAME = 'found'\n")
    script = "import beside, sys\nprint(beside.NAME, sys.argv[1:])\nsys.exit(4)\n"
    script = f"#!/usr/bin/env python3\n{script}"
    write(place.hooks / f"post-checkout{KEPT}", script, executable=True)
    assert place.run("x") == (4, "found ['x']\n", "")


def test_a_shell_hook_behind_ours_finds_its_own_name(place: Place) -> None:
    script = '#!/usr/bin/env sh\necho "${0##*/}" "${0%/*}"\n'
    write(place.hooks / f"post-checkout{KEPT}", script, executable=True)
    assert place.run() == (0, f"post-checkout {place.hooks}\n", "")


def test_a_hook_that_was_switched_off_stays_off(place: Place) -> None:
    write(place.hooks / f"post-checkout{KEPT}", "#!/bin/sh\necho I run\nexit 1\n")
    assert place.run() == SILENT


def test_moved_aside_by_pre_commit_it_goes_on_to_the_same_hook(place: Place) -> None:
    write(place.hooks / f"post-checkout{KEPT}", "#!/bin/sh\necho kept\n", executable=True)
    (place.hooks / "post-checkout").rename(place.hooks / "post-checkout.legacy")
    assert place.run_file("post-checkout.legacy") == (0, "kept\n", "")
    assert place.synced == 1


def test_as_a_configured_hook_it_sees_its_arguments_and_chains_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    script = write(tmp_path / "it's here" / "git_hook.sh", text(place.tool, None))
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


def test_our_hook_is_known_again_whatever_the_tool_is_called() -> None:
    for event in (*EVENTS, None):
        for tool in ("/usr/bin/hooks-compile", "/it's a/tool", "/\udcff/x", "/$(rm)/`x`"):
            content = text(Path(tool), event)
            assert judge(content) is Kind.OURS
            assert judge(content + b"# mine\n") is Kind.EDITED
            assert b"@" not in content.replace(b'"$@"', b"")


def test_hooks_of_others_are_not_ours() -> None:
    assert judge(b"") is Kind.FOREIGN
    assert judge(b"#!/bin/sh\nhooks-compile sync\n") is Kind.FOREIGN
    marked = b"#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n"
    assert judge(marked) is Kind.MANAGER


def test_shellcheck_finds_nothing_but_what_we_know(tmp_path: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not on this machine")
    known = ["--exclude=SC3013,SC1090"]  # -nt is in every sh; the other script is the user's
    for event in (EVENTS[0], None):
        script = write(tmp_path / "hook", text(Path("/usr/bin/hooks-compile"), event))
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
    assert FOLDER in str(place.stamp.folder)
