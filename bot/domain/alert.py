"""What a sender of alerts says, and what follows: an incident begins, or one that is open has a line more.

An alert never ends an incident, and asks nobody anything: where a person would be asked, the careful answer is taken.
What may not live here: how a sender writes (alerts/), and who may send (web/).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain import lifecycle
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.policy import NOTE_ONLY, Policy
from bot.domain.preconditions import require_known
from bot.domain.runbook import Runbook

#: an alert that fires on when its incident has ended begins another one after so long: people may have been mistaken
REDECLARE_AFTER = timedelta(hours=24)
#: different alerts that one incident holds; nobody reads more, and each of them would make the next one dearer
MAX_ALERTS_PER_INCIDENT = 1000
WITHHELD_TEXT = "words withheld"

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Alert:
    """One thing that a sender says is wrong, or no longer is."""

    source: str
    #: what its sender puts together: one open incident at a time is about it
    group: str
    #: stays the same as long as it is the same alert; `since` tells one time that it fires from the next
    id: str
    #: its kind; runbooks name it
    name: str
    #: what is wrong, in a line
    title: str = ""
    firing: bool = True
    since: datetime | None = None
    #: in the sender's word
    severity: str = ""
    #: a runbook's name or address; never fetched
    runbook: str = ""
    link: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """By what an incident knows it."""
        return f"{self.source}:{self.id}"

    @property
    def group_key(self) -> str:
        """By what its incident is found: a digest, because groups of some senders are long and tell much."""
        return hashlib.sha256(f"{self.source}\n{self.group}".encode("utf-8", "replace")).hexdigest()[:32]

    @property
    def runbook_slug(self) -> str:
        """The last part of the runbook's address, as runbooks are called: "horizon-outage"."""
        path = re.split(r"[?#]", self.runbook)[0].rstrip("/")
        return path.rpartition("/")[2].removesuffix(".md").removesuffix(".html").lower()

    @property
    def words(self) -> str:
        """Everything that people would read, with "DoublePayment" as two words."""
        labels = " ".join(value for _, value in self.labels)
        return _CAMEL.sub(" ", f"{self.name} {self.title} {labels} {self.runbook} {self.link}")


def without_text(alert: Alert) -> Alert:
    """The alert without its words: that it fires, since when and how bad, and nothing of what it says."""
    return replace(alert, name=WITHHELD_TEXT, title="", runbook="", link="", labels=())


def severity(alert: Alert, runbook: Runbook | None, policy: Policy) -> str | None:
    """The severity that an alert means, NOTE where it begins no incident, or None where nobody says.

    Policy's meaning of the sender's word; else a severity that is called so; else its runbook's.
    """
    word = alert.severity.strip().lower()
    if (meant := dict(policy.alerts.severities).get(word)) is not None:
        return meant
    for name in (word, runbook.severity if runbook else None):
        if name and (called := _severity(name, policy)):
            return called
    return None


def _severity(word: str, policy: Policy) -> str | None:
    try:
        return policy.severity(word).key
    except Refused:  # a word of the sender's own
        return None


def worst_alert(alerts: Sequence[Alert], policy: Policy) -> Alert | None:
    """The worst of those that fire and may begin an incident; None: none of them may."""

    def rank(one: Alert) -> int:
        meant = severity(one, None, policy)
        return len(policy.severities) if meant is None else policy.rank(meant)

    able = [one for one in alerts if one.firing and severity(one, None, policy) != NOTE_ONLY]
    return min(able, key=rank, default=None) if policy.alerts.declare else None


def unseen_alerts(incident: Incident, alerts: Sequence[Alert]) -> list[Alert]:
    """Those of which the incident has not heard, each once: senders repeat what they have said."""
    fresh: dict[str, Alert] = {}
    for one in alerts:
        heard = incident.alerts.get(one.key)
        if heard is None:
            new = one.firing  # what ends without ever having begun was left out by its sender
        elif _earlier(one.since, heard.fired.since):
            new = False  # overtaken on its way
        elif one.firing:
            new = one.since != heard.fired.since or (one.since is None and heard.resolved_at is not None)
        else:
            new = heard.resolved_at is None
        if new:
            fresh.setdefault(one.key, one)
    return list(fresh.values())


