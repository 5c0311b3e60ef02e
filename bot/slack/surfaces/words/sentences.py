"""A rule's sentence in Slack: people as mentions, severities by their names, the command as the app is set up."""

from __future__ import annotations

from bot.domain.policy import Policy
from bot.domain.sentences import Sentence, Vocabulary, say
from bot.slack.surfaces import text


def vocabulary(command: str, policy: Policy) -> Vocabulary:
    """How this workspace names what a rule means. A handle of a policy file stays as it is written there."""
    return Vocabulary(
        command,
        person=lambda id: id if id.startswith("@") else text.mention(id),
        severity=lambda key: policy.severity(key).name,
    )


def say_in_slack(sentence: Sentence, command: str, policy: Policy) -> str:
    """The sentence as somebody reads it there, alone: a mention notifies nobody in what only one person sees."""
    return say(sentence, vocabulary(command, policy))
