"""What people add: lines of the timeline, tasks, other people, and what is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.preconditions import require_known, require_open
from bot.domain.sentences import Person

MAX_NOTE_CHARS = 3000


def note(
    incident: Incident,
    *,
    text: str,
    happened: datetime | None = None,
    author: str = "",
    channel: str = "",
    message_ts: str = "",
    permalink: str = "",
    by: Actor,
    at: datetime,
) -> list[e.Event]:
    """A line of the timeline; a message counts once, however often it is pinned. Notes are welcome after the end."""
    require_known(incident)
    words = text.strip()
    if not words:
        raise Refused("Write what happened: `{command} note restarted the payout worker`.", field="text")
    if happened is not None and happened > at:
        raise Refused("That time is in the future. When did it happen?", field="at")
    if message_ts and any(
        one.noted.message_ts == message_ts and one.noted.channel == channel and not one.withdrawn
        for one in incident.notes
    ):
        return []
    return [
        e.Noted(
            by=by.user,
            at=at,
            text=clipped(words),
            happened=happened or at,
            author=author or by.user,
            channel=channel,
            message_ts=message_ts,
            permalink=permalink,
        )
    ]


def clipped(text: str) -> str:
    """The text, as far as a line of the timeline holds it."""
    return text if len(text) <= MAX_NOTE_CHARS else text[: MAX_NOTE_CHARS - 1] + "…"


def withdraw(incident: Incident, *, channel: str, message_ts: str, by: Actor, at: datetime) -> list[e.Event]:
    """The last pin of a message went: its line is taken out by a new event."""
    return [
        e.NoteWithdrawn(by=by.user, at=at, seq=one.seq)
        for one in incident.notes
        if one.noted.message_ts == message_ts and one.noted.channel == channel and not one.withdrawn
    ]


def add_task(
    incident: Incident,
    *,
    text: str,
    assignee: str = "",
    due: str = "",
    due_on: date | None = None,
    by: Actor,
    at: datetime,
) -> list[e.Event]:
    """Something to do, during or after the incident. `due`: the words that name its day, `due_on`: that day."""
    require_known(incident)
    words = text.strip()
    if not words:
        raise Refused("Write what is to be done: `{command} task @ben add an alert on queue age by Friday`.")
    return [e.TaskAdded(by=by.user, at=at, text=clipped(words), assignee=assignee, due=due, due_on=due_on)]


def finish_task(incident: Incident, *, seq: int, by: Actor, at: datetime) -> list[e.Event]:
    """A task is done; saying so twice changes nothing."""
    task = next((one for one in incident.tasks if one.seq == seq), None)
    if task is None:
        raise Refused("That task is not on this incident.")
    return [] if task.done else [e.TaskDone(by=by.user, at=at, seq=seq)]


def add_person(incident: Incident, *, user: str, by: Actor, at: datetime) -> list[e.Event]:
    """Bring somebody in."""
    require_known(incident)
    if user in incident.invited or user in incident.wanted:
        error = incident.refused.get(user)
        if not error:
            raise Refused("{who} is here already.", who=Person(user))
    return [e.PersonAdded(by=by.user, at=at, user=user)]


def call_responders(incident: Incident, *, users: Sequence[str], by: Actor, at: datetime) -> list[e.Event]:
    """Bring in and mention responders whom the bot could not find at the declaration: those who are not in yet.

    Nobody where it is over, or private: nobody is brought into a private incident from a list.
    """
    if not incident.open or incident.private:
        return []
    inside = {*incident.wanted, *incident.invited}
    return [e.PersonAdded(by=by.user, at=at, user=user, called=True) for user in users if user not in inside]


def follow(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """Hear directly of changes; asked for again, hear no more. Private incidents have no followers."""
    require_known(incident)
    if by.user in incident.followers:
        return [e.Unfollowed(by=by.user, at=at)]
    if incident.private:
        raise Refused("Only its members can follow a private incident. Ask one of them to add you.")
    return [e.Followed(by=by.user, at=at)]


def wait_for(incident: Incident, *, what: str, look_again: datetime | None, by: Actor, at: datetime) -> list[e.Event]:
    """Nothing can be done before somebody else acts: reminders pause until it is time to look again."""
    require_open(incident)
    if not what.strip():
        raise Refused("Say what for: `{command} waiting for Stellar validators`.", field="what")
    again = look_again or at + timedelta(minutes=30)
    if again <= at:
        raise Refused("The time to look again is in the past.", field="until")
    return [e.WaitingBegan(by=by.user, at=at, what=what.strip()[:200], look_again=again)]


def stop_waiting(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """Look again."""
    return [e.WaitingEnded(by=by.user, at=at)] if incident.waiting else []


def take_reading(
    incident: Incident,
    *,
    probe: str,
    target: str,
    state: str,
    sentence: str,
    evidence: tuple[str, ...],
    runbook: str = "",
    step: str = "",
    by: Actor,
    at: datetime,
) -> list[e.Event]:
    """Keep what a probe said; with `runbook` and `step`, beside that step."""
    require_known(incident)
    return [
        e.ReadingTaken(
            by=by.user,
            at=at,
            probe=probe,
            target=target,
            state=state,
            sentence=sentence,
            evidence=evidence,
            runbook=runbook,
            step=step,
        )
    ]


def refuse_secret(incident: Incident, *, kind: str, where: str, by: Actor, at: datetime) -> list[e.Event]:
    """Keep that a secret was in somebody's text: its kind and field, never its value."""
    require_known(incident)
    return [e.SecretRefused(by=by.user, at=at, kind=kind, where=where)]
