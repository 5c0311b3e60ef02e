"""The wiring: one function builds the whole bot from its settings, one object starts it and stops it in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from aiohttp import web
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot import probes
from bot.caretaker import Caretaker
from bot.clock import FollowedClock, SystemClock
from bot.comms import offer as texts
from bot.config import Settings, endpoints
from bot.domain import postmortem
from bot.domain.incident import Incident
from bot.domain.message import Message
from bot.domain.policy import Policy
from bot.ports import Clock, TryLater, Unsure
from bot.probes import Endpoint, ProbeSettings
from bot.runbooks import Shelf, load
from bot.service import Service
from bot.slack import listening
from bot.slack.desk import Desk
from bot.slack.directory import Directory
from bot.slack.ears import listen
from bot.slack.messages import messages
from bot.slack.room import SlackPublisher, SlackRoom, web_client
from bot.slack.setup import Setup
from bot.store import Store
from bot.web.edge import Health, edge

log = structlog.get_logger(__name__)

#: a duty this late means that the bot does not keep up
LATE = timedelta(minutes=2)


class Bot:
    """The running bot. Build it with `bot(settings)`; `stop` finishes what runs within ten seconds."""

    def __init__(self, settings: Settings, policy: Policy, clock: Clock) -> None:
        self.settings = settings
        self.policy = policy
        self.clock = clock
        self.tasks: set[asyncio.Task[Any]] = set()
        self.store: Store
        self.service: Service
        self.directory: Directory
        self.caretaker: Caretaker
        self.desk: Desk
        self.shelf: Shelf
        self.library: texts.Library
        self.app: AsyncApp
        self.port = 0
        self._socket: AsyncSocketModeHandler | None = None
        self._background: list[asyncio.Task[Any]] = []
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Bot]:
        """Everything started, in order; everything stopped in the reverse order, whatever happened."""
        async with contextlib.AsyncExitStack() as stack:
            await self._start(stack)
            yield self

    async def _start(self, stack: contextlib.AsyncExitStack) -> None:
        settings = self.settings
        if isinstance(self.clock, FollowedClock):
            self._run(stack, self.clock.follow(), "clock")
        self._load_content()
        self.store = Store.open(settings.database_url, settings.chain_key.get_secret_value().encode())
        stack.push_async_callback(self.store.close)
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=settings.slack_timeout))
        stack.push_async_callback(session.close)
        client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        self.directory = Directory(client)
        await self._meet_slack()
        # Probes talk to strangers: a session of their own, without our headers.
        reading = aiohttp.ClientSession()
        stack.push_async_callback(reading.close)
        self._wire(client, reading)
        await self._listen(stack)
        self._run(stack, self.caretaker.run(), "caretaker")
        self._tick(stack)
        log.info("bot.started", mode=settings.slack_mode, port=self.port, runbooks=len(self.shelf.runbooks))

    async def _meet_slack(self) -> None:
        """Learn the workspace. While Slack is away: wait for it. Raises NotDone where Slack refuses us."""
        pause = 1.0
        while True:
            try:
                await self.directory.warm((self.policy.announcements, self.policy.customer_comms))
                return
            except (TryLater, Unsure) as error:
                log.warning("slack.away", error=str(error), seconds=pause)
                await asyncio.sleep(pause)
                pause = min(30.0, pause * 2)

    def _load_content(self) -> None:
        self.shelf = load(self.settings.runbooks_dir, known_probes=frozenset(probes.PROBES))
        self.library = texts.load(self.settings.templates_dir)
        for problem in (*self.shelf.problems, *self.library.problems):
            # A malformed file is refused, said with file and line; the others still serve.
            log.warning("content.refused", problem=str(problem))

    def _wire(self, client: AsyncWebClient, reading: aiohttp.ClientSession) -> None:
        directory, settings = self.directory, self.settings
        room = SlackRoom(client, directory.bot_user, directory.url)
        self.service = Service(self.store, self._expanded(), self.clock)
        publishers = {
            "customers": SlackPublisher(room, directory.channel(self.policy.customer_comms)),
            "internal": SlackPublisher(room, directory.channel(self.policy.announcements)),
        }
        self.caretaker = Caretaker(
            self.service,
            room,
            self._render,
            self._postmortem,
            publishers,
            self._channel_of,
        )
        self.service.on_change = self.caretaker.changed
        looks = probes.build(
            ProbeSettings(
                horizon=_endpoints(settings.horizon_urls),
                rpc=_endpoints(settings.rpc_urls),
                network=settings.stellar_network,
            ),
            reading,
        )
        self.desk = Desk(
            service=self.service,
            caretaker=self.caretaker,
            directory=directory,
            client=client,
            room=room,
            runbooks=self.shelf,
            texts=texts.Texts(self.library),
            probes={name: probe.read for name, probe in looks.items()},
            secret=texts.secret_in,
            command=settings.slack_command,
        )
        secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else ""
        self.app = listening.bolt_app(
            client, secret, team=directory.team, bot_user=directory.bot_user, bot_id=directory.bot_id, tasks=self.tasks
        )
        listen(self.app, self.desk)

    async def _listen(self, stack: contextlib.AsyncExitStack) -> None:
        settings = self.settings
        http = settings.slack_mode == "http"
        secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else ""
        runner = web.AppRunner(edge(self.app if http else None, secret, self.health), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        self.port = runner.addresses[0][1]
        # First in, last out: what was acknowledged is finished before the store closes.
        stack.push_async_callback(self._finish)
        if not http and settings.slack_app_token:
            self._socket = AsyncSocketModeHandler(self.app, settings.slack_app_token.get_secret_value())
            await self._socket.connect_async()  # type: ignore[no-untyped-call]
            stack.push_async_callback(self._socket.close_async)

    def _run(self, stack: contextlib.AsyncExitStack, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)

        async def end() -> None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        stack.push_async_callback(end)

    def _tick(self, stack: contextlib.AsyncExitStack) -> None:
        """APScheduler only ticks: what is due lives in the store."""
        add = self._scheduler.add_job
        options: dict[str, Any] = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        add(self._refresh, "interval", minutes=10, **options)
        add(self._forget, "interval", hours=1, **options)
        self._scheduler.start()
        stack.callback(self._scheduler.shutdown, wait=False)

    def _expanded(self) -> Policy:
        """The policy with its levels as people: groups are expanded from the directory, so that rules never ask it."""
        levels = tuple(people for level in self.policy.levels if (people := self.directory.expand(level)))
        return replace(self.policy, levels=levels)

    async def _refresh(self) -> None:
        """Read people and groups anew; who joined a group since is called from now on."""
        await self.directory.refresh()
        self.service.policy = self._expanded()

    async def _forget(self) -> None:
        """Delivery keys are kept a day: Slack's last retry comes after minutes."""
        before = self.clock.now() - timedelta(hours=24)
        await self.store.write(lambda tx: tx.forget_deliveries(before))

    async def _finish(self) -> None:
        """Let handlers and the caretaker finish what they do, ten seconds at most."""
        deadline = asyncio.get_running_loop().time() + 10
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=10)
        await self.caretaker.stop(within=max(0.1, deadline - asyncio.get_running_loop().time()))

    async def settle(self) -> None:
        """Return when no handler and no duty is under way (tests, the command line)."""
        while self.tasks or self.caretaker.busy:
            if self.tasks:
                await asyncio.wait(set(self.tasks))
            await self.caretaker.idle()

    # -- what the parts need of each other ----------------------------------------------------------

    def _render(self, incident: Incident, now: datetime) -> list[Message]:
        setup = Setup(
            policy=self.service.policy,
            names=self.directory.names,
            runbooks={slug: one.title for slug, one in self.shelf.runbooks.items()},
            command=self.settings.slack_command,
        )
        return messages(incident, now, setup)

    async def _postmortem(self, incident: Incident) -> tuple[str, str]:
        entries = await self.store.entries(incident.id)
        through = incident.postmortem.through if incident.postmortem else incident.seq
        name = incident.postmortem.name if incident.postmortem else f"{incident.name.lower()}-postmortem.md"
        covered: Sequence[Any] = [entry for entry in entries if entry.seq <= through]
        at = incident.postmortem.at if incident.postmortem else self.clock.now()
        return name, postmortem.write(
            incident, covered, self.directory.names, self.policy, at, base_url=self.directory.url
        )

    def _channel_of(self, kind: str) -> str:
        names: Mapping[str, str] = {
            "announcements": self.policy.announcements,
            "customers": self.policy.customer_comms,
        }
        return self.directory.channel(names.get(kind, ""))

    async def health(self) -> Health:
        """Database, connection to Slack, the oldest overdue duty, parked duties."""
        problems = []
        parked = open_incidents = 0
        overdue = timedelta()
        try:
            now = self.clock.now()
            parked = len(await self.store.parked())
            open_incidents = len(await self.store.listing(self.directory.team, open_only=True, limit=10_000))
            oldest = await self.store.oldest_overdue(now)
            overdue = max(timedelta(), now - oldest) if oldest else overdue
        except Exception as error:
            problems.append(f"database: {type(error).__name__}")
        if self._socket is not None and not await self._socket.client.is_connected():
            problems.append("slack: not connected")
        if overdue > LATE:
            problems.append(f"duties: the oldest is {int(overdue.total_seconds())} s overdue")
        if parked:
            problems.append(f"duties: {parked} parked; `bot doctor` shows them")
        return Health(tuple(problems), open_incidents, overdue.total_seconds(), parked)


def _endpoints(text: str) -> tuple[Endpoint, ...]:
    # Two hosts of one operator are one opinion: the operator is the registered part of the name.
    return tuple(
        Endpoint(name=name, url=url, operator=".".join((urlsplit(url).hostname or name).split(".")[-2:]))
        for name, url in endpoints(text)
    )


def bot(settings: Settings, policy: Policy | None = None, clock: Clock | None = None) -> Bot:
    """A bot for these settings, not started yet. Policy and clock default to what the settings name."""
    if clock is None:
        clock = FollowedClock(settings.clock_url) if settings.clock_url else SystemClock()
    return Bot(settings, policy or Policy(), clock)
