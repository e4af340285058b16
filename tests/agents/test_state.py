"""The state that commands leave behind, against real shells: what is called certain is so."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks_compile.agents.shell.effects import State, follow
from hooks_compile.agents.shell.launches import Launch
from hooks_compile.agents.shell.syntax import parse
from hooks_compile.agents.wiring.command import Surroundings
from tests.support.tiers import scaled

SHELLS = [path for name in ("dash", "bash", "zsh", "busybox") if (path := shutil.which(name))]
LONGEST = 7
PROBE = 'printf "%s %s %s\\n" NUMBER "$PWD" "/$A" >&2'
COMMANDS = st.sampled_from(
    [
        *(
            "cd a",
            "cd a",
            "cd ..",
            "true",
            "false",
            "exit 0",
            "A=b",
            "A=c",
            "export A=d",
            "unset A",
        ),
        *(
            PROBE,
            f"if cd a; then {PROBE}; else A=e; fi",
            f"if false; then cd a; elif A=$A; then\n{PROBE}; fi",
        ),
        "if true; then if false || A=f; then cd ..; fi; fi",
    ]
)
OPERATORS = st.sampled_from(["&&", "&&", "||", ";", "|", "&", "\n"])


def last_state(command: str) -> State:
    return list(follow(parse(command)))[-1][1]


@pytest.fixture(scope="module")
def middle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory from which `cd a` and `cd ..` lead on as often as one likes."""
    top = tmp_path_factory.mktemp("top").resolve()
    start = top.joinpath(*["a"] * LONGEST)
    start.joinpath(*["a"] * LONGEST).mkdir(parents=True)
    return start


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=scaled(25, 80, 2000))
@given(parts=st.lists(st.tuples(COMMANDS, OPERATORS), max_size=LONGEST - 1))
def test_if_a_directory_or_a_value_is_certain_it_is_so_in_a_real_shell(
    shell: str, middle: Path, parts: list[tuple[str, str]]
) -> None:
    line = "".join(f"{command} {operator} " for command, operator in [*parts, (PROBE, ";")])
    while "NUMBER" in line:
        line = line.replace("NUMBER", str(line.count("NUMBER")), 1)
    around = Surroundings(lambda _: None, (middle,), {"A": "z"}, frozenset(), {})
    certain = {}
    for simple, state in follow(parse(line)):
        if simple.words and simple.words[0].text == "printf":
            for number, word in enumerate(simple.words[3:]):
                found = around.possible_paths(word, Launch(None, word, state))
                certain[simple.words[2].text, number] = [str(path) for path in found]
    words = [shell, "sh", "-c"] if shell.endswith("busybox") else [shell, "-c"]
    done = subprocess.run(
        [*words, line], cwd=middle, capture_output=True, text=True, check=False, env={"A": "z"}
    )
    for seen in done.stderr.splitlines():
        which, *values = seen.split(" ")
        if which.isdigit():  # else the shell itself says something
            for number, value in enumerate(values):
                assert certain[which, number] in ([], [str(Path(value))]), line


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("A=b; x", {"A"}),
        ("A=b c; x", {"A"}),
        ("export A=b C; x", {"A", "C"}),
        ("export 'A=b'; x", {"A"}),
        ("readonly A=$(c); x", {"A"}),
        ("read -r A B; x", {"A", "B"}),
        ("unset A; x", {"A"}),
        ("A=b | c; x", set()),
        ("PATH=a:$PATH; x", set()),
        ('export "PATH=a:$PATH" A=b; x', {"A"}),
        ("PATH=a; x", {"PATH"}),
        ("x A=b", set()),
    ],
)
def test_the_variables_that_are_set_in_front_are_known(line: str, changed: set[str]) -> None:
    state = last_state(line)
    assert (set(state.changed), state.doubt) == (changed, "")


@pytest.mark.parametrize(
    "line",
    [
        "export $A; x",
        "read $A; x",
        "$A; x",
        "$(a); x",
        ". a; x",
        ". ./activate; x",
        "source a/bin/activate b; x",
        "set -x; x",
        "set a b; x",
        "command eval a; x",
        "builtin $A; x",
        "printf -v A b; x",
        "trap a DEBUG; x",
        "set -x & x",
        "true && shopt -s a; x",
    ],
)
def test_what_may_change_the_meaning_of_words_leaves_doubt(line: str) -> None:
    assert last_state(line).doubt != ""


@pytest.mark.parametrize(
    "line",
    [
        "$A/b; x",
        "./set -x; x",
        "set -euo pipefail; x",
        ". .venv/bin/activate; x",
        'source "$A"/bin/activate && x',
        "command -v a; x",
        "printf -- a; x",
        "set -x | a; x",
        "[ -f a ]; x",
    ],
)
def test_what_leaves_words_as_they_are_leaves_no_doubt(line: str) -> None:
    assert last_state(line) == State()
