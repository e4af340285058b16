"""Runs a hook and records when each part of the launch was over: ``stage_driver.py RECORD HOOK``.

It runs in the hook's own Python (3.8 and later). RECORD becomes one JSON document: times in seconds
of time.monotonic, and the seconds of each import that the hook itself makes.
HOOKS_COMPILE_BENCH_DEFER names a module: its imports at the top of the hook are made only if the
hook looks up a name that they bind, and the record says whether it did.
"""

import time

ENTERED = time.monotonic()

# Nothing else may be imported here that a bare Python has not loaded: it would be missing below.
import builtins  # noqa: E402 - the time comes first
import os  # noqa: E402
import sys  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable
    from types import CodeType
    from typing import Any


class DeferringGlobals(dict):  # type: ignore[type-arg] # no dict[str, Any] before 3.9
    """Globals that make a deferred import when its name is looked up."""

    def __init__(self, variables: "dict[str, Any]", deferred: "dict[str, CodeType]") -> None:
        """Start with ``variables``; ``deferred`` are the imports by the names that they bind."""
        super().__init__(variables)
        self.deferred = deferred
        self.used = False

    def __missing__(self, name: str) -> object:
        """Make the import that binds ``name``."""
        if name not in self.deferred:
            raise KeyError(name)
        self.used = True
        exec(self.deferred[name], self)  # noqa: S102 - an import statement of the hook
        return self[name]


def defer(tree: "ast.Module", module: str) -> "dict[str, CodeType]":
    """Remove the imports of ``module`` from the top of a syntax tree; return them by name."""
    import ast  # noqa: PLC0415 - only for this

    found = {}
    for node in list(tree.body):
        if isinstance(node, ast.Import):
            modules = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = {node.module.partition(".")[0]}
        else:
            continue
        if modules == {module} and all(alias.name != "*" for alias in node.names):
            tree.body.remove(node)
            code = compile(ast.Module([node], []), "<deferred>", "exec")
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = code
    return found


def timed_import(spent: "dict[str, float]") -> "Callable[..., Any]":
    """Return an ``__import__`` that adds the seconds of the outermost imports to ``spent``."""
    original = builtins.__import__
    inside = False

    def timed(name: str, *arguments: "Any", **keywords: "Any") -> object:
        nonlocal inside
        if inside:
            return original(name, *arguments, **keywords)
        inside = True
        begun = time.monotonic()
        try:
            return original(name, *arguments, **keywords)
        finally:
            inside = False
            spent[name] = spent.get(name, 0.0) + time.monotonic() - begun

    return timed


def main() -> None:
    """Run the hook and write the record; the hook's exit or exception goes on."""
    record_path, hook = sys.argv[1:3]
    deferred = os.environ.pop("HOOKS_COMPILE_BENCH_DEFER", "")
    sys.argv[:] = sys.argv[2:]
    sys.path[0] = os.path.dirname(os.path.abspath(hook))  # noqa: PTH100, PTH120 - see above
    main_module = sys.modules["__main__"] = type(sys)("__main__")
    vars(main_module).update(__file__=hook, __builtins__=builtins)
    variables = vars(main_module)
    begun = time.monotonic()
    with open(hook, "rb") as file:  # noqa: PTH123 - see above
        source = file.read()
    if deferred:
        import ast  # noqa: PLC0415 - only for this

        tree = ast.parse(source, hook)
        variables = DeferringGlobals(variables, defer(tree, deferred))
        code = compile(tree, hook, "exec", dont_inherit=True)
    else:
        code = compile(source, hook, "exec", dont_inherit=True)
    spent: dict[str, float] = {}
    started = time.monotonic()
    builtins.__import__ = timed_import(spent)
    try:
        exec(code, variables)  # noqa: S102 - the hook, as Python would run it
    finally:
        ended = time.monotonic()
        imports = dict(spent)  # without ours
        import json  # noqa: PLC0415 - after the hook

        record = {
            "entered": ENTERED,
            "compile": started - begun,
            "imports": imports,
            "work": ended - started - sum(imports.values()),
            "used": getattr(variables, "used", False),
            "wrote": time.monotonic(),
        }
        with open(record_path, "w") as file:  # noqa: PTH123 - see above
            json.dump(record, file)


if __name__ == "__main__":
    main()
