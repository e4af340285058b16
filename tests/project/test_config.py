from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from hooks_compile.errors import HooksCompileError, pasted
from hooks_compile.project.config import Config, load_config
from tests.support.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

ALL = """\
include = ["tools/*.py", "bin/hook"]
exclude = ["tools/old"]
optimize = 1
python = ["python3", "python3.12", "python3"]
keep = 5
imports = "deferred"
"""


def refused(
    directory: Path, text: str | bytes, name: str = ".hooks-compile.toml"
) -> HooksCompileError:
    path = write(directory / name, text)
    with pytest.raises(HooksCompileError) as caught:
        load_config(directory)
    assert caught.value.path == path
    assert caught.value.remedy
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config()
    assert Config() == Config((), (), "auto", ("python3",), 3, ())


@pytest.mark.parametrize(
    ("name", "header"),
    [
        (".hooks-compile.toml", ""),
        ("pyproject.toml", '[project]\nname = "x"\n[tool.hooks-compile]\n'),
        ("pyproject.toml", '[tool."hooks-compile"]\n'),
        ("pyproject.toml", "[tool]\n[tool . hooks-compile]\r\n"),
    ],
)
def test_every_key_is_read_from_either_file(tmp_path: Path, name: str, header: str) -> None:
    write(tmp_path / name, header + ALL)
    assert load_config(tmp_path) == Config(
        include=("tools/*.py", "bin/hook"),
        exclude=("tools/old",),
        optimize=1,
        python=("python3", "python3.12"),
        keep=5,
        imports=(("**", "deferred"),),
    )


@pytest.mark.parametrize("name", [".hooks-compile.toml", "pyproject.toml"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, name: str) -> None:
    header = "[tool.hooks-compile]\n" if name == "pyproject.toml" else ""
    write(tmp_path / name, b"\xef\xbb\xbf" + f"{header}keep = 7\n".encode())
    assert load_config(tmp_path).keep == 7


def test_the_dotfile_alone_counts_if_both_are_there(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.hooks-compile]\nkeep = 9\noptimize = 0\n")
    assert load_config(tmp_path) == Config(optimize=0, keep=9)
    dotfile = write(tmp_path / ".hooks-compile.toml", "optimize = 2\n")
    assert load_config(tmp_path) == Config(optimize=2)
    dotfile.write_text("")
    assert load_config(tmp_path) == Config()


@pytest.mark.parametrize(
    "text", ["", "[tool.ruff]\nline-length = 100\n", "<<<<<<< HEAD\n", "# hooks-compile\n"]
)
def test_a_pyproject_that_is_not_about_us_is_left_alone(tmp_path: Path, text: str) -> None:
    write(tmp_path / "pyproject.toml", text)
    assert load_config(tmp_path) == Config()


def test_broken_toml_names_file_line_and_remedy(tmp_path: Path) -> None:
    for name, header in ((".hooks-compile.toml", ""), ("pyproject.toml", "[tool.hooks-compile]\n")):
        error = refused(tmp_path, f"{header}keep = 3\n<<<<<<< HEAD\noptimize = 1\n", name)
        assert "is no valid TOML" in error.cause
        assert f"line {3 if header else 2}" in error.cause
        assert "conflict markers" in error.remedy
        (tmp_path / name).unlink()


def test_a_file_that_is_not_utf_8_is_an_error(tmp_path: Path) -> None:
    assert "byte 13" in refused(tmp_path, b'include = ["\xe9"]').cause


@pytest.mark.parametrize("name", [".hooks-compile.toml", "pyproject.toml"])
def test_what_is_not_a_file_is_an_error_and_is_not_waited_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.mkdir()
    refuse_to_read(path)
    path.rmdir()
    os.mkfifo(path)
    refuse_to_read(path)
    for target in ("/dev/zero", "nowhere", name):
        path.unlink()
        path.symlink_to(target)
        refuse_to_read(path)


def refuse_to_read(path: Path) -> None:
    with pytest.raises(HooksCompileError, match="can't be read: ") as caught:
        load_config(path.parent)
    assert caught.value.remedy == f"ls -ld {pasted(path)}"


def test_a_file_that_can_t_be_read_is_an_error(unprivileged: Path) -> None:
    path = write(unprivileged / ".hooks-compile.toml", "keep = 3")
    path.chmod(0o200)
    refuse_to_read(path)


def test_an_unknown_key_is_named_with_the_keys_that_there_are(tmp_path: Path) -> None:
    error = refused(tmp_path, "# first\nkeep = 3\nincludes = 1\n")
    assert error.cause == "includes is unknown"
    assert "the keys are include, exclude, optimize, python, keep, imports" in error.remedy


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("x = " + "[" * 100_000, "is nested too deeply"),
        ("x = " + "{a=" * 100_000, "is nested too deeply"),
        ("keep = 3\na" + ".a" * 100_000 + " = 1", "line 2: a name of too many parts"),
    ],
)
def test_a_file_that_would_keep_us_busy_is_an_error(tmp_path: Path, text: str, cause: str) -> None:
    assert refused(tmp_path, text).cause == cause


