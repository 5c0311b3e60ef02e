"""Who let the bot in: what is kept of it, on each database, and what a change of the database by hand comes to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from bot.ports import Installation
from bot.store import SqlStore, StoreRefused
from bot.store.installations import SqlInstallations, TokenKeys
from bot.store.tables import installations, oauth_states
from bot.store.transaction import SqlTransaction

AT = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
KEY = Fernet.generate_key().decode()
TOKEN = "xoxb-1-the-token"
ONE = Installation("T1", TOKEN, "UBOT", "commands,chat:write", "U1", AT)


@pytest.fixture
def kept(store: SqlStore) -> SqlInstallations:
    return SqlInstallations(store, TokenKeys(KEY))


async def test_what_is_kept_comes_back(kept: SqlInstallations, store: SqlStore) -> None:
    await kept.save(ONE)
    assert await kept.one("T1") == ONE and await kept.all() == [ONE] and await kept.one("T2") is None
    row = await store.write(lambda tx: tx.connection.execute(select(installations)).mappings().one())
    assert TOKEN not in str(row) and row["token"]


async def test_an_installation_is_told_from_an_earlier_one(kept: SqlInstallations) -> None:
    await kept.save(ONE)
    await kept.save(replace(ONE, token="xoxb-2"))  # within the same microsecond
    (new,) = await kept.all()
    assert new.token == "xoxb-2" and new.installed_at > AT
    assert not await kept.revoke(ONE, AT), "the word about the old one does not end the new one"
    assert await kept.revoke(new, AT + timedelta(hours=1)) and not await kept.revoke(new, AT + timedelta(hours=1))
    (gone,) = await kept.all()
    assert (gone.token, gone.revoked_at) == ("", AT + timedelta(hours=1))


async def test_many_at_once_leave_one_row(kept: SqlInstallations) -> None:
    await kept.save(ONE)
    await asyncio.gather(*(kept.save(replace(ONE, token=f"xoxb-{n}")) for n in range(20)))
    assert len(await kept.all()) == 1


async def test_a_token_in_another_workspaces_row_does_not_open(kept: SqlInstallations, store: SqlStore) -> None:
    await kept.save(ONE)
    await kept.save(replace(ONE, team="T2", token="xoxb-2"))

    def swap(tx: SqlTransaction) -> None:
        c = installations.c
        taken = tx.connection.execute(select(c.token).where(c.team_id == "T1")).scalar_one()
        tx.connection.execute(update(installations).where(c.team_id == "T2").values(token=taken))

    await store.write(swap)
    with pytest.raises(StoreRefused, match="somebody changed the database"):
        await kept.one("T2")
    assert await kept.one("T1") == ONE


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        pytest.param("", "TOKEN_KEYS is missing", id="none"),
        pytest.param(" , ", "TOKEN_KEYS is missing", id="none between commas"),
        pytest.param("hunter2", "not a Fernet key", id="no key"),
        pytest.param(f"{KEY},hunter2", "not a Fernet key", id="one of two"),
    ],
)
def test_keys_that_are_none(keys: str, sentence: str) -> None:
    with pytest.raises(StoreRefused, match=sentence) as refused:
        TokenKeys(keys)
    assert "hunter2" not in str(refused.value)


async def test_the_first_key_encrypts_and_each_decrypts(store: SqlStore) -> None:
    new = Fernet.generate_key().decode()
    await SqlInstallations(store, TokenKeys(KEY)).save(ONE)
    assert await SqlInstallations(store, TokenKeys(f"{new},{KEY}")).one("T1") == ONE
    with pytest.raises(StoreRefused, match="T1 cannot be decrypted with TOKEN_KEYS") as refused:
        await SqlInstallations(store, TokenKeys(new)).all()
    assert refused.value.__cause__ is None and TOKEN not in str(refused.value)


async def test_a_state_serves_once_in_time_and_with_its_cookie(kept: SqlInstallations, store: SqlStore) -> None:
    assert await kept.save_oauth_state("state", "cookie", "T1", AT)
    assert await kept.consume_oauth_state("state", "another", AT) is None
    assert await kept.consume_oauth_state("another", "cookie", AT) is None
    assert await kept.consume_oauth_state("state", "cookie", AT + timedelta(minutes=10)) is None
    row = await store.write(lambda tx: tx.connection.execute(select(oauth_states)).mappings().one())
    assert "state" not in row.values() and "cookie" not in row.values()
    found = await asyncio.gather(*(kept.consume_oauth_state("state", "cookie", AT) for _ in range(5)))
    assert sorted(map(str, found)) == ["None", "None", "None", "None", "T1"]
