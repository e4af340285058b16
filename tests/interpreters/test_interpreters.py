from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import InterpreterError
from hooks_compile.interpreters.launch_records import LaunchRecord, launch_records
from hooks_compile.interpreters.resolve import find, is_shim, resolve
from hooks_compile.interpreters.user_environment import user_environment
from tests.support.interpreters_found import Found, each_interpreter, found
from tests.support.processes import is_running
from tests.support.tiers import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
PLAIN = next(interpreter for interpreter in found() if interpreter.is_cpython).executable


def script(path: Path, text: str) -> Path:
    """Write an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def make_venv(directory: Path, python: Path | str = PLAIN, *options: str) -> Path:
    """Make a real virtual environment and return its Python."""
    command = [str(python), "-I", "-m", "venv", "--without-pip", *options, str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no venv module there: {done.stderr.strip() or done.stdout.strip()}")
    return directory / "bin" / "python3"


def path_env(*directories: object) -> dict[str, str]:
    return {"PATH": os.pathsep.join(map(str, directories)), "HOME": os.environ["HOME"]}


@pytest.fixture
def newest() -> Found:
    return [interpreter for interpreter in found() if interpreter.is_cpython][-1]


# --- what a Python says ---------------------------------------------------------------------------


@each_interpreter
def test_it_says_of_an_interpreter_what_that_says_of_itself(
    interpreter: Found, tmp_path: Path
) -> None:
    command = (
        "import sys, importlib.util as u, _imp; i = sys.implementation\n"
        "print(i.name, i.cache_tag, u.MAGIC_NUMBER.hex(), "
        "_imp.source_hash(0, b'hooks-compile').hex(), sys.executable)"
    )
    done = subprocess.run(
        [interpreter.executable, "-I", "-c", command], capture_output=True, text=True, check=True
    )
    answer = resolve(str(interpreter.executable), cwd=tmp_path, env={})
    assert done.stdout.split() == [
        answer.implementation,
        answer.cache_tag,
        answer.magic,
        answer.hash_check,
        str(answer.executable),
    ]
    assert answer.version == interpreter.version
    assert answer.command == str(interpreter.executable)


@each_interpreter
def test_the_python_of_a_virtual_environment_stays_the_environments(
    interpreter: Found, tmp_path: Path
) -> None:
    python = make_venv(tmp_path / "venv", interpreter.executable)
    by_path = resolve(str(python), cwd=tmp_path, env={})
    assert by_path.executable == python
    assert by_path.version == interpreter.version
    assert resolve("python3", cwd=tmp_path, env=path_env(python.parent)).executable == python
    assert resolve("venv/bin/python3", cwd=tmp_path, env={}).executable == python
    assert resolve("./bin/python", cwd=tmp_path / "venv", env={}).executable.samefile(python)


@pytest.mark.parametrize("name", ["with a space", "grün-日本", "not-utf8-\udcff", "new\nline"])
def test_a_directory_of_any_name_is_no_obstacle(name: str, tmp_path: Path) -> None:
    directory = tmp_path / name
    try:
        python = make_venv(directory)
    except OSError as error:
        pytest.skip(f"this file system takes no such name: {error}")
    assert resolve("python3", cwd=tmp_path, env=path_env(directory / "bin")).executable == python
    shim = script(tmp_path / "python3", 'exec "$REAL" "$@"')
    answer = resolve(str(shim), cwd=tmp_path, env={"REAL": str(python), "PATH": os.defpath})
    assert answer.executable == python


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("2.7", "is no Python that can run hooks"),
        ("3.6", "3.8 or later"),
        ("3.7", "is not supported"),
    ],
)
def test_an_old_python_is_said_to_be_not_supported(version: str, said: str, tmp_path: Path) -> None:
    pythons = list(_pyenv_root().glob(f"versions/{version}*/bin/python"))
    if not pythons:
        pytest.skip(f"Python {version} is not on this machine (try: pyenv install)")
    with pytest.raises(InterpreterError, match=said) as caught:
        resolve(str(pythons[0]), cwd=tmp_path, env={})
    assert caught.value.path == pythons[0]


def test_variables_that_change_how_python_starts_do_not_change_the_answer(tmp_path: Path) -> None:
    (tmp_path / "_imp.py").write_text("raise SystemExit(1)")
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(1)")
    env = {"PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": "/nowhere", "PYTHONOPTIMIZE": "2"}
    assert resolve(str(PLAIN), cwd=tmp_path, env=env).executable == PLAIN


# --- where a command is found ---------------------------------------------------------------------


def test_the_first_executable_file_on_path_is_found(tmp_path: Path) -> None:
    (tmp_path / "directory" / "python3").mkdir(parents=True)
    script(tmp_path / "plain" / "python3", "exit 1").chmod(0o644)
    right = script(tmp_path / "right" / "python3", "exit 1")
    script(tmp_path / "late" / "python3", "exit 1")
    directories = [tmp_path / name for name in ("missing", "directory", "plain", "right", "late")]
    assert find("python3", cwd=tmp_path, env=path_env(*directories)) == right


@pytest.mark.parametrize(("entry", "directory"), [("", "."), ("bin", "bin"), ("../x", "../x")])
def test_relative_and_empty_entries_of_path_start_in_the_working_directory(
    entry: str, directory: str, tmp_path: Path
) -> None:
    cwd = tmp_path / "work"
    cwd.mkdir()
    right = script(cwd / directory / "python3", "exit 1")
    env = path_env("/nowhere", entry)
    assert find("python3", cwd=cwd, env=env).samefile(right)
    with pytest.raises(InterpreterError):
        find("python3", cwd=tmp_path, env=env)


def test_without_path_the_systems_own_is_used(tmp_path: Path) -> None:
    assert find("sh", cwd=tmp_path, env={}).name == "sh"


@pytest.mark.parametrize("command", ["no-such-python", "./python3", "/no/such/python3", "~/x", ""])
def test_a_missing_command_is_named_with_a_remedy(command: str, tmp_path: Path) -> None:
    with pytest.raises(InterpreterError) as caught:
        resolve(command, cwd=tmp_path, env=path_env(tmp_path))
    assert str(caught.value) == (
        f"there is no {command!r} to run hooks with\n"
        "  to fix it: hooks-compile compile --python /usr/bin/python3, or another that is there"
    )


# --- shims ----------------------------------------------------------------------------------------


def _pyenv_root() -> Path:
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return Path("/nowhere")
    done = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def _pyenv_versions() -> list[tuple[str, Path]]:
    pythons = [
        python
        for python in sorted(_pyenv_root().glob("versions/3.*/bin/python3"))
        if int(python.parts[-3].split(".")[1]) >= 8
    ]
    if len(pythons) < 2:
        pytest.skip("pyenv with two versions of Python is not on this machine")
    return [(python.parts[-3], python) for python in pythons]


def test_a_real_pyenv_shim_is_asked_each_time(tmp_path: Path) -> None:
    (one, one_python), *_, (other, other_python) = _pyenv_versions()
    env = path_env(_pyenv_root() / "shims", *os.defpath.split(os.pathsep))
    shim = find("python3", cwd=tmp_path, env=env)
    assert is_shim(shim)
    chosen = tmp_path / ".python-version"
    for version, python in ((one, one_python), (other, other_python), (one, one_python)):
        chosen.write_text(f"{version}\n")
        answer = resolve("python3", cwd=tmp_path, env=env)
        assert (answer.command, answer.executable) == ("python3", python)
    (tmp_path / "sub").mkdir()
    assert resolve("python3", cwd=tmp_path / "sub", env=env).executable == one_python
    by_variable = resolve("python3", cwd=tmp_path, env=env | {"PYENV_VERSION": other})
    assert by_variable.executable == other_python
    assert not is_shim(one_python)


def test_a_shim_like_that_of_asdf_is_asked(tmp_path: Path, newest: Found) -> None:
    one, other = make_venv(tmp_path / "one"), make_venv(tmp_path / "other", newest.executable)
    asdf = script(
        tmp_path / "opt" / "asdf",
        'shift; name=$1; shift; exec "$(sed -n "s/^python //p" .tool-versions)/bin/$name" "$@"',
    )
    shim = script(tmp_path / "shims" / "python3", f'exec {asdf} exec "python3" "$@"')
    assert is_shim(shim)
    for python in (one, other):
        (tmp_path / ".tool-versions").write_text(f"python {python.parent.parent}\n")
        answer = resolve("python3", cwd=tmp_path, env=path_env(shim.parent, *_system()))
        assert answer.executable == python


def test_a_shim_like_that_of_mise_is_a_link_to_the_manager(tmp_path: Path) -> None:
    mise = script(tmp_path / "bin" / "mise", f'exec {PLAIN.parent}/"${{0##*/}}" "$@"')
    shim = tmp_path / "shims" / PLAIN.name
    shim.parent.mkdir()
    shim.symlink_to(mise)
    assert is_shim(shim)
    linked = tmp_path / PLAIN.name
    linked.symlink_to(shim)
    assert is_shim(linked)
    for command in (shim, linked):
        answer = resolve(str(command), cwd=tmp_path, env=path_env(*_system()))
        assert answer.executable == PLAIN


def _system() -> list[str]:
    return os.defpath.split(os.pathsep)


def test_a_wrapper_whose_python_is_not_to_be_seen_here_is_kept_as_it_is(tmp_path: Path) -> None:
    # as one does that starts a container
    python = b"/no/such/python".hex()
    answer = f"hooks-compile-probe cpython {python} cpython-39 610d0d0a 00 3 9 1"
    wrapper = script(tmp_path / "python3", f'echo "{answer}"')
    resolved = resolve(str(wrapper), cwd=tmp_path, env=path_env(*_system()))
    assert (resolved.executable, resolved.version) == (wrapper, (3, 9, 1))


@pytest.mark.parametrize("name", ["mise", "rye", "asdf", "rtx", "pyenv"])
def test_a_managers_binary_is_a_shim_by_its_name(name: str, tmp_path: Path) -> None:
    manager = tmp_path / name
    shutil.copy("/bin/sh", manager)
    link = tmp_path / "python3"
    link.symlink_to(manager)
    assert is_shim(link)


def test_pythons_and_their_links_are_no_shims(tmp_path: Path, unprivileged: Path) -> None:
    del tmp_path
    assert not any(is_shim(interpreter.executable) for interpreter in found())
    unreadable = unprivileged / "python3"
    unreadable.write_bytes(b"\x7fELF")
    unreadable.chmod(0o111)
    assert not is_shim(unreadable)
    assert not is_shim(unprivileged / "missing")


def test_the_link_of_a_virtual_environment_is_no_shim(tmp_path: Path) -> None:
    assert not is_shim(make_venv(tmp_path / "rye" / "mise"))


# --- commands that misbehave ----------------------------------------------------------------------


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    hanging = script(tmp_path / "python3", f"sleep 60 & echo $! > {note}; wait")
    start = time.monotonic()
    with pytest.raises(InterpreterError, match=r"does not answer in 2 s") as caught:
        resolve(str(hanging), cwd=tmp_path, env=path_env(*_system()), timeout=2)
    assert time.monotonic() - start < 40
    assert caught.value.path == hanging
    assert caught.value.remedy.startswith(str(hanging))
    child = int(note.read_text())
    while is_running(child):  # the test's time limit ends this
        time.sleep(0.01)


def test_a_command_that_talks_without_end_is_ended(tmp_path: Path) -> None:
    endless = script(tmp_path / "python3", "exec yes")
    with pytest.raises(InterpreterError, match=r"does not answer in 0\.5 s"):
        resolve(str(endless), cwd=tmp_path, env=path_env(*_system()), timeout=0.5)


def test_a_process_left_behind_by_a_shim_does_not_delay_the_answer(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    shim = script(tmp_path / "python3", f'sleep 60 & echo $! > {note}; exec {PLAIN} "$@"')
    start = time.monotonic()
    assert resolve(str(shim), cwd=tmp_path, env=path_env(*_system())).executable == PLAIN
    assert time.monotonic() - start < 40
    child = int(note.read_text())
    assert is_running(child)  # not ours to end
    os.kill(child, signal.SIGKILL)


def test_a_command_that_hangs_after_its_answer_is_ended(tmp_path: Path) -> None:
    shim = script(tmp_path / "python3", f'{PLAIN} "$@"; exec sleep 60')
    start = time.monotonic()
    answer = resolve(str(shim), cwd=tmp_path, env=path_env(*_system()), timeout=3)
    assert answer.executable == PLAIN
    assert time.monotonic() - start < 40


@pytest.mark.parametrize(
    "text",
    [
        'echo welcome; echo "no newline\\c"; exec REAL "$@"',
        'echo oops >&2; REAL "$@"; echo "goodbye"',
        'printf "\\377\\000hooks-compile-probe x\\n"; exec REAL "$@"',
        'echo hooks-compile-probe c; echo hooks-compile-probe x x x x x x x x; exec REAL "$@"',
        'echo " cpython 2f x x x 3 9 1"; REAL "$@"; exit 3',
    ],
)
def test_junk_around_the_answer_is_ignored(text: str, tmp_path: Path) -> None:
    noisy = script(tmp_path / "python3", text.replace("REAL", str(PLAIN)))
    answer = resolve(str(noisy), cwd=tmp_path, env=path_env(*_system()))
    assert answer.executable == PLAIN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo hello; echo; echo world >&2; exit 1", "world"),
        ("exit 0", "nothing"),
        ("kill -9 $$", "nothing"),
        ("printf 'a very long line %01000d' 1", "a very long line 0"),
        ("printf '\\377'", "\ufffd"),
    ],
)
def test_what_is_no_python_is_quoted(text: str, said: str, tmp_path: Path) -> None:
    other = script(tmp_path / "python3", text)
    with pytest.raises(InterpreterError, match="is no Python that can run hooks") as caught:
        resolve(str(other), cwd=tmp_path, env=path_env(*_system()))
    assert caught.value.path == other
    assert f"it said: {said}" in caught.value.cause
    assert len(caught.value.cause) < 300


@pytest.mark.parametrize("content", [b"\x7fELF not really", b"#!/no/such/interpreter\n", b""])
def test_what_does_not_start_is_said(content: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "python3"
    broken.write_bytes(content)
    broken.chmod(0o755)
    with pytest.raises(InterpreterError, match=r"does not start|is no Python") as caught:
        resolve(str(broken), cwd=tmp_path, env=path_env(*_system()))
    assert caught.value.path == broken


def test_the_binary_that_we_run_in_is_not_started_and_known_all_the_same(tmp_path: Path) -> None:
    if not Path("/proc/self/exe").exists():
        pytest.skip("only Linux tells which binary this is")
    own = make_venv(tmp_path / "venv", Path(sys.executable).resolve())
    known = resolve(str(own), cwd=Path("/no/such/directory"), env={})
    shim = script(tmp_path / "shim", f'exec {own} "$@"')
    asked = resolve(str(shim), cwd=tmp_path, env=path_env(*_system()))
    assert known == asked._replace(command=str(own))
    copy = tmp_path / "copy"
    shutil.copy(own.resolve(), copy)
    with pytest.raises(InterpreterError, match="does not start"):
        resolve(str(copy), cwd=Path("/no/such/directory"), env={})


# --- what launches recorded -----------------------------------------------------------------------


def note(runtime: Path, name: str, content: bytes) -> Path:
    (runtime / "seen").mkdir(exist_ok=True)
    path = runtime / "seen" / name
    path.write_bytes(content)
    return path


def test_what_launches_noted_is_read_with_any_byte_in_a_path(tmp_path: Path) -> None:
    plain = note(tmp_path, "a", b"/no/such/python3\0/hooks")
    odd = note(tmp_path, "b", b"/\xff\n/python 3\0/ho\xffoks")
    assert launch_records(tmp_path) == [
        LaunchRecord(plain, Path("/no/such/python3"), Path("/hooks")),
        LaunchRecord(odd, Path(os.fsdecode(b"/\xff\n/python 3")), Path(os.fsdecode(b"/ho\xffoks"))),
    ]


def test_a_note_that_others_could_have_written_is_left_out(tmp_path: Path) -> None:
    open_to_all = note(tmp_path, "a", b"/usr/bin/env\0/hooks")
    open_to_all.chmod(0o666)
    (tmp_path / "seen/link").symlink_to(note(tmp_path, "b", b"/usr/bin/env\0/hooks"))
    assert [record.note.name for record in launch_records(tmp_path)] == ["b"]
    if os.geteuid() == 0:
        os.chown(tmp_path / "seen/b", 12345, -1)
        assert launch_records(tmp_path) == []


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"python3\0/hooks", b"/usr/bin/env", b"/usr/bin/env\0/a\0/b"]
)
def test_notes_that_say_nothing_are_left_out(content: bytes, tmp_path: Path) -> None:
    note(tmp_path, "a", content)
    (tmp_path / "seen" / "directory").mkdir()
    (tmp_path / "seen" / "link").symlink_to("nowhere")
    assert launch_records(tmp_path) == []
    assert launch_records(tmp_path / "missing") == []


# --- the environment that the agent has -----------------------------------------------------------

SHOW = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from hooks_compile.interpreters.user_environment import user_environment
own = {name: getattr(sys, name) for name in ("prefix", "base_prefix", "executable")}
print(json.dumps([user_environment(os.environ), own]))
"""

