"""What is recorded of an incident that people ran by hand: its times, its people, what was pinned, in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import duties
from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.backfill import AdoptedChannel, PinnedMessage, adopt
from bot.domain.errors import Refused
from bot.domain.fold import fold
from bot.domain.incident import Incident, Status
from bot.domain.policy import Policy
from bot.reports import statistics

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ANA = Actor("T1", "UANA", "ana")
POLICY = Policy()


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def pinned(ts: str, minutes: float, **more: Any) -> PinnedMessage:
    return PinnedMessage(ts, ago(minutes=minutes), **{"text": f"at {ts}", "author": "UBEN", **more})


def adopted(found: AdoptedChannel | None = None, **more: Any) -> tuple[list[e.Event], Incident]:
    found = found or AdoptedChannel("C1", "inc-stuck", ago(hours=2), members=("UANA", "UBEN"))
    told: dict[str, Any] = {"title": "Stuck", "severity": "sev1", "began": ago(hours=1)} | more
    events = adopt(Incident("T1", "id"), number=7, found=found, by=ANA, at=NOW, policy=POLICY, **told)
    return events, fold("T1", "id", [e.Entry(seq, one) for seq, one in enumerate(events, 1)])


@pytest.mark.parametrize(
    ("more", "field"),
    [
        pytest.param({"began": ago(minutes=-2)}, "began", id="begins in two minutes"),
        pytest.param({"began": ago(days=400)}, "began", id="more than a year ago"),
        pytest.param({"over": ago(hours=2)}, "over", id="over before it began"),
        pytest.param({"over": ago(minutes=-2)}, "over", id="over in two minutes"),
        pytest.param({"title": ":fire:"}, "title", id="a title without words"),
    ],
)
def test_what_cannot_be(more: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        adopted(**more)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("more", "private", "called"),
    [
        pytest.param({"responders": ("UBEN", "UCARLA")}, False, ("UCARLA",), id="who is there is not called"),
        pytest.param({"responders": ("UCARLA",), "over": NOW}, False, (), id="to what is over nobody is"),
        pytest.param({"responders": ("UCARLA",)}, True, (), id="nor into a private one"),
    ],
)
def test_who_is_called(more: dict[str, Any], private: bool, called: tuple[str, ...]) -> None:
    _, incident = adopted(AdoptedChannel("C1", "x", NOW, private=private, members=("UANA", "UBEN")), **more)
    assert incident.responders == called
    assert duties.channel_needs(incident).people == called and not duties.channel_needs(incident).channel


def test_while_it_goes_on_the_clocks_run_from_now() -> None:
    _, incident = adopted()
    assert (incident.open, incident.lead, incident.declared_at, incident.started) == (True, "UANA", NOW, ago(hours=1))
    assert duties.due_rules(incident, POLICY, NOW) == []
    assert (duties.next_at(incident, POLICY, NOW) or NOW) > NOW


def test_when_it_is_over_nothing_is_owed() -> None:
    _, incident = adopted(over=ago(minutes=20))
    assert (incident.status, incident.lead, incident.ended_at) == (Status.RESOLVED, "", ago(minutes=20))
    assert duties.next_at(incident, POLICY, NOW) is None
    times = statistics.times(incident)
    assert times.to_end == (statistics.Duration("start", ago(hours=1), timedelta(minutes=40)),)
    assert (times.to_declare, times.to_acknowledge) == (None, None)
    card = statistics.scorecard(incident, POLICY, NOW)
    assert card.updates == () and (card.silence is None or not card.silence.length)


def test_a_secret_leaves_the_fact_alone() -> None:
    secret = pinned("2.0", 5, text="", secret="Stellar secret seed")
    events, incident = adopted(AdoptedChannel("C1", "x", NOW, pinned=(secret, pinned("1.0", 9))))
    assert [one.noted.message_ts for one in incident.notes] == ["1.0"]
    assert [one.kind for one in events if isinstance(one, e.SecretRefused)] == ["Stellar secret seed"]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(-5, 500)), max_size=12))
def test_each_pinned_message_once_in_order_of_time(some: list[tuple[int, int]]) -> None:
    found = AdoptedChannel("C1", "x", NOW, pinned=tuple(pinned(f"{n}.0", minutes) for n, minutes in some))
    _, incident = adopted(found)
    noted = [one.noted for one in incident.notes]
    assert {one.message_ts for one in noted} == {f"{n}.0" for n, _ in some}
    assert len(noted) == len({n for n, _ in some})
    happened = [one.happened for one in noted]
    assert happened == sorted(happened) and all(at <= NOW for at in happened)
    assert all(one.backfilled and one.author == "UBEN" for one in noted)
