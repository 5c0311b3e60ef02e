"""Messages that were made before: what nobody has touched is not made again for every change beside it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from bot.domain.desired_message import DesiredMessage

#: kept of all incidents together, each about 2 kB; one incident alone may have more
MAX_CACHED_MESSAGES = 5_000


class IncidentMessageCache:
    """One incident's messages by their keys, each with what it was made from: those of last time, and so far."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[tuple[object, ...], DesiredMessage]] = {}
        self._made: dict[str, tuple[tuple[object, ...], DesiredMessage]] = {}

    def evict_unused(self) -> None:
        """These are all. What nobody has asked for this time is forgotten."""
        self._before, self._made = self._made, {}

    def get_or_render(
        self, key: str, inputs: tuple[object, ...], render: Callable[[], DesiredMessage]
    ) -> DesiredMessage:
        """The message of that key: the one that was made from the same last time, or a new one."""
        known = self._before.get(key)
        if known is None or known[0] != inputs:
            known = inputs, render()
        self._made[key] = known
        return known[1]

    def __len__(self) -> int:
        return len(self._before)


class MessageCache:
    """What was made for the incidents that were shown last."""

    def __init__(self, max_messages: int = MAX_CACHED_MESSAGES) -> None:
        self._most = max_messages
        self._incidents: OrderedDict[str, IncidentMessageCache] = OrderedDict()
        #: how many messages each had when it was last counted; the latest is filled after it is handed out
        self._counted: dict[str, int] = {}
        self._latest = ""
        #: messages that are kept, as far as counted
        self.count = 0

    def for_incident(self, incident_id: str) -> IncidentMessageCache:
        """What was made for this incident. That of others is forgotten where all together is too much."""
        self._count_latest()
        self._latest = incident_id
        made = self._incidents.setdefault(incident_id, IncidentMessageCache())
        self._incidents.move_to_end(incident_id)
        while self.count > self._most and len(self._incidents) > 1:
            self._evict(next(iter(self._incidents)))
        return made

    def _count_latest(self) -> None:
        if (made := self._incidents.get(self._latest)) is None:
            return
        self.count += len(made) - self._counted.get(self._latest, 0)
        self._counted[self._latest] = len(made)
        if not len(made):  # most incidents have no such messages
            self._evict(self._latest)

    def _evict(self, incident_id: str) -> None:
        del self._incidents[incident_id]
        self.count -= self._counted.pop(incident_id, 0)
