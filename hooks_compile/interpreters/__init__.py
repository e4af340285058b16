"""Which Python runs a hook: commands, shims, uv."""
