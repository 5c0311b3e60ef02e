"""The workspaces' tokens from the command line: who has installed the bot, and keys that change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from cryptography.fernet import Fernet

from bot.config import Settings
from bot.ports import Installation
from bot.store import SqlStore, SqlTransaction, StoreRefused, installations

T = TypeVar("T")


def fresh_key() -> str:
    """A new key for the front of TOKEN_KEYS."""
    return Fernet.generate_key().decode()


async def list_installations(settings: Settings) -> Sequence[Installation]:
    """Every workspace that installed the bot, with its token. Raises StoreRefused."""
    keys = _keys(settings)
    return await _done(settings, lambda tx: installations.every(tx, keys))


async def rotate(settings: Settings) -> int:
    """Encrypt every token anew with the first key; how many there are. Raises StoreRefused, and changes nothing."""
    keys = _keys(settings)
    return await _done(settings, lambda tx: installations.rotate(tx, keys))


def _keys(settings: Settings) -> installations.TokenKeys:
    if settings.token_keys is None:
        raise StoreRefused("There are no TOKEN_KEYS: this bot serves the workspace of SLACK_BOT_TOKEN alone.")
    return installations.TokenKeys(settings.token_keys.get_secret_value())


async def _done(settings: Settings, job: Callable[[SqlTransaction], T]) -> T:
    store = SqlStore.open(settings.database_url, settings.chain_key.get_secret_value().encode())
    try:
        return await store.write(job)
    finally:
        await store.close()