def test_a_pyproject_table_in_the_dotfile_is_explained(tmp_path: Path) -> None:
    error = refused(tmp_path, "\n[tool.hooks-compile]\nkeep = 3\n")
    assert error.cause == "tool is unknown"
    assert "at the top level" in error.remedy


@pytest.mark.parametrize("text", ["tool = 3 # hooks-compile", "[tool]\nhooks-compile = 3"])
def test_a_table_that_is_none_is_an_error(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text, "pyproject.toml")
    assert "has to be a table" in error.cause
    assert error.remedy == "[tool.hooks-compile]"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('include = "x.py"', "include is 'x.py'; it has to be a list of strings"),
        ("exclude = [1]", "exclude is [1]; it has to be a list of strings"),
        ("include = {}", "include is {}; it has to be a list of strings"),
        ('optimize = "2"', "optimize is '2'; it has to be \"auto\", 0, 1 or 2"),
        ("optimize = 3", "is 3; "),
        ("imports = true", 'imports is True; it has to be "as-written" or "deferred"'),
        ('imports = "lazy"', "is 'lazy'; "),
        ('imports = ["deferred"]', "is ['deferred']; "),
        ('imports = { "a.py" = 1 }', "is 1; "),
        ('imports = { "a.py" = { b = "deferred" } }', "is {'b': 'deferred'}; "),
        ('imports = { "../a.py" = "deferred" }', "could leave the work tree"),
        ("optimize = -1", "is -1; "),
        ("optimize = true", "is True; "),
        ("optimize = 1.0", "is 1.0; "),
        ("keep = 0", "is 0; "),
        ("keep = true", "is True; "),
        ('keep = "3"', "is '3'; "),
        ("keep = 1.5", "is 1.5; "),
        ("python = 3", "is 3; "),
        ("python = []", "is []; "),
        ("python = [3]", "is 3; "),
        (f'keep = "{"x" * 500}"', "..."),
    ],
)
def test_a_wrong_value_is_named_with_what_it_has_to_be(
    tmp_path: Path, line: str, said: str
) -> None:
    error = refused(tmp_path, f"\n{line}\n")
    assert error.cause.startswith(f"{line.partition(' ')[0]} ")
    assert said in error.cause
    assert len(error.cause) < 200
    assert error.remedy.startswith(line.partition(" ")[0])


@pytest.mark.parametrize("key", ["include", "exclude"])
def test_a_glob_that_could_leave_the_work_tree_is_refused(tmp_path: Path, key: str) -> None:
    for pattern in ("../x.py", "/etc/*.py", "~/x.py", "a/../../b", "..\\\\x", "", ".", "C:/x.py"):
        error = refused(tmp_path, f'{key} = ["ok/*.py", "{pattern}"]')
        assert error.cause.startswith(f"{key} has ")


def test_python_may_be_a_name_from_path(tmp_path: Path) -> None:
    names = ("python", "python3", "python3.8", "python3.13", "python3.13t", "pypy", "pypy3.10")
    for name in names:
        write(tmp_path / ".hooks-compile.toml", f'python = "{name}"')
        assert load_config(tmp_path).python == (name,)


FOREIGN_COMMANDS = [
    "/usr/bin/python3",
    "{root}/.venv/bin/python3",
    "./python3",
    "tools/python3",
    "../python3",
    "~/bin/python3",
    "python3 -c 'import os'",
    "python3;id",
    "python3\\nid",
    "python3\\u0000",
    "$HOME/python3",
    "%PYTHON%",
    "env python3",
    "uv",
    "sh",
    "git",
    "python2",
    "python3.",
    "python3.x",
    "python-config",
    "Python3",
    "python3.exe",
    "-python3",
    " python3",
    "python3\\n",
    "",
]


@pytest.mark.parametrize("as_list", [False, True])
def test_python_may_be_nothing_that_a_pull_request_could_bring(
    tmp_path: Path, as_list: bool
) -> None:
    for command in FOREIGN_COMMANDS:
        shown = f'"{command.format(root=tmp_path)}"'
        text = f'python = ["python3", {shown}]' if as_list else f"python = {shown}"
        error = refused(tmp_path, text)
        assert "comes with a clone" in error.cause
        assert "--python" in error.remedy


def test_the_last_glob_that_matches_a_hook_says_when_its_imports_are_made(tmp_path: Path) -> None:
    text = """\
[tool.hooks-compile.imports]
".claude/hooks/*.py" = "deferred"
".claude/hooks/guard.py" = "as-written"
"tools/**" = "deferred"
"""
    write(tmp_path / "pyproject.toml", text)
    config = load_config(tmp_path)
    assert config.imports_of(".claude/hooks/log.py") == "deferred"
    assert config.imports_of(".claude/hooks/guard.py") == "as-written"
    assert config.imports_of(".claude/hooks/deeper/log.py") == "as-written"
    assert config.imports_of("tools/a/b.py") == "deferred"
    assert Config().imports_of("tools/a/b.py") == "as-written"
    write(tmp_path / "pyproject.toml", '[tool.hooks-compile]\nimports = "deferred"\n')
    assert load_config(tmp_path).imports_of("a/b/c") == "deferred"
    assert load_config(tmp_path).imports_of("c") == "deferred"
