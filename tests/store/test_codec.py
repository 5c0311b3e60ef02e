"""What was written once can be read for ever."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import events as e
from bot.domain.fold import fold
from bot.store import codec, timestamps
from bot.store.errors import Damaged

from .acts import NOW
from .timeline import amounts_to

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))

_moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=11))]),
)
_text = st.text(st.characters(exclude_categories=["Cs"]))
st.register_type_strategy(str, _text)
st.register_type_strategy(datetime, _moments)


def read(row: codec.EncodedEvent) -> e.Event:
    return codec.decode(row.type, row.at, row.by, row.body)


@pytest.mark.parametrize("type", e.EVENTS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_event_is_read_as_it_was_written(type: str, data: st.DataObject) -> None:
    event = data.draw(st.from_type(e.EVENTS[type]))
    row, kept = codec.encode(event)
    assert kept is event
    back = read(row)
    assert back == event and back.__class__ is event.__class__
    assert codec.encode(back)[0] == row  # one spelling only
    assert json.loads(row.body).keys().isdisjoint({"by", "at"})


@given(st.text(st.characters(categories=["Cs", "L", "So"])))
@settings(deadline=None)
def test_half_characters_become_replacement_characters(text: str) -> None:
    row, kept = codec.encode(e.ImpactStated(by="U1", at=NOW, impact=text))
    row.body.encode()
    assert read(row) == kept


@given(_moments, _moments)
def test_moments_sort_as_text(a: datetime, b: datetime) -> None:
    assert (timestamps.to_text(a) < timestamps.to_text(b)) == (a < b)
    assert timestamps.from_text(timestamps.to_text(a)) == a
    assert len(timestamps.to_text(a)) == 27


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-11-20T14:32:00Z", id="no fraction"),
        pytest.param("2026-11-20T14:32:00.000000+00:00", id="the same moment, spelt otherwise"),
        pytest.param("2026-11-20 14:32:00.000000Z", id="a blank"),
        pytest.param("2026-11-20T14:32:00.000000", id="no zone"),
        pytest.param("yesterday", id="no moment"),
    ],
)
def test_moments_have_one_spelling(text: str) -> None:
    with pytest.raises(ValueError):
        timestamps.from_text(text)


@pytest.mark.parametrize(
    ("type", "body", "event"),
    [
        # a later release gave Declared more fields: this text is of before them
        pytest.param("Declared", {"number": 1, "title": "x", "severity": "sev1"},
                     e.Declared(by="U1", at=NOW, number=1, title="x", severity="sev1"), id="missing fields"),
        # and this one is of a release to come
        pytest.param("Acknowledged", {"mood": "calm"}, e.Acknowledged(by="U1", at=NOW), id="unknown field"),
        pytest.param("Invited", {"refused": [{"user": "U2", "error": "x", "since": "y"}]},
                     e.Invited(by="U1", at=NOW, refused=(e.Refusal(user="U2", error="x"),)), id="unknown field inside"),
        pytest.param("Teleported", {"to": "Mars"}, e.Unknown(by="U1", at=NOW, type="Teleported"), id="unknown type"),
        # what cannot be done by way of a body: to speak as somebody else
        pytest.param("Acknowledged", {}, e.Acknowledged(by="U1", at=NOW), id="nothing"),
    ],
)  # fmt: skip
def test_other_releases_are_read(type: str, body: dict[str, Any], event: e.Event) -> None:
    assert codec.decode(type, timestamps.to_text(NOW), "U1", json.dumps(body, separators=(",", ":"))) == event


@pytest.mark.parametrize(
    ("type", "body"),
    [
        pytest.param("Declared", "{}", id="a field without default is missing"),
        pytest.param("Declared", "not json", id="no JSON"),
        pytest.param("TaskDone", '{"seq":"many"}', id="of another type"),
    ],
)
def test_what_this_program_cannot_have_written_is_damage(type: str, body: str) -> None:
    with pytest.raises(Damaged) as caught:
        codec.decode(type, timestamps.to_text(NOW), "U1", body)
    assert "many" not in str(caught.value)  # what people wrote stays out of messages


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(e.Acknowledged(by="U1", at=NOW.replace(tzinfo=None)), id="no zone"),
        pytest.param(e.Snoozed(by="U1", at=NOW, until=NOW.replace(tzinfo=None)), id="no zone inside"),
        pytest.param(e.Event(by="U1", at=NOW), id="no event of the registry"),
        # a list would be read back as a tuple: the incident in memory and the one read would differ
        pytest.param(e.StoodDown(by="U1", at=NOW, to=["U1"]), id="a list for a tuple"),  # type: ignore[arg-type]
    ],
)
def test_what_would_not_be_read_as_it_is_is_not_written(event: e.Event) -> None:
    with pytest.raises(ValueError):
        codec.encode(event)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_timelines_of_every_release_load(path: Path) -> None:
    golden = json.loads(path.read_text())
    entries = []
    for seq, row in enumerate(golden["events"], 1):
        event = codec.decode(row["type"], row["at"], row["by"], json.dumps(row["body"], separators=(",", ":")))
        assert not isinstance(event, e.Unknown)
        written = codec.encode(event)[0]
        again = json.loads(written.body)
        assert {name: again[name] for name in row["body"]} == row["body"]  # nothing of it was lost
        assert (written.at, written.by) == (row["at"], row["by"])
        entries.append(e.Entry(seq, event))
    assert amounts_to(fold("T0TEAM", "golden", entries)) == golden["amounts_to"]


def test_every_type_is_in_a_golden_timeline() -> None:
    """A new type? Add it to `story()` in timeline.py and keep its output as golden/<the next release>.json."""
    kept = {row["type"] for path in GOLDEN for row in json.loads(path.read_text())["events"]}
    assert set(e.EVENTS) - kept == set()
