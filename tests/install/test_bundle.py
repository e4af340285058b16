"""The bundle of the launcher: small packages that are made for it, and the launcher itself."""

from __future__ import annotations

import ast
import builtins
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hooks_compile.install.bundle import Bundle
from tests.conftest import CHECKOUT
from tests.support.interpreters_found import clean_environment, each_interpreter
from tests.support.launches import User
from tests.support.repositories import write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.interpreters_found import Found

LAUNCHER = CHECKOUT / "hooks_compile" / "launcher"
START = "def start():\n    return 'started'\n"
# What the loader of the launcher does with the parts, without files.
_LOAD = """\
import json, sys, types
texts = json.loads(sys.argv[1])
parts = {name: types.ModuleType(name) for name in texts}
loaded = []
def load_on_demand(name):
    def load(attribute):
        del parts[name].__getattr__
        loaded.append(name)
        exec(texts[name], parts[name].__dict__)
        return getattr(parts[name], attribute)
    parts[name].__getattr__ = load
for name, module in parts.items():
    module._parts = parts
    if name in ("start", "main"):
        exec(texts[name], module.__dict__)
    else:
        load_on_demand(name)
print(json.dumps([loaded[:], parts["main"].answer(), loaded]))
"""


def package(directory: Path, files: Mapping[str, str]) -> Path:
    """A package named ``made``, with a start, and return its directory."""
    root = directory / "made"
    for name, text in {"__init__.py": "", "start.py": START, **files}.items():
        write(root / name, text)
    return root


def parts_of(directory: Path, files: Mapping[str, str]) -> dict[str, str]:
    return Bundle(package(directory, files), "made").parts()


def answers(directory: Path, files: Mapping[str, str]) -> tuple[object, list[object]]:
    """What ``answer()`` of ``lifecycle`` returns in the package, and what the bundle's loader says:
    the parts loaded before the call, its answer, and the parts loaded after it."""
    bundle = json.dumps(parts_of(directory, files))
    program = "import json; from made.lifecycle import answer; print(json.dumps(answer()))"
    done = [
        subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=directory,
            capture_output=True,
            text=True,
            check=True,
        )
        for code, arguments in ((program, ()), (_LOAD, (bundle,)))
    ]
    return json.loads(done[0].stdout), json.loads(done[1].stdout)


# --- what it assembles


def test_modules_of_a_part_see_each_other_in_the_order_of_their_imports(tmp_path: Path) -> None:
    files = {
        "zebra.py": "import sys\nWORD = 'zebra'\n\ndef word():\n    return WORD\n",
        "apple.py": "import sys\nfrom made.zebra import WORD, word\nALL = (WORD, word())\n",
        "lifecycle.py": "from made.apple import ALL\n\ndef answer():\n    return list(ALL)\n",
    }
    plain, (before, bundled, after) = answers(tmp_path, files)
    assert plain == bundled == ["zebra", "zebra"]
    assert (before, after) == ([], [])
    main = Bundle(tmp_path / "made", "made").parts()["main"]
    assert main.count("import sys") == 1
    assert "from made" not in main


def test_what_the_start_defines_is_taken_from_it_and_is_not_made_twice(tmp_path: Path) -> None:
    files = {
        "start.py": "from made.shared import LIST\n\ndef start():\n    return LIST\n",
        "shared.py": "LIST = []\n",
        "lifecycle.py": (
            "from made import more\nfrom made.shared import LIST\n\n"
            "def answer():\n    LIST.append(1)\n    return [len(LIST), more.size(), LIST]\n"
        ),
        "more/__init__.py": "from made.more.sizes import size\n\n__all__ = ['size']\n",
        "more/sizes.py": "from made.shared import LIST\n\ndef size():\n    return len(LIST)\n",
    }
    plain, (before, bundled, after) = answers(tmp_path, files)
    assert plain == bundled == [1, 1, [1]]
    assert (before, after) == ([], ["more"])


def test_a_subdirectory_is_loaded_at_first_use_and_may_use_another(tmp_path: Path) -> None:
    files = {
        "lifecycle.py": "from made import near\n\ndef answer():\n    return near.call()\n",
        "near/__init__.py": "from made.near.calls import call\n",
        "near/calls.py": "from made import far\n\ndef call():\n    return ['near', far.call()]\n",
        "far/__init__.py": "from made.far.others import call\n",
        "far/others.py": "def call():\n    return 'far'\n",
    }
    plain, (before, bundled, after) = answers(tmp_path, files)
    assert plain == bundled == ["near", "far"]
    assert (before, after) == ([], ["near", "far"])


def test_a_module_that_nobody_imports_is_left_out(tmp_path: Path) -> None:
    files = {"lifecycle.py": "A = 1\n", "tool.py": "import os\nfor each in (): pass\n"}
    assert "import os" not in "".join(parts_of(tmp_path, files).values())


