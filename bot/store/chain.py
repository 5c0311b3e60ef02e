"""The chain of one incident's events: who lacks the key cannot change, move, insert or cut anything unseen.

Each event's mac covers the mac before it, everything in its row, and the digest of its body. The digest takes a random
salt. A redaction deletes body and salt and keeps the digest: the chain still verifies, and nobody can guess the body
from what is left. The purpose stands first in every message: no mac can serve as another.
"""

from __future__ import annotations

import hmac
import json
import secrets

#: a JSON list keeps the parts apart: ("ab", "c") and ("a", "bc") differ
_list = json.JSONEncoder(separators=(",", ":")).encode


def _mac(key: bytes, *parts: str | int) -> str:
    return hmac.digest(key, _list(parts).encode(), "sha256").hex()


def new_salt() -> str:
    """16 random bytes, in hexadecimal."""
    return secrets.token_hex(16)


def digest(key: bytes, salt: str, body: str) -> str:
    """What stands for a body in the chain."""
    return _mac(key, "body", salt, body)


def link(
    key: bytes, previous: str, team: str, incident: str, seq: int, type: str, v: int, at: str, by: str, digest: str
) -> str:
    """The mac of one event; `previous` is the mac before it, empty for the first."""
    return _mac(key, "event", previous, team, incident, seq, type, v, at, by, digest)


def head(key: bytes, team: str, incident: str, seq: int, mac: str) -> str:
    """Seals the last event: an older mac, which stands in the table, cannot pass for the end."""
    return _mac(key, "head", team, incident, seq, mac)


def redaction(key: bytes, team: str, incident: str, seq: int, digest: str) -> str:
    """Marks that the body was taken out by this program."""
    return _mac(key, "redacted", team, incident, seq, digest)
