"""``hooks-compile demo``: everything once, in a throw-away project."""
