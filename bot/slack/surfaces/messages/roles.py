"""A role offered to somebody, and the lines on the job for whoever takes one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage, MessageTarget, TargetKind
from bot.domain.time_text import lasted
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import RoleValue
from bot.slack.surfaces.messages.build import build_message, collapsed_message, is_user_id, mention_users
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import labels
from bot.slack.surfaces.words import people as words


def offers(scene: RenderContext) -> Iterator[DesiredMessage]:
    """The holder of a role is asked; afterwards one line says how it went."""
    incident = scene.incident
    for position, entry in enumerate(incident.announced_entries):
        if not isinstance(entry.event, e.RoleOffered):
            continue
        offered, key = entry.event, f"offer:{entry.seq}"
        current = incident.offers.get(offered.role)
        if incident.open and current and current.seq == entry.seq:
            yield _offer(scene, entry.seq, offered, incident.roles.get(offered.role, ""))
            continue
        line = words.OFFER_OVER
        for later in incident.announced_entries[position + 1 :]:
            event = later.event
            if isinstance(event, e.RoleTaken | e.RoleKept | e.RoleOffered) and event.role == offered.role:
                line = _role_offer_outcome(scene, event)
                break
        yield collapsed_message(key, line, numbered=entry.seq)


def _offer(scene: RenderContext, seq: int, offered: e.RoleOffered, holder: str) -> DesiredMessage:
    role, until = text.role_phrase(offered.role), scene.when(offered.until, offered.at)
    sentence = words.offer(
        mention_users(scene, (holder,)) or words.SOMEBODY, scene.person_name(offered.to), role, until
    )
    fine = scene.button(labels.FINE, "fine", RoleValue(role=offered.role))
    not_yet = scene.button(labels.NOT_YET, "not-yet", RoleValue(role=offered.role))
    return build_message(
        f"offer:{seq}", sentence, (block_kit.section(sentence), block_kit.actions(fine, not_yet)), numbered=seq
    )


def _role_offer_outcome(scene: RenderContext, event: e.RoleTaken | e.RoleKept | e.RoleOffered) -> str:
    role = text.role_phrase(event.role)
    if isinstance(event, e.RoleTaken) and event.user:
        return words.offer_taken(scene.person_name(event.user), role, scene.when(event.at))
    kept = isinstance(event, e.RoleKept) and event.by != "bot"  # the bot ends an offer to somebody who cannot act
    return words.offer_kept(scene.person_name(event.by), role) if kept else words.OFFER_OVER


def role_briefings(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Whoever takes a role after the declaration gets three lines on the job, privately."""
    incident = scene.incident
    latest = {
        entry.event.role: entry.seq for entry in incident.announced_entries if isinstance(entry.event, e.RoleTaken)
    }
    for entry in incident.announced_entries:
        event = entry.event
        if not isinstance(event, e.RoleTaken) or not is_user_id(event.user):
            continue
        if (event.user, event.at) == (incident.declared_by, incident.declared_at):
            continue  # the declarer leads from the start, and knows it
        sentence = " ".join(
            lines := words.role_briefing(
                incident.name, event.role, text.escape_line(scene.environment.command), _reminded_before(scene)
            )
        )
        place = MessageTarget(TargetKind.PERSON, event.user)
        standing = incident.open and latest[event.role] == entry.seq
        yield build_message(
            f"role:{entry.seq}",
            sentence,
            (block_kit.section("\n".join(lines)),),
            place=place,
            standing=standing,
            numbered=entry.seq,
        )


def _reminded_before(scene: RenderContext) -> str:
    """How long before an update is due policy has somebody reminded; empty where only afterwards."""
    first = scene.policy.rungs[0] if scene.policy.rungs else timedelta()
    return lasted(-first) if first < timedelta() else ""
