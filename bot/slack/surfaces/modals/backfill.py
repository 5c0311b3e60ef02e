"""The form that records an incident afterwards: what people ran by hand, and when."""

from __future__ import annotations

from datetime import datetime

from bot.domain.backfill import LONGEST_AGO
from bot.domain.lifecycle import TITLE_LIMIT
from bot.domain.policy import Policy
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.modals.form import VALUE, View, ask_text, remembered
from bot.slack.surfaces.modals.opening import ASSUME
from bot.slack.surfaces.text import line


def backfill_form(
    *, name: str, private: bool, began: datetime, now: datetime, policy: Policy, channel: str, response_url: str = ""
) -> View:
    """`name` and `private` of the channel; `began`: since when there is something in it, filled in unless long ago."""
    seen = "Only those who are in this channel know of it." if private else "It is announced, once, as recorded late."
    choices = [block_kit.option(one.name, one.key, one.meaning) for one in policy.severities[: block_kit.OPTIONS - 1]]
    choices.append(block_kit.option("Not sure", ASSUME, "One is assumed now"))
    since = f"{began:%Y-%m-%d %H:%M} UTC" if began > now - LONGEST_AGO else ""
    head = f"*#{line(name)}* becomes an incident's channel, with every message that is pinned in it.\n{seen}"
    blocks = [
        block_kit.section(head),
        ask_text("title", "What was broken?", most=TITLE_LIMIT, placeholder="Withdrawals were stuck"),
        block_kit.field("severity", "How bad was it?", block_kit.radio(VALUE, choices, ASSUME)),
        ask_text("summary", "Who was affected?", lines=True, most=500, optional=True),
        ask_text("began", "When did it begin?", since, most=40, hint="2026-03-02 13:40 UTC, or 13:40 UTC today"),
        ask_text("over", "When was it over?", most=40, optional=True, hint="Empty: it still goes on, and you lead it"),
    ]
    metadata = remembered(c=channel, u=response_url)
    return block_kit.modal("backfill", "Record afterwards", blocks, metadata=metadata, submit="Record")
