"""What Slack refuses for good is said in the incident's channel, with what to do about it, until it is done."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.desired_message import DesiredMessage
from bot.domain.effect import Effect
from bot.reconciler.delivery_state import LOOKUP_REFUSED_PREFIX
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.messages.build import build_message, withdrawn_message
from bot.slack.surfaces.words import channel as words
from bot.slack.surfaces.words.error_advice import advice

#: this message's own key: it does not speak of itself
PARKED_KEY = "parked"


def parked(given_up: Sequence[Effect]) -> DesiredMessage:
    """One line for each of Slack's codes; withdrawn when nothing is given up any more."""
    duties: dict[str, list[str]] = {}
    for one in given_up:
        if one.key != PARKED_KEY:
            duties.setdefault(one.error, []).append(words.effect_phrase(one.kind, one.surface))
    if not duties:
        return withdrawn_message(PARKED_KEY)
    lines = [
        words.given_up(sorted(set(what)), error.removeprefix(LOOKUP_REFUSED_PREFIX), advice(error))
        for error, what in sorted(duties.items())
    ]
    said = "\n".join(lines)
    return build_message(PARKED_KEY, said, (block_kit.section(said),))