RunIn = Callable[[Path, dict[str, str]], dict[str, str]]


@pytest.fixture
def run_in(monkeypatch: pytest.MonkeyPatch) -> RunIn:
    """What ``user_environment`` makes of an environment when the tool runs under a Python.

    It is asked in a process of that Python, and here with the same ``sys``.
    """

    def run(python: Path, env: dict[str, str]) -> dict[str, str]:
        command = [str(python), "-c", SHOW, str(CHECKOUT)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        result, own = json.loads(done.stdout)
        assert isinstance(result, dict)
        result = {name: value for name, value in result.items() if name in env}
        for name, value in own.items():
            monkeypatch.setattr(sys, name, value)
        assert user_environment(env) == result
        return result

    return run


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """The virtual environment that the tool runs in."""
    return make_venv(tmp_path / "ours", sys._base_executable).parent.parent  # type: ignore[attr-defined]


def test_an_environment_that_a_person_activated_stays(ours: Path, run_in: RunIn) -> None:
    env = path_env(ours / "bin", "/usr/bin", "/bin") | {"VIRTUAL_ENV": str(ours)}
    assert run_in(ours / "bin/python", env) == env


def test_an_environment_that_a_tool_made_for_us_goes(ours: Path, run_in: RunIn) -> None:
    marks = (".install_state_v1", ".install_state_v2", ".prek-hook.json", "pipx_metadata.json")
    for mark in (*marks, "uv-receipt.toml"):
        (ours / mark).touch()
        env = path_env(ours / "bin", "/usr/bin", "/bin")
        named = env | {"VIRTUAL_ENV": str(ours), "PRE_COMMIT": "1"}
        expected = path_env("/usr/bin", "/bin")
        assert run_in(ours / "bin/python", named) == expected | {"PRE_COMMIT": "1"}
        (ours / mark).unlink()
    assert run_in(ours / "bin/python", env) == expected


def test_an_environment_that_nothing_names_goes_from_path(ours: Path, run_in: RunIn) -> None:
    # wherever it stands, and by whatever link it is named
    link = ours.parent / "link"
    link.symlink_to(ours)
    env = path_env("/usr/bin", ours / "bin", link / "bin", f"{ours}/bin/", "", "/bin")
    assert run_in(ours / "bin/python", env) == path_env("/usr/bin", "", "/bin")


def test_another_environment_that_the_user_activated_stays(
    ours: Path, tmp_path: Path, run_in: RunIn
) -> None:
    theirs = make_venv(tmp_path / "theirs").parent.parent
    env = path_env(ours / "bin", theirs / "bin", "/usr/bin") | {"VIRTUAL_ENV": str(theirs)}
    expected = path_env(theirs / "bin", "/usr/bin") | {"VIRTUAL_ENV": str(theirs)}
    assert run_in(ours / "bin/python", env) == expected
    found_there = resolve("python3", cwd=tmp_path, env=expected)
    assert found_there.executable == theirs / "bin" / "python3"


def test_the_launcher_variables_of_our_own_python_go(ours: Path, run_in: RunIn) -> None:
    env = path_env("/usr/bin") | {"__PYVENV_LAUNCHER__": str(ours / "bin/python3")}
    assert run_in(ours / "bin/python", env) == path_env("/usr/bin")
    given = {"PATH": "/usr/bin", "PYTHONHOME": "/opt", "OTHER": "kept"}
    assert "PYTHONHOME" not in user_environment(given)
    assert user_environment(given)["OTHER"] == "kept"
    assert "PYTHONHOME" in given


def test_outside_of_a_virtual_environment_nothing_changes(tmp_path: Path, run_in: RunIn) -> None:
    base = Path(sys._base_executable)  # type: ignore[attr-defined]
    theirs = make_venv(tmp_path / "theirs").parent.parent
    env = path_env(theirs / "bin", base.parent, "/usr/bin") | {"VIRTUAL_ENV": str(theirs)}
    assert run_in(base, env) == env
    assert run_in(base, {"HOME": "/"}) == {"HOME": "/"}


def test_what_a_pyenv_shim_put_on_path_before_the_tool_ran_goes(tmp_path: Path) -> None:
    able = [(name, python) for name, python in _pyenv_versions() if _is_able(name)]
    if len(able) < 2:
        pytest.skip("pyenv with two versions of Python 3.11 or later is not on this machine")
    (agents, agents_python), *_, (tools, tools_python) = able
    shims = _pyenv_root() / "shims"
    # Both are active, the agent's comes first; the tool is installed in the other one only.
    env = path_env(shims, _pyenv_root() / "bin", *_system())
    env["PYENV_VERSION"] = f"{agents}:{tools}"
    command = [f"python{tools.rpartition('.')[0]}", "-c", SHOW, str(CHECKOUT)]
    done = subprocess.run(
        [shims / command[0], *command[1:]], env=env, capture_output=True, text=True, check=True
    )
    ours, own = json.loads(done.stdout)
    assert Path(own["prefix"]) == tools_python.parent.parent
    assert str(tools_python.parent) not in ours["PATH"].split(os.pathsep)
    assert resolve("python3", cwd=tmp_path, env=ours).executable == agents_python


def test_a_python_of_a_version_manager_goes_where_it_stands_before_the_managers_shims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "asdf"
    ours = root / "installs/python/3.11/bin"
    for directory in (ours, root / "shims", tmp_path / "other/shims"):
        directory.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(ours.parent))
    monkeypatch.setattr(sys, "base_prefix", str(ours.parent))
    monkeypatch.setattr(sys, "executable", str(ours / "python3"))
    assert user_environment(path_env(ours, "/a", root / "shims", ours)) == path_env(
        "/a", root / "shims", ours
    )
    for path in ([ours, "/a"], [root / "shims", ours], [ours, tmp_path / "other/shims"]):
        assert user_environment(path_env(*path)) == path_env(*path)


