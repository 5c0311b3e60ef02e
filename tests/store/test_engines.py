"""DATABASE_URL for PostgreSQL: how it may be spelled, what is said when it does not serve, and that nobody reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from bot.cli import cli
from bot.store import SqlStore, StoreRefused, engines, migrate
from tests.postgres import Postgres
from tests.proxy import Proxy

from .acts import KEY

PASSWORD = "sw0rdfish-of-the-tests"
WRONG = "not-the-word-of-the-tests"


@pytest.fixture(scope="module")
def guarded(postgres18: Postgres) -> Iterator[str]:
    """The URL, without a password, of a database that asks for one."""
    url = make_url(postgres18.create())
    postgres18.run(f"CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    rules = Path(postgres18.run("SHOW hba_file"))
    before = rules.read_text()
    rules.write_text(f"local all guarded scram-sha-256\n{before}")
    postgres18.run("SELECT pg_reload_conf()")
    guarded = url.set(username="guarded", password=WRONG).render_as_string(hide_password=False)
    while True:  # until the rules are in force
        try:
            SqlStore.open(guarded, KEY)
        except StoreRefused:
            break
        time.sleep(0.01)
    try:
        yield guarded.replace(f":{WRONG}@", "@")
    finally:
        rules.write_text(before)
        postgres18.run("SELECT pg_reload_conf()")


def with_password(url: str, password: str) -> str:
    return url.replace("guarded@", f"guarded:{password}@")


@pytest.mark.parametrize(
    ("spelled", "password"),
    [
        pytest.param("postgresql://", PASSWORD, id="as the documents have it"),
        pytest.param("postgres://", PASSWORD, id="as many providers have it"),
        pytest.param("postgresql+asyncpg://", PASSWORD, id="with a driver"),
        pytest.param("postgresql://", "", id="the password as a parameter"),
    ],
)
def test_it_is_opened(guarded: str, spelled: str, password: str) -> None:
    url = with_password(guarded, password) if password else f"{guarded}&password={PASSWORD}"
    url = url.replace("postgresql://", spelled)
    migrate(url)
    SqlStore.open(url, KEY)
    assert PASSWORD not in str(engines.parse_url(url))


def refused(url: str) -> set[str]:
    """What is said to whoever migrates, opens, or types `python -m bot migrate`; the password nowhere in it."""
    said = set()
    for attempt in (lambda: migrate(url), lambda: SqlStore.open(url, KEY)):
        with pytest.raises(StoreRefused) as caught:
            attempt()
        said.add(str(caught.value))
        error: BaseException | None = caught.value
        while error is not None:  # a traceback shows those too
            assert PASSWORD not in repr(error) and WRONG not in repr(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    settings = {"DATABASE_URL": url, "CHAIN_KEY": "k" * 40, "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    ended = CliRunner().invoke(cli, ["migrate"], env=settings)
    assert ended.exit_code == 2, ended.output
    written = ended.stdout + ended.stderr
    assert PASSWORD not in written and WRONG not in written and "Traceback" not in written
    return {*said, *written.splitlines()}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param(("", ""), "does not let guarded in: check the user", id="a wrong password"),
        pytest.param(("guarded:", "stranger:"), "does not let stranger in", id="nobody of that name"),
        pytest.param(("/test_", "/no_"), "There is no database no_", id="no such database"),
        pytest.param(("host=", "host=/nowhere"), "does not answer", id="no server there"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(guarded: str, change: tuple[str, str], sentence: str) -> None:
    right = change[0] not in ("", "guarded:")
    said = refused(with_password(guarded, PASSWORD if right else WRONG).replace(*change, 1))
    assert len(said) == 1 and sentence in said.pop(), "one sentence, alike"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        pytest.param(f"postgresql://u:{WRONG}@127.0.0.1:1/d", "does not answer", id="nobody listens"),
        pytest.param(f"postgresql://u:{WRONG}@no.such.host.invalid/d", "does not answer", id="no such host"),
        pytest.param(f"postgresql://u:a@{WRONG}@h/d", "write %40 for @", id="an @ in the password"),
        pytest.param(f"postgresql://u:a@b:{WRONG}@h/d", "is not a URL", id="an @ and a colon in it"),
        pytest.param(f"postgresql://u:{WRONG}@h/d?sslrootcert=x", "not known: sslrootcert", id="an unknown parameter"),
        pytest.param(
            f"postgresql://u:{WRONG}@h/d?ssl=yes", "`ssl` in the database's address is", id="not a way of TLS"
        ),
    ],
)
def test_an_address_that_does_not_serve(address: str, sentence: str) -> None:
    (said,) = refused(address)
    assert sentence in said


@pytest.mark.parametrize("parameter", ["ssl", "sslmode"])
def test_tls_that_is_asked_for_is_had_or_nothing(postgres18: Postgres, parameter: str) -> None:
    """The server of the tests has none."""
    url = postgres18.create()
    with Proxy(postgres18.upstream) as line:
        there = line.url(url)
        SqlStore.open(f"{there}?{parameter}=prefer", KEY)
        with pytest.raises(StoreRefused, match="rejected SSL upgrade"):
            SqlStore.open(f"{there}?{parameter}=require", KEY)
