"""Several `python -m bot run` on one PostgreSQL and one local Slack, each with its own line to the database.

By Socket Mode the local Slack gives each envelope to one connection in turn; by HTTP a small balancer stands before
them. People's clock is the local Slack's, and the replicas follow it: `pass_time` moves all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import aiohttp
import asyncpg
import yaml
from aiohttp import web

from bot.config import ROOT
from bot.domain.effect import EffectState
from bot.domain.events import Event
from bot.domain.incident import Incident
from bot.store import SqlStore
from localslack import LocalSlack
from localslack.records import Channel
from tests.durability.test_killed import free_port
from tests.postgres import Postgres
from tests.proxy import Mode, Proxy
from tests.world import KEY

#: seconds of a lease here; ten in earnest
LEASE = 2.0
#: seconds within which anything has to happen that is waited for, on a machine that is busy
PATIENCE = 40.0
#: how long an outcome that was lost is looked for before the call is made anew, and a little more
LOOKED = 18.0
MANIFEST = yaml.safe_load((ROOT / "manifest.yaml").read_text())

#: states of a call after which nothing is owed
_SETTLED = {EffectState.SENT.value, EffectState.REFUSED.value}


async def until(true: Callable[[], Awaitable[bool]], what: str, within: float = PATIENCE) -> float:
    """Seconds until `what` was so. It is looked at again and again, as nobody tells."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not await true():
        assert loop.time() - began < within, f"not in time: {what}"
        await asyncio.sleep(0.02)
    return loop.time() - began


class Replica:
    """One process of the bot. What is done to it is done to the process, from outside."""

    def __init__(self, name: str, settings: dict[str, str], line: Proxy, program: Path = ROOT) -> None:
        """`program`: the folder of its checkout."""
        self.name = name
        self._program = program
        self.port = free_port()
        self.line = line
        self._settings = {**settings, "PORT": str(self.port)}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it; ready when this returns."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=self._program, env={**inherited, **self._settings}
        )
        await until(self.ready, f"{self.name} is ready")

    async def ready(self) -> bool:
        """Whether /readyz says that it can work."""
        assert self.runs, f"{self.name} has ended"
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            timeout = aiohttp.ClientTimeout(total=5)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"http://127.0.0.1:{self.port}/readyz") as answer,
            ):
                return answer.status == 200
        return False

    async def kill(self) -> None:
        """kill -9: nothing of it runs when this returns."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        await self._process.wait()

    async def stop(self) -> tuple[int, float]:
        """SIGTERM: its status, and the seconds that it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._signal(signal.SIGTERM)
        assert self._process is not None
        async with asyncio.timeout(30):
            status = await self._process.wait()
        return status, loop.time() - began

    def freeze(self) -> None:
        """SIGSTOP: it stands still in the middle of whatever it does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on as if nothing had been."""
        self._signal(signal.SIGCONT)

    def cut(self, how: Mode) -> None:
        """What happens on its line to the database from now on; "ok" ends that."""
        self.line.mode = how

    async def end(self) -> None:
        if self.runs:
            await self.kill()  # also ends one that stands still

    def _signal(self, which: signal.Signals) -> None:
        assert self._process is not None and self.runs, f"{self.name} has ended"
        self._process.send_signal(which)


