from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bot.domain import checklist as c
from bot.domain import dual_control as s
from bot.domain import events as e
from bot.domain import lifecycle
from bot.domain.actor import Actor
from bot.domain.errors import NewerThanThisProgram, Refused
from bot.domain.incident import Incident, Mark
from bot.domain.policy import Policy
from bot.domain.preconditions import require_known, require_open
from tests.sentences import said

from .story import (
    ANA,
    BEGIN,
    BEN,
    BOT,
    CARLA,
    DATABASE,
    PAYOUTS,
    PEOPLE,
    POLICY,
    SHELL,
    WORKFLOW,
    Story,
    the,
    with_runbook,
)


def asked(story: Story | None = None) -> tuple[Story, int]:
    """Ana asks for a second person for 2.2."""
    story = story or with_runbook()
    story.tell(
        s.ask_second_person, **the("2.2"), evidence="queue doubling", count="12", amount="4,000 USDC",
        confirmers=PEOPLE, by=ANA, policy=POLICY,
    )  # fmt: skip
    return story, story.entries[-1].seq


def with_go() -> tuple[Story, int]:
    story, ask = asked()
    story.later(1).tell(s.give_go, ask=ask, by=BEN, policy=POLICY)
    return story, ask


def done() -> Story:
    story, ask = with_go()
    story.later(1).tell(s.record_done, ask=ask, result="hash abc123", by=ANA)
    return story


def stopped() -> Story:
    story = with_runbook()
    story.tell(c.finish, **the("2.1"), text="queue doubling", confirmers=PEOPLE, by=ANA, policy=POLICY)
    return story


def refused(story: Story, rule: Callable[..., list[e.Event]], **arguments: object) -> str:
    """The sentence of a refusal; what was refused leaves no trace."""
    before = story.incident
    with pytest.raises(Refused) as caught:
        story.tell(rule, **arguments)
    assert story.incident is before
    return said(caught.value)


class TestStanding:
    @pytest.mark.parametrize(
        ("end", "says"),
        [
            # a resolved incident is reopened before anybody works on it again
            pytest.param(e.Resolved(by="UANA", at=BEGIN), "INC-42 is resolved", id="resolved"),
            # likewise one that was none
            pytest.param(e.FalseAlarm(by="UANA", at=BEGIN), "INC-42 ended as a false alarm", id="false alarm"),
            # and one that goes on elsewhere
            pytest.param(e.MarkedDuplicate(by="UANA", at=BEGIN, of=41), "INC-42 ended as a duplicate", id="duplicate"),
        ],
    )
    def test_an_ended_incident_says_what_would_work(self, end: e.Event, says: str) -> None:
        story = Story()
        story.keep(end)
        with pytest.raises(Refused) as caught:
            require_open(story.incident)
        assert said(caught.value).startswith(says)
        assert "/incident reopen" in said(caught.value)
        require_known(story.incident)

    def test_an_incident_of_a_newer_program_is_read_only(self) -> None:
        story = Story()
        story.keep(e.Unknown(by="UANA", at=BEGIN, type="Teleported"))
        for question in (require_open, require_known):
            with pytest.raises(NewerThanThisProgram, match="Teleported"):
                question(story.incident)

    def test_nothing_is_no_incident(self) -> None:
        with pytest.raises(Refused, match="`the command list`"):
            require_open(Incident(team="T1", id="none"))


class TestRunbooks:
    def test_the_same_runbook_attaches_once(self) -> None:
        story = with_runbook()
        assert "attached already, at revision a1b2c3d" in refused(story, c.attach, runbook=PAYOUTS, by=BEN)

    def test_a_guess_is_asked_once_and_attaches_nothing(self) -> None:
        story = Story()
        story.keep(e.RunbookGuessed(by="bot", at=story.now, slugs=(PAYOUTS.slug,), titles=(PAYOUTS.title,)))
        assert story.incident.checklists == ()
        assert story.tell(c.decline, by=ANA)
        assert story.tell(c.decline, by=BEN) == []

    def test_a_section_opens_once_and_again_when_folded(self) -> None:
        story = with_runbook()
        assert story.tell(c.open_section, runbook="payouts-stuck", section=1, by=ANA)
        assert story.tell(c.open_section, runbook="payouts-stuck", section=1, by=ANA) == []
        for step in ("1.1", "1.2"):
            story.tell(c.finish, policy=POLICY, **the(step), by=ANA)
        assert story.tell(c.open_section, runbook="payouts-stuck", section=1, by=ANA)
        assert "sections 1, 2" in refused(story, c.open_section, runbook="payouts-stuck", section=9, by=ANA)


