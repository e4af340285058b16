"""What differs between a source and its launch, and stays so: asserted here, masked nowhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from hooks_compile.install import wrapper
from tests.conformance.bench import Bench
from tests.conformance.model import Case, Run
from tests.conformance.sides import entries_of_the_tool
from tests.support import interpreters_found
from tests.support.interpreters_found import clean_environment, each_cpython, each_interpreter
from tests.support.repositories import write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.interpreters_found import Found

_STACKS = """\
import inspect, sys, traceback
def inner():
    for frame in traceback.extract_stack():
        print("extracted", frame.filename, frame.name)
    for info in inspect.stack(0)[::-1]:
        print("inspected", info.filename, info.function)
inner()
try:
    print(sys._getframe(1).f_code.co_filename)
except ValueError as error:
    print(error)
"""

_FAULT = """\
import faulthandler
faulthandler.dump_traceback()
"""

_PS = """\
print(open("/proc/self/cmdline").read().split("\\0")[1:])
"""

_SITE = {
    "hook.py": "import sys\nprint(sys.seen, sys.argv)\n",
    "site/sitecustomize.py": "import sys\nsys.seen = list(getattr(sys, 'argv', []))\n",
}


def _both(
    case: Case, run: Run, interpreter: Found, tmp_path: Path, runtime: Path
) -> tuple[list[str], list[str]]:
    """The lines that source and launch print, in this order."""
    bench = Bench(interpreter, tmp_path / "work", runtime)
    source = bench.source(case, run)
    launched = bench.launch(case, run, (str(runtime / "launch.py"),)).outcome
    assert launched.status == source.status == run.status, (source, launched)
    return (
        (source.stdout + source.stderr).decode().splitlines(),
        (launched.stdout + launched.stderr).decode().splitlines(),
    )


@each_interpreter
def test_one_more_frame_is_at_the_very_bottom_of_the_stack(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("stacks", {"hook.py": _STACKS})
    source, launched = _both(case, Run(), interpreter, tmp_path, runtime)
    ours = str(runtime / "launch.py")
    assert source[-1] == "call stack is not deep enough"
    assert launched.pop() == ours
    for kind in ("extracted", "inspected"):
        of_source = [line for line in source if line.startswith(kind)]
        of_launch = [line for line in launched if line.startswith(kind)]
        assert of_launch == [f"{kind} {ours} <module>", *of_source]


@each_cpython
def test_faulthandler_shows_that_frame_last(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("fault", {"hook.py": _FAULT})
    source, launched = _both(case, Run(), interpreter, tmp_path, runtime)
    ours = f'  File "{runtime / "launch.py"}", line'
    assert [line for line in launched if not line.startswith(ours)] == source
    assert len(launched) == len(source) + 1


@each_interpreter
def test_ps_shows_the_launcher_before_the_script(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("ps", {"hook.py": _PS})
    source, launched = _both(case, Run(("hook.py", "argument")), interpreter, tmp_path, runtime)
    assert source == ["['hook.py', 'argument', '']"]
    assert launched == [f"['{runtime / 'launch.py'}', 'hook.py', 'argument', '']"]


@each_interpreter
def test_a_sitecustomize_runs_before_the_launcher_and_sees_its_arguments(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    run = Run(env={"PYTHONPATH": "{dir}/site"})
    source, launched = _both(Case("site", _SITE), run, interpreter, tmp_path, runtime)
    assert launched[0].endswith("['hook.py']")
    ours = re.escape(f"'{runtime / 'launch.py'}', ")
    assert [re.sub(ours, "", line) for line in launched] == source


_LIMIT = """\
import sys
print(sys.getrecursionlimit())
def down(depth):
    try:
        return down(depth + 1)
    except RecursionError:
        return depth
print(down(0))
sys.setrecursionlimit(500)
print(down(0))
"""

_WARN = """\
import warnings
warnings.warn("above the module", stacklevel=2)
"""

_NESTED = "a = " + "-" * 3000 + "1\n"


@each_cpython
def test_the_recursion_limit_is_one_higher_so_that_the_depth_is_the_same(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    source, launched = _both(
        Case("limit", {"hook.py": _LIMIT}), Run(), interpreter, tmp_path, runtime
    )
    assert int(launched[0]) == int(source[0]) + 1
    assert launched[1] == source[1]
    # a limit that the hook sets itself includes our frame
    assert int(launched[2]) == int(source[2]) - 1


@each_cpython
def test_a_warning_for_the_caller_of_the_module_names_the_launcher(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("warn", {"hook.py": _WARN})
    source, launched = _both(case, Run(), interpreter, tmp_path, runtime)
    assert source in (
        ["sys:1: UserWarning: above the module"],
        ["<sys>:0: UserWarning: above the module"],
    )
    assert launched[0].startswith(f"{runtime / 'launch.py'}:")
    assert launched[0].endswith(" UserWarning: above the module")


@each_cpython
def test_a_source_too_deep_for_the_parser_of_38_is_told_twice(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    bench = Bench(interpreter, tmp_path / "work", runtime)
    case = Case("nested", {"hook.py": _NESTED})
    source = bench.source(case, Run())
    launched = bench.launch(case, Run(), (str(runtime / "launch.py"),)).outcome
    assert launched.status == source.status
    told = source.stderr.replace(b"s_push: parser stack overflow\n", b"")
    assert launched.stderr.replace(b"s_push: parser stack overflow\n", b"") == told
    if interpreter.version >= (3, 9):
        assert launched.stderr == source.stderr


_HOOK = """\
import sys
def hook(kind, error, tb):
    raise RuntimeError("in the hook")
