"""Who let the bot in: tokens encrypted with keys that live outside the database, and who is on the way to do so.

The keys are Fernet's (https://cryptography.io/en/latest/fernet/): the first encrypts, every one decrypts, so that a
new one can be put in front, `rotate` run, and the old one taken away. What is encrypted names its workspace: a
token that was copied into another row does not open there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import RowMapping, delete, func, insert, select, update

from bot.ports import Installation
from bot.store.errors import StoreRefused
from bot.store.store import SqlStore
from bot.store.tables import incidents, installations, oauth_states
from bot.store.transaction import SqlTransaction

#: how long somebody may take at Slack, and how many may be there at once (each is a row that a stranger can make)
OAUTH_STATE_LIFETIME, MAX_PENDING_OAUTH_STATES = timedelta(minutes=10), 1000

_i, _s = installations.c, oauth_states.c


class TokenKeys:
    """The keys of TOKEN_KEYS, separated by commas. Raises StoreRefused where there is none, or a bad one."""

    def __init__(self, text: str) -> None:
        words = [word for word in (piece.strip() for piece in text.split(",")) if word]
        if not words:
            raise StoreRefused("TOKEN_KEYS is missing: the workspaces' tokens cannot be read or kept without it.")
        try:
            self._fernet = MultiFernet([Fernet(word) for word in words])
        except ValueError:
            raise StoreRefused("TOKEN_KEYS has a part that is not a Fernet key (32 bytes, URL-safe base64).") from None

    def encrypted(self, team: str, token: str) -> str:
        """The token as it is kept, bound to its workspace."""
        return self._fernet.encrypt(f"{team}\n{token}".encode()).decode()

    def decrypted(self, team: str, kept: str) -> str:
        """The token; empty for a revoked one. Raises StoreRefused with what to do."""
        if not kept:
            return ""
        try:
            whose, _, token = self._fernet.decrypt(kept.encode()).decode().partition("\n")
        except (InvalidToken, ValueError):
            raise StoreRefused(
                f"The token of workspace {team} cannot be decrypted with TOKEN_KEYS. Put the key back that was in "
                f"front when it was kept; or, if that is lost, let {team} install the bot again."
            ) from None
        if whose != team:
            raise StoreRefused(
                f"The token that stands in the row of workspace {team} is that of another one: somebody changed the "
                f"database. Let {team} install the bot again, and find out who."
            )
        return token


def _installation(row: RowMapping, keys: TokenKeys) -> Installation:
    return Installation(
        team=row["team_id"], token=keys.decrypted(row["team_id"], row["token"]), bot_user=row["bot_user"],
        scopes=row["scopes"], installed_by=row["installed_by"], installed_at=row["installed_at"],
        enterprise=row["enterprise_id"], revoked_at=row["revoked_at"],
    )  # fmt: skip


def every(tx: SqlTransaction, keys: TokenKeys) -> list[Installation]:
    """All, by workspace. Raises StoreRefused where a token cannot be decrypted."""
    rows = tx.connection.execute(select(installations).order_by(_i.team_id)).mappings()
    return [_installation(row, keys) for row in rows]


def one(tx: SqlTransaction, keys: TokenKeys, team: str) -> Installation | None:
    """That of one workspace."""
    row = tx.connection.execute(select(installations).where(_i.team_id == team)).mappings().first()
    return _installation(row, keys) if row else None


def save(tx: SqlTransaction, keys: TokenKeys, new: Installation) -> None:
    """Keep it in place of an earlier one; the duties of that workspace's incidents are due again."""
    earlier = tx.connection.execute(select(_i.installed_at).where(_i.team_id == new.team)).scalar()
    if earlier is not None and earlier >= new.installed_at:  # the moment tells installations apart
        new = replace(new, installed_at=earlier + timedelta(microseconds=1))
    values = {
        "enterprise_id": new.enterprise, "bot_user": new.bot_user, "scopes": new.scopes,
        "token": keys.encrypted(new.team, new.token), "installed_by": new.installed_by,
        "installed_at": new.installed_at, "revoked_at": None,
    }  # fmt: skip
    if tx.connection.execute(update(installations).where(_i.team_id == new.team).values(values)).rowcount == 0:
        tx.connection.execute(insert(installations).values(team_id=new.team, **values))
    make_incidents_due(tx, new.team, new.installed_at)
    tx.rearm(new.installed_at, team=new.team)  # it may have brought the scope that was missing


