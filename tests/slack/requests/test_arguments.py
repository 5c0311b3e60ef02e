"""How each kind of argument reads: times, people, numbers of incidents, words that are nearly known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.errors import Refused
from bot.slack.requests.arguments import (
    Tense,
    TimeWithoutZone,
    closest_word,
    exact_time,
    incident_in,
    person_in,
    severity_like,
    time_in,
)
from bot.slack.surfaces.acts import ACT_OF_WORD

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
ANA, BEN = "U01ANASILVA", "U01BENOKAFO"


@pytest.mark.parametrize(
    ("text", "moment", "rest"),
    [
        pytest.param("13:40 UTC", "2026-03-02 13:40", "", id="a clock time of today"),
        pytest.param("13:40utc rest of it", "2026-03-02 13:40", "rest of it", id="without a space, with words after"),
        pytest.param("9:05 gmt", "2026-03-02 09:05", "", id="one digit, GMT"),
        pytest.param("23:50 UTC", "2026-03-02 23:50", "", id="nearest: tonight is nearer than last night"),
        pytest.param("01:00 UTC", "2026-03-03 01:00", "", id="nearest: 11 hours ahead is nearer than 13 back"),
        pytest.param("2026-02-27 22:15 UTC", "2026-02-27 22:15", "", id="a date is taken as it is"),
        pytest.param("2026-02-27T22:15Z", "2026-02-27 22:15", "", id="ISO"),
        pytest.param("in 20 min", "2026-03-02 14:20", "", id="a length ahead"),
        pytest.param("2 h", "2026-03-02 16:00", "", id="a length without in"),
        pytest.param("20 min ago it began", "2026-03-02 13:40", "it began", id="a length back"),
        pytest.param("25:00 UTC", None, "", id="no such hour"),
        pytest.param("12:75 UTC", None, "", id="no such minute"),
        pytest.param("2026-13-01 10:00 UTC", None, "", id="no such month"),
        pytest.param("2026-13-01 10:00", None, "", id="no such month, and no zone"),
        pytest.param("yesterday", None, "", id="words are not a time"),
        pytest.param("", None, "", id="nothing"),
    ],
)
def test_times(text: str, moment: str | None, rest: str) -> None:
    found = time_in(text, NOW)
    if moment is None:
        assert found is None
    else:
        assert found == (datetime.fromisoformat(moment).replace(tzinfo=UTC), rest)


def test_what_happened_lies_in_the_past() -> None:
    """23:50 said at 14:00 is tonight for a promise, and last night for a note."""
    assert time_in("23:50 UTC", NOW, Tense.PAST) == (datetime(2026, 3, 1, 23, 50, tzinfo=UTC), "")
    assert time_in("14:05 UTC", NOW, Tense.PAST) == (datetime(2026, 3, 2, 14, 5, tzinfo=UTC), "")  # a slip: refused


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("23:50 UTC", "2026-03-02 23:50", id="still to come today"),
        pytest.param("13:40 UTC", "2026-03-03 13:40", id="over today, so tomorrow's"),
        pytest.param("01:00 UTC", "2026-03-03 01:00", id="nearest is tomorrow's already"),
        pytest.param("2026-03-01 23:50 UTC", "2026-03-01 23:50", id="a date is taken as it is, and a rule refuses it"),
        pytest.param("20 min ago", "2026-03-02 13:40", id="a length is taken as it is, too"),
    ],
)
def test_what_is_planned_lies_ahead(text: str, moment: str) -> None:
    assert time_in(text, NOW, Tense.FUTURE) == (datetime.fromisoformat(moment).replace(tzinfo=UTC), "")


@pytest.mark.parametrize("text", ["13:40", "soon", "13:40 UTC or so", "", "25:00 UTC"])
def test_a_form_takes_a_time_and_nothing_else(text: str) -> None:
    with pytest.raises(Refused, match="with its zone") as refused:
        exact_time(text, NOW, Tense.PAST, "at")
    assert refused.value.field == "at"


@pytest.mark.parametrize(
    ("text", "zoneless"),
    [
        pytest.param("13:40", TimeWithoutZone(13, 40), id="bare"),
        pytest.param("13.40 we saw it", TimeWithoutZone(13, 40, after="we saw it"), id="with a dot, and words"),
        pytest.param("13h40", TimeWithoutZone(13, 40), id="with an h"),
        pytest.param("2026-03-01 13:40 x", TimeWithoutZone(13, 40, "2026-03-01", after="x"), id="the day is kept"),
    ],
)
def test_a_time_without_a_zone_is_not_a_moment(text: str, zoneless: TimeWithoutZone) -> None:
    assert time_in(text, NOW) == zoneless


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        pytest.param("stauts", "status", id="neighbours swapped"),
        pytest.param("resolv", "resolve", id="a letter short"),
        pytest.param("mitigaet", "mitigate", id="swapped in a long word"),
        pytest.param("notte", "note", id="a letter doubled"),
        pytest.param("lst", "list", id="three letters, one missing"),
        pytest.param("hepl", "help", id="swapped in a short word"),
        pytest.param("st", None, id="the word itself is no near miss"),
        pytest.param("zz", None, id="too short to be near anything"),
        pytest.param("withdrawals", None, id="a word of its own"),
        pytest.param("statusquo", None, id="three letters too many"),
    ],
)
def test_near_misses(word: str, meant: str | None) -> None:
    assert closest_word(word, ACT_OF_WORD) == meant


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("me", (ANA, ""), id="oneself"),
        pytest.param("me please", (ANA, "please"), id="oneself, and more"),
        pytest.param("<@U01BENOKAFO|ben> now", (BEN, "now"), id="a mention with a label"),
        pytest.param("<@U01BENOKAFO>", (BEN, ""), id="a mention"),
        pytest.param("@ben.o, x", ("@ben.o", ", x"), id="a handle that Slack did not resolve"),
        pytest.param("meadow", None, id="a word that only begins with me"),
        pytest.param("ben", None, id="a bare name could be anything"),
    ],
)
def test_people(text: str, found: tuple[str, str] | None) -> None:
    assert person_in(text, ANA) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        pytest.param("INC-40", 40, id="as the bot writes it"),
        pytest.param("inc40", 40, id="in a hurry"),
        pytest.param("#40", 40, id="hash"),
        pytest.param("40", 40, id="bare"),
        pytest.param("INC-40b", None, id="something after it"),
        pytest.param("12345678", None, id="no number of ours"),
    ],
)
def test_incident_numbers(text: str, number: int | None) -> None:
    assert incident_in(text) == number


@pytest.mark.parametrize(
    ("word", "like"),
    [
        pytest.param("sev1", True, id="known"),
        pytest.param("SEV-9", True, id="unknown, and still meant as one"),
        pytest.param("p7", True, id="a priority"),
        pytest.param("p99", False, id="a latency"),
        pytest.param("several", False, id="a word"),
        pytest.param("1", False, id="a number alone"),
    ],
)
def test_words_that_can_only_be_severities(word: str, like: bool) -> None:
    assert severity_like(word) is like
