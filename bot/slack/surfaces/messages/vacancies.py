"""A role that nobody holds any more, because its holder cannot act any more: whoever is left is asked to take it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.actor import program
from bot.domain.desired_message import Message
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import message, ping, small
from bot.slack.surfaces.render_context import Scene
from bot.slack.surfaces.words import channel as words


def vacancies(scene: Scene) -> Iterator[Message]:
    """Asked in the channel, of those who hold another role, else of the declarer; one line once somebody has it."""
    incident, holders, latest = scene.incident, dict[str, str](), dict[str, int]()
    for entry in incident.moments:
        if isinstance(entry.event, e.RoleTaken):
            latest[entry.event.role] = entry.seq
    for entry in incident.moments:
        event = entry.event
        if not isinstance(event, e.RoleTaken):
            continue
        before = holders.get(event.role, "")
        holders[event.role] = event.user
        if event.user:
            continue
        role = words.ROLE.get(event.role, text.line(event.role))
        sentence = words.vacant(scene.who(before) if before else "", role)
        key = f"vacant:{entry.seq}"
        if not incident.open or latest[event.role] != entry.seq:
            yield small(key, sentence)
            continue
        left = [
            user
            for user in (*incident.roles.values(), incident.declared_by)
            if user and user != before and not program(user)
        ]
        to = ping(scene, left[:1])
        asked = f"{to}: {sentence}" if to else sentence
        take = scene.button(words.take_role(role), "take", style="primary", o=event.role)
        yield message(key, asked, (block_kit.section(asked), block_kit.actions(take)))
