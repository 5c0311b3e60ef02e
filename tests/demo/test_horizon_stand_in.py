"""The stand-in for Horizon and Stellar RPC: shapes that network checks read, moved by the clock and two switches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from bot.demo.horizon_stand_in import HorizonStandIn
from localslack import LocalSlack, WorkspaceClock


@pytest.fixture
def clock() -> WorkspaceClock:
    return WorkspaceClock(frozen_at=datetime(2026, 11, 20, 14, 0, tzinfo=UTC))


@pytest.fixture
def network(clock: WorkspaceClock) -> HorizonStandIn:
    return HorizonStandIn(clock)


@pytest.fixture
async def sandbox(clock: WorkspaceClock, network: HorizonStandIn) -> AsyncIterator[LocalSlack]:
    """The local Slack with the stand-in plugged in."""
    async with LocalSlack({}, clock, extensions=[network]) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def get(sandbox: LocalSlack, session: aiohttp.ClientSession, path: str) -> tuple[int, dict[str, Any]]:
    async with session.get(f"{sandbox.url}/chain/{path}") as response:
        return response.status, await response.json(content_type=None)


async def rpc(sandbox: LocalSlack, session: aiohttp.ClientSession, method: str, **params: Any) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    async with session.post(f"{sandbox.url}/chain/rpc", json=body) as response:
        answer: dict[str, Any] = await response.json()
        assert answer["id"] == 7
        return answer


async def test_a_ledger_closes_every_five_seconds(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    _, before = await get(sandbox, session, "horizon-a/")
    sandbox.clock.advance(50)
    _, after = await get(sandbox, session, "horizon-a/")
    assert after["history_latest_ledger"] == before["history_latest_ledger"] + 10
    assert after["history_latest_ledger_closed_at"] == "2026-11-20T14:00:50Z"
    assert after["core_latest_ledger"] == after["history_latest_ledger"]
    _, page = await get(sandbox, session, "horizon-b/ledgers?order=desc&limit=1")
    assert page["_embedded"]["records"][0]["sequence"] == after["history_latest_ledger"]
    assert (await get(sandbox, session, "horizon-a/health"))[1]["core_synced"]
    assert (await get(sandbox, session, "horizon-a/fee_stats"))[1]["ledger_capacity_usage"] == "0.16"
    assert (await get(sandbox, session, "horizon-a/accounts/G1"))[0] == 404
    assert (await get(sandbox, session, "horizon-a/ledgers?limit=201"))[0] == 400


async def test_one_server_lags_or_fails_alone(
    sandbox: LocalSlack, network: HorizonStandIn, session: aiohttp.ClientSession
) -> None:
    network.horizon_a.set("lagging")
    _, one = await get(sandbox, session, "horizon-a/")
    _, other = await get(sandbox, session, "horizon-b/")
    assert one["core_latest_ledger"] - one["history_latest_ledger"] == 15
    assert other["core_latest_ledger"] == other["history_latest_ledger"]
    network.horizon_a.set("failing")
    status, problem = await get(sandbox, session, "horizon-a/")
    assert (status, problem["status"]) == (503, 503)
    assert (await get(sandbox, session, "horizon-b/"))[0] == 200
    assert (await rpc(sandbox, session, "getHealth"))["result"]["status"] == "healthy"


async def test_a_halted_network(sandbox: LocalSlack, network: HorizonStandIn, session: aiohttp.ClientSession) -> None:
    before = network.tip()
    network.network.set("failing")
    sandbox.clock.advance(600)
    assert network.tip() == before
    assert (await get(sandbox, session, "horizon-b/health"))[0] == 503
    error = (await rpc(sandbox, session, "getHealth"))["error"]
    assert error["code"] == -32603
    assert "too high (>30s)" in error["message"]
    network.network.set("ok")
    sandbox.clock.advance(10)
    number, closed = network.tip()
    assert number == before[0] + 2
    assert sandbox.clock.now() - closed < 5


async def test_rpc(sandbox: LocalSlack, network: HorizonStandIn, session: aiohttp.ClientSession) -> None:
    lost = (await rpc(sandbox, session, "getTransaction", hash="0" * 64))["result"]
    assert lost["status"] == "NOT_FOUND"
    assert lost["latestLedger"] - lost["oldestLedger"] == 120_959
    assert (await rpc(sandbox, session, "getNetwork"))["result"]["passphrase"].startswith("Test SDF Network")
    assert (await rpc(sandbox, session, "getVersionInfo"))["result"]["protocolVersion"] == 27
    assert (await rpc(sandbox, session, "getLatestLedger"))["result"]["sequence"] == network.tip()[0]
    assert (await rpc(sandbox, session, "sendTransaction"))["error"]["code"] == -32601
    assert (await rpc(sandbox, session, "getTransaction", hash="x"))["error"]


async def test_a_foreign_host_is_kept_out_and_the_page_shows_the_switches(
    sandbox: LocalSlack, session: aiohttp.ClientSession
) -> None:
    async with session.get(f"{sandbox.url}/chain/rpc", headers={"Host": "evil.example"}) as response:
        assert response.status == 403
    async with session.get(f"{sandbox.url}/_sandbox/bootstrap?as=ana") as response:
        shown = await response.json()
    assert [switch["id"] for switch in shown["switches"]] == ["horizon-a", "network"]
