"""The record of a work tree: configuration, hooks, interpreters."""
