"""What launches left behind, read again: whole lines, torn lines, and no lines at all."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks_compile.entries import fallbacks
from hooks_compile.entries.fallbacks import Fallback
from tests.support.launches import User, entries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINE = "1700000000\tcpython-311\tno entry\t'/hooks/hook.py'\n"
FALLBACK = Fallback(1_700_000_000, "cpython-311", "no entry", "/hooks/hook.py")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (LINE, 1),
        (LINE * 3, 3),
        (LINE + LINE[:30], 1),
        (LINE[:-1], 1),
        # the first part of a line, and the next one behind it
        (LINE[:4] + LINE, 0),
        (LINE[:12] + LINE + LINE, 1),
        (LINE[:40] + LINE, 0),
        ("\0" * 4096 + "\n" + LINE, 1),
        ("-1\tcpython-311\tno entry\t'/x'\n", 0),
        ("nan\tcpython-311\tno entry\t'/x'\n", 0),
        ("1\tcpython-311\tno entry\t'/x\n", 0),
        ("1\tcpython-311\tno entry\t(((((\n", 0),
        ("1\t2\t3\n\n\n\t\t\t\t\n", 0),
    ],
)
def test_whole_lines_count_and_torn_ones_do_not(text: str, count: int) -> None:
    assert fallbacks.parse_log(text) == [FALLBACK] * count


@given(
    text=st.lists(st.sampled_from([LINE, *LINE, "\0", "9" * 20, "\t", "\n", "é"])).map("".join),
)
def test_any_log_is_read_and_its_times_are_dates(text: str) -> None:
    for fallback in fallbacks.parse_log(text):
        datetime.datetime.fromtimestamp(fallback.time).astimezone()


def test_what_a_launch_records_is_read_again(tmp_path: Path) -> None:
    user = User.create(tmp_path / "home")
    hook = tmp_path / "hooks é\t\n\u2028'\"" / "a\\b.py"
    hook.parent.mkdir()
    hook.write_text("print(1)\n")
    assert user.launch(hook).state == "miss"
    assert user.launch(hook).state == "hit"
    (path,) = entries(hook.parent)
    path.write_bytes(b"damaged")
    assert user.launch(hook).state == "miss"
    first, second = fallbacks.read_log(user.runtime)
    assert (first.script, first.reason) == (str(hook), "no entry")
    assert (second.script, second.reason) == (str(hook), "the entry does not verify")
    assert first.cache_tag == user.interpreter.cache_tag
    assert 0 <= second.time - first.time < 60


def _missing(log: Path) -> None:
    assert not log.exists()


def _directory(log: Path) -> None:
    log.mkdir()


def _binary(log: Path) -> None:
    log.write_bytes(bytes(range(256)) * 10)


@pytest.mark.parametrize("make", [_missing, _directory, _binary])
def test_a_log_that_is_none_is_empty(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "fallbacks.log")
    assert fallbacks.read_log(tmp_path) == []
    fallbacks.shorten_log(tmp_path)
    fallbacks.shorten_log(tmp_path, keep_bytes=10)


@pytest.mark.parametrize("content", [LINE.encode() * 100, b"\0" * 5000, b"\n" * 5000])
def test_a_long_log_is_shortened_to_whole_lines_of_its_end(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "fallbacks.log"
    log.write_bytes(content)
    fallbacks.shorten_log(tmp_path, keep_bytes=len(content))
    assert log.read_bytes() == content, "it is not long"
    fallbacks.shorten_log(tmp_path, keep_bytes=500)
    assert content.endswith(log.read_bytes())
    assert log.stat().st_size <= 500
    assert all(fallback == FALLBACK for fallback in fallbacks.read_log(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["fallbacks.log"]


def test_a_launch_goes_on_recording_until_the_log_is_full(tmp_path: Path) -> None:
    user = User.create(tmp_path / "home")
    hook = tmp_path / "hook.py"
    hook.write_text("print(1)\n")
    log = user.runtime / "fallbacks.log"
    log.write_bytes(LINE.encode() * ((1 << 20) // len(LINE) + 1))
    size = log.stat().st_size
    assert user.launch(hook).state == "miss"
    assert log.stat().st_size == size
    fallbacks.shorten_log(user.runtime)
    size = log.stat().st_size
    hook.write_text("print(2)\n")
    assert user.launch(hook).state == "miss"
    assert log.stat().st_size > size
    assert fallbacks.read_log(user.runtime)[-1].script == str(hook)


def test_launches_are_counted_by_script(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    assert fallbacks.count_launches(trace) == {}
    user = User.create(tmp_path / "home").with_env(HOOKS_COMPILE_TRACE=str(trace))
    for name, times in (("a.py", 3), ("b\tc.py", 1), ("d\ne\u2028.py", 2), ("broken.py", 2)):
        (tmp_path / name).write_text("x = (\n" if name == "broken.py" else "print(1)\n")
        for _ in range(times):
            user.launch(name, cwd=tmp_path)
    assert fallbacks.count_launches(trace) == {
        "a.py": 3,
        "b\tc.py": 1,
        "d\\ne\u2028.py": 2,
        "broken.py": 2,
    }


def test_a_file_in_the_place_of_the_runtime_directory_has_no_log(tmp_path: Path) -> None:
    place = tmp_path / "runtime"
    place.touch()
    assert fallbacks.read_log(place) == []
    fallbacks.shorten_log(place)
