"""What decides if a launch prepares and ends early: each question with both answers.

``test_early_exit.py`` and ``test_preimport.py`` ask whole launches.
"""

from __future__ import annotations

import io
import re
import sys
import types
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from hooks_compile.launcher import early_exit, leftovers, observers, process
from hooks_compile.launcher.main_module import remove_first_frame, status_of
from hooks_compile.launcher.patterns import offer_patterns
from hooks_compile.launcher.preimport import can_shadow_stdlib, preimport
from tests.conftest import CHECKOUT
from tests.support.interpreters_found import each_cpython, each_cpython_in_ci, printed
from tests.support.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.interpreters_found import Found


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (b"import json\n", False),
        (b"import gc\n", True),
        (b"sys.addaudithook", True),
        (b"# cProfile", True),
        (b"sys.monitoring", True),
    ],
)
def test_a_source_with_words_of_observers_is_found(word: bytes, *, expected: bool) -> None:
    assert observers.mentions_observers(b"x = 1\n" + word) is expected


def test_variables_of_python_that_may_show_a_launch_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environ = {b"PATH": b"/bin", b"PYTHONUTF8": b"1", b"PYTHON_VERSION": b"3.14.10"}
    monkeypatch.setattr("posix.environ", environ)
    assert not observers.has_telling_variables()
    environ[b"PYTHONTRACEMALLOC"] = b"1"
    assert observers.has_telling_variables()


# Variables that Python or its library reads, and that show nothing of a launch.
_HARMLESS_VARIABLES = {
    *("PYTHONBREAKPOINT", "PYTHONCOERCECLOCALE", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED"),
    *("PYTHONHOME", "PYTHONIOENCODING", "PYTHONNOUSERSITE", "PYTHONOPTIMIZE", "PYTHONPATH"),
    *("PYTHONPYCACHEPREFIX", "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONTZPATH", "PYTHONUNBUFFERED"),
    *("PYTHONUSERBASE", "PYTHONUTF8", "PYTHON_BASIC_REPL", "PYTHON_COLORS", "PYTHON_CPU_COUNT"),
    *("PYTHON_DISABLE_REMOTE_DEBUG", "PYTHON_GIL", "PYTHON_HISTORY", "PYTHON_PYMALLOC_HUGEPAGES"),
    # early_exit.py looks for its module
    "PYTHONFAULTHANDLER",
    # the just-in-time compiler
    *("PYTHON_JIT", "PYTHON_JIT_STRESS", "PYTHON_SPECIALIZATION_OFF", "PYTHON_UOPS_OPTIMIZE"),
}
# Words in the binaries that are no variables of the environment.
_NO_VARIABLES = re.compile(
    r"PYTHON(_JIT_[A-Z]+_[A-Z_]+|_CLASSMETHOD|_BASIC_COMPLETER|FRAMEWORK.*|_DOM|_FOR_.*|_OBJS"
    r"|_HEADERS|[A-Z_]*[^A-Z_].*|)"
)


@each_cpython_in_ci
def test_every_variable_that_python_reads_was_looked_at(interpreter: Found) -> None:
    program = "import sys, sysconfig\nprint(sys.executable, sysconfig.get_config_var('LDLIBRARY'))"
    _, library = printed(interpreter, program).split()
    prefix = interpreter.executable.parent.parent
    binaries = [interpreter.executable, *prefix.glob(f"lib*/**/{library}*")]
    words = set()
    for binary in binaries:
        data = binary.read_bytes()
        words |= {word.decode() for word in re.findall(rb"(?<![\w])PYTHON[A-Z_]+(?=\0)", data)}
        wide = re.findall(rb"(?:[A-Z_]\0\0\0){7,}(?=\0\0\0\0)", data)
        words |= {word.replace(b"\0", b"").decode() for word in wide}
    words = {word for word in words if word.startswith("PYTHON")}
    telling = {name.decode() for name in observers._TELLING_VARIABLES}
    assert "PYTHONHASHSEED" in words
    unknown = words - telling - _HARMLESS_VARIABLES
    assert {word for word in unknown if not _NO_VARIABLES.fullmatch(word)} == set()


_CAN_PREPARE = """\
import sys
sys.path.append(sys.argv[1])
from hooks_compile.launcher import observers
for name in [name for name in sys.modules if name.startswith("hooks_compile")]:
    del sys.modules[name]
print(observers.can_prepare(b""), end=" ")
observers.NEWEST_TESTED = sys.version_info[0], sys.version_info[1] - 1
print(observers.can_prepare(b""))
"""


@each_cpython
def test_a_python_newer_than_those_tested_prepares_nothing(interpreter: Found) -> None:
    assert printed(interpreter, _CAN_PREPARE, str(CHECKOUT)) == "True False\n"


def test_streams_that_were_replaced_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)
    assert observers.has_usual_streams() == (type(sys.__stdout__) is io.TextIOWrapper)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not observers.has_usual_streams()