class TestResolveStep:
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            # only one of the two has it: the id alone is enough
            pytest.param("1.2", ("payouts-stuck", "1.2"), id="unique id"),
            pytest.param("3.1", ("db-failover", "3.1"), id="unique id of the second"),
            # both have it: the beginning of a slug, of one of its words, or all of it
            pytest.param("db 2.3", ("db-failover", "2.3"), id="beginning"),
            pytest.param("failover 2.3", ("db-failover", "2.3"), id="a later word"),
            pytest.param("payouts-stuck 2.3", ("payouts-stuck", "2.3"), id="whole slug"),
            pytest.param("payouts stuck 2.3", ("payouts-stuck", "2.3"), id="slug typed as words"),
            # as people type
            pytest.param(" Step DB:2.3. ", ("db-failover", "2.3"), id="untidy"),
            pytest.param("#1.2", ("payouts-stuck", "1.2"), id="number sign"),
        ],
    )
    def test_finds(self, words: str, found: tuple[str, str]) -> None:
        story = with_runbook()
        story.tell(c.attach, runbook=DATABASE, by=ANA)
        assert c.resolve_step(story.incident, words) == found

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            # both have it: say how to tell them apart
            pytest.param("2.3", "`payouts-stuck 2.3` or `db-failover 2.3`", id="ambiguous"),
            # none has it: the nearest, not the whole list
            pytest.param("db 3.9", "There is no step 3.9. Nearest: 3.1", id="no such id"),
            pytest.param("redis 2.3", "No attached runbook is called “redis”", id="no such runbook"),
            pytest.param("", "Which step?", id="empty"),
            pytest.param("zzz", "There is no step zzz. Nearest: 1.1", id="nonsense"),
        ],
    )
    def test_refuses(self, words: str, says: str) -> None:
        story = with_runbook()
        story.tell(c.attach, runbook=DATABASE, by=ANA)
        with pytest.raises(Refused) as caught:
            c.resolve_step(story.incident, words)
        assert says in said(caught.value)

    def test_without_a_runbook_there_are_no_steps(self) -> None:
        with pytest.raises(Refused, match="No runbook is attached"):
            c.resolve_step(Story().incident, "2.3")


class TestOrdinarySteps:
    def test_a_probe_step_is_ticked_like_any_other(self) -> None:
        story = with_runbook()
        story.tell(c.finish, policy=POLICY, **the("1.1"), by=ANA)
        assert story.incident.checklists[0].state("1.1").mark is Mark.DONE

    def test_ticking_twice_is_nothing_for_oneself_and_news_for_another(self) -> None:
        story = with_runbook()
        story.tell(c.finish, policy=POLICY, **the("1.1"), by=ANA)
        assert story.tell(c.finish, policy=POLICY, **the("1.1"), by=ANA) == []
        assert (
            refused(story, c.finish, policy=POLICY, **the("1.1"), by=BEN)
            == "<@UANA> did that already, 14:04 UTC. Nothing changed."
        )

    def test_untick_takes_back_a_tick_and_a_skip(self) -> None:
        story = with_runbook()
        assert story.tell(c.untick, **the("1.1"), by=ANA) == []
        story.tell(c.finish, policy=POLICY, **the("1.1"), by=ANA)
        story.tell(c.skip, **the("1.2"), reason="no queue", by=ANA)
        for step in ("1.1", "1.2"):
            assert story.tell(c.untick, **the(step), by=BEN)
            assert story.incident.checklists[0].state(step).mark is Mark.OPEN

    def test_skipping_takes_a_reason(self) -> None:
        story = with_runbook()
        assert "Say why" in refused(story, c.skip, **the("1.1"), reason="  ", by=ANA)
        story.tell(c.finish, policy=POLICY, **the("1.1"), by=ANA)
        assert "cannot be skipped" in refused(story, c.skip, **the("1.1"), reason="late", by=BEN)

    def test_a_remark_has_words(self) -> None:
        story = with_runbook()
        story.tell(c.note_step, **the("1.1"), text=" oldest 13:40 ", by=ANA)
        assert story.incident.checklists[0].state("1.1").notes == ("oldest 13:40",)
        assert "Write what is so" in refused(story, c.note_step, **the("1.1"), text="", by=ANA)
        assert "at most 2000" in refused(story, c.note_step, **the("1.1"), text="x" * 2001, by=ANA)

    @pytest.mark.parametrize(
        ("where", "says"),
        [
            # a button of another incident, or a typed slug
            pytest.param({"runbook": "redis", "step": "1.1"}, "is not attached to INC-42", id="runbook"),
            # a button of a revision that is not attached
            pytest.param({"runbook": "payouts-stuck", "step": "9.9"}, "There is no step 9.9", id="step"),
        ],
    )
    def test_what_is_not_there(self, where: dict[str, str], says: str) -> None:
        assert says in refused(with_runbook(), c.finish, policy=POLICY, **where, by=ANA)


