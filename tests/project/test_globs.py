from __future__ import annotations

import time

import pytest

from hooks_compile.project.globs import Glob


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("a.py", ["a.py"], ["b/a.py", "a.pyc", "xa.py", "a.py/b"]),
        ("./a//b.py", ["a/b.py"], ["a/c.py"]),
        ("*.py", ["a.py", ".py", ".hidden.py", "ü.py", "a\nb.py"], ["b/a.py", "a.txt", "a.py\n"]),
        ("a?c.py", ["abc.py"], ["ac.py", "a/c.py"]),
        ("[ab].py", ["a.py", "b.py"], ["c.py", "ab.py"]),
        ("[!ab].py", ["c.py"], ["a.py"]),
        ("[.py", ["[.py"], ["x.py"]),
        ("tools/*.py", ["tools/a.py"], ["a.py", "tools/b/a.py", "x/tools/a.py"]),
        ("tools/*", ["tools/a"], ["tools/b/a.py", "tools"]),
        ("**/*.py", ["a.py", "b/a.py", "c/b/a.py"], ["a.txt"]),
        ("a/**/b/*.py", ["a/b/x.py", "a/c/d/b/x.py", "a/b/b/x.py"], ["b/x.py", "a/b/c/x.py"]),
        ("a/**", ["a/x.py", "a/b/x.py"], ["b/x.py"]),
        ("**", ["x.py", "a/b"], []),
        ("*/", ["a/x.py", "a/b/x.py"], ["x.py"]),
        ("A.py", ["A.py"], ["a.py"]),
    ],
)
def test_what_a_glob_matches(pattern: str, matching: list[str], others: list[str]) -> None:
    glob = Glob.parse(pattern)
    assert [name for name in matching if not glob.matches(name)] == []
    assert [name for name in others if glob.matches(name)] == []


@pytest.mark.parametrize("pattern", ["a/b", "a/b/", "a/*", "**/b", "a"])
def test_a_glob_covers_all_that_is_in_a_directory_it_matches(pattern: str) -> None:
    glob = Glob.parse(pattern)
    assert glob.covers("a/b/c/x.py")
    assert glob.covers("a/b")
    assert not glob.covers("c/x.py")


@pytest.mark.parametrize(
    ("pattern", "literal", "prefix"),
    [
        ("a/b.py", "a/b.py", "a"),
        ("a/b/", "a/b", "a"),
        ("./b.py", "b.py", ""),
        ("a/*/c.py", None, "a"),
        ("a/b/**", None, "a/b"),
        ("*.py", None, ""),
    ],
)
def test_a_glob_knows_whether_it_is_literal_and_where_its_matches_are(
    pattern: str, literal: str | None, prefix: str
) -> None:
    glob = Glob.parse(pattern)
    assert (glob.literal, glob.prefix) == (literal, prefix)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "names no file"),
        (".", "names no file"),
        ("./", "names no file"),
        ("..", "names no file"),
        ("a\0b", "names no file"),
        ("../x.py", "has .."),
        ("a/../../x.py", "has .."),
        ("**/../x.py", "has .."),
        ("/etc/*.py", "not relative"),
        ("~/x.py", "not relative"),
        ("~root/x.py", "not relative"),
        ("C:/x.py", "not relative"),
        ("C:x.py", "not relative"),
        ("..\\x.py", "backslash"),
    ],
)
def test_a_glob_that_could_leave_the_root_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Glob.parse(pattern)


@pytest.mark.parametrize("pattern", ["a*" * 40 + "b", "**/a*/" * 40 + "b", "**/" * 200 + "b"])
def test_a_hostile_glob_takes_no_exponential_time(pattern: str) -> None:
    start = time.process_time()
    glob = Glob.parse(pattern)
    assert not glob.matches("a" * 200 + "/a" * 100)
    assert not glob.covers("a" * 200 + "/a" * 100)
    assert time.process_time() - start < 1
