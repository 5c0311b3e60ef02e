"""The demonstration: a local Slack and the bot as two processes on this machine."""
