"""Slack's codes, and what a person does about them."""

from __future__ import annotations

from bot.slack.surfaces.words.error_advice import ADVICE, advice

TOKEN_ADVICE = frozenset({ADVICE["token_revoked"], ADVICE["invalid_auth"]})

__all__ = ["TOKEN_ADVICE", "advice"]
