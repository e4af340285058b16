"""The parts of the assembled launcher: compiled, stored, loaded at first use."""

from __future__ import annotations

import _imp
import marshal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile.install import runtime_directory
from hooks_compile.launcher.collector import GC
from hooks_compile.launcher.lifecycle import Launch
from hooks_compile.launcher.prepare import prepare
from hooks_compile.launcher.start import make_parts, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUILD = "0123456789abcdef"
NAME = f"launch.py.{BUILD}.cpython-0"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture(autouse=True)
def _collector_goes_on() -> Iterator[None]:
    yield
    assert GC is not None
    GC.enable()


def private(path: Path, data: bytes) -> bytes:
    path.touch(0o600)
    path.write_bytes(data)
    return _imp.source_hash(sys.hexversion, data)


def loaded(directory: Path, digest: bytes) -> dict[str, Any]:
    return make_parts({"first": 1}, f"{directory}/", NAME, {"more": digest})


def test_a_part_is_loaded_at_first_use_and_sees_the_others(directory: Path) -> None:
    code = "import sys\nsys.loaded += 1\nown = _parts['start'].first + 1\n"
    digest = private(directory / f"{NAME}.more", marshal.dumps(compile(code, "more", "exec")))
    parts = loaded(directory, digest)
    vars(sys)["loaded"] = 0
    try:
        assert parts["start"].first == 1
        assert vars(sys)["loaded"] == 0
        assert (parts["more"].own, parts["more"].own) == (2, 2)
        assert vars(sys)["loaded"] == 1
        with pytest.raises(AttributeError):
            parts["more"].missing  # noqa: B018 - an attribute that is not there
    finally:
        del vars(sys)["loaded"]


def test_a_stored_part_that_is_not_as_it_was_made_is_compiled_from_its_source(
    directory: Path,
) -> None:
    private(directory / f"{BUILD}.more.py", b"own = 'source'\n")
    stored = directory / f"{NAME}.more"
    digest = private(stored, marshal.dumps(compile("own = 'stored'", "more", "exec")))
    assert loaded(directory, digest)["more"].own == "stored"
    stored.chmod(0o644)
    assert loaded(directory, digest)["more"].own == "source"
    private(stored, b"damaged")
    stored.chmod(0o600)
    assert loaded(directory, digest)["more"].own == "source"
    stored.unlink()
    assert loaded(directory, digest)["more"].own == "source"
    (directory / f"{BUILD}.more.py").chmod(0o666)
    with pytest.raises(PermissionError):
        loaded(directory, digest)["more"].own  # noqa: B018 - loads the part
    (directory / f"{BUILD}.more.py").unlink()
    with pytest.raises(FileNotFoundError):
        loaded(directory, digest)["more"].own  # noqa: B018 - loads the part


def launcher_in(directory: Path) -> tuple[str, list[str]]:
    """A runtime directory; the file for its compiled launcher, and the parts loaded on demand."""
    runtime_directory.ensure(directory)
    build = runtime_directory.build()
    on_demand = [path.name.split(".")[1] for path in directory.glob(f"{build}.*.py")]
    return f"{directory}/launch.py.{build}.test", sorted(set(on_demand) - {"start", "main"})


def test_preparing_stores_what_a_launch_loads(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, on_demand = launcher_in(directory)
    assert on_demand == ["miss", "snapshot", "uv"]
    monkeypatch.setattr(sys, "argv", [f"{directory}/launch.py", "hook.py"])
    scope: dict[str, Any] = {}
    prepare(path, on_demand, scope)
    assert scope["Launch"].__name__ == "Launch"
    made = sorted(directory.glob("launch.py.*"))
    assert [each.name for each in made] == [
        f"{path[len(str(directory)) + 1 :]}{end}" for end in ("", ".miss", ".snapshot", ".uv")
    ]
    assert {each.stat().st_mode & 0o777 for each in made} == {0o600}
    data = made[0].read_bytes()
    assert len(data) <= 8 + 65536, "launch.py reads no more"
    assert data[:8] == _imp.source_hash(sys.hexversion, data[8:])
    again: dict[str, Any] = {"data": data[8:]}
    exec(marshal.loads(data[8:]), again)  # noqa: S102, S302 - as launch.py does
    assert vars(again["Launch"]).keys() == vars(scope["Launch"]).keys()


def test_a_part_that_is_missing_or_damaged_can_not_be_prepared(directory: Path) -> None:
    path, on_demand = launcher_in(directory)
    (part,) = directory.glob("*.main.py")
    part.write_bytes(b"def (")
    with pytest.raises(SyntaxError):
        prepare(path, on_demand, {})
    part.unlink()
    with pytest.raises(FileNotFoundError):
        prepare(path, on_demand, {})
    assert not list(directory.glob("launch.py.*"))


def test_the_start_disables_the_collector_until_the_hook_begins(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [f"{directory}/launch.py", "hook.py"])
    assert GC is not None
    main = marshal.dumps(compile("Launch = _parts['start'].first", "main", "exec"))
    names = {"first": Launch, "data": b"this part" + main}
    assert start(names, NAME, {}, len(main)) is Launch
    assert not GC.isenabled()
