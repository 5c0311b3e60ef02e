from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import backfill, cadence, lifecycle, notes
from bot.domain import events as e
from bot.domain.errors import Refused
from bot.domain.fold import fold
from bot.domain.incident import Incident
from bot.reports import statistics
from tests.domain.story import ANA, BEGIN, BEN, BOT, POLICY, TEAM, Story
from tests.slack.surfaces.same_figures import check, draft, minutes, shown


def told(severity: str = "sev1") -> Story:
    """With its channel, so that messages stand."""
    story = Story(severity=severity)
    story.keep(e.ChannelOpened(by="bot", at=story.now, channel="C42", name="inc-42"))
    return story


def update(story: Story) -> None:
    story.tell(cadence.post_update, text="Still looking.", next_by=None, by=ANA, policy=POLICY)


def resolve(story: Story) -> None:
    story.keep(e.Resolved(by="UANA", at=story.now, note="over"))


def false_alarm(story: Story) -> None:
    story.tell(lifecycle.call_false_alarm, reason="the dashboard", by=ANA)


def duplicate(story: Story) -> None:
    story.keep(e.MarkedDuplicate(by="UANA", at=story.now, of=40, of_channel="C40"))


def close(story: Story) -> None:
    story.tell(lifecycle.close, note="", by=ANA)


def reopen(story: Story) -> None:
    story.tell(lifecycle.reopen, reason="", by=BEN)


def publish(story: Story, draft: str, promised: float | None) -> None:
    """A text goes out now; `promised`: minutes after the declaration."""
    at, until = story.now, BEGIN + minutes(promised) if promised is not None else None
    story.keep(
        e.CommsDrafted(
            by="UANA", at=at, draft=draft, template="t", audience="customers", stage="investigating", revision="r",
            text="x", text_hash="h", promised=until, expires=at + minutes(60),
        ),
        e.CommsPublished(by="bot", at=at, draft=draft, publisher="slack", where="C9"),
    )  # fmt: skip


def ending(story: Story) -> str:
    """The message in the channel about the latest end."""
    check(story.incident, story.entries, POLICY, story.now)
    check(story.refold(), story.entries, POLICY, story.now)
    seq = max(one.seq for one in story.entries if isinstance(one.event, e.Resolved))
    return shown(story.incident, POLICY, story.now)[f"status:{seq}"]


# -- updates and promises ---------------------------------------------------------------------------


def _by_the_reminder(story: Story) -> None:
    update(story.later(20))
    story.later(45)


def _late_by(seconds: float) -> Callable[[Story], None]:
    def tell(story: Story) -> None:
        update(story.later(30 + seconds / 60))

    return tell


def _undone(story: Story) -> None:
    update(story.later(31))
    story.tell(cadence.undo_update, seq=story.entries[-1].seq, by=ANA, policy=POLICY)
    story.later(1)


def _nobody_asked(story: Story) -> None:
    update(story.later(2))
    update(story.later(2))


def _a_day_between(story: Story) -> None:
    story.tell(cadence.remind, by=BOT, policy=POLICY)
    update(story.later(24 * 60))


def _combined_with_a_promise(story: Story) -> None:
    publish(story, "d1", 30)
    story.later(30).tell(cadence.remind, by=BOT, policy=POLICY)
    publish(story.later(2), "d2", None)
    update(story.later(1))


def _moved(story: Story) -> None:
    publish(story, "d1", 15)
    publish(story.later(14), "d2", 25)
    publish(story.later(10), "d3", None)


def _kept_after_the_end(story: Story) -> None:
    publish(story, "d1", 25)
    resolve(story.later(10))
    publish(story.later(10), "d2", None)


def _broken_after_the_end(story: Story) -> None:
    publish(story, "d1", 25)
    resolve(story.later(10))
    story.later(30).keep(e.Noted(by="UBEN", at=story.now, text="x", happened=story.now))


@pytest.mark.parametrize(
    ("tell", "score"),
    [
        # the founders' "All 2 updates on time": the next one was 15 minutes overdue at the end
        pytest.param(_by_the_reminder, "1 of 2 updates on time.", id="overdue at the end"),
        pytest.param(_late_by(59), "The one update on time.", id="59 s late"),
        pytest.param(_late_by(60), "0 of 1 update on time.", id="60 s late"),
        # the update that was due 14:32 UTC was taken back: nobody was told
        pytest.param(_undone, "0 of 1 update on time.", id="undone"),
        pytest.param(_nobody_asked, "All 2 updates on time.", id="answers no reminder"),
        pytest.param(_a_day_between, "0 of 1 update on time.", id="a day between"),
        pytest.param(
            _combined_with_a_promise, "0 of 1 update on time; 0 of 1 promise to customers kept.", id="both due"
        ),
        pytest.param(_moved, "No update was posted; all 2 promises to customers kept.", id="moved publicly"),
        pytest.param(
            _kept_after_the_end, "No update was posted; the one promise to customers kept.", id="kept after the end"
        ),
        pytest.param(
            _broken_after_the_end, "No update was posted; 0 of 1 promise to customers kept.", id="broken after the end"
        ),
    ],
)
def test_the_score(tell: Callable[[Story], None], score: str) -> None:
    story = told()
    tell(story)
    if story.incident.open:
        resolve(story)
    assert score in ending(story)
    assert score in draft(story.incident, story.entries, POLICY, story.now)


