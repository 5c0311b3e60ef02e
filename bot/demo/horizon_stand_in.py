"""Stand-ins for two Horizon servers and one RPC server, so that network checks have something to read.

Shapes: the Horizon and Stellar RPC API references. A ledger closes every five seconds of the workspace's clock.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from localslack.clock import WorkspaceClock
from localslack.switches import Switch

LEDGER_SECONDS = 5
PASSPHRASE = "Test SDF Network ; September 2015"  # noqa: S105  (a network's public name)
PROTOCOL_VERSION = 27
RETENTION_LEDGERS = 120_960

_FIRST_LEDGER_AT = 1_700_000_000
_LAG_SECONDS = 75
_SERVER = (("ok", "Answers"), ("lagging", "75 s behind"), ("failing", "Fails (503)"))
_NETWORK = (("ok", "Runs"), ("lagging", "Crowded"), ("failing", "Stands still"))


class HorizonStandIn:
    """Two switches: what Horizon A does, and what the network does (a halted network closes no ledger)."""

    def __init__(self, clock: WorkspaceClock) -> None:
        self.clock = clock
        self.horizon_a = Switch("horizon-a", "Horizon A", _SERVER)
        self.network = Switch("network", "Stellar network", _NETWORK, self._network_changed)
        self._halted_at: float | None = None
        self._lost = 0.0

    @property
    def switches(self) -> list[Switch]:
        return [self.horizon_a, self.network]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/chain/{server:horizon-[ab]}/", self.root),
            web.get("/chain/{server:horizon-[ab]}", self.root),
            web.get("/chain/{server:horizon-[ab]}/health", self.health),
            web.get("/chain/{server:horizon-[ab]}/fee_stats", self.fee_stats),
            web.get("/chain/{server:horizon-[ab]}/ledgers", self.ledgers),
            web.get("/chain/{server:horizon-[ab]}/{rest:.*}", self.not_found),
            web.post("/chain/rpc", self.rpc),
        ]

    # --- ledgers -----------------------------------------------------------------------------------------------

    def _network_changed(self, value: str) -> None:
        now = self.clock.now()
        if value == "failing":
            self._halted_at = self._halted_at or now
        elif self._halted_at is not None:
            self._lost += now - self._halted_at
            self._halted_at = None

    def tip(self) -> tuple[int, float]:
        """(number, close time) of the network's newest ledger."""
        until = self._halted_at if self._halted_at is not None else self.clock.now()
        number = math.floor((until - self._lost - _FIRST_LEDGER_AT) / LEDGER_SECONDS)
        return number, _FIRST_LEDGER_AT + self._lost + number * LEDGER_SECONDS

    def _seen(self, server: str) -> tuple[int, float]:
        """The newest ledger in one server's history: a server that lags is some ledgers behind."""
        number, closed = self.tip()
        behind = self.network.value == "lagging" or (server == "horizon-a" and self.horizon_a.value == "lagging")
        steps = _LAG_SECONDS // LEDGER_SECONDS if behind else 0
        return number - steps, closed - steps * LEDGER_SECONDS

    def _down(self, request: web.Request) -> web.Response | None:
        if request.match_info["server"] == "horizon-a" and self.horizon_a.value == "failing":
            return _problem("server_over_capacity", "Server Over Capacity", 503)
        return None

    # --- Horizon -----------------------------------------------------------------------------------------------

    async def root(self, request: web.Request) -> web.Response:
        if (down := self._down(request)) is not None:
            return down
        number, closed = self._seen(request.match_info["server"])
        core, _ = self.tip()
        return web.json_response(
            {
                "_links": {"self": {"href": str(request.url)}},
                "horizon_version": "28.0.0-sandbox",
                "core_version": "stellar-core 28.0.0 (sandbox)",
                "ingest_latest_ledger": number,
                "history_latest_ledger": number,
                "history_latest_ledger_closed_at": _stamp(closed),
                "history_elder_ledger": max(2, number - 6_000_000),
                "core_latest_ledger": core,
                "network_passphrase": PASSPHRASE,
                "current_protocol_version": PROTOCOL_VERSION,
                "supported_protocol_version": PROTOCOL_VERSION + 1,
                "core_supported_protocol_version": PROTOCOL_VERSION + 1,
            }
        )

    async def health(self, request: web.Request) -> web.Response:
        if (down := self._down(request)) is not None:
            return down
        synced = self._halted_at is None
        body = {"database_connected": True, "core_up": True, "core_synced": synced}
        return web.json_response(body, status=200 if synced else 503)

    async def fee_stats(self, request: web.Request) -> web.Response:
        if (down := self._down(request)) is not None:
            return down
        number, _ = self._seen(request.match_info["server"])
        busy = self.network.value == "lagging"
        fees = dict.fromkeys(("min", "mode", *(f"p{p}" for p in _PERCENTILES)), "5000" if busy else "100")
        return web.json_response(
            {
                "last_ledger": str(number),
                "last_ledger_base_fee": "100",
                "ledger_capacity_usage": "0.97" if busy else "0.16",
                "fee_charged": {"max": "20000" if busy else "200", **fees},
                "max_fee": {"max": "1000000", **fees},
            }
        )

    async def ledgers(self, request: web.Request) -> web.Response:
        if (down := self._down(request)) is not None:
            return down
        try:
            limit = int(request.query.get("limit", "10"))
        except ValueError:
            limit = 0
        if not 1 <= limit <= 200:
            return _problem("bad_request", "Bad Request", 400)
        newest, closed = self._seen(request.match_info["server"])
        numbers = range(newest, newest - limit, -1) if request.query.get("order") == "desc" else range(2, 2 + limit)
        records = [_ledger(number, closed - (newest - number) * LEDGER_SECONDS) for number in numbers]
        return web.json_response({"_links": {"self": {"href": str(request.url)}}, "_embedded": {"records": records}})

    async def not_found(self, request: web.Request) -> web.Response:
        return self._down(request) or _problem("not_found", "Resource Missing", 404)

    # --- RPC ---------------------------------------------------------------------------------------------------

    async def rpc(self, request: web.Request) -> web.Response:
        try:
            body: Any = await request.json()
        except ValueError:
            return web.json_response(_rpc_error(None, -32700, "parse error"))
        if not isinstance(body, dict):
            return web.json_response(_rpc_error(None, -32600, "invalid request"))
        call_id, method = body.get("id"), body.get("method")
        answers = {
            "getHealth": self._get_health,
            "getLatestLedger": self._get_latest_ledger,
            "getNetwork": self._get_network,
            "getVersionInfo": self._get_version_info,
            "getTransaction": self._get_transaction,
        }
        answer = answers.get(str(method))
        if answer is None:
            return web.json_response(_rpc_error(call_id, -32601, "method not found"))
        try:
            return web.json_response({"jsonrpc": "2.0", "id": call_id, "result": answer(body.get("params") or {})})
        except _Unhealthy as problem:
            return web.json_response(_rpc_error(call_id, -32603, str(problem)))

    def _window(self) -> dict[str, Any]:
        number, closed = self._seen("rpc")
        return {
            "latestLedger": number,
            "latestLedgerCloseTime": str(int(closed)),
            "oldestLedger": number - RETENTION_LEDGERS + 1,
            "oldestLedgerCloseTime": str(int(closed) - (RETENTION_LEDGERS - 1) * LEDGER_SECONDS),
        }

    def _get_health(self, _: Any) -> dict[str, Any]:
        window = self._window()
        age = int(self.clock.now()) - int(window["latestLedgerCloseTime"])
        if age > 30:
            raise _Unhealthy(f"latency ({age}s) since last known ledger closed is too high (>30s)")
        return {"status": "healthy", **window, "ledgerRetentionWindow": RETENTION_LEDGERS}

    def _get_latest_ledger(self, _: Any) -> dict[str, Any]:
        number, closed = self._seen("rpc")
        return {
            "id": f"{number:064x}",
            "protocolVersion": PROTOCOL_VERSION,
            "sequence": number,
            "closeTime": str(int(closed)),
        }

    def _get_network(self, _: Any) -> dict[str, Any]:
        return {"passphrase": PASSPHRASE, "protocolVersion": PROTOCOL_VERSION}

    def _get_version_info(self, _: Any) -> dict[str, Any]:
        return {
            "version": "28.0.0-sandbox",
            "commitHash": "0" * 40,
            "buildTimestamp": "2026-01-01T00:00:00",
            "captiveCoreVersion": "stellar-core 28.0.0 (sandbox)",
            "protocolVersion": PROTOCOL_VERSION,
        }

    def _get_transaction(self, params: Any) -> dict[str, Any]:
        wanted = str(params.get("hash") or "") if isinstance(params, dict) else ""
        if len(wanted) != 64 or not all(sign in "0123456789abcdef" for sign in wanted):
            raise _Unhealthy("unexpected hash length")
        return {"status": "NOT_FOUND", "txHash": wanted, **self._window()}


class _Unhealthy(Exception):
    """An RPC answer with an error object; the text is its message."""


_PERCENTILES = (10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99)


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ledger(number: int, closed: float) -> dict[str, Any]:
    return {
        "id": f"{number:064x}",
        "paging_token": str(number << 32),
        "hash": f"{number:064x}",
        "prev_hash": f"{number - 1:064x}",
        "sequence": number,
        "successful_transaction_count": 150,
        "failed_transaction_count": 20,
        "operation_count": 400,
        "closed_at": _stamp(closed),
        "base_fee_in_stroops": 100,
        "base_reserve_in_stroops": 5_000_000,
        "max_tx_set_size": 1000,
        "protocol_version": PROTOCOL_VERSION,
    }


def _problem(kind: str, title: str, status: int) -> web.Response:
    body = {"type": f"https://stellar.org/horizon-errors/{kind}", "title": title, "status": status, "detail": title}
    return web.json_response(body, status=status, content_type="application/problem+json")


def _rpc_error(call_id: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "error": {"code": code, "message": message}}
