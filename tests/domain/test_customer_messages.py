from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.domain import cadence, customer_messages, lifecycle
from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.customer_template import text_hash
from bot.domain.errors import Refused
from bot.domain.policy import Policy
from tests.sentences import said

from .story import ANA, BEGIN, BEN, BOT, CARLA, PEOPLE, POLICY, SHELL, TEMPLATE, WORKFLOW, Story

TEXT = "Payouts to Nigeria are delayed. No payment is lost. Next update by 15:00 UTC."
HASH = text_hash(TEXT)


def write(story: Story, draft: str = "d1", text: str = TEXT, by: Actor = ANA, **more: object) -> None:
    story.tell(
        customer_messages.draft,
        draft=draft,
        template=TEMPLATE,
        text=text,
        approvers=PEOPLE,
        by=by,
        policy=POLICY,
        **more,
    )


def drafted(**more: object) -> Story:
    """Ana has written d1, two minutes after declaring."""
    story = Story().later(2)
    write(story, **more)
    return story


def approved(**more: object) -> Story:
    story = drafted(**more).later(1)
    story.tell(customer_messages.approve, draft="d1", text_hash=HASH, by=BEN, policy=POLICY)
    return story


def begun() -> Story:
    story = approved()
    story.tell(customer_messages.record_sending, draft="d1", by=BOT)
    return story


def public() -> Story:
    story = begun()
    story.tell(customer_messages.record_published, draft="d1", publisher="slack", where="C9", reference="1.2", by=BOT)
    return story


def refused(story: Story, rule: Callable[..., list[e.Event]], **arguments: object) -> str:
    before = story.incident
    with pytest.raises(Refused) as caught:
        story.tell(rule, **arguments)
    assert story.incident is before
    return said(caught.value)


APPROVE = {"draft": "d1", "text_hash": HASH, "policy": POLICY}


def test_two_people_then_public() -> None:
    draft = public().incident.drafts["d1"]
    assert (draft.state, draft.drafted.by, draft.approved_by, draft.where) == ("published", "UANA", "UBEN", "C9")
    assert draft.drafted.to == ("UBEN", "UCARLA")


def test_the_drafter_never_approves() -> None:
    assert refused(drafted(), customer_messages.approve, **APPROVE, by=ANA) == (
        "You wrote this text, so somebody else has to approve it: <@UBEN> or <@UCARLA> are in this channel."
    )


@pytest.mark.parametrize("by", [SHELL, WORKFLOW, BOT])
def test_programs_neither_write_nor_approve(by: Actor) -> None:
    refused(drafted(), customer_messages.approve, **APPROVE, by=by)
    with pytest.raises(Refused):
        write(Story(), by=by)


def test_policy_names_who_approves() -> None:
    only_carla = {**APPROVE, "policy": Policy(may_approve=("UCARLA",))}
    assert "Ask <@UCARLA>." in refused(drafted(), customer_messages.approve, **only_carla, by=BEN)


def test_an_approval_is_for_exactly_one_text() -> None:
    says = refused(drafted(), customer_messages.approve, **{**APPROVE, "text_hash": text_hash("other")}, by=BEN)
    assert "the text has changed since you saw it" in says


def test_an_approver_who_edits_becomes_the_drafter() -> None:
    story = drafted()
    write(story, "d2", "Payouts are delayed.", by=BEN, replaces="d1")
    assert "the text has changed since you saw it" in refused(story, customer_messages.approve, **APPROVE, by=CARLA)
    second = {"draft": "d2", "text_hash": text_hash("Payouts are delayed."), "policy": POLICY}
    refused(story, customer_messages.approve, **second, by=BEN)
    assert story.tell(customer_messages.approve, **second, by=ANA)
    with pytest.raises(Refused, match="Somebody edited that text meanwhile"):
        write(story, "d3", "Third.", by=CARLA, replaces="d1")