def test_a_profile_function_is_found() -> None:
    before = sys.getprofile()
    sys.setprofile(lambda *_: None)
    try:
        assert observers.is_traced()
    finally:
        sys.setprofile(before)


def test_an_audit_hook_is_found() -> None:
    assert observers.has_audit_hook(), "conftest.py has added one"


def test_unknown_modules_are_found() -> None:
    assert not observers.has_only_known_modules(), "pytest is loaded"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/usr/lib/python3.11/sitecustomize.py", True),
        ("/nix/store/abc-python3-3.13.1/lib/python3.13/site-packages/sitecustomize.py", True),
        (f"{process.STDLIB}/sitecustomize.py", False),
        ("/home/somebody/sitecustomize.py", False),
        ("/opt/homebrew/Cellar/python@3.13/3.13.1/lib/site-packages/sitecustomize.py", False),
    ],
)
def test_a_sitecustomize_of_a_distribution_is_known(path: str, *, expected: bool) -> None:
    assert observers.is_file_of_distribution(path) is expected


def test_the_sitecustomize_of_homebrew_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    stdlib = "/opt/homebrew/Cellar/python@3.13/3.13.1/Frameworks/Python.framework/lib/python3.13"
    monkeypatch.setattr(process, "STDLIB", stdlib)
    assert observers.is_file_of_distribution(f"{stdlib}/sitecustomize.py")
    assert not observers.is_file_of_distribution(f"{stdlib}/site-packages/sitecustomize.py")


def test_a_call_of_python_code_is_found_before_it_runs() -> None:
    called = []

    def python_code() -> None:
        called.append(1)

    limit = sys.getrecursionlimit()
    assert observers.fails_one_frame_below(lambda: python_code())  # noqa: PLW0108 - one frame more
    assert not observers.fails_one_frame_below(lambda: None)
    assert called == []
    assert sys.getrecursionlimit() == limit


def test_files_and_names_of_the_standard_library_are_known() -> None:
    assert process.is_stdlib_file(io.__file__ or "")
    assert not process.is_stdlib_file(pytest.__file__ or "")
    assert process.stdlib_names("io")["StringIO"] is io.StringIO
    assert process.stdlib_names("pytest") == process.stdlib_names("no.such.module") == {}


class _WithFinalizer:
    def __del__(self) -> None:
        return


class _Meta(type):
    pass


def _generator() -> Any:
    yield 1


def _raising(_: object) -> None:
    raise AssertionError


LEFTOVERS: dict[str, tuple[Any, bool]] = {
    "data": ([1, {"a": "b"}, (2, 3)], False),
    "a class": (types.SimpleNamespace, False),
    "a class with a metaclass": (_Meta("Made", (), {}), False),
    "a function": (_generator, False),
    "an exception": (ValueError("x"), False),
    "a module of Python": (io, False),
    "a weak reference": (weakref.ref(_generator), False),
    "a finalizer": (_WithFinalizer(), True),
    "a generator": (_generator(), True),
    "an installed module": (pytest, True),
    "a module of another class": (type("Odd", (types.ModuleType,), {})("odd"), True),
    "a weak reference with a callback": (weakref.ref(_generator, _raising), True),
    "a proxy": (weakref.proxy(_generator), True),
}


@pytest.mark.parametrize("name", LEFTOVERS)
def test_objects_that_act_when_they_are_destroyed_are_found(name: str) -> None:
    each, expected = LEFTOVERS[name]
    assert leftovers.acts_at_exit([{}, each, []]) is expected


def test_only_objects_of_the_very_plain_classes_are_left_out() -> None:
    tuples = type("Tuples", (tuple,), {})()
    plain = [(), {}, [], _generator]
    assert leftovers.without_plain([*plain, tuples, ValueError, *plain]) == [tuples, ValueError]


