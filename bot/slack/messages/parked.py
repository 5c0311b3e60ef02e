"""What Slack refuses for good is said in the incident's channel, with what to do about it, until it is done."""

from __future__ import annotations

from collections.abc import Sequence

from bot.caretaker.outcome import BLIND
from bot.domain.effect import Effect
from bot.domain.message import Message
from bot.slack import kit, words
from bot.slack.messages.build import message, withdrawn
from bot.slack.refusals import advice

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
    return message(KEY, said, (kit.section(said),))
