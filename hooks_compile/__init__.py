"""Keeps Python hook scripts compiled, and launches them exactly as Python would."""

__version__ = "0.1.0"
