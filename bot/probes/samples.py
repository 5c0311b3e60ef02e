"""What one source said, taken out of its answers: bodies in, `SourceSample` out. Pure, and suspicious of every
field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from bot.domain.probe_reading import ReadingState

#: Horizon's problem types that explain themselves (services/horizon/internal/render/problem).
PROBLEMS: Final[Mapping[str, str]] = {
    "stale_history": "its history is too old",
    "still_ingesting": "it is still ingesting",
    "server_over_capacity": "it is over capacity",
    "timeout": "it ran out of time",
    "rate_limit_exceeded": "its rate limit is reached",
}


class SourceKind(StrEnum):
    """The two ways to read the network. The value is the word shown to people."""

    HORIZON = "Horizon"
    RPC = "RPC"


@dataclass(frozen=True)
class Trouble:
    """Something wrong at a source. `words` complete "horizon-a …"; nothing the server wrote is among them."""

    state: ReadingState
    words: str
    #: nothing at all came back, so that our own network may be the reason
    silent: bool = False


@dataclass(frozen=True)
class HttpAnswer:
    """One HTTP answer: all of the status, the text and the headers that judging needs."""

    status: int
    text: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class SourceSample:
    """What one source says about its newest ledger. None is "did not say"; `took` is seconds since the reading began.

    `ledger` 0 means that the source has no ledger yet. `server_time` is the server's own clock at that moment.
    """

    source: str
    operator: str
    kind: SourceKind
    took: float = 0.0
    ledger: int | None = None
    closed_at: datetime | None = None
    #: how old its newest ledger is by its own word, where it does not say when that closed
    own_age: timedelta | None = None
    core_ledger: int | None = None
    ingested: int | None = None
    passphrase: str | None = None
    protocol: int | None = None
    supported: int | None = None
    server_time: datetime | None = None
    troubles: tuple[Trouble, ...] = ()

    def with_troubles(self, *troubles: Trouble) -> SourceSample:
        """The same sample with more troubles."""
        return replace(self, troubles=(*self.troubles, *troubles))


def with_root(sample: SourceSample, answer: HttpAnswer) -> SourceSample:
    """Horizon's `GET /`: versions, ledgers, network. It is answered with 200 as long as the process lives.

    https://developers.stellar.org/docs/data/apis/horizon/api-reference
    """
    sample = replace(sample, server_time=server_time(answer.headers))
    if (wrong := status_trouble(answer)) is not None:
        return sample.with_troubles(wrong)
    root = mapping(answer.text)
    ledger = whole(root.get("history_latest_ledger")) if root is not None else None
    if root is None or ledger is None:
        return sample.with_troubles(Trouble(ReadingState.UNKNOWN, "answers with something that is not Horizon's"))
    core_supported = whole(root.get("core_supported_protocol_version"))
    supported = [n for n in (whole(root.get("supported_protocol_version")), core_supported) if n]
    passphrase = root.get("network_passphrase")
    return replace(
        sample,
        ledger=ledger,
        closed_at=moment(root.get("history_latest_ledger_closed_at")),
        core_ledger=whole(root.get("core_latest_ledger")) or None,  # 0: Horizon has not heard from its core
        ingested=whole(root.get("ingest_latest_ledger")) or None,  # absent in old versions
        passphrase=passphrase if isinstance(passphrase, str) else None,
        protocol=whole(root.get("current_protocol_version")),
        supported=min(supported, default=None),
    )


def with_health(sample: SourceSample, answer: HttpAnswer) -> SourceSample:
    """Horizon's `GET /health`: 200 or 503 with three booleans; it does not look at the ledger's age.

    Providers hide it, which says nothing: 404 (and 401, 403, 405) leaves the root's word alone.
    """
    if answer.status in (401, 403, 404, 405):
        return sample
    health = mapping(answer.text) if answer.status in (200, 503) else None
    words = {
        "database_connected": Trouble(ReadingState.DOWN, "has lost its database"),
        "core_up": Trouble(ReadingState.DOWN, "has lost its core"),
        "core_synced": Trouble(ReadingState.DEGRADED, "has a core that is not in sync with the network"),
    }
    if health is None or not all(isinstance(health.get(key), bool) for key in words):
        wrong = status_trouble(answer) or Trouble(ReadingState.DEGRADED, "gives an unreadable health report")
        said = f"{wrong.words} when asked for its health" if answer.status != 200 else wrong.words
        return sample.with_troubles(Trouble(ReadingState.DEGRADED, said))
    bad = [trouble for key, trouble in words.items() if health[key] is False]
    if bad:
        return sample.with_troubles(bad[0])  # in this order each explains the ones after it
    if answer.status != 200:
        return sample.with_troubles(Trouble(ReadingState.DEGRADED, "calls itself unhealthy without a reason"))
    return sample


def with_rpc_health(sample: SourceSample, answer: HttpAnswer, request_id: int) -> SourceSample:
    """RPC's `getHealth`. Close times came with v27.1 and the SDK's model drops them: read from the raw body.

    https://developers.stellar.org/docs/data/apis/rpc/api-reference/methods/getHealth
    """
    sample = replace(sample, server_time=server_time(answer.headers))
    if (age := _own_age(answer)) is not None:
        return replace(sample, own_age=age)
    result = rpc_result(answer, request_id)
    if isinstance(result, Trouble):
        return sample.with_troubles(result)
    if result.get("status") != "healthy":
        return sample.with_troubles(Trouble(ReadingState.DOWN, "does not call itself healthy"))
    return replace(
        sample,
        ledger=whole(result.get("latestLedger")),
        closed_at=unix_moment(result.get("latestLedgerCloseTime")),
    )


def with_rpc_tip(sample: SourceSample, answer: HttpAnswer, request_id: int) -> SourceSample:
    """The tip that RPC's `getTransaction` gives with any answer, in every version: the cheap way to its age."""
    result = rpc_result(answer, request_id)
    if isinstance(result, Trouble):
        return sample
    return replace(
        sample,
        ledger=whole(result.get("latestLedger")) or sample.ledger,
        closed_at=unix_moment(result.get("latestLedgerCloseTime")),
    )


