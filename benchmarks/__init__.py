"""Measurements anyone can run: ``python -m benchmarks.launch``, ``python -m benchmarks.compile``."""
