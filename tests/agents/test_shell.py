"""The reader of command lines, against what it says and against real shells."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hooks_compile.agents.shell.syntax import (
    Literal,
    NotUnderstoodError,
    Parameter,
    Unknown,
    assignment_name,
    expand,
    parse,
)
from tests.support.tiers import scaled

VARIABLES = {"HOME": "/home/somebody", "ROOT": "/some/where", "EMPTY": ""}
NO_END = " without its end, or a backtick"
SHELLS = [path for name in ("dash", "bash", "zsh", "busybox") if (path := shutil.which(name))]


def texts(command: str) -> list[list[str]]:
    return [[word.text for word in simple.words] for simple in parse(command)]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("", []),
        ("  \n # only a comment\n", []),
        ("a b  c", [["a", "b", "c"]]),
        ("a&&b||c;d|e&f\ng", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]]),
        ("a &&\n\n b", [["a"], ["b"]]),
        ("a 'b c' \"d e\" f\\ g", [["a", "'b c'", '"d e"', "f\\ g"]]),
        ("a b \\\n d >\\\n e", [["a", "b", "d"]]),
        ("a # not b\nc#d", [["a"], ["c#d"]]),
        ("a >f 2>&1 <g b 3>>h >|i <>j", [["a", "b"]]),
        ("a &>f b &>>g", [["a", "b"]]),
        ("a 2 >f", [["a", "2"]]),
        ("A=b C='d e' f G=h", [["f", "G=h"]]),
        ("a $(b; c '(' \"$d\" <f) e", [["a", "$(b; c '(' \"$d\" <f)", "e"]]),
        ("a $((1 + 2)) e", [["a", "$((1 + 2))", "e"]]),
        ("a ${B:-$C/d} e", [["a", "${B:-$C/d}", "e"]]),
        ("a;", [["a"]]),
        ("a &", [["a"]]),
        ("a\r", [["a\r"]]),
    ],
)
def test_words_are_found_with_their_exact_text(command: str, expected: list[list[str]]) -> None:
    assert texts(command) == expected
    for simple in parse(command):
        for word in (*simple.words, *simple.assignments):
            assert command[word.start : word.end] == word.text


def test_a_command_knows_its_assignments_redirections_and_operator() -> None:
    first, second = parse("A=b c 2>> 'd e' && f")
    assert [word.text for word in first.assignments] == ["A=b"]
    assert assignment_name(first.assignments[0]) == "A"
    assert assignment_name(first.words[0]) == ""
    assert [word.text for word in first.words] == ["c"]
    assert (first.operator, second.operator) == ("&&", "")


def test_the_parts_of_a_word_say_what_is_quoted_and_what_is_expanded() -> None:
    (simple,) = parse("x ~/a\"$B\"'c'${D:-e}$(f)*")
    assert simple.words[1].parts == (
        Parameter("~", "HOME", quoted=False),
        Literal("/a"),
        Parameter("$B", "B", quoted=True),
        Literal("c"),
        Parameter("${D:-e}", "D", quoted=False, operator=":-", argument="e"),
        Unknown("$(f)"),
        Unknown("*"),
    )


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("if a; then b", "`if` without its end"),
        ("a; fi", "`fi` without an `if`"),
        ("else a; fi", "`else` without an `if`"),
        ("for x in a; do b; done", "`for` begins a compound command"),
        ("while a; do b; done", "`while` begins a compound command"),
        ("case a in b) c;; esac", "`case` begins a compound command"),
        ("! a", "`!` begins a compound command"),
        ("{ a; }", "`{` begins a compound command"),
        ("[[ a ]]", "`[[` begins a compound command"),
        ("time a", "`time` begins a compound command"),
        ("(a)", "no plain command before `(`"),
        ("f() { a; }", "no plain command before `(`"),
        ("a )", "no plain command before `)`"),
        ("A=(b)", "no plain command before `(`"),
        ("a <<E\nb\nE", "no file behind `<`"),
        ("a <<<b", "no file behind `<`"),
        ("a <(b)", "no file behind `<`"),
        ("a `b`", NO_END),
        ('a "`b`"', NO_END),
        ("a $'b'", "`$'`, which only some shells know"),
        ('a $"b"', '`$"`, which only some shells know'),
        ("a ${b/c/d}", "a `${...}` that is more than a variable and its default"),
        ("a ${b:-${c}}", "a `${...}` that is more than a variable and its default"),
        ("a ${b:-'c'}", "a `${...}` that is more than a variable and its default"),
        ("a ${b", "a `${...}` that is more than a variable and its default"),
        ("a b\\\nc", NO_END),
        ("a $(b", "a `$(...)` with more than plain commands inside"),
        ('a $(b "$(c)")', "a `$(...)` with more than plain commands inside"),
        ("a $(cat <<E)", "a `$(...)` with more than plain commands inside"),
        ("a $(case b in c) d;; esac)", "no plain command before `;`"),
        ("a $(b # c)", "a `$(...)` with more than plain commands inside"),
        ("a 'b", NO_END),
        ('a "b', NO_END),
        ("a \\", NO_END),
        ("a &&", "nothing behind `&&`"),
        ("&& a", "no plain command before `&`"),
        ("a ;; b", "no plain command before `;`"),
        ("a |& b", "no plain command before `&`"),
        ("a >", "no file behind `>`"),
        ("$(" * 50_000, "a `$(...)` with more than plain commands inside"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_not_understood_is_refused_with_the_reason(command: str, reason: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        parse(command)
    assert str(caught.value) == reason or (reason == NO_END and reason in str(caught.value))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("plain", "plain"),
        ("'a b'\"c\"\\d", "a bcd"),
        ("~/x", "/home/somebody/x"),
        ("~other/x", None),
        ("'~/x'", "~/x"),
        ("a~", "a~"),
        ("$ROOT/x", "/some/where/x"),
        ('"${ROOT}"/x', "/some/where/x"),
        ("'$ROOT'", "$ROOT"),
        ("\\$ROOT", "$ROOT"),
        ("$OTHER/x", None),
        ("${OTHER:-d}/x", "d/x"),
        ("${OTHER:-$ROOT/d}", "/some/where/d"),
        ("${OTHER:-$(pwd)}", None),
        ("${OTHER-}", ""),
        ("${UNKNOWN:-d}", None),
        ("${ROOT:+d}/x", None),
        ("${ROOT:-$OTHER/d}/x", "/some/where/x"),
        ("${ROOT:-a b}/x", None),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("$EMPTY", ""),
        ("${EMPTY}x", "x"),
        ("$(pwd)/x", None),
        ("*.py", None),
        ("a$", "a$"),
        ("$1", None),
        ("$é", None),
        ("$HOME:h", None),
    ],
)
def test_a_word_is_expanded_as_far_as_it_is_known(word: str, expected: str | None) -> None:
    (simple,) = parse(f"x {word}")
    assert expand(simple.words[1], {**VARIABLES, "UNKNOWN": None}) == expected


BARE = st.sampled_from(
    ("a", "b/c", "é", "-x", "=", "\\ ", " ", "\\\n", "$HOME", "${ROOT}", "~", "/", ".", "%", "!")
)
IN_QUOTES = st.sampled_from(
    ("a", " ", "=", "#", "$", "{", "}", ";", "&&", "|", "\n", "~", "[", ":")
)
SINGLE_QUOTED = st.lists(IN_QUOTES | st.sampled_from(('"', "\\", "$HOME")), max_size=4).map(
    lambda pieces: "'" + "".join(pieces) + "'"
)
DOUBLE_QUOTED = st.lists(IN_QUOTES | st.sampled_from(("'", '\\"', "${ROOT}")), max_size=4).map(
    lambda pieces: '"' + "".join(pieces) + '"'
)
# What ends a command, a quote or a word, or what our reader does not expand: mostly one that it
# refuses. At most one of them, so that few commands are thrown away.
ODD = st.sampled_from(
    ("'", '"', "\\", "${NO:-d}", "#", "$", "{", "}", ";", "&&", "|", "\n", "[", "+")
)
PIECES = st.tuples(
    st.lists(BARE | SINGLE_QUOTED | DOUBLE_QUOTED, min_size=1, max_size=8),
    st.just("") | st.just("") | st.just("") | ODD,
    st.lists(BARE | SINGLE_QUOTED | DOUBLE_QUOTED, max_size=2),
).map(lambda parts: [*parts[0], parts[1], *parts[2]])


@pytest.mark.parametrize("shell", SHELLS)
@settings(max_examples=scaled(25, 60, 2000))
@given(pieces=PIECES, pick=st.integers(0, 20))
def test_real_shells_see_the_words_where_the_spans_say(
    shell: str, pieces: list[str], pick: int
) -> None:
    command = "printf '<%s>' " + "".join(pieces)
    try:
        first, *others = parse(command)
    except NotUnderstoodError:
        assume(False)
        return
    assume(not others and first.operator in ("", "\n", ";"))
    values = [expand(word, VARIABLES) for word in first.words[2:]]
    assume(values and None not in values)
    assert output(shell, command) == "".join(f"<{value}>" for value in values)
    # The span of a word is the word: with another text there, exactly that argument changes.
    index = pick % len(values)
    word = first.words[2 + index]
    values[index] = "zz"
    changed = command[: word.start] + "zz" + command[word.end :]
    assert output(shell, changed) == "".join(f"<{value}>" for value in values)


def output(shell: str, command: str) -> str:
    words = [shell, "sh", "-c"] if shell.endswith("busybox") else [shell, "-c"]
    finished = subprocess.run(
        [*words, command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**VARIABLES, "PATH": os.defpath, "LANG": "C.UTF-8"},
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
