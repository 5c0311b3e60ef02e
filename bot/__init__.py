"""Incident Commander: a Slack bot that commands incidents for teams that move money."""

__version__ = "0.1.0"