class TestBefore:
    @pytest.mark.parametrize("made", [with_runbook, lambda: asked()[0], lambda: with_go()[0], done])
    def test_it_is_never_ticked_directly(self, made: Callable[[], Story]) -> None:
        for person in (ANA, BEN):
            refused(made(), c.finish, policy=POLICY, **the("2.2"), by=person)

    def test_from_ask_to_done(self) -> None:
        story = done()
        state = story.incident.checklists[0].state("2.2")
        assert state.mark is Mark.DONE
        assert state.done_with == ((story.now, "UANA", "UBEN", "hash abc123"),)
        assert story.incident.asks[state.ask].state == "done"

    def test_the_asker_is_not_the_second(self) -> None:
        story, ask = asked()
        assert refused(story, s.give_go, ask=ask, by=ANA, policy=POLICY) == (
            "You asked for this, so somebody else has to agree: <@UBEN> or <@UCARLA> are in this channel."
        )

    @pytest.mark.parametrize(
        ("by", "says"),
        [
            # the same human could sit at a shell and in Slack
            pytest.param(SHELL, "The command line cannot take part", id="command line"),
            pytest.param(WORKFLOW, "A bot cannot be one of two people", id="workflow"),
            pytest.param(BOT, "A bot cannot be one of two people", id="this bot"),
        ],
    )
    def test_programs_are_no_people(self, by: Actor, says: str) -> None:
        story, ask = asked()
        assert says in refused(story, s.give_go, ask=ask, by=by, policy=POLICY)
        assert says in refused(story, s.refuse_ask, ask=ask, reason="no", by=by)
        assert says in refused(
            with_runbook(), s.ask_second_person, **the("2.2"), confirmers=PEOPLE, by=by, policy=POLICY
        )
        assert says in refused(stopped(), s.record_review, **the("2.1"), by=by, policy=POLICY)

    def test_policy_names_who_may_agree(self) -> None:
        story, ask = asked()
        only_carla = Policy(may_confirm=("UCARLA",))
        assert "Ask <@UCARLA>." in refused(story, s.give_go, ask=ask, by=BEN, policy=only_carla)
        assert story.tell(s.give_go, ask=ask, by=CARLA, policy=only_carla)

    def test_alone_at_night_nothing_is_asked(self) -> None:
        says = refused(with_runbook(), s.ask_second_person, **the("2.2"), confirmers=("UANA",), by=ANA, policy=POLICY)
        assert "Held money is safe. Wait" in says

    def test_an_open_ask_is_not_asked_again(self) -> None:
        story, ask = asked()
        says = refused(story, s.ask_second_person, **the("2.2"), confirmers=PEOPLE, by=BEN, policy=POLICY)
        assert says == (
            "<@UANA> has asked for this and nobody has agreed yet. <@UBEN> or <@UCARLA> can, until 14:34 UTC."
        )
        story.tell(s.give_go, ask=ask, by=BEN, policy=POLICY)
        says = refused(story, s.record_done, ask=ask, result="x", by=CARLA)
        assert "only they can say that it is done" in says

    def test_done_once_is_said_before_it_is_asked_again(self) -> None:
        story = done()
        once = "Done once, 14:06 UTC by <@UANA> with <@UBEN>, hash abc123. Asking again may pay twice."
        again = {**the("2.2"), "confirmers": PEOPLE, "by": ANA, "policy": POLICY}
        assert refused(story, s.ask_second_person, **again) == once
        assert refused(story, c.finish, policy=POLICY, **the("2.2"), by=BEN) == once
        assert refused(story, c.untick, **the("2.2"), by=ANA).startswith(once)
        assert story.tell(s.ask_second_person, **again, repeat=True)
        # That it was asked for once more does not make the first time forgotten.
        story.later(1).tell(s.record_not_done, ask=story.entries[-1].seq, reason="not needed", by=ANA)
        assert story.incident.checklists[0].state("2.2").mark is Mark.DONE
        assert "cannot be skipped" in refused(story, c.skip, **the("2.2"), reason="x", by=BEN)
        assert refused(story, s.ask_second_person, **again) == once

    def test_a_done_one_is_corrected(self) -> None:
        story = done()
        (event,) = story.tell(c.correct, **the("2.2"), text="the hash ends in 9", by=BEN)
        assert isinstance(event, e.StepNoted) and event.correction
        assert story.incident.checklists[0].state("2.2").mark is Mark.DONE
        assert "has nothing to correct" in refused(story, c.correct, **the("1.1"), text="x", by=BEN)

    @pytest.mark.parametrize("result", ["", "   "])
    def test_done_takes_the_result(self, result: str) -> None:
        story, ask = with_go()
        assert "Write what came of it" in refused(story, s.record_done, ask=ask, result=result, by=ANA)

    def test_done_takes_a_go(self) -> None:
        story, ask = asked()
        assert "nobody has agreed yet" in refused(story, s.record_done, ask=ask, result="hash", by=ANA)

    def test_refusing_takes_a_reason_and_another_person(self) -> None:
        story, ask = asked()
        assert "Say why" in refused(story, s.refuse_ask, ask=ask, reason="", by=BEN)
        assert "[Not done]" in refused(story, s.refuse_ask, ask=ask, reason="no", by=ANA)
        story.tell(s.refuse_ask, ask=ask, reason="count first", by=BEN)
        assert (
            refused(story, s.give_go, ask=ask, by=CARLA, policy=POLICY)
            == "<@UBEN> refused that, 14:04 UTC: count first"
        )

    def test_a_go_can_be_taken_back_by_whoever_sees_harm(self) -> None:
        story, ask = with_go()
        story.tell(s.refuse_ask, ask=ask, reason="it went through", by=CARLA)
        assert "refused that" in refused(story, s.record_done, ask=ask, result="hash", by=ANA)

    @pytest.mark.parametrize("made", [asked, with_go])
    def test_the_asker_takes_it_back(self, made: Callable[[], tuple[Story, int]]) -> None:
        story, ask = made()
        assert "only they can take it back" in refused(story, s.record_not_done, ask=ask, by=BEN)
        assert story.tell(s.record_not_done, ask=ask, by=ANA)
        assert story.incident.checklists[0].state("2.2").mark is Mark.OPEN

    @pytest.mark.parametrize(
        ("made", "stands"),
        [
            # nobody agreed: policy.ask_stands
            pytest.param(asked, 30, id="asked"),
            # nobody acted: policy.go_stands, counted from the go
            pytest.param(with_go, 10, id="go"),
        ],
    )
    def test_time_runs_out(self, made: Callable[[], tuple[Story, int]], stands: int) -> None:
        story, ask = made()
        lapse = {"ask": ask, "by": BOT, "policy": POLICY}
        story.later(stands - 0.01)
        assert story.tell(s.expire_ask, **lapse) == []
        story.later(0.01)
        # The bot may be late: the time counts, not its event.
        assert "expired" in refused(story, s.give_go, ask=ask, by=CARLA, policy=POLICY)
        if story.incident.asks[ask].state == "go":
            assert "record it as done alone" in refused(story, s.record_done, ask=ask, result="hash", by=ANA)
        assert story.tell(s.expire_ask, **lapse)
        assert story.tell(s.expire_ask, **lapse) == []
        assert "expired" in refused(story, s.record_done, ask=ask, result="hash", by=ANA)
        assert story.incident.checklists[0].state("2.2").mark is Mark.OPEN

    def test_asking_after_the_time_lapses_the_old_ask(self) -> None:
        story, _ = asked()
        story.later(31)
        lapsed, anew = story.tell(s.ask_second_person, **the("2.2"), confirmers=PEOPLE, by=BEN, policy=POLICY)
        assert isinstance(lapsed, e.AskLapsed) and isinstance(anew, e.Asked)
        assert [ask.asked.by for ask in story.incident.open_asks] == ["UBEN"]

    def test_an_end_lapses_what_is_asked(self) -> None:
        story, ask = with_go()
        story.keep(e.Resolved(by="UBEN", at=story.now))
        story.tell(lifecycle.reopen, reason="back", by=ANA)
        assert story.incident.checklists[0].state("2.2").mark is Mark.OPEN
        assert "expired" in refused(story, s.record_done, ask=ask, result="hash", by=ANA)

    def test_done_alone_is_an_exception_that_owes_a_review(self) -> None:
        story, _ = asked()
        alone = {**the("2.2"), "confirmers": PEOPLE, "policy": POLICY}
        assert "Say why" in refused(story, s.record_done_alone, **alone, reason="", by=ANA)
        story.tell(s.record_done_alone, **alone, reason="customers at the counter", by=ANA)
        state = story.incident.checklists[0].state("2.2")
        assert (state.mark, state.alone, state.review_to) == (Mark.REVIEW, True, ("UBEN", "UCARLA"))
        assert story.incident.open_asks == ()
        assert "not yet reviewed" in refused(
            story, s.ask_second_person, **the("2.2"), confirmers=PEOPLE, by=ANA, policy=POLICY
        )
        refused(story, c.untick, **the("2.2"), by=ANA)
        refused(story, s.record_review, **the("2.2"), by=ANA, policy=POLICY)
        story.tell(s.record_review, **the("2.2"), note="sums agree", by=BEN, policy=POLICY)
        assert story.incident.checklists[0].state("2.2").mark is Mark.DONE
        assert "alone; reviewed by <@UBEN>" in refused(story, c.untick, **the("2.2"), by=ANA)

    def test_with_a_go_one_is_not_alone(self) -> None:
        story, _ = with_go()
        says = refused(story, s.record_done_alone, **the("2.2"), reason="x", confirmers=PEOPLE, by=ANA, policy=POLICY)
        assert "<@UBEN> gave you the go-ahead" in says

    @pytest.mark.parametrize("step", ["1.1", "2.1"])
    def test_only_marked_steps_are_asked_for(self, step: str) -> None:
        story = with_runbook()
        refused(story, s.ask_second_person, **the(step), confirmers=PEOPLE, by=ANA, policy=POLICY)
        refused(story, s.record_done_alone, **the(step), reason="x", confirmers=PEOPLE, by=ANA, policy=POLICY)


