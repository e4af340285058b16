"""``hooks-watch``: compiles hooks as they are saved."""
