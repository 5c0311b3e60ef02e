"""Prometheus Alertmanager's webhook, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.

A payload holds one group with all its alerts, those that fire and those that have ended since the last one. It comes
again, to the byte, as often as `repeat_interval` says. `endsAt` is Go's zero time while an alert fires, and alerts that
`max_alerts` left out may end without having begun.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bot.alerts.payload import (
    MAX_LABEL_CHARS,
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

#: annotations in which rules commonly say what is wrong, the best first
SAYS = ("summary", "message", "description")
#: shown in places of their own
SHOWN = ("alertname", "severity")


def read(source: str, payload: Any) -> tuple[Alert, ...]:
    """The alerts of a group."""
    body = mapping(payload, "the payload")
    alerts, group = body.get("alerts"), body.get("groupKey")
    if str(body.get("version")) != "4":
        raise InvalidPayload("it is not version 4 of the webhook")
    if not isinstance(alerts, list) or not alerts:
        raise InvalidPayload("alerts is not a list with alerts")
    if not isinstance(group, str) or not group:
        raise InvalidPayload("groupKey is missing")
    shared = mapping(body.get("commonLabels"), "commonLabels")
    return tuple(_alert(source, group, shared, mapping(one, "an alert")) for one in alerts)


def _alert(source: str, group: str, shared: Mapping[str, Any], one: Mapping[str, Any]) -> Alert:
    marked, said = mapping(one.get("labels"), "labels"), mapping(one.get("annotations"), "annotations")
    own = {name: value for name, value in marked.items() if name not in shared}
    return Alert(
        source=source,
        group=group,
        id=line(one.get("fingerprint"), MAX_WORD_CHARS) or _fingerprint(marked),
        name=line(marked.get("alertname"), MAX_NAME_CHARS),
        title=next((words for name in SAYS if (words := line(said.get(name), MAX_TITLE_CHARS))), ""),
        firing=one.get("status") != "resolved",
        since=parse_time(one.get("startsAt")),
        severity=line(marked.get("severity"), MAX_WORD_CHARS),
        runbook=line(said.get("runbook_url") or said.get("runbook"), MAX_LINK_CHARS),
        link=link(one.get("generatorURL")),
        # what tells this alert from its neighbours comes first
        labels=labels({**own, **marked}, but=SHOWN),
    )


def _fingerprint(marked: Mapping[str, Any]) -> str:
    told = "\n".join(
        f"{line(name, MAX_NAME_CHARS)}={line(value, MAX_LABEL_CHARS)}" for name, value in sorted(marked.items())
    )
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]
