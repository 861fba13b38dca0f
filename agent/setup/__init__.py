"""The wizard: what is wired to this machine, a few questions, each answer tried at once, and the configuration."""