def with_rpc_network(sample: SourceSample, answer: HttpAnswer, request_id: int) -> SourceSample:
    """RPC's `getNetwork`: the passphrase."""
    result = rpc_result(answer, request_id)
    if isinstance(result, Trouble):
        return sample
    passphrase = result.get("passphrase")
    return replace(sample, passphrase=passphrase if isinstance(passphrase, str) else None)


def rpc_result(answer: HttpAnswer, request_id: int) -> Mapping[str, object] | Trouble:
    """The `result` of a JSON-RPC answer that is the answer to our request, or what is wrong with it."""
    if (wrong := status_trouble(answer)) is not None:
        return wrong
    body = mapping(answer.text)
    if body is None or body.get("jsonrpc") != "2.0":
        return Trouble(ReadingState.UNKNOWN, "answers with something that is not Stellar RPC's")
    error = body.get("error")
    if error is not None:
        return _rpc_error(error)
    if body.get("id") != request_id or isinstance(body.get("id"), bool):
        return Trouble(ReadingState.UNKNOWN, "answers a question that was not asked")
    result = body.get("result")
    if not isinstance(result, dict):
        return Trouble(ReadingState.UNKNOWN, "answers with something that is not Stellar RPC's")
    return result


#: getHealth's own complaint: "latency (1m10s) since last known ledger closed is too high (>30s)"
_LATENCY: Final = re.compile(r"latency \((?:(\d{1,4})h)?(?:(\d{1,2})m)?(?:(\d{1,2})(?:\.\d+)?s)?\) since last known")


def _own_age(answer: HttpAnswer) -> timedelta | None:
    """The age in getHealth's complaint, None when it does not complain of one."""
    error = (mapping(answer.text) or {}).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    latency = _LATENCY.match(message) if isinstance(message, str) else None
    if answer.status != 200 or latency is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in latency.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _rpc_error(error: object) -> Trouble:
    code = error.get("code") if isinstance(error, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    message = message if isinstance(message, str) else ""
    if message == "data stores are not initialized":
        return Trouble(ReadingState.DOWN, "has not finished starting")
    if "queue limit" in message:
        return Trouble(ReadingState.DOWN, "has more requests than it can answer")
    if code in (-32601, -32600):
        return Trouble(ReadingState.UNKNOWN, "does not know the question: check that its URL is a Stellar RPC's")
    number = f" ({code})" if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 10**6 else ""
    return Trouble(ReadingState.DOWN, f"answers with an error{number}")


def status_trouble(answer: HttpAnswer) -> Trouble | None:
    """What an HTTP status says about a source; None for 200."""
    status = answer.status
    if status == 200:
        return None
    if status == 429:
        seconds = _wait(answer.headers)
        pause = f" for another {seconds} s" if seconds else ""
        return Trouble(ReadingState.UNKNOWN, f"limits how often we may ask (429){pause}")
    if status >= 500:
        body = mapping(answer.text) or {}
        why = PROBLEMS.get(str(body.get("type", "")).rpartition("/")[2])
        return Trouble(ReadingState.DOWN, f"answers with errors ({status}{': ' + why if why else ''})")
    if status in (401, 403):
        return Trouble(ReadingState.UNKNOWN, f"does not let us in ({status}): check its URL and key")
    if status == 404:
        return Trouble(ReadingState.UNKNOWN, "has nothing at the configured address (404): check its URL")
    return Trouble(ReadingState.UNKNOWN, f"answers with an unexpected status ({status})")


def mapping(text: str) -> dict[str, object] | None:
    """The JSON object in `text`, or None for everything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):  # RecursionError: a body of a hundred thousand brackets
        return None
    return value if isinstance(value, dict) else None


def whole(value: object) -> int | None:
    """A ledger or protocol number (unsigned 32 bits), as a JSON number or as digits; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < 2**32 else None


def moment(value: object) -> datetime | None:
    """An RFC 3339 time, aware, UTC. Go's zero time (year 1) is None: it means that there is no ledger."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        at = datetime.fromisoformat(value)
        at = at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year > 1970 else None


def unix_moment(value: object) -> datetime | None:
    """Seconds since 1970 (a string in RPC), aware, UTC; 0 is None."""
    seconds = whole(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The server's clock when it answered: `Date`, plus `Age` where a cache kept the answer (RFC 9111 §5.1)."""
    try:
        at = parsedate_to_datetime(_header(headers, "date"))
        at = at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return at + timedelta(seconds=whole(_header(headers, "age")) or 0)
    except (ValueError, TypeError, OverflowError):
        return None


def _wait(headers: Mapping[str, str]) -> int | None:
    seconds = whole(_header(headers, "retry-after")) or whole(_header(headers, "x-ratelimit-reset"))
    return seconds if seconds and seconds <= 86_400 else None


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
