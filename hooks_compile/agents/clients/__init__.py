"""The configuration files of the agents: one module for each agent."""
