"""Slack's codes, and what a person does about them."""

from __future__ import annotations

from bot.slack.surfaces.words.error_advice import ADVICE, advice

OF_TOKEN = frozenset({ADVICE["token_revoked"], ADVICE["invalid_auth"]})

__all__ = ["OF_TOKEN", "advice"]
