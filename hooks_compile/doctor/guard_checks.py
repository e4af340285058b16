"""Guards: hooks that block what an agent is about to do by exit status 2.

Most agents go on if the launch itself fails, as if the guard had agreed.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from hooks_compile.agents.clients.base import value_at
from hooks_compile.agents.shell.effects import Entered
from hooks_compile.agents.wiring.command import launches_of
from hooks_compile.agents.wiring.documents import read_settings
from hooks_compile.agents.wiring.hooks import hooks_in
from hooks_compile.doctor.findings import NOTE, PROBLEM, Finding
from hooks_compile.entries.report import some
from hooks_compile.files import read_bytes
from hooks_compile.interpreters.user_environment import user_environment
from hooks_compile.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hooks_compile.agents.clients.base import Agent, Json
    from hooks_compile.agents.shell.launches import Launch
    from hooks_compile.agents.wiring.plan import FilePlan

# The events before something happens, as the agents call them.
_BEFORE = re.compile("pre|before|permission|userprompt", re.IGNORECASE)
_BLOCKS = re.compile(rb"\b(?:exit|SystemExit)\(\s*2\s*\)|\breturn 2\b")
_ROOTED = ("/", "~", "$", "`")


class _Guard(NamedTuple):
    """A guard's name, its entry in the configuration, and what its command launches."""

    name: str
    entry: Mapping[str, Json]
    launches: list[Launch]


def check_guards(plan: FilePlan, env: Mapping[str, str]) -> Iterator[Finding]:
    """Name the guards of a configuration that let everything pass if their launch fails."""
    agent, origin = plan.config.agent, one_line(plan.config.origin)
    path = user_environment(env).get("PATH")
    weak: list[str] = []
    remedies: dict[str, None] = {}
    for guard in _guards(plan):
        programs = [each.python.literal for each in guard.launches if each.python is not None]
        for name in filter(None, programs):
            if ("/" not in name or name.startswith("/")) and not shutil.which(name, path=path):
                text = f"{origin}: there is no {name!r} to start the guard {guard.name} with"
                yield Finding(PROBLEM, one_line(text), f"install {name}, or name another there")
        if reasons := _weaknesses(guard, agent):
            weak.append(f"{guard.name} ({', '.join(reasons)})")
            remedies |= dict.fromkeys(reasons.values())
    if weak:
        text = f"{origin}: if their launch fails, these guards let everything pass: {some(weak)}"
        yield Finding(NOTE, text, "; ".join(remedies))


def _weaknesses(guard: _Guard, agent: Agent) -> dict[str, str]:
    """Return why a failing launch lets everything pass, each with its remedy."""
    found = {}
    if agent.name == "claude":
        if guard.entry.get("onFailure") == "block":
            return {}
        remedy = 'add "onFailure": "block" to the entry (Claude Code 2.1.295 and later)'
        found["no onFailure"] = remedy
    if not any(key.startswith("timeout") for key in guard.entry):
        found["no timeout"] = "set a timeout"
    if agent.variables and any(map(_depends_on_start, guard.launches)):
        found["relative path"] = f'begin the path with "${agent.variables[0]}"/'
    return found


def _depends_on_start(launch: Launch) -> bool:
    """Return whether the directory that the agent is in decides which script is launched."""
    entered = (each.word for each in launch.state.effects if isinstance(each, Entered))
    return not any(
        word.unquoted.startswith(_ROOTED) for word in (launch.script, *filter(None, entered))
    )


def _guards(plan: FilePlan) -> Iterator[_Guard]:
    """Yield the hooks of a readable configuration that run before something and may block it."""
    if plan.file is None or plan.trouble is not None:
        return
    config = plan.config
    settings = read_settings(plan.file.text, config.path)
    for hook in hooks_in(plan.file.text, config):
        entry = value_at(settings, hook.found.path[:-1])
        for script in hook.scripts if _BEFORE.match(hook.found.event) else []:
            with suppress(OSError):  # missing, which other checks say
                if _BLOCKS.search(read_bytes(script)) and isinstance(entry, dict):
                    yield _Guard(one_line(script.name), entry, launches_of(hook.line))
                    break