class Balancer:
    """Slack's one URL before several replicas: in turn, and to the next one where one does not answer.

    `only` directs everything to one of them; `twice` gives each delivery to two at the same moment.
    """

    def __init__(self, replicas: list[Replica]) -> None:
        self._replicas = replicas
        self._turn = 0
        self._session: aiohttp.ClientSession
        self._runner: web.AppRunner
        self.only: Replica | None = None
        self.twice = False
        self.answers: Counter[int] = Counter()
        self.url = ""

    async def start(self) -> None:
        site = web.Application()
        site.router.add_post("/slack/events", self._pass_on)
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3))
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/slack/events"

    async def stop(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        body, headers = await request.read(), dict(request.headers)
        self._turn += 1
        first = self._turn % len(self._replicas)
        ring = [self.only] if self.only else [*self._replicas[first:], *self._replicas[:first]]
        if self.twice:
            one, other = await asyncio.gather(*(self._asked(to, body, headers) for to in ring[:2]))
            self.answers.update(each.status for each in (one, other) if each)
            return one or other or web.Response(status=502)
        for to in ring:
            if (answer := await self._asked(to, body, headers)) is not None:
                self.answers[answer.status] += 1
                return answer
        return web.Response(status=502)

    async def _asked(self, to: Replica, body: bytes, headers: dict[str, str]) -> web.Response | None:
        try:
            url = f"http://127.0.0.1:{to.port}/slack/events"
            async with self._session.post(url, data=body, headers=headers) as answer:
                kind = answer.headers.get("Content-Type", "text/plain")
                return web.Response(status=answer.status, body=await answer.read(), headers={"Content-Type": kind})
        except aiohttp.ClientConnectionError:
            return None
        except TimeoutError:
            return web.Response(status=504)


class Replicas:
    """All of them, with the Slack that they share, and a look at their database beside them."""

    def __init__(self, slack: LocalSlack, url: str, all: list[Replica], balancer: Balancer | None) -> None:
        self.slack = slack
        self.url = url
        self.all = all
        self.balancer = balancer
        self.store = SqlStore.open(url, KEY.encode())
        self._looking: asyncpg.Connection

    async def start(self) -> None:
        self._looking = await asyncpg.connect(self.url)
        await asyncio.gather(*(one.start() for one in self.all))

    async def close(self) -> None:
        await asyncio.gather(*(one.end() for one in self.all))
        await self.store.close()
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self._looking.close()

    async def mended(self) -> None:
        """All run, each with its line to the database, and nothing goes wrong any more."""
        self.slack.faults.clear()
        self.slack.latency = 0.0
        if self.balancer:
            self.balancer.only, self.balancer.twice = None, False
        for one in self.all:
            one.cut("ok")
            if one.runs:
                one.thaw()
        await asyncio.gather(*(one.start() for one in self.all if not one.runs))
        for one in self.all:
            await until(one.ready, f"{one.name} is ready")

    @contextlib.contextmanager
    def only(self, replica: Replica) -> Any:
        """What people do meanwhile goes to this one."""
        assert self.balancer is not None
        self.balancer.only = replica
        try:
            yield
        finally:
            self.balancer.only = None

    def pass_time(self, seconds: float) -> None:
        """Everybody's clock goes on."""
        self.slack.clock.advance(seconds)

    # -- people ---------------------------------------------------------------------------------------

    async def declare(self, title: str, who: str = "ana") -> Incident:
        """A SEV-1; as soon as it is recorded."""
        known = {row.id for row in await self.store.listing(self.slack.team_id, limit=1000)}
        answer = await self.slack.person(who).command(f"/incident declare sev1 {title}")
        assert "is recorded" in answer.text or answer.failed, answer
        rows = [row for row in await self.store.listing(self.slack.team_id, limit=1000) if row.id not in known]
        (row,) = [row for row in rows if row.title == title]
        return await self.incident(row.id)

    async def opened(self, title: str, who: str = "ana") -> Incident:
        """A SEV-1 whose channel is there, with all that belongs to it."""
        id = (await self.declare(title, who)).id
        await self.settled([id])
        return await self.incident(id)

    # -- looking --------------------------------------------------------------------------------------

    async def asked(self, statement: str, *values: Any) -> Any:
        """The first value of the database's answer, past every replica's line."""
        if self._looking.is_closed():  # the database was restarted
            self._looking = await asyncpg.connect(self.url)
        return await self._looking.fetchval(statement, *values)

    async def incident(self, id: str) -> Incident:
        found = await self.store.incident(id)
        assert found is not None
        return found

    async def events(self, id: str, kind: type[Event] | None = None) -> list[Any]:
        """What happened, in order, all of it or of one kind."""
        entries = await self.store.entries(id)
        return [one.event for one in entries if kind is None or isinstance(one.event, kind)]

    async def holder(self, id: str) -> str:
        """Which process attends it now, "" where none does."""
        who = await self.asked("SELECT lease_by FROM incidents WHERE id = $1 AND lease_until > clock_timestamp()", id)
        return who or ""

    async def unpaid(self, ids: list[str]) -> int:
        """How many calls and due moments of these are open."""
        now = self.slack.clock.now()
        statement = (
            "SELECT (SELECT count(*) FROM effects WHERE incident_id = ANY($1) AND state <> ALL($2))"
            " + (SELECT count(*) FROM incidents WHERE id = ANY($1)"
            " AND (channel = '' OR due_at IS NULL OR due_at <= to_timestamp($3) OR lease_until > clock_timestamp()))"
            " + (SELECT count(*) FROM incidents WHERE id = ANY($1) AND NOT EXISTS"
            " (SELECT FROM effects WHERE incident_id = incidents.id AND key = 'card' AND state = 'sent'))"
        )
        return int(await self.asked(statement, ids, list(_SETTLED), now))

    async def settled(self, ids: list[str], within: float = PATIENCE) -> float:
        """Return when everything that is due by now is paid and nobody is at it; the seconds that it took."""

        async def paid() -> bool:
            return await self.unpaid(ids) == 0

        return await until(paid, "everything due is paid", within)

    async def settled_but_looks(self, ids: list[str]) -> None:
        """Return when nothing can be done before the clock goes on."""

        async def waits() -> bool:
            now = self.slack.clock.now()
            statement = (
                "SELECT count(*) FROM incidents WHERE id = ANY($1)"
                " AND (due_at <= to_timestamp($2) OR lease_until > clock_timestamp())"
            )
            return bool(await self.asked(statement, ids, now) == 0)

        await until(waits, "everybody waits for a later moment")

    async def looked_for(self, ids: list[str]) -> None:
        """Let what was cut off be looked for, made anew where it is not there, and looked for once more."""
        for seconds in (LOOKED / 6, LOOKED, 65.0, 5.0):
            await self.slack.idle()
            self.pass_time(seconds)
            await asyncio.sleep(0)
        await self.settled(ids)

    # -- as it has to be ------------------------------------------------------------------------------

    async def nothing_twice(self, ids: list[str]) -> None:
        """A channel each with one card, pinned once; no message and no mark twice; timelines as they were written."""
        made = Counter(one.name for one in self.slack.channels if one.name.startswith("inc-"))
        for id in ids:
            incident = await self.incident(id)
            place = self.slack.channel(incident.channel)
            assert made[place.name] == 1, made
            assert len(place.pins) == len(place.bookmarks) == 1, (incident.name, place.pins, place.bookmarks)
            named = [one for one in made if one.startswith(f"{incident.name.lower()}-")]
            assert len(named) == 1, named
        assert {mark: count for mark, count in self.marks().items() if count != 1} == {}
        assert await self.store.verify() == []

    def marks(self) -> Counter[str]:
        """How often each of the bot's messages stands."""
        return Counter(
            f"{place.name or place.id} {one.metadata['event_payload']['id']}"
            for place in self.slack.channels
            for one in place.by_ts.values()
            if one.metadata and not one.deleted
        )

    def place(self, incident: Incident) -> Channel:
        return self.slack.channel(incident.channel)


@contextlib.asynccontextmanager
async def replicas(
    server: Postgres, mode: Literal["socket", "http"], count: int = 3, **more: str
) -> AsyncIterator[Replicas]:
    """That many replicas, ready; everything ends with the block. `more` are further settings."""
    slack = LocalSlack(MANIFEST)
    await slack.start(0)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(slack.stop)
        url = await asyncio.to_thread(server.create)
        lines = [stack.enter_context(Proxy(server.upstream)) for _ in range(count)]
        settings = {
            "SLACK_MODE": mode, "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret, "SLACK_API_URL": slack.api_url, "CHAIN_KEY": KEY,
            "POLICY_FILE": str(ROOT / "bot" / "demo" / "policy.toml"), "LOG_LEVEL": "error",
            "CLOCK_URL": f"{slack.url}/_sandbox/clock/stream", "LEASE_SECONDS": str(LEASE), "SOCKET_CONNECTIONS": "1",
            **more,
        }  # fmt: skip
        all = [
            Replica(f"replica {number}", {**settings, "DATABASE_URL": line.url(url)}, line)
            for number, line in enumerate(lines)
        ]
        balancer = Balancer(all) if mode == "http" else None
        if balancer is not None:
            await balancer.start()
            stack.push_async_callback(balancer.stop)
            slack.event_url = balancer.url
        them = Replicas(slack, url, all, balancer)
        stack.push_async_callback(them.close)
        await them.start()
        yield them
