"""The probe `horizon`: is Horizon fresh, is it on the right network, and if not, is it the node or the network?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from stellar_sdk.client.response import Response
from yarl import URL

from bot.domain.probe_reading import Reading, ReadingState

from .client import ConnectionRefused, NoSuchHost, ReadFailed, ReadingClient, TooSlow, Unreachable
from .samples import (
    HttpAnswer,
    SourceKind,
    SourceSample,
    Trouble,
    with_health,
    with_root,
    with_rpc_health,
    with_rpc_network,
    with_rpc_tip,
)
from .settings import NAME, Endpoint, ProbeSettings
from .verdict import judge

log = structlog.get_logger(__name__)

#: No transaction has this hash; the answer still tells the tip, which is all that is wanted.
NO_TRANSACTION: Final = "0" * 64

#: Failures after which our own network is as likely the reason as the server.
NO_ANSWER_ERRORS: Final = (TooSlow, Unreachable, NoSuchHost, ConnectionRefused)


@dataclass(frozen=True)
class HorizonProbe:
    """Reads every configured Horizon and RPC at the same time; see `judge` for what follows from the answers."""

    settings: ProbeSettings
    client: ReadingClient
    name: str = "horizon"

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the configured endpoints."""
        return tuple(one.name for one in self.settings.endpoints)

    async def read(self, target: str, at: datetime) -> Reading:
        """A reading within the deadline, whatever the servers do.

        `target`: "" for every source, or the name of one endpoint. `at`: the present, aware, UTC.
        """
        wanted = target.strip().lower()
        chosen = [e for e in self.settings.endpoints if wanted in ("", e.name)]
        if wanted and not chosen:
            return Reading(self.name, ReadingState.UNKNOWN, self._no_such(wanted), at)
        loop = asyncio.get_running_loop()
        once = _ReadingRound(self.client, began=loop.time(), deadline=self.settings.deadline)
        samples = await asyncio.gather(
            *(once.horizon(e) if e in self.settings.horizon else once.rpc(e) for e in chosen)
        )
        return judge(samples, at, self.settings.network)

    def _no_such(self, wanted: str) -> str:
        known = ", ".join(endpoint.name for endpoint in self.settings.endpoints) or "none is configured"
        called = f' called "{wanted}"' if NAME.fullmatch(wanted) else " of that name"
        return f"Nothing was read: there is no source{called}. Sources: {known}."


@dataclass(frozen=True)
class _ReadingRound:
    """One round of questions. `began` is on the loop's clock, `deadline` in seconds from there."""

    client: ReadingClient
    began: float
    deadline: float

    async def horizon(self, endpoint: Endpoint) -> SourceSample:
        url = URL(endpoint.url)
        sample = SourceSample(endpoint.name, endpoint.operator, SourceKind.HORIZON)
        (root, took), (health, _) = await asyncio.gather(
            self.ask(endpoint, self.client.get(str(url))),
            # a provider's key may be in the query: it stays
            self.ask(endpoint, self.client.get(str((url / "health").with_query(url.query)))),
        )
        sample = replace(sample, took=took)
        if isinstance(root, ReadFailed):
            return sample.with_troubles(self.trouble(root))
        sample = with_root(sample, root)
        if sample.ledger is None:
            return sample
        if isinstance(health, ReadFailed):
            words = f"{self.trouble(health).words} when asked for its health"
            return sample.with_troubles(Trouble(ReadingState.DEGRADED, words))
        return with_health(sample, health)

    async def rpc(self, endpoint: Endpoint) -> SourceSample:
        sample = SourceSample(endpoint.name, endpoint.operator, SourceKind.RPC)
        (health, took), (network, _) = await asyncio.gather(
            self.call(endpoint, 1, "getHealth"), self.call(endpoint, 2, "getNetwork")
        )
        sample = replace(sample, took=took)
        if isinstance(health, ReadFailed):
            return sample.with_troubles(self.trouble(health))
        sample = with_rpc_health(sample, health, 1)
        if not isinstance(network, ReadFailed):
            sample = with_rpc_network(sample, network, 2)
        if sample.troubles or sample.own_age is not None or sample.closed_at is not None:
            return sample
        tip, took = await self.call(endpoint, 3, "getTransaction", {"hash": NO_TRANSACTION})
        if isinstance(tip, ReadFailed):
            return sample
        return with_rpc_tip(replace(sample, took=took), tip, 3)

    async def call(
        self, endpoint: Endpoint, request_id: int, method: str, params: dict[str, str] | None = None
    ) -> tuple[HttpAnswer | ReadFailed, float]:
        request = {"jsonrpc": "2.0", "id": request_id, "method": method}
        question = request if params is None else {**request, "params": params}
        return await self.ask(endpoint, self.client.post(endpoint.url, json_data=question))

    async def ask(self, endpoint: Endpoint, question: Awaitable[Response]) -> tuple[HttpAnswer | ReadFailed, float]:
        """The answer, or why there is none, and the seconds since the round began. Never raises."""
        loop = asyncio.get_running_loop()
        outcome: HttpAnswer | ReadFailed
        try:
            async with asyncio.timeout_at(self.began + self.deadline):
                response = await question
            outcome = HttpAnswer(response.status_code, response.text, response.headers)
        except TimeoutError:
            outcome = TooSlow()
        except ReadFailed as failed:
            outcome = failed
        except Exception as surprise:  # a probe is asked in the middle of an incident: it may not add one
            log.warning("probe_surprised", source=endpoint.name, error=type(surprise).__name__)
            outcome = ReadFailed()
        return outcome, loop.time() - self.began

    def trouble(self, failed: ReadFailed) -> Trouble:
        state = ReadingState.DOWN if isinstance(failed, ConnectionRefused) else ReadingState.UNKNOWN
        words = f"did not answer within {self.deadline:g} s" if isinstance(failed, TooSlow) else str(failed)
        return Trouble(state, words, silent=isinstance(failed, NO_ANSWER_ERRORS))
