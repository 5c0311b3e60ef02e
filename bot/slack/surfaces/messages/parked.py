"""What Slack refuses for good is said in the incident's channel, with what to do about it, until it is done."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.desired_message import Message
from bot.domain.effect import Effect
from bot.reconciler.delivery_state import BLIND
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.messages.build import message, withdrawn
from bot.slack.surfaces.words import channel as words
from bot.slack.surfaces.words.error_advice import advice

#: this message's own key: it does not speak of itself
KEY = "parked"


def parked(given_up: Sequence[Effect]) -> Message:
    """One line for each of Slack's codes; withdrawn when nothing is given up any more."""
    duties: dict[str, list[str]] = {}
    for one in given_up:
        if one.key != KEY:
            duties.setdefault(one.error, []).append(words.duty(one.key))
    if not duties:
        return withdrawn(KEY)
    lines = [
        words.given_up(sorted(set(what)), error.removeprefix(BLIND), advice(error))
        for error, what in sorted(duties.items())
    ]
    said = "\n".join(lines)
    return message(KEY, said, (block_kit.section(said),))
