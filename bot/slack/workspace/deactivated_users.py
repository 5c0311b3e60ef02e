"""Somebody cannot act any more: the roles that they held are free, and whoever is left is asked to take them."""

from __future__ import annotations

from functools import partial

import structlog

from bot.domain import roles
from bot.domain.actor import bot_itself
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.slack.workspace.services import Desk

log = structlog.get_logger(__name__)


async def see_off(desk: Desk) -> None:
    """Free what people held whose accounts were deactivated since this was last asked. Raises StoreUnavailable."""
    team, gone = desk.directory.team, desk.directory.left()
    if not gone:
        return
    store = desk.service.store
    for row in await store.listing(team, open_only=True, limit=10_000):
        incident = await store.glance(row.id)
        for user in gone if incident else ():
            if incident is not None:
                await free(desk, incident, user)
    desk.directory.seen_off(gone)


async def free(desk: Desk, incident: Incident, user: str) -> None:
    """Free what this person holds in one incident."""
    if user not in incident.roles.values() and all(offer.to != user for offer in incident.offers.values()):
        return
    try:
        await desk.service.act(incident.id, "role", partial(roles.vacate, user=user), bot_itself(desk.directory.team))
    except Refused as refused:
        log.warning("role.not_freed", incident=incident.id, sentence=refused.sentence)
