"""The agents, their configuration files, and where these are."""