# -- durations --------------------------------------------------------------------------------------


def test_durations_have_names() -> None:
    story = told().later(5)
    story.tell(lifecycle.correct_start, started=BEGIN - minutes(22), by=BEN)
    resolve(story.later(96))
    said = "from start (13:40 UTC) 2 h 3 min, from declaration (14:02 UTC) 1 h 41 min"
    assert f"*: {said}.\n" in ending(story)
    assert f"Resolved: {said}.\n" in draft(story.incident, story.entries, POLICY, story.now)
    where = shown(story.incident, POLICY, story.now)[f"announce-end:{story.incident.seq}"]
    assert f"Resolved: INC-42, Withdrawals are stuck; {said}." in where


def test_without_a_stated_start_only_the_declaration_counts() -> None:
    resolve(story := told().later(41))
    assert "from declaration (14:02 UTC) 41 min." in ending(story) and "from start" not in ending(story)


def test_what_was_never_mitigated_has_no_mitigation() -> None:
    resolve(story := told().later(0.55))
    assert "Mitigated" not in ending(story)
    text = draft(story.incident, story.entries, POLICY, story.now)
    assert "itigat" not in text
    assert story.incident.mitigated_at is None and statistics.times(story.incident).to_mitigate == ()


def test_reopened_twice() -> None:
    """The duration runs to the last end; how long it was over is named, everywhere in the same words."""
    story = told()
    story.later(10).tell(lifecycle.mitigate, note="", by=ANA)
    resolve(story.later(10))
    first = story.incident.seq
    reopen(story.later(60))
    false_alarm(story.later(10))
    reopen(story.later(30))
    resolve(story.later(20))
    said = "from declaration (14:02 UTC) 2 h 20 min; it was over for 1 h 30 min in between"
    assert f"*: {said}." in ending(story) and "Mitigated" not in ending(story)
    text = draft(story.incident, story.entries, POLICY, story.now)
    assert f"Resolved: {said}." in text and "| In between it was over for | 1 h 30 min |" in text
    messages = shown(story.incident, POLICY, story.now)
    earlier = messages[f"status:{first}"]
    assert "*: from declaration (14:02 UTC) 20 min.\nMitigated: from declaration (14:02 UTC) 10 min." in earlier
    assert "Reopened 15:22 UTC (yours): INC-42" in messages[f"announce-end:{first}"]


def test_an_update_missed_before_a_reopening_stays_missed() -> None:
    resolve(story := told().later(45))
    assert "0 of 1 update on time." in ending(story)
    reopen(story.later(5))
    update(story.later(1))
    resolve(story.later(1))
    assert statistics.scorecard(story.incident, POLICY, story.now).updates_on_time[1] == 2
    assert "of 2 updates on time." in ending(story)


def test_one_that_was_recorded_afterwards_is_measured_from_its_start() -> None:
    found = backfill.AdoptedChannel("C1", "by-hand", BEGIN, members=("UANA",))
    events = backfill.adopt(
        Incident(team=TEAM, id="i1"), number=42, found=found, title="By hand", severity="sev1",
        began=BEGIN - minutes(90), over=BEGIN - minutes(30), by=ANA, at=BEGIN, policy=POLICY,
    )  # fmt: skip
    entries = [e.Entry(seq, one) for seq, one in enumerate(events, 1)]
    incident = fold(TEAM, "i1", entries)
    check(incident, entries, POLICY, BEGIN)
    assert "Resolved: from start (12:32 UTC) 1 h." in draft(incident, entries, POLICY, BEGIN)
    assert "Status | Resolved" in draft(incident, entries, POLICY, BEGIN)


