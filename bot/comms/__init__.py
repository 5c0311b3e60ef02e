"""Texts that leave the house: scrubbed, checked for tone, filled in from templates."""
