"""When something is due, with a clock that the tests turn."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from watcher.debounce import LONGEST_S, QUIET_S, Debounce, Due

A, B = "/hooks/a.py", "/hooks/b.py"


def test_a_file_that_its_writer_closed_is_due_at_once() -> None:
    debounce = Debounce()
    debounce.note(A, 10.0, 0.0, since=10.0)
    assert debounce.next_due() == 10.0
    assert debounce.take(10.0, 9) == [Due(A, 10.0, quiet=False)]
    assert debounce.take(99.0, 9) == []
    assert debounce.next_due() == math.inf


def test_a_file_that_is_being_written_waits_until_it_is_quiet() -> None:
    debounce = Debounce()
    debounce.note(A, 10.0, QUIET_S, since=10.0)
    assert debounce.take(10.0 + QUIET_S / 2, 9) == []
    debounce.note(A, 10.2, QUIET_S, since=10.2)
    assert debounce.take(10.0 + QUIET_S, 9) == []
    assert debounce.take(10.2 + QUIET_S, 9) == [Due(A, 10.2, quiet=True)]


def test_closing_makes_a_file_due_whatever_came_before_and_comes_after() -> None:
    debounce = Debounce()
    debounce.note(A, 10.0, QUIET_S, since=10.0)
    debounce.note(A, 10.1, 0.0, since=10.1)
    debounce.note(A, 10.101, QUIET_S, since=10.101)  # as chmod does
    assert debounce.take(10.102, 9) == [Due(A, 10.101, quiet=False)]


def test_a_file_that_is_never_quiet_is_due_all_the_same() -> None:
    debounce = Debounce()
    now = 10.0
    while now < 10.0 + LONGEST_S:
        debounce.note(A, now, QUIET_S, since=now)
        assert debounce.take(now, 9) == []
        now += QUIET_S / 2
    (due,) = debounce.take(10.0 + LONGEST_S, 9)
    assert not due.quiet


def test_what_events_named_is_taken_first_and_no_more_than_asked_for() -> None:
    debounce = Debounce()
    for key in ("compared", "too"):
        debounce.note(key, 10.0)
    debounce.note(A, 10.1, 0.0, since=10.1)
    debounce.note("too", 10.2)
    assert [due.key for due in debounce.take(10.2, 2)] == [A, "compared"]
    assert debounce.take(99.0, 2) == [Due("too", None, quiet=False)]  # nobody waited for it


EVENTS = st.lists(st.tuples(st.sampled_from([A, B]), st.booleans(), st.floats(0, 3)), min_size=1)


@given(EVENTS)
def test_no_event_is_ever_forgotten(events: list[tuple[str, bool, float]]) -> None:
    """After the last event of a file it is due once more, in QUIET_S at most."""
    debounce = Debounce()
    now = 0.0
    last_event: dict[str, float] = {}
    last_look: dict[str, float] = {}
    for path, is_complete, pause in events:
        now += pause
        for due in debounce.take(now, 9):
            last_look[due.key] = now
        debounce.note(path, now, 0.0 if is_complete else QUIET_S, since=now)
        last_event[path] = now
        assert debounce.next_due() <= now + QUIET_S
    for due in debounce.take(now + QUIET_S, 9):
        last_look[due.key] = now + QUIET_S
    assert all(last_look[path] >= when for path, when in last_event.items())
    assert debounce.next_due() == math.inf
