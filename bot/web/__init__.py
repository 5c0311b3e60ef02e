"""The HTTP edge: Slack's requests, health, metrics."""