def _is_able(version: str) -> bool:
    return tuple(map(int, version.split(".")[:2])) >= (3, 11)


# --- real pre-commit and prek ---------------------------------------------------------------------


@pytest.fixture
def hooked(tmp_path: Path) -> Iterator[Path]:
    """A repository whose hooks show what ``user_environment`` makes of theirs."""
    repo = tmp_path / "repo"
    repo.mkdir()
    subprocess.run(["git", "init", "-q", str(repo)], check=True)
    show = tmp_path / "show.py"
    show.write_text(SHOW.replace("print(json", "open(os.environ['OUT'], 'w').write(json"))
    config = "repos:\n- repo: local\n  hooks:\n"
    for language in ("python", "system"):
        config += (
            f"  - {{id: {language}, name: x, language: {language}, always_run: true, "
            f"pass_filenames: false, entry: python3 {show} {CHECKOUT}}}\n"
        )
    (repo / ".pre-commit-config.yaml").write_text(config)
    subprocess.run(["git", "-C", str(repo), "add", "."], check=True)
    yield repo


def run_hook(tool: str, hook: str, repo: Path, env: dict[str, str]) -> dict[str, str]:
    out = repo.parent / "out.json"
    own = Path(sys.executable).parent
    binary = shutil.which(tool, path=f"{own}{os.pathsep}{os.environ['PATH']}")
    assert binary is not None, f"{tool} belongs to the test extra"
    done = subprocess.run(
        [binary, "run", "-a", hook],
        cwd=repo,
        env=env | {"OUT": str(out)},
        capture_output=True,
        text=True,
        check=False,
    )
    if not out.exists():
        pytest.skip(f"{tool} can't make its environment here: {(done.stdout + done.stderr)[-300:]}")
    result, _ = json.loads(out.read_text())
    assert isinstance(result, dict)
    assert result["PRE_COMMIT"] == "1"
    return result