def make_incidents_due(tx: SqlTransaction, team: str, at: datetime) -> None:
    """The duties of that workspace's incidents are due now: they rested."""
    ours = incidents.c.team_id == team, incidents.c.due_at > at
    tx.connection.execute(update(incidents).where(*ours).values(due_at=at))


def revoke(tx: SqlTransaction, team: str, installed_at: datetime, at: datetime) -> bool:
    """Forget the token of exactly that installation; False where it is gone already, or another one stands."""
    this = _i.team_id == team, _i.installed_at == installed_at, _i.revoked_at.is_(None)
    return tx.connection.execute(update(installations).where(*this).values(token="", revoked_at=at)).rowcount == 1


def rotate(tx: SqlTransaction, keys: TokenKeys) -> int:
    """Encrypt every token anew with the first key; how many there are."""
    kept = [one for one in every(tx, keys) if one.token]
    for each in kept:
        token = keys.encrypted(each.team, each.token)
        tx.connection.execute(update(installations).where(_i.team_id == each.team).values(token=token))
    return len(kept)


def save_oauth_state(tx: SqlTransaction, state: str, cookie: str, team: str, now: datetime) -> bool:
    """Remember somebody who goes to Slack; False where too many have not come back. Hashes only are kept."""
    tx.connection.execute(delete(oauth_states).where(_s.until <= now))
    if tx.connection.execute(select(func.count()).select_from(oauth_states)).scalar_one() >= MAX_PENDING_OAUTH_STATES:
        return False
    values = {"state": _hash(state), "cookie": _hash(cookie), "team_id": team, "until": now + OAUTH_STATE_LIFETIME}
    tx.connection.execute(insert(oauth_states).values(values))
    return True


def consume_oauth_state(tx: SqlTransaction, state: str, cookie: str, now: datetime) -> str | None:
    """The workspace meant ("": any) by whoever was sent with this state and cookie, once; else None."""
    this = _s.state == _hash(state), _s.cookie == _hash(cookie), _s.until > now
    taken = delete(oauth_states).where(*this).returning(_s.team_id)
    return tx.connection.execute(taken).scalar_one_or_none()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class SqlInstallations:
    """The Installations that are kept in the store."""

    def __init__(self, store: SqlStore, keys: TokenKeys) -> None:
        self._store = store
        self._keys = keys

    async def all(self) -> Sequence[Installation]:
        """Every one. Raises StoreRefused where a token cannot be decrypted, StoreUnavailable."""
        return await self._store.write(lambda tx: every(tx, self._keys))

    async def one(self, team: str) -> Installation | None:
        """That of one workspace."""
        return await self._store.write(lambda tx: one(tx, self._keys, team))

    async def save(self, installation: Installation) -> None:
        """Keep it."""
        await self._store.write(lambda tx: save(tx, self._keys, installation))

    async def revoke(self, installation: Installation, at: datetime) -> bool:
        """Forget its token."""
        return await self._store.write(lambda tx: revoke(tx, installation.team, installation.installed_at, at))

    async def save_oauth_state(self, state: str, cookie: str, team: str, now: datetime) -> bool:
        """Remember who goes to Slack."""
        return await self._store.write(lambda tx: save_oauth_state(tx, state, cookie, team, now))

    async def consume_oauth_state(self, state: str, cookie: str, now: datetime) -> str | None:
        """Recognise who comes back."""
        return await self._store.write(lambda tx: consume_oauth_state(tx, state, cookie, now))
