"""Which handler hears which kind of delivery, at the desk of the workspace that it is for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import structlog
from slack_bolt.app.async_app import AsyncApp

from bot.domain.errors import StoreUnavailable
from bot.metrics import MISSED
from bot.ports import TryLater, Unsure
from bot.slack.inbound import bolt
from bot.slack.inbound.block_actions import on_action
from bot.slack.inbound.bolt import Answer, Body, Handler
from bot.slack.inbound.commands import on_command
from bot.slack.inbound.events import on_event, on_shortcut
from bot.slack.inbound.team_routing import teams
from bot.slack.inbound.view_submissions import in_form, on_submission
from bot.slack.requests import deliveries
from bot.slack.requests.ack import prompt
from bot.slack.surfaces.words import outage
from bot.slack.workspace.services import Desk

log = structlog.get_logger(__name__)

#: the desk of a workspace by its id; None where the bot is not installed
Desks = Callable[[str], Awaitable[Desk | None]]

NOT_HERE = (
    "This bot is not installed in this workspace (any more), so nothing was done. Whoever runs it can send you the "
    "link that installs it."
)
NOT_NOW = "Slack does not answer the bot, which has just started here. Nothing was done; please try again in a minute."


class AtDesk(Protocol):
    """What a delivery does at a desk."""

    async def __call__(self, desk: Desk, body: Body, ack: Callable[..., Awaitable[Any]]) -> None: ...


def listen(app: AsyncApp, desks: Desks) -> None:
    """Hand every kind of delivery to its handler."""
    bolt.listen(
        app,
        command=_at(desks, on_command, in_words),
        action=_at(desks, on_action, silently),
        submission=_at(desks, on_submission, in_form),
        shortcut=_at(desks, on_shortcut, silently),
        event=_at(desks, on_event, None),
    )


def in_words(body: Body, why: str) -> Mapping[str, Any]:
    """To a command: the person reads why."""
    return {"response_type": "ephemeral", "text": why}


def silently(body: Body, why: str) -> Mapping[str, Any]:
    """To a click: there is nothing to say it with."""
    return {}


def _at(desks: Desks, handler: AtDesk, instead: Callable[[Body, str], Mapping[str, Any]] | None) -> Handler:
    """`instead`: how to answer with a reason, to what was not heard or is not heard in time; None: not at all.

    What is not acknowledged is sent again, and events only: an event that is nobody's is done with.
    """

    async def turn_away(body: Body, ack: Answer, why: str) -> None:
        if instead is not None:
            await ack(**instead(body, why))
        elif why == NOT_HERE:
            await ack()
        else:
            raise StoreUnavailable(why)

    async def heard(body: Body, ack: Answer) -> None:
        if instead is None:
            await at_desk(body, ack)
            return
        async with prompt(ack, instead(body, outage.STILL_AT_IT)) as in_time:
            await at_desk(body, in_time)

    async def at_desk(body: Body, ack: Answer) -> None:
        try:
            desk = await _desk(desks, body)
        except StoreUnavailable as error:
            log.error("store.unavailable", error=str(error))
            if instead is not None:  # else it is counted as not stored
                MISSED.labels("database").inc()
            await turn_away(body, ack, outage.DOWN)
            return
        except (TryLater, Unsure):
            await turn_away(body, ack, NOT_NOW)
            return
        except Exception as error:  # a token that cannot be decrypted, among others
            await turn_away(body, ack, deliveries.trouble(error).text)
            return
        if desk is None:
            log.info("delivery.nobodys", teams=teams(body))
            await turn_away(body, ack, NOT_HERE)
            return
        await handler(desk, body, ack)

    return heard


async def _desk(desks: Desks, body: Body) -> Desk | None:
    for team in teams(body):
        if (desk := await desks(team)) is not None:
            return desk
    return None