@pytest.mark.parametrize(
    ("turn", "arguments"),
    [
        # what customers are told depends on how bad it is
        pytest.param(
            lifecycle.change_severity,
            {"severity": "sev2", "reason": "only KE", "responders": (), "policy": POLICY},
            id="severity",
        ),
        # and on where it stands
        pytest.param(lifecycle.mitigate, {"note": ""}, id="mitigated"),
    ],
)
@pytest.mark.parametrize("made", [drafted, approved])
def test_changed_facts_void_a_text(
    made: Callable[[], Story], turn: Callable[..., list[e.Event]], arguments: dict[str, object]
) -> None:
    story = made()
    assert story.tell(customer_messages.expire, draft="d1", by=BOT) == []
    story.tell(turn, **arguments, by=BEN)
    draft = story.incident.drafts["d1"]
    says = "severity or status changed since it was written"
    assert customer_messages.expires_at(story.incident, draft) == draft.drafted.at
    if draft.state == "approved":
        assert says in refused(story, customer_messages.record_sending, draft="d1", by=BOT)
    else:
        assert says in refused(story, customer_messages.approve, **APPROVE, by=BEN)
    (event,) = story.tell(customer_messages.expire, draft="d1", by=BOT)
    assert isinstance(event, e.CommsLapsed) and event.reason == says
    assert story.tell(customer_messages.expire, draft="d1", by=BOT) == []
    # The same words can be used again: an edit makes a new draft of them.
    write(story, "d2", replaces="d1")


def test_confirming_the_assumed_severity_voids_nothing() -> None:
    story = Story(severity="")
    write(story)
    story.tell(
        lifecycle.change_severity, severity="sev1", reason="", responders=(), by=BEN, policy=POLICY
    )  # fmt: skip
    assert story.tell(customer_messages.approve, **APPROVE, by=BEN)


@pytest.mark.parametrize(
    ("made", "minutes"),
    [
        # policy.draft_stands, counted from the writing
        pytest.param(drafted, 60, id="drafted"),
        # and as long again from the approval
        pytest.param(approved, 60, id="approved"),
        # a promise that lies behind cannot be made any more
        pytest.param(lambda: drafted(promised=BEGIN + timedelta(minutes=32)), 30, id="promised"),
        pytest.param(lambda: approved(promised=BEGIN + timedelta(minutes=33)), 30, id="promised, approved"),
    ],
)
def test_time_voids_a_text(made: Callable[[], Story], minutes: float) -> None:
    story = made()
    assert customer_messages.expires_at(story.incident, story.incident.drafts["d1"]) == story.now + timedelta(
        minutes=minutes
    )
    assert story.later(minutes - 0.01).tell(customer_messages.expire, draft="d1", by=BOT) == []
    story.later(0.01)
    if story.incident.drafts["d1"].state == "drafted":
        assert "Not approved" in refused(story, customer_messages.approve, **APPROVE, by=BEN)
    else:
        assert "Not sent" in refused(story, customer_messages.record_sending, draft="d1", by=BOT)
    assert story.tell(customer_messages.expire, draft="d1", by=BOT)
    assert customer_messages.expires_at(story.incident, story.incident.drafts["d1"]) is None


def test_a_promise_lies_ahead() -> None:
    with pytest.raises(Refused, match="is in the past"):
        write(Story(), promised=BEGIN)


def test_the_promise_is_that_of_the_last_public_text() -> None:
    story = Story().later(2)
    write(story, promised=BEGIN + timedelta(minutes=58))
    assert cadence.promise_due(story.incident) is None
    story.tell(customer_messages.approve, **APPROVE, by=BEN)
    story.tell(customer_messages.record_sending, draft="d1", by=BOT)
    story.tell(customer_messages.record_published, draft="d1", publisher="slack", where="C9", by=BOT)
    assert cadence.promise_due(story.incident) == BEGIN + timedelta(minutes=58)


def test_the_same_draft_told_twice_is_one() -> None:
    story = drafted()
    before = len(story.entries)
    write(story)
    assert len(story.entries) == before
    with pytest.raises(Refused, match="exists already"):
        write(story, text="Other words.")