sys.excepthook = hook
1 / 0
"""

_TRACES = """\
import sys
def trace(frame, event, argument):
    if event == "call":
        sys.stderr.write(f"call {frame.f_code.co_filename} {frame.f_code.co_name}\\n")
def called():
    pass
sys.settrace(trace)
called()
"""


@each_cpython
def test_before_311_an_excepthook_that_fails_shows_our_frame(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("hook", {"hook.py": _HOOK})
    source, launched = _both(case, Run(status=1), interpreter, tmp_path, runtime)
    ours = [line for line in launched if line.startswith('  File "<hooks-compile>"')]
    assert [line for line in launched if line not in ours] == source
    assert len(ours) == (1 if interpreter.version < (3, 11) else 0)


@each_cpython
def test_a_script_named_like_the_standard_module_it_imports_fails_in_other_words_since_313(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    # CPython takes the directory of the script from where no code can put another.
    case = Case("shadow", {"json.py": "import json\nprint(json.loads('1'))\n"})
    run = Run(("json.py",), status=1)
    source, launched = _both(case, run, interpreter, tmp_path, runtime)
    assert source[:-1] == launched[:-1]
    assert (source[-1] == launched[-1]) == ("consider renaming" not in source[-1])
    assert launched[-1].startswith("AttributeError: ")


@each_cpython
def test_a_trace_function_that_is_left_on_sees_two_calls_of_ours_at_the_end(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("trace", {"hook.py": _TRACES})
    source, launched = _both(case, Run(), interpreter, tmp_path, runtime)
    ours = [line for line in launched if line.startswith("call <hooks-compile> ")]
    assert len(ours) <= 2
    assert [line for line in launched if line not in ours] == source


_ORDER = """\
import json, textwrap
import sys
print(*sorted(sys.modules))
print(*sys.modules)
print(*[path for path in sys.path_importer_cache if path in sys.path])
"""

_OBJECTS = {
    "hook.py": "import json\nimport beside\n",
    "beside.py": "import gc, json, sys\nprint(json.loads in gc.get_objects())\n",
}


@each_cpython
def test_modules_imported_ahead_may_be_in_another_order_and_need_no_look_into_the_hooks_directory(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    case = Case("order", {"hook.py": _ORDER})
    bench = Bench(interpreter, tmp_path / "work", runtime)
    source = bench.source(case, Run(flags=("-S",))).stdout.split(b"\n")
    entries = entries_of_the_tool([case], interpreter, runtime, tmp_path) / case.name
    launch = (str(runtime / "launch.py"),)
    launched = bench.launch(case, Run(flags=("-S",)), launch, entries).outcome.stdout.split(b"\n")
    assert launched[0] == source[0]
    assert sorted(launched[1].split()) == sorted(source[1].split())
    assert set(launched[2].split()) <= set(source[2].split())


@each_cpython
def test_a_module_beside_the_hook_that_looks_at_the_collector_sees_that_it_skips_objects(
    interpreter: Found, tmp_path: Path, runtime: Path
) -> None:
    bench = Bench(interpreter, tmp_path / "work", runtime)
    case = Case("objects", _OBJECTS)
    run = Run(flags=("-S",))
    entries = entries_of_the_tool([case], interpreter, runtime, tmp_path) / case.name
    assert bench.source(case, run).stdout == b"True\n"
    launched = bench.launch(case, run, (str(runtime / "launch.py"),), entries).outcome.stdout
    ahead = interpreter.version >= (3, 10)  # before, the names of the library's modules are unknown
    assert launched in ((b"False\n",) if ahead else (b"True\n", b"False\n"))


_ENVIRONMENT = """\
import json, os, sys
sys.stdout.write(json.dumps(dict(os.environ)))
"""


def _seen_by_hook(
    shell: str, more: dict[str, str], tmp_path: Path, runtime: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """The environment of a hook from its source, and through the wrapper under this shell."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not on this machine")
    hook = str(write(tmp_path / "hook.py", _ENVIRONMENT))
    script = str(write(tmp_path / wrapper.NAME, wrapper.text()))
    env = {**clean_environment(), "HOOKS_COMPILE_HOME": str(runtime), **more}
    python = str(interpreters_found.found()[0].executable)
    source, launched = (
        dict(json.loads(subprocess.run(words, env=env, stdout=subprocess.PIPE, check=True).stdout))
        for words in ([python, hook], [program, script, f"--python={python}", hook])
    )
    return source, launched


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_the_shell_of_the_wrapper_sets_variables_of_its_own(
    shell: str, tmp_path: Path, runtime: Path
) -> None:
    source, launched = _seen_by_hook(shell, {"_": "/bin/agent"}, tmp_path, runtime)
    changed = {name for name in source | launched if source.get(name) != launched.get(name)}
    assert changed <= {"_", "OLDPWD", "PWD", "SHLVL"}
    assert ("_" in changed) == (shell == "bash")


def test_dash_drops_variables_whose_names_are_no_identifiers(tmp_path: Path, runtime: Path) -> None:
    more = {"my-name": "1", "BASH_FUNC_greet%%": "() { echo hello; }"}
    source, launched = _seen_by_hook("dash", more, tmp_path, runtime)
    assert source.keys() - launched.keys() == more.keys()
