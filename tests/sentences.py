"""What a rule's sentence reads like in Slack, for tests that compare it."""

from __future__ import annotations

from bot.domain import policy
from bot.domain.errors import Refused
from bot.domain.policy import Policy
from bot.domain.sentences import Sentence
from bot.slack.surfaces.words.sentences import say_in_slack

POLICY = Policy()


def said(refused: Refused, command: str = "/incident", policy: Policy = POLICY) -> str:
    """The sentence of a refusal as its reader sees it."""
    return say_in_slack(refused.sentence, command, policy)


def in_slack(sentence: Sentence | str) -> str:
    """A sentence, or a template without facts, as its reader sees it."""
    return say_in_slack(sentence if isinstance(sentence, Sentence) else Sentence(sentence), "/incident", POLICY)


#: what everybody reads who asks for an incident that is not there, or that they may not know of
NO_SUCH_INCIDENT = in_slack(policy.NO_SUCH_INCIDENT)
