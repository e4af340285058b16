"""The modules for ``uv run``, each on its own; ``test_uv_launch.py`` has whole launches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hooks_compile.launcher.uv import uv_inputs
from hooks_compile.launcher.uv.uv_contexts import (
    UvContext,
    digest,
    environment_state,
    left_to_uv,
    read_contexts,
    uv_environment,
)
from hooks_compile.launcher.uv.uv_inputs import find_program
from hooks_compile.launcher.uv.uv_recorder import record_text
from tests.support.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = ("/bin/python3", "/bin/uv", "/v", "/v/bin", "/v/site-packages")
CONTEXT = UvContext("in", "state", "1024", *PYTHON)


def test_a_program_is_found_on_path_as_a_shell_finds_it(tmp_path: Path) -> None:
    (tmp_path / "first" / "uv").mkdir(parents=True)
    program = write(tmp_path / "second" / "uv", executable=True)
    path = f"{tmp_path}/first:{tmp_path}/second".encode()
    assert find_program("uv", {b"PATH": path}) == str(program)
    assert find_program("./uv", {}) == "./uv"
    with pytest.raises(FileNotFoundError):
        find_program("uv", {b"PATH": str(tmp_path).encode()})


def test_a_record_keeps_its_contexts(tmp_path: Path) -> None:
    record = tmp_path / "hook.py.uv"
    left = left_to_uv("its\tlock file")
    left.inputs = "other"

    def added(context: UvContext) -> list[str]:
        record.write_text(record_text(str(record), context))
        record.chmod(0o600)
        return record.read_text().split("\n")[:2]

    assert added(left) == ["-", "its lock file"]
    assert added(CONTEXT) == ["/bin/python3", "1024"]
    assert added(left) == ["/bin/python3", "1024"]
    assert [each.line() for each in read_contexts(str(record))] == [left.line(), CONTEXT.line()]
    # those with another limit of open files are of another uv
    assert added(UvContext("new", "state", "0", *PYTHON)) == ["/bin/python3", "0"]
    assert [each.inputs for each in read_contexts(str(record))] == ["new", "other"]
    for number in range(9):
        added(UvContext(str(number), "state", "0", *PYTHON))
    assert [each.inputs for each in read_contexts(str(record))] == list("87654321")
    with record.open("a") as file:
        file.write("damaged\tline\n")
    assert len(read_contexts(str(record))) == 8


def test_variables_are_those_that_uv_gives_in_its_order() -> None:
    given = {b"Z": b"1", b"PATH": b"/bin", b"A": b"2", b"UV_RUN_RECURSION_DEPTH": b"1"}
    expected = [
        (b"A", b"2"),
        (b"PATH", b"/v/bin:/bin"),
        (b"UV", b"/bin/uv"),
        (b"UV_RUN_RECURSION_DEPTH", b"2"),
        (b"VIRTUAL_ENV", b"/v"),
        (b"Z", b"1"),
    ]
    assert list(uv_environment(CONTEXT, given).items()) == expected


def test_the_state_of_an_environment_changes_with_its_files(tmp_path: Path) -> None:
    python = write(tmp_path / "bin" / "python", executable=True)
    write(tmp_path / "pyvenv.cfg", "home = /bin\n")
    (tmp_path / "site-packages").mkdir()
    context = UvContext("", "", "", str(python), "", str(tmp_path), "", f"{tmp_path}/site-packages")
    key = bytes(16)
    before = digest(key, environment_state(context, {}))
    assert digest(key, environment_state(context, {})) == before
    write(tmp_path / "site-packages" / "new.py")
    assert digest(key, environment_state(context, {})) != before
    lone = UvContext("", "", "", str(python), "", "", "", "")
    state = environment_state(lone, {b"PATH": f"{tmp_path}/bin".encode(), b"HOME": b"/nowhere"})
    assert state[-1] == str(python)
    with pytest.raises(ValueError, match="neither on PATH"):
        environment_state(lone, {b"PATH": b"/nowhere", b"HOME": b"/nowhere"})


def test_inputs_change_with_all_that_uv_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = write(tmp_path / "bin" / "uv", executable=True)
    hook = write(tmp_path / "hooks" / "hook.py", "# /// script\n# dependencies = []\n# ///\n1\n")
    environ = {b"PATH": str(program.parent).encode(), b"HOME": str(tmp_path).encode()}

    def inputs() -> str:
        return digest(bytes(16), uv_inputs.uv_inputs("uv", ["-q"], str(hook), environ))

    seen = {inputs()}
    changes = {
        "hooks/hook.py": "# /// script\n# dependencies = ['x']\n# ///\n1\n",
        "hooks/hook.py.lock": "lock",
        "pyproject.toml": "[project]\n",
        "uv.lock": "lock",
        "src/x": "",
        ".python-version": "3.11\n",
        ".config/uv/uv.toml": "",
        ".venv/x": "",
    }
    for number, (name, text) in enumerate(changes.items(), 2):
        write(tmp_path / name, text)
        seen.add(inputs())
        assert len(seen) == number, name
    write(tmp_path / "hooks/hook.py", changes["hooks/hook.py"] + "2\n")
    assert inputs() in seen, "the code is not read by uv"
    write(tmp_path / ".python-version", "pypy\n")
    with pytest.raises(ValueError, match="by its name"):
        inputs()
    environ[b"UV_PROJECT"] = b"x"
    with pytest.raises(ValueError, match="UV_PROJECT is set"):
        inputs()


def test_metadata_is_between_the_first_and_the_last_line_that_may_be_its_border() -> None:
    source = b"#!x\n\n# /// script\n# a = 1\n\n# ///\nx = 1\n# other\n"
    assert uv_inputs.metadata(source) == [b"# /// script", b"# a = 1", b"", b"# ///"]
    assert uv_inputs.metadata(b"# nothing\n") == []
    assert uv_inputs.ancestors(["/a/b/", "/a/c"]) == ["/a/b", "/a", "", "/a/c"]
