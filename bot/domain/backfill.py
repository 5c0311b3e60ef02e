"""An incident that people ran by hand, recorded afterwards: their channel, and what they pinned in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain import lifecycle, notes
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.runbook import Runbook

#: what began longer ago is taken for a slip in the date
MAX_START_AGE = timedelta(days=366)
#: a form asks for minutes: what lies less ahead was now
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class PinnedMessage:
    """A message that was pinned: `secret` names what kind stood in it, and then there is no text."""

    ts: str
    happened: datetime
    text: str
    author: str = ""
    permalink: str = ""
    secret: str = ""


@dataclass(frozen=True)
class AdoptedChannel:
    """A channel that people made by hand, as Slack tells of it. `members`: user ids; `topic`: somebody wrote one."""

    id: str
    name: str
    created: datetime
    private: bool = False
    topic: bool = False
    members: tuple[str, ...] = ()
    pinned: tuple[PinnedMessage, ...] = ()


def adopt(
    incident: Incident,
    *,
    number: int,
    found: AdoptedChannel,
    title: str,
    severity: str | None,
    summary: str = "",
    began: datetime,
    over: datetime | None = None,
    responders: Sequence[str] = (),
    guesses: Sequence[Runbook] = (),
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """The incident is recorded, with what was pinned at its own time. Nobody is called to what is `over`.

    While it goes on, `by` leads it, the clocks run from now, and responders who are not in the channel are called.
    """
    began, over = _times(began, over, at)
    new = [user for user in responders if user not in found.members and over is None]
    first, *then = lifecycle.declare(
        incident,
        number=number,
        title=title,
        severity=severity,
        summary=summary,
        private=found.private,
        origin=found.id,
        responders=new,
        guesses=guesses,
        by=by,
        at=at,
        policy=policy,
    )
    adopted = e.Adopted(
        by=by.user, at=at, channel=found.id, name=found.name, began=began, over=over, keeps_topic=found.topic
    )
    events = [first, adopted, e.Invited(by=by.user, at=at, users=found.members)]
    return [*events, *([] if over else then), *_lines(found, by, at)]


def _times(began: datetime, over: datetime | None, at: datetime) -> tuple[datetime, datetime | None]:
    """When it began and was over. Raises Refused for times that cannot be."""
    if began > at + MINUTE:
        raise Refused("That time is in the future. When did it begin?", field="began")
    if began < at - MAX_START_AGE:
        raise Refused("That is more than a year ago. Check the date.", field="began")
    began = min(began, at)
    if over is None:
        return began, None
    if over > at + MINUTE:
        raise Refused("That time is in the future. Leave it empty while the incident goes on.", field="over")
    if over < began:
        raise Refused("That is before it began.", field="over")
    return began, min(over, at)


def _lines(found: AdoptedChannel, by: Actor, at: datetime) -> list[e.Event]:
    """Each pinned message once, in the order in which they were written; of a secret the fact alone."""
    lines: list[e.Event] = []
    once = {one.ts: one for one in found.pinned}
    for one in sorted(once.values(), key=lambda pinned: (pinned.happened, pinned.ts)):
        if one.secret:
            lines.append(e.SecretRefused(by=by.user, at=at, kind=one.secret, where="a pinned message"))
            continue
        lines.append(
            e.Noted(
                by=by.user,
                at=at,
                text=notes.clipped(one.text),
                happened=min(one.happened, at),
                author=one.author,
                channel=found.id,
                message_ts=one.ts,
                permalink=one.permalink,
                backfilled=True,
            )
        )
    return lines
