"""One Slack workspace: its people, its groups, its installation."""
