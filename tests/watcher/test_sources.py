"""What is worth reporting about the results of a compilation, by those that came before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile.entries.compiler import Compiler
from hooks_compile.model import HookSource
from tests.support.interpreters_found import found
from tests.support.launches import User, interpreter_record
from tests.support.repositories import write
from watcher import lines
from watcher.debounce import QUIET_S
from watcher.sources import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watcher.lines import Message


BROKEN = "print((\n"


class Known:
    """Sources with a real compiler, and a clock that the tests turn."""

    def __init__(self, directory: Path, compiler: Compiler) -> None:
        self.now = 10.0
        self.guard = write(directory / "guard.py", "print(1)\n")
        self.other = write(directory / "other.py", "print(2)\n")
        self.compiler = compiler
        self.sources = Sources(lambda: self.now)
        self.find(self.guard, self.other)
        self.compile()

    def find(self, *hooks: Path, modules: tuple[Path, ...] = ()) -> list[Message]:
        return self.sources.replace(
            {str(path): HookSource(path) for path in hooks},
            {str(path): HookSource(path, "local module") for path in modules},
        )

    def compile(self) -> list[Message]:
        return self.sources.compile_due(self.compiler, 100)

    def save(self, content: str, path: Path | None = None) -> list[Message]:
        """Save the guard (or another source), as an event reports it."""
        target = path or self.guard
        target.write_text(content)
        self.sources.due.note(str(target), self.now, 0.0, since=self.now)
        self.now += 0.004
        return self.compile()

    def scan(self) -> list[Message]:
        self.sources.compare_all()
        return self.compile()

    def wait(self) -> list[Message]:
        """Let the file be quiet."""
        self.now += QUIET_S
        return self.compile()


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User.create(tmp_path)


@pytest.fixture
def known(user: User, tmp_path: Path) -> Iterator[Known]:
    with Compiler([user.interpreter], user.key) as compiler:
        yield Known(tmp_path / "hooks", compiler)


def changes(messages: list[Message]) -> list[dict[str, Any]]:
    return [message.value for message in messages if message.event == "changed"]


def test_a_compiled_hook_is_reported_with_the_time_since_its_save(known: Known) -> None:
    (changed,) = changes(known.save("print(3)\n"))
    assert changed["path"] == str(known.guard)
    assert abs(changed["ms"] - 4) < 0.1
    assert not changed["fixed"]
    assert Path(changed["results"][0]["entry"]).exists()


def test_a_hook_that_is_as_it_was_is_not_reported(known: Known) -> None:
    assert known.save("print(1)\n") == []
    assert known.scan() == []


def test_a_version_that_was_compiled_before_is_reported(known: Known) -> None:
    """As after a switch to another branch and back."""
    known.save("print(3)\n")
    (changed,) = changes(known.save("print(1)\n"))
    assert changed["results"][0]["state"] == "fresh"


def test_a_broken_hook_is_only_reported_when_it_is_quiet(known: Known) -> None:
    assert known.save(BROKEN) == []
    assert known.sources.broken == {}
    (message,) = known.wait()
    assert message.event == "broken"
    assert message.value["path"] == str(known.guard)
    assert message.value["kind"] == "hook"
    assert list(known.sources.broken) == [str(known.guard)]
    assert known.sources.counts == {"broken": 1, "compiled": 1}


def test_a_hook_whose_writer_goes_on_is_never_reported_as_broken(known: Known) -> None:
    known.save(BROKEN)
    known.now += QUIET_S / 2
    (changed,) = changes(known.save("print(3)\n"))
    assert not changed["fixed"]
    assert known.wait() == []


def test_a_broken_hook_is_reported_again_at_each_save_but_not_at_each_scan(known: Known) -> None:
    known.save(BROKEN)
    known.wait()
    assert known.scan() == []
    assert known.wait() == []
    assert known.save(BROKEN) == []
    assert len(known.wait()) == 1


def test_another_error_that_the_scan_finds_is_reported(known: Known) -> None:
    known.save(BROKEN)
    known.wait()
    known.guard.write_text(f"\n{BROKEN}")
    assert known.scan() == []
    (message,) = known.wait()
    assert message.event == "broken"
    assert message.value["results"][0]["error"]["line"] == 2


def test_a_fixed_hook_is_reported_even_if_its_old_version_is_back(known: Known) -> None:
    known.save(BROKEN)
    known.wait()
    (changed,) = changes(known.save("print(1)\n"))
    assert changed["fixed"]
    assert known.sources.broken == {}


def test_a_hook_that_only_one_python_refuses_is_both(user: User, tmp_path: Path) -> None:
    old = [each for each in found() if each.is_cpython and each.version < (3, 10)]
    if not old or user.interpreter.version < (3, 10):
        pytest.skip("there is no CPython from before 3.10 here")
    with Compiler([user.interpreter, interpreter_record(old[0])], user.key) as compiler:
        known = Known(tmp_path / "hooks", compiler)
        assert known.save("match 1:\n    case 1: print(1)\n") == []
        compiled, broken = known.wait()
        (changed,) = changes([compiled])
        assert [each["interpreter"] for each in changed["results"]] == [user.python]
        assert broken.event == "broken"
        under = [each["interpreter"] for each in broken.value["results"]]
        assert under == [str(old[0].executable)]
        (changed,) = changes(known.save("print(3)\n"))
        assert changed["fixed"]
        assert len(changed["results"]) == 2


def test_what_keeps_an_entry_from_being_written_is_reported_once(
    user: User, unprivileged: Path
) -> None:
    with Compiler([user.interpreter], bytes(16)) as compiler:
        known = Known(unprivileged / "hooks", compiler)
        cache = known.guard.parent / "__pycache_opt__"
        cache.chmod(0o500)
        (notice,) = known.save("print(3)\n")
        assert notice.event == "trouble"
        text = notice.value["text"]
        assert "its entry can't be written" in text
        assert f'Permission denied\n  to fix it: sudo chown -R "$(id -un)" {cache}' in text
        assert known.save("print(4)\n") == []
        cache.chmod(0o700)
        assert len(changes(known.save("print(5)\n"))) == 1
        cache.chmod(0o500)
        assert known.save("print(6)\n") == [notice]
        cache.chmod(0o700)


def test_an_empty_hook_is_left_alone_for_a_moment_and_marked_then(known: Known) -> None:
    assert known.save("") == []
    (changed,) = changes(known.wait())
    assert changed["empty"]


def test_a_hook_that_is_empty_for_a_moment_is_not_taken_for_an_empty_hook(known: Known) -> None:
    known.save("")
    known.now += QUIET_S / 2
    (changed,) = changes(known.save("print(3)\n"))
    assert not changed["empty"]
    assert known.wait() == []


def test_the_entries_in_use_are_known(known: Known) -> None:
    known.save("print(3)\n")
    known.save("print(1)\n")
    (changed,) = changes(known.save("print(4)\n"))
    assert len(known.sources.entries) == 2
    assert Path(changed["results"][0]["entry"]).name in known.sources.entries


def test_what_is_removed_is_reported_once_and_broken_no_more(known: Known) -> None:
    known.find(known.guard, known.other, modules=(known.guard,))  # others import it
    known.save(BROKEN)
    known.wait()
    assert known.find(known.other) == [lines.removed(known.guard, "hook")]
    assert known.sources.broken == {}
    assert known.sources.counts == {"compiled": 1}
    assert known.find(known.other) == []


def test_a_hook_whose_project_asks_for_other_imports_is_due(known: Known) -> None:
    hooks = {str(path): HookSource(path) for path in (known.guard, known.other)}
    hooks[str(known.guard)] = HookSource(known.guard, imports="deferred")
    assert known.sources.replace(hooks, {}) == []
    assert [due.key for due in known.sources.due.take(known.now, 9)] == [str(known.guard)]


def test_a_module_that_is_a_hook_now_is_due(known: Known) -> None:
    new = write(known.guard.with_name("new.py"), "print(3)\n")
    known.find(known.guard, known.other, modules=(new,))
    known.compile()
    known.find(known.guard, known.other, new)
    (changed,) = changes(known.compile())
    assert (changed["path"], changed["kind"]) == (str(new), "hook")


def test_a_source_that_vanished_is_left_to_the_next_survey(known: Known) -> None:
    known.guard.unlink()
    assert known.scan() == []
    assert known.wait() == []


def test_a_broken_module_is_reported_as_one(known: Known) -> None:
    module = write(known.guard.with_name("package") / "helper.py", BROKEN)
    known.find(known.guard, known.other, modules=(module,))
    known.compile()
    (message,) = known.wait()
    assert message.event == "broken"
    assert message.value["kind"] == "module"
    (changed,) = changes(known.save("X = 1\n", module))
    assert (changed["kind"], changed["fixed"]) == ("module", True)
    assert os.listdir(module.parent / "__pycache__")  # noqa: PTH208 - a name is enough
