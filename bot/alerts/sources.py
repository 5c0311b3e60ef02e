"""Who may send alerts, and how each of them writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.alerts import alertmanager, generic
from bot.domain.alert import Alert


@dataclass(frozen=True)
class Source:
    """A sender of alerts.

    `read` makes a payload, which is any JSON, into alerts: one at least, all of one group, in the sender's order.
    It raises Unreadable, and ignores what it does not know.
    """

    name: str
    what: str
    read: Callable[[str, Any], tuple[Alert, ...]]


#: by the last part of the address, /alerts/<name>
SOURCES: dict[str, Source] = {
    one.name: one
    for one in (
        Source("alertmanager", "Prometheus Alertmanager, its webhook in version 4", alertmanager.read),
        Source("generic", "any script that can post JSON", generic.read),
    )
}
