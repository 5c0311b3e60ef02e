"""Folded incidents, kept while their timeline has not moved on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.incident import Incident


@dataclass(frozen=True)
class FoldedIncident:
    """An incident as of `head` and `redactions`; `mac` is its last event's, which the next one links to."""

    incident: Incident
    mac: str
    head: str
    redactions: int


class FoldCache:
    """The most recently used incidents. Used from the writer's thread and from the loop's."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, FoldedIncident] = OrderedDict()
        self._doubted: set[str] = set()
        #: (what, team, name) -> id: incidents by their channels, and those that are open by their groups of alerts
        self._named: dict[tuple[str, str, str], str] = {}

    def latest(self, id: str) -> FoldedIncident | None:
        """The incident as this process last knew it: as it stands, unless another process has written since."""
        with self._lock:
            one = self._kept.get(id)
            if one is not None:
                self._kept.move_to_end(id)
            return one

    def in_channel(self, team: str, channel: str) -> str | None:
        """The id of the incident that this process knows in that channel; None: the database has to say."""
        with self._lock:
            return self._named.get(("channel", team, channel))

    def of_group(self, team: str, group: str) -> str | None:
        """The id of the incident of this group of alerts that is open, as far as this process knows."""
        with self._lock:
            return self._named.get(("group", team, group))

    def get(self, id: str, head: str, redactions: int) -> FoldedIncident | None:
        """What is kept for exactly this state of the timeline."""
        with self._lock:
            one = self._kept.get(id)
            if one is None or one.head != head or one.redactions != redactions:
                return None
            self._kept.move_to_end(id)
            return one

    def put(self, many: Iterable[FoldedIncident]) -> None:
        """Keep these. An older state never replaces a newer one (a slow reader against the writer)."""
        with self._lock:
            for one in many:
                id = one.incident.id
                known = self._kept.get(id)
                if known and (known.redactions, known.incident.seq) > (one.redactions, one.incident.seq):
                    continue
                self._kept[id] = one
                self._doubted.discard(id)
                self._kept.move_to_end(id)
                if known:
                    self._unname(known.incident)
                self._named |= dict.fromkeys(_names(one.incident), id)
            while len(self._kept) > self._most:
                which, gone = self._kept.popitem(last=False)
                self._doubted.discard(which)
                self._unname(gone.incident)

    def _unname(self, incident: Incident) -> None:
        for name in _names(incident):
            if self._named.get(name) == incident.id:
                del self._named[name]

    def if_fresh(self, id: str) -> FoldedIncident | None:
        """The incident, unless somebody else is known to have written since."""
        with self._lock:
            return None if id in self._doubted else self._kept.get(id)

    def mark_stale(self, id: str = "") -> None:
        """Somebody else has changed it, or, without an id, may have changed anything.

        It is kept: events are only ever added, so what it folded is where the next fold begins.
        """
        with self._lock:
            self._doubted |= {id} if id else set(self._kept)

    def clear(self) -> None:
        """Forget everything: nobody knows what the database holds now."""
        with self._lock:
            self._kept.clear()
            self._doubted.clear()
            self._named.clear()


def _names(incident: Incident) -> list[tuple[str, str, str]]:
    names = [("channel", incident.channel), ("group", incident.alert_group if incident.open else "")]
    return [(what, incident.team, name) for what, name in names if name]
