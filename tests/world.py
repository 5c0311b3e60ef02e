"""A whole world for conversations with the bot: the local Slack, the bot, and a clock that the test moves."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import yaml

from bot.app import Bot, create_bot, read_content
from bot.config import ROOT, Settings, secrets_to_hide
from bot.demo.horizon_stand_in import HorizonStandIn
from bot.domain.effect import EffectState
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.store import migrate
from localslack import Channel, LocalSlack, Message, Person, WorkspaceClock
from tests import written

#: a Monday afternoon
BEGIN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
#: seconds within which what Slack asked to be put off has to be done, in a world with its limits
PATIENCE = 90
#: states of a call that is made, or looked for, at its moment
PUT_OFF = (EffectState.WAITING, EffectState.UNKNOWN, EffectState.MISSING)
KEY = "the chain's key of the tests, 40 letters"


class WorldClock:
    """The bot's clock: the local Slack's."""

    def __init__(self, slack: WorkspaceClock) -> None:
        self._slack = slack
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._slack.now(), UTC)

    def moved(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep_until(self, at: datetime) -> None:
        while self.now() < at:
            await self._moved.wait()


#: reading what comes with the bot takes most of a bot's start, so it is read once
_shipped = functools.cache(read_content)
SHIPPED = (ROOT / "runbooks", ROOT / "comms_templates")


@functools.cache
def _empty() -> bytes:
    """A migrated SQLite file without a row."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "empty.sqlite")
        migrate(f"sqlite:///{file}")
        return file.read_bytes()


@functools.cache
def _manifest_text() -> str:
    return json.dumps(yaml.safe_load((ROOT / "manifest.yaml").read_text()))


def manifest() -> Any:
    """The app's manifest, parsed anew for each who asks."""
    return json.loads(_manifest_text())


def local_slack(clock: WorkspaceClock, strict: bool = False, command: str = "/incident") -> LocalSlack:
    """A local Slack with our manifest, its slash command called so, and a Horizon beside it."""
    app = manifest()
    app["features"]["slash_commands"][0]["command"] = command
    return LocalSlack(app, clock, strict=strict, extensions=[HorizonStandIn(clock)])


class World:
    """The local Slack with the bot in it. People talk to it through `person`; `advance` lets time pass."""

    def __init__(self, slack: LocalSlack, settings: Settings, policy: Policy) -> None:
        self.slack = slack
        self.settings = settings
        self.policy = policy
        self.clock = WorldClock(slack.clock)
        self.bot: Bot = create_bot(settings, policy, self.clock)
        self._stack = contextlib.AsyncExitStack()
        #: people wait until calls that went wrong have been made after all
        self.patient = False
        #: seconds that went by while calls waited for Slack: the next `advance` counts them in
        self._waited = 0.0

    async def start_bot(self) -> None:
        """Start a bot on the database as it stands."""
        folders = (self.settings.runbooks_dir, self.settings.templates_dir)
        content = _shipped(*SHIPPED) if folders == SHIPPED else read_content(*folders)
        self.bot = create_bot(self.settings, self.policy, self.clock, content)
        await self._stack.enter_async_context(self.bot.running())
        if self.settings.slack_mode == "http":
            self.slack.event_url = f"http://127.0.0.1:{self.bot.port}/slack/events"
        await self.settle()

    async def stop_bot(self) -> None:
        """Stop it in order; the database stays."""
        await self._stack.aclose()
        self._stack = contextlib.AsyncExitStack()

    async def settle(self) -> None:
        """Return when nobody has anything left to do at this moment.

        Where Slack keeps its limits, and where people are patient, the clock goes on by seconds as long as calls have
        to wait.
        """
        await self._rest()
        if not (self.patient or self.slack.limits.on):
            return
        until = self.clock.now() + timedelta(seconds=PATIENCE)
        while (next := await self._put_off(until)) is not None:
            assert next <= until, "calls wait too long"
            seconds = (next - self.clock.now()).total_seconds()
            self._waited += seconds
            self.slack.clock.advance(seconds)
            self.clock.moved()
            await self._rest()

    async def _put_off(self, until: datetime) -> datetime | None:
        """When the first call is welcome again that Slack asked to put off; None where there is none."""
        soon = self.clock.now() + timedelta(seconds=1)
        due = await self.bot.store.next_due()
        # The pace that the bot keeps afterwards is a second, and stands nowhere else.
        moments = [due] if due is not None and due <= soon else []
        for id in await self.bot.store.due_ids(until, 100):
            effects = await self.bot.store.effects(id)
            moments += [one.next_try_at for one in effects if one.state in PUT_OFF and one.next_try_at]
        return max(min(moments), soon) if moments else None

    async def _rest(self) -> None:
        for _ in range(50):
            await self.slack.idle()
            await self.bot.settle()
            await self.bot.scheduler.start_due()
            if not self.bot.tasks and not self.bot.scheduler.busy:
                await self.slack.idle()
                if not self.bot.tasks and not self.bot.scheduler.busy:
                    return
        raise AssertionError("the bot does not come to rest")

    async def advance(self, **length: float) -> None:
        """Let time pass, a due moment after the other, and everything due happen at its time."""
        length_left = max(0.0, timedelta(**length).total_seconds() - self._waited)
        self._waited = max(0.0, self._waited - timedelta(**length).total_seconds())
        end = self.clock.now() + timedelta(seconds=length_left)
        while (due := await self._next_due()) is not None and self.clock.now() < due <= end:
            await self._step_to(due)
        await self._step_to(end)

    async def _next_due(self) -> datetime | None:
        """The next moment at which an incident or a workspace is to be looked at."""
        moments = (await self.bot.store.next_due(), await self.bot.store.next_workspace_due(self.clock.now()))
        return min((at for at in moments if at is not None), default=None)

    async def jump(self, **length: float) -> None:
        """Let time pass at once, as when nobody looked."""
        await self._step_to(self.clock.now() + timedelta(**length))

    async def _step_to(self, moment: datetime) -> None:
        seconds = (moment - self.clock.now()).total_seconds()
        if seconds > 0:
            self.slack.clock.advance(seconds)
            self.clock.moved()
        await self.settle()

    # -- looking ------------------------------------------------------------------------------------

    def person(self, handle: str) -> Person:
        return self.slack.person(handle)

    async def say(self, who: str, text: str, channel: str = "#general") -> str:
        """Type a slash command; the private answer's words."""
        answer = await self.person(who).command(text, channel=channel)
        await self.settle()
        assert not answer.failed, answer
        return str(answer.text or "")

    async def declare(self, who: str = "ana", text: str = "sev1 Withdrawals are stuck") -> Channel:
        """Declare and settle; the incident's channel."""
        await self.say(who, f"/incident declare {text}")
        return self.channel()

    def channel(self, number: int | None = None) -> Channel:
        """The incident channel made last, or that of a number."""
        wanted = "inc-" if number is None else f"inc-{number}"
        found = [
            one
            for one in self.slack.world.channels.values()
            if one.name == wanted or one.name.startswith(f"{wanted.rstrip('-')}-")
        ]
        assert found, "no incident channel"
        return found[-1]

    def messages(self, who: str, channel: str, thread: str | None = None) -> list[Message]:
        return list(self.person(who).messages(channel, thread))

    def find(self, who: str, channel: str, words: str, thread: str | None = None) -> Message:
        """The last message there that holds these words."""
        seen = self.messages(who, channel, thread)
        found = [one for one in seen if words in one.plain]
        assert found, f"nobody said {words!r}; heard:\n" + "\n---\n".join(one.plain for one in seen)
        return found[-1]

    async def incident(self, number: int = 1) -> Incident:
        id = await self.bot.store.find(self.slack.team_id, number)
        assert id is not None
        incident = await self.bot.store.incident(id)
        assert incident is not None
        return incident

    async def types(self, number: int = 1) -> list[str]:
        """The names of the events of an incident, in order."""
        incident = await self.incident(number)
        return [type(entry.event).__name__ for entry in await self.bot.store.entries(incident.id)]


