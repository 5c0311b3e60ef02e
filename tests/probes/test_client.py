"""The client reads and does nothing else, whatever the SDK asks of it and whatever the server answers."""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import ssl
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from stellar_sdk import Account, Asset, Keypair, Network, ServerAsync, SorobanServerAsync, TransactionBuilder

from bot.probes import client as c
from bot.probes.client import NotAllowed, ReadFailed, ReadingClient
from bot.probes.settings import Endpoint

from .loopback import Loopback, raw_server, says, serving

SECRET = "sekret-provider-key"


def reading(session: aiohttp.ClientSession, url: str, **more: Any) -> ReadingClient:
    here = (Endpoint("a", url),)
    return ReadingClient(session, horizon=here, rpc=here, **more)


def signed() -> Any:
    key = Keypair.random()
    builder = TransactionBuilder(Account(key.public_key, 1), Network.PUBLIC_NETWORK_PASSPHRASE, base_fee=100)
    builder.append_payment_op(Keypair.random().public_key, Asset.native(), "1").set_timeout(30)
    envelope = builder.build()
    envelope.sign(key)
    return envelope


Verb = Callable[[ServerAsync, SorobanServerAsync], Awaitable[object]]


@pytest.mark.parametrize(
    "verb",
    [
        # Horizon's two ways of sending money
        pytest.param(lambda h, r: h.submit_transaction(signed(), True), id="submit_transaction"),
        pytest.param(lambda h, r: h.submit_transaction_async(signed(), True), id="submit_transaction_async"),
        # RPC's way
        pytest.param(lambda h, r: r.send_transaction(signed()), id="send_transaction"),
        # harmless, but the step before sending
        pytest.param(lambda h, r: r.simulate_transaction(signed()), id="simulate_transaction"),
        # a stream never ends, and a reading has to
        pytest.param(lambda h, r: anext(h.ledgers().stream()), id="stream"),
    ],
)
async def test_what_is_not_reading_never_leaves(verb: Verb, session: aiohttp.ClientSession, loopback: Loopback) -> None:
    client = reading(session, loopback.url)
    with pytest.raises(NotAllowed):
        await verb(ServerAsync(loopback.url, client), SorobanServerAsync(loopback.url, client))
    assert loopback.seen == []


async def test_the_sdk_reads_through_it_and_leaves_the_session_open(
    session: aiohttp.ClientSession, loopback: Loopback
) -> None:
    client = reading(session, loopback.url)
    async with ServerAsync(loopback.url, client) as horizon, SorobanServerAsync(loopback.url, client) as rpc:
        assert (await horizon.root().call())["history_latest_ledger"] == 51234567
        assert (await rpc.get_health()).status == "healthy"
    assert not session.closed
    assert loopback.seen == ["GET /", "POST getHealth"]


@pytest.mark.parametrize(
    "json_data",
    [
        None,  # an empty POST
        {},  # no method
        {"method": "sendTransaction"},
        {"method": "simulateTransaction"},
        {"method": "gethealth"},  # names are exact
        {"method": ["getHealth"]},  # not a name at all
        [{"method": "getHealth"}, {"method": "sendTransaction"}],  # a batch smuggles
    ],
    ids=repr,
)
async def test_post_needs_one_reading_method(
    json_data: Any, session: aiohttp.ClientSession, loopback: Loopback
) -> None:
    with pytest.raises(NotAllowed):
        await reading(session, loopback.url).post(loopback.url, json_data=json_data)
    assert loopback.seen == []


async def test_a_form_is_refused_even_beside_a_reading_method(
    session: aiohttp.ClientSession, loopback: Loopback
) -> None:
    with pytest.raises(NotAllowed):
        await reading(session, loopback.url).post(loopback.url, data={}, json_data={"method": "getHealth"})
    assert loopback.seen == []


