"""What Slack delivers: the connections, and which handler each delivery goes to."""
