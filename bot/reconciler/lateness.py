"""How late reminders reach people: one of the two figures that docs/reliability.md promises to watch."""

from __future__ import annotations

from datetime import datetime

from bot.domain import cadence
from bot.domain.effect import Effect, EffectState
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.metrics import REMINDER_LATENESS_SECONDS


class Lateness:
    """Notes since when a reminder was due, and counts once Slack has it. Kept while one incident is reconciled once."""

    def __init__(self) -> None:
        self._owed: dict[int, datetime] = {}
        #: the last entry that time made in this visit, and when what stands before all of those was written
        self._made = 0
        self._began: datetime | None = None

    def rule_applied(self, before: Incident, after: Incident, policy: Policy) -> None:
        """Time made a rule apply. A reminder was due at its time, or since the entry that made it due."""
        now = after.last_at
        if now is None:
            return
        if before.seq != self._made or self._began is None:
            self._began = before.last_at or now
        if before.look_again and before.look_again <= now:  # what rested until then is due since then
            self._began = max(self._began, before.look_again)
        self._made = after.seq
        if len(after.reminders) > len(before.reminders):
            times = [one.at for one in cadence.due_reminders(before, policy) if one.at <= now]
            self._owed[after.reminders[-1].seq] = max(min(times, default=now), self._began)

    def call_ended(self, incident: Incident, before: Effect, after: Effect, now: datetime) -> None:
        """A call has ended. If it sent a reminder for the first time, count how late that was."""
        if before.ts or after.state is not EffectState.SENT or after.rung is None:
            return
        given = [one for one in incident.reminders if one.rung == after.rung]
        if given:
            # After a crash in between it counts from the moment at which it was written down.
            since = self._owed.get(given[-1].seq, given[-1].at)
            REMINDER_LATENESS_SECONDS.observe(max(0.0, (now - since).total_seconds()))
