"""The probe against servers that misbehave: a reading always comes, in time, and is ok only for a healthy network."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.probe_reading import Reading, ReadingState
from bot.probes import PROBES, Endpoint, ProbeSettings, build
from bot.probes import samples as s
from bot.probes.client import ReadingClient
from bot.probes.horizon import HorizonProbe
from bot.probes.verdict import judge

from .loopback import NOW, PUBLIC, Loopback, Say, fixture, raw_server, says, serving

OK, DEGRADED, DOWN, UNKNOWN = ReadingState.OK, ReadingState.DEGRADED, ReadingState.DOWN, ReadingState.UNKNOWN
SECRET = "sekret-provider-key"
MARK = "do-not-repeat-what-the-server-wrote"


@dataclass
class World:
    """horizon-a and rpc, of two operators, each on its own server."""

    horizon: Loopback
    rpc: Loopback
    session: aiohttp.ClientSession

    async def read(self, target: str = "", at: datetime = NOW, deadline: float = 10.0) -> Reading:
        return await self.probe(deadline).read(target, at)

    def probe(self, deadline: float = 10.0) -> Any:
        settings = ProbeSettings(
            horizon=(Endpoint("horizon-a", f"{self.horizon.url}v1/{SECRET}?key={SECRET}", "ours"),),
            rpc=(Endpoint("rpc", f"{self.rpc.url}v1/{SECRET}?key={SECRET}", "sdf"),),
            network=PUBLIC,
            deadline=deadline,
        )
        return build(settings, self.session)["horizon"]


@pytest.fixture
async def world(session: aiohttp.ClientSession) -> AsyncIterator[World]:
    async with serving() as horizon, serving() as rpc:
        yield World(horizon, rpc, session)


def root(**changes: object) -> Say:
    return says({**fixture("root"), **changes})


def result(of: str, **changes: object) -> Say:
    body = fixture(of)
    return says({**body, "result": {**body["result"], **changes}})


def without(of: str, *keys: str) -> Say:
    body = fixture(of)
    return says({**body, "result": {k: v for k, v in body["result"].items() if k not in keys}})


def error(code: object, message: object, **more: object) -> Say:
    return says({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message, **more}})


async def test_all_is_well(world: World) -> None:
    reading = await world.read()
    assert reading.sentence == "Horizon is up: ledger 51,234,567 closed 4 s ago on 2 of 2 sources."
    assert (reading.state, reading.probe, reading.at) == (OK, "horizon", NOW)
    assert [e.source for e in reading.evidence] == ["horizon-a", "rpc"]
    assert sorted(world.horizon.seen) == [f"GET /v1/{SECRET}", f"GET /v1/{SECRET}/health"]
    assert sorted(world.rpc.seen) == ["POST getHealth", "POST getNetwork"]


HTML = b"<html><h1>502 Bad Gateway</h1>" + MARK.encode()

# Everything that a server or a proxy in front of it can put into any answer. None of it may pass for health.
WRONG_ANYWHERE = [
    pytest.param(says(HTML, 200, "text/html"), id="200 with HTML"),
    pytest.param(says(b""), id="200 and nothing"),
    pytest.param(says(b"", 204), id="204"),
    pytest.param(says([]), id="a list"),
    pytest.param(says([{"status": "healthy"}]), id="a list with the right thing in it"),
    pytest.param(says(None), id="null"),
    pytest.param(says("healthy"), id="a string"),
    pytest.param(says(42), id="a number"),
    pytest.param(says({}), id="an empty object"),
    pytest.param(says({MARK: MARK}), id="another object"),
    pytest.param(says(b"[" * 100_000), id="a hundred thousand brackets"),
    pytest.param(says(b'{"a":' * 50_000), id="fifty thousand objects"),
    pytest.param(says(b'{"history_latest_ledger": ' + b"9" * 10_000 + b"}"), id="a number of ten thousand digits"),
    pytest.param(says(b'{"history_latest_ledger": 5123'), id="cut JSON"),
    pytest.param(says(b'\xef\xbb\xbf{"a": 1}'), id="a byte order mark"),
    pytest.param(says(b"{}", kind="application/json; charset=klingon"), id="an unknown charset"),
    pytest.param(says(b'{"a": "\xff\xfe"}', kind="application/json; charset=utf-8"), id="not in its charset"),
    pytest.param(says(b" " * 5 * 2**20), id="five megabytes"),
    pytest.param(says(b"", 302, headers={"Location": "http://127.0.0.1:1/"}), id="a redirect"),
    pytest.param(says(b"", 304), id="not modified"),
    pytest.param(says({"status": 400, "title": MARK}, 400), id="400"),
    pytest.param(says(HTML, 402, "text/html"), id="402: the provider wants money"),
    pytest.param(says(HTML, 418, "text/html"), id="418"),
    pytest.param(says(HTML, 429, "text/html"), id="429 from a proxy"),
    pytest.param(says(b"", 499), id="499"),
    pytest.param(says(HTML, 500, "text/html"), id="500 with HTML"),
    pytest.param(says(HTML, 502, "text/html"), id="502 with HTML"),
    pytest.param(says(b"", 503, "text/plain"), id="503 and nothing: overload"),
    pytest.param(says(b"Server capacity exceeded.", 503, "text/plain"), id="503 with plain text"),
    pytest.param(says(["x"], 503), id="503 with a list"),
    pytest.param(says("x", 503), id="503 with a string"),
    pytest.param(says({"type": 7, "extras": None}, 503), id="503 with null extras"),
    pytest.param(says(b"", 504), id="504 and nothing"),
]


@pytest.mark.parametrize("wrong", WRONG_ANYWHERE)
@pytest.mark.parametrize("where", ["/", "/health", "getHealth", "getNetwork"])
async def test_nothing_wrong_passes_for_health(where: str, wrong: Say, world: World) -> None:
    server = world.horizon if where.startswith("/") else world.rpc
    server.answers[where] = wrong
    reading = await world.read()
    judged = {e.source: e for e in reading.evidence}
    bad, good = ("horizon-a", "rpc") if where.startswith("/") else ("rpc", "horizon-a")
    assert reading.state is not OK
    assert judged[bad].state is not OK
    assert judged[good].state is OK
    assert bad in reading.sentence
    assert MARK not in repr(reading)
    assert SECRET not in repr(reading)


@pytest.mark.parametrize(
    ("answers", "state", "words"),
    [
        # -- Horizon's root
        pytest.param({"/": says(b"", 503)}, DOWN, "answers with errors (503)", id="503"),
        pytest.param(
            {"/": says({"type": "https://stellar.org/horizon-errors/still_ingesting"}, 503)},
            DOWN,
            "answers with errors (503: it is still ingesting)",
            id="still ingesting",
        ),
        pytest.param(
            {"/": says({"type": "https://stellar.org/horizon-errors/stale_history"}, 503)},
            DOWN,
            "answers with errors (503: its history is too old)",
            id="stale history",
        ),
        pytest.param(
            {"/": says(b"", 429, headers={"retry-after": "17"})},
            UNKNOWN,
            "limits how often we may ask (429) for another 17 s",
            id="429 with Retry-After",
        ),
        pytest.param(
            {"/": says(b"", 429, headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"})},
            UNKNOWN,
            "limits how often we may ask (429)",
            id="429 with a date",
        ),
        pytest.param({"/": says(b"", 403)}, UNKNOWN, "does not let us in (403)", id="403"),
        pytest.param({"/": says(b"", 404)}, UNKNOWN, "has nothing at the configured address (404)", id="404"),
        pytest.param({"/": says(HTML)}, UNKNOWN, "answers with something that is not Horizon's", id="HTML"),
        pytest.param({"/": says(b"", 301)}, UNKNOWN, "redirects to another address", id="301"),
        pytest.param(
            {"/": root(network_passphrase="Test SDF Network ; September 2015")},
            DOWN,
            "serves the test network, not the configured one",
            id="testnet",
        ),
        pytest.param({"/": root(network_passphrase=MARK)}, DOWN, "serves another network", id="some network"),
        pytest.param({"/": root(network_passphrase=None)}, UNKNOWN, "which network", id="no network"),
        pytest.param(
            {"/": root(history_latest_ledger=0, history_latest_ledger_closed_at="0001-01-01T00:00:00Z")},
            DOWN,
            "has no ledger yet",
            id="a fresh database: zeros",
        ),
        pytest.param(
            {"/": root(history_latest_ledger_closed_at="0001-01-01T00:00:00Z")},
            UNKNOWN,
            "does not say when its last ledger closed",
            id="year 1 with a ledger",
        ),
        pytest.param(
            {"/": root(history_latest_ledger_closed_at="0001-01-01T00:00:00+14:00")},
            UNKNOWN,
            "does not say when",
            id="before year 1",
        ),
        pytest.param(
            {"/": root(history_latest_ledger_closed_at=1772461916)}, UNKNOWN, "when", id="a number for a time"
        ),
        pytest.param({"/": root(history_latest_ledger_closed_at=[])}, UNKNOWN, "when", id="a list for a time"),
        pytest.param({"/": root(history_latest_ledger=True)}, UNKNOWN, "not Horizon's", id="true for a ledger"),
        pytest.param({"/": root(history_latest_ledger=-1)}, UNKNOWN, "not Horizon's", id="a negative ledger"),
        pytest.param({"/": root(history_latest_ledger=2**40)}, UNKNOWN, "not Horizon's", id="a ledger beyond 32 bits"),
        pytest.param({"/": root(history_latest_ledger=5.5)}, UNKNOWN, "not Horizon's", id="half a ledger"),
        pytest.param({"/": root(history_latest_ledger="51,234")}, UNKNOWN, "not Horizon's", id="a number for people"),
        pytest.param({"/": root(core_latest_ledger=0)}, DEGRADED, "how far its core is", id="core says 0"),
        pytest.param({"/": root(core_latest_ledger=51_234_600)}, DOWN, "33 ledgers behind its core", id="lag"),
        pytest.param(
            {"/": root(history_latest_ledger_closed_at="2026-03-02T14:31:00Z")}, DEGRADED, "60 s ago", id="60 s old"
        ),
        pytest.param(
            {"/": root(history_latest_ledger_closed_at="2026-03-02T14:33:00Z")}, UNKNOWN, "in the future", id="future"
        ),
        pytest.param({"/": root(current_protocol_version=29)}, DEGRADED, "needs an upgrade", id="upgrade of Horizon"),
        pytest.param(
            {"/": root(core_supported_protocol_version=26)}, DEGRADED, "needs an upgrade", id="upgrade of its core"
        ),
        # -- Horizon's health report
        pytest.param({"/health": says(b"", 404)}, OK, "is healthy", id="health hidden: the root counts"),
        pytest.param({"/health": says(b"", 403)}, OK, "is healthy", id="health forbidden: the root counts"),
        pytest.param(
            {"/health": says({"database_connected": False, "core_up": True, "core_synced": True}, 503)},
            DOWN,
            "has lost its database",
            id="no database",
        ),
        pytest.param(
            {"/health": says({"database_connected": True, "core_up": False, "core_synced": False}, 503)},
            DOWN,
            "has lost its core",
            id="no core",
        ),
        pytest.param(
            {"/health": says({"database_connected": True, "core_up": True, "core_synced": False}, 503)},
            DEGRADED,
            "has a core that is not in sync",
            id="core not in sync",
        ),
        pytest.param(
            {"/health": says(fixture("health"), 503)}, DEGRADED, "unhealthy without a reason", id="503, all true"
        ),
        pytest.param(
            {"/health": says({"database_connected": "true", "core_up": 1, "core_synced": None})},
            DEGRADED,
            "unreadable health report",
            id="words for booleans",
        ),
        pytest.param({"/health": says(b"", 500)}, DEGRADED, "(500) when asked for its health", id="health 500"),
    ],
)
async def test_what_horizon_says(answers: dict[str, Say], state: ReadingState, words: str, world: World) -> None:
    world.horizon.answers.update(answers)
    reading = await world.read("horizon-a")
    assert [e.source for e in reading.evidence] == ["horizon-a"]
    assert (reading.state, words in reading.evidence[0].sentence) == (state, True), reading
    assert MARK not in repr(reading)


@pytest.mark.parametrize(
    ("answers", "state", "words"),
    [
        # -- versions before 27.1 give no close time: getTransaction of nothing does
        pytest.param({"getHealth": without("getHealth", "latestLedgerCloseTime")}, OK, "closed 4 s ago", id="old"),
        pytest.param(
            {"getHealth": says({"jsonrpc": "2.0", "id": 1, "result": {"status": "healthy"}})}, OK, "4 s", id="oldest"
        ),
        pytest.param(
            {
                "getHealth": without("getHealth", "latestLedgerCloseTime"),
                "getTransaction": without("getTransaction", "txHash"),
            },
            OK,
            "closed 4 s ago",
            id="NOT_FOUND without a hash",
        ),
        pytest.param(
            {"getHealth": without("getHealth", "latestLedgerCloseTime"), "getTransaction": error(-32601, "no")},
            UNKNOWN,
            "does not say when its last ledger closed",
            id="its word alone is not enough",
        ),
        pytest.param({"getHealth": result("getHealth", latestLedger="51234567")}, OK, "51,234,567", id="digits"),
        # -- unhealthy is 200 with an error object
        pytest.param(
            {"getHealth": error(-32603, "latency (1m10s) since last known ledger closed is too high (>30s)")},
            DEGRADED,
            "has its last ledger from 70 s ago",
            id="latency 70 s",
        ),
        pytest.param(
            {"getHealth": error(-32603, "latency (2h3m10.5s) since last known ledger closed is too high (>30s)")},
            DOWN,
            "has its last ledger from 2 h ago",
            id="latency 2 h",
        ),
        pytest.param(
            {"getHealth": error(-32603, "latency () since last known ledger closed is too high")},
            DEGRADED,
            "31 s ago",
            id="no latency in it",
        ),
        pytest.param(
            {"getHealth": error(-32603, "data stores are not initialized")},
            DOWN,
            "not finished starting",
            id="starting",
        ),
        pytest.param(
            {"getHealth": error(-32603, "rpc queue for getHealth surpassed queue limit of 1000 requests")},
            DOWN,
            "more requests than it can answer",
            id="queue full",
        ),
        pytest.param({"getHealth": error(-32603, MARK)}, DOWN, "answers with an error (-32603)", id="some error"),
        pytest.param(
            {"getHealth": error(MARK, [MARK], data={})}, DOWN, "answers with an error", id="error data object"
        ),
        pytest.param({"getHealth": error(-32601, MARK)}, UNKNOWN, "does not know the question", id="no such method"),
        pytest.param(
            {"getHealth": says({"jsonrpc": "2.0", "id": None, "error": MARK})},
            DOWN,
            "an error",
            id="id null, error text",
        ),
        pytest.param(
            {"getHealth": says({"jsonrpc": "2.0", "id": 1, "result": None})}, UNKNOWN, "not Stellar", id="null"
        ),
        pytest.param({"getHealth": says({"jsonrpc": "2.0", "id": 1, "result": []})}, UNKNOWN, "not Stellar", id="list"),
        pytest.param({"getHealth": says({"result": {"status": "healthy"}})}, UNKNOWN, "not Stellar", id="no jsonrpc"),
        pytest.param(
            {"getHealth": says({**fixture("getHealth"), "id": 8675309})}, UNKNOWN, "was not asked", id="a foreign id"
        ),
        pytest.param(
            {"getHealth": says({**fixture("getHealth"), "id": True})}, UNKNOWN, "was not asked", id="true is not 1"
        ),
        pytest.param({"getHealth": result("getHealth", status="ill")}, DOWN, "not call itself healthy", id="ill"),
        pytest.param({"getHealth": says(fixture("getHealth"), 500)}, DOWN, "errors (500)", id="500 with a good body"),
        pytest.param({"getHealth": says(b"", 503)}, DOWN, "errors (503)", id="overload: 503 and nothing"),
        # -- the network
        pytest.param(
            {"getNetwork": result("getNetwork", passphrase="Test SDF Network ; September 2015")},
            DOWN,
            "serves the test network",
            id="testnet",
        ),
        pytest.param({"getNetwork": error(-32603, "x")}, UNKNOWN, "which network", id="getNetwork fails"),
        pytest.param(
            {"getHealth": result("getHealth", latestLedgerCloseTime="1772461986")}, UNKNOWN, "future", id="future"
        ),
        pytest.param(
            {"getHealth": result("getHealth", latestLedgerCloseTime="1772461000")}, DOWN, "15 min ago", id="old ledger"
        ),
    ],
)
async def test_what_rpc_says(answers: dict[str, Say], state: ReadingState, words: str, world: World) -> None:
    world.rpc.answers.update(answers)
    reading = await world.read("rpc")
    assert [e.source for e in reading.evidence] == ["rpc"]
    assert (reading.state, words in reading.evidence[0].sentence) == (state, True), reading
    assert MARK not in repr(reading)


async def test_a_dead_horizon_beside_a_living_network(world: World) -> None:
    world.horizon.answers["/"] = says(HTML, 503, "text/html")
    reading = await world.read()
    assert reading.state is DOWN
    assert reading.sentence == (
        "Horizon horizon-a answers with errors (503); rpc is healthy, so the network is alive: "
        "switch reading to another Horizon."
    )


async def test_a_halt_seen_by_two_operators(world: World) -> None:
    reading = await world.read(at=NOW + timedelta(minutes=10))
    assert reading.state is DOWN
    assert reading.sentence.startswith("The network has halted: no ledger closed for 10 min on 2 independent operators")


async def test_a_fast_clock_of_ours_is_no_halt(world: World) -> None:
    dated = {"Date": "Mon, 02 Mar 2026 14:31:30 GMT", "Age": "30"}  # a cache kept the answer for half a minute
    world.horizon.answers["/"] = says(fixture("root"), headers=dated)
    world.rpc.answers["getHealth"] = says(fixture("getHealth"), headers=dated)
    reading = await world.read(at=NOW + timedelta(minutes=10))
    assert reading.state is UNKNOWN
    assert reading.sentence.startswith("The clock of this host may be wrong: horizon-a")


@pytest.mark.parametrize("where", ["/", "getHealth", "getNetwork"])
@pytest.mark.parametrize("how", ["hang", "hang_in_the_body"])
async def test_a_hung_source_is_unknown_and_holds_nobody_up(where: str, how: str, world: World) -> None:
    server = world.horizon if where == "/" else world.rpc
    server.answers[where] = getattr(server, how)
    began = asyncio.get_running_loop().time()
    reading = await world.read(deadline=0.5)
    assert asyncio.get_running_loop().time() - began < 5
    judged = {e.source: e.state for e in reading.evidence}
    assert judged == ({"horizon-a": UNKNOWN, "rpc": OK} if where == "/" else {"horizon-a": OK, "rpc": UNKNOWN})
    if where != "getNetwork":
        assert "did not answer within 0.5 s" in reading.sentence


async def test_a_hung_health_report_leaves_the_root_standing(world: World) -> None:
    world.horizon.answers["/health"] = world.horizon.hang
    reading = await world.read(deadline=0.5)
    assert reading.state is DEGRADED
    assert "horizon-a did not answer within 0.5 s when asked for its health" in reading.sentence


async def test_the_deadline_holds_for_the_whole_reading(world: World) -> None:
    """RPC's third question comes after the first two: the round's deadline ends it, not the patience of the client."""
    world.rpc.answers["getHealth"] = without("getHealth", "latestLedgerCloseTime")
    world.rpc.answers["getTransaction"] = world.rpc.hang
    settings = world.probe(deadline=0.5).settings
    patient = ReadingClient(world.session, horizon=settings.horizon, rpc=settings.rpc, deadline=60)
    async with asyncio.timeout(20):
        reading = await HorizonProbe(settings, patient).read("", NOW)
    assert {e.source: e.state for e in reading.evidence} == {"horizon-a": OK, "rpc": UNKNOWN}


@pytest.mark.parametrize(
    ("sends", "words"),
    [
        (b"", "breaks the connection before its answer is complete"),  # reset
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", "breaks the connection"),  # cut off in the body
        (b"220 mail.example ESMTP\r\n", "does not speak proper HTTP"),  # another service
    ],
)
async def test_a_connection_that_breaks(sends: bytes, words: str, session: aiohttp.ClientSession) -> None:
    async with raw_server(sends) as url:
        settings = ProbeSettings((Endpoint("h", url, "ours"),), (Endpoint("r", url, "sdf"),), deadline=10)
        reading = await build(settings, session)["horizon"].read("", NOW)
    assert reading.state is UNKNOWN
    assert all(words in e.sentence for e in reading.evidence), reading


async def test_nobody_listens_anywhere(session: aiohttp.ClientSession) -> None:
    async with raw_server(b"") as url:
        pass
    settings = ProbeSettings((Endpoint("h", url, "ours"),), (Endpoint("r", url, "sdf"),), deadline=10)
    reading = await build(settings, session)["horizon"].read("", NOW)
    assert [e.state for e in reading.evidence] == [DOWN, DOWN]
    assert reading.state is UNKNOWN
    assert reading.sentence == (
        "None of 2 sources can be read: h refuses the connection, r refuses the connection. "
        "Check this host's own network first."
    )


async def test_a_closed_session_is_still_a_reading(world: World) -> None:
    await world.session.close()
    reading = await world.read()
    assert reading.state is UNKNOWN
    assert "could not be read" in reading.sentence


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("horizon-z", 'Nothing was read: there is no source called "horizon-z". Sources: horizon-a, rpc.'),
        # what could be anything is not repeated
        ("<!channel> @here", "Nothing was read: there is no source of that name. Sources: horizon-a, rpc."),
    ],
)
async def test_an_unknown_target(target: str, sentence: str, world: World) -> None:
    reading = await world.read(target)
    assert (reading.state, reading.sentence, reading.evidence) == (UNKNOWN, sentence, ())
    assert world.horizon.seen == world.rpc.seen == []


async def test_a_target_is_asked_alone(world: World) -> None:
    reading = await world.read(" Horizon-A ")
    assert [e.source for e in reading.evidence] == ["horizon-a"]
    assert world.rpc.seen == []


async def test_nothing_configured(session: aiohttp.ClientSession) -> None:
    reading = await build(ProbeSettings(), session)["horizon"].read("", NOW)
    assert reading.state is UNKNOWN


async def test_every_probe_of_the_table_is_built_under_its_name(session: aiohttp.ClientSession) -> None:
    probes = build(ProbeSettings(), session)
    assert list(probes) == list(PROBES)
    assert all(probe.name == name for name, probe in probes.items())
    assert all(entry.describe and "\n" not in entry.describe for entry in PROBES.values())


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Endpoint("Horizon A", "https://h.example"),  # a name with a space
        lambda: Endpoint("", "https://h.example"),
        lambda: Endpoint("a", f"ftp://h.example/{SECRET}"),
        lambda: Endpoint("a", f"https:///{SECRET}"),  # no host
        lambda: Endpoint("a", f"https://h.example:port/{SECRET}"),
        lambda: ProbeSettings((Endpoint("a", "http://x"),), (Endpoint("a", "http://y"),)),  # one name twice
        lambda: ProbeSettings(deadline=0),
    ],
)
def test_settings_that_cannot_be_meant(bad: Any) -> None:
    with pytest.raises(ValueError) as caught:
        bad()
    assert SECRET not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
garbled = st.one_of(
    st.text(),
    json_values.map(json.dumps),
    # the right keys with anything in them
    st.fixed_dictionaries({}, optional=dict.fromkeys(fixture("root"), json_values)).map(json.dumps),
    st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "id": st.just(1), "result": json_values}).map(json.dumps),
    st.fixed_dictionaries(
        {
            "jsonrpc": st.just("2.0"),
            "id": st.just(1),
            "result": st.fixed_dictionaries({}, optional=dict.fromkeys(fixture("getHealth")["result"], json_values)),
        }
    ).map(json.dumps),
    st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "error": json_values}).map(json.dumps),
)


@settings(deadline=None)  # a slow machine is no failure
@given(
    garbled, st.sampled_from([200, 404, 429, 500, 503]), st.dictionaries(st.sampled_from(["Date", "Age"]), st.text())
)
def test_no_body_breaks_the_reading(text: str, status: int, headers: dict[str, str]) -> None:
    answer = s.HttpAnswer(status, text, headers)
    horizon = s.SourceSample("h", "ours", s.SourceKind.HORIZON)
    rpc = s.SourceSample("r", "sdf", s.SourceKind.RPC)
    for sample in (
        s.with_root(horizon, answer),
        s.with_health(s.with_root(horizon, answer), answer),
        s.with_rpc_network(s.with_rpc_tip(s.with_rpc_health(rpc, answer, 1), answer, 1), answer, 1),
    ):
        assert judge([sample], NOW, PUBLIC).state is not OK


# -- recorded payloads, where there are any ------------------------------------------------------------------


def recorded() -> list[dict[str, Any]]:
    folder = os.environ.get("EXTRA_FIXTURES", "")
    index = Path(folder, "INDEX.json")
    if not folder or not index.is_file():
        return []
    rows = json.loads(index.read_text())
    return [row for row in rows if row["file"].split("/")[0] in ("horizon", "rpc", "proxy")]


def healthy_at(where: str, row: dict[str, Any], body: Any) -> bool:
    """Does this recorded body, put there, leave nothing to complain of?"""
    if where == "/":
        return False  # recorded roots are years old by now
    if where == "/health":
        hidden = row["status"] in (401, 403, 404, 405)
        return hidden or (row["status"] == 200 and body == fixture("health"))
    good = row["status"] == 200 and isinstance(body, dict) and isinstance(body.get("result"), dict)
    if where == "getHealth":
        return good and body["result"].get("status") == "healthy"
    return good and body["result"].get("passphrase") == PUBLIC


@pytest.mark.parametrize("row", [pytest.param(row, id=row["file"]) for row in recorded()])
async def test_recorded_payloads(row: dict[str, Any], session: aiohttp.ClientSession) -> None:
    """Whatever was recorded, put into any place, gives a reading, and never ok unless it is a healthy body there."""
    raw = Path(os.environ["EXTRA_FIXTURES"], row["file"]).read_bytes()
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    kind = "text/html" if row["file"].endswith(".html") else "application/json"
    headers = {k: v for k, v in row["headers"].items() if k.lower() != "content-type"}
    async with AsyncExitStack() as stack:
        for place, (where, request_id) in enumerate((("/", 0), ("/health", 0), ("getHealth", 1), ("getNetwork", 2))):
            sent = raw
            if request_id and isinstance(body, dict) and "jsonrpc" in body:
                sent = json.dumps({**body, "id": request_id}).encode()  # as if it were the answer to our question
            horizon, rpc = [await stack.enter_async_context(serving()) for _ in range(2)]
            (rpc if request_id else horizon).answers[where] = says(sent, row["status"], kind, headers)
            reading = await World(horizon, rpc, session).read()
            judged = {e.source: e.state for e in reading.evidence}
            told = judged["rpc" if request_id else "horizon-a"]
            assert reading.sentence.endswith("."), (place, where)
            if not healthy_at(where, row, body):
                assert told is not OK, (where, reading)
                assert reading.state is not OK, (where, reading)


@pytest.mark.parametrize("row", [pytest.param(r, id=r["file"]) for r in recorded() if r["endpoint"] == "root"])
async def test_a_recorded_root_was_healthy_in_its_time(row: dict[str, Any], world: World) -> None:
    body = json.loads(Path(os.environ["EXTRA_FIXTURES"], row["file"]).read_bytes())
    world.horizon.answers["/"] = says(body)
    closed = datetime.fromisoformat(body["history_latest_ledger_closed_at"])
    reading = await world.read("horizon-a", at=closed + timedelta(seconds=4))
    assert reading.state is OK, reading