def test_annotations_and_what_they_import_are_removed(tmp_path: Path) -> None:
    text = '''\
"""Üder."""
import sys
from types import CodeType
from typing import Any, Dict

from made.annotations import Names

TABLE: Names = {"é": 1}


class Record:
    """A record."""

    __slots__ = ("one",)

    one: int

    def __init__(self, one: "int" = 1, *more: Any, other: Names, **rest: Any) -> None:
        two: "int" = one
        self.one = two

    def call(
        self,
        *,
        word: Names,
    ) -> "Dict[str, Any]":
        return word or {'->': 1}
'''
    main = parts_of(tmp_path, {"lifecycle.py": text})["main"]
    assert [line for line in main.splitlines() if line] == [
        "import sys",
        '"""Üder."""',
        "TABLE = {'é': 1}",
        "class Record:",
        '    """A record."""',
        "    __slots__ = ('one',)",
        "    def __init__(self, one=1, *more, other, **rest):",
        "        two = one",
        "        self.one = two",
        "    def call(self, *, word):",
        "        return word or {'->': 1}",
    ]


def test_a_program_holds_all_that_it_imports(tmp_path: Path) -> None:
    files = {
        "lifecycle.py": "",
        "words.py": "WORD = 'said'\n",
        "tools/__init__.py": "",
        "tools/say.py": "from made.words import WORD\n\ndef run():\n    print(WORD)\n",
    }
    text = Bundle(package(tmp_path, files), "made").program("tools.say", "run()")
    done = subprocess.run(
        [sys.executable, "-I", "-c", text], cwd="/", capture_output=True, check=True
    )
    assert done.stdout == b"said\n"


def test_the_same_package_makes_the_same_bytes(tmp_path: Path) -> None:
    first, second = (Bundle(LAUNCHER, "hooks_compile.launcher").parts() for _ in range(2))
    assert first == second


# --- the launcher


_FOR_ANNOTATIONS = ("typing", "types", "hooks_compile.launcher.annotations")


class _WithoutAnnotations(ast.NodeTransformer):
    """Takes away what a bundle leaves out, by the syntax tree and not by the text."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.copy_location(ast.Assign([node.target], node.value), node))


# Names that mean something else in a module of a bundle than in one of a package.
_OWN_TO_A_MODULE = {
    *("__name__", "__file__", "__doc__", "__package__", "__spec__", "globals", "vars", "locals"),
}
_RECORDER = "uv.uv_recorder"


class Source:
    """A module of the launcher: what it defines at its top, and its imports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = ".".join(path.relative_to(LAUNCHER).with_suffix("").parts)
        self.part = self.name.rpartition(".")[0] or "main"
        tree = ast.parse(path.read_bytes(), feature_version=(3, 8))
        self.nodes = list(ast.walk(_WithoutAnnotations().visit(tree)))
        self.body = tree.body
        self.imports = [node for node in tree.body if isinstance(node, ast.ImportFrom | ast.Import)]
        self.defined: dict[str, str] = {}  # name to what it is
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                self.defined[node.name] = self.name
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    assert isinstance(target, ast.Name), (path, node.lineno)
                    self.defined[target.id] = self.name
            elif not isinstance(node, ast.Import | ast.ImportFrom):
                is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                assert is_text, (path, node.lineno)


_NAMES_OF_OTHERS = ("__init__.py", "annotations.py", "launch.py", "prepare.py")
_OTHERS = [LAUNCHER / name for name in _NAMES_OF_OTHERS]
SOURCES = {
    source.name: source
    for source in map(Source, sorted(set(LAUNCHER.rglob("*.py")).difference(_OTHERS)))
}


