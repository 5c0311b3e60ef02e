"""Whatever people write and whatever happens: what is rendered is accepted by Slack, and pings nobody by accident."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import events as e
from bot.domain.customer_template import Slot, Template, text_hash
from bot.domain.desired_message import DesiredMessage
from bot.domain.fold import evolve
from bot.domain.incident import Incident
from bot.domain.resolve_conditions import resolve_checklist
from bot.domain.runbook import Runbook, Section, Step, TwoPeople
from bot.slack.surfaces import modals
from bot.slack.surfaces.messages import messages
from localslack.blocks import problems, view_problems
from tests.slack.slack_story import BEGIN, NAMES, POLICY, SETUP, TEAM

#: all markup that the bot writes itself
OURS = re.compile(
    r"<!date\^\d+\^[^<>|]*\|[^<>]*>|<@U[A-Z0-9]+>|<!subteam\^S[A-Z]+>|<#C[A-Z0-9]+>|<https://[^<>|]*\|[^<>]*>"
)
NASTY = st.sampled_from(
    [
        "<!channel>",
        "<@U0EVIL>",
        "&" * 700,
        "```",
        "> quoted\n*bold*",
        "<" * 3000,
        "x" * 4000,
        "é" * 90,
        "\u202eturn",
        "\n\n",
    ]
)
WORDS = st.one_of(st.text(max_size=60), NASTY, st.tuples(NASTY, st.text(max_size=9)).map("".join))
SLUGS = st.sampled_from(["horizon-outage", "a" * 60, "a" * 200])


@st.composite
def runbooks(draw: st.DrawFn) -> Runbook:
    sections = []
    for number in range(1, draw(st.integers(0, 4)) + 1):
        steps = tuple(
            Step(
                f"{number}.{position}",
                draw(WORDS),
                tuple(draw(st.lists(WORDS, max_size=2))),
                draw(st.sampled_from([None, TwoPeople.BEFORE, TwoPeople.AFTER])),
            )
            for position in range(1, draw(st.sampled_from([0, 1, 3, 45])) + 1)
        )
        sections.append(Section(number, draw(WORDS), draw(WORDS), steps))
    slug, title, revision = draw(SLUGS), draw(WORDS), draw(WORDS)
    return Runbook(slug=slug, title=title, summary="", revision=revision, sections=tuple(sections), owner=draw(WORDS))


@st.composite
def histories(draw: st.DrawFn) -> list[Incident]:
    """A declaration, then any of the things that can happen, in any order that the rules would let through: the
    incident after each of them."""
    runbook = draw(runbooks())
    incident = Incident(TEAM, "6e0c6d3e-8d2a-4a53-9d3b-1f2f8f0d8a11")
    declared = e.Declared(
        by=draw(st.sampled_from(["UANA", "bot", "cli:root"])), at=BEGIN, number=42, title=draw(WORDS),
        severity=draw(st.sampled_from(["sev1", "sev2", "sev3"])), assumed=draw(st.booleans()),
        private=draw(st.booleans()), summary=draw(WORDS), responders=("UBEN", "SONCALL"),
    )  # fmt: skip
    events: list[e.Event] = [declared, e.ChannelOpened(by="bot", at=BEGIN, channel="C42", name="inc-42")]
    if draw(st.booleans()):
        events.append(e.RunbookAttached(by="UANA", at=BEGIN, runbook=runbook))
    states = []
    for event in events:
        incident = evolve(incident, e.Entry(incident.seq + 1, event))
        states.append(incident)
    for minute in range(draw(st.integers(0, 12))):
        for event in _next(draw, incident, minute):
            incident = evolve(incident, e.Entry(incident.seq + 1, event))
            states.append(incident)
    return states


def incidents() -> st.SearchStrategy[Incident]:
    return histories().map(lambda states: states[-1])


def _next(draw: st.DrawFn, i: Incident, minute: int) -> Iterator[e.Event]:
    at, later = BEGIN + timedelta(minutes=minute * 5), BEGIN + timedelta(hours=draw(st.integers(1, 300)))
    who = {"by": draw(st.sampled_from(["UANA", "UBEN", "bot"])), "at": at}
    people, words = ("UBEN", "UCARLA", "SONCALL"), draw(WORDS)
    steps = [(one.runbook.slug, step) for one in i.checklists for step in one.runbook.steps]
    kind = draw(st.integers(0, 10))
    if kind == 0:
        yield e.RoleTaken(**who, role=draw(st.sampled_from(["lead", "comms-lead", "scribe"])), user="UCARLA")
        yield e.RoleOffered(**who, role="lead", to="UBEN", until=later)
    elif kind == 1:
        yield e.SeverityChanged(**who, old="sev2", new="sev1", worse=True, reason=words, responders=("UDIPO",))
        yield e.SeverityAsked(**who, to="UANA")
    elif kind == 2:
        yield e.UpdatePosted(
            **who, text=words or "x", next_by=later, impact=draw(WORDS), nothing_new=draw(st.booleans())
        )
        item = e.DueItem(kind=draw(st.sampled_from(["update", "promise"])), due=at, ref=words)
        yield e.Reminded(**who, items=(item,), rung=draw(st.integers(0, 3)), to=people)
    elif kind == 3:
        yield e.WaitingBegan(**who, what=words, look_again=later)
        if draw(st.booleans()):
            yield e.WaitingEnded(by="bot", at=at)
    elif kind == 4:
        yield e.Noted(**who, text=words, happened=at, author="UBEN")
        yield e.TaskAdded(**who, text=words, assignee="UBEN", due=words)
        yield e.SecretRefused(**who, kind=words, where=words)
    elif kind == 5:
        yield e.NobodyAnswered(by="bot", at=at, level=1, to=people)
        yield e.Escalated(**who, level=2, to=people, reason=words)
        yield e.LeadSilent(by="bot", at=at, to=i.lead)
        yield e.RunbookGuessed(by="bot", at=at, slugs=("a", "b"), titles=(words, "b"))
    elif kind == 6 and steps:
        slug, step = draw(st.sampled_from(steps))
        yield e.Asked(**who, runbook=slug, step=step.id, action=step.text, evidence=words, count=words, amount=words,
                      to=people, lapses=later)  # fmt: skip
        ask = i.seq + 1
        if draw(st.booleans()):
            yield e.GoGiven(by="UBEN", at=at, ask=ask, until=later)
        yield draw(st.sampled_from([
            e.AskDone(**who, ask=ask, result=words), e.AskRefused(**who, ask=ask, reason=words),
            e.AskLapsed(**who, ask=ask), e.AskNotDone(**who, ask=ask), e.StepNoted(**who, runbook=slug, step=step.id,
            text=words),
        ]))  # fmt: skip
    elif kind == 7 and steps:
        slug, step = draw(st.sampled_from(steps))
        where = {**who, "runbook": slug, "step": step.id}
        yield draw(st.sampled_from([
            e.StepTicked(**where), e.StepSkipped(**where, reason=words), e.DoneAlone(**where, reason=words,
            review_by=later, to=people), e.StoppedFirst(**where, review_by=later, to=people, note=words),
        ]))  # fmt: skip
        yield e.ReviewOverdue(**where, to=people)
    elif kind == 8:
        name = f"d{i.seq}"
        yield e.CommsDrafted(**who, draft=name, template=words, audience=words, stage=words, revision="r", text=words,
                             text_hash=text_hash(words), removed=words, findings=(words,), tone=(words, words),
                             promised=later, to=people, expires=later)  # fmt: skip
        if draw(st.booleans()):
            yield e.CommsApproved(**who, draft=name, text_hash="")
            yield draw(st.sampled_from([
                e.CommsPublished(**who, draft=name, publisher="slack", where=words, link=words),
                e.CommsUncertain(**who, draft=name, error=words), e.CommsFailed(**who, draft=name, error=words),
            ]))  # fmt: skip
    elif kind == 9:
        checks = tuple(e.Check(name=name, met="unknown", note=words) for name in ("impact", "told", words))
        yield e.OverrideAsked(**who, reason=words, checks=checks, to=people)
        yield e.PendingEnded(
            **who, kind=draw(st.sampled_from(("override", "step", "customer message", "hand-over", words))),
            ref=draw(st.sampled_from(("3", "lead", words))), change=draw(st.sampled_from(("ending", "expired", words))),
            to="UBEN",
        )  # fmt: skip
        yield draw(st.sampled_from([
            e.Mitigated(**who, note=words), e.Reopened(**who, reason=words), e.FalseAlarm(**who, reason=words),
            e.MarkedDuplicate(**who, of=7, of_channel="C7"), e.Held(**who, until=later, watcher="UBEN"),
            e.Resolved(**who, note=words, checks=checks, override=words, second="UBEN", postmortem_owner="UANA",
            postmortem_due=later), e.StoodDown(**who, to=people),
        ]))  # fmt: skip
    elif kind == 10:
        yield from (e.UpdateUndone(**who, seq=one.seq) for one in i.updates[-1:])
        yield from (e.NoteWithdrawn(**who, seq=one.seq) for one in i.notes[-2:-1])
        yield from (e.TaskDone(**who, seq=one.seq) for one in i.tasks[-1:])


def mrkdwn(node: Any) -> Iterator[str]:
    """Every text that Slack parses."""
    if isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            yield node["text"]
            assert node["verbatim"] is True
        for inner in node.values():
            yield from mrkdwn(inner)
    elif isinstance(node, list | tuple):
        for inner in node:
            yield from mrkdwn(inner)


def values(node: Any) -> Iterator[str]:
    """Every value that a click carries."""
    if isinstance(node, dict):
        if isinstance(node.get("value"), str) and "text" in node:
            yield node["value"]
        for inner in node.values():
            yield from values(inner)
    elif isinstance(node, list | tuple):
        for inner in node:
            yield from values(inner)


def safe(words: str) -> bool:
    """Nothing but the bot's own markup is left."""
    return not set("<>") & set(re.sub(r"^> ", "", OURS.sub("", words), flags=re.MULTILINE))


