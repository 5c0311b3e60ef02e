"""Messages that were made before: what nobody has touched is not made again for every change beside it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from bot.domain.desired_message import Message

#: kept of all incidents together, each about 2 kB; one incident alone may have more
MOST = 5_000


class Made:
    """One incident's messages by their keys, each with what it was made from: those of last time, and so far."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[tuple[object, ...], Message]] = {}
        self._made: dict[str, tuple[tuple[object, ...], Message]] = {}

    def all(self) -> None:
        """These are all. What nobody has asked for this time is forgotten."""
        self._before, self._made = self._made, {}

    def message(self, key: str, made_from: tuple[object, ...], make: Callable[[], Message]) -> Message:
        """The message of that key: the one that was made from the same last time, or a new one."""
        known = self._before.get(key)
        if known is None or known[0] != made_from:
            known = made_from, make()
        self._made[key] = known
        return known[1]

    def __len__(self) -> int:
        return len(self._before)


class MadeLately:
    """What was made for the incidents that were shown last."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._incidents: OrderedDict[str, Made] = OrderedDict()
        #: how many messages each had when it was last counted; the latest is filled after it is handed out
        self._counted: dict[str, int] = {}
        self._latest = ""
        #: messages that are kept, as far as counted
        self.count = 0

    def of(self, incident_id: str) -> Made:
        """What was made for this incident. That of others is forgotten where all together is too much."""
        self._weigh()
        self._latest = incident_id
        made = self._incidents.setdefault(incident_id, Made())
        self._incidents.move_to_end(incident_id)
        while self.count > self._most and len(self._incidents) > 1:
            self._forget(next(iter(self._incidents)))
        return made

    def _weigh(self) -> None:
        if (made := self._incidents.get(self._latest)) is None:
            return
        self.count += len(made) - self._counted.get(self._latest, 0)
        self._counted[self._latest] = len(made)
        if not len(made):  # most incidents have no such messages
            self._forget(self._latest)

    def _forget(self, incident_id: str) -> None:
        del self._incidents[incident_id]
        self.count -= self._counted.pop(incident_id, 0)
