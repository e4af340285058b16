"""git's hooks that keep the entries up to date."""
