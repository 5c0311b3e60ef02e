"""Faults that a test or the page plants: the next calls of a method go wrong in a chosen way."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

Json = dict[str, Any]

_KINDS = re.compile(r"error:[a-z_]+|429:\d+|500_before|500_after|cut_before|cut_after|hang|duplicate|drop")


@dataclass
class Fault:
    """`method` is a Web API method, `*` for any, or `delivery:<kind>`; `times` are left."""

    method: str
    kind: str
    times: int = 1


class Faults:
    """The planted faults, oldest first.

    Kinds for Web API calls: `error:<code>` (refused), `429:<seconds>`, `500_before` and `cut_before` (nothing done),
    `500_after` and `cut_after` (done, but the answer is lost), `hang` (no answer, nothing done). For deliveries:
    `duplicate` (sent twice) and `drop` (the program never gets it).
    """

    def __init__(self) -> None:
        self.planted: list[Fault] = []

    def add(self, method: str, kind: str, times: int = 1) -> None:
        """Plant a fault. Raises ValueError for a kind that is not known."""
        if not _KINDS.fullmatch(kind):
            raise ValueError(f"no such kind of fault: {kind}")
        self.planted.append(Fault(method, kind, times))

    def take(self, method: str) -> str | None:
        """The kind of the first fault that fits, used up once; None where there is none."""
        for fault in self.planted:
            if fault.method == method or (fault.method == "*" and not method.startswith("delivery:")):
                fault.times -= 1
                if fault.times <= 0:
                    self.planted.remove(fault)
                return fault.kind
        return None

    def clear(self) -> None:
        self.planted.clear()

    def shown(self) -> list[Json]:
        return [asdict(fault) for fault in self.planted]
