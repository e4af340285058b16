"""One command, where the table of shapes does not reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from hooks_compile.agents.shell.launches import NO_PYTHON, RefusedError
from hooks_compile.agents.wiring.command import (
    Script,
    Surroundings,
    shebang_refusal,
    unwire_command,
    wire_command,
    wired_wrappers,
)

ROOT = Path("/project")


def around(**variables: str) -> Surroundings:
    return Surroundings(
        lambda path: Script(b"import sys\n") if path.suffix == ".py" else None,
        (ROOT,),
        variables,
        frozenset(),
        {},
    )


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ('python3 "$HOOK"', {"HOOK": "/project/hooks/x.py"}),
        ('python3 "$DIRECTORY"x.py', {"DIRECTORY": "/project/hooks/"}),
    ],
)
def test_a_directory_that_is_hidden_in_a_variable_has_no_wrapper(
    command: str, variables: dict[str, str]
) -> None:
    with pytest.raises(RefusedError, match="directory and name can't be told apart"):
        wire_command(command, around(**variables))


def test_the_wrapper_stays_one_word_if_the_directory_has_quotes_and_spaces() -> None:
    command = "python3 $A'/it'\\''s '\"here\"/$B\\ b/x.py"
    outcome = wire_command(command, around(A="/project", B="c"))
    assert outcome is not None
    assert outcome.wrappers == (Path("/project/it's here/c b/hook_wrapper.sh"),)
    assert outcome.command == (
        "sh \"$A\"/it''\"'\"'''s 'here/\"$B\"' 'b"
        "/hook_wrapper.sh $A'/it'\\''s '\"here\"/$B\\ b/x.py"
    )


@pytest.mark.parametrize(
    "command",
    [
        *("", "echo a", "if a; then b; fi", "sh ./hook_wrapper.sh", "sh other_wrapper.sh x.py"),
        'sh ./hook_"wrapper".sh --beside=x.py',
    ],
)
def test_a_command_without_our_wrapper_has_nothing_to_take_off(command: str) -> None:
    assert unwire_command(command, around()) is None


@pytest.mark.parametrize(
    ("wired", "old"),
    [
        ('"$(pwd)/hook_wrapper.sh" --beside=x.py a', 'python3 "$(pwd)/x.py" a'),
        ('"$(pwd)/hook_wrapper.sh" --shebang --beside=x.py a', '"$(pwd)/x.py" a'),
        ('/bin/sh "$(pwd)/hook_wrapper.sh" --uv=bin/uv --beside=x.py', 'bin/uv run "$(pwd)/x.py"'),
        ("if sh ./hook_wrapper.sh x.py; then a; fi", "if python3 x.py; then a; fi"),
    ],
)
def test_a_line_that_was_written_by_hand_comes_off(wired: str, old: str) -> None:
    back = unwire_command(wired, around())
    assert back is not None
    assert back.command == old


def test_a_wrapper_whose_directory_is_not_known_is_taken_for_ours() -> None:
    back = unwire_command('sh "$SOMEWHERE"/hook_wrapper.sh "$SOMEWHERE"/x.py', around())
    assert back is not None
    assert back.command == 'python3 "$SOMEWHERE"/x.py'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"#!/usr/bin/env python3", ""),
        (b"#!/usr/bin/env python", ""),
        (b"#! /usr/bin/env  python3.12 ", ""),
        (b"#!/usr/bin/python3", ""),
        (b"#!/project/.venv/bin/python", ""),
        (b"#!/usr/bin/pypy3", ""),
        (b"#!/usr/bin/python3 -u", "its first line is `#!/usr/bin/python3 -u`"),
        (b"#!/usr/bin/env python3 -u", "its first line is `#!/usr/bin/env python3 -u`"),
        (b"#!/usr/bin/env -S python3", "its first line is `#!/usr/bin/env -S python3`"),
        (b"#!/usr/bin/env python2", "its first line is `#!/usr/bin/env python2`"),
        (b"#!python3", "its first line is `#!python3`"),
        (b"#!", NO_PYTHON),
        (b"#!/bin/sh", NO_PYTHON),
        (b"#!/usr/bin/env node", NO_PYTHON),
        (b"#!/usr/bin/env", NO_PYTHON),
        (b"import sys", NO_PYTHON),
        (b"\x7fELF", NO_PYTHON),
        (b"", NO_PYTHON),
    ],
)
def test_a_first_line_is_plain_python_or_says_why_not(line: bytes, expected: str) -> None:
    assert shebang_refusal(line + b"\nimport python\n") == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("sh hooks/hook_wrapper.sh hooks/x.py", ["hooks"]),
        ("sh hooks/hook_wrapper.sh -u -W ignore hooks/x.py --a", ["hooks"]),
        ("sh hooks/hook_wrapper.sh --python=python hooks/x.py", ["hooks"]),
        ("cd hooks && sh ./hook_wrapper.sh x.py", ["hooks"]),
        ('sh "$PWD"/hooks/hook_wrapper.sh "$PWD"/hooks/x.py', ["hooks"]),
        ("sh /project/hooks/hook_wrapper.sh /project/hooks/x.py", ["hooks"]),
        ("sh a/hook_wrapper.sh a/x.py; sh ./b/hook_wrapper.sh b/x.py", ["a", "b"]),
        ("sh a/hook_wrapper.sh a/x.py && sh a/hook_wrapper.sh a/y.py", ["a"]),
        ("sh a/hook_wrapper.sh b/x.py", []),
        ("sh a/hook_wrapper.sh a/gone.sh", []),
        ("sh a/hook_wrapper.sh", []),
        ("sh a/hook_wrapper.sh -c pass", []),
        ("sh $A/hook_wrapper.sh $A/x.py", []),
        ("python3 a/x.py", []),
        ("if a; then b; fi", []),
    ],
)
def test_the_wrappers_that_a_command_calls_are_known_when_they_are_gone(
    command: str, expected: list[str]
) -> None:
    wrappers = wired_wrappers(command, around())
    assert list(dict.fromkeys(wrappers)) == [ROOT / name / "hook_wrapper.sh" for name in expected]


def test_a_wrapper_outside_of_the_project_is_not_written_for_a_command() -> None:
    here = around()
    outside = here._replace(look=lambda _: Script(b"", "outside"))
    assert wired_wrappers("sh a/hook_wrapper.sh a/x.py", outside) == []
