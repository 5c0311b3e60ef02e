"""Messages that were made before: what nobody has touched is not made again for every change beside it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from bot.domain.message import Message

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

    def of(self, incident_id: str) -> Made:
        """What was made for this incident. That of others is forgotten where all together is too much."""
        made = self._incidents.setdefault(incident_id, Made())
        self._incidents.move_to_end(incident_id)
        while len(self._incidents) > 1 and self.count > self._most:
            self._incidents.popitem(last=False)
        return made

    @property
    def count(self) -> int:
        """Messages that are kept."""
        return sum(map(len, self._incidents.values()))
