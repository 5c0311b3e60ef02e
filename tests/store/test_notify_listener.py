"""The listener: how soon it notices that it hears nothing, and that it always lets itself be stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import make_url

from bot.store import engines, postgres
from bot.store.notify_listener import NotifyListener
from tests.postgres import Postgres
from tests.proxy import Mode, Proxy

LOOK, AGAIN = 0.2, 0.05
#: what a busy machine may add
SPARE = 1.5


async def until(true: Callable[[], bool], within: float) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not true():
        assert loop.time() - began < within
        await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def database(postgres18: Postgres) -> str:
    return postgres18.create()


@pytest.fixture
async def line(postgres18: Postgres) -> AsyncIterator[Proxy]:
    async with Proxy(postgres18.upstream) as proxy:
        yield proxy


def hearing(line: Proxy, database: str, heard: list[str], deaf: list[str]) -> NotifyListener:
    address = engines.parse_url(line.url(database))
    return NotifyListener(
        address, "me", heard.append, heard.append, lambda: deaf.append("deaf"), look=LOOK, again=AGAIN
    )


@pytest.mark.parametrize(
    ("mode", "within"),
    [
        pytest.param(
            "blackhole", LOOK + postgres.STATEMENT_TIMEOUT_SECONDS, id="nothing is passed on: a look waits in vain"
        ),
        pytest.param("mute", LOOK + postgres.STATEMENT_TIMEOUT_SECONDS, id="no answer comes back"),
        pytest.param("refuse", 0.0, id="cut: it is told"),
    ],
)
async def test_a_dead_line_is_noticed(
    postgres18: Postgres, database: str, line: Proxy, mode: Mode, within: float
) -> None:
    heard: list[str] = []
    deaf: list[str] = []
    one = hearing(line, database, heard, deaf)
    one.start()
    try:
        await until(lambda: one.is_listening, 60)
        assert deaf == ["deaf"], "what was not heard before is not trusted"
        line.mode = mode
        await until(lambda: not one.is_listening, within + SPARE)
        await until(lambda: len(deaf) > 1, SPARE)
        line.mode = "ok"
        await until(
            lambda: one.is_listening, postgres.CONNECT_TIMEOUT_SECONDS + postgres.STATEMENT_TIMEOUT_SECONDS + SPARE
        )
        postgres18.run("SELECT pg_notify('people_changed', 'other:T1')", database=make_url(database).database or "")
        await until(lambda: heard == ["T1"], 60)
    finally:
        await one.stop()


@pytest.mark.parametrize(
    "when",
    [
        pytest.param("hears", id="while it hears"),
        pytest.param("asks", id="while a look waits in vain"),
        pytest.param("connects", id="while a new connection waits in vain"),
    ],
)
async def test_it_stops_at_once(database: str, line: Proxy, when: str) -> None:
    one = hearing(line, database, [], [])
    if when == "connects":
        line.mode = "blackhole"
    one.start()
    if when == "connects":
        await until(lambda: line.connections > 0, 60)
    else:
        await until(lambda: one.is_listening, 60)
        line.mode = "blackhole"
    if when == "asks":
        await asyncio.sleep(LOOK * 1.5)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await one.stop()
    # SQLAlchemy gives a connection that is being opened two seconds for its goodbye
    assert loop.time() - began < (postgres.STATEMENT_TIMEOUT_SECONDS + SPARE if when == "connects" else SPARE)
    assert not one.is_listening
