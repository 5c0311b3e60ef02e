"""The form that declares an incident: a title is enough."""

from __future__ import annotations

from bot.domain.lifecycle import TITLE_LIMIT
from bot.domain.policy import Policy
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.modals.form import VALUE, View, ask_text, remembered

#: the severity's value when the bot is to choose
ASSUME = "assume"


def declare_form(
    *, title: str, severity: str, policy: Policy, private: bool, response_url: str = "", channel: str = ""
) -> View:
    """`severity` empty: the bot assumes one and asks again. `private`: the words of the title need care."""
    choices = [block_kit.option(one.name, one.key, one.meaning) for one in policy.severities[: block_kit.OPTIONS - 1]]
    choices.append(block_kit.option("Not sure", ASSUME, "One is assumed now; you are asked again in five minutes"))
    secrecy = [
        block_kit.option("Public", "public", "Everybody here may join; announced"),
        block_kit.option("Private", "private", "Invited people only, not announced; has to be chosen now"),
    ]
    blocks = [
        ask_text("title", "What is broken?", title, most=TITLE_LIMIT, placeholder="Withdrawals are stuck"),
        block_kit.field("severity", "How bad is it?", block_kit.radio(VALUE, choices, severity or ASSUME)),
        ask_text("summary", "Who is affected, and since when?", lines=True, most=500, optional=True),
        block_kit.field(
            "private", "Who may see it?", block_kit.radio(VALUE, secrecy, "private" if private else "public")
        ),
    ]
    metadata = remembered(c=channel, u=response_url)
    return block_kit.modal("declare", "Declare an incident", blocks, metadata=metadata, submit="Declare")