class Counted(tuple[Any, ...]):
    """Checklists that count how often somebody goes through them."""

    times = 0

    def __iter__(self) -> Iterator[Any]:
        type(self).times += 1
        return super().__iter__()


@pytest.mark.parametrize("step", ["1.1", "2.1"])
def test_the_checklist_is_looked_up_once(step: str) -> None:
    incident = with_runbook().incident
    seen = type("Once", (Counted,), {"times": 0})
    rule = partial(c.finish, **the(step), confirmers=PEOPLE, by=ANA, at=with_runbook().now, policy=POLICY)
    assert rule(replace(incident, checklists=seen(incident.checklists)))
    assert seen.times == 1


class TestAfter:
    def test_stop_first_then_somebody_else_looks(self) -> None:
        story = stopped()
        state = story.incident.checklists[0].state("2.1")
        assert (state.mark, state.review_by) == (Mark.REVIEW, story.now + timedelta(minutes=30))
        assert refused(story, s.record_review, **the("2.1"), by=ANA, policy=POLICY) == (
            "You did this yourself, so somebody else has to look at it: <@UBEN> or <@UCARLA> are in this channel."
        )
        assert (
            refused(story, c.finish, policy=POLICY, **the("2.1"), by=BEN)
            == "Stopped 14:04 UTC by <@UANA>; not yet reviewed."
        )
        story.tell(s.record_review, **the("2.1"), by=BEN, policy=POLICY)
        assert "<@UBEN> has reviewed that" in refused(story, s.record_review, **the("2.1"), by=CARLA, policy=POLICY)
        assert "reviewed by <@UBEN>" in refused(story, c.untick, **the("2.1"), by=ANA)

    def test_nobody_else_there_does_not_keep_anybody_from_stopping(self) -> None:
        story = with_runbook()
        assert story.tell(c.finish, **the("2.1"), confirmers=("UANA",), by=ANA, policy=POLICY)
        assert "Invite one" in refused(story, s.record_review, **the("2.1"), by=ANA, policy=POLICY)

    def test_a_review_is_welcome_after_the_end(self) -> None:
        story = stopped()
        story.keep(e.Resolved(by="UBEN", at=story.now))
        story.tell(s.record_review, **the("2.1"), by=CARLA, policy=POLICY)
        assert story.incident.checklists[0].state("2.1").reviewed_by == "UCARLA"

    def test_a_review_is_missed_once(self) -> None:
        story = stopped()
        overdue = {**the("2.1"), "by": BOT}
        assert story.later(29).tell(s.remind_of_review, **overdue) == []
        (event,) = story.later(1).tell(s.remind_of_review, **overdue)
        assert isinstance(event, e.ReviewOverdue) and event.to == ("UBEN", "UCARLA")
        assert story.later(1).tell(s.remind_of_review, **overdue) == []
        assert story.tell(s.record_review, **the("2.1"), by=CARLA, policy=POLICY)

    def test_what_was_stopped_is_not_stopped_again(self) -> None:
        story = stopped()
        again = {**the("2.1"), "confirmers": PEOPLE, "policy": POLICY}
        refused(story, c.finish, **again, by=BEN)
        story.tell(s.record_review, **the("2.1"), by=BEN, policy=POLICY)
        refused(story, c.finish, **again, by=BEN)


