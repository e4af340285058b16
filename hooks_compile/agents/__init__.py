"""The coding agents: where their configuration is, and what its commands launch."""

from __future__ import annotations

from hooks_compile.agents.clients.places import PATHSPECS
from hooks_compile.agents.named_scripts import hook_events, named_scripts

__all__ = ["PATHSPECS", "hook_events", "named_scripts"]