@pytest.mark.parametrize("tool", ["prek", "pre-commit"][: scaled(1, 2, 2)])
def test_the_environment_that_a_real_runner_made_goes_and_the_users_stays(
    tool: str, hooked: Path, tmp_path: Path
) -> None:
    base: str = sys._base_executable  # type: ignore[attr-defined]
    # prek installs uv by the user's pip
    theirs = make_venv(tmp_path / "theirs", base, "--system-site-packages").parent.parent
    path = [theirs / "bin", *os.environ["PATH"].split(os.pathsep)]
    env = dict(os.environ) | path_env(*path) | {"VIRTUAL_ENV": str(theirs)}
    made = run_hook(tool, "python", hooked, env)
    assert made["PATH"].split(os.pathsep)[0] == str(theirs / "bin")
    assert "VIRTUAL_ENV" not in made
    assert resolve("python3", cwd=hooked, env=made).executable == theirs / "bin" / "python3"


@pytest.mark.parametrize("tool", ["prek", "pre-commit"][: scaled(1, 2, 2)])
def test_a_system_hook_of_a_real_runner_keeps_the_environment_that_the_user_activated(
    tool: str, hooked: Path, ours: Path
) -> None:
    path = [ours / "bin", *os.environ["PATH"].split(os.pathsep)]
    env = dict(os.environ) | path_env(*path) | {"VIRTUAL_ENV": str(ours)}
    kept = run_hook(tool, "system", hooked, env)
    assert kept["VIRTUAL_ENV"] == str(ours)
    assert kept["PATH"].split(os.pathsep)[0] == str(ours / "bin")
