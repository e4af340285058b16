"""The modules of pre-commit-hooks, launched as scripts: source against wrapper, byte for byte."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hooks_compile.install import runtime_directory, wrapper
from tests.support.repositories import GitRepo

# module, arguments, files; each module once on what it passes and once on what it objects to
CASES: list[tuple[str, list[str], dict[str, bytes]]] = [
    ("check_added_large_files", ["--enforce-all", "--maxkb=1", "a.bin"], {"a.bin": b"x" * 100}),
    ("check_added_large_files", ["--enforce-all", "--maxkb=1", "a.bin"], {"a.bin": b"x" * 5000}),
    ("check_ast", ["a.py"], {"a.py": b"x = 1\n"}),
    ("check_ast", ["a.py"], {"a.py": b"def f(:\n"}),
    ("check_builtin_literals", ["a.py"], {"a.py": b"x = {}\n"}),
    ("check_builtin_literals", ["a.py"], {"a.py": b"x = dict()\ny = list()\n"}),
    ("check_case_conflict", ["a.txt"], {"a.txt": b""}),
    ("check_case_conflict", ["a.txt", "A.txt"], {"a.txt": b"", "A.txt": b""}),
    ("check_docstring_first", ["a.py"], {"a.py": b'"""doc"""\nx = 1\n'}),
    ("check_docstring_first", ["a.py"], {"a.py": b'x = 1\n"""doc"""\n'}),
    ("check_json", ["a.json"], {"a.json": b'{"a": 1}'}),
    ("check_json", ["a.json", "b.json"], {"a.json": b'{"a": 1, "a": 2}', "b.json": b"{"}),
    ("check_merge_conflict", ["--assume-in-merge", "a.txt"], {"a.txt": b"fine\n"}),
    ("check_merge_conflict", ["--assume-in-merge", "a.txt"], {"a.txt": b"<<<<<<< HEAD\n"}),
    ("check_toml", ["a.toml"], {"a.toml": b"a = 1\n"}),
    ("check_toml", ["a.toml"], {"a.toml": b"a = \n"}),
    ("check_vcs_permalinks", ["a.md"], {"a.md": b"text\n"}),
    ("check_xml", ["a.xml"], {"a.xml": b"<a></a>"}),
    ("check_xml", ["a.xml"], {"a.xml": b"<a><b></a>"}),
    ("check_yaml", ["a.yaml"], {"a.yaml": b"a: 1\n"}),
    ("check_yaml", ["a.yaml"], {"a.yaml": b"a: [1\n"}),
    ("debug_statement_hook", ["a.py"], {"a.py": b"x = 1\n"}),
    ("debug_statement_hook", ["a.py"], {"a.py": b"import pdb\nbreakpoint()\n"}),
    ("detect_private_key", ["a.txt"], {"a.txt": b"nothing\n"}),
    ("detect_private_key", ["a.txt"], {"a.txt": b"-----BEGIN RSA PRIVATE KEY-----\n"}),
    ("end_of_file_fixer", ["a.txt"], {"a.txt": b"line\n"}),
    ("end_of_file_fixer", ["a.txt", "b.txt"], {"a.txt": b"line", "b.txt": b"line\n\n\n"}),
    ("file_contents_sorter", ["a.txt"], {"a.txt": b"a\nb\n"}),
    ("file_contents_sorter", ["--ignore-case", "a.txt"], {"a.txt": b"b\nA\n"}),
    ("fix_byte_order_marker", ["a.txt"], {"a.txt": b"\xef\xbb\xbftext\n"}),
    ("fix_encoding_pragma", ["--remove", "a.py"], {"a.py": b"# -*- coding: utf-8 -*-\nx = 1\n"}),
    ("mixed_line_ending", ["a.txt"], {"a.txt": b"a\nb\n"}),
    ("mixed_line_ending", ["--fix=lf", "a.txt"], {"a.txt": b"a\r\nb\n"}),
    ("no_commit_to_branch", ["--branch", "other"], {"a.txt": b""}),
    ("pretty_format_json", ["a.json"], {"a.json": b'{\n  "a": 1\n}\n'}),
    ("pretty_format_json", ["--autofix", "a.json"], {"a.json": b'{"b":1,"a":2}'}),
    ("requirements_txt_fixer", ["a.txt"], {"a.txt": b"b==1\na==2\n"}),
    ("sort_simple_yaml", ["a.yaml"], {"a.yaml": b"b: 1\na: 2\n"}),
    ("string_fixer", ["a.py"], {"a.py": b"x = \"a\"\ny = 'b'\n"}),
    ("tests_should_end_in_test", ["--pytest-test-first", "tests/a.py"], {"tests/a.py": b""}),
    ("trailing_whitespace_fixer", ["a.txt"], {"a.txt": b"clean\n"}),
    ("trailing_whitespace_fixer", ["a.md", "b.md"], {"a.md": b"x  \n", "b.md": b"y\t \r\n"}),
    ("trailing_whitespace_fixer", ["--no-such-option"], {}),
    ("trailing_whitespace_fixer", ["missing.txt"], {}),
]


def _modules() -> Path:
    spec = importlib.util.find_spec("pre_commit_hooks")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _lay(directory: Path, module: str, files: dict[str, bytes]) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    repo = GitRepo.create(directory / "repo")
    for name, content in files.items():
        repo.write(name, content)
    repo.git("add", "--all")
    hooks = directory / "hooks"
    hooks.mkdir()
    shutil.copy(_modules() / f"{module}.py", hooks)


def _content(directory: Path) -> dict[str, bytes]:
    paths = (path for path in directory.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    ("module", "arguments", "files"),
    CASES,
    ids=[f"{number}-{case[0]}" for number, case in enumerate(CASES)],
)
def test_a_real_hook_does_the_same_from_source_miss_and_hit(
    module: str, arguments: list[str], files: dict[str, bytes], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    trace = tmp_path / "trace"
    runtime = tmp_path / "runtime"
    runtime_directory.ensure(runtime)
    script = Path(wrapper.__file__).parent.with_name("launcher") / wrapper.NAME
    hook = work / "hooks" / f"{module}.py"
    env = os.environ | {"HOOKS_COMPILE_HOME": str(runtime), "HOOKS_COMPILE_TRACE": str(trace)}
    by_wrapper = [str(script), f"--python={sys.executable}", str(hook), *arguments]
    by_source = [sys.executable, str(hook), *arguments]

    def launch(command: list[str], *, keep: Path | None = None) -> object:
        entries = work / "hooks" / "__pycache_opt__"
        if keep is not None and entries.exists():
            shutil.copytree(entries, keep)
        _lay(work, module, files)
        if keep is not None and keep.exists():
            shutil.copytree(keep, entries)
        done = subprocess.run(command, cwd=work / "repo", env=env, capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr, _content(work / "repo")

    source = launch(by_source)
    assert launch(by_wrapper) == source
    assert launch(by_wrapper, keep=tmp_path / "entries") == source
    assert [line.split("\t")[0] for line in trace.read_text().splitlines()] == ["miss", "hit"]


def test_the_cases_cover_passing_and_failing_hooks() -> None:
    modules = {path.stem for path in _modules().glob("*.py")}
    launched = {case[0] for case in CASES}
    assert launched <= modules
    # the rest needs a repository in a special state, or is no hook
    assert len(modules - launched) <= 12
