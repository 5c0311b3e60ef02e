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
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy import make_url

from bench import bare_loop
from bench.crowd import One, fill, settings
from bench.figures import percentile
from bench.processor import processor
from bench.sink import Post, Sink
from bench.stage import child, free_port
from bot.clock import SystemClock
from bot.config import ROOT
from bot.store import migrate
from tests.postgres import Postgres

RATE = 250
#: by the bots' clock the first falls due a day after the database was filled: nothing is due meanwhile
AHEAD = timedelta(days=1)
#: seconds from the replicas' being ready to the first due moment
BREATH = 4.0
LEASE = 10.0
#: the sink's delay where processes are killed at random: so long a call is in doubt
DELAY = 0.02
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


async def backlog(server: Postgres, count: int, rate: float = RATE) -> Backlog:
    """So many incidents whose update falls due one after the other, of two severities in turn."""
    begin = (SystemClock().now() + AHEAD).replace(microsecond=0)
    ones = [
        One(number, begin + timedelta(seconds=(number - 1) / rate), ("sev2", "sev1")[number % 2])
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


async def paced(
    what: Backlog, replicas: int, kill_at: Sequence[float] = (), delay: float = 0.0
) -> dict[str, Any]:  # fmt: skip
    """One run; `kill_at`: the shares of the run after which one more replica is killed (SIGKILL)."""
    url = await asyncio.to_thread(what.copy)
    loads = os.getloadavg()[0]
    # Nothing is near its moment until all are ready; then the clock of all goes there at once.
    sink = Sink(offset=(what.first - AHEAD / 2).timestamp() - time.time(), delay=delay)
    await sink.start()
    lasts = (what.ones[-1].due - what.first).total_seconds()
    killed = 0.0
    try:
        async with bots(sink, url, replicas) as processes:
            early, begin = dict(sink.calls), time.time() + BREATH
            sink.move(what.first.timestamp() - begin - sink.offset)
            pids = [one.pid for one in processes]
            before = (_of_all(pids), processor(what.server.pid))
            for share, process in zip(sorted(kill_at), processes, strict=False):
                await asyncio.sleep(begin + lasts * share - time.time())
                process.send_signal(signal.SIGKILL)
                killed = time.time()
            await _all(sink, len(what.ones), begin + lasts + 30)
            after = (_of_all(pids), processor(what.server.pid))
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
    # Of a process that was killed nobody can say afterwards what it had taken.
    each = [(late - soon) * 1000 / len(what.ones) for soon, late in zip(before, after, strict=True)]
    processors = {} if kill_at else {"bots_cpu_ms": each[0], "postgres_cpu_ms": each[1]}
    return {"replicas": replicas, "count": len(what.ones), "load": loads, **processors, **found}


def _of_all(pids: Sequence[int]) -> float:
    return sum(processor(one) for one in pids)


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
    """So many kills at random moments: in each trial two of three replicas, and calls that take a while."""
    chance = random.Random(seed)
    runs = []
    for left in range(times, 0, -2):
        moments = [chance.uniform(0.1, 0.9) for _ in range(min(2, left))]
        runs.append(await paced(what, 3, moments, DELAY))
    return {
        "seed": seed, "kills": times, "trials": len(runs), "each": len(what.ones),
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
    before = processor(what.server.pid)
    try:
        async with bots(sink, url, replicas) as processes:
            ready = time.time()
            await _all(sink, len(what.ones), ready + 180)
            each = [_of_all([one.pid for one in processes]), processor(what.server.pid) - before]
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
        "bots_cpu_ms": each[0] * 1000 / len(what.ones), "postgres_cpu_ms": each[1] * 1000 / len(what.ones),
        "lost": len(what.ones) - len(first), "posts_more_than_one": len(sink.posts) - len(first), "unpaid": unpaid,
        "places_off_p99": percentile(off, 0.99), "places_off_max": max(off),
    }  # fmt: skip


#: each part by its name on the command line: what is measured, on how many replicas or processes
RUNS: dict[str, tuple[str, Callable[[Backlog, int], Awaitable[dict[str, Any]]], tuple[int, ...]]] = {
    "paced": ("{} replica(s)", paced, (1, 3)),
    "killed": ("{} replicas, one killed at 40 %", lambda what, replicas: paced(what, replicas, (0.4,)), (3,)),
    "bare": ("bare loop, {} process(es)", bare, (1, 3)),
    "drain": ("{} replica(s)", drained, (1, 3)),
}
PARTS = (*RUNS, "kills")


async def measure(
    count: int, rate: float, times: int, each: int, seed: int, parts: Sequence[str] = PARTS
) -> dict[str, Any]:  # fmt: skip
    """These parts: for RUNS `count` reminders at `rate` a second; for the kills `times` of them, `each` a trial."""
    server = Postgres(durable=True)
    await asyncio.to_thread(server.start)
    found: dict[str, Any] = {"rate": rate, "count": count}
    try:
        if asked := [one for one in RUNS if one in parts]:
            what = await backlog(server, count, rate)
            for part in asked:
                _, run, replicas = RUNS[part]
                found[part] = {str(number): await run(what, number) for number in replicas}
        if times and "kills" in parts:
            found["kills"] = await kills(await backlog(server, each, rate), times, seed)
        return found
    finally:
        await asyncio.to_thread(server.stop)


def table(found: dict[str, Any]) -> str:
    """For people."""
    lines: list[str] = []
    if any(part in found for part in ("paced", "killed", "bare")):
        lines += [
            f"Reminders, {found['count']} at {found['rate']:g} a second on PostgreSQL (reach: p50 5, p99 20 ms)",
            f"{'':34}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>10}{'per s':>7}{'lost':>6}{'twice':>6}"
            f"{'dead one, s':>12}{'cpu ms':>12}{'load':>6}",
        ]
    for part in ("paced", "killed", "bare"):
        for number, one in found.get(part, {}).items():
            cpu = f"{one['bots_cpu_ms']:.1f} + {one['postgres_cpu_ms']:.1f}" if "bots_cpu_ms" in one else ""
            lines.append(
                f"{RUNS[part][0].format(number):34}{one['p50_ms']:>9.1f}{one['p99_ms']:>9.1f}{one['max_ms']:>10.1f}"
                f"{one['per_second']:>7.0f}{one['lost']:>6}{one['doubled']:>6}{one['of_the_dead_after_kill_s']:>12.1f}"
                f"{cpu:>12}{one['load']:>6.1f}"
            )
    for number in found["bare"] if "bare" in found and "paced" in found else ():
        product, loop = found["paced"][number], found["bare"][number]
        ratios = [product[name] / max(0.1, loop[name]) for name in ("p50_ms", "p99_ms")]
        lines.append(f"{f'product to bare loop, {number}':34}{ratios[0]:>9.1f}{ratios[1]:>9.1f}")
    if lines:
        lines += [
            "dead one, s: from the kill to the last of the reminders that came over a second late (reach: 11)",
            "cpu ms: processor a reminder, of all replicas + of PostgreSQL",
        ]
    for one in found.get("drain", {}).values():
        lines.append(
            f"{one['count']} overdue, {one['replicas']} replica(s): {one['seconds']:.1f} s (reach 30), lost "
            f"{one['lost']}, more than one message {one['posts_more_than_one']}; places off the order worst and newest "
            f"first: p99 {one['places_off_p99']}, max {one['places_off_max']}; processor with the start "
            f"{one['bots_cpu_ms']:.1f} + {one['postgres_cpu_ms']:.1f} ms each; load {one['load']:.1f}"
        )
    if "kills" in found:
        one = found["kills"]
        lines.append(
            f"{one['kills']} kills at random moments, two of three replicas a trial, {one['trials']} trials of "
            f"{one['each']}, seed {one['seed']}: lost {one['lost']}, twice {one['doubled']}, unpaid {one['unpaid']}, "
            f"the dead ones' within {one['of_the_dead_after_kill_s']:.1f} s of a kill"
        )
    return "\n".join(lines) + "\n"