def _earlier(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other


def should_declare(last: Incident | None, alerts: Sequence[Alert], at: datetime, policy: Policy) -> bool:
    """Whether these begin an incident. `last`: the latest one of their group, which has ended; None: there was none.

    Who ended it knew which alerts fired: those begin nothing, unless they still fire a day later.
    """
    able = [one for one in alerts if worst_alert((one,), policy)]
    if last is None or not able:
        return bool(able)
    fresh = {one.key for one in unseen_alerts(last, able)}
    long_ago = last.ended_at is None or at - last.ended_at >= REDECLARE_AFTER
    return any(one.key in fresh or (long_ago and last.alerts[one.key].resolved_at is None) for one in able)


def declare(
    incident: Incident,
    *,
    number: int,
    head: Alert,
    alerts: Sequence[Alert],
    runbook: Runbook | None,
    responders: Sequence[str],
    insiders: Sequence[str],
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """An incident begins that nobody leads yet; `head` (`worst_alert`) gives its title and severity.

    `responders`: whom its severity brings in, as people.
    Delicate words make it private, with `insiders` let in, since nobody can be asked. Where policy names no insider
    a private incident would reach nobody: then it is public, and the words are withheld.
    """
    private = any(policy.has_private_words(one.words) for one in alerts)
    meant = severity(head, runbook, policy) or policy.severity_for_title(head.words).key
    if private and not insiders:
        private, runbook, head, alerts = False, None, without_text(head), [without_text(one) for one in alerts]
    declared = lifecycle.declare(
        incident,
        number=number,
        title=title(head),
        severity=meant,
        private=private,
        responders=insiders if private else responders,
        runbook=runbook,
        by=by,
        at=at,
        policy=policy,
    )
    return [*declared, *_told(incident, unseen_alerts(incident, alerts), by, at)]


def title(alert: Alert) -> str:
    """ "HorizonDown: root returns 503 for 3m", as far as a title holds it."""
    said = alert.title if alert.name.casefold() in alert.title.casefold() else f"{alert.name}: {alert.title}"
    for words in (said.rstrip(": "), alert.name, f"Alert of {alert.source}"):
        line = words if len(words) <= lifecycle.MAX_TITLE_CHARS else words[: lifecycle.MAX_TITLE_CHARS - 1] + "…"
        try:
            return lifecycle.clean_title(line)
        except Refused:  # no letters or digits
            continue
    return "Alert"


def add(incident: Incident, *, alerts: Sequence[Alert], by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """A line for each alert of which the incident has not heard; after its end only that one has ended, too.

    In a public incident the words of a delicate alert are withheld: its channel is open to all.
    """
    require_known(incident)
    fresh = [one for one in unseen_alerts(incident, alerts) if incident.open or not one.firing]
    if not incident.private:
        fresh = [without_text(one) if policy.has_private_words(one.words) else one for one in fresh]
    return _told(incident, fresh, by, at)


def _told(incident: Incident, alerts: Sequence[Alert], by: Actor, at: datetime) -> list[e.Event]:
    """A fact for each, as far as there is room for new ones."""
    new = [one.key for one in alerts if one.key not in incident.alerts]
    left_out = set(new[max(0, MAX_ALERTS_PER_INCIDENT - len(incident.alerts)) :])
    return [
        e.AlertFired(
            by=by.user, at=at, alert=one.key, group=one.group_key, name=one.name, title=one.title, since=one.since,
            severity=one.severity, runbook=one.runbook, link=one.link, labels=one.labels,
        )
        if one.firing
        else e.AlertResolved(by=by.user, at=at, alert=one.key, name=one.name)
        for one in alerts
        if one.key not in left_out
    ]  # fmt: skip
