"""Looking: where an incident stands, what happened, what is open; and the summary for who joins."""

from __future__ import annotations

from bot.domain import cadence
from bot.domain.actor import ActorKind
from bot.domain.incident import Incident
from bot.domain.statuses import standing
from bot.ports import IncidentListItem, Store
from bot.reports import postmortem, statistics
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import clip, escape, escape_line, when
from bot.slack.surfaces.words import channel as words

#: open incidents that a list reads, the worst; the others it counts
MAX_INCIDENTS_READ = 200

#: lines that it shows, and characters that they may have in all
MAX_LIST_LINES, MAX_LIST_CHARS = 30, 3700


async def status(call: Request) -> Reply:
    """Here: this incident. Elsewhere: what is open."""
    if call.incident is None:
        return await listing(call)
    # Somebody has just acted, and is told how it stands: also what another replica recorded a moment ago.
    incident = await call.services.service.store.incident(call.incident.id)
    return Reply(status_text(call, incident or call.incident))


def status_text(call: Request, incident: Incident) -> str:
    """Everything that the card says, and what somebody still has to do, in lines."""
    services, now = call.services, call.services.now()
    severity = services.policy.severity(incident.severity)
    name = services.directory.name
    lines = [
        f"*{incident.name} · {severity.name}{' (assumed)' if incident.severity_assumed else ''} · "
        f"{standing(incident)}*",
        escape(incident.title),
        f"Impact: {escape_line(incident.impact) if incident.impact else 'not stated yet'}",
        f"Lead {escape_line(name(incident.lead)) if incident.lead else 'nobody'} · "
        f"comms {escape_line(name(incident.comms_lead)) if incident.comms_lead else 'nobody'}",
    ]
    if incident.declared_at:
        how = "Recorded afterwards," if incident.adopted_at else "Declared"
        lines.append(f"{how} {when(incident.declared_at, now)} by {escape_line(name(incident.declared_by))}")
    if (due := cadence.next_update(incident, services.policy)) is not None:
        late = statistics.lateness(due, now)
        lines.append(f"Next update by {when(due, now)}{f', {late}' if late else ''}")
    if (promised := cadence.promise_due(incident)) is not None:
        lines.append(f"Customers were promised a text by {when(promised, now)}")
    if incident.waiting and incident.look_again:
        lines.append(f"Waiting: {escape_line(incident.waiting)}; look again {when(incident.look_again, now)}")
    for one in incident.checklists:
        step = one.next_step
        following = f"; next: {step.id} {clip(escape_line(step.text), 200)}" if step else "; every step is settled"
        lines.append(f"Runbook {escape_line(one.runbook.title)}: {one.done} of {len(one.runbook.steps)}{following}")
    for ask in incident.open_asks:
        lines.append(f"Open ask: {escape_line(ask.asked.action)[:200]} ({ask.state})")
    if incident.channel_lost:
        lines.append(words.CHANNEL_LOST[incident.channel_lost])
    return "\n".join(lines)


async def catch_up(call: Request) -> Reply:
    """For who joins: how bad, who leads, what to do and what not, what was said last, what is promised next."""
    incident, services = call.required_incident, call.services
    blocks = modals.catch_up(incident, now=services.now(), setup=services.render_environment)
    return Reply(f"{incident.name}: what happened so far.", tuple(blocks))


async def timeline(call: Request) -> Reply:
    """The last lines of what happened, in UTC."""
    incident = call.required_incident
    entries = await call.services.service.store.entries(incident.id)
    names = call.services.directory.names
    lines = [
        text
        for entry in entries
        if (text := postmortem.format_line(entry, names, policy=call.services.policy, incident=incident))
    ]
    shown = lines[-25:]
    head = f"{incident.name}, {len(lines)} entries" + (f", the last {len(shown)}" if len(shown) < len(lines) else "")
    body = "\n".join(escape(one) for one in shown)
    return Reply(clip(f"*{head}*\n{body}", 3800))


async def listing(call: Request) -> Reply:
    """What is open, worst first; private ones for their members and for whom policy names."""
    store, policy, member = call.services.service.store, call.services.policy, call.actor.kind is ActorKind.MEMBER
    worst = tuple(one.key for one in policy.severities)
    rows = await store.listing(call.actor.team, open_only=True, limit=MAX_INCIDENTS_READ, severity_order=worst)
    seen: list[Incident] = []
    rest = 0
    for row in rows:
        if member and not row.private and len(seen) >= MAX_LIST_LINES:
            rest += 1  # whether others may know of it only the incident itself tells
            continue
        one = await _as_listed(store, row)
        if one is not None and policy.may_see(one, call.actor):
            seen.append(one)
    seen.sort(key=lambda one: (policy.rank(one.severity), -one.number))
    if not seen:
        return Reply(f"No incident is open. `{call.services.command} declare` begins one.")
    lines: list[str] = []
    for one in seen[:MAX_LIST_LINES]:
        where = f"<#{one.channel}>" if one.channel else "its channel is not open yet"
        lead = escape_line(call.services.directory.name(one.lead)) if one.lead else "nobody"
        told = (
            f"{one.name} · {call.services.policy.severity(one.severity).name} · {standing(one)} · "
            f"{escape_line(one.title)} · lead {lead} · {where}"
        )
        if sum(len(each) + 1 for each in lines) + len(told) > MAX_LIST_CHARS:
            break
        lines.append(clip(told, MAX_LIST_CHARS))
    rest += len(seen) - len(lines)
    if member and len(rows) == MAX_INCIDENTS_READ:  # the others may know only of those that were read
        rest += max(0, await store.count_open(call.actor.team) - sum(not row.private for row in rows))
    return Reply("\n".join(lines) + (f"\nand {rest} more" if rest else ""))


async def _as_listed(store: Store, row: IncidentListItem) -> Incident | None:
    """The incident, no older than its row: what this process knows spares a look at the database for each."""
    known = await store.cached(row.id)
    return known if known is not None and known.seq >= row.seq else await store.incident(row.id)