# -- how it ended -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "how"),
    [
        pytest.param(resolve, "Resolved", id="resolved"),
        pytest.param(false_alarm, "False alarm", id="false alarm"),
        pytest.param(duplicate, "Duplicate of INC-40", id="duplicate"),
    ],
)
@pytest.mark.parametrize("closed", [False, True], ids=["ended", "closed"])
def test_how_it_ended(end: Callable[[Story], None], how: str, closed: bool) -> None:
    story = told().later(5)
    end(story)
    if closed:
        close(story.later(5))
    for incident in (story.incident, story.refold()):
        messages = shown(incident, POLICY, story.now)
        stands = f"{how}, closed" if closed else how
        assert f"status {stands}" in messages["card"] and f"\n{how} 14:07 UTC (yours) by Ana" in messages["card"]
        assert stands in messages["announce"]
        text = draft(incident, story.entries, POLICY, story.now)
        assert f"| Status | {stands} |" in text and f"| {how} | 14:07 UTC by Ana |" in text
        assert f"{how}: from declaration (14:02 UTC) 5 min." in text
        if how != "Resolved":
            assert not re.search("Resolved", messages["card"] + messages["announce"] + text)


def test_a_reopening_is_said_in_the_line_of_incidents() -> None:
    resolve(story := told().later(20))
    seq = story.incident.seq
    assert "· Resolved" not in shown(story.incident, POLICY, story.now)["announce"].splitlines()[0]
    reopen(story.later(10))
    messages = shown(story.incident, POLICY, story.now)
    assert "Reopened 14:32 UTC (yours), investigating" in messages["announce"]
    assert messages[f"announce-end:{seq}"].splitlines()[1:] == [
        "Reopened 14:32 UTC (yours): INC-42, Withdrawals are stuck. It had been resolved 14:22 UTC (yours)."
    ]
    assert "(not sent anew)" in messages[f"announce-end:{seq}"], "where the end was never announced, nothing is"


# -- any history ------------------------------------------------------------------------------------


def _act(story: Story, rule: Callable[..., list[e.Event]], **arguments: object) -> None:
    with contextlib.suppress(Refused):
        story.tell(rule, **arguments)


def _undo(story: Story) -> None:
    if story.incident.updates:
        _act(story, cadence.undo_update, seq=story.incident.updates[-1].seq, by=ANA, policy=POLICY)


def _redact(story: Story) -> None:
    """The latest entry is gone without a trace of what it was."""
    if len(story.entries) > 3:
        story.entries[-1] = e.Entry(story.entries[-1].seq, None)
        story.incident = story.refold()


ACTS: tuple[Callable[[Story], object], ...] = (
    lambda s: _act(s, cadence.post_update, text="So it is.", next_by=None, by=ANA, policy=POLICY),
    lambda s: _act(s, cadence.post_update, text="So it is.", next_by=s.now + minutes(50), by=ANA, policy=POLICY),
    lambda s: _act(s, cadence.nothing_new, tried="this", by=BEN, policy=POLICY),
    lambda s: _act(s, cadence.remind, by=BOT, policy=POLICY),
    lambda s: _act(s, cadence.remind, by=BOT, policy=POLICY),
    lambda s: _act(s, cadence.snooze, by=ANA, policy=POLICY),
    lambda s: _act(s, cadence.hold, until=s.now + minutes(70), watcher="UBEN", by=ANA),
    lambda s: _act(s, notes.wait_for, what="them", look_again=None, by=ANA),
    lambda s: _act(s, notes.stop_waiting, by=ANA),
    lambda s: _act(s, notes.note, text="so it is", by=ANA),
    lambda s: _act(s, lifecycle.correct_start, started=s.now - minutes(40), by=BEN),
    lambda s: _act(s, lifecycle.mitigate, note="", by=ANA),
    lambda s: _act(s, lifecycle.reopen, reason="", by=BEN),
    lambda s: _act(s, lifecycle.reopen, reason="", by=BEN),
    lambda s: _act(s, lifecycle.close, note="", by=BEN),
    lambda s: _act(s, lifecycle.call_false_alarm, reason="", by=BEN),
    lambda s: _act(s, lifecycle.change_severity, severity="sev1", reason="", responders=(), by=BEN, policy=POLICY),
    lambda s: _act(s, lifecycle.change_severity, severity="sev3", reason="x", responders=(), by=BEN, policy=POLICY),
    lambda s: s.incident.open and resolve(s),
    lambda s: s.incident.open and duplicate(s),
    lambda s: publish(s, f"d{len(s.entries)}", (s.now - BEGIN) / minutes(1) + 20),
    lambda s: publish(s, f"d{len(s.entries)}", None),
    _undo,
    _redact,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from((0.2, 0.99, 1, 9, 31, 1500)), st.sampled_from(ACTS)), max_size=25),
    st.sampled_from(("sev1", "sev2", "sev3")),
    st.booleans(),
)
def test_any_history(acts: list[tuple[float, Callable[[Story], object]]], severity: str, ends: bool) -> None:
    story = told(severity)
    for wait, act in acts:
        act(story.later(wait))
    if ends and story.incident.open:
        resolve(story)
    check(story.incident, story.entries, POLICY, story.now)
    again = story.refold()
    assert (again.ended_as, statistics.endings(again)) == (story.incident.ended_as, statistics.endings(story.incident))
