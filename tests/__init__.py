"""The tests: real git, real interpreters, real processes."""
