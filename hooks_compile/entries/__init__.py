"""Entries: compiled, checked, pruned, reported."""