def settings_for(
    slack: LocalSlack, database: Path, mode: Literal["socket", "http"], database_url: str = "", **more: Any
) -> Settings:
    chain = f"{slack.url}/chain"
    settings = Settings(
        _env_file=None,
        slack_mode=mode,
        slack_bot_token=slack.bot_token,
        slack_app_token=slack.app_token,
        slack_signing_secret=slack.signing_secret,
        slack_api_url=slack.api_url,
        database_url=database_url or f"sqlite:///{database}",
        chain_key=KEY,
        port=0,
        horizon_urls=f"horizon-a={chain}/horizon-a/, horizon-b={chain}/horizon-b/",
        rpc_urls=f"rpc={chain}/rpc",
        stellar_network="Test SDF Network ; September 2015",
        **more,
    )
    # Whatever the tests write, none of these may stand in it.
    written.KNOWN.update(secrets_to_hide(settings))
    return settings


def test_policy(**changes: Any) -> Policy:
    """The sample people's policy: on-call first, then the leads. No digest, as most tests are of incidents alone."""
    from dataclasses import replace

    policy = Policy(levels=(("@payments-oncall",), ("@incident-leads",)), digest_at=None)
    worst = replace(policy.severities[0], responders=("@payments-oncall",))
    return replace(policy, severities=(worst, *policy.severities[1:]), **changes)


test_policy.__test__ = False  # type: ignore[attr-defined]


@contextlib.asynccontextmanager
async def world_at(
    folder: Path,
    mode: Literal["socket", "http"] = "socket",
    policy: Policy | None = None,
    begin: datetime = BEGIN,
    strict: bool = False,
    **more: Any,
) -> AsyncIterator[World]:
    """A world with the bot running in it; everything ends with the block. `strict`: Slack keeps its rate limits."""
    slack = local_slack(WorkspaceClock(begin), strict, more.get("slack_command", "/incident"))
    await slack.start(0)
    try:
        settings = settings_for(slack, folder / "incidents.sqlite", mode, **more)
        if settings.database_url.startswith("sqlite:///") and not (folder / "incidents.sqlite").exists():
            (folder / "incidents.sqlite").write_bytes(_empty())
        else:
            migrate(settings.database_url)
        world = World(slack, settings, policy or test_policy())
        await world.start_bot()
        try:
            yield world
        finally:
            await world.stop_bot()
    finally:
        await slack.stop()
