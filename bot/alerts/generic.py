"""Our own format, for whatever can post JSON: one alert, of which only the name is needed.

{"name": "BackupFailed", "title": "Nightly backup of the ledger failed", "status": "firing", "severity": "critical",
 "group": "backups", "id": "ledger", "since": "2026-03-02T13:40:00Z", "runbook": "db-failover",
 "link": "https://ci.example/1", "labels": {"host": "db1"}}
"""

from __future__ import annotations

import hashlib
from typing import Any

from bot.alerts.payload import LINK, NAME, TITLE, WORD, labels, line, link, mapping, moment
from bot.domain.alert import Alert
from bot.domain.errors import Unreadable


def read(source: str, payload: Any) -> tuple[Alert, ...]:
    """The one alert."""
    if not isinstance(payload, dict):
        raise Unreadable("the payload is not an object")
    name = line(payload.get("name"), NAME)
    if not name:
        raise Unreadable("name is missing")
    status, since = payload.get("status", "firing"), payload.get("since")
    if status not in ("firing", "resolved"):
        raise Unreadable("status is neither firing nor resolved")
    if since is not None and moment(since) is None:
        raise Unreadable("since is not a time with a zone, such as 2026-03-02T13:40:00Z")
    marked = labels(mapping(payload.get("labels"), "labels"))
    one = Alert(
        source=source,
        group=_named(payload.get("group")) or name,
        id=_named(payload.get("id")) or _named("\n".join((name, *(f"{key}={value}" for key, value in sorted(marked))))),
        name=name,
        title=line(payload.get("title"), TITLE),
        firing=status == "firing",
        since=moment(since),
        severity=line(payload.get("severity"), WORD),
        runbook=line(payload.get("runbook"), LINK),
        link=link(payload.get("link")),
        labels=marked,
    )
    return (one,)


def _named(value: Any) -> str:
    """A name as its sender gave it, of whatever length, in few characters."""
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return ""
    return hashlib.sha256(str(value).encode("utf-8", "replace")).hexdigest()[:16]