@pytest.mark.parametrize(
    ("base", "url", "passes"),
    [
        ("http://h.example/", "http://h.example/", True),  # the endpoint itself
        ("http://h.example", "http://h.example/accounts/G?limit=1", True),  # below it
        ("http://h.example/v1/key", "http://h.example/v1/key/health", True),  # below a path
        ("http://h.example/v1/key", "http://h.example/v1/keys", False),  # a longer name is another path
        ("http://h.example/v1/key", "http://h.example/v1/key/../other", False),  # climbing out
        ("http://h.example/v1/key", "http://h.example/v1/key/..%2f..%2fother", False),  # climbing out, hidden
        ("http://h.example/", "http://evil.example/", False),  # another host
        ("http://h.example/", "http://h.example.evil.example/", False),  # a longer host
        ("http://h.example/", "http://h.example@evil.example/", False),  # a user that looks like the host
        ("http://h.example/", "http://u:p@h.example/", False),  # somebody's password
        ("http://h.example/", "http://h.example:8000/", False),  # another port
        ("https://h.example/", "http://h.example/", False),  # without TLS
        ("http://h.example/", "file:///etc/passwd", False),  # another scheme
        ("http://h.example/", "http://[bad", False),  # no URL
        ("http://h.example/", "http://169.254.169.254/latest/meta-data", False),  # a cloud's metadata
        ("http://h.example/", "http://h.example/friendbot?addr=G", False),  # creates an account on GET
        ("http://h.example/", "http://h.example/FriendBot", False),
    ],
)
async def test_only_configured_addresses_are_asked(base: str, url: str, passes: bool) -> None:
    asked = []

    class Resolver(aiohttp.abc.AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:
            asked.append(host)
            raise OSError("no such host")

        async def close(self) -> None: ...

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Resolver())) as session:
        with pytest.raises(c.NoSuchHost if passes else NotAllowed):
            await reading(session, base).get(url)
    assert bool(asked) is passes


async def test_rpc_posts_go_to_exactly_the_endpoint(session: aiohttp.ClientSession, loopback: Loopback) -> None:
    client = ReadingClient(session, rpc=(Endpoint("a", loopback.url + "key"),))
    with pytest.raises(NotAllowed):
        await client.post(loopback.url + "key/transactions", json_data={"method": "getHealth"})
    with pytest.raises(NotAllowed):  # an RPC endpoint is no Horizon
        await client.get(loopback.url + "key")
    assert (await client.post(loopback.url + "key", json_data={"method": "getHealth"})).status_code == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int, session: aiohttp.ClientSession, loopback: Loopback) -> None:
    async with serving() as elsewhere:
        loopback.answers["/"] = says(b"", status, headers={"Location": elsewhere.url})
        loopback.answers["getHealth"] = says(b"", status, headers={"Location": elsewhere.url})
        client = reading(session, loopback.url)
        with pytest.raises(c.Redirected):
            await client.get(loopback.url)
        with pytest.raises(c.Redirected):
            await client.post(loopback.url, json_data={"method": "getHealth"})
        assert elsewhere.seen == []


async def test_fifty_megabytes_are_not_read(session: aiohttp.ClientSession, loopback: Loopback) -> None:
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await response.write(b" " * 2**20)
            sent += 1
        return response

    loopback.answers["/"] = flood
    with pytest.raises(c.TooLarge):
        await reading(session, loopback.url).get(loopback.url)
    assert sent < 50


async def test_a_small_body_that_unpacks_to_fifty_megabytes_is_not_unpacked(
    session: aiohttp.ClientSession, loopback: Loopback
) -> None:
    loopback.answers["/"] = says(gzip.compress(b" " * 50 * 2**20), headers={"Content-Encoding": "gzip"})
    with pytest.raises(c.TooLarge):
        await reading(session, loopback.url).get(loopback.url)


async def test_the_sdk_can_lower_the_cap_and_not_raise_it(session: aiohttp.ClientSession, loopback: Loopback) -> None:
    client = reading(session, loopback.url, byte_cap=1000)
    loopback.answers["/"] = says(b"x" * 500)
    assert len((await client.get(loopback.url)).text) == 500
    with pytest.raises(c.TooLarge):
        await client.get(loopback.url, max_content_size=499)
    loopback.answers["/"] = says(b"x" * 1001)
    with pytest.raises(c.TooLarge):
        await client.get(loopback.url, max_content_size=5000)


