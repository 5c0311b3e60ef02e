"""What follows from an alert: rows of tables, and no clock but the one that is passed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import alert, escalation
from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind, alert_actor
from bot.domain.alert import Alert
from bot.domain.errors import Refused
from bot.domain.fold import evolve
from bot.domain.incident import Incident
from bot.domain.policy import NOTE_ONLY, AlertPolicy, Policy
from bot.domain.runbook import Runbook

T0 = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
POLICY = Policy(levels=(("U1",), ("U2",)))
BY = alert_actor("T1", "alertmanager")
ANA = Actor("T1", "UANA", "Ana")
DOWN = Alert(
    source="alertmanager", group="horizon", id="a", name="HorizonDown", title="root returns 503", since=T0,
    severity="critical",
)  # fmt: skip
OTHER = replace(DOWN, id="b")
OVER = replace(DOWN, firing=False)
RUNBOOK = Runbook("horizon-outage", "Horizon outage", "", "1", (), alerts=("HorizonDown",), severity="sev2")


def after(incident: Incident, *events: e.Event) -> Incident:
    for event in events:
        incident = evolve(incident, e.Entry(incident.seq + 1, event))
    return incident


def declared(
    *alerts: Alert, policy: Policy = POLICY, runbook: Runbook | None = None, **more: tuple[str, ...]
) -> Incident:
    head = alert.worst_alert(alerts, policy)
    assert head is not None
    people = {"responders": ("U1",), "insiders": ("U7",)} | more
    events = alert.declare(
        Incident("T1", "i"), number=1, head=head, alerts=alerts, runbook=runbook, by=BY, at=T0, policy=POLICY, **people
    )
    return after(Incident("T1", "i"), *events)


def ended(incident: Incident, at: datetime = T0) -> Incident:
    return after(incident, e.Resolved(by="UANA", at=at))


# -- what is new ----------------------------------------------------------------------------------------

LATER = replace(DOWN, since=T0 + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("heard", "told", "new"),
    [
        pytest.param((DOWN,), (DOWN,), 0, id="a repeat"),
        pytest.param((DOWN,), (replace(DOWN, title="in other words"),), 0, id="the same in other words"),
        pytest.param((DOWN,), (OTHER,), 1, id="another one"),
        pytest.param((DOWN,), (OTHER, OTHER), 1, id="another one, twice in one delivery"),
        pytest.param((DOWN,), (LATER,), 1, id="it fires anew"),
        pytest.param((LATER,), (DOWN,), 0, id="an old one, overtaken on its way"),
        pytest.param((DOWN,), (OVER,), 1, id="it has ended"),
        pytest.param((DOWN, OVER), (OVER,), 0, id="it has ended, said again"),
        pytest.param((DOWN, OVER), (DOWN,), 0, id="a late repeat of what has ended"),
        pytest.param((DOWN, OVER), (LATER,), 1, id="it has ended and fires anew"),
        pytest.param((LATER,), (OVER,), 0, id="an end that was overtaken"),
        pytest.param((DOWN,), (replace(OVER, id="z"),), 0, id="the end of one that was never told"),
        pytest.param((replace(DOWN, since=None),), (replace(DOWN, since=None),), 0, id="a repeat without a time"),
        pytest.param((replace(DOWN, since=None), replace(OVER, since=None)), (replace(DOWN, since=None),), 1,
                     id="without a time it fires anew once it has ended"),
        pytest.param((DOWN,), (replace(DOWN, source="generic"),), 1, id="another sender's of the same id"),
    ],
)  # fmt: skip
def test_what_is_new(heard: tuple[Alert, ...], told: tuple[Alert, ...], new: int) -> None:
    incident = declared(heard[0])
    for one in heard[1:]:
        incident = after(incident, *alert.add(incident, alerts=[one], by=BY, at=T0, policy=POLICY))
    assert len(alert.add(incident, alerts=told, by=BY, at=T0, policy=POLICY)) == new


def test_one_incident_holds_so_many() -> None:
    many = [replace(DOWN, id=str(number)) for number in range(alert.MAX_ALERTS_PER_INCIDENT + 50)]
    incident = declared(*many)
    assert len(incident.alerts) == alert.MAX_ALERTS_PER_INCIDENT
    assert alert.add(incident, alerts=many, by=BY, at=T0, policy=POLICY) == []
    over = [replace(OVER, id="0")]
    assert len(alert.add(incident, alerts=over, by=BY, at=T0, policy=POLICY)) == 1


# -- whether an incident begins -------------------------------------------------------------------------

DAY = timedelta(hours=24)


@pytest.mark.parametrize(
    ("last", "told", "later", "wanted"),
    [
        pytest.param(None, (DOWN,), 0, True, id="the first"),
        pytest.param(None, (OVER,), 0, False, id="an end begins nothing"),
        pytest.param(None, (replace(DOWN, severity="warning"),), 0, False, id="a word that policy only notes"),
        pytest.param(None, (replace(DOWN, severity="Warning"), OTHER), 0, True, id="one of two may"),
        pytest.param((DOWN,), (DOWN,), 3600, False, id="people ended it knowing of this one"),
        pytest.param((DOWN,), (DOWN, OTHER), 60, True, id="and not of that one"),
        pytest.param((DOWN,), (LATER,), 600, True, id="it fires anew"),
        pytest.param((DOWN,), (DOWN,), 86_400, True, id="it still fires a day after"),
        pytest.param((DOWN, OVER), (DOWN,), 90_000, False, id="an old delivery, a day after"),
    ],
)
def test_whether_an_incident_begins(
    last: tuple[Alert, ...] | None, told: tuple[Alert, ...], later: int, wanted: bool
) -> None:
    before = None
    if last is not None:
        before = declared(last[0])
        for one in last[1:]:
            before = after(before, *alert.add(before, alerts=[one], by=BY, at=T0, policy=POLICY))
        before = ended(before)
    assert alert.should_declare(before, told, T0 + timedelta(seconds=later), POLICY) is wanted


def test_a_team_may_let_alerts_declare_nothing() -> None:
    policy = replace(POLICY, alerts=AlertPolicy(declare=False))
    assert not alert.should_declare(None, [DOWN], T0, policy)


# -- what it looks like ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "runbook", "meant"),
    [
        pytest.param("critical", None, "sev1", id="an alias of a severity"),
        pytest.param(" SEV-3 ", None, "sev3", id="a severity's name"),
        pytest.param("page", None, "sev3", id="a word of policy's"),
        pytest.param("warning", RUNBOOK, NOTE_ONLY, id="noted, whatever its runbook says"),
        pytest.param("blocker", RUNBOOK, "sev2", id="a word that nobody knows: its runbook's"),
        pytest.param("", None, None, id="nobody says"),
    ],
)
def test_the_severity(word: str, runbook: Runbook | None, meant: str | None) -> None:
    policy = replace(POLICY, alerts=AlertPolicy(severities=(("page", "sev3"), ("warning", NOTE_ONLY))))
    assert alert.severity(replace(DOWN, severity=word), runbook, policy) == meant


def test_the_worst_gives_title_and_severity() -> None:
    mild = replace(OTHER, severity="minor", name="HorizonLag")
    incident = declared(mild, DOWN)
    assert (incident.severity, incident.title) == ("sev1", "HorizonDown: root returns 503")
    assert len(incident.alerts) == 2


def test_nobody_says_how_bad_it_is() -> None:
    plain = replace(DOWN, severity="", name="DiskFull", title="90 % used")
    assert declared(plain).severity == "sev2" and declared(replace(plain, name="PayoutQueueStuck")).severity == "sev1"


@pytest.mark.parametrize(
    ("name", "said", "title"),
    [
        pytest.param("HorizonDown", "root returns 503", "HorizonDown: root returns 503", id="both"),
        pytest.param("HorizonDown", "horizondown since noon", "horizondown since noon", id="named in what it says"),
        pytest.param("HorizonDown", "", "HorizonDown", id="only the name"),
        pytest.param("???", "!!!", "Alert of alertmanager", id="nothing that can be read"),
        pytest.param("X", "y" * 400, "X: " + "y" * 196 + "…", id="too long"),
    ],
)
def test_the_title(name: str, said: str, title: str) -> None:
    assert alert.title(replace(DOWN, name=name, title=said)) == title


def test_nobody_leads_and_nobody_has_answered() -> None:
    incident = declared(DOWN, runbook=RUNBOOK)
    assert (incident.lead, incident.acknowledged_by, incident.declared_by) == ("", "", "alert:alertmanager")
    assert incident.wanted == ("U1",) and incident.checklists[0].how == "alert"
    assert escalation.next_escalation_at(incident, POLICY) == T0 + POLICY.answer_within


@pytest.mark.parametrize(
    ("address", "slug"),
    [
        pytest.param("https://github.com/acme/runbooks/blob/main/horizon-outage.md#3", "horizon-outage", id="a file"),
        pytest.param("https://runbooks.example/db-failover/", "db-failover", id="a page"),
        pytest.param("https://runbooks.example/db-failover.html?x=1", "db-failover", id="with a question"),
        pytest.param("db-failover", "db-failover", id="its name"),
        pytest.param("", "", id="none"),
    ],
)
def test_the_runbook_that_it_names(address: str, slug: str) -> None:
    assert replace(DOWN, runbook=address).runbook_slug == slug


# -- words that need care -------------------------------------------------------------------------------

FRAUD = replace(DOWN, name="DoublePaymentFound", title="3 payouts")


def test_delicate_words_make_it_private_and_somebody_is_let_in() -> None:
    incident = declared(DOWN, FRAUD)
    assert incident.private and incident.wanted == incident.responders == ("U7",)
    # nobody else is called, and those again and again as long as nobody answers
    call = escalation.escalate_unanswered(incident, by=BY, at=T0 + timedelta(minutes=5), policy=POLICY)
    assert [one.to for one in call if isinstance(one, e.NobodyAnswered)] == [("U7",)]
    incident = after(incident, *call, e.Acknowledged(by="U7", at=T0))
    assert escalation.next_escalation_at(incident, POLICY) is None


def test_a_private_one_that_reaches_nobody_is_public_without_words() -> None:
    incident = declared(FRAUD, runbook=RUNBOOK, insiders=())
    assert not incident.private and incident.checklists == () and incident.severity == "sev1"
    said = repr(incident)
    assert alert.WITHHELD_TEXT in incident.title and not any(word in said for word in ("Double", "3 payouts"))


def test_delicate_words_stay_out_of_a_public_one() -> None:
    incident = declared(DOWN)
    (told,) = alert.add(incident, alerts=[replace(FRAUD, id="f")], by=BY, at=T0, policy=POLICY)
    assert isinstance(told, e.AlertFired) and told.name == alert.WITHHELD_TEXT and "Double" not in repr(told)
    private = declared(FRAUD)
    (told,) = alert.add(private, alerts=[replace(FRAUD, id="f")], by=BY, at=T0, policy=POLICY)
    assert isinstance(told, e.AlertFired) and told.name == "DoublePaymentFound"


# -- what it may not do ---------------------------------------------------------------------------------


def test_an_alert_ends_nothing() -> None:
    incident = declared(DOWN)
    incident = after(incident, *alert.add(incident, alerts=[OVER], by=BY, at=T0, policy=POLICY))
    assert incident.open and incident.alerts[DOWN.key].resolved_at == T0


def test_after_the_end_only_an_end_is_added() -> None:
    incident = ended(declared(DOWN))
    assert alert.add(incident, alerts=[OTHER], by=BY, at=T0, policy=POLICY) == []
    assert len(alert.add(incident, alerts=[OVER], by=BY, at=T0, policy=POLICY)) == 1


@pytest.mark.parametrize("verb", ["declare", "resolve", "approve", "go", "tick", "sev", "page"])
def test_a_sender_of_alerts_may_nothing_else(verb: str) -> None:
    assert BY.kind is ActorKind.ALERT
    POLICY.require_right("alert", BY)
    with pytest.raises(Refused, match="A person has to do the rest"):
        POLICY.require_right(verb, BY)
