"""The entry format: what is in the bytes, and that nothing but the right ones verify."""

from __future__ import annotations

import importlib
import importlib.util
import marshal
import subprocess
import sys
import warnings
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks_compile.compile_worker import worker
from hooks_compile.install.bundle import Bundle
from hooks_compile.launcher import entry
from tests.support.interpreters_found import clean_environment, each_interpreter
from tests.support.repositories import write

if TYPE_CHECKING:
    from hooks_compile.launcher.annotations import Notes
    from tests.support.interpreters_found import Found

KEY = bytes(range(16))
SOURCE = b'"""A guard."""\nimport sys\nprint("allowed", *sys.argv[1:])\n'
LEVELS = (0, 1, 2)
_TAG = 16
_TRAILER = 24
_external: Any = importlib.import_module("importlib._bootstrap_external")


def made(
    source: bytes = SOURCE,
    *,
    key: bytes = KEY,
    level: int = 0,
    settings: bytes = entry.PROVEN + entry.AS_WRITTEN,
    notes: Notes = entry.NO_NOTES,
) -> bytes:
    code = compile(source, "hook.py", "exec", 0, True, level)
    return entry.pack(key, level, settings, code, notes, source)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# --- what is in it


def test_it_begins_as_the_checked_hash_pyc_that_importlib_takes() -> None:
    data = made()
    assert _external._classify_pyc(data, "hook", {}) == 0b11
    _external._validate_hash_pyc(data, importlib.util.source_hash(SOURCE), "hook", {})
    with pytest.raises(ImportError):
        _external._validate_hash_pyc(data, importlib.util.source_hash(b"other"), "hook", {})


def test_every_part_is_where_the_module_says() -> None:
    notes = ((("SyntaxWarning", "invalid escape", 3),), ("json",), {("a+", 2): b"b"}, True)
    data = made(level=2, settings=b"fd", notes=notes)
    magic, flags, source_hash, rest = data[:4], data[4:8], data[8:16], data[16:]
    body, trailer = rest[:-_TRAILER], rest[-_TRAILER:]
    length, form, settings, tag = trailer[:4], trailer[4:6], trailer[6:8], trailer[8:]
    size = int.from_bytes(length, "little")
    assert magic == importlib.util.MAGIC_NUMBER
    assert flags == b"\3\0\0\0"
    assert source_hash == importlib.util.source_hash(SOURCE)
    code, unpacked = marshal.loads(body[:size]), marshal.loads(body[size:])  # noqa: S302 - ours
    assert isinstance(code, CodeType)
    assert unpacked == notes
    assert (form, settings) == (entry.FORMAT, entry.FORCED + entry.DEFERRED)
    assert tag == entry.tag(KEY, 2, data[:-_TAG], SOURCE)


def test_python_itself_runs_it_as_a_pyc(tmp_path: Path) -> None:
    path = tmp_path / "hook.pyc"
    path.write_bytes(made())
    done = subprocess.run(
        [sys.executable, "-I", path, "ls"], capture_output=True, check=True, env=clean_environment()
    )
    assert done.stdout == b"allowed ls\n"


@pytest.mark.parametrize("settings", [b"pw", b"aw", b"fd"])
@pytest.mark.parametrize("level", LEVELS)
def test_it_tells_code_notes_and_settings(level: int, settings: bytes) -> None:
    warned = (("SyntaxWarning", "é\n", 1), ("DeprecationWarning", "", 70_000))
    notes = (warned, ("os.path", "re"), {("\\d", 0): b"\0", ("é", 34): b""}, False)
    data = made(level=level, settings=settings, notes=notes)
    code, unpacked = entry.unpack(data)
    assert code == compile(SOURCE, "hook.py", "exec", 0, True, level)
    assert unpacked == notes
    assert entry.settings_of(data) == settings


