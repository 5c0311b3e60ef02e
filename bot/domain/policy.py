"""What a team has decided: severities and their clocks, who may do what, words that need care.

Everything here has a default, so that a team can begin with no policy file at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from bot.domain.actor import Actor, ActorKind
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.sentences import People, Sentence

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Severity:
    """A level of harm. `cadence` is the time between updates; None: one at resolution is enough."""

    key: str  # "sev1"
    name: str  # "SEV-1"
    meaning: str
    cadence: timedelta | None
    #: business days until the postmortem; None: none is asked for
    postmortem_days: int | None
    #: "one line", "conditions" or "conditions, and a second person to override"
    gate: str
    aliases: tuple[str, ...] = ()
    #: user ids or user group ids brought into the channel and mentioned
    responders: tuple[str, ...] = ()


SEVERITIES = (
    Severity(
        "sev1", "SEV-1", "Money lost or at risk, or customers cannot pay",
        timedelta(minutes=30), 5, "second person", ("sev-1", "p1", "critical", "1"),
    ),
    Severity(
        "sev2", "SEV-2", "Payments degraded, no money lost",
        timedelta(hours=2), 5, "conditions", ("sev-2", "p2", "major", "2"),
    ),
    Severity(
        "sev3", "SEV-3", "A small part affected, or cosmetic",
        None, None, "one line", ("sev-3", "p3", "minor", "3"),
    ),
)  # fmt: skip

#: verbs that need more than membership of the workspace; each names the policy field that says who may
VERB_RIGHTS = {
    "declare": "may_declare",
    "backfill": "may_declare",
    "sev": "may_change_severity",
    "resolve": "may_resolve",
    "false-alarm": "may_resolve",  # these two end an incident as well
    "duplicate": "may_resolve",
    "approve": "may_approve",
    "ask": "may_do_money_steps",
    "done": "may_do_money_steps",
    "stop": "may_do_money_steps",
    "alone": "may_do_money_steps",
    "go": "may_confirm",
    "review": "may_confirm",
    "drill": "may_run_drills",
}
#: right -> what it is about, to begin a refusal with
RIGHTS = {
    "may_declare": "Declaring an incident",
    "may_change_severity": "Changing the severity",
    "may_resolve": "Ending an incident",
    "may_approve": "Approving a customer text",
    "may_do_money_steps": "Doing a step that takes two people",
    "may_confirm": "Being the second person of a step",
    "may_run_drills": "Running a drill",
}

#: what a severity word of an alert's sender may mean besides a severity
NOTE_ONLY = "note"

#: what everybody reads who asks for an incident that is not there, or that they may not know of: the same words
NO_SUCH_INCIDENT = "There is no such incident here. `{command} list` shows those that are open."


@dataclass(frozen=True)
class AlertPolicy:
    """What alerts do."""

    #: whether an alert begins an incident; else it only adds to one that is open
    declare: bool = True
    #: the sender's word -> a severity's key, or NOTE: it begins no incident
    severities: tuple[tuple[str, str], ...] = (("warning", NOTE_ONLY), ("info", NOTE_ONLY), ("none", NOTE_ONLY))
    #: people and groups who are let into an incident that is private because of its alert's words
    private_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """The team's decisions. Empty groups in a right mean: every member of the workspace."""

    severities: tuple[Severity, ...] = SEVERITIES
    assumed_severity: str = "sev2"
    announcements: str = "incidents"  # channel names, without #
    customer_comms: str = "customer-comms"
    #: when the digest is posted each day (UTC); None: never
    digest_at: time | None = time(8)
    #: user or group ids asked one level after the other when nobody answers
    levels: tuple[tuple[str, ...], ...] = ()
    may_declare: tuple[str, ...] = ()
    may_change_severity: tuple[str, ...] = ()
    may_resolve: tuple[str, ...] = ()
    may_approve: tuple[str, ...] = ()
    may_do_money_steps: tuple[str, ...] = ()
    may_confirm: tuple[str, ...] = ()
    may_run_drills: tuple[str, ...] = ()
    #: besides those who are in it; here empty means nobody
    may_read_private: tuple[str, ...] = ()
    guests_may_act: bool = False
    alerts: AlertPolicy = AlertPolicy()

    #: words that make SEV-1 the assumed severity
    money_words: tuple[str, ...] = (
        "withdrawal", "withdrawals", "payout", "payouts", "double payment", "double payout", "money", "funds",
        "balance", "balances", "ledger", "settlement", "escrow",
    )  # fmt: skip
    #: words that make the bot ask "private or public" before any channel exists
    private_words: tuple[str, ...] = (
        "double payment", "double payout", "double pay", "paid twice", "fraud", "leak", "leaked", "key", "keys",
        "breach", "breached", "hacked", "stolen", "seed", "secret",
    )  # fmt: skip

    answer_within: timedelta = 5 * MINUTE
    ask_again_every: timedelta = timedelta(hours=1)  # after the levels have been tried
    severity_asked_after: timedelta = 5 * MINUTE
    lead_silent_after: timedelta = 45 * MINUTE
    offer_stands: timedelta = 5 * MINUTE
    ask_stands: timedelta = 30 * MINUTE
    go_stands: timedelta = 10 * MINUTE
    review_within: timedelta = 30 * MINUTE
    draft_stands: timedelta = 60 * MINUTE
    undo_within: timedelta = timedelta(seconds=30)
    section_folds_after: timedelta = timedelta(seconds=30)
    snooze: timedelta = 10 * MINUTE
    snoozes: int = 2
    #: when each rung of a reminder comes, seen from the time that something is due
    rungs: tuple[timedelta, ...] = (-5 * MINUTE, 0 * MINUTE, 5 * MINUTE, 10 * MINUTE)
    #: conditions of resolving, in order; `key: sentence`; keys the bot can see itself are in lifecycle.CHECKS
    resolve_checks: tuple[tuple[str, str], ...] = field(
        default=(
            ("impact", "Customers are no longer affected"),
            ("reconciled", "Counts and sums are reconciled"),
            ("unpaused", "Everything paused is running again"),
            ("told", "Customers have been told"),
            ("asks", "No ask or review is open"),
        )
    )

    @property
    def named(self) -> tuple[str, ...]:
        """Every user and group that it names, each once."""
        lists = [*self.levels, *(severity.responders for severity in self.severities), self.may_read_private]
        lists += [getattr(self, right) for right in dict.fromkeys(VERB_RIGHTS.values())]
        return tuple(dict.fromkeys(one for each in (*lists, self.alerts.private_to) for one in each))

    def severity(self, word: str) -> Severity:
        """The severity that a word means; raises Refused with the known ones."""
        wanted = word.strip().lower()
        for severity in self.severities:
            if wanted in (severity.key, severity.name.lower(), *severity.aliases):
                return severity
        known = ", ".join(severity.key for severity in self.severities)
        raise Refused(
            "There is no severity “{word}”. Use one of {known}.", word=word[:20], known=known, field="severity"
        )

    def rank(self, key: str) -> int:
        """0 is the worst."""
        return [severity.key for severity in self.severities].index(self.severity(key).key)

    def worst(self) -> Severity:
        """The most severe level."""
        return self.severities[0]

    def severity_for_title(self, title: str) -> Severity:
        """The severity when nobody chose one: the worst where money words stand, else the assumed one."""
        words = f" {_plain(title)} "
        if any(f" {word} " in words for word in self.money_words):
            return self.worst()
        return self.severity(self.assumed_severity)

    def has_private_words(self, text: str) -> bool:
        """Whether the words ask for "private or public" first."""
        words = f" {_plain(text)} "
        return any(f" {word} " in words for word in self.private_words)

    def require_right(self, verb: str, actor: Actor) -> None:
        """Raise Refused, with what would allow it, unless this actor may do `verb`."""
        if actor.kind is ActorKind.SELF:
            return
        if actor.kind is ActorKind.CLI:
            if verb in ("go", "review", "approve"):
                raise Refused("The command line never confirms or approves. A person has to, in Slack.")
            return
        if actor.kind is ActorKind.ALERT:
            if verb != "alert":
                raise Refused("An alert can only begin an incident or add to one. A person has to do the rest.")
            return
        if actor.kind is ActorKind.BOT:
            raise Refused("Bots and workflows cannot act on incidents. A person of this workspace can.")
        if actor.kind is ActorKind.STRANGER:
            raise Refused(
                "You belong to another workspace, so nothing was done. Ask somebody of this workspace to do it."
            )
        if actor.kind is ActorKind.GONE:
            raise Refused("Your account is deactivated here, so nothing was done.")
        if actor.kind is ActorKind.GUEST and not self.guests_may_act:
            raise Refused("Guests cannot act on incidents here. Ask a member to do it, or an admin to change that.")
        if actor.kind is ActorKind.UNKNOWN:
            raise Refused(
                "Slack does not say at the moment who you are, so nothing was done. Try again in a minute, or ask "
                "somebody who has acted here before."
            )
        right = self.right(verb)
        if right and not _among(right, actor) and not actor.groups_known:
            raise Refused(
                f"{RIGHTS[VERB_RIGHTS[verb]]} is for certain groups here, and Slack has not told me yet who is in "
                "them, so nothing was done. Try again in a minute."
            )
        if right and not _among(right, actor):
            raise Refused(
                "{rights} is not for everybody here, so nothing was done. {ask}",
                rights=RIGHTS[VERB_RIGHTS[verb]],
                ask=_ask(right),
            )

    def right(self, verb: str) -> tuple[str, ...]:
        """Users and groups that policy names for `verb`; empty: every member."""
        found: tuple[str, ...] = getattr(self, VERB_RIGHTS[verb]) if verb in VERB_RIGHTS else ()
        return found

    def may_act_on(self, incident: Incident, actor: Actor) -> bool:
        """Whether this actor may act on the incident at all: never across workspaces, a private one from inside."""
        if actor.kind in (ActorKind.SELF, ActorKind.CLI):
            return True
        return incident.team == actor.team and (not incident.private or incident.is_participant(actor.user))

    def may_see(self, incident: Incident, actor: Actor) -> bool:
        """Whether this actor may learn that it exists: guests and strangers see what they were brought into."""
        if actor.kind in (ActorKind.SELF, ActorKind.CLI):
            return True
        if incident.team != actor.team:
            return False
        if incident.is_participant(actor.user):
            return True
        if actor.kind is not ActorKind.MEMBER:
            return False
        return not incident.private or _among(self.may_read_private, actor)


def _among(right: tuple[str, ...], actor: Actor) -> bool:
    return actor.user in right or bool(actor.groups.intersection(right))


def _ask(right: tuple[str, ...]) -> Sentence:
    """ "Ask somebody of @incident-leads, or <@U1>." Those who may, as far as a sentence holds them."""
    groups = [one for one in right if one[:1] in "@S"][:4]
    people = [one for one in right if one[:1] not in "@S"][:6]
    of = Sentence("somebody of {groups}", groups=People.of(groups)) if groups else ""
    one = Sentence("one of {people}" if len(people) > 1 else "{people}", people=People.of(people, "or"))
    if not people:
        return Sentence("Ask {of}.", of=of)
    return Sentence("Ask {of}, or {one}.", of=of, one=one) if groups else Sentence("Ask {one}.", one=one)


def _plain(text: str) -> str:
    return " ".join("".join(c.lower() if c.isalnum() else " " for c in text).split())


def business_days_after(start: datetime, days: int) -> datetime:
    """The moment `days` working days (Monday to Friday) after `start`, at the same time of day."""
    moment = start
    while days > 0:
        moment += timedelta(days=1)
        if moment.weekday() < 5:
            days -= 1
    return moment