#: messages whose keys have numbers that are no event's: a runbook's sections, a reminder's rung, a draft's name
OWN_NUMBERS = ("reminder", "runbook", "section", "draft", "approve", "trouble")


def numbered(message: DesiredMessage) -> int:
    """The number of the event that the key tells: every message has to say it in its field as well."""
    first, *rest = message.key.split(":")
    return 0 if first in OWN_NUMBERS else max((int(one) for one in rest if one.isdecimal()), default=0)


def well_formed(message: DesiredMessage) -> None:
    assert message.delete or message.numbered == numbered(message), message.key
    assert problems(list(message.blocks), "message") == [], message.key
    assert message.text.strip() and len(message.text) <= 3900
    for said in (message.text, *mrkdwn(message.blocks)):
        assert safe(said), (message.key, said[:300])
    assert "<@U0EVIL>" not in message.text and not any("<@U0EVIL>" in one for one in mrkdwn(message.blocks))
    for one in values(message.blocks):
        assert "i" in json.loads(one), one


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(incidents(), st.integers(0, 120))
def test_any_incident_renders_within_slacks_limits(incident: Incident, seconds: int) -> None:
    now = (incident.last_at or BEGIN) + timedelta(seconds=seconds)
    rendered = messages(incident, now, SETUP)
    keys = [message.key for message in rendered]
    assert len(keys) == len(set(keys)), "each message is named once"
    for message in rendered:
        well_formed(message)
        assert not (message.delete and message.send_if_new)
        assert not message.target.parent or message.target.parent in keys
    if incident.private:
        assert all(message.target.kind != "announcements" for message in rendered)
        assert "<!subteam" not in str([(m.text, m.blocks) for m in rendered])
    assert [m.hash for m in messages(incident, now, SETUP)] == [m.hash for m in rendered]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(incidents(), WORDS, WORDS)
