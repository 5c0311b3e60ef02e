"""What passed between the program and the workspace, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

MAX_CALLS = 20_000
"""Calls kept; the oldest half goes when there are more."""


@dataclass
class Call:
    """One Web API call, or one delivery to the program.

    `method` is the Web API method, or `delivery:<kind>` with kind slash_commands, block_actions, view_submission,
    view_closed, shortcut, message_action, block_suggestion, `event:<type>`, or `response_url`. Times are epoch
    seconds by the workspace's clock. `outcome` is ok, error, fault, failed (a delivery nobody acknowledged) or
    pending. `caller` is the user id behind it, `team` the workspace's id.
    """

    number: int
    method: str
    args: Json
    started: float
    caller: str | None = None
    ended: float | None = None
    outcome: str = "pending"
    error: str | None = None
    answer: Json = field(default_factory=dict)
    team: str = ""

    def shown(self) -> Json:
        return {
            "number": self.number,
            "method": self.method,
            "args": self.args,
            "started": self.started,
            "ended": self.ended,
            "outcome": self.outcome,
            "error": self.error,
            "caller": self.caller,
            "team": self.team,
        }


class Journal(list[Call]):
    """The calls, oldest first. `on_done` listeners hear each call when its outcome is known."""

    def __init__(self) -> None:
        super().__init__()
        self.on_done: list[Callable[[Call], None]] = []
        self._count = 0

    def begin(self, method: str, args: Json, at: float, caller: str | None) -> Call:
        self._count += 1
        call = Call(self._count, method, args, at, caller)
        self.append(call)
        if len(self) > MAX_CALLS:
            del self[: MAX_CALLS // 2]
        return call

    def end(self, call: Call, at: float, outcome: str, error: str | None = None) -> None:
        call.ended, call.outcome, call.error = at, outcome, error
        for listener in self.on_done:
            listener(call)

    def after(self, number: int) -> list[Call]:
        if not self:
            return []
        start = max(0, number - self[0].number + 1)
        return self[start:]

    def of(self, method: str) -> list[Call]:
        """The calls of one method, oldest first."""
        return [call for call in self if call.method == method]
