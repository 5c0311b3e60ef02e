"""Loads the hooks that the tests of the bot and of the local Slack share."""

pytest_plugins = ["tests.plugin"]
