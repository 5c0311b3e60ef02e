"""Our own format, for whatever can post JSON: one alert, of which only the name is needed.

{"name": "BackupFailed", "title": "Nightly backup of the ledger failed", "status": "firing", "severity": "critical",
 "group": "backups", "id": "ledger", "since": "2026-03-02T13:40:00Z", "runbook": "db-failover",
 "link": "https://ci.example/1", "labels": {"host": "db1"}}
"""

from __future__ import annotations

import hashlib
from typing import Any

from bot.alerts.payload import (
    MAX_LINK_CHARS,
    MAX_NAME_CHARS,
    MAX_TITLE_CHARS,
    MAX_WORD_CHARS,
    labels,
    line,
    link,
    mapping,
    parse_time,
)
from bot.domain.alert import Alert
from bot.domain.errors import InvalidPayload


def read(source: str, payload: Any) -> tuple[Alert, ...]:
    """The one alert."""
    if not isinstance(payload, dict):
        raise InvalidPayload("the payload is not an object")
    name = line(payload.get("name"), MAX_NAME_CHARS)
    if not name:
        raise InvalidPayload("name is missing")
    status, since = payload.get("status", "firing"), payload.get("since")
    if status not in ("firing", "resolved"):
        raise InvalidPayload("status is neither firing nor resolved")
    if since is not None and parse_time(since) is None:
        raise InvalidPayload("since is not a time with a zone, such as 2026-03-02T13:40:00Z")
    marked = labels(mapping(payload.get("labels"), "labels"))
    one = Alert(
        source=source,
        group=_named(payload.get("group")) or name,
        id=_named(payload.get("id")) or _named("\n".join((name, *(f"{key}={value}" for key, value in sorted(marked))))),
        name=name,
        title=line(payload.get("title"), MAX_TITLE_CHARS),
        firing=status == "firing",
        since=parse_time(since),
        severity=line(payload.get("severity"), MAX_WORD_CHARS),
        runbook=line(payload.get("runbook"), MAX_LINK_CHARS),
        link=link(payload.get("link")),
        labels=marked,
    )
    return (one,)


def _named(value: Any) -> str:
    """A name as its sender gave it, of whatever length, in few characters."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return ""
    return hashlib.sha256(str(value).encode("utf-8", "replace")).hexdigest()[:16]