def test_a_name_means_one_thing_in_a_part() -> None:
    """Nor does it hide a builtin: all modules of a part share their names."""
    for part in {source.part for source in SOURCES.values()}:
        bound: dict[str, str] = {}
        for source in SOURCES.values():
            if source.part != part or source.name == _RECORDER:
                continue
            found = dict(source.defined)
            for node in source.imports:
                for alias in node.names:
                    origin = getattr(node, "module", "")
                    own = origin.removeprefix("hooks_compile.launcher.")
                    if own in SOURCES:
                        assert alias.asname is None, source.path
                        if not own.endswith("__init__"):
                            assert alias.name in SOURCES[own].defined, (source.path, alias.name)
                        found[alias.name] = own
                    else:
                        found[alias.asname or alias.name] = f"{origin}.{alias.name}"
            found.pop("__all__", None)
            for name, what in found.items():
                assert not hasattr(builtins, name), (source.path, name)
                assert bound.setdefault(name, what) == what, (source.path, name)


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_in_a_module_means_something_else_in_a_bundle(name: str) -> None:
    source = SOURCES[name]
    parts: set[str] = set()
    for_annotations = {
        alias.name
        for node in source.imports
        for alias in node.names
        if getattr(node, "module", "") in _FOR_ANNOTATIONS
    }
    for node in source.nodes:
        assert not isinstance(node, ast.Global), "who has imported it would see the change"
        if isinstance(node, ast.Name):
            assert node.id not in _OWN_TO_A_MODULE | for_annotations
        elif isinstance(node, ast.Import):
            assert not any("hooks_compile" in alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            assert node.module != "__future__"
            assert not any(alias.name == "*" for alias in node.names)
            if node.module == "hooks_compile.launcher":
                parts |= {alias.name for alias in node.names}
            elif (node.module or "").startswith("hooks_compile"):
                assert node in source.imports
        elif isinstance(node, ast.FormattedValue):  # ast.unparse of 3.12 needs the syntax of 3.12
            constants = [each for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
            assert not any(isinstance(each.value, str) for each in constants)
    # A part is used for the names that it exports, and for nothing else.
    used = [
        node.value
        for node in source.nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in parts
        and any(
            node.attr == alias.name
            for each in SOURCES[f"{node.value.id}.__init__"].imports
            for alias in each.names
        )
    ]
    named = [node for node in source.nodes if isinstance(node, ast.Name) and node.id in parts]
    assert sorted(map(id, named)) == sorted(map(id, used))


def test_a_part_needs_no_module_of_another_directory() -> None:
    for name, source in SOURCES.items():
        for node in source.imports:
            origin = getattr(node, "module", "").removeprefix("hooks_compile.launcher.")
            if origin in SOURCES and name != _RECORDER:
                assert SOURCES[origin].part in (source.part, "main"), (name, origin)
        if name.endswith("__init__"):
            assert set(source.defined) == {"__all__"}


def statements(text: str) -> list[str]:
    """The statements of a module that define something, as syntax trees."""
    tree = _WithoutAnnotations().visit(ast.parse(text))
    return [
        ast.dump(node)
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)
        and "_parts[" not in ast.unparse(node).partition("\n")[0]
    ]


def test_the_statements_of_the_bundle_are_those_of_the_package() -> None:
    bundle = Bundle(LAUNCHER, "hooks_compile.launcher")
    bundled = [each for text in bundle.parts().values() for each in statements(text)]
    left_out = {"uv_recorder.py", *_NAMES_OF_OTHERS}
    paths = [path for path in LAUNCHER.rglob("*.py") if path.name not in left_out]
    packaged = [each for path in paths for each in statements(path.read_text("utf-8"))]
    assert len(bundled) > 100
    assert sorted(bundled) == sorted(packaged)
    recorder = statements(bundle.program("uv.uv_recorder", "run()"))
    own = statements((LAUNCHER / "uv" / "uv_recorder.py").read_text("utf-8"))
    assert recorder[-len(own) :] == own
    assert set(recorder) - set(own) < set(packaged)


@each_interpreter
def test_the_bundle_compiles_without_a_warning(interpreter: Found, tmp_path: Path) -> None:
    bundle = Bundle(LAUNCHER, "hooks_compile.launcher")
    texts = {**bundle.parts(), "recorder": bundle.program("uv.uv_recorder", "run()")}
    paths = [str(write(tmp_path / f"{name}.py", text)) for name, text in texts.items()]
    code = (
        "import sys\nfor path in sys.argv[1:]:\n"
        "    with open(path, 'rb') as file: compile(file.read(), path, 'exec')\n"
    )
    done = subprocess.run(
        [interpreter.executable, "-I", "-S", "-W", "error", "-c", code, *paths],
        capture_output=True,
        check=False,
        env=clean_environment(),
    )
    assert (done.returncode, done.stderr) == (0, b"")


# A launch by the modules of the package, as launch.py makes one by the bundle.
_BY_PACKAGE = f"""\
import sys
sys.path.insert(0, {str(CHECKOUT)!r})
from hooks_compile.launcher.lifecycle import Launch as _launch
del sys.path[0]
with _launch(globals()) as _launch, _launch:
    _launch()()
"""
HOOKS = {
    "prints": ("import json, sys\nprint(json.dumps(sys.argv[1:]), __file__, __name__)\n", 0),
    "blocks": ("import sys\nprint('no', file=sys.stderr)\nsys.exit(2)\n", 2),
    "fails": ("def f():\n    raise ValueError('é')\nf()\n", 1),
    "has patterns": ("import re\nprint(re.search(r'^\\d+\\s*$', '12 ')[0])\n", 0),
    "does not compile": ("print(\n", 1),
    "warns": ("x = 1 is 1\nprint(x)\n", 0),
    "shows its names": ("print(sorted(globals()))\n", 0),
}


@each_interpreter
@pytest.mark.parametrize("name", HOOKS)
def test_a_launch_by_the_bundle_is_a_launch_by_the_package(
    name: str, interpreter: Found, tmp_path: Path
) -> None:
    text, status = HOOKS[name]
    hook = write(tmp_path / "work" / "hook.py", text)
    user = User.create(tmp_path, interpreter)
    by_package = User.create(tmp_path / "package", interpreter)
    write(by_package.runtime / "launch.py", _BY_PACKAGE)
    flags = ("-S",)
    source = user.source(hook, "a", "", flags=flags)
    for _ in range(2):  # a miss, which stores the entry, and a hit
        bundled = user.launch(hook, "a", "", flags=flags)
        assert bundled == by_package.launch(hook, "a", "", flags=flags)
        assert bundled.status == status
        assert bundled.shown == source.shown
