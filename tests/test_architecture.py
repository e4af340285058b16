"""The boundaries between the modules, held by reading their sources and by real interpreters."""

from __future__ import annotations

import ast
import graphlib
import json
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CHECKOUT
from tests.support.interpreters_found import Found, clean_environment, each_interpreter
from tests.support.launches import User
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAUNCHER = CHECKOUT / "hooks_compile" / "launcher"
WORKER = CHECKOUT / "hooks_compile" / "compile_worker"
MODULES = sorted(
    path for package in ("hooks_compile", "watcher") for path in (CHECKOUT / package).rglob("*.py")
)
# Only what comes in decides what goes out: no file, no clock, no process, no environment.
PURE = [
    "hooks_compile/errors.py",
    "hooks_compile/doctor/findings.py",
    "hooks_compile/errors.py",
    "hooks_compile/project/globs.py",
    "hooks_compile/compile_worker/level.py",
    "hooks_compile/compile_worker/standard_modules.py",
    "hooks_compile/model.py",
    "hooks_compile/printable.py",
    "hooks_compile/launcher/annotations.py",
    "hooks_compile/launcher/entry.py",
    "hooks_compile/project/shebang.py",
    "watcher/debounce.py",
]
PURE_LIBRARY = {
    *("__future__", "_frozen_importlib_external", "_imp", "ast", "builtins", "collections"),
    *("dataclasses", "enum", "fnmatch", "functools", "itertools", "marshal", "math", "os.path"),
    *("re", "shlex", "types", "typing", "unicodedata", "warnings"),
}
PURE_PATH_FUNCTIONS = {
    *("basename", "commonpath", "dirname", "isabs", "join", "normpath", "sep", "split"),
    "splitext",
}
IMPURE_BUILTINS = {"__import__", "breakpoint", "eval", "exec", "input", "open", "print"}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def name_of(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()


def imports(tree: ast.AST, *, typing_too: bool = True) -> Iterator[tuple[str, str]]:
    """Give every imported ``(module, name)``; the name is "" for ``import module``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.If) and is_for_typing(node):
            if typing_too:
                yield from imports(node)
        else:
            yield from imports(node, typing_too=typing_too)


def is_for_typing(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def modules_imported(path: Path, *, typing_too: bool = True) -> set[str]:
    """Every module that a source imports, wherever in it; ``from package import module`` too."""
    found = set()
    for module, name in imports(parsed(path), typing_too=typing_too):
        found |= {module, f"{module}.{name}"} if name else {module}
    return found


def test_the_rules_below_look_at_every_module() -> None:
    names = {name_of(path) for path in MODULES}
    assert set(PURE) <= names
    assert {"hooks_compile/cli/main.py", "watcher/command_line.py", "watcher/observer.py"} <= names


# Each line may import from the lines above it, and a package from itself.
LAYERS = (
    ("printable",),
    ("errors",),
    ("model", "files"),
    ("trust",),
    ("git",),
    ("launcher",),
    ("compile_worker",),
    ("install",),
    ("interpreters",),
    ("project",),
    ("entries",),
    ("snapshots",),
    ("agents",),
    ("git_hooks", "bench"),
    ("doctor", "demo"),
    ("cli",),
    ("watcher",),
)
_LEVEL = {unit: level for level, units in enumerate(LAYERS) for unit in units}


def dotted(path: Path) -> str:
    name = ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def unit_of(module: str) -> str:
    first, *rest = module.split(".")
    return first if first == "watcher" else rest[0]


@cache
def import_graph() -> dict[str, set[str]]:
    """Each module with those of ours that it imports, for type checkers too."""
    known = {dotted(path): path for path in MODULES}
    packages = {"hooks_compile", "watcher", "hooks_compile.__main__", "watcher.__main__"}
    return {
        name: {found for found in modules_imported(path) if found in known} - packages - {name}
        for name, path in known.items()
        if name not in packages
    }


def test_imports_go_down_the_layers() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, found in import_graph().items()
        for imported in found
        if unit_of(module) != unit_of(imported)
        and _LEVEL[unit_of(module)] <= _LEVEL[unit_of(imported)]
    ]
    assert not wrong, "\n".join(wrong)


def test_there_is_no_circle_of_imports() -> None:
    graph = {
        module: {each for each in found if not module.startswith(f"{each}.")}
        for module, found in import_graph().items()
    }
    tuple(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError


def test_no_two_modules_have_the_same_name() -> None:
    names = [path.stem for path in MODULES if path.stem not in ("__init__", "__main__")]
    assert not {name for name in names if names.count(name) > 1}


def test_the_top_level_and_each_module_stay_small() -> None:
    assert len(list((CHECKOUT / "hooks_compile").glob("*.py"))) <= 10
    long = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert not {name: lines for name, lines in long.items() if lines > 400}


def test_only_the_observer_imports_watchdog() -> None:
    importers = {
        name_of(path)
        for path in MODULES
        if any(name.split(".")[0] == "watchdog" for name in modules_imported(path))
    }
    assert importers == {"watcher/observer.py"}


def test_only_git_py_runs_git() -> None:
    runners = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.List | ast.Tuple)
        and node.elts
        and isinstance(node.elts[0], ast.Constant)
        and node.elts[0].value == "git"
        and isinstance(node.ctx, ast.Load)
        and len(node.elts) > 1
    }
    assert runners == {"hooks_compile/git.py"}


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_touch_no_file_clock_or_process(name: str) -> None:
    tree = parsed(CHECKOUT / name)
    for module, imported in imports(tree, typing_too=False):
        if module.split(".")[0] in ("hooks_compile", "watcher"):
            path = f"{module.replace('.', '/')}.py"
            # of a module that is not pure itself: constants, and nothing that it does
            assert path in PURE or imported.isupper() or is_pure_name(path, imported), module
        else:
            assert module in PURE_LIBRARY, f"{name} imports {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_BUILTINS, f"{name}:{node.lineno}"
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "path"
            and isinstance(node.value.value, ast.Name)
            and node.value.value.id == "os"
        ):
            assert node.attr in PURE_PATH_FUNCTIONS, f"{name}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.value.id != "os" or node.attr in ("path", "sep"), f"{name}:{node.lineno}"


def is_pure_name(path: str, name: str) -> bool:
    """Whether ``name`` is a class of records: a model's, whose module imports nothing impure."""
    return path.endswith("/model.py") and name[:1].isupper()


def test_nothing_but_the_command_lines_prints() -> None:
    printers = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Name) and node.id == "print")
        or (
            isinstance(node, ast.Attribute)
            and node.attr in ("stdout", "stderr", "__stdout__", "__stderr__")
            and isinstance(node.value, ast.Name)
            and node.value.id == "sys"
        )
    }
    others = {
        "hooks_compile/compile_worker/serve.py",  # answers its parent there
        "hooks_compile/launcher/early_exit.py",  # writes out what the hook has printed
        "hooks_compile/launcher/uv/uv_launch.py",  # looks if they are open
        "hooks_compile/snapshots/self_test_cases.py",  # a script whose output is its answer
        "hooks_compile/cli/launch_commands.py",  # flushes before another program prints
    }
    edges = {"hooks_compile/cli/edge.py", "hooks_compile/cli/output.py", "watcher/command_line.py"}
    assert printers - others <= edges