def test_open_files_are_known_by_their_very_classes(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        assert leftovers.is_file_object(file)
        assert leftovers.is_file_object(file.buffer)
        assert not leftovers.acts_at_exit([file, file.buffer])
    assert not leftovers.is_file_object(io.StringIO())


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([("ignore", None, ResourceWarning, None, 0)], False),
        ([("ignore", None, Warning, None, 0)], False),
        ([("ignore", None, DeprecationWarning, None, 0)], True),
        ([("default", None, ResourceWarning, None, 0)], True),
        ([("ignore", "text", ResourceWarning, None, 0)], True),
        ([], True),
    ],
)
def test_filters_that_show_resource_warnings_are_found(
    filters: list[Any], *, expected: bool
) -> None:
    assert early_exit.shows_resource_warnings(filters) is expected


def test_a_process_with_foreign_callbacks_is_not_quiet() -> None:
    assert not early_exit.is_quiet(), "there is an audit hook"


def test_the_handlers_of_logging_that_may_be_left_are_its_own() -> None:
    import logging  # noqa: PLC0415 - the module that is asked for

    class Own(logging.StreamHandler):  # type: ignore[type-arg] # as people write it
        pass

    assert early_exit.is_usual_handler(logging.NullHandler())
    assert early_exit.is_usual_handler(logging.StreamHandler(io.TextIOWrapper(io.BytesIO())))
    assert not early_exit.is_usual_handler(logging.StreamHandler(io.StringIO()))
    assert not early_exit.is_usual_handler(Own())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, 0),
        (SystemExit(), 0),
        (SystemExit(2), 2),
        (SystemExit(True), 1),
        (SystemExit(256), None),
        (SystemExit(-1), None),
        (SystemExit("text"), None),
        (SystemExit(2.0), None),
        (ValueError(2), None),
        (KeyboardInterrupt(), None),
        (type("Own", (SystemExit,), {})(2), None),
    ],
    ids=repr,
)
def test_the_status_is_known_if_python_shows_nothing(
    error: BaseException | None, status: int | None
) -> None:
    assert status_of(error) == status


def test_the_frame_of_the_launcher_is_not_shown() -> None:
    def inner() -> None:
        raise ValueError

    try:
        inner()
    except ValueError as error:
        traceback = error.__traceback__
        assert traceback is not None
        remove_first_frame(error, traceback)
        assert error.__traceback__ is traceback.tb_next
        remove_first_frame(error, None)
        assert error.__traceback__ is traceback.tb_next


def test_files_that_shadow_the_standard_library_are_found(tmp_path: Path) -> None:
    assert not can_shadow_stdlib(str(tmp_path))
    write(tmp_path / "hook.py")
    write(tmp_path / "jsonx.py")
    assert not can_shadow_stdlib(str(tmp_path))
    write(tmp_path / "json.cpython-311.so")
    assert can_shadow_stdlib(str(tmp_path))
    assert can_shadow_stdlib(str(tmp_path / "hook.py"))
    assert not can_shadow_stdlib(str(tmp_path / "missing"))


def test_nothing_is_imported_if_the_path_is_not_as_python_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), "/nowhere", "/elsewhere"])
    preimport(("a_module_that_is_not_there",), {})
    monkeypatch.setattr(sys, "path", [str(tmp_path), "/nowhere.zip", process.STDLIB])
    preimport(("a_module_that_is_not_there",), {})
    assert sys.path == [str(tmp_path), "/nowhere.zip", process.STDLIB]


def test_patterns_are_found_compiled_by_their_text_and_flags(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import marshal  # noqa: PLC0415 - with re, all that this test is about
    import re  # noqa: PLC0415

    names: Any = vars(re)
    cache = "_cache" if sys.version_info < (3, 12) else "_cache2"
    monkeypatch.setitem(names, cache, {})
    offer_patterns({("a+", 0): b"", ("", 1): b""})
    assert type(names[cache]) is dict, "for another version of Python"
    compiler: Any = names["_compiler"]
    parsed = compiler._parser.parse("(b)+", 0)
    arguments: Any = (32, list(map(int, compiler._code(parsed, 0))), 1, {}, (None, None))
    offer_patterns({("", sys.hexversion): b"", ("a+", 0): marshal.dumps(arguments)})
    assert names[cache][str, "a+", 0].fullmatch("bb")[1] == "b", "by what the entry says"
    for other in ((str, "c", 0), (bytes, b"a+", 0)):
        with pytest.raises(KeyError):
            names[cache][other]
