"""Somebody cannot act any more: the roles that they held are free, and whoever is left is asked to take them."""

from __future__ import annotations

from functools import partial

import structlog

from bot.domain import roles
from bot.domain.actor import bot_actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.slack.workspace.services import Services

log = structlog.get_logger(__name__)


async def free_roles_of_deactivated(services: Services) -> None:
    """Free what people held whose accounts were deactivated since this was last asked. Raises StoreUnavailable."""
    team, gone = services.directory.team, services.directory.deactivated_users()
    if not gone:
        return
    store = services.service.store
    for row in await store.listing(team, open_only=True, limit=10_000):
        incident = await store.cached(row.id)
        for user in gone if incident else ():
            if incident is not None:
                await free_roles(services, incident, user)
    services.directory.deactivations_handled(gone)


async def free_roles(services: Services, incident: Incident, user: str) -> None:
    """Free what this person holds in one incident."""
    if user not in incident.roles.values() and all(offer.to != user for offer in incident.offers.values()):
        return
    try:
        await services.service.act(
            incident.id, "role", partial(roles.drop_roles, user=user), bot_actor(services.directory.team)
        )
    except Refused as refused:
        log.warning("role.not_freed", incident=incident.id, sentence=str(refused))
