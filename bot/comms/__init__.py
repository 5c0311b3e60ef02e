"""Texts that leave the team: scrubbed, checked for tone, filled in from templates."""
