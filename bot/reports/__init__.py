"""From a history to figures and text, pure: the timeline in words, the postmortem, the statistics."""
