"""Told to stop, a process of the bot finishes what runs and hands over, within 10 seconds, and ends with 0."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bot.config import ROOT
from bot.store import migrate
from bot.store.process_lock import ProcessLock
from localslack import LocalSlack
from tests.durability.test_killed import process, until
from tests.postgres import Postgres
from tests.store.raw import Raw


@pytest.mark.parametrize("kind", ["sqlite", "postgres18"])
@pytest.mark.parametrize(
    "latency",
    [
        pytest.param(0.3, id="calls that are answered soon"),
        pytest.param(12.0, id="a call that hangs"),
    ],
)
async def test_told_to_stop(request: pytest.FixtureRequest, tmp_path: Path, kind: str, latency: float) -> None:
    file = tmp_path / "incidents.sqlite"
    url = f"sqlite:///{file}"
    if kind != "sqlite":
        server: Postgres = request.getfixturevalue(kind)
        url = server.create()
    migrate(url)
    slack = LocalSlack(yaml.safe_load((ROOT / "manifest.yaml").read_text()))
    await slack.start(0)
    try:
        async with process(slack, url) as first:
            slack.latency = latency
            declaring = asyncio.create_task(slack.person("ana").command("/incident declare sev1 Withdrawals are stuck"))
            await until(lambda: any(one.outcome == "pending" for one in slack.journal.of("conversations.create")))
            loop = asyncio.get_running_loop()
            began = loop.time()
            first.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(first.wait(), 60) == 0
            assert loop.time() - began < 13  # ten to finish in, and a busy machine
            slack.latency = 0.0
            declaring.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await declaring
        raw = Raw(url)
        assert raw.rows("SELECT count(*) FROM incidents") == [(1,)]
        if kind == "sqlite":
            only = ProcessLock(file)
            only.acquire_nowait()  # free at once
            only.release()
        else:
            assert raw.rows("SELECT count(*) FROM incidents WHERE lease_by IS NOT NULL") == [(0,)]
            assert raw.rows("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == [(1,)]
        async with process(slack, url):
            await until(lambda: raw.rows("SELECT count(*) FROM effects WHERE state = 'sent'")[0][0] >= 6)
            await until(lambda: not raw.rows("SELECT key FROM effects WHERE state NOT IN ('sent', 'refused')"))
            await slack.idle()
    finally:
        slack.latency = 0.0
        await slack.stop()
    assert len([one for one in slack.channels if one.name.startswith("inc-")]) == 1
    marks = Counter(
        one.metadata["event_payload"]["id"] for place in slack.channels for one in place.messages if one.metadata
    )
    assert marks and set(marks.values()) == {1}
