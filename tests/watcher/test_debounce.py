"""When something is due, with a clock that the tests turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.batching import JUMP_S, LONGEST_S, QUIET_S, SETTLE_S, Clocks, Due, Pending, Settling

A, B = "/hooks/a.py", "/hooks/b.py"


def test_a_file_that_its_writer_closed_is_due_at_once() -> None:
    pending = Pending()
    pending.note(A, 10.0, whole=True)
    assert pending.next_due() == 10.0
    assert pending.take(10.0) == [Due(A, 10.0, quiet=False)]
    assert pending.take(99.0) == []
    assert pending.next_due() is None


def test_a_file_that_is_being_written_is_left_alone_until_it_is_quiet() -> None:
    pending = Pending()
    pending.note(A, 10.0, whole=False)
    assert pending.take(10.0 + QUIET_S / 2) == []
    pending.note(A, 10.2, whole=False)
    assert pending.take(10.0 + QUIET_S) == []
    assert pending.take(10.2 + QUIET_S) == [Due(A, 10.2, quiet=True)]


def test_closing_makes_a_file_due_whatever_came_before() -> None:
    pending = Pending()
    pending.note(A, 10.0, whole=False)
    pending.note(A, 10.1, whole=True)
    assert pending.take(10.1) == [Due(A, 10.1, quiet=False)]


def test_what_follows_closing_does_not_put_it_off() -> None:
    """A chmod after the save; the compilation waits for nothing."""
    pending = Pending()
    pending.note(A, 10.0, whole=True)
    pending.note(A, 10.001, whole=False)
    assert pending.take(10.002) == [Due(A, 10.001, quiet=False)]


def test_a_file_that_is_never_quiet_is_due_all_the_same() -> None:
    pending = Pending()
    now = 10.0
    while now < 10.0 + LONGEST_S:
        pending.note(A, now, whole=False)
        assert pending.take(now) == []
        now += QUIET_S / 2
    (due,) = pending.take(10.0 + LONGEST_S)
    assert not due.quiet


def test_a_second_look_waits_until_the_file_is_quiet() -> None:
    pending = Pending()
    pending.again(A, 10.05, since=10.0)
    assert pending.next_due() == 10.0 + QUIET_S
    assert pending.take(10.0 + QUIET_S) == [Due(A, 10.0, quiet=True)]


def test_a_second_look_at_what_no_event_told_of_tells_no_time() -> None:
    pending = Pending()
    pending.again(A, 10.0)
    assert pending.take(10.0 + QUIET_S) == [Due(A, None, quiet=True)]


def test_an_event_takes_the_place_of_a_second_look() -> None:
    pending = Pending()
    pending.again(A, 10.0, since=10.0)
    pending.note(A, 10.1, whole=False)
    assert pending.take(10.0 + QUIET_S) == []
    assert pending.take(10.1 + QUIET_S) == [Due(A, 10.1, quiet=True)]


def test_a_second_look_does_not_take_the_place_of_an_event() -> None:
    pending = Pending()
    pending.note(A, 10.0, whole=True)
    pending.again(A, 10.0, since=9.0)
    assert pending.take(10.0) == [Due(A, 10.0, quiet=False)]


def test_what_is_asked_for_is_due_at_once_and_tells_no_time() -> None:
    pending = Pending()
    pending.ask(A, 10.0)
    assert pending.take(10.0) == [Due(A, None, quiet=False)]
    pending.note(A, 11.0, whole=False)
    pending.ask(A, 11.0)
    assert pending.take(11.0) == []


def test_what_was_dropped_is_not_due() -> None:
    pending = Pending()
    pending.note(A, 10.0, whole=True)
    pending.note(B, 10.0, whole=True)
    pending.drop(A)
    pending.drop(A)
    assert len(pending) == 1
    assert [due.path for due in pending.take(10.0)] == [B]


EVENTS = st.lists(st.tuples(st.sampled_from([A, B]), st.booleans(), st.floats(0, 3)), min_size=1)


@given(EVENTS)
def test_no_event_is_ever_forgotten(events: list[tuple[str, bool, float]]) -> None:
    """Behind the last event of a file there is a look at it, and never more than LONGEST_S."""
    pending = Pending()
    now = 0.0
    last_event: dict[str, float] = {}
    last_look: dict[str, float] = {}
    for path, whole, pause in events:
        now += pause
        for due in pending.take(now):
            last_look[due.path] = now
        pending.note(path, now, whole=whole)
        last_event[path] = now
        due_at = pending.next_due()
        assert due_at is not None
        assert due_at <= now + LONGEST_S
    for due in pending.take(now + LONGEST_S):
        last_look[due.path] = now + LONGEST_S
    assert all(last_look[path] >= when for path, when in last_event.items())
    assert not len(pending)


def test_changes_settle_before_they_are_acted_upon() -> None:
    settling = Settling()
    assert settling.due is None
    assert not settling.take(1.0)
    settling.note(10.0)
    settling.note(10.04)
    assert not settling.take(10.0 + SETTLE_S)
    assert settling.take(10.04 + SETTLE_S)
    assert not settling.take(99.0)


def test_changes_that_never_settle_are_acted_upon_all_the_same() -> None:
    settling = Settling()
    now = 10.0
    while now < 10.0 + LONGEST_S - SETTLE_S:
        settling.note(now)
        now += SETTLE_S / 2
        assert not settling.take(now)
    settling.note(10.0 + LONGEST_S)
    assert settling.take(10.0 + LONGEST_S)


@pytest.mark.parametrize(
    ("wall", "monotonic", "jumped"),
    [
        (1.0, 1.0, False),
        (60.0, 60.0, False),
        (1.0 + JUMP_S / 2, 1.0, False),
        (3600.0, 1.0, True),  # slept: on Linux the monotonic clock stands still meanwhile
        (-3600.0, 1.0, True),  # somebody set the time back
    ],
)
def test_clocks_that_part_tell_of_a_sleep(wall: float, monotonic: float, jumped: bool) -> None:
    before = Clocks(1_700_000_000.0, 500.0)
    after = Clocks(before.wall + wall, before.monotonic + monotonic)
    assert before.jumped(after) is jumped
