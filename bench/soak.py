"""Ten hours of Slack at its maximum rate (30,000 events an hour), as fast as they go: does anything grow?

    python -m bench.soak                    # 300,000 events
    python -m bench.soak --events 5000      # what CI runs

Commands (declare, ack, runbook, note, update, status, list, resolve), ticks and time that moves with them; incidents
end and new ones begin. Memory, tasks, handles and sockets of the bot's process are told by the process itself. Exits 1
where one of them grows by more than its allowance after the warm-up.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import os
import random
import secrets
import signal
import string
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bench.crowd import settings
from bench.sink import PERSON, TEAM, Sink
from bench.stage import free_port
from bench.ticks import RUNBOOK, plain_steps
from bot.config import ROOT
from bot.slack.surfaces import block_kit
from bot.store import migrate

EVENTS = 300_000
HOURS = 10.0
AT_ONCE = 8
#: events of an incident from its declaration to its end
LIFE = 120
#: shares of the run after which everybody rests: the end of the warm-up, the middle of what follows, the end
WARM, MIDDLE = 0.3, 0.65
#: what each may grow from the end of the warm-up to the end. Memory is judged by the fitted line, once over all of that
#: and once by the second half of it, as if it had gone on like that from the start; the others from rest to rest.
#: Connections to Slack are kept open for 15 s, as many as were needed at once: so handles and sockets vary by a few.
ALLOWED = {"rss_mb": 12.0, "objects": 20_000.0, "tasks": 2.0, "handles": 16.0, "sockets": 16.0}
#: seconds of rest, in which nothing is sent
REST = 3.0


#: how many events were sent, and what the bot's process held then
Sample = tuple[int, dict[str, float]]


@dataclass
class Place:
    """One incident at a time, in one channel after the other, driven by one pair of hands."""

    number: int
    step: itertools.count[int] = field(default_factory=itertools.count)
    channel: str = ""
    incident: str = ""
    ticked: dict[str, int] = field(default_factory=dict)


class Driver:
    """Sends signed requests, one after the other in each of a few places."""

    def __init__(self, session: aiohttp.ClientSession, sink: Sink, seed: int) -> None:
        self._session = session
        self._sink = sink
        self._chance = random.Random(seed)
        self._steps = plain_steps()
        self._names = itertools.count(1)
        self.sent = 0
        self.bad: list[str] = []

    async def drive(self, place: Place, until: int, after_each: Any) -> None:
        """Go on until so many were sent in all."""
        while self.sent < until:
            self.sent += 1
            try:
                await self._next(place)
            except (aiohttp.ClientError, TimeoutError) as error:
                self.bad.append(type(error).__name__)
            after_each(self.sent)

    async def _next(self, place: Place) -> None:
        number = next(place.step) % LIFE
        if number == 0 or not place.channel:
            await self._declare(place)
        elif number == 1:
            await self._command(place, "ack")
        elif number == 2:
            await self._command(place, f"runbook {RUNBOOK}")
        elif number == LIFE - 1:
            await self._command(place, "false-alarm it was a drill of the bench")
            place.channel = ""
        elif number % 10 == 3:
            await self._command(place, f"note nothing yet, look {number}")
        elif number % 40 == 4:
            await self._command(place, "update still being looked at")
        elif number % 10 == 5:
            await self._command(place, self._chance.choice(("status", "list", "help", "timeline")))
        else:
            await self._tick(place)

    async def _declare(self, place: Place) -> None:
        word = "".join(self._chance.choices(string.ascii_lowercase, k=16))  # digits might be taken for a card's number
        title = f"{word} soak"
        known = len(self._sink.opened)
        await self._command(place, f"declare sev2 {title}", channel="C0ALL")
        place.ticked = {}
        for _ in range(1000):
            mine = next((one for one in self._sink.opened[known:] if word in one[1]), None)
            if mine is not None:
                place.channel = mine[0]
                return
            await asyncio.sleep(0.02)
        self.bad.append("no channel")

    async def _tick(self, place: Place) -> None:
        step = self._chance.choice(self._steps)
        version = place.ticked.get(step, 0)
        place.ticked[step] = version + 1
        number = next(self._names)
        chosen = {
            "text": {"type": "plain_text", "text": "Done"},
            "value": block_kit.encode_value(i="", r=RUNBOOK, s=step, v=version),
        }
        block = f"step:{RUNBOOK}:{step}:{version}"
        payload = {
            "type": "block_actions", "team": {"id": TEAM}, "user": {"id": PERSON, "team_id": TEAM},
            "channel": {"id": place.channel}, "trigger_id": f"t{number}",
            "response_url": f"{self._sink.url}/api/respond",
            "container": {"type": "message", "message_ts": "1.1", "channel_id": place.channel},
            "message": {"ts": "1.1"},
            "actions": [{
                "type": "checkboxes", "action_id": "inc:tick", "block_id": block,
                "selected_options": [] if version % 2 else [chosen],
                "action_ts": f"{1_700_000_000 + number // 1000}.{number % 1000:06d}",
            }],
        }  # fmt: skip
        await self._send({"payload": json.dumps(payload)})

    async def _command(self, place: Place, text: str, channel: str = "") -> None:
        await self._send({
            "command": "/incident", "text": text, "team_id": TEAM, "user_id": PERSON,
            "channel_id": channel or place.channel, "trigger_id": f"c{next(self._names)}",
            "response_url": f"{self._sink.url}/api/respond",
        })  # fmt: skip

    async def _send(self, form: dict[str, str]) -> None:
        body = urlencode(form)
        stamp = str(int(time.time()))
        digest = hmac.new(b"bench bench bench bench", f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
        }  # fmt: skip
        async with self._session.post("/slack/events", data=body, headers=headers) as answer:
            text = await answer.text()
            if answer.status != 200 or "went wrong" in text or "nothing was recorded" in text.lower():
                self.bad.append(f"{answer.status} {text[:120]}")


async def soak(folder: Path, events: int, seed: int) -> dict[str, Any]:
    """Run them all; the samples, and what grew."""
    url = f"sqlite:///{folder / 'soak.sqlite'}"
    await asyncio.to_thread(migrate, url)
    sink = Sink(offset=1.0, keep=False)
    await sink.start()
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.inhabited", cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **settings(sink, url, secrets.token_hex(32), port)},
    )  # fmt: skip
    samples: list[Sample] = []
    try:
        timeout = aiohttp.ClientTimeout(total=20)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout) as session:
            await _ready(session)
            driver = Driver(session, sink, seed)
            assert process.stdout is not None
            reading = asyncio.create_task(_read(process.stdout, driver, samples))
            began = time.monotonic()

            def move(sent: int) -> None:  # ten hours go by with 300,000 events
                if sent % 100 == 0:
                    sink.move(100 * HOURS * 3600 / EVENTS)

            places = [Place(number) for number in range(AT_ONCE)]
            rests = []
            for until in (int(WARM * events), int(MIDDLE * events), events):
                await asyncio.gather(*(driver.drive(place, until, move) for place in places))
                await asyncio.sleep(REST)
                rests.append(samples[-1][1])
            seconds = time.monotonic() - began - 3 * REST
            reading.cancel()
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
        await sink.stop()
    return {
        "events": events, "seed": seed, "seconds": seconds, "per_second": events / seconds, "bad": driver.bad[:20],
        "bad_count": len(driver.bad), "status": process.returncode, "calls": dict(sink.calls),
        "samples": [{"sent": sent, **one} for sent, one in samples], "growth": grown(samples, events, rests),
        "load": os.getloadavg()[0],
    }  # fmt: skip


async def _ready(session: aiohttp.ClientSession) -> None:
    for _ in range(300):
        try:
            async with session.get("/readyz") as answer:
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError("the bot did not become ready")


async def _read(lines: asyncio.StreamReader, driver: Driver, samples: list[Sample]) -> None:
    async for line in lines:
        if line.startswith(b"{"):
            samples.append((driver.sent, json.loads(line)))


def grown(samples: Sequence[Sample], events: int, rests: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """By how much each grew after the warm-up: over all of it, and by its second half alone. Empty: too few samples."""
    after = [(sent, one) for sent, one in samples if WARM * events <= sent < events]
    late = [(sent, one) for sent, one in after if sent >= MIDDLE * events]
    if len(late) < 3:
        return {}
    counts = [name for name in ALLOWED if name != "rss_mb"]
    span = (1 - WARM) * events
    return {
        "all": {"rss_mb": _slope(after) * span, **{name: rests[-1][name] - rests[0][name] for name in counts}},
        "second half": {"rss_mb": _slope(late) * span, **{name: rests[-1][name] - rests[1][name] for name in counts}},
    }


def _slope(samples: Sequence[Sample]) -> float:
    """Megabytes an event, by the line that fits best."""
    xs, ys = [sent for sent, _ in samples], [one["rss_mb"] for _, one in samples]
    middle, height = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - middle) ** 2 for x in xs)
    return sum((x - middle) * (y - height) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0


def verdict(found: dict[str, Any]) -> list[str]:
    """What is wrong, a sentence each; empty when nothing grew and nothing failed."""
    wrong = [
        f"{name} grew by {by:.1f} ({when}); {ALLOWED[name]:g} is allowed"
        for when, names in found["growth"].items()
        for name, by in names.items()
        if by > ALLOWED[name]
    ]
    if not found["growth"]:
        wrong.append("too few samples to tell: run more events")
    if found["bad_count"]:
        wrong.append(f"{found['bad_count']} events were not answered well, among them: {found['bad'][:3]}")
    if found["status"]:
        wrong.append(f"the bot ended with status {found['status']}")
    return wrong


def table(found: dict[str, Any]) -> str:
    """For people."""
    first, last = found["samples"][0], found["samples"][-1]
    lines = [
        f"Soak: {found['events']} events in {found['seconds']:.0f} s ({found['per_second']:.0f} a second), seed "
        f"{found['seed']}, load {found['load']:.1f}; growth after {WARM:.0%} of warm-up",
        f"{'':12}{'first':>10}{'last':>10}{'grown':>10}{'2nd half':>10}{'allowed':>10}",
    ]
    for name, allowed in ALLOWED.items():
        by = [found["growth"].get(when, {}).get(name, float("nan")) for when in ("all", "second half")]
        lines.append(f"{name:12}{first[name]:>10.1f}{last[name]:>10.1f}{by[0]:>10.1f}{by[1]:>10.1f}{allowed:>10.1f}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the arguments, run, and say what grew."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--out", type=Path, default=None, help="a file for every sample, as JSON")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        found = asyncio.run(soak(Path(folder), asked.events, asked.seed))
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1))
    print(table(found))
    wrong = verdict(found)
    print("\n".join(wrong) or "Nothing grew.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
