"""The topic of an incident's channel, which Slack shows in the channel's header."""

from __future__ import annotations

from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.statuses import standing

#: Slack: a topic has at most 250 characters (conversations.setTopic)
MAX_TOPIC_CHARS = 250


def channel_topic(incident: Incident, policy: Policy) -> str:
    """Severity, status and lead: what changes rarely. The title of a private incident stays out of it."""
    lead = f"lead <@{incident.lead}>" if incident.lead else "lead nobody yet" if incident.open else ""
    parts = (policy.severity(incident.severity).name, standing(incident), lead, incident.name)
    return " · ".join(part for part in parts if part)[:MAX_TOPIC_CHARS]