async def test_a_reset_a_cut_body_and_noise(session: aiohttp.ClientSession) -> None:
    for sends, failure in (
        (b"", c.CutOff),  # reset before any answer
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", c.CutOff),  # reset in the body
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", c.CutOff),  # a chunk that never ends
        (b"SSH-2.0-OpenSSH_9.2\r\n", c.NotHttp),  # another service on the port
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", c.NotHttp),  # endless headers
    ):
        async with raw_server(sends) as url:
            with pytest.raises(failure):
                await reading(session, url).get(url)


async def test_nobody_listens(session: aiohttp.ClientSession) -> None:
    async with raw_server(b"") as url:
        pass
    with pytest.raises(c.ConnectionRefused):
        await reading(session, url).get(url)


async def test_tls_that_is_none(session: aiohttp.ClientSession, loopback: Loopback) -> None:
    url = loopback.url.replace("http:", "https:")
    with pytest.raises(c.NotTrusted):
        await reading(session, url).get(url)


async def test_it_gives_up_at_the_deadline(session: aiohttp.ClientSession, loopback: Loopback) -> None:
    for hanging in (loopback.hang, loopback.hang_in_the_body):
        loopback.answers["/"] = hanging
        with pytest.raises(c.TooSlow):
            await reading(session, loopback.url, deadline=0.1).get(loopback.url)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"a": "\xff"}', "application/json; charset=utf-8"),  # not UTF-8
        (b"{}", "application/json; charset=klingon"),  # a charset nobody has heard of
        (b"{}", "application/json; charset=base64"),  # a codec that is not for text
    ],
)
async def test_bytes_that_are_not_text(
    body: bytes, kind: str, session: aiohttp.ClientSession, loopback: Loopback
) -> None:
    loopback.answers["/"] = says(body, kind=kind)
    with pytest.raises(c.NotText):
        await reading(session, loopback.url).get(loopback.url)


async def test_any_other_status_is_an_answer(session: aiohttp.ClientSession, loopback: Loopback) -> None:
    loopback.answers["/"] = says({"type": "x"}, 503, headers={"Retry-After": "7"})
    answer = await reading(session, loopback.url).get(loopback.url)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (503, {"type": "x"}, "7")


async def test_no_error_tells_a_url_a_header_or_a_body(session: aiohttp.ClientSession, loopback: Loopback) -> None:
    async with raw_server(f"HTTP/1.1 200 OK\r\n{SECRET}\r\n\r\n".encode()) as noise:
        for url in (noise, loopback.url, "http://127.0.0.1:1/", "https://127.0.0.1:1/"):
            url = f"{url}{SECRET}?key={SECRET}"
            loopback.answers["/"] = says(SECRET.encode(), 302, headers={"Location": f"/{SECRET}", "X-Key": SECRET})
            with pytest.raises(ReadFailed) as caught:
                await reading(session, url).get(url)
            told = "".join(traceback.format_exception(caught.value, chain=True)[-1:])
            assert SECRET not in told + str(caught.value) + repr(caught.value)
            assert caught.value.__cause__ is None
            assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("raised", "meaning"),
    [
        (TimeoutError(), c.TooSlow),
        (ssl.SSLError(), c.NotTrusted),
        (asyncio.IncompleteReadError(b"", 1), c.ReadFailed),  # nothing more exact is known
        (OSError(113, "no route"), c.CutOff),
    ],
)
def test_every_failure_has_a_meaning(raised: Exception, meaning: type[ReadFailed]) -> None:
    assert c._meaning(raised) is meaning


def test_every_failure_is_words_that_follow_a_name() -> None:
    for kind in (ReadFailed, *ReadFailed.__subclasses__()):
        assert str(kind()) == kind.__doc__
        assert not str(kind()).endswith(".")


def test_the_patching_extra_is_not_installed() -> None:
    """With aiohttp_sse_client there, importing stellar-sdk breaks every multipart body that aiohttp reads."""
    assert importlib.util.find_spec("aiohttp_sse_client") is None
    assert aiohttp.StreamReader.readline.__module__ == "aiohttp.streams"


def test_an_endpoint_never_shows_its_url() -> None:
    assert SECRET not in repr(Endpoint("a", f"https://h.example/{SECRET}"))