def test_an_empty_text_is_no_draft() -> None:
    with pytest.raises(Refused, match="no text to send"):
        write(Story(), text=" \n ")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        # neither edited nor discarded once it may be public
        pytest.param(begun, "being sent", id="sending"),
        pytest.param(public, "public", id="published"),
    ],
)
def test_what_may_be_public_is_not_taken_back(made: Callable[[], Story], says: str) -> None:
    story = made()
    assert says in refused(story, customer_messages.discard, draft="d1", by=ANA)
    assert says in refused(story, customer_messages.approve, **APPROVE, by=CARLA)
    assert says in refused(story, customer_messages.record_sending, draft="d1", by=BOT)
    with pytest.raises(Refused, match=says):
        write(story, "d2", replaces="d1")


@pytest.mark.parametrize(
    "rule", [customer_messages.record_published, customer_messages.record_uncertain, customer_messages.record_failed]
)
def test_nothing_comes_of_what_was_never_begun(rule: Callable[..., list[e.Event]]) -> None:
    more: dict[str, object] = {
        customer_messages.record_published: {"publisher": "slack", "where": "C9"},
        customer_messages.record_failed: {"error": "x"}
    }.get(rule, {})  # fmt: skip
    for story in (drafted(), approved()):
        assert "Sending never began" in refused(story, rule, draft="d1", by=BOT, **more)


def test_sending_takes_an_approval() -> None:
    assert "not approved yet" in refused(drafted(), customer_messages.record_sending, draft="d1", by=BOT)


def test_approving_twice() -> None:
    story = approved()
    assert story.tell(customer_messages.approve, **APPROVE, by=BEN) == []
    assert "<@UBEN> approved that already" in refused(story, customer_messages.approve, **APPROVE, by=CARLA)


def test_what_nobody_knows_is_settled_by_a_person() -> None:
    story = begun()
    assert story.tell(customer_messages.record_uncertain, draft="d1", error="no answer", by=BOT)
    assert story.tell(customer_messages.record_uncertain, draft="d1", by=BOT) == []
    assert "somebody has to look" in refused(story, customer_messages.record_sending, draft="d1", by=BOT)
    assert story.tell(customer_messages.record_published, draft="d1", publisher="person", where="C9", by=ANA)
    assert story.tell(customer_messages.record_published, draft="d1", publisher="person", where="C9", by=ANA) == []
    assert "public since 14:05 UTC" in refused(story, customer_messages.record_failed, draft="d1", error="x", by=ANA)


def test_what_failed_is_sent_again_by_people_only() -> None:
    story = begun()
    story.tell(customer_messages.record_failed, draft="d1", error="not_in_channel", by=BOT)
    assert "sending failed" in refused(story, customer_messages.record_sending, draft="d1", by=BOT)
    assert story.tell(customer_messages.record_sending, draft="d1", by=ANA)


def test_discarding() -> None:
    story = approved()
    assert story.tell(customer_messages.discard, draft="d1", reason="not needed", by=CARLA)
    assert story.tell(customer_messages.discard, draft="d1", by=CARLA) == []
    assert "discarded" in refused(story, customer_messages.record_sending, draft="d1", by=BOT)


def test_customers_are_told_that_it_is_over() -> None:
    story = Story()
    story.keep(e.Resolved(by="UANA", at=story.now))
    write(story)
    assert story.tell(customer_messages.approve, **APPROVE, by=BEN)
    story.tell(lifecycle.close, note="", by=ANA)
    assert "reopen it first" in refused(story, customer_messages.record_sending, draft="d1", by=BOT)


def test_the_outcome_is_recorded_whatever_happened_meanwhile() -> None:
    story = begun()
    story.keep(e.Resolved(by="UANA", at=story.now))
    story.tell(lifecycle.close, note="", by=ANA)
    assert story.tell(customer_messages.record_published, draft="d1", publisher="slack", where="C9", by=BOT)


def test_a_private_incident_may_still_tell_customers() -> None:
    story = Story(private=True)
    write(story)
    assert story.tell(customer_messages.approve, **APPROVE, by=BEN)


def test_no_such_draft() -> None:
    assert "no such draft" in refused(Story(), customer_messages.discard, draft="d9", by=ANA)
    assert Story().tell(customer_messages.expire, draft="d9", by=BOT) == []
