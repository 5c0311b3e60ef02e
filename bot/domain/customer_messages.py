"""Customer texts on their way out: who may approve what, what voids an approval, and what came of sending.

Two people stand behind every text: who wrote it last, and who approved exactly that text (bound by its hash).
Texts are still drafted after the end, so that customers can be told that it is over; only a closed record takes none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind
from bot.domain.customer_template import Template, text_hash
from bot.domain.dual_control import needs_somebody_else, require_person, without
from bot.domain.errors import Refused
from bot.domain.incident import Draft, DraftState, Incident, Status
from bot.domain.policy import Policy
from bot.domain.preconditions import require_known
from bot.domain.sentences import Moment, Person
from bot.domain.time_text import clock_time

#: why a text that nothing can post is uncertain: a person posts it, and says so
POST_BY_HAND_REASON = "to be posted by hand"
#: states in which a text is not public and can still be edited
EDITABLE_STATES = frozenset({DraftState.DRAFTED, DraftState.APPROVED, DraftState.LAPSED, DraftState.FAILED})


def _writable(incident: Incident) -> None:
    require_known(incident)
    if incident.status is Status.CLOSED:
        raise Refused(
            "{name} is closed, so nothing was changed. To tell customers more, reopen it first: `{command} reopen`.",
            name=incident.name,
        )


def find_draft(incident: Incident, draft: str) -> Draft:
    """The draft of that id; raises Refused where there is none."""
    require_known(incident)
    found = incident.drafts.get(draft)
    if found is None:
        raise Refused("{name} has no such draft. Nothing was done.", name=incident.name)
    return found


def draft(
    incident: Incident,
    *,
    draft: str,
    template: Template,
    text: str,
    removed: str = "",
    findings: Sequence[str] = (),
    tone: Sequence[str] = (),
    promised: datetime | None = None,
    slots: Sequence[tuple[str, str]] = (),
    replaces: str = "",
    approvers: Sequence[str] = (),
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """A text, scrubbed already, waits for a second person. Whoever edits (`replaces`) becomes its drafter.

    `text` is exactly what would be sent; `approvers`: who may approve, as user ids (the drafter is left out);
    `promised`: the time of the next text that this one promises. The same draft told twice changes nothing.
    """
    _writable(incident)
    require_person(by)
    if not text.strip():
        raise Refused("There is no text to send. Nothing was stored.", field="text")
    if promised is not None and promised <= at:
        raise Refused("The promised time is in the past. When will the next update be?", field="promised")
    if (there := incident.drafts.get(draft)) is not None:
        if there.drafted.by == by.user and there.drafted.text == text:
            return []
        raise Refused("That draft exists already. Nothing was changed.")
    if replaces:
        _editable(find_draft(incident, replaces), at)
    return [
        e.CommsDrafted(
            by=by.user,
            at=at,
            draft=draft,
            template=template.name,
            audience=template.audience,
            stage=template.stage,
            revision=template.revision,
            text=text,
            text_hash=text_hash(text),
            removed=removed,
            findings=tuple(findings),
            tone=tuple(tone),
            promised=promised,
            replaces=replaces,
            slots=tuple(slots),
            to=without(approvers, by.user),
            expires=at + policy.draft_stands,
        )
    ]


def _editable(old: Draft, at: datetime) -> None:
    if old.state in EDITABLE_STATES:
        return
    became = {
        "replaced": "Somebody edited that text meanwhile. Look at the newer draft and edit that one.",
        "discarded": "That draft was discarded. Write a new one: `{command} comms`.",
        "sending": "That text is being sent right now, so it cannot be edited. Write the next one after it.",
        "uncertain": "Nobody knows whether that text is public. Find out first, then write the next one.",
        "published": f"That text is public since {clock_time(old.published_at or at, at)}. Write the next one.",
    }
    raise Refused(became[old.state])


def void_reason(incident: Incident, draft: Draft, at: datetime) -> str:
    """Why a drafted or approved text may no longer go out; empty: it may."""
    if incident.last_status_or_severity_seq > draft.seq:
        return "severity or status changed since it was written"
    if incident.impact_seq > draft.seq:
        return "who is affected changed since it was written"
    promised = draft.drafted.promised
    if promised is not None and promised <= at:
        return f"the next update that it promises, {clock_time(promised, at)}, is not ahead any more"
    if _expires(draft) <= at:
        return "it was not sent in time" if draft.state is DraftState.APPROVED else "nobody approved it in time"
    return ""


def expires_at(incident: Incident, draft: Draft) -> datetime | None:
    """When `expire` applies to a draft, unless something happens before; None: it waits for nothing."""
    if draft.state not in (DraftState.DRAFTED, DraftState.APPROVED):
        return None
    if max(incident.last_status_or_severity_seq, incident.impact_seq) > draft.seq:
        return draft.drafted.at
    expires = _expires(draft)
    return min(expires, draft.drafted.promised) if draft.drafted.promised else expires


def _expires(draft: Draft) -> datetime:
    """An approval given at the last minute stands as long again as the draft did."""
    if draft.approved_at is not None:
        return draft.approved_at + (draft.drafted.expires - draft.drafted.at)
    return draft.drafted.expires


def approve(
    incident: Incident, *, draft: str, text_hash: str, by: Actor, at: datetime, policy: Policy
) -> list[e.Event]:
    """A second person approves exactly the text with this hash; never the one who wrote it."""
    _writable(incident)
    found = find_draft(incident, draft)
    if found.state is DraftState.APPROVED and found.approved_by == by.user:
        return []
    if found.state is DraftState.APPROVED and found.approved_at:
        raise Refused(
            "{approved_by} approved that already, {time}.",
            approved_by=Person(found.approved_by),
            time=Moment(found.approved_at, at),
        )
    if found.state is DraftState.REPLACED:
        raise Refused("Not approved: the text has changed since you saw it. Read the newer draft, then approve that.")
    if found.state is not DraftState.DRAFTED:
        raise Refused("Not approved: that draft is {stands}.", stands=_STANDS[found.state])
    require_person(by)
    if by.user == found.drafted.by:
        raise needs_somebody_else("You wrote this text", "approve it", found.drafted.to, by.user)
    policy.require_right("approve", by)
    if text_hash != found.drafted.text_hash:
        raise Refused("Not approved: the text has changed since you saw it. Read it again, then approve.")
    if why := void_reason(incident, found, at):
        raise Refused("Not approved: {why}. Edit it, or write a new one: `{command} comms`.", why=why)
    return [e.CommsApproved(by=by.user, at=at, draft=draft, text_hash=text_hash)]


#: state -> how it reads after "that draft is"
_STANDS = {
    "drafted": "not approved yet",
    "approved": "approved and about to be sent",
    "sending": "being sent",
    "published": "public already",
    "uncertain": "perhaps public: somebody has to look",
    "failed": "not sent, because sending failed",
    "discarded": "discarded",
    "lapsed": "no longer valid",
    "replaced": "replaced by a newer one",
}


def discard(incident: Incident, *, draft: str, reason: str = "", by: Actor, at: datetime) -> list[e.Event]:
    """The text will not be sent; refused once it may be public."""
    found = find_draft(incident, draft)
    if found.state is DraftState.DISCARDED:
        return []
    if found.state not in EDITABLE_STATES:
        raise Refused("Not discarded: that draft is {stands}.", stands=_STANDS[found.state])
    return [e.CommsDiscarded(by=by.user, at=at, draft=draft, reason=reason.strip()[:500])]


def expire(incident: Incident, *, draft: str, by: Actor, at: datetime) -> list[e.Event]:
    """For the bot: a drafted or approved text that may no longer go out. Before that, nothing."""
    found = incident.drafts.get(draft)
    if incident.unknown_event_type or found is None or found.state not in (DraftState.DRAFTED, DraftState.APPROVED):
        return []
    why = void_reason(incident, found, at)
    return [e.CommsLapsed(by=by.user, at=at, draft=draft, reason=why)] if why else []


def record_sending(incident: Incident, *, draft: str, by: Actor, at: datetime) -> list[e.Event]:
    """Sending begins: from here on the text may be public. What certainly failed is begun again by people only."""
    _writable(incident)
    found = find_draft(incident, draft)
    again = found.state is DraftState.FAILED and by.kind is not ActorKind.SELF
    if not found.approved_by or not (found.state is DraftState.APPROVED or again):
        raise Refused("Not sent: that draft is {stands}.", stands=_STANDS[found.state])
    if why := void_reason(incident, found, at):
        raise Refused("Not sent: {why}. Edit it, or write a new one: `{command} comms`.", why=why)
    return [e.CommsSending(by=by.user, at=at, draft=draft)]


def _begun(incident: Incident, draft: str) -> Draft:
    """A draft whose sending began; what came of it is recorded whatever the incident has become."""
    found = find_draft(incident, draft)
    if found.state not in (DraftState.SENDING, DraftState.UNCERTAIN, DraftState.PUBLISHED):
        raise Refused("Sending never began: that draft is {stands}.", stands=_STANDS[found.state])
    return found


def record_published(
    incident: Incident,
    *,
    draft: str,
    publisher: str,
    where: str,
    reference: str = "",
    link: str = "",
    by: Actor,
    at: datetime,
) -> list[e.Event]:
    """The text is public there; told twice of the same place changes nothing."""
    found = _begun(incident, draft)
    if found.state is DraftState.PUBLISHED and (found.where, found.reference) == (where, reference):
        return []
    return [
        e.CommsPublished(
            by=by.user, at=at, draft=draft, publisher=publisher, where=where, reference=reference, link=link
        )
    ]


def record_uncertain(incident: Incident, *, draft: str, error: str = "", by: Actor, at: datetime) -> list[e.Event]:
    """Sending began and nobody knows how it ended: a person has to look. It is not sent again by itself."""
    found = _begun(incident, draft)
    if found.state is not DraftState.SENDING:
        return []
    return [e.CommsUncertain(by=by.user, at=at, draft=draft, error=error[:500])]


def record_failed(incident: Incident, *, draft: str, error: str, by: Actor, at: datetime) -> list[e.Event]:
    """The text is certainly not public: told by the publisher, or by a person who looked."""
    found = _begun(incident, draft)
    if found.state is DraftState.PUBLISHED:
        raise Refused(
            "That text is public since {time}. To correct it, send another.", time=Moment(found.published_at or at, at)
        )
    return [e.CommsFailed(by=by.user, at=at, draft=draft, error=error[:500])]
