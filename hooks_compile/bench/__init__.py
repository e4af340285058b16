"""Measurements of launches."""
