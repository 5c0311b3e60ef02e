"""The form that records an incident afterwards: what people ran by hand, and when."""

from __future__ import annotations

from datetime import datetime

from bot.domain.backfill import MAX_START_AGE
from bot.domain.lifecycle import MAX_TITLE_CHARS
from bot.domain.policy import Policy
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.modals.declare import ASSUME
from bot.slack.surfaces.modals.form import VALUE_ACTION_ID, ModalView, private_metadata, text_question
from bot.slack.surfaces.text import escape_line


def backfill_form(
    *, name: str, private: bool, began: datetime, now: datetime, policy: Policy, channel: str, response_url: str = ""
) -> ModalView:
    """`name` and `private` of the channel; `began`: since when there is something in it, filled in unless long ago."""
    seen = "Only those who are in this channel know of it." if private else "It is announced, once, as recorded late."
    choices = [
        block_kit.option(one.name, one.key, one.meaning)
        for one in policy.severities[: block_kit.MAX_CHECKBOX_OPTIONS - 1]
    ]
    choices.append(block_kit.option("Not sure", ASSUME, "One is assumed now"))
    since = f"{began:%Y-%m-%d %H:%M} UTC" if began > now - MAX_START_AGE else ""
    head = f"*#{escape_line(name)}* becomes an incident's channel, with every message that is pinned in it.\n{seen}"
    blocks = [
        block_kit.section(head),
        text_question("title", "What was broken?", max_length=MAX_TITLE_CHARS, placeholder="Withdrawals were stuck"),
        block_kit.input_block("severity", "How bad was it?", block_kit.radio_buttons(VALUE_ACTION_ID, choices, ASSUME)),
        text_question("summary", "Who was affected?", multiline=True, max_length=500, optional=True),
        text_question(
            "began", "When did it begin?", since, max_length=40, hint="2026-03-02 13:40 UTC, or 13:40 UTC today"
        ),
        text_question(
            "over", "When was it over?", max_length=40, optional=True, hint="Empty: it still goes on, and you lead it"
        ),
    ]
    metadata = private_metadata(c=channel, u=response_url)
    return block_kit.modal("backfill", "Record afterwards", blocks, metadata=metadata, submit="Record")
