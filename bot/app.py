"""The wiring: one function builds the whole bot from its settings, one object starts it and stops it in order."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
import yaml
from aiohttp import web
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from slack_bolt.app.async_app import AsyncApp

from bot import probes
from bot.alerts import SOURCES
from bot.clock import FollowedClock, SystemClock
from bot.comms import catalogue
from bot.config import ROOT, Misconfigured, Settings, alert_secrets, endpoints, signing_secrets
from bot.domain.errors import StoreUnavailable
from bot.domain.policy import Policy
from bot.ports import Clock
from bot.probes import Endpoint, ProbeSettings
from bot.reconciler import Scheduler
from bot.runbooks import Shelf, load
from bot.service import Service
from bot.slack.inbound import bolt
from bot.slack.inbound.bolt import BotIdentity
from bot.slack.inbound.listeners import register_handlers
from bot.slack.inbound.socket_mode import SocketModePool
from bot.slack.outbound.web_api import SlackClient, web_client
from bot.slack.workspace import unread
from bot.slack.workspace.deactivated_users import free_roles_of_deactivated
from bot.slack.workspace.directory import Directory
from bot.slack.workspace.directory_store import DirectoryStore
from bot.slack.workspace.late_responders import bring_in_late_responders
from bot.slack.workspace.oauth import exchange_code
from bot.slack.workspace.services import Services
from bot.slack.workspace.workspace import InstalledWorkspace
from bot.slack.workspace.workspaces import Workspaces
from bot.store import PersonRow, SqlStore, StoreRefused
from bot.store.installations import SqlInstallations, TokenKeys
from bot.web import install
from bot.web.alerts import AlertsEndpoint
from bot.web.edge import Health, app_runner, web_application
from bot.workspace_factory import WorkspaceFactory

log = structlog.get_logger(__name__)

#: a duty this late means that the bot does not keep up
MAX_DUTY_LATENESS = timedelta(minutes=2)


@dataclass(frozen=True)
class Content:
    """What people wrote for the bot, as it was read."""

    shelf: Shelf
    library: catalogue.Library


class Bot:
    """The running bot. Build it with `create_bot(settings)`; `stop` finishes what runs within ten seconds."""

    def __init__(self, settings: Settings, policy: Policy, clock: Clock, content: Content | None) -> None:
        self.settings = settings
        self.policy = policy
        self.clock = clock
        self._content = content
        self.tasks: set[asyncio.Task[Any]] = set()
        self.store: SqlStore
        self.service: Service
        self.scheduler: Scheduler
        self.workspace_factory: WorkspaceFactory
        self.workspaces: Workspaces
        self.installations: SqlInstallations | None = None
        self.app: AsyncApp
        self.port = 0
        self.socket_mode: SocketModePool | None = None
        self._background: list[asyncio.Task[Any]] = []
        self._ap_scheduler = AsyncIOScheduler(timezone="UTC")

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
            await self.clock.wait_until_synced()
        content = self._content or read_content(settings.runbooks_dir, settings.templates_dir)
        key = settings.chain_key.get_secret_value().encode()
        self.store = SqlStore.open(settings.database_url, key, lease_seconds=settings.lease_seconds)
        stack.push_async_callback(self.store.close)
        await self.store.start_serving()
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=settings.slack_timeout))
        stack.push_async_callback(session.close)
        # Probes talk to strangers: a session of their own, without our headers.
        reading = probes.session(settings.probe_private_hosts)
        stack.push_async_callback(reading.close)
        self._build(session, reading, content)
        stack.push_async_callback(self.workspaces.close)
        await self._open()
        await self._rearm()  # whoever mended something may have restarted the bot for it
        # What is held is renewed until the last call has ended.
        self._run(stack, self.scheduler.renew_leases(), "leases")
        await self._start_inbound(stack)
        await self.workspaces.join_channels()
        self._run(stack, self.scheduler.run(), "caretaker")
        self._schedule_jobs(stack)
        log.info("bot.started", mode=settings.slack_mode, port=self.port, runbooks=len(content.shelf.runbooks))

    async def _open(self) -> None:
        """Learn the workspaces. Raises CallRefused where Slack refuses the token of the settings."""
        if self.settings.slack_bot_token is not None:
            await self.workspaces.open_by_token(self.settings.slack_bot_token.get_secret_value())
        await self.workspaces.sync_installations()

    def _build(self, session: aiohttp.ClientSession, reading: aiohttp.ClientSession, content: Content) -> None:
        settings = self.settings
        self.service = Service(self.store, self.policy, self.clock)
        self.scheduler = Scheduler(self.service, lambda team: self.workspaces.context_of(team))
        self.service.on_change = self.scheduler.incident_changed
        self.store.on_change = self.scheduler.incident_changed_elsewhere
        self.store.on_people = self._on_directory_change
        looks = probes.build(
            ProbeSettings(
                horizon=_endpoints(settings.horizon_urls),
                rpc=_endpoints(settings.rpc_urls),
                network=settings.stellar_network,
            ),
            reading,
        )
        self.workspace_factory = WorkspaceFactory(
            self.service, self.scheduler, self.policy, content.shelf, content.library, looks, settings
        )

        self._session = session
        self.installations = None
        if settings.slack_client_id and settings.token_keys is not None:
            self.installations = SqlInstallations(self.store, TokenKeys(settings.token_keys.get_secret_value()))
        channels = (self.policy.announcements, self.policy.customer_comms)

        def create_directory(client: SlackClient) -> Directory:
            return Directory(client, directory_store(self.store, self.clock))

        self.workspaces = Workspaces(
            self._connect,
            self.workspace_factory.create_workspace,
            create_directory,
            channels,
            self.clock,
            self._rearm,
            self.installations,
        )
        self.app = bolt.bolt_app(self._connect(""), "", self._bot_identity, self.tasks)
        register_handlers(self.app, self._services, self.settings.slack_command)

    def _connect(self, token: str) -> SlackClient:
        return web_client(token, self.settings.slack_api_url, self._session)

    def _bot_identity(self, team: str) -> BotIdentity | None:
        one = self.workspaces.get_open(team)
        return BotIdentity(one.directory.bot_user, one.directory.bot_id, one.client.token or "") if one else None

    async def _services(self, team: str) -> Services | None:
        one, home = await self.workspaces.find(team), self.workspaces.token_workspace
        if one is None and home is not None and home.team == team:
            one = home  # it refuses our token; what people say there is recorded, and answered without it
        return one.services if one else None

    @property
    def token_workspace(self) -> InstalledWorkspace:
        """The workspace of SLACK_BOT_TOKEN."""
        assert self.workspaces.token_workspace is not None
        return self.workspaces.token_workspace

    async def _start_inbound(self, stack: contextlib.AsyncExitStack) -> None:
        settings = self.settings
        http = settings.slack_mode == "http"
        pages = [*self._install_routes(), *self._alert_routes()]
        site = web_application(
            self.app if http else None,
            signing_secrets(settings),
            self.health,
            self._accepts_delivery,
            pages=pages,
            missing=self.missing,
        )
        runner = app_runner(site)
        await runner.setup()
        # First in, last out: nothing more is taken, what was acknowledged is finished, then the store closes.
        stack.push_async_callback(self._finish)
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, settings.host, settings.port).start()
        self.port = runner.addresses[0][1]
        if not http and settings.slack_app_token:
            token = settings.slack_app_token.get_secret_value()
            self.socket_mode = SocketModePool(self.app, token, settings.slack_api_url, settings.socket_connections)
            stack.push_async_callback(self.socket_mode.stop)
            await self.socket_mode.start()

    def _install_routes(self) -> list[web.RouteDef]:
        """Where workspaces install the bot; nothing where it serves the one of the settings."""
        settings, kept = self.settings, self.installations
        if kept is None or settings.slack_client_secret is None:
            return []
        scopes = yaml.safe_load((ROOT / "manifest.yaml").read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"]
        redirect, id = settings.slack_redirect_url, settings.slack_client_id
        secret = settings.slack_client_secret.get_secret_value()
        may = frozenset(one.strip() for one in settings.slack_workspaces.split(",") if one.strip())
        ours = install.OAuthApp(id, ",".join(scopes), settings.slack_authorize_url, redirect, may)

        async def exchange(code: str) -> Mapping[str, Any]:
            return await exchange_code(self._connect(""), code, id, secret, redirect)

        return install.OAuthEndpoint(ours, exchange, self.workspaces.on_installed, kept, self.clock).routes()

    def _alert_routes(self) -> list[web.RouteDef]:
        """Where alerts come in. Without a sender in the settings everybody is turned away there."""
        home, known = self.workspaces.token_workspace, alert_secrets(self.settings.alert_secrets)
        team = home.team if home is not None else self.settings.alert_workspace
        return AlertsEndpoint(
            known, self.workspace_factory.intake(team, lambda: self.workspaces.get_open(team) or home).receive
        ).routes()

    def _run(self, stack: contextlib.AsyncExitStack, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)

        async def end() -> None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        stack.push_async_callback(end)

    def _schedule_jobs(self, stack: contextlib.AsyncExitStack) -> None:
        """APScheduler only ticks: what is due lives in the store."""
        add = self._ap_scheduler.add_job
        options: dict[str, Any] = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        add(self._refresh, "interval", minutes=10, **options)
        add(self._forget, "interval", hours=1, **options)
        add(self._sync_workspaces, "interval", seconds=15, **options)
        self._ap_scheduler.start()
        stack.callback(self._ap_scheduler.shutdown, wait=False)

    async def _refresh(self) -> None:
        """Read people and groups anew; who joined a group since is called from now on."""
        for one in self.workspaces:
            await one.directory.refresh()
            with contextlib.suppress(StoreUnavailable):  # the next time
                await free_roles_of_deactivated(one.services)

    async def _rearm(self, team: str = "") -> bool:
        """Try again what Slack has refused there (empty: anywhere), whose cause may be gone; False where that could not
        be written."""
        now = self.clock.now()
        try:
            ids = await self.store.write(lambda tx: tx.rearm(now, team=team))
        except StoreUnavailable:
            return False
        for id in ids:
            self.scheduler.effects_changed_elsewhere(id)
        return True

    def _on_directory_change(self, team: str) -> None:
        """Another replica has heard of people or groups there (empty: perhaps anywhere): who may act here is who may
        act there."""
        for one in self.workspaces:
            if team in ("", one.team):
                task = asyncio.create_task(self._reload_directory(one), name="reread")
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    async def _reload_directory(self, one: InstalledWorkspace) -> None:
        with contextlib.suppress(StoreUnavailable):  # the next look
            await one.directory.reload_stored()

    async def _sync_workspaces(self) -> None:
        """Serve who installed the bot elsewhere since, and learn what Slack or other replicas could not tell."""
        try:
            await self.workspaces.sync_installations()
        except (StoreUnavailable, StoreRefused) as error:
            log.error("workspaces.not_read", error=str(error))
        for one in self.workspaces:
            await one.directory.retry_unread()
            with contextlib.suppress(StoreUnavailable):  # the next time
                await free_roles_of_deactivated(one.services)
                await bring_in_late_responders(one.services)
            if not self.store.is_listening:
                await self._reload_directory(one)

    async def _forget(self) -> None:
        """Delivery keys are kept a day: Slack's last retry comes after minutes."""
        before = self.clock.now() - timedelta(hours=24)
        await self.store.write(lambda tx: tx.forget_deliveries(before))

    async def _finish(self) -> None:
        """Let handlers and the reconciler finish what they do, ten seconds at most."""
        deadline = asyncio.get_running_loop().time() + 10
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=10)
        await self.scheduler.stop(within=max(0.1, deadline - asyncio.get_running_loop().time()))

    async def settle(self) -> None:
        """Return when no handler and no duty is under way (tests, the command line)."""
        while self.tasks or self.scheduler.busy:
            if self.tasks:
                await asyncio.wait(set(self.tasks))
            await self.scheduler.wait_until_idle()

    async def _accepts_delivery(self, app: str, teams: frozenset[str]) -> bool:
        """Whether a delivery over HTTP is for this app, in this workspace. What it does not name is not looked at.

        With OAuth any workspace may have installed the bot a moment ago: the handlers tell, in words.
        """
        apps = {one.directory.app_id for one in self.workspaces if one.directory.app_id}
        home = self.workspaces.token_workspace
        return (not app or not apps or app in apps) and (home is None or not teams or home.team in teams)

    async def health(self) -> Health:
        """Database, connection to Slack, the oldest overdue duty, parked duties of incidents and of workspaces."""
        problems = []
        parked = open_incidents = 0
        overdue = timedelta()
        try:
            now = self.clock.now()
            parked = len(await self.store.parked())
            for one in self.workspaces:
                open_incidents += await self.store.count_open(one.team)  # everybody may read this
            oldest = await self.store.oldest_overdue(now)
            overdue = max(timedelta(), now - oldest) if oldest else overdue
        except Exception as error:
            problems.append(f"database: {type(error).__name__}")
        away = self.workspaces.unavailable
        if self.workspaces.token_workspace is not None:  # the only one
            problems += [f"slack: {team} refuses SLACK_BOT_TOKEN ({code})" for team, code in away.items()]
        standing = self.socket_mode.status() if self.socket_mode else None
        if standing and standing.problem:
            problems.append(standing.problem)
        if overdue > MAX_DUTY_LATENESS:
            problems.append(f"duties: the oldest is {int(overdue.total_seconds())} s overdue")
        if parked:
            problems.append(f"duties: {parked} parked; `bot doctor` shows them")
        connections = (standing.connected, standing.wanted) if standing else None
        resting = tuple(f"{team}: {code}" for team, code in away.items())
        return Health(
            tuple(problems), open_incidents, overdue.total_seconds(), parked, connections, resting, self.missing()
        )

    def missing(self) -> tuple[str, ...]:
        """What Slack has not told yet, and what policy names and is not there. Nobody is asked."""
        several = self.workspaces.token_workspace is None
        return tuple(
            f"slack: {f'{one.team}: ' if several else ''}{sentence}"
            for one in self.workspaces
            for sentence in unread.missing(one.directory, self.policy)
        )


