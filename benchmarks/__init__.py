"""Measurements anyone can run, for example ``python -m benchmarks.launch``."""