def test_heavy_packages_are_imported_where_they_are_needed() -> None:
    heavy = {"asyncio", "filelock", "rich", "tomlkit", "tomllib", "concurrent", "multiprocessing"}
    for path in MODULES:
        top = ast.Module(
            [node for node in parsed(path).body if not isinstance(node, ast.FunctionDef)], []
        )
        outside = {
            module.split(".")[0]
            for node in top.body
            if not isinstance(node, ast.ClassDef)
            for module, _ in imports(ast.Module([node], []), typing_too=False)
        }
        assert not outside & heavy or path.parent.name == "agents", name_of(path)


# launcher/, runtime/: what runs in the hook's interpreter


@each_interpreter
def test_the_runtime_compiles_without_a_warning_everywhere(interpreter: Found) -> None:
    program = (
        "import sys\n"
        "for path in sys.argv[1:]:\n"
        "    with open(path, 'rb') as file: compile(file.read(), path, 'exec', 0, True)\n"
    )
    sources = sorted([*LAUNCHER.rglob("*.py"), *WORKER.glob("*.py")])
    done = subprocess.run(
        [interpreter.executable, "-W", "error", "-c", program, *sources],
        capture_output=True,
        text=True,
        check=False,
        env=clean_environment(),
    )
    assert done.stderr == ""
    assert done.returncode == 0


@cache
def loaded_by_the_bare_interpreter(executable: Path) -> frozenset[str]:
    done = subprocess.run(
        [
            executable,
            "-I",
            "-S",
            "-c",
            "import sys; print(*sys.modules, *sys.builtin_module_names)",
        ],
        capture_output=True,
        text=True,
        check=True,
        env=clean_environment(),
    )
    return frozenset(done.stdout.split())


@each_interpreter
def test_the_launcher_imports_only_what_the_bare_interpreter_has(interpreter: Found) -> None:
    known = loaded_by_the_bare_interpreter(interpreter.executable)
    for path in LAUNCHER.rglob("*.py"):
        if path.name == "uv_recorder.py":
            continue  # runs where site has loaded more
        tree = parsed(path)
        body = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
        at_top = {module for module, _ in imports(ast.Module(body, []), typing_too=False)}
        own = {name for name in at_top if name.startswith("hooks_compile.launcher")}
        others = at_top - own - {"typing", "types"}  # for annotations: a bundle has none
        assert others <= known, name_of(path)


@each_interpreter
def test_a_launch_loads_no_module_that_the_source_alone_would_not(
    interpreter: Found, tmp_path: Path
) -> None:
    user = User.create(tmp_path, interpreter)
    hook = write(tmp_path / "hook.py", "import json, sys\nprint(json.dumps(sorted(sys.modules)))\n")
    bare = ("-I", "-S")
    alone = json.loads(user.source(hook, flags=bare).stdout)
    first = user.launch(hook, flags=bare)
    assert first.state == "miss"
    again = user.launch(hook, flags=bare)
    assert again.state == "hit"
    assert json.loads(again.stdout) == alone
    # what only the miss needs, and what PyPy loads for the launcher's compilation
    more = {"time"} if interpreter.is_cpython else {"time", "encodings.ascii"}
    assert set(json.loads(first.stdout)) - set(alone) <= more
