"""What was made before is what would be made anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import events as e
from bot.domain.desired_message import CHANNEL, DesiredMessage
from bot.domain.incident import Incident
from bot.slack.surfaces.message_cache import IncidentMessageCache, MessageCache
from bot.slack.surfaces.messages import messages
from tests.slack.slack_story import BEGIN, NAMES, SETUP, Story
from tests.slack.surfaces.test_any_incident import histories


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(histories(), st.data())
def test_made_before_is_as_made_anew(states: list[Incident], data: st.DataObject) -> None:
    """Whatever happens in between, whenever it is looked at, and though people change their names."""
    made = IncidentMessageCache()
    for incident in states:
        if not data.draw(st.booleans()):
            continue  # nobody looked then
        now = (incident.last_at or BEGIN) + timedelta(seconds=data.draw(st.sampled_from([0, 1, 59, 61, 7200])))
        names = {**NAMES, "UANA": data.draw(st.sampled_from(["Ana", "Ana Silva", ""]))}
        setup = replace(SETUP, names=names)
        kept, anew = messages(incident, now, setup, made), messages(incident, now, setup)
        assert kept == anew and [one.hash for one in kept] == [one.hash for one in anew]


def declared() -> Story:
    story = Story()
    story.happens(
        e.Declared(by="UANA", at=BEGIN, number=42, title="Withdrawals are stuck", severity="sev1"),
        e.ChannelOpened(by="bot", at=BEGIN, channel="C42", name="inc-42"),
    )
    return story


def noted(story: Story, text: str) -> Story:
    return story.happens(e.Noted(by="UBEN", at=story.now, text=text, happened=story.now))


def test_what_nobody_touched_is_not_made_again() -> None:
    story, made = noted(declared(), "the queue is at 12"), IncidentMessageCache()
    (before,) = [one for one in messages(story.incident, story.now, SETUP, made) if one.key.startswith("note:")]
    noted(story, "the queue is at 9")
    notes = [one for one in messages(story.incident, story.now, SETUP, made) if one.key.startswith("note:")]
    assert notes[0] is before and "at 9" in notes[1].text


def filled(made: IncidentMessageCache, *keys: str) -> IncidentMessageCache:
    for key in keys:
        made.get_or_render(key, (f"made from {key}",), partial(DesiredMessage, key, CHANNEL, "words", ()))
    made.evict_unused()
    return made


def test_what_nobody_asks_for_is_forgotten() -> None:
    """What was redacted, for one."""
    made = filled(filled(IncidentMessageCache(), "note:1", "note:2"), "note:2")
    assert len(made) == 1 and "note:1" not in repr(vars(made))


def test_the_incidents_that_were_shown_last_are_kept() -> None:
    lately = MessageCache(max_messages=4)
    filled(lately.for_incident("a"), "1", "2")
    filled(lately.for_incident("b"), "1")
    filled(lately.for_incident("a"), "1", "2")
    filled(lately.for_incident("c"), "1", "2")
    assert len(lately.for_incident("a")) == 2, "it was too much, and b was shown before"
    assert lately.count == 4 and len(lately.for_incident("b")) == 0


def test_what_is_kept_is_counted_as_it_grows_and_shrinks() -> None:
    lately = MessageCache()
    for kept in (["1"], ["1", "2", "3"], ["2"], []):
        filled(lately.for_incident("a"), *kept)
        lately.for_incident("")
        assert lately.count == len(kept)
    lately.for_incident("b")
    assert list(lately._incidents) == ["b"], "those that have nothing take no place"


def test_a_long_incident_is_kept_alone() -> None:
    lately = MessageCache(max_messages=3)
    made = filled(lately.for_incident("a"), *map(str, range(9)))
    assert lately.for_incident("a") is made and len(made) == 9
