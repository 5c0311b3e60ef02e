"""What an earlier version of the program said about an incident that has ended stays as it was said.

Words change with a version. Messages of open incidents are brought up to date once; those of an ended one are edited
only by what still happens to it. A row among the incident's calls says which version has shown it while it was open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot import __version__
from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage
from bot.domain.effect import Effect, EffectKind, EffectState
from bot.domain.fold import fold
from bot.domain.incident import Incident
from bot.reconciler import delivery_state

#: the key of the row
SHOWN_BY = "words"
#: what happened so lately may not have been shown yet: it is not taken for what stood there before
_SETTLED_AFTER = timedelta(minutes=10)


def is_current(incident: Incident, effects: Mapping[str, Effect]) -> bool:
    """Whether everything about it is to be shown in this version's words."""
    mark = effects.get(SHOWN_BY)
    return incident.open or not effects or (mark is not None and mark.hash == __version__)


def new_mark(incident: Incident, effects: Mapping[str, Effect], now: datetime) -> Effect | None:
    """The row that says so; None where it is there."""
    mark = effects.get(SHOWN_BY)
    if mark is not None and mark.hash == __version__:
        return None
    fresh = mark or delivery_state.new_effect(incident.id, incident.team, SHOWN_BY, EffectKind.WORDS, now)
    return replace(fresh, state=EffectState.SENT, hash=__version__)


def before_now(incident: Incident, entries: Iterable[e.Entry], now: datetime) -> Incident | None:
    """The incident as it stood before what has just happened to it; None where it was open then.

    None as well where words were taken out of the record: whatever told them has to be edited.
    """
    some = list(entries)
    if any(isinstance(one.event, e.Redacted) for one in some):
        return None
    new = next((one.seq for one in some if one.event and one.event.at > now - _SETTLED_AFTER), incident.seq + 1)
    then = fold(incident.team, incident.id, [one for one in some if one.seq < new])
    return None if then.open or not then.seq else then


def unchanged(
    shown_then: Sequence[DesiredMessage],
    shown_now: Sequence[DesiredMessage],
    effects: Mapping[str, Effect],
    *,
    same_topic: bool,
) -> frozenset[str]:
    """Keys of what stands in Slack and would be edited for its words alone; nothing where its end is not shown yet."""
    stands = {one.key for one in effects.values() if one.state is EffectState.SENT and one.hash and not one.attempts}
    if any(one.tells_status and one.key not in stands for one in shown_then):
        return frozenset()
    before = {one.key: one.hash for one in shown_then if not one.delete}
    same = {one.key for one in shown_now if not one.delete and before.get(one.key) == one.hash}
    same |= {"topic"} if same_topic else set()
    return frozenset(same & stands)
