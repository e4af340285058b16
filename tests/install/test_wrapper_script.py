"""``hook_wrapper.sh`` under every shell: the words, environment and process of plain Python."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import HooksCompileError
from hooks_compile.install import wrapper
from hooks_compile.install.wrapper import Standing
from tests.conftest import CHECKOUT
from tests.support.interpreters_found import each_interpreter
from tests.support.launches import WRAPPER, User, as_ordinary_user
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from tests.support.interpreters_found import Found
    from tests.support.repositories import GitRepo

SHELLS = {
    "sh": ("sh",),
    "dash": ("dash",),
    "bash": ("bash",),
    "bash --posix": ("bash", "--posix"),
    "zsh": ("zsh", "-f"),
    "zsh as sh": ("zsh", "--emulate", "sh", "-f"),
    "busybox ash": ("busybox", "ash"),
}
MORE_SHELLS = ("ksh", "mksh", "oksh", "yash")
# By default one of each kind: sh is dash on Debian, and the modes are close to their shells.
BY_DEFAULT = ("sh", "bash", "zsh", "busybox ash")

# In the place of python3: shows what it was given, with a NUL behind each word.
SHOW_WORDS = "#!/bin/sh\nfor word do printf '%s\\0' \"$word\"; done\n"


def _shells() -> list[object]:
    params: list[object] = []
    for name in scaled(BY_DEFAULT, tuple(SHELLS), tuple(SHELLS)):
        words = SHELLS[name]
        missing = pytest.mark.skip(reason=f"{words[0]} is not on this machine")
        marks = [] if shutil.which(words[0]) else [missing]
        params.append(pytest.param(words, id=name, marks=marks))
    more = [name for name in scaled((), MORE_SHELLS, MORE_SHELLS) if shutil.which(name)]
    return params + [pytest.param((name,), id=name) for name in more]


VERSION_2 = CHECKOUT / "tests" / "support" / "hook_wrapper_2.sh"

each_shell = pytest.mark.parametrize("shell", _shells())


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User.create(tmp_path / "home")


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    path = tmp_path / "hooks" / "hook.py"
    path.parent.mkdir()
    path.write_text("import sys\nprint(sys.argv[1:])\n")
    return path


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """A directory with a ``python3`` that shows the words it was given."""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(SHOW_WORDS)
    python.chmod(0o755)
    return python.parent


def words_given(user: User, directory: Path, *command: str) -> list[str]:
    """What ``python3`` was given by a command."""
    path = f"{directory}:{os.environ['PATH']}"
    launched = user.with_env(PATH=path).run(command)
    assert (launched.status, launched.stderr) == (0, b"")
    return os.fsdecode(launched.stdout).split("\0")[:-1]


ARGUMENTS = [
    "two words",
    "line\nbreak",
    "*",
    "?",
    "[a]",
    "",
    "-x",
    "--",
    "$HOME",
    "`id`",
    "'\"",
    "\\",
]

# What the wrapper is given, and where the launcher stands in what Python gets.
THROUGH = [
    ["hook.py"],
    ["hook.py", *ARGUMENTS],
    ["./hook.py", "-u", "-c", "code"],
    ["two words.py", ""],
    ["line\nbreak.py", "\n"],
    ["*"],
    ["a:-b.py"],
    ["é\udcff.py", "\udcfe"],
    ["hook.py", "--python=other"],
    *(
        [*flags, script, "-W", "-c", *ARGUMENTS]
        for script in ("hook.py", "two words.py", "*")
        for flags in (
            ["-u"],
            ["-u", "-B"],
            ["-uB"],
            ["-sE"],
            ["-I"],
            ["-S", "-s", "-E", "-P"],
            ["-bb"],
            ["-W", "ignore"],
            ["-W", "-c"],
            ["-W", ""],
            ["-W", "hook.py"],
            ["-Wignore"],
            ["-W", "error", "-W", "default::X", "-u"],
            ["-X", "dev"],
            ["-Xdev"],
            ["-X", "-X"],
            ["-X", "utf8", "-W", "once", "-uBsE"],
            ["-O"],
            ["-OO", "-v", "-d", "-q"],
        )
    ),
]

# What may run something else than a script: plain Python gets it as it is.
LEFT_TO_PYTHON = [
    [],
    [""],
    ["", "hook.py"],
    ["-"],
    ["-", "hook.py"],
    ["-u", "-"],
    ["-c", "code"],
    ["-c", "code", "hook.py"],
    ["-m", "module", "hook.py"],
    ["-mmodule", "hook.py"],
    ["-um", "module"],
    ["-x", "hook.py"],
    ["-i", "hook.py"],
    ["-V"],
    ["-h"],
    ["-?"],
    ["--version"],
    ["--help", "hook.py"],
    ["--check-hash-based-pycs", "always", "hook.py"],
    ["--", "hook.py"],
    ["-u", "--", "hook.py"],
    ["-u", ""],
    ["-u"],
    ["-W"],
    ["-X"],
    ["-X", "dev"],
    ["-W", "ignore", "-c", "code"],
    ["-uW", "ignore", "hook.py"],
    ["-u x", "hook.py"],
    ["-u\n", "hook.py"],
    ["-é", "hook.py"],
    ["-1", "hook.py"],
    ["-Z", "hook.py"],
]


def with_launcher(words: list[str], launcher: str) -> list[str]:
    """Put the launcher in front of the script, as a person reads the command line."""
    at = 0
    while words[at].startswith("-"):
        at += 2 if words[at] in ("-W", "-X") else 1
    return [*words[:at], launcher, *words[at:]]


@each_shell
def test_the_launcher_stands_in_front_of_the_script_and_nothing_else_changes(
    user: User, shown: Path, shell: tuple[str, ...]
) -> None:
    launcher = str(user.runtime / "launch.py")
    for words in THROUGH:
        given = words_given(user, shown, *shell, str(WRAPPER), *words)
        assert given == with_launcher(words, launcher), words


@each_shell
def test_what_may_not_run_a_script_is_given_to_python_as_it_is(
    user: User, shown: Path, shell: tuple[str, ...]
) -> None:
    for words in LEFT_TO_PYTHON:
        assert words_given(user, shown, *shell, str(WRAPPER), *words) == words


@each_shell
def test_without_a_launcher_python_is_given_the_words_as_they_are(
    user: User, shown: Path, shell: tuple[str, ...]
) -> None:
    (user.runtime / "launch.py").unlink()
    for words in [*THROUGH, *LEFT_TO_PYTHON]:
        assert words_given(user, shown, *shell, str(WRAPPER), *words) == words


@each_shell
def test_another_python_is_used_where_one_is_named_first(
    user: User, shown: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    other = tmp_path / "other python -x *"
    shutil.copy(shown / "python3", other)
    (shown / "python3").unlink()
    launcher = str(user.runtime / "launch.py")
    for words in (["hook.py", "a b"], ["-u", "hook.py"], ["-c", "code"], []):
        named = f"--python={other}"
        given = words_given(user, shown, *shell, str(WRAPPER), named, *words)
        assert given == (with_launcher(words, launcher) if "hook.py" in words else words)
    (shown / "python9").write_text(SHOW_WORDS)
    (shown / "python9").chmod(0o755)
    found_on_path = words_given(user, shown, *shell, str(WRAPPER), "--python=python9", "hook.py")
    assert found_on_path == [launcher, "hook.py"]


@each_shell
def test_the_hook_sees_the_environment_that_the_shell_gives_to_plain_python(
    user: User, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    python = tmp_path / "python3"
    python.symlink_to(shutil.which("env") or "/usr/bin/env")
    odd = user.with_env(PATH=f"{tmp_path}:{os.environ['PATH']}", EMPTY="", ODD="a\nb *")
    plain = odd.run([*shell, "-c", 'exec python3 "$@"', "sh"])
    wrapped = odd.run([*shell, str(WRAPPER)])
    assert plain.status == 0

    def variables(output: bytes) -> list[bytes]:
        mentions_trace = re.compile(rb"HOOKS_COMPILE_TRACE=.*")
        return sorted(mentions_trace.sub(b"", output).splitlines())

    assert variables(wrapped.stdout) == variables(plain.stdout)
    assert b"hooks_compile" not in wrapped.stdout


@each_shell
@pytest.mark.parametrize("options", ["-euf", "-a", "-C"])
def test_the_options_of_a_careful_caller_change_nothing(
    user: User, hook: Path, shell: tuple[str, ...], options: str
) -> None:
    words = [*shell, options, str(WRAPPER), f"--python={user.python}"]
    user = user.with_env(XDG_DATA_HOME="")
    launched = user.run([*words, "-W", "ignore", "-u", str(hook), "*", ""])
    assert launched.shown == (0, b"['*', '']\n", b"")
    assert launched.state == "miss"
    # and with next to nothing set (without HOME, some shells look it up)
    env = {"PATH": os.environ["PATH"], "HOME": ""}
    bare = subprocess.run([*words, str(hook)], env=env, capture_output=True, check=False)
    assert (bare.returncode, bare.stdout, bare.stderr) == (0, b"[]\n", b"")


@each_shell
def test_the_hook_is_the_very_process_that_was_started(
    user: User, hook: Path, shell: tuple[str, ...]
) -> None:
    hook.write_text("import os\nprint(os.getpid(), os.getppid())\n")
    for flags in ([], ["-u"]):
        words = [*shell, str(WRAPPER), f"--python={user.python}", *flags, str(hook)]
        process = subprocess.Popen(words, env=user.environment(), stdout=subprocess.PIPE)
        output, _ = process.communicate()
        assert output.split() == [b"%d" % process.pid, b"%d" % os.getpid()]


@each_shell
def test_a_launcher_that_is_not_to_be_trusted_is_passed_by(
    user: User, shown: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    launcher = user.runtime / "launch.py"
    command = (*shell, str(WRAPPER), "hook.py")
    assert words_given(user, shown, *command) == [str(launcher), "hook.py"]
    kept = launcher.rename(tmp_path / "kept.py")
    for target in (kept, tmp_path / "nowhere"):
        launcher.symlink_to(target)
        assert words_given(user, shown, *command) == ["hook.py"]
        launcher.unlink()
    kept.rename(launcher)
    if os.geteuid() == 0:
        os.chown(launcher, 12_345, 12_345)
        assert words_given(user, shown, *command) == ["hook.py"]
        os.chown(launcher, 0, 0)
    (user.runtime / "prepare.py").rename(kept)
    assert words_given(user, shown, *command) == ["hook.py"]


@each_shell
def test_a_launcher_that_can_not_be_read_is_passed_by(
    user: User, hook: Path, shell: tuple[str, ...]
) -> None:
    if os.geteuid() == 0 and shell[0] == "busybox":
        pytest.skip("busybox takes it for granted that user 0 may read everything")
    (user.runtime / "launch.py").chmod(0)
    words = [*shell, str(WRAPPER), f"--python={user.python}", str(hook)]
    launched = user.run(words, before=as_ordinary_user())
    assert (launched.shown, launched.state) == ((0, b"[]\n", b""), "")


@each_shell
def test_any_name_of_the_runtime_directory_is_found(
    user: User, shown: Path, tmp_path: Path, shell: tuple[str, ...]
) -> None:
    for name in ("with space", "a:-b", "line\nbreak", "*", "$HOME", "-u", "é", "\\"):
        (tmp_path / name).symlink_to(user.runtime)
        moved = user.with_env(HOOKS_COMPILE_HOME=str(tmp_path / name))
        given = words_given(moved, shown, *shell, str(WRAPPER), "-u", "hook.py")
        assert given == ["-u", f"{tmp_path / name}/launch.py", "hook.py"]


@each_shell
def test_a_relative_runtime_directory_is_passed_by(
    user: User, shown: Path, shell: tuple[str, ...]
) -> None:
    for place in ("relative", "./relative", ".", "~"):
        near = user.with_env(HOOKS_COMPILE_HOME=place)
        assert words_given(near, shown, *shell, str(WRAPPER), "hook.py") == ["hook.py"]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"HOOKS_COMPILE_HOME": "{0}/own"}, "{0}/own"),
        ({"HOOKS_COMPILE_HOME": "", "XDG_DATA_HOME": "{0}/data"}, "{0}/data/hooks-compile"),
        ({"HOOKS_COMPILE_HOME": "", "HOME": "{0}"}, "{0}/.local/share/hooks-compile"),
        (
            {"HOOKS_COMPILE_HOME": "", "XDG_DATA_HOME": "", "HOME": "{0}"},
            "{0}/.local/share/hooks-compile",
        ),
    ],
)
def test_the_directory_is_found_where_the_tool_makes_it(
    user: User, shown: Path, tmp_path: Path, env: dict[str, str], expected: str
) -> None:
    directory = Path(expected.format(tmp_path))
    directory.parent.mkdir(parents=True, exist_ok=True)
    user.runtime.rename(directory)
    there = user.with_env(**{name: value.format(tmp_path) for name, value in env.items()})
    given = words_given(there, shown, "sh", str(WRAPPER), "hook.py")
    assert given == [f"{directory}/launch.py", "hook.py"]


@pytest.mark.parametrize(
    ("system", "through"), [("Windows_NT", False), ("Linux", True), ("", True)]
)
def test_only_windows_runs_sources_whatever_else_calls_itself_os(
    user: User, shown: Path, system: str, *, through: bool
) -> None:
    given = words_given(user.with_env(OS=system), shown, "sh", str(WRAPPER), "hook.py")
    assert (given[0] != "hook.py") == through


# --- as a command


def test_it_runs_by_its_own_name_from_anywhere_and_through_links(
    user: User, hook: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "with space"
    directory.mkdir()
    assert wrapper.write(directory) is Standing.MISSING
    own = directory / wrapper.NAME
    link = tmp_path / "link"
    link.symlink_to(own)
    python = f"--python={user.python}"
    for command, cwd in ((own, tmp_path), (f"./{wrapper.NAME}", directory), (link, Path("/"))):
        launched = user.run([str(command), python, str(hook), "a b"], cwd=cwd)
        assert launched.shown == (0, b"['a b']\n", b"")
        assert launched.state in ("miss", "hit")


def test_flags_reach_the_hook_as_they_reach_a_source(user: User, hook: Path) -> None:
    hook.write_text("import sys\nprint(sys.flags, sys.warnoptions, sys._xoptions, sys.argv[1:])\n")
    for flags in (["-u", "-W", "error"], ["-X", "dev", "-Bs"], ["-E"], ["-I"], ["-Xutf8", "-bb"]):
        for _ in range(2):
            expected = user.run([user.python, *flags, str(hook), "-u"])
            words = ["sh", str(WRAPPER), f"--python={user.python}", *flags, str(hook), "-u"]
            launched = user.run(words)
            assert launched.shown == expected.shown
        assert launched.state == "hit"


# --- wrappers of older versions that are committed beside hooks


@each_interpreter
def test_a_committed_wrapper_of_version_2_launches_as_before(
    interpreter: Found, hook: Path, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    words = ["sh", str(VERSION_2), f"--python={user.python}"]
    for state in ("miss", "hit"):
        launched = user.run([*words, str(hook), "a", ""])
        assert (launched.stdout, launched.stderr, launched.state) == (b"['a', '']\n", b"", state)
    assert user.run([*words, "-s", "-X", "utf8", str(hook)]).state == "hit"
    hook.write_text("raise SystemExit(2)\n")
    assert user.run([*words, str(hook)]).shown == (2, b"", b"")


@each_shell
def test_a_wrapper_of_version_2_starts_what_it_always_started(
    user: User, hook: Path, shown: Path, shell: tuple[str, ...], tmp_path: Path
) -> None:
    launcher = str(user.runtime / "launch.py")
    wrapped = (*shell, str(VERSION_2))
    assert words_given(user, shown, *wrapped, "-u", "a.py", "b") == ["-u", launcher, "a.py", "b"]
    hook.write_text("#!/usr/bin/env python3\n")
    hook.chmod(0o755)
    assert words_given(user, shown, *wrapped, "--shebang", str(hook)) == [launcher, str(hook)]
    (user.runtime / "launch.py").unlink()
    assert words_given(user, shown, *wrapped, "a.py") == ["a.py"]


# --- line ends


@each_shell
def test_it_runs_with_the_line_ends_of_windows(
    user: User, hook: Path, shown: Path, shell: tuple[str, ...], tmp_path: Path
) -> None:
    script = tmp_path / "crlf" / wrapper.NAME
    script.parent.mkdir()
    script.write_bytes(wrapper.text().replace(b"\n", b"\r\n"))
    launcher = str(user.runtime / "launch.py")
    hook.write_text("#!/usr/bin/env python3\n")
    hook.chmod(0o755)
    for given, expected in (
        (("a.py", "b c", ""), [launcher, "a.py", "b c", ""]),
        (("-u", "-W", "error", "a.py"), ["-u", "-W", "error", launcher, "a.py"]),
        (("-c", "pass"), ["-c", "pass"]),
        (("--python=python3", "a.py"), [launcher, "a.py"]),
        (("--shebang", str(hook)), [launcher, str(hook)]),
    ):
        assert words_given(user, shown, *shell, str(script), *given) == expected


@pytest.mark.parametrize(
    ("attributes", "option"),
    [("", "core.autocrlf=true"), ("* text=auto eol=crlf\n", "core.autocrlf=false")],
)
def test_a_clone_with_the_line_ends_of_windows_launches(
    git_repo: GitRepo, user: User, tmp_path: Path, attributes: str, option: str
) -> None:
    wrapper.write(git_repo.path)
    (git_repo.path / "hook.py").write_text("print(1)\n")
    (git_repo.path / ".gitattributes").write_text(attributes)
    git_repo.commit()
    clone = tmp_path / "clone"
    git_repo.git("clone", "-q", "-c", option, str(git_repo.path), str(clone))
    script = clone / wrapper.NAME
    assert b"\r\n" in script.read_bytes()
    assert wrapper.standing(script) is Standing.CURRENT
    for state in ("miss", "hit"):
        words = ["sh", str(script), f"--python={user.python}", str(clone / "hook.py")]
        launched = user.run(words)
        assert (launched.shown, launched.state) == ((0, b"1\n", b""), state)


# --- the file


@pytest.mark.parametrize("name", [wrapper.NAME, "shims.sh"])
def test_it_has_no_subshell_and_no_background_process(name: str) -> None:
    text = WRAPPER.with_name(name).read_text()
    code = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in code:
        assert "`" not in line
        assert not re.search(r"\$\((?!\()", line), line
        assert not re.search(r"(?<!&)&$|(?<!\|)\|$", line), line


@pytest.mark.parametrize("dialect", ["sh", "dash", "bash", "ksh", "busybox"])
def test_shellcheck_finds_nothing(dialect: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not on this machine")
    files = [str(WRAPPER), str(WRAPPER.with_name("shims.sh"))]
    command = ["shellcheck", "--norc", f"--shell={dialect}", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Unknown shell" in done.stderr:
        pytest.skip(f"this shellcheck does not know {dialect}")
    assert (done.returncode, done.stdout) == (0, "")


def test_its_version_line_carries_its_digest() -> None:
    assert wrapper.judge(wrapper.text()) is Standing.CURRENT
    assert wrapper.digest(wrapper.text()) in wrapper.text().splitlines()[1]


def test_it_is_executable_where_it_lies() -> None:
    assert os.access(WRAPPER, os.X_OK)


OWN = int(wrapper.text().split(b"wrapper ", 1)[1].split()[0])


def _numbered(number: int, more: bytes = b"") -> bytes:
    content = wrapper.text().replace(b"wrapper %d (" % OWN, b"wrapper %d (" % number) + more
    line = re.compile(rb"(wrapper \d+ )\([0-9a-f]{16}\)")
    return line.sub(rb"\1(" + wrapper.digest(content) + b")", content, count=1)


@pytest.mark.parametrize(
    ("content", "expected", "replaced"),
    [
        (wrapper.text(), Standing.CURRENT, False),
        (_numbered(0), Standing.OLDER, True),
        (_numbered(0, b"# of that time\n"), Standing.OLDER, True),
        (_numbered(OWN + 1), Standing.NEWER, False),
        (wrapper.text() + b"echo mine\n", Standing.EDITED, False),
        (wrapper.text().replace(b"python3", b"python4"), Standing.EDITED, False),
        (wrapper.text().replace(b"wrapper %d " % OWN, b"wrapper 0 "), Standing.EDITED, False),
        (wrapper.text().replace(b"\n", b"\r\n"), Standing.CURRENT, False),
        (_numbered(0).replace(b"\n", b"\r\n"), Standing.OLDER, True),
        (VERSION_2.read_bytes(), Standing.OLDER, True),
        (VERSION_2.read_bytes().replace(b"\n", b"\r\n"), Standing.OLDER, True),
        (b'#!/bin/sh\nexec python3 "$@"\n', Standing.FOREIGN, False),
        (b"", Standing.FOREIGN, False),
        (b"\xff\x00", Standing.FOREIGN, False),
    ],
)
def test_an_older_one_of_ours_is_replaced_and_no_other(
    tmp_path: Path, content: bytes, expected: Standing, *, replaced: bool
) -> None:
    path = tmp_path / wrapper.NAME
    path.write_bytes(content)
    assert wrapper.write(tmp_path) is expected
    assert path.read_bytes() == (wrapper.text() if replaced else content)
    assert [each.name for each in tmp_path.iterdir()] == [wrapper.NAME]
    if expected in (Standing.CURRENT, Standing.OLDER):
        assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_a_link_or_a_directory_in_its_place_stays(tmp_path: Path) -> None:
    outside = tmp_path / "outside.sh"
    outside.write_bytes(_numbered(0))
    for name in ("link", "directory"):
        (tmp_path / name).mkdir()
    (tmp_path / "link" / wrapper.NAME).symlink_to(outside)
    (tmp_path / "directory" / wrapper.NAME).mkdir()
    for name in ("link", "directory"):
        assert wrapper.write(tmp_path / name) is Standing.FOREIGN
    assert outside.read_bytes() == _numbered(0)


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(HooksCompileError, match="can't be written") as caught:
        wrapper.write(tmp_path / "nowhere")
    assert caught.value.remedy
