"""What is worth saying about results, by the results that came before."""

from __future__ import annotations

from hooks_compile.model import State
from tests.watcher.results import HOOKS, NEW_PYTHON, OLD_PYTHON, blocked, broken, fine
from watcher.batching import Due
from watcher.ledger import Ledger
from watcher.model import Broken, Changed, Notice

GUARD = str(HOOKS / "guard.py")
SAVED = Due(GUARD, 10.0, quiet=False)
QUIET = Due(GUARD, 10.0, quiet=True)
SCANNED = Due(GUARD, None, quiet=False)
SCANNED_AGAIN = Due(GUARD, None, quiet=True)


def test_a_compiled_hook_is_news_with_the_time_since_its_save() -> None:
    news = Ledger("hook").enter([fine()], [SAVED], 10.004)
    (changed,) = news.changed
    assert changed.path == HOOKS / "guard.py"
    assert changed.ms is not None
    assert abs(changed.ms - 4) < 0.01
    assert not changed.mended
    assert (news.others, news.suspects) == ([], [])


def test_a_hook_that_is_as_it_was_is_no_news() -> None:
    ledger = Ledger("hook")
    ledger.enter([fine()], [SAVED], 10.0)
    news = ledger.enter([fine(state=State.FRESH)], [SAVED], 11.0)
    assert news == ([], [], [])


def test_a_version_that_was_compiled_before_is_news() -> None:
    """As after a switch to another branch and back."""
    ledger = Ledger("hook")
    ledger.enter([fine(content="a")], [SAVED], 10.0)
    ledger.enter([fine(content="b")], [SAVED], 11.0)
    news = ledger.enter([fine(content="a", state=State.FRESH)], [SAVED], 12.0)
    assert [changed.path.name for changed in news.changed] == ["guard.py"]


def test_a_broken_hook_is_only_reported_when_it_is_quiet() -> None:
    ledger = Ledger("hook")
    news = ledger.enter([broken()], [SAVED], 10.0)
    assert news == ([], [], [SAVED])
    assert ledger.broken == {}
    news = ledger.enter([broken()], [QUIET], 10.3)
    assert news.others == [Broken(HOOKS / "guard.py", "hook", (broken(),))]
    assert list(ledger.broken) == [GUARD]


def test_a_hook_whose_writer_goes_on_is_never_reported() -> None:
    ledger = Ledger("hook")
    ledger.enter([broken()], [SAVED], 10.0)
    news = ledger.enter([fine()], [SAVED], 10.2)
    assert not news.others
    assert not news.changed[0].mended


def test_a_broken_hook_is_said_again_at_each_save_but_not_at_each_scan() -> None:
    ledger = Ledger("hook")
    ledger.enter([broken()], [QUIET], 10.0)
    assert ledger.enter([broken()], [SCANNED], 20.0) == ([], [], [])
    assert ledger.enter([broken()], [SAVED], 30.0).suspects == [SAVED]
    assert len(ledger.enter([broken()], [QUIET], 30.3).others) == 1


def test_another_mistake_that_the_scan_finds_is_said() -> None:
    ledger = Ledger("hook")
    ledger.enter([broken(line=3)], [QUIET], 10.0)
    assert ledger.enter([broken(line=4)], [SCANNED], 20.0).suspects == [SCANNED]
    assert len(ledger.enter([broken(line=4)], [SCANNED_AGAIN], 20.3).others) == 1


def test_a_mended_hook_is_news_even_if_its_old_version_is_back() -> None:
    ledger = Ledger("hook")
    ledger.enter([fine()], [SAVED], 10.0)
    ledger.enter([broken()], [QUIET], 11.0)
    news = ledger.enter([fine(state=State.FRESH)], [SAVED], 12.0)
    assert [changed.mended for changed in news.changed] == [True]
    assert ledger.broken == {}


def test_a_hook_that_only_an_old_python_refuses_is_both() -> None:
    ledger = Ledger("hook")
    results = [fine(python=NEW_PYTHON), broken(python=OLD_PYTHON)]
    news = ledger.enter(results, [SAVED], 10.0)
    assert [changed.results for changed in news.changed] == [(results[0],)]
    assert news.suspects == [SAVED]
    again = [fine(python=NEW_PYTHON, state=State.FRESH), results[1]]
    news = ledger.enter(again, [QUIET], 10.3)
    assert news.changed == []
    assert news.others == [Broken(HOOKS / "guard.py", "hook", (results[1],))]
    all_fine = [fine(content="b"), fine(content="b", python=OLD_PYTHON)]
    assert ledger.enter(all_fine, [SAVED], 11.0).changed[0].mended


def test_what_keeps_an_entry_from_being_written_is_said_once() -> None:
    ledger = Ledger("hook")
    full = blocked(State.UNWRITABLE, "No space left on device")
    (notice,) = ledger.enter([full], [SAVED], 10.0).others
    assert isinstance(notice, Notice)
    assert notice.trouble
    assert "No space left on device" in notice.text
    assert not ledger.enter([full], [SAVED], 11.0).others
    ledger.enter([fine()], [SAVED], 12.0)
    assert ledger.enter([full], [SAVED], 13.0).others == [notice]
    gone = blocked(State.UNREADABLE, "Permission denied")
    assert ledger.enter([gone], [SAVED], 14.0).others != [notice]


def test_an_empty_hook_is_marked() -> None:
    news = Ledger("hook").enter([fine()], [QUIET], 10.3, empty={GUARD})
    assert news.changed == [
        Changed(HOOKS / "guard.py", "hook", (fine(),), news.changed[0].ms, False, True)
    ]


def test_the_entries_that_are_needed_are_those_of_the_last_results() -> None:
    ledger = Ledger("hook")
    other = Due(str(HOOKS / "other.py"), 10.0, quiet=False)
    ledger.enter([fine(content="a"), fine("other.py")], [SAVED, other], 10.0)
    ledger.enter([fine(content="b")], [SAVED], 11.0)
    names = ["guard.py.cpython-313.b.pyc", "other.py.cpython-313.a.pyc"]
    assert sorted(ledger.entry_names(str(HOOKS))) == names
    assert list(ledger.entry_names("/repo")) == []
    ledger.remove(GUARD)
    assert list(ledger.entry_names(str(HOOKS))) == names[1:]


def test_a_source_that_was_removed_is_broken_no_more() -> None:
    ledger = Ledger("module")
    ledger.enter([broken()], [QUIET], 10.0)
    ledger.remove(GUARD)
    ledger.remove(GUARD)
    assert ledger.broken == {}


def test_a_source_without_results_is_left_out() -> None:
    assert Ledger("hook").enter([], [SAVED], 10.0) == ([], [], [])
