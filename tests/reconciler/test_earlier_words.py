from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import events as e
from bot.domain import lifecycle
from bot.domain.incident import Incident
from bot.reconciler import earlier_words
from tests.domain.story import ANA, Story


def ended() -> Story:
    story = Story().later(5)
    story.tell(lifecycle.call_false_alarm, reason="", by=ANA)
    story.later(60).keep(e.Noted(by="UANA", at=story.now, text="hunter2", happened=story.now))
    return story


@pytest.mark.parametrize(
    ("minutes", "seq"),
    [
        pytest.param(1, 4, id="the note is new"),
        pytest.param(11, 5, id="nothing is new"),
    ],
)
def test_what_stood_there_before(minutes: float, seq: int) -> None:
    story = ended().later(minutes)
    then = earlier_words.before_now(story.incident, story.entries, story.now)
    assert then is not None and then.seq == seq


def test_what_has_just_ended_is_shown_in_full() -> None:
    story = ended()
    assert earlier_words.before_now(story.incident, story.entries, story.now - timedelta(minutes=58)) is None


def test_what_told_redacted_words_is_edited() -> None:
    story = ended().later(1)
    story.keep(e.Redacted(by="cli:ops", at=story.now, reason="pasted", kept=()))
    assert earlier_words.before_now(story.incident, story.entries, story.now) is None


def test_one_version_shows_all_that_it_has_shown_while_it_was_open() -> None:
    story = Story()
    mark = earlier_words.new_mark(Incident("T1", "6e0c6d3e-8d2a-4a53-9d3b-1f2f8f0d8a11"), {}, story.now)
    assert mark is not None
    effects = {mark.key: mark}
    gone = ended().incident
    assert earlier_words.is_current(gone, effects) and earlier_words.new_mark(gone, effects, story.now) is None
    assert not earlier_words.is_current(gone, {"card": mark}), "an earlier version has no such row"
    assert earlier_words.is_current(gone, {}), "nothing was shown yet"