def test_compile_time_warnings_are_recorded_whatever_the_filters_say(tmp_path: Path) -> None:
    sources = {"a.py": b"1 is 1\nprint(0)\n'a' is 'b'\n", "b.py": b"1\n", "c.py": b"\n1 is 1\n"}
    paths = [str(write(tmp_path / name, source)) for name, source in sources.items()]
    order = worker.Order(KEY, "auto", write=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = worker.perform(order, paths)
    found = {}
    for name, outcome in zip(sources, outcomes, strict=True):
        assert (outcome.state, outcome.level) == ("compiled", 2)
        data = (tmp_path / entry.CACHE_DIRECTORY / outcome.name).read_bytes()
        found[name] = [(category, line) for category, _, line in entry.unpack(data)[1][0]]
    caught = [("SyntaxWarning", 1), ("SyntaxWarning", 3)]
    assert found == {"a.py": caught, "b.py": [], "c.py": [("SyntaxWarning", 2)]}


def test_the_same_input_makes_the_same_bytes() -> None:
    assert made() == made()


# --- what verifies


@pytest.mark.parametrize("level", LEVELS)
def test_it_verifies_for_its_own_level_only(level: int) -> None:
    data = made(level=level)
    assert [entry.verifies(KEY, other, data, SOURCE) for other in LEVELS] == [
        other == level for other in LEVELS
    ]


def test_no_flipped_bit_of_the_entry_verifies() -> None:
    data = made()
    assert entry.verifies(KEY, 0, data, SOURCE)
    passing = [
        bit for bit in range(8 * len(data)) if entry.verifies(KEY, 0, flipped(data, bit), SOURCE)
    ]
    assert passing == []


def test_no_flipped_bit_of_the_source_or_the_key_verifies() -> None:
    data = made()
    for bit in range(8 * len(SOURCE)):
        assert not entry.verifies(KEY, 0, data, flipped(SOURCE, bit))
    for bit in range(8 * len(KEY)):
        assert not entry.verifies(flipped(KEY, bit), 0, data, SOURCE)


def test_no_shorter_entry_verifies() -> None:
    data = made()
    assert [size for size in range(len(data)) if entry.verifies(KEY, 0, data[:size], SOURCE)] == []
    assert [cut for cut in range(1, len(data)) if entry.verifies(KEY, 0, data[cut:], SOURCE)] == []


@pytest.mark.parametrize("more", [b"\0", b"\n", bytes(16), bytes(23), SOURCE])
def test_no_longer_entry_verifies(more: bytes) -> None:
    data = made()
    assert not entry.verifies(KEY, 0, data + more, SOURCE)
    assert not entry.verifies(KEY, 0, more + data, SOURCE)
    assert not entry.verifies(KEY, 0, data[:-_TAG] + more + data[-_TAG:], SOURCE)


def test_two_entries_under_one_another_do_not_verify() -> None:
    data = made()
    assert not entry.verifies(KEY, 0, data + data, SOURCE)


@pytest.mark.parametrize(
    "part", [slice(0, 4), slice(4, 8), slice(8, 16), slice(-23, -19), slice(-19, -16)]
)
def test_no_part_of_another_entry_fits(part: slice) -> None:
    data, other = bytearray(made()), made(b"print('other')\n", level=1, settings=b"fw")
    before = bytes(data)
    data[part] = other[part]
    assert bytes(data) == before or not entry.verifies(KEY, 0, bytes(data), SOURCE)


def test_bytes_moved_between_entry_and_source_do_not_verify() -> None:
    # The tag covers both: without their lengths in it, a part of one could pass for the other's.
    data = made()
    body, tag = data[:-_TAG], data[-_TAG:]
    for moved in (1, 7, 23, len(body) - 40):
        shorter, longer = body[:-moved], body[-moved:] + SOURCE
        assert entry.tag(KEY, 0, shorter, longer) != tag
        assert not entry.verifies(KEY, 0, shorter + tag, longer)
    for moved in (1, 7, len(SOURCE)):
        longer, shorter = body + SOURCE[:moved], SOURCE[moved:]
        assert entry.tag(KEY, 0, longer, shorter) != tag
        assert not entry.verifies(KEY, 0, longer + tag, shorter)


def test_digits_moved_between_the_lengths_do_not_verify() -> None:
    # 1|11|1 and 11|1|1 must be different messages.
    tags = {
        entry.tag(KEY, level, b"1" * body, b"1" * source)
        for level in LEVELS
        for body in range(24)
        for source in range(24)
    }
    assert len(tags) == 3 * 24 * 24


def name_of(key: bytes, source: bytes) -> str:
    return entry.entry_names(key, source, "guard.py", "cpython-311")[0]


def test_no_tag_can_be_read_off_a_name() -> None:
    # Names are there for everybody to read; a source's author chooses what is hashed in them.
    body = made()[:-_TAG]
    for level in LEVELS:
        message = b"%d %d %d " % (level, len(body), len(SOURCE)) + body + SOURCE
        assert entry.tag(KEY, level, body, SOURCE) == entry.keyed_hash(KEY, message)
        assert entry.tag(KEY, level, body, SOURCE)[:8].hex() not in name_of(KEY, message)


def test_neither_half_of_a_tag_can_be_searched_for_alone() -> None:
    # SipHash takes 64 bits of a key here: two halves that stood alone would be 65 bits of work.
    tag = entry.keyed_hash(KEY, SOURCE)
    for bit in range(8 * len(KEY)):
        other = entry.keyed_hash(flipped(KEY, bit), SOURCE)
        assert other[:8] != tag[:8]
        assert other[8:] != tag[8:]
        assert name_of(flipped(KEY, bit), SOURCE) != name_of(KEY, SOURCE)


def test_of_two_sources_with_the_same_pep_552_hash_only_the_compiled_one_verifies() -> None:
    # A hostile branch may bring two sources whose 64-bit hashes collide, since PEP 552 has no
    # secret. The entry below is what such a pair leads to: its header is that of the reviewed
    # source, its code and its tag belong to the other.
    reviewed, hostile = SOURCE, b"print('hostile')\n"
    data = made(hostile)
    body = data[:8] + importlib.util.source_hash(reviewed) + data[16:-_TAG]
    collided = body + entry.tag(KEY, 0, body, hostile)
    _external._validate_hash_pyc(collided, importlib.util.source_hash(reviewed), "hook", {})
    assert entry.verifies(KEY, 0, collided, hostile)
    assert not entry.verifies(KEY, 0, collided, reviewed)


@given(source=st.binary(max_size=200), more=st.binary(min_size=1, max_size=8))
def test_only_the_very_same_source_verifies(source: bytes, more: bytes) -> None:
    data = entry.pack(
        KEY, 1, entry.PROVEN + entry.AS_WRITTEN, compile("0", "", "exec"), entry.NO_NOTES, source
    )
    assert entry.verifies(KEY, 1, data, source)
    for other in (source + more, more + source, source[: len(source) // 2] + more):
        assert entry.verifies(KEY, 1, data, other) == (other == source)


@given(data=st.binary(max_size=120), source=st.binary(max_size=20))
def test_no_bytes_verify_by_chance_or_raise(data: bytes, source: bytes) -> None:
    assert not entry.verifies(KEY, 0, data, source)
    plausible = importlib.util.MAGIC_NUMBER + data + entry.FORMAT + b"p" + data[:16].ljust(16)
    assert not entry.verifies(KEY, 0, plausible, source)


# --- names


@pytest.mark.parametrize(
    ("script", "prefix"),
    [
        ("guard.py", "guard.cpython-311.opt-"),
        ("guard", "guard.cpython-311.opt-"),
        ("guard.sh.py", "guard.sh.cpython-311.opt-"),
        (".py", ".cpython-311.opt-"),
        ("guard.pyw", "guard.pyw.cpython-311.opt-"),
    ],
)
def test_the_name_begins_with_script_and_interpreter(script: str, prefix: str) -> None:
    names = entry.entry_names(KEY, SOURCE, script, "cpython-311")
    assert list(names) == [2, 1, 0]
    for level, name in names.items():
        assert name.startswith(f"{prefix}{level}.")


def test_the_name_depends_on_the_content_and_on_whose_it_is() -> None:
    names = {name_of(key, source) for key in (KEY, KEY[::-1]) for source in (b"", b"a")}
    assert len(names) == 4
    assert all(len(name) == len("guard.cpython-311.opt-0.0123456789abcdef.pyc") for name in names)


def test_a_key_may_have_its_highest_bits_set() -> None:
    key = b"\xff" * 16
    assert entry.verifies(key, 0, made(key=key), SOURCE)


# --- in every interpreter

_ROUND_TRIP = """
import sys
before = set(sys.modules)
scope = {"__name__": "entry"}
exec(compile(sys.argv[1], "entry.py", "exec"), scope)
assert set(sys.modules) == before, set(sys.modules) - before
source = b"print('ran')\\n"
notes = (("SyntaxWarning", "w", 1),), ("re",), {("x", 0): b"y"}, True
for key in (bytes(range(16)), b"\\xff" * 16, bytes(16)):
    code = compile(source, "x", "exec", 0, True, 2)
    data = scope["pack"](key, 2, b"aw", code, notes, source)
    assert scope["verifies"](key, 2, data, source)
    assert not scope["verifies"](key, 1, data, source)
    assert not scope["verifies"](key, 2, data, source + b" ")
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        assert not scope["verifies"](key, 2, bytes(changed), source), at
code, noted = scope["unpack"](data)
assert noted == notes
exec(code)
"""


@each_interpreter
def test_the_format_holds_and_imports_nothing_in(interpreter: Found) -> None:
    launcher = Path(entry.__file__).parent
    program = Bundle(launcher, "hooks_compile.launcher").program("entry")
    done = subprocess.run(
        [interpreter.executable, "-I", "-S", "-c", _ROUND_TRIP, program],
        capture_output=True,
        check=False,
        env=clean_environment(),
    )
    assert (done.stdout, done.stderr) == (b"ran\n", b"")