def directory_store(store: SqlStore, clock: Clock) -> DirectoryStore:
    """Where a directory keeps what it knows over a restart: rows of the store."""

    async def load(team: str) -> Mapping[str, Mapping[str, Any]]:
        return {one.user: one.body for one in await store.people(team)}

    async def save(team: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        now = clock.now()
        await store.save_people([PersonRow(team, id, body, now) for id, body in rows.items()])

    return DirectoryStore(load, save)


def _endpoints(text: str) -> tuple[Endpoint, ...]:
    # Two hosts of one operator are one opinion: the operator is the registered part of the name.
    return tuple(
        Endpoint(name=name, url=url, operator=".".join((urlsplit(url).hostname or name).split(".")[-2:]))
        for name, url in endpoints(text)
    )


def read_content(runbooks: Path, templates: Path) -> Content:
    """Runbooks and customer texts from these folders. A malformed file is refused, said with file and line in the log;
    the others serve."""
    shelf = load(runbooks, known_probes=frozenset(probes.PROBES))
    library = catalogue.load(templates)
    for problem in (*shelf.problems, *library.problems):
        log.warning("content.refused", problem=str(problem))
    return Content(shelf, library)


def create_bot(
    settings: Settings, policy: Policy | None = None, clock: Clock | None = None, content: Content | None = None
) -> Bot:
    """A bot for these settings, not started yet. Policy, clock and content default to what the settings name.

    Raises Misconfigured where the settings name a sender of alerts that nobody can read.
    """
    if strangers := [name for name in alert_secrets(settings.alert_secrets) if name not in SOURCES]:
        known = ", ".join(SOURCES)
        raise Misconfigured([f"ALERT_SECRETS names {name}, which is not one of: {known}" for name in strangers])
    if clock is None:
        clock = FollowedClock(settings.clock_url) if settings.clock_url else SystemClock()
    return Bot(settings, policy or Policy(), clock, content)


async def serve(settings: Settings, policy: Policy) -> None:
    """Run a bot until this is cancelled, in a process of its own."""
    async with create_bot(settings, policy).running():
        gc.collect()
        gc.freeze()  # what is loaded stays: looking through it for garbage would hold everybody up, 90 ms each time
        await asyncio.Event().wait()