STEPS = {**the("1.1"), "by": ANA}
TWO = {"confirmers": PEOPLE, "by": ANA, "policy": POLICY}


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        pytest.param(c.attach, {"runbook": DATABASE, "by": ANA}, id="attach"),
        pytest.param(c.decline, {"by": ANA}, id="decline"),
        pytest.param(c.open_section, {"runbook": "payouts-stuck", "section": 1, "by": ANA}, id="open_section"),
        pytest.param(c.finish, {**STEPS, "policy": POLICY}, id="tick"),
        pytest.param(c.untick, STEPS, id="untick"),
        pytest.param(c.skip, {**STEPS, "reason": "x"}, id="skip"),
        pytest.param(c.note_step, {**STEPS, "text": "x"}, id="note_step"),
        pytest.param(c.correct, {**the("2.2"), "text": "x", "by": ANA}, id="correct"),
        pytest.param(s.ask_second_person, {**the("2.2"), **TWO}, id="ask"),
        pytest.param(s.give_go, {"ask": 5, "by": BEN, "policy": POLICY}, id="go"),
        pytest.param(s.refuse_ask, {"ask": 5, "reason": "x", "by": BEN}, id="refuse"),
        pytest.param(s.record_done, {"ask": 5, "result": "x", "by": ANA}, id="done"),
        pytest.param(s.record_not_done, {"ask": 5, "by": ANA}, id="not_done"),
        pytest.param(s.record_done_alone, {**the("2.2"), **TWO, "reason": "x"}, id="alone"),
        pytest.param(c.finish, {**the("2.1"), **TWO}, id="stopped"),
    ],
)
def test_after_the_end_everything_is_refused(rule: Callable[..., list[e.Event]], arguments: dict[str, object]) -> None:
    story, _ = asked()
    story.keep(e.Resolved(by="UBEN", at=story.now))
    assert "/incident reopen" in refused(story, rule, **arguments)


def test_after_the_end_the_bot_owes_nothing() -> None:
    story, ask = asked(stopped())
    story.keep(e.Resolved(by="UBEN", at=story.now))
    story.later(60)
    assert story.tell(s.expire_ask, ask=ask, by=BOT, policy=POLICY) == []
    assert story.tell(s.remind_of_review, **the("2.1"), by=BOT) == []
