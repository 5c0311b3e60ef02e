"""Which handler hears which kind of delivery, with the services of the workspace that it is for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.domain.errors import StoreUnavailable
from bot.domain.policy import Policy
from bot.domain.sentences import Sentence
from bot.metrics import DELIVERIES_MISSED
from bot.ports import OutcomeUnknown, RetryAfter
from bot.slack.inbound import bolt
from bot.slack.inbound.block_actions import on_block_actions
from bot.slack.inbound.bolt import Ack, Body, BoltListener
from bot.slack.inbound.commands import on_command
from bot.slack.inbound.events import on_event, on_shortcut
from bot.slack.inbound.team_routing import candidate_teams
from bot.slack.inbound.view_submissions import on_view_submission, view_error_ack
from bot.slack.requests import deliveries
from bot.slack.requests.ack import ack_before_deadline
from bot.slack.surfaces.words import outage
from bot.slack.surfaces.words.sentences import say_in_slack
from bot.slack.workspace.services import Services

log = structlog.get_logger(__name__)

#: the services of a workspace by its id; None where the bot is not installed
ServicesLookup = Callable[[str], Awaitable[Services | None]]

NOT_INSTALLED_TEXT = (
    "This bot is not installed in this workspace (any more), so nothing was done. Whoever runs it can send you the "
    "link that installs it."
)
SLACK_UNAVAILABLE_TEXT = (
    "Slack does not answer the bot, which has just started here. Nothing was done; please try again in a minute."
)


class DeliveryHandler(Protocol):
    """What a delivery does in one workspace."""

    async def __call__(self, services: Services, body: Body, ack: Callable[..., Awaitable[Any]]) -> None: ...


def register_handlers(app: AsyncApp, services_of: ServicesLookup, command: str) -> None:
    """Hand every kind of delivery to its handler. `command`: the slash command, for what is said of it."""
    say = partial(say_in_slack, command=command, policy=Policy())
    bolt.register_listeners(
        app,
        command=_for_workspace(services_of, say, on_command, ephemeral_ack),
        action=_for_workspace(services_of, say, on_block_actions, empty_ack),
        submission=_for_workspace(services_of, say, on_view_submission, view_error_ack),
        shortcut=_for_workspace(services_of, say, on_shortcut, empty_ack),
        event=_for_workspace(services_of, say, on_event, None),
    )


def ephemeral_ack(body: Body, why: str) -> Mapping[str, Any]:
    """To a command: the person reads why."""
    return {"response_type": "ephemeral", "text": why}


def empty_ack(body: Body, why: str) -> Mapping[str, Any]:
    """To a click: there is nothing to say it with."""
    return {}


def _for_workspace(
    services_of: ServicesLookup,
    say: Callable[[Sentence], str],
    handler: DeliveryHandler,
    ack_with_reason: Callable[[Body, str], Mapping[str, Any]] | None,
) -> BoltListener:
    """`ack_with_reason`: how to answer with a reason, to what was not heard or is not heard in time; None: not at all.

    What is not acknowledged is sent again, and events only: an event that is nobody's is done with.
    """

    async def reject(body: Body, ack: Ack, why: str) -> None:
        if ack_with_reason is not None:
            await ack(**ack_with_reason(body, why))
        elif why == NOT_INSTALLED_TEXT:
            await ack()
        else:
            raise StoreUnavailable(why)

    async def handle_in_time(body: Body, ack: Ack) -> None:
        if ack_with_reason is None:
            await handle(body, ack)
            return
        async with ack_before_deadline(ack, ack_with_reason(body, say(Sentence(outage.STILL_RUNNING)))) as in_time:
            await handle(body, in_time)

    async def handle(body: Body, ack: Ack) -> None:
        try:
            services = await _services(services_of, body)
        except StoreUnavailable as error:
            log.error("store.unavailable", error=str(error))
            if ack_with_reason is not None:  # else it is counted as not stored
                DELIVERIES_MISSED.labels("database").inc()
            await reject(body, ack, say(Sentence(outage.DATABASE_DOWN)))
            return
        except (RetryAfter, OutcomeUnknown):
            await reject(body, ack, SLACK_UNAVAILABLE_TEXT)
            return
        except Exception as error:  # a token that cannot be decrypted, among others
            await reject(body, ack, deliveries.error_reply(error, say).text)
            return
        if services is None:
            log.info("delivery.nobodys", teams=candidate_teams(body))
            await reject(body, ack, NOT_INSTALLED_TEXT)
            return
        await handler(services, body, ack)

    return handle_in_time


async def _services(services_of: ServicesLookup, body: Body) -> Services | None:
    for team in candidate_teams(body):
        if (services := await services_of(team)) is not None:
            return services
    return None
