"""No way from a probe into the private network: by name, by number, by a name that changes its mind, by a redirect."""

from __future__ import annotations

import socket
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver

from bot.probes import session
from bot.probes.client import NoSuchHost, NotAllowed, NotHttp, Private, ReadingClient, Redirected
from bot.probes.public_addresses import public
from bot.probes.settings import Endpoint

from .loopback import Loopback, says


class Names(AbstractResolver):
    """A name server that answers a name with the next of its lists of addresses, the last for ever."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.names = {name.replace("_", "."): answers for name, answers in names.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
        self.asked.append(host)
        answers = self.names.get(host)
        if answers is None:
            raise OSError("no such host")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            {"hostname": host, "host": one, "port": port, "proto": 0, "flags": socket.AI_NUMERICHOST,
             "family": socket.AF_INET6 if ":" in one else socket.AF_INET}
            for one in addresses
        ]  # fmt: skip

    async def close(self) -> None: ...


def reading(one: aiohttp.ClientSession, url: str) -> ReadingClient:
    return ReadingClient(one, horizon=[Endpoint("a", url)], deadline=3.0)


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        pytest.param("151.101.1.1", True, id="the internet"),
        pytest.param("2606:4700::1111", True, id="the internet by IPv6"),
        pytest.param("127.0.0.1", False, id="this machine"),
        pytest.param("::1", False, id="this machine by IPv6"),
        pytest.param("0.0.0.0", False, id="this machine on Linux"),
        pytest.param("10.1.2.3", False, id="a private network"),
        pytest.param("172.16.0.1", False, id="another"),
        pytest.param("192.168.1.1", False, id="a home"),
        pytest.param("100.64.0.1", False, id="a provider's own network"),
        pytest.param("169.254.169.254", False, id="a cloud's metadata"),
        pytest.param("fd00:ec2::254", False, id="a cloud's metadata by IPv6"),
        pytest.param("fe80::1%eth0", False, id="link-local with its zone"),
        pytest.param("::ffff:10.0.0.1", False, id="a private address mapped into IPv6"),
        pytest.param("64:ff9b::a00:1", False, id="a private address behind NAT64"),
        pytest.param("2002:a00:1::", False, id="a private address by 6to4"),
        pytest.param("64:ff9b::9765:101", True, id="the internet behind NAT64"),
        pytest.param("64:ff9b:1::a00:1", False, id="a private address behind a NAT64 of one's own"),
        pytest.param("::127.0.0.1", False, id="this machine as IPv6 was first written"),
        pytest.param("::ffff:0:10.0.0.1", False, id="a private address translated"),
        pytest.param("::ffff:151.101.1.1", False, id="the internet mapped into IPv6, which no name server needs"),
        pytest.param("fec0::1", False, id="a site"),
        pytest.param("fc00::1", False, id="a private network by IPv6"),
        pytest.param("3fff::1", False, id="for documents"),
        pytest.param("5f00::1", False, id="of a provider's own routing"),
        pytest.param("224.0.0.1", False, id="multicast"),
        pytest.param("255.255.255.255", False, id="broadcast"),
        pytest.param("not an address", False, id="nothing known"),
    ],
)
def test_which_addresses_are_public(address: str, is_public: bool) -> None:
    assert public(address) is is_public


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([["127.0.0.1"]], id="this machine"),
        pytest.param([["169.254.169.254"]], id="a cloud's metadata"),
        pytest.param([["::ffff:10.0.0.1"]], id="wrapped in IPv6"),
        pytest.param([["151.101.1.1", "10.0.0.1"]], id="one of two"),
    ],
)
async def test_a_name_that_leads_inside_is_refused(answers: list[list[str]]) -> None:
    async with session(resolver=Names(horizon_example=answers)) as one:
        with pytest.raises(Private, match="PROBE_PRIVATE_HOSTS"):
            await reading(one, "http://horizon.example/").get("http://horizon.example/")


async def test_an_address_written_as_one_number_is_a_name_and_refused() -> None:
    async with session() as one:
        # getaddrinfo reads 2130706433 as 127.0.0.1; aiohttp takes it for no host at all, and other systems know none.
        with pytest.raises((Private, NoSuchHost, NotHttp)):
            await reading(one, "http://2130706433/").get("http://2130706433/")


async def test_a_name_that_changes_its_mind_is_asked_once_for_a_connection(loopback: Loopback) -> None:
    """DNS rebinding: what was looked at is what is connected to, so the second answer is never used unlooked."""
    port = loopback.url.rstrip("/").rpartition(":")[2]
    names = Names(horizon_example=[["192.0.2.1", "127.0.0.1"], ["127.0.0.1"]])
    async with session(resolver=names) as one:
        for _ in range(2):
            with pytest.raises(Private):
                await reading(one, f"http://horizon.example:{port}/").get(f"http://horizon.example:{port}/")
    assert loopback.seen == []
    assert names.asked == ["horizon.example"] * 2


async def test_a_host_that_was_named_may_be_private(loopback: Loopback) -> None:
    port = loopback.url.rstrip("/").rpartition(":")[2]
    names = Names(horizon_inside=[["127.0.0.1"]])
    url = f"http://horizon.inside:{port}/"
    async with session("other.inside, Horizon.Inside", names) as one:
        assert (await reading(one, url).get(url)).status_code == 200


async def test_an_address_in_the_settings_is_meant(loopback: Loopback) -> None:
    async with session(resolver=Names()) as one:
        assert (await reading(one, loopback.url).get(loopback.url)).status_code == 200


async def test_a_redirect_inside_is_not_followed(loopback: Loopback) -> None:
    loopback.answers["/"] = says(b"", 302, headers={"Location": "http://169.254.169.254/latest/meta-data"})
    names = Names()
    async with session(resolver=names) as one:
        with pytest.raises(Redirected):
            await reading(one, loopback.url).get(loopback.url)
        with pytest.raises(NotAllowed):
            await reading(one, loopback.url).get("http://169.254.169.254/latest/meta-data")
    assert names.asked == []


async def test_neither_a_proxy_nor_a_cookie_of_this_machine(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    loopback.answers["/"] = says({"a": 1}, headers={"Set-Cookie": "a=b"})
    async with session(resolver=Names()) as one:
        assert (await reading(one, loopback.url).get(loopback.url)).status_code == 200
        assert len(one.cookie_jar) == 0
