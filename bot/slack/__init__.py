"""Slack: what people see, and what they press and type."""
