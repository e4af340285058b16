"""The commands of the agents: on the wrapper or not, and guards that let everything pass.

A guard is a hook that blocks what an agent is about to do, by exit status 2 or by JSON. Most agents
go on if the launch itself fails, as if the guard had agreed.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hooks_compile.agents.clients.base import children, member, value_at
from hooks_compile.agents.shell.launches import NO_PYTHON
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.agents.wiring.hooks import hooks_in
from hooks_compile.doctor.findings import Finding, note, ok, problem
from hooks_compile.entries.report import plural, some
from hooks_compile.files import read_bytes
from hooks_compile.interpreters.user_environment import user_environment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hooks_compile.agents.clients.base import Agent, Json
    from hooks_compile.agents.wiring.plan import FilePlan

# The events before something happens, as the agents call them.
_BEFORE = re.compile("pre|before|permission|userprompt", re.IGNORECASE)
_BLOCKS = re.compile(
    rb"\b(?:exit|SystemExit)\(\s*2\s*\)|\breturn 2\b"
    rb"""|(?:decision|permission(?:Decision)?)[\\"'\]]*\s*[:=]\s*[\\"']+(?:block|deny)\b"""
)


def check_commands(plan: FilePlan, names: set[str], *, is_wired: bool) -> Iterator[Finding]:
    """Name the commands of a configuration that launch hooks without the wrapper, and why.

    ``is_wired`` says that some file of the project has commands on the wrapper: then one that has
    none may have been left on purpose. ``names`` are those of the project's hooks.
    """
    origin, result = plan.config.origin, plan.result
    if plan.trouble is not None:
        text = f"{origin}: {plan.trouble.cause}, so nobody knows how its hooks are launched"
        yield problem(text, plan.trouble.remedy)
        return
    if result.changes:
        count = plural(len(result.changes), "command launches", "commands launch")
        finding = note if is_wired and not result.wired else problem
        text = f"{origin}: {count} Python without the wrapper"
        yield finding(text, f"hooks-compile init --agent {plan.config.agent.name}")
    reasons: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
    for left in result.left:
        is_ours = left.reason != NO_PYTHON and any(name in left.command for name in names)
        if is_ours or left.is_removable:
            reasons[left.reason, left.is_removable].append(left.where)
    for (reason, is_removable), places in reasons.items():
        text = f"{origin}: {some(places, 1)} not on the wrapper: {reason}"
        remedy = "remove that reason, then: hooks-compile init"
        yield problem(text, remedy) if is_removable else note(text)
    if result.wired:
        yield ok(f"{origin}: {plural(result.wired, 'command')} on the wrapper")


def check_launches(
    plan: FilePlan, env: Mapping[str, str], reported: Collection[str] = ()
) -> Iterator[Finding]:
    """Name the interpreters that are missing, and guards that let everything pass if they fail.

    ``reported`` are interpreters that another check looks for.
    """
    if plan.file is None or plan.trouble is not None:
        return
    config, path = plan.config, user_environment(env).get("PATH")
    settings = read_settings(plan.file.text, config.path)
    missing: defaultdict[str, list[str]] = defaultdict(list)
    weak: dict[str, None] = {}
    remedies: dict[str, str] = {}
    for hook in hooks_in(plan.file.text, config):
        for name in {*hook.pythons}.difference(reported):
            if ("/" not in name or name.startswith("/")) and not shutil.which(name, path=path):
                missing[name].append(hook.found.where)
        scripts = hook.scripts if _BEFORE.match(hook.found.event) else []
        guard = next(filter(_is_guard, scripts), None)
        if guard is not None:
            from_root = hook._replace(around=hook.around._replace(starts=(Path("/"),)))
            is_relative = from_root.scripts != scripts
            entry = value_at(settings, hook.found.path[:-1])
            reasons = _weaknesses(entry, config.agent, is_relative=is_relative)
            weak |= {f"{guard.name} ({', '.join(reasons)})": None} if reasons else {}
            remedies |= reasons
    for name, places in missing.items():
        text = f"{config.origin}: {some(places, 1)}: there is no {name!r} to run its hook with"
        yield problem(text, f"install {name}, or name another there")
    if weak:
        text = f"if their launch fails, these guards let everything pass: {some([*weak])}"
        yield note(f"{config.origin}: {text}", "; ".join(remedies.values()))


def _is_guard(script: Path) -> bool:
    """Return whether a script seems to block."""
    with suppress(OSError):  # missing, which other checks say
        return bool(_BLOCKS.search(read_bytes(script)))
    return False


def _weaknesses(entry: Json, agent: Agent, *, is_relative: bool) -> dict[str, str]:
    """Return why a failing launch lets everything pass, each with its remedy.

    ``is_relative`` says that the directory that the agent is in decides what is launched.
    """
    found = {}
    if agent.name == "claude":
        if member(entry, "onFailure") == "block":
            return {}
        remedy = 'add "onFailure": "block" to the entry (Claude Code 2.1.295 and later)'
        found["no onFailure"] = remedy
    if not any(str(key).startswith("timeout") for key, _ in children(entry)):
        found["no timeout"] = "set a timeout"
    if agent.variables and is_relative:
        found["relative path"] = f'begin the path with "${agent.variables[0]}"/'
    return found
