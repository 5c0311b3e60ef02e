"""A role that nobody holds any more, because its holder cannot act any more: whoever is left is asked to take it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.actor import is_program
from bot.domain.desired_message import DesiredMessage
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import RoleValue
from bot.slack.surfaces.messages.build import build_message, collapsed_message, mention_users
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import people as words


def vacancies(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Asked in the channel, of those who hold another role, else of the declarer; one line once somebody has it."""
    incident, holders, latest = scene.incident, dict[str, str](), dict[str, int]()
    for entry in incident.announced_entries:
        if isinstance(entry.event, e.RoleTaken):
            latest[entry.event.role] = entry.seq
    for entry in incident.announced_entries:
        event = entry.event
        if not isinstance(event, e.RoleTaken):
            continue
        before = holders.get(event.role, "")
        holders[event.role] = event.user
        if event.user:
            continue
        role = text.role_phrase(event.role)
        sentence = words.vacant(scene.person_name(before) if before else "", role)
        key = f"vacant:{entry.seq}"
        if not incident.open or latest[event.role] != entry.seq:
            yield collapsed_message(key, sentence, numbered=entry.seq)
            continue
        left = [
            user
            for user in (*incident.roles.values(), incident.declared_by)
            if user and user != before and not is_program(user)
        ]
        to = mention_users(scene, left[:1])
        asked = f"{to}: {sentence}" if to else sentence
        take = scene.button(words.take_role(role), "take", RoleValue(role=event.role), style="primary")
        yield build_message(key, asked, (block_kit.section(asked), block_kit.actions(take)), numbered=entry.seq)