def test_any_form_is_within_slacks_limits(incident: Incident, one: str, two: str) -> None:
    now = incident.last_at or BEGIN
    slots = (
        Slot("region", one or "x", "region", hint=two),
        Slot("sure", "Sure?", "choice", choices=("yes", one[:100] + "?")),
        Slot("what", two or "y", "text", max_length=5000),
    )
    template = Template("payment-delays", "customers", "investigating", one, slots, "r")
    checks = resolve_checklist(incident, (), POLICY)
    url = "https://hooks.slack.com/commands/T1/" + "9" * 80
    forms = [
        modals.declare_form(title=one, severity="sev1", policy=POLICY, private=True, response_url=url, channel="C1"),
        modals.update_form(incident, text=one, next_by=now + timedelta(hours=1), now=now, response_url=url),
        modals.update_preview(incident, text=one, impact=two, next_by=now, now=now, response_url=url),
        modals.tried_form(incident),
        modals.note_form(incident, text=one),
        modals.handover_form(incident, to="UBEN"),
        modals.hold_form(incident, now),
        modals.resolve_form(incident, checks=checks, policy=POLICY, note=one),
        modals.comms_form(incident, template, values={"region": one, "what": two}, last_said=two, stages=("a", "b")),
        *(modals.approve_form(incident, draft, now=now, setup=SETUP) for draft in incident.drafts.values()),
        *(modals.go_form(incident, ask, names=NAMES) for ask in incident.asks.values()),
        *(modals.refuse_form(incident, ask) for ask in incident.asks.values()),
        *(modals.done_form(incident, ask) for ask in incident.asks.values()),
    ]
    for checklist in incident.checklists:
        slug = checklist.runbook.slug
        forms += [modals.list_modal(incident, slug, page, NAMES) for page in (0, 1, 99)]
        for step in checklist.runbook.steps[:2]:
            forms += [modals.skip_form(incident, slug, step.id), modals.ask_form(incident, slug, step.id)]
            forms.append(modals.note_form(incident, slug=slug, step=step.id, correction=True))
    for form in forms:
        assert view_problems(form, "modal") + problems(form["blocks"], "modal") == [], form["callback_id"]
        assert all(safe(words) for words in mrkdwn(form["blocks"])), form["callback_id"]
        assert isinstance(json.loads(form["private_metadata"]), dict)
    for user in ("UANA", "UBEN", "U0NOBODY"):
        assert problems(modals.next_actions(incident, user, POLICY, now), "message") == []
    assert problems(modals.catch_up(incident, now=now, setup=SETUP), "message") == []
