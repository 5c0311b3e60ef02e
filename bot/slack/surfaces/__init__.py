"""What Slack shows: messages, modals, the words in them, and the Block Kit that they are made of."""
