"""The form that declares an incident: a title is enough."""

from __future__ import annotations

from bot.domain.lifecycle import MAX_TITLE_CHARS
from bot.domain.policy import Policy
from bot.domain.time_text import lasted
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.modals.form import VALUE_ACTION_ID, ModalView, private_metadata, text_question

#: the severity's value when the bot is to choose
ASSUME = "assume"


def declare_form(
    *, title: str, severity: str, policy: Policy, private: bool, response_url: str = "", channel: str = ""
) -> ModalView:
    """`severity` empty: the bot assumes one and asks again. `private`: the words of the title need care."""
    choices = [
        block_kit.option(one.name, one.key, one.meaning)
        for one in policy.severities[: block_kit.MAX_CHECKBOX_OPTIONS - 1]
    ]
    asked = f"One is assumed now; you are asked again after {lasted(policy.severity_asked_after)}"
    choices.append(block_kit.option("Not sure", ASSUME, asked))
    secrecy = [
        block_kit.option("Public", "public", "Everybody here may join; announced"),
        block_kit.option("Private", "private", "Invited people only, not announced; has to be chosen now"),
    ]
    blocks = [
        text_question(
            "title", "What is broken?", title, max_length=MAX_TITLE_CHARS, placeholder="Withdrawals are stuck"
        ),
        block_kit.input_block(
            "severity", "How bad is it?", block_kit.radio_buttons(VALUE_ACTION_ID, choices, severity or ASSUME)
        ),
        text_question("summary", "Who is affected, and since when?", multiline=True, max_length=500, optional=True),
        block_kit.input_block(
            "private",
            "Who may see it?",
            block_kit.radio_buttons(VALUE_ACTION_ID, secrecy, "private" if private else "public"),
        ),
    ]
    metadata = private_metadata(c=channel, u=response_url)
    return block_kit.modal("declare", "Declare an incident", blocks, metadata=metadata, submit="Declare")
