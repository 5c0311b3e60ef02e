"""Reminders that fall due at a steady rate, and a backlog of overdue ones: real processes of the bot on PostgreSQL.

Lateness is from the moment that stands in the timeline to the arrival of chat.postMessage at the sink, both by this
machine's clock. Messages, rules, leases and calls are the product's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy import make_url

from bench import bare_loop
from bench.crowd import One, fill, settings
from bench.figures import percentile
from bench.sink import Post, Sink
from bench.stage import child, free_port
from bot.clock import SystemClock
from bot.config import ROOT
from bot.store import migrate
from tests.postgres import Postgres

RATE = 250
#: by the bots' clock the first falls due a day after the database was filled: nothing is due meanwhile
AHEAD = timedelta(days=1)
#: seconds from the last replica's being ready to the first due moment
BREATH = 2.0
#: seconds that one replica takes to start, at most, beside others
STARTS = 4.0
LEASE = 10.0
#: how late the last of the overdue ones is: three rungs have passed by then
OVERDUE = timedelta(minutes=12)
KEY = secrets.token_hex(32)


class Backlog:
    """A filled database, to be copied for each run."""

    def __init__(self, server: Postgres, name: str, ones: list[One]) -> None:
        self.server, self.name, self.ones = server, name, ones
        self.first = min(one.due for one in ones)

    def copy(self) -> str:
        """The URL of a fresh copy."""
        return self.server.create(self.name)


async def backlog(server: Postgres, count: int, rate: float = RATE, *, mixed: bool = False) -> Backlog:
    """So many incidents whose update falls due one after the other; `mixed`: two severities in turn."""
    begin = (SystemClock().now() + AHEAD).replace(microsecond=0)
    names = ("sev2", "sev1") if mixed else ("sev1",)
    ones = [
        One(number, begin + timedelta(seconds=(number - 1) / rate), names[number % len(names)])
        for number in range(1, count + 1)
    ]
    url = await asyncio.to_thread(server.create)
    await asyncio.to_thread(migrate, url)
    sink = Sink()
    await sink.start()
    try:
        await fill(sink, url, KEY, ones)
    finally:
        await sink.stop()
    name = make_url(url).database or ""
    await asyncio.to_thread(server.run, "VACUUM ANALYZE", database=name)
    return Backlog(server, name, ones)


@contextlib.asynccontextmanager
async def bots(sink: Sink, url: str, count: int) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """So many replicas, all serving."""
    async with contextlib.AsyncExitStack() as stack:
        starting = []
        for _ in range(count):
            port = free_port()
            environment = {**settings(sink, url, KEY, port), "LEASE_SECONDS": str(LEASE)}
            run = os.environ.get("BENCH_BOT", "-m bot run").split()
            entered = stack.enter_async_context(
                child(*run, environment=environment, ready=f"http://127.0.0.1:{port}/healthz")
            )
            starting.append(asyncio.create_task(entered))
        yield [await one for one in starting]


async def paced(what: Backlog, replicas: int, kill_at: float | None = None) -> dict[str, Any]:
    """One run; `kill_at`: the share of the run after which one replica is killed (SIGKILL)."""
    url = await asyncio.to_thread(what.copy)
    loads = os.getloadavg()[0]
    begin = time.time() + STARTS * replicas + BREATH
    sink = Sink(offset=what.first.timestamp() - begin)
    await sink.start()
    lasts = (what.ones[-1].due - what.first).total_seconds()
    killed = 0.0
    try:
        async with bots(sink, url, replicas) as processes:
            if time.time() > begin - 0.5:
                raise RuntimeError("the replicas took too long to start; raise STARTS")
            early = dict(sink.calls)
            if kill_at is not None:
                await asyncio.sleep(begin + lasts * kill_at - time.time())
                processes[0].send_signal(signal.SIGKILL)
                killed = time.time()
            await _all(sink, len(what.ones), begin + lasts + 30)
            await asyncio.sleep(0.5)  # what comes twice would come now
            if killed:  # what was in doubt is looked for, and looked for again, by a clock that nobody moves here
                await asyncio.sleep(max(0.0, killed + LEASE + 2 - time.time()))
            found = _judged(what, sink, begin, killed)
            found["unpaid"] = await _unpaid(url)
            found["edits_before"] = early.get("chat.update", 0)
            found["calls"] = dict(sink.calls)
    finally:
        await sink.stop()
        await asyncio.to_thread(what.server.drop, url)
    return {"replicas": replicas, "count": len(what.ones), "load": loads, **found}


async def _all(sink: Sink, count: int, until: float) -> None:
    while len({one.channel for one in sink.posts}) < count and time.time() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def _unpaid(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM effects WHERE state NOT IN ('sent', 'refused')"))
    finally:
        await connection.close()


def _judged(what: Backlog, sink: Sink, begin: float, killed: float) -> dict[str, Any]:
    due = {one.channel: one.due.timestamp() - sink.offset for one in what.ones}
    first: dict[str, Post] = {}
    often: Counter[str] = Counter()
    for post in sink.posts:
        first.setdefault(post.channel, post)
        often[post.channel] += 1
    late = {channel: (post.at - due[channel]) * 1000 for channel, post in first.items() if channel in due}
    # Who was attended by the dead one is not known here: what is later than a second after a kill was its, or waited.
    dead = [ms for channel, ms in late.items() if killed and ms > 1000]
    alive = [ms for ms in late.values() if not (killed and ms > 1000)] or [0.0]
    if os.environ.get("BENCH_TRACE"):
        for n in range(0, len(what.ones), max(1, len(what.ones) // 10)):
            print(n, late.get(what.ones[n].channel))
    return {
        "p50_ms": percentile(alive, 0.5), "p99_ms": percentile(alive, 0.99), "max_ms": max(alive),
        "p50_all_ms": percentile(list(late.values()) or [0.0], 0.5),
        "p99_all_ms": percentile(list(late.values()) or [0.0], 0.99),
        "early": sum(ms < 0 for ms in late.values()),
        "of_the_dead": len(dead),
        "of_the_dead_after_kill_s": max((first[c].at - killed for c, ms in late.items() if killed and ms > 1000),
                                        default=0.0),
        "lost": len(what.ones) - len(late),
        "doubled": sum(times - 1 for times in often.values()),
        "per_second": len(late) / max(0.001, max((p.at for p in first.values()), default=begin) - begin),
    }  # fmt: skip


async def kills(what: Backlog, times: int, seed: int) -> dict[str, Any]:
    """So many runs on 3 replicas, one killed at a random moment of each."""
    chance = random.Random(seed)
    runs = [await paced(what, 3, chance.uniform(0.1, 0.9)) for _ in range(times)]
    return {
        "seed": seed, "kills": times, "each": len(what.ones),
        "lost": sum(one["lost"] for one in runs), "doubled": sum(one["doubled"] for one in runs),
        "unpaid": sum(one["unpaid"] for one in runs),
        "of_the_dead_after_kill_s": max(one["of_the_dead_after_kill_s"] for one in runs), "runs": runs,
    }  # fmt: skip


async def bare(what: Backlog, count: int) -> dict[str, Any]:
    """The same moments paid by the least that could (bench.bare_loop), in so many processes."""
    url = await asyncio.to_thread(what.copy)
    begin = time.time() + 1.5 * count + BREATH
    sink = Sink(offset=what.first.timestamp() - begin)
    await sink.start()
    connection = await asyncpg.connect(url)
    await connection.execute(bare_loop.TABLE)
    await connection.execute(bare_loop.INDEX)
    rows = [(one.channel, one.due.timestamp()) for one in what.ones]
    await connection.copy_records_to_table("bare", records=rows, columns=["id", "due_at"])
    await connection.close()
    command = [sys.executable, "-m", "bench.bare_loop", url, sink.url, str(sink.offset)]
    try:
        started = [await asyncio.create_subprocess_exec(*command, cwd=ROOT) for _ in range(count)]
        await asyncio.gather(*(one.wait() for one in started))
        return {"replicas": count, "load": os.getloadavg()[0], **_judged(what, sink, begin, 0.0)}
    finally:
        await sink.stop()
        await asyncio.to_thread(what.server.drop, url)


async def drained(what: Backlog, replicas: int) -> dict[str, Any]:
    """Everything is overdue when the bots start: three rungs of each reminder have passed."""
    url = await asyncio.to_thread(what.copy)
    loads = os.getloadavg()[0]
    sink = Sink(offset=(what.ones[-1].due + OVERDUE).timestamp() - time.time())
    await sink.start()
    began = time.time()
    try:
        async with bots(sink, url, replicas):
            ready = time.time()
            await _all(sink, len(what.ones), ready + 180)
            await asyncio.sleep(1)
            unpaid = await _unpaid(url)
    finally:
        await sink.stop()
        await asyncio.to_thread(what.server.drop, url)
    first: dict[str, Post] = {}
    for post in sink.posts:
        first.setdefault(post.channel, post)
    begun = min([ready, *(post.at for post in first.values())])
    order = [one.channel for one in sorted(what.ones, key=lambda one: (one.severity, -one.number))]
    wanted = {channel: place for place, channel in enumerate(order)}
    off = [abs(wanted[channel] - place) for place, channel in enumerate(first)] or [0]
    return {
        "replicas": replicas, "count": len(what.ones), "load": loads, "start_s": ready - began,
        "seconds": max((post.at for post in first.values()), default=begun) - begun,
        "lost": len(what.ones) - len(first), "posts_more_than_one": len(sink.posts) - len(first), "unpaid": unpaid,
        "places_off_p99": percentile(off, 0.99), "places_off_max": max(off),
    }  # fmt: skip


async def measure(count: int, rate: float, times: int, each: int, seed: int) -> dict[str, Any]:
    """Everything: paced on 1 and 3 replicas, one killed, the bare loop, random kills, the overdue ones."""
    server = Postgres(durable=True)
    await asyncio.to_thread(server.start)
    try:
        what = await backlog(server, count, rate)
        found: dict[str, Any] = {
            "rate": rate, "one": await paced(what, 1), "three": await paced(what, 3),
            "killed": await paced(what, 3, 0.4), "bare_one": await bare(what, 1), "bare_three": await bare(what, 3),
        }  # fmt: skip
        overdue = await backlog(server, count, 1000, mixed=True)
        found |= {"drain_one": await drained(overdue, 1), "drain_three": await drained(overdue, 3)}
        if times:
            found["kills"] = await kills(await backlog(server, each, rate), times, seed)
        return found
    finally:
        await asyncio.to_thread(server.stop)


def table(found: dict[str, Any]) -> str:
    """For people."""
    rows = {
        "one": "1 replica", "three": "3 replicas", "killed": "3 replicas, one killed at 40 %",
        "bare_one": "bare loop, 1 process", "bare_three": "bare loop, 3 processes",
    }  # fmt: skip
    lines = [
        f"Reminders, {found['one']['count']} at {found['rate']:g} a second on PostgreSQL (reach: p50 5, p99 20 ms)",
        f"{'':34}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>10}{'per s':>7}{'lost':>6}{'twice':>6}"
        f"{'dead one, s':>12}{'load':>6}",
    ]
    for name, words in rows.items():
        one = found[name]
        lines.append(
            f"{words:34}{one['p50_ms']:>9.1f}{one['p99_ms']:>9.1f}{one['max_ms']:>10.1f}{one['per_second']:>7.0f}"
            f"{one['lost']:>6}{one['doubled']:>6}{one['of_the_dead_after_kill_s']:>12.1f}{one['load']:>6.1f}"
        )
    for product, loop in (("one", "bare_one"), ("three", "bare_three")):
        ratio = found[product]["p50_ms"] / max(0.1, found[loop]["p50_ms"])
        lines.append(f"{'product to ' + rows[loop]:34}{ratio:>9.1f}")
    lines.append("dead one, s: from the kill to the last of the reminders that came over a second late (reach: 11)")
    for name in ("drain_one", "drain_three"):
        one = found[name]
        lines.append(
            f"{one['count']} overdue, {one['replicas']} replica(s): {one['seconds']:.1f} s (reach 30), lost "
            f"{one['lost']}, more than one message {one['posts_more_than_one']}; places off the order worst and newest "
            f"first: p99 {one['places_off_p99']}, max {one['places_off_max']}; load {one['load']:.1f}"
        )
    if "kills" in found:
        one = found["kills"]
        lines.append(
            f"{one['kills']} kills at random moments, {one['each']} reminders each, seed {one['seed']}: lost "
            f"{one['lost']}, twice {one['doubled']}, unpaid {one['unpaid']}, the dead one's after "
            f"{one['of_the_dead_after_kill_s']:.1f} s at most"
        )
    return "\n".join(lines) + "\n"


async def main() -> None:
    """For trying: python -m bench.reminders COUNT RATE REPLICAS [KILL_AT | drain | bare]."""
    count, rate, replicas = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    how = sys.argv[4] if len(sys.argv) > 4 else ""
    server = Postgres(durable=True)
    await asyncio.to_thread(server.start)
    try:
        what = await backlog(server, count, rate, mixed=how == "drain")
        if how == "drain":
            print(await drained(what, replicas))
        elif how == "bare":
            print(await bare(what, replicas))
        else:
            print(await paced(what, replicas, float(how) if how else None))
    finally:
        await asyncio.to_thread(server.stop)


if __name__ == "__main__":
    asyncio.run(main())
