from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import cadence, dual_control, notes
from bot.domain import events as e
from bot.reports.timeline import FORMATTERS, HIDDEN_EVENTS, EntryFormatter, format_entry, format_line, happened_at
from tests.domain.story import ANA, BEGIN, BEN, NAMES, PEOPLE, POLICY, Story, the, with_runbook


def test_every_event_either_has_a_line_or_is_silent() -> None:
    assert {*FORMATTERS, *HIDDEN_EVENTS} == {*e.EVENTS.values(), e.Unknown}
    assert not HIDDEN_EVENTS & set(FORMATTERS)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        # a line that is read again notifies nobody
        pytest.param("ask <@UBEN> or <@UBEN|ben>", "ask Ben or Ben", id="mention"),
        pytest.param("<@UNEW>", "UNEW", id="unknown person"),
        pytest.param("<!here> <!subteam^S1|@oncall> <!channel>", "here oncall channel", id="groups"),
        pytest.param("<#C1|payouts> <#C2>", "payouts C2", id="channels"),
        pytest.param("<https://x.io/a|graph> <https://x.io>", "graph (https://x.io/a) https://x.io", id="links"),
        # one line, whatever was pasted
        pytest.param("a\r\nb\u2028c\x00d\te", "a b c d e", id="line breaks"),
        # text that would show other text than it holds
        pytest.param("pay \u202etxt.exe\u202c", "pay txt.exe", id="direction"),
        pytest.param("👩\u200d🚒 ok", "👩\u200d🚒 ok", id="joined emoji stay"),
    ],
)
def test_plain_text(text: str, plain: str) -> None:
    assert EntryFormatter(NAMES).plain(text) == plain


def test_lines_say_what_they_refer_to() -> None:
    story = with_runbook()
    story.tell(dual_control.ask_second_person, **the("2.2"), count="12", confirmers=PEOPLE, by=ANA, policy=POLICY)
    ask = story.entries[-1].seq
    story.tell(dual_control.give_go, ask=ask, by=BEN, policy=POLICY)
    story.tell(dual_control.record_done, ask=ask, result="hash abc", by=ANA)
    assert [format_entry(entry, NAMES, policy=POLICY, incident=story.incident) for entry in story.entries] == [
        "Ana declared the incident, SEV-1: Withdrawals are stuck",
        None,  # whoever declares answers
        None,  # and leads: one line says it
        "Runbook Payouts are stuck attached at revision a1b2c3d by Ana",
        "Ana asked for a second person: Replay the batch; count 12",
        "Ben agreed: Replay the batch",
        "Ana did what two people agreed on: Replay the batch — hash abc",
    ]
    # Alone, an entry still reads.
    assert format_entry(story.entries[5], NAMES, policy=POLICY) == f"Ben agreed: what entry {ask} asks for"


@pytest.mark.parametrize(
    ("minutes", "says"),
    [
        pytest.param(0, "14:02 UTC Ben: queue doubled", id="the same day"),
        # an incident that lasts into the next day says which one
        pytest.param(720, "Sat 02:02 UTC Ben: queue doubled", id="the next day"),
    ],
)
def test_a_line_has_its_time(minutes: int, says: str) -> None:
    story = Story().later(minutes)
    story.tell(notes.note, text="queue doubled", by=BEN)
    assert format_line(story.entries[-1], NAMES, policy=POLICY, incident=story.incident) == says


def test_what_was_taken_back_is_left_out() -> None:
    story = Story().later(1)
    story.tell(cadence.post_update, text="Wrong", next_by=None, by=ANA, policy=POLICY)
    story.tell(cadence.undo_update, seq=story.entries[-1].seq, by=ANA, policy=POLICY)
    story.tell(notes.note, text="pinned", channel="C1", message_ts="1.1", by=BEN)
    story.tell(notes.withdraw, channel="C1", message_ts="1.1", by=BEN)
    assert [format_line(entry, NAMES, policy=POLICY, incident=story.incident) for entry in story.entries[3:]] == [
        None
    ] * 4


def test_a_redacted_entry_says_so() -> None:
    assert format_line(e.Entry(7, None), NAMES, policy=POLICY) == "An entry was redacted"
    assert happened_at(e.Entry(7, None)) is None


def test_a_note_stands_where_it_happened() -> None:
    story = Story()
    story.tell(notes.note, text="queue doubled", happened=BEGIN - timedelta(minutes=22), by=BEN)
    assert happened_at(story.entries[-1]) == BEGIN - timedelta(minutes=22)
