"""The lines that a project's pre-commit configuration needs for us.

If this tool was installed from a repository, pre-commit installs it from there too, for everybody.
Else the lines call the command of this machine, and a colleague without it can still commit.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

STAGES = ("post-checkout", "post-merge", "post-rewrite", "post-commit")
_IF_THERE = "sh -c 'command -v hooks-compile >/dev/null || exit 0; exec hooks-compile {} \"$@\"' --"
# Hooks, wrappers, and the agents' configuration, whose commands name wrappers.
_FILES = (
    r"(?x)(^|/)( \.claude/settings(\.local)?\.json|\.codex/(hooks\.json|config\.toml)"
    r"|\.cursor/hooks\.json| \.gemini/settings\.json"
    r"|\.github/(hooks/[^/]+|copilot/settings(\.local)?)\.json| hooks/hooks\.json"
    r"|hook_wrapper\.sh )$|^(?!.*\.(json|toml|sh)$)"
)
_LOCAL_HOOKS: list[dict[str, Any]] = [
    {
        "id": "hooks-compile",
        "name": "compile changed Python hooks",
        "language": "system",
        "entry": _IF_THERE.format("compile --changed"),
        "types_or": ["python", "json", "toml", "shell"],
        "files": _FILES,
        "require_serial": True,
    },
    {
        "id": "hooks-compile-sync",
        "name": "sync compiled Python hooks",
        "language": "system",
        "entry": _IF_THERE.format("sync --git-hook"),
        "always_run": True,
        "pass_filenames": False,
        "require_serial": True,
        "stages": list(STAGES),
    },
]


def installed_from() -> tuple[str, str] | None:
    """Return the repository and commit that pip installed this tool from, None for another way.

    pip records it, by PEP 610.
    """
    try:
        text = distribution("hooks-compile").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    origin = json.loads(text or "{}")
    commit = origin.get("vcs_info", {}).get("commit_id")
    return (origin["url"], commit) if commit else None


def repositories(origin: tuple[str, str] | None) -> list[dict[str, Any]]:
    """Return the item of ``repos`` with our hooks, as the configuration file has it."""
    if origin is None:
        return [{"repo": "local", "hooks": _LOCAL_HOOKS}]
    hooks = [{"id": hook["id"]} for hook in _LOCAL_HOOKS]
    return [{"repo": origin[0], "rev": origin[1], "hooks": hooks}]


def as_yaml(origin: tuple[str, str] | None) -> list[str]:
    """Return the lines for ``.pre-commit-config.yaml``."""
    lines = [f"default_install_hook_types: [{', '.join(('pre-commit', *STAGES))}]", "repos:"]
    for repository in repositories(origin):
        hooks = repository["hooks"]
        rest = {key: value for key, value in repository.items() if key != "hooks"}
        lines += _item(rest, "  ")
        lines.append("    hooks:")
        for hook in hooks:
            lines += _item(hook, "      ")
    return lines


def as_toml(origin: tuple[str, str] | None) -> list[str]:
    """Return the lines for ``prek.toml``."""
    import tomlkit  # noqa: PLC0415 - slow, and most projects have YAML

    top = {"default_install_hook_types": ["pre-commit", *STAGES]}
    text = tomlkit.dumps(top | {"repos": repositories(origin)})
    return text.splitlines()


def _item(values: dict[str, Any], indent: str) -> list[str]:
    """Return an item of a YAML list."""
    lines = [f"{indent}  {key}: {_scalar(value)}" for key, value in values.items()]
    return [f"{indent}- {lines[0].strip()}", *lines[1:]]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    return json.dumps(value)
