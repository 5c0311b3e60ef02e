"""The pinned card: what is broken for whom, what happens next and when, who leads."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import cadence
from bot.domain.desired_message import DesiredMessage, Priority, Surface
from bot.domain.incident import Incident, Status
from bot.domain.statuses import how_ended, standing
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import RoleValue
from bot.slack.surfaces.messages.alerts import alerts_summary
from bot.slack.surfaces.messages.build import build_message
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import card as words
from bot.slack.surfaces.words import labels


def card(scene: RenderContext) -> Iterator[DesiredMessage]:
    """The one message that is always there."""
    incident = scene.incident
    blocks = [
        block_kit.header(words.headline(scene.severity.name, incident.severity_assumed, incident.title)),
        block_kit.section("\n".join(facts(scene))),
        block_kit.context(_small_print(scene)),
        block_kit.actions(*_buttons(scene)),
    ]
    yield build_message(
        "card", summary(scene), blocks, pin=True, lasting=True, priority=Priority.CARD, surface=Surface.CARD
    )


def summary(scene: RenderContext) -> str:
    """ "INC-42, SEV-1: withdrawals stuck; Ben leads; next update 14:32 UTC." """
    incident = scene.incident
    title = text.escape_line(incident.title)
    if not incident.open:
        stands = standing(incident)
        said = f"{stands[:1].lower()}{stands[1:]}"
    else:
        due = cadence.next_update(incident, scene.policy)
        parts = [words.leads(scene.person_name(incident.lead) if incident.lead else "")]
        parts += [words.next_update(scene.clock(due))] if due else []
        said = "; ".join(parts)
    return words.card_sentence(incident.name, scene.severity.name, title, said)


def facts(scene: RenderContext) -> list[str]:
    """The card's lines: impact, next, roles, and what else holds now."""
    incident = scene.incident
    since = scene.when(incident.started) if incident.started else ""
    impact = words.impact(text.escape_line(incident.impact), since) if incident.impact else ""
    lines = [impact or (words.began(since) if since else words.IMPACT_UNKNOWN)]
    if incident.open:
        lines.append(_next(scene))
        if incident.waiting and incident.waiting_since and incident.look_again:
            lines.append(
                words.waiting_line(
                    text.escape_line(incident.waiting),
                    scene.when(incident.waiting_since),
                    scene.when(incident.look_again),
                )
            )
        if incident.held_until:
            lines.append(words.held(scene.when(incident.held_until), scene.person_name(incident.watcher)))
    elif incident.ended_at:
        why = text.escape_line(incident.ended_why)
        who = scene.person_name(incident.ended_by) if incident.ended_by else ""
        lines.append(words.ended(how_ended(incident), scene.when(incident.ended_at), who, why))
    roles = {role: scene.person_name(user) for role, user in incident.roles.items() if user}
    holders = (roles.get("lead", ""), roles.get("comms-lead", ""), roles.get("scribe", ""))
    lines.append(words.roles(*holders, standing(incident)))
    if said := alerts_summary(scene):
        lines.append(said)
    if incident.open and not incident.acknowledged_by and incident.declared_at:
        called = {user for _, _, to in incident.escalations for user in to}
        lines.append(words.unanswered_since(scene.when(incident.declared_at), len(called)))
    return lines


def _next(scene: RenderContext) -> str:
    incident = scene.incident
    due = cadence.next_update(incident, scene.policy)
    parts = [f"update by {scene.when(due)}" if due else words.ONLY_AT_END]
    if (said := incident.last_published_draft) and said.published_at:
        promised = scene.when(said.drafted.promised) if said.drafted.promised else ""
        parts.append(words.customers_told(scene.when(said.published_at), promised))
    return "Next: " + " · ".join(parts)


def _small_print(scene: RenderContext) -> str:
    incident = scene.incident
    parts = [incident.name]
    if incident.private:
        parts.append("private")
    if incident.declared_at:
        how = words.recorded_afterwards if incident.adopted_at else words.declared
        parts.append(how(scene.when(incident.declared_at), scene.person_name(incident.declared_by)))
    for one in incident.checklists:
        parts.append(words.progress(text.escape_line(one.runbook.title), one.done, len(one.runbook.steps)))
    if incident.open and incident.level:
        parts.append(f"escalation: level {incident.level}")
    if incident.refused:
        parts.append(words.not_here(scene.person_names(tuple(sorted(incident.refused)))))
    return " · ".join(parts)


def _buttons(scene: RenderContext) -> list[block_kit.Element]:
    """Three at most: more would not be read."""
    incident = scene.incident
    more = scene.button(labels.MORE, "more")
    if not incident.open:
        if incident.status is Status.CLOSED:
            return [scene.button(labels.REOPEN, "reopen"), more]
        return [scene.button(labels.POSTMORTEM, "postmortem"), scene.button(labels.REOPEN, "reopen"), more]
    return [*_first_two(scene, incident), more]


def _first_two(scene: RenderContext, incident: Incident) -> list[block_kit.Element]:
    update = scene.button(labels.POST_UPDATE, "update", style="primary" if incident.acknowledged_by else "")
    if not incident.acknowledged_by:
        return [scene.button(labels.I_HAVE_IT, "ack", style="primary"), update]
    if not incident.lead:
        return [update, scene.button(labels.TAKE_LEAD, "take", RoleValue(role="lead"))]
    if not incident.comms_lead:
        return [update, scene.button(labels.TAKE_COMMS, "take", RoleValue(role="comms-lead"))]
    return [update, scene.button(labels.CATCH_UP, "catch-up")]
