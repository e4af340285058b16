"""Launches of ``uv run HOOK`` without uv, if everything that uv reads is as it was recorded.

A record says: with these inputs and this environment on disk uv changed nothing, printed nothing,
and started this interpreter. If one of them differs, uv is asked.
"""

from hooks_compile.launcher.uv.uv_launch import enter_uv

__all__ = ["enter_uv"]
