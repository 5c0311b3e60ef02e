"""From Slack's deliveries to our handlers: one Bolt listener a kind, and a runner that cannot lose an answer.

Bolt scans its listeners one by one and polls for the acknowledgement every 10 ms; a listener that raises right
after acknowledging loses it. So there are few listeners here, and the runner below waits for an event.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.lazy_listener.asyncio_runner import AsyncioLazyListenerRunner
from slack_bolt.listener.async_listener import AsyncListener
from slack_bolt.listener.async_listener_completion_handler import AsyncDefaultListenerCompletionHandler
from slack_bolt.listener.async_listener_error_handler import AsyncDefaultListenerErrorHandler
from slack_bolt.listener.async_listener_start_handler import AsyncDefaultListenerStartHandler
from slack_bolt.listener.asyncio_runner import AsyncioListenerRunner
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import StoreUnavailable
from bot.metrics import DELIVERIES, DELIVERIES_MISSED

log = structlog.get_logger(__name__)

#: Slack waits 3 seconds for an answer (https://docs.slack.dev/interactivity/handling-user-interaction)
ACK_TIMEOUT_SECONDS = 2.8

#: what a handler gets: the delivery's body, and a function that answers it
Body = Mapping[str, Any]
Ack = Callable[..., Awaitable[None]]
BoltListener = Callable[[Body, Ack], Awaitable[None]]


class ListenerRunner(AsyncioListenerRunner):
    """Runs a listener as a task of its own and answers as soon as it has acknowledged; the first answer wins.

    The task is kept, so that an orderly stop can wait for it.
    """

    def __init__(self, logger: logging.Logger, tasks: set[asyncio.Task[Any]]) -> None:
        super().__init__(
            logger=logger,
            process_before_response=False,
            listener_error_handler=AsyncDefaultListenerErrorHandler(logger=logger),
            listener_start_handler=AsyncDefaultListenerStartHandler(logger=logger),
            listener_completion_handler=AsyncDefaultListenerCompletionHandler(logger=logger),
            lazy_listener_runner=AsyncioLazyListenerRunner(logger=logger),
        )
        self._tasks = tasks

    async def run(
        self,
        request: AsyncBoltRequest,
        response: BoltResponse,
        listener_name: str,
        listener: AsyncListener,
        starting_time: float | None = None,
    ) -> BoltResponse | None:
        """The acknowledgement of the listener, as soon as it is there; None after the time Slack allows."""
        answered: asyncio.Future[BoltResponse] = asyncio.get_running_loop().create_future()
        request.context["ack"] = _FirstAck(answered)
        task = asyncio.create_task(self._run_listener(request, response, listener, listener_name, answered))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        DELIVERIES.inc()
        begun = time.monotonic()
        try:
            async with asyncio.timeout(ACK_TIMEOUT_SECONDS):
                return await answered
        except TimeoutError:
            DELIVERIES_MISSED.labels("late").inc()
            log.warning("listening.slow", listener=listener_name, seconds=round(time.monotonic() - begun, 1))
            return BoltResponse(status=503)

    @staticmethod
    async def _run_listener(
        request: AsyncBoltRequest,
        response: BoltResponse,
        listener: AsyncListener,
        name: str,
        answered: asyncio.Future[BoltResponse],
    ) -> None:
        """Run the listener to its end, also past its acknowledgement; one without a word gets an empty answer."""
        try:
            await listener.run_ack_function(request=request, response=response)
            if not answered.done():
                await request.context["ack"]()
        except StoreUnavailable as error:  # Slack delivers it again
            if not answered.done():  # else it is counted as late
                DELIVERIES_MISSED.labels("database").inc()
            log.info("listening.not_stored", listener=name, why=str(error))
        except Exception as error:
            if not answered.done():
                DELIVERIES_MISSED.labels("failed").inc()
            log.error("listening.failed", listener=name, exc_info=error)
        finally:
            if not answered.done():
                answered.set_result(BoltResponse(status=500))


class _FirstAck(AsyncAck):
    """An acknowledgement that is told apart from later ones: only the first counts."""

    def __init__(self, answered: asyncio.Future[BoltResponse]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._answered = answered

    async def __call__(self, *args: Any, **kwargs: Any) -> BoltResponse:
        response = await super().__call__(*args, **kwargs)
        if not self._answered.done():
            self._answered.set_result(response)
        return response


@dataclass(frozen=True)
class BotIdentity:
    """Who the bot is in a workspace."""

    bot_user: str
    bot_id: str
    token: str = field(repr=False)


def bolt_app(
    client: AsyncWebClient, signing_secret: str, who: Callable[[str], BotIdentity | None], tasks: set[asyncio.Task[Any]]
) -> AsyncApp:
    """A Bolt app. `who` tells who the bot is in a workspace, from memory: no auth.test for every request.

    Signatures are verified by our own edge before anything is parsed (web/), so Bolt's second look is off.
    """
    logger = logging.getLogger("slack_bolt")
    logger.setLevel(logging.ERROR)

    async def authorize(team_id: str | None) -> AuthorizeResult:
        me = who(team_id or "")
        if me is None:  # our handlers are told too, and answer in words
            return AuthorizeResult(enterprise_id=None, team_id=team_id)
        return AuthorizeResult(
            enterprise_id=None, team_id=team_id, bot_user_id=me.bot_user, bot_id=me.bot_id, bot_token=me.token
        )

    app = AsyncApp(
        name="incident-commander",  # else Bolt reads the source of everybody who called: most of a start
        client=client,
        signing_secret=signing_secret or "unused: socket mode",
        authorize=authorize,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        logger=logger,
    )
    app._async_listener_runner = ListenerRunner(logger, tasks)
    return app


#: the events that the bot listens to; the manifest subscribes to exactly these
SUBSCRIBED_EVENTS = (
    "app_uninstalled",
    "tokens_revoked",
    "app_home_opened",
    "app_mention",
    "reaction_added",
    "reaction_removed",
    "member_joined_channel",
    "channel_archive",
    "channel_unarchive",
    "channel_created",
    "channel_rename",
    "group_rename",
    "channel_deleted",
    "group_archive",
    "group_unarchive",
    "group_deleted",
    "member_left_channel",
    "channel_left",
    "group_left",
    "user_change",
    "team_join",
    "subteam_updated",
    "subteam_created",
    "subteam_members_changed",
)

_ANY = re.compile(r".*", re.DOTALL)


def register_listeners(
    app: AsyncApp,
    *,
    command: BoltListener,
    action: BoltListener,
    submission: BoltListener,
    shortcut: BoltListener,
    event: BoltListener,
) -> None:
    """Register one listener for each kind of delivery."""

    @app.action(_ANY)
    async def on_action(body: Body, ack: Ack) -> None:
        await action(body, ack)

    @app.command(_ANY)
    async def on_command(body: Body, ack: Ack) -> None:
        await command(body, ack)

    @app.view(_ANY)
    async def on_submission(body: Body, ack: Ack) -> None:
        await submission(body, ack)

    @app.view_closed(_ANY)
    async def on_closed(ack: Ack) -> None:
        await ack()

    @app.shortcut(_ANY)
    async def on_shortcut(body: Body, ack: Ack) -> None:
        await shortcut(body, ack)

    async def on_event(body: Body, ack: Ack) -> None:
        await event(body, ack)

    app.event(re.compile("^(" + "|".join(SUBSCRIBED_EVENTS) + ")$"))(on_event)
