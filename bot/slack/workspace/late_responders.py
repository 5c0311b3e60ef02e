"""Responders of policy who could not be found when an incident was declared: brought in once they are known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import structlog

from bot.domain.actor import bot_actor
from bot.domain.errors import Refused, StoreUnavailable
from bot.domain.notes import call_responders
from bot.slack.workspace.services import Services

log = structlog.get_logger(__name__)


async def bring_in_late_responders(services: Services) -> None:
    """Bring those into open incidents who were found since this was last asked. Raises StoreUnavailable."""
    directory, store = services.directory, services.service.store
    responders = {severity.key: severity.responders for severity in services.policy.severities}
    appeared = directory.appeared(name for names in responders.values() for name in names)
    if not appeared:
        return
    try:
        for row in await store.listing(directory.team, open_only=True, limit=10_000):
            named = [name for name in responders.get(row.severity, ()) if name in appeared]
            if people := directory.expand(named):
                await _bring_in(services, row.id, people)
    except StoreUnavailable:
        directory.not_appeared(appeared)
        raise


async def _bring_in(services: Services, incident_id: str, people: Sequence[str]) -> None:
    try:
        by = bot_actor(services.directory.team)
        await services.service.act(incident_id, "add", partial(call_responders, users=people), by)
    except Refused as refused:
        log.info("responders.not_added", incident=incident_id, sentence=refused.sentence)
