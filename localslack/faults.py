"""Faults that a test or the page plants: the next calls of a method go wrong in a chosen way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from localslack.errors import NotPossible

Json = dict[str, Any]

KINDS = {
    "error:<code>": "calls: refused with this error",
    "429:<seconds>": "calls: rate limited, nothing done",
    "404": "calls: HTTP 404, nothing done",
    "500_before": "calls: HTTP 500, nothing done",
    "500_after": "calls: HTTP 500 after the work is done",
    "cut_before": "calls: connection cut, nothing done",
    "cut_after": "calls: connection cut after the work is done",
    "hang": "calls: no answer, nothing done",
    "slow:<seconds>": "calls and deliveries: that much later, in real time",
    "missing_scope": "calls: as if the app had not been given the scope",
    "off": "calls: unknown_method, as if Slack had switched the method off",
    "expired_ticket": "apps.connections.open: the URL's ticket is worth nothing",
    "duplicate": "deliveries: sent twice",
    "drop": "deliveries: never sent",
    "reorder": "delivery:event:…: held back until the next event has been delivered",
    "socket_cut": "deliveries: the connection is cut instead",
}
"""Every kind of fault: where it can be planted, and what it does."""

_SHAPES = {
    re.compile(
        kind.replace("<code>", r"[a-z_]+").replace("429:<seconds>", r"429:\d+").replace("<seconds>", r"\d+(\.\d+)?")
    ): what.partition(": ")[0]
    for kind, what in KINDS.items()
}
_PLACES: dict[str, Callable[[str], bool]] = {
    "calls": lambda method: not method.startswith("delivery:"),
    "deliveries": lambda method: method.startswith("delivery:"),
    "calls and deliveries": lambda method: True,
    "apps.connections.open": lambda method: method in ("apps.connections.open", "*"),
    "delivery:event:…": lambda method: method.startswith("delivery:event:"),
}


@dataclass
class Fault:
    """`method` is a Web API method, `response_url`, `upload`, or `*` for any of them; or a delivery: `delivery:<kind>`,
    `delivery:event:*`, `delivery:*`.

    `times` are left; 0 means until it is removed. `id` is its own for as long as the workspace runs.
    """

    method: str
    kind: str
    times: int = 1
    id: int = 0


class Faults:
    """The planted faults, oldest first; `KINDS` says what there is."""

    def __init__(self) -> None:
        self.planted: list[Fault] = []
        self._last_id = 0

    def add(self, method: str, kind: str, times: int = 1) -> Fault:
        """Plant a fault; its `id` removes it. Raises ValueError for a kind that is not known, or not of that place."""
        place = next((place for shape, place in _SHAPES.items() if shape.fullmatch(kind)), None)
        if place is None:
            raise ValueError(f"no such kind of fault: {kind}")
        if not _PLACES[place](method):
            raise ValueError(f"{kind} is a fault of {place}, and {method} is none of them")
        if times < 0:
            raise ValueError("times is 1 or more, or 0 for as long as it is planted")
        self._last_id += 1
        fault = Fault(method, kind, times, self._last_id)
        self.planted.append(fault)
        return fault

    def take(self, method: str) -> str | None:
        """The kind of the first fault that fits, used up once; None where there is none."""
        for fault in self.planted:
            if _fits(fault.method, method):
                if fault.times:
                    fault.times -= 1
                    if not fault.times:
                        self.planted.remove(fault)
                return fault.kind
        return None

    def remove(self, fault_id: int) -> None:
        """Take one away, the others stay. Raises NotPossible where it is not planted, or used up."""
        for fault in self.planted:
            if fault.id == fault_id:
                self.planted.remove(fault)
                return
        raise NotPossible(f"fault {fault_id} is not planted any more")

    def clear(self) -> None:
        self.planted.clear()

    def shown(self) -> list[Json]:
        return [asdict(fault) for fault in self.planted]


def _fits(pattern: str, method: str) -> bool:
    if pattern == "*":
        return not method.startswith("delivery:")
    return pattern == method or (pattern.endswith(":*") and method.startswith(pattern[:-1]))
