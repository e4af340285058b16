"""The command ``hooks-compile``: parser, output, one module for a group of commands."""
