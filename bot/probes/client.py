"""The only way from the probes to a server: it reads, it cannot write, and it does not trust the answer.

stellar-sdk takes any `BaseAsyncClient`, and this one stands in for its own. That one follows redirects and reads bodies
of any size. With the `aiohttp` extra installed it also replaces a method of aiohttp for the whole process, so never
install that extra here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterable
from typing import Any, Final

import aiohttp
from stellar_sdk.client.base_async_client import BaseAsyncClient
from stellar_sdk.client.response import Response
from yarl import URL

from bot.probes.public_addresses import PrivateAddress

from .settings import Endpoint

#: JSON-RPC methods that only read (https://developers.stellar.org/docs/data/apis/rpc/api-reference/methods).
#: `simulateTransaction` changes nothing either, but nobody simulates what they do not mean to send.
READ_METHODS: Final = frozenset(
    {
        "getEvents",
        "getFeeStats",
        "getHealth",
        "getLatestLedger",
        "getLedgerEntries",
        "getLedgers",
        "getNetwork",
        "getTransaction",
        "getTransactions",
        "getVersionInfo",
    }
)

#: Room for a page of 200 payments with their transactions; a root is 4 KB.
MAX_BODY_BYTES: Final = 4 * 1024 * 1024

HEADERS: Final = {"Accept": "application/json", "User-Agent": "incident-commander (reads only)"}


class ReadFailed(Exception):
    """could not be read"""

    # The docstring is the message and completes "horizon-a …"; nothing that a server sent, and no URL, may enter it.
    def __init__(self) -> None:
        super().__init__(type(self).__doc__)


class NotAllowed(ReadFailed):
    """may not be asked this: the probes only read, and only from configured endpoints"""


class TooSlow(ReadFailed):
    """did not answer in time"""


class TooLarge(ReadFailed):
    """sends far more than an answer should hold"""


class Redirected(ReadFailed):
    """redirects to another address, which is not followed: correct the configured URL"""


class NotText(ReadFailed):
    """sends bytes that are not the text they claim to be"""


class CutOff(ReadFailed):
    """breaks the connection before its answer is complete"""


class ConnectionRefused(ReadFailed):
    """refuses the connection"""


class Unreachable(ReadFailed):
    """cannot be reached"""


class NoSuchHost(ReadFailed):
    """has a host name that cannot be resolved"""


class Private(ReadFailed):
    """leads to a private address, which its name may do only where PROBE_PRIVATE_HOSTS names it"""


class NotTrusted(ReadFailed):
    """does not prove who it is: its TLS certificate or handshake fails"""


class NotHttp(ReadFailed):
    """does not speak proper HTTP"""


class ReadingClient(BaseAsyncClient):
    """Reads from the given endpoints and does nothing else.

    GET passes below a Horizon endpoint's URL, POST passes to exactly an RPC endpoint's URL when it is one JSON-RPC
    request of `READ_METHODS`. Form posts, streams, other hosts, other schemes and redirects do not pass.
    Raises subclasses of `ReadFailed` only; any HTTP status from 200 on, except redirects, is a `Response`.

    `session` belongs to the caller, who closes it; use one of its own, with no headers or cookies of anybody else.
    `deadline` is in seconds, for one request with its whole body.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        horizon: Iterable[Endpoint] = (),
        rpc: Iterable[Endpoint] = (),
        deadline: float = 5.0,
        byte_cap: int = MAX_BODY_BYTES,
    ) -> None:
        self._session = session
        self._readable = tuple(URL(endpoint.url) for endpoint in horizon)
        self._callable = tuple(URL(endpoint.url) for endpoint in rpc)
        self._deadline = deadline
        self._byte_cap = byte_cap

    async def get(
        self, url: str, params: dict[str, str] | None = None, max_content_size: int | None = None
    ) -> Response:
        """GET `url`; `max_content_size` (bytes) can only lower the cap."""
        where = _parsed(url)
        if not any(_below(where, base) for base in self._readable):
            raise NotAllowed
        cap = self._byte_cap if max_content_size is None else min(max_content_size, self._byte_cap)
        return await self._answer("GET", where, cap, params=params)

    async def post(
        self, url: str, data: dict[str, str] | None = None, json_data: dict[str, Any] | None = None
    ) -> Response:
        """POST one reading JSON-RPC request. A form (`data`) is how transactions are submitted: never."""
        where = _parsed(url)
        if data is not None or where not in self._callable:
            raise NotAllowed
        method = json_data.get("method") if isinstance(json_data, dict) else None
        if not isinstance(method, str) or method not in READ_METHODS:
            raise NotAllowed
        return await self._answer("POST", where, self._byte_cap, json=json_data)

    def stream(self, url: str, params: dict[str, str] | None = None) -> AsyncGenerator[dict[str, Any], None]:
        """Never: a reading ends."""
        raise NotAllowed

    async def close(self) -> None:
        """Nothing to close: the session is the caller's."""

    async def _answer(self, method: str, url: URL, cap: int, **what: Any) -> Response:
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._session.request(method, url, headers=HEADERS, allow_redirects=False, **what) as answer,
            ):
                if 300 <= answer.status < 400:
                    failed: type[ReadFailed] = Redirected
                elif (body := await _body(answer, cap)) is None:
                    failed = TooLarge
                else:
                    text = body.decode(answer.charset or "utf-8")
                    return Response(answer.status, text, dict(answer.headers), str(url))
        except Exception as exc:
            failed = _meaning(exc)
        # Raised outside the handler, so that not even __context__ carries an exception whose text has a URL in it.
        raise failed


async def _body(answer: aiohttp.ClientResponse, cap: int) -> bytes | None:
    """The whole body, or None as soon as it is larger than `cap` bytes."""
    chunks, size = [], 0
    async for chunk in answer.content.iter_chunked(65_536):
        size += len(chunk)
        if size > cap:
            answer.close()  # else the rest would still be read to keep the connection
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _meaning(exc: Exception) -> type[ReadFailed]:
    """What went wrong, in our own few words. The order matters: aiohttp's classes inherit from several others."""
    if isinstance(exc, aiohttp.ClientConnectorError) and isinstance(exc.os_error, ConnectionRefusedError):
        return ConnectionRefused
    if isinstance(exc, aiohttp.ClientConnectorDNSError) and isinstance(exc.os_error, PrivateAddress):
        return Private
    for kinds, meaning in (
        ((TimeoutError,), TooSlow),
        ((UnicodeError, LookupError), NotText),  # LookupError: a charset nobody has heard of
        ((aiohttp.ClientConnectorDNSError,), NoSuchHost),
        ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch, ssl.SSLError), NotTrusted),
        ((aiohttp.ClientConnectorError,), Unreachable),
        ((aiohttp.ClientResponseError, aiohttp.InvalidURL), NotHttp),
        ((aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, OSError), CutOff),
    ):
        if isinstance(exc, kinds):
            return meaning
    return ReadFailed


def _parsed(url: str) -> URL:
    try:
        return URL(url)
    except ValueError:
        pass
    raise NotAllowed


def _below(url: URL, base: URL) -> bool:
    """Is `url` the endpoint `base` or below it, with the same scheme, host, port, user and password?"""
    if (url.scheme, url.host, url.port, url.user, url.password) != (
        base.scheme,
        base.host,
        base.port,
        base.user,
        base.password,
    ):
        return False
    root = base.path.rstrip("/")
    if url.path.rstrip("/") != root and not url.path.startswith(root + "/"):
        return False
    parts = url.path.lower().split("/")
    # A test network's friendbot creates and funds an account on GET: the one read that writes.
    return ".." not in parts and "friendbot" not in parts
