"""What the channel, #incidents, the postmortem and the statistics say of one incident: the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain.append_only import AppendOnlySequence
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.time_text import lasted
from bot.reports import postmortem, statistics
from bot.slack.surfaces.messages import RenderEnvironment, messages
from tests.slack.slack_reading import read_message

NAMES = {"UANA": "Ana", "UBEN": "Ben", "UCARLA": "Carla"}


def shown(incident: Incident, policy: Policy, now: datetime) -> dict[str, str]:
    """Every message by its key, as people read it."""
    return {one.key: read_message(one) for one in messages(incident, now, RenderEnvironment(policy, names=NAMES))}


def draft(incident: Incident, entries: Sequence[e.Entry], policy: Policy, now: datetime) -> str:
    """The postmortem."""
    return postmortem.render_postmortem(incident, entries, NAMES, policy, now)


def check(incident: Incident, entries: Sequence[e.Entry], policy: Policy, now: datetime) -> None:
    """Raise AssertionError where two of them differ."""
    card = statistics.scorecard(incident, policy, now)
    # What counts was chosen when the timeline was folded: all of it counts to the same.
    whole = replace(incident, cadence_entries=AppendOnlySequence(one for one in entries if one.event))
    assert statistics.scorecard(whole, policy, now) == card
    assert statistics.endings(whole) == statistics.endings(incident)
    end, text = statistics.ending(incident), draft(incident, entries, policy, now)
    assert (end is None) == incident.open
    if score := statistics.score_text(card):
        assert f"\n{score}.\n" in text
    if end is None:
        return
    said = shown(incident, policy, now)
    took, mitigated = statistics.ending_text(incident, end), statistics.mitigation_text(incident, end)
    times = statistics.times(incident)
    assert [one.length for one in times.to_end] == [end.at - one.begin for one in times.to_end]
    assert took in text and all(lasted(one.length) in took for one in times.to_end)
    assert ("Mitigated: " in text.split("## Impact")[0]) == bool(mitigated) and mitigated in text
    if (message := said.get(f"status:{end.seq}")) and "Resolved: " in message:
        assert took in message and mitigated in message and ("Mitigated:" in message) == bool(mitigated)
        assert not score or f"{score}." in message
        assert incident.private or not incident.channel or took in said[f"announce-end:{end.seq}"]


def minutes(number: float) -> timedelta:
    """So many."""
    return timedelta(minutes=number)
