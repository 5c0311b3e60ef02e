from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.domain import cadence, lifecycle
from bot.domain import events as e
from bot.reports.statistics import DueOutcome, Duration, scorecard, times
from tests.domain.story import ANA, BEGIN, BEN, BOT, POLICY, Story


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def update(story: Story, text: str = "Still looking.") -> None:
    story.tell(cadence.post_update, text=text, next_by=None, by=ANA, policy=POLICY)


def remind(story: Story) -> None:
    story.tell(cadence.remind, by=BOT, policy=POLICY)


def tell_customers(story: Story, draft: str, promised: float | None) -> None:
    """A text goes out now; `promised`: minutes after the declaration."""
    at, until = story.now, BEGIN + minutes(promised) if promised is not None else None
    story.keep(
        e.CommsDrafted(
            by="UANA", at=at, draft=draft, template="t", audience="customers", stage="investigating", revision="r",
            text="x", text_hash="h", promised=until, expires=at + minutes(60),
        ),
        e.CommsApproved(by="UBEN", at=at, draft=draft, text_hash="h"),
        e.CommsSending(by="bot", at=at, draft=draft),
        e.CommsPublished(by="bot", at=at, draft=draft, publisher="slack", where="C9"),
    )  # fmt: skip


def end(story: Story) -> None:
    story.keep(e.Resolved(by="UANA", at=story.now))


class TestTimes:
    def test_of_an_alert_that_people_answer(self) -> None:
        story = Story()
        story.entries.clear()
        story.incident = story.refold()
        story.tell(lifecycle.declare, number=42, title="Queue grows", severity="sev1", by=BOT, policy=POLICY)
        story.later(4).tell(lifecycle.acknowledge, by=BEN)
        story.tell(lifecycle.correct_start, started=BEGIN - minutes(22), by=BEN)
        story.later(41).tell(lifecycle.mitigate, note="", by=BEN)
        end(story.later(75))
        assert times(story.incident) == times(story.refold())
        told = times(story.incident)
        assert (told.to_declare, told.to_acknowledge) == (minutes(22), minutes(4))
        start = BEGIN - minutes(22)
        assert told.to_mitigate == (
            Duration("start", start, minutes(67)),
            Duration("declaration", BEGIN, minutes(45)),
        )
        assert told.to_end == (
            Duration("start", start, minutes(142)),
            Duration("declaration", BEGIN, minutes(120)),
        )

    def test_what_has_not_happened_has_no_time(self) -> None:
        told = times(Story().incident)
        assert (told.to_acknowledge, told.to_mitigate, told.to_end, told.to_declare) == (timedelta(), (), (), None)

    def test_a_start_after_the_declaration_is_no_lag(self) -> None:
        story = Story().later(10)
        story.tell(lifecycle.correct_start, started=BEGIN + minutes(5), by=BEN)
        assert times(story.incident).to_declare is None


def _raise(story: Story) -> None:
    update(story.later(5))
    story.later(10).tell(
        lifecycle.change_severity, severity="sev1", reason="", responders=(), by=ANA, policy=POLICY
    )  # fmt: skip
    update(story.later(31))
    end(story)


def _reminded(story: Story) -> None:
    for step in (25, 5):
        remind(story.later(step))
    update(story.later(4))
    end(story)


def _snoozed(story: Story) -> None:
    remind(story.later(25))
    story.later(5).tell(cadence.snooze, by=ANA, policy=POLICY)
    update(story.later(9))
    end(story)


def _regular(story: Story) -> None:
    for wait in (30, 29, 30.5):
        update(story.later(wait))
    end(story)


def _silent(story: Story) -> None:
    update(story.later(20))
    end(story.later(45))


def _undone(story: Story) -> None:
    update(story.later(10), "Wrong channel")
    story.tell(cadence.undo_update, seq=story.entries[-1].seq, by=ANA, policy=POLICY)
    update(story.later(10))
    end(story)


def _unended(story: Story) -> None:
    update(story.later(20))
    story.later(10)


@pytest.mark.parametrize(
    ("tell", "severity", "late", "score"),
    [
        # SEV-1: every 30 minutes; half a minute is no lateness
        pytest.param(_regular, "sev1", [0, 0, 0], (3, 3), id="on time"),
        # the reminder had come due: four minutes late
        pytest.param(_reminded, "sev1", [4], (0, 1), id="late"),
        # put off before it was due
        pytest.param(_snoozed, "sev1", [0], (1, 1), id="snoozed"),
        # promised in two hours, but raised: due 30 minutes after the raise
        pytest.param(_raise, "sev2", [0, 1], (1, 2), id="raised"),
        # the second one was never told
        pytest.param(_silent, "sev1", [0, None], (1, 2), id="never told"),
        # an update withdrawn is none
        pytest.param(_undone, "sev1", [0], (1, 1), id="undone"),
        # SEV-3 asks for no update, so none is on time or late
        pytest.param(_regular, "sev3", [0, 0, 0], (0, 0), id="no cadence"),
        # an open incident whose next update lies ahead owes nothing yet
        pytest.param(_unended, "sev1", [0], (1, 1), id="still open"),
    ],
)
def test_updates(tell: Callable[[Story], None], severity: str, late: list[int | None], score: tuple[int, int]) -> None:
    story = Story(severity=severity)
    tell(story)
    card = scorecard(story.incident, POLICY, story.now)
    assert [None if one.told_at is None else one.late // minutes(1) for one in card.updates] == late
    assert card.updates_on_time == score


@pytest.mark.parametrize(
    ("texts", "ends", "kept", "open_"),
    [
        # each text answers the promise of the one before
        pytest.param([(10, 40), (39, 70), (70, None)], 80, (2, 2), 0, id="kept"),
        # nine minutes late
        pytest.param([(10, 40), (49, None)], 80, (0, 1), 0, id="late"),
        # promised, and nobody ever heard
        pytest.param([(10, 40)], 80, (0, 1), 0, id="never"),
        # over before the promised time: neither kept nor broken
        pytest.param([(10, 40)], 30, (0, 0), 1, id="over before"),
        # a text without a promise promises nothing
        pytest.param([(10, None), (40, None)], 80, (0, 0), 0, id="none made"),
    ],
)
def test_promises(texts: list[tuple[int, float | None]], ends: int, kept: tuple[int, int], open_: int) -> None:
    story = Story()
    passed = 0
    for number, (at, promised) in enumerate(texts):
        tell_customers(story.later(at - passed), f"d{number}", promised)
        passed = at
    end(story.later(ends - passed))
    card = scorecard(story.incident, POLICY, story.now + minutes(600))
    assert card.promises_kept == kept
    assert sum(one.open for one in card.promises) == open_


def test_the_longest_silence_counts_what_anybody_was_told() -> None:
    story = Story()
    update(story.later(20))
    tell_customers(story.later(15), "d1", None)
    end(story.later(18))
    silence = scorecard(story.incident, POLICY, story.now).silence
    assert silence is not None
    assert (silence.length, silence.begin) == (minutes(20), BEGIN)


@pytest.mark.parametrize(
    ("late_by", "late"),
    [
        pytest.param(0, 0, id="to the second"),
        pytest.param(59, 0, id="within the minute"),
        pytest.param(60, 60, id="a minute"),
        pytest.param(-300, 0, id="early"),
    ],
)
def test_lateness_is_told_in_minutes(late_by: int, late: int) -> None:
    assert DueOutcome(BEGIN, BEGIN + timedelta(seconds=late_by)).late == timedelta(seconds=late)
