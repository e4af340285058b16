"""Shell command lines: parsed, and searched for launches of Python."""
