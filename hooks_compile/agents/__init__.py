"""The hook configuration of coding agents: one module for each agent."""

from __future__ import annotations

from hooks_compile.agents.named_scripts import named_scripts

__all__ = ["named_scripts"]
