"""A whole incident in which every type of event happens. `python -m store.timeline` (from tests/) prints it as JSON.

That output, made once at a release and kept in golden/ under the release's number, has to load for ever: a file
that is there is never made again.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.domain import events as e
from bot.domain.fold import fold
from bot.domain.incident import Incident
from bot.domain.runbook import Runbook, Section, Step, TwoPeople
from bot.store import codec

T0 = datetime(2026, 11, 20, 14, 32, 0, 120_000, tzinfo=UTC)
LEAD, SECOND, BOT = "U0LEAD", "U0SECOND", "bot"

RUNBOOK = Runbook(
    slug="horizon-outage",
    title="Horizon outage",
    summary="Payments do not settle because Horizon is behind or down.",
    revision="3f2a91c",
    sections=(
        Section(
            1,
            "Look",
            "Find out how far behind it is.",
            (
                Step("1.1", "Ask the probe", ("curl https://horizon.example/",), probe="horizon", target="backup"),
                Step("1.2", "Tell the exchange desk"),
                Step("1.3", "Compare with the backup"),
            ),
        ),
        Section(
            2,
            "Stop",
            "",
            (
                Step("2.1", "Pause withdrawals", two_people=TwoPeople.AFTER),
                Step("2.2", "Replay the stuck batch", two_people=TwoPeople.BEFORE),
                Step("2.3", "Rotate the signer — «последний шаг»", two_people=TwoPeople.BEFORE),
                Step("2.4", "Pay by hand", two_people=TwoPeople.BEFORE),
                Step("2.5", "Close the channel account", two_people=TwoPeople.BEFORE),
            ),
        ),
    ),
    alerts=("HorizonIngestionLag",),
    words=("withdrawals", "horizon"),
    severity="sev1",
    owner="payments",
    reviewed=date(2026, 9, 1),
)


class _Script:
    """Writes events down one after the other, a minute apart."""

    def __init__(self) -> None:
        self.events: list[e.Event] = []

    def add(self, event: type[e.Event], by: str = LEAD, /, **fields: Any) -> int:
        self.events.append(event(by=by, at=self.now, **fields))
        return len(self.events)

    @property
    def now(self) -> datetime:
        return T0 + timedelta(minutes=len(self.events))

    def in_(self, minutes: int) -> datetime:
        return self.now + timedelta(minutes=minutes)


def story() -> list[e.Event]:
    """Every type of event of the first release at least once, in an order that can happen."""
    s = _Script()
    slug = RUNBOOK.slug
    s.add(e.Declared, number=42, title="Withdrawals stuck", severity="sev2", assumed=True, private=True,
          summary="Queue grows since 14:20", origin="C0OPS", responders=(SECOND,))  # fmt: skip
    s.add(e.ChannelRefused, BOT, error="name_taken")
    s.add(e.ChannelOpened, BOT, channel="C0INC42", name="inc-42-withdrawals-stuck")
    s.add(e.Invited, BOT, users=(LEAD, SECOND), refused=(e.Refusal(user="U0GUEST", error="user_is_restricted"),))
    s.add(e.ChannelLost, BOT, reason="archived")
    s.add(e.ChannelRegained, BOT)
    s.add(e.Adopted, channel="C0INC42", name="inc-42-withdrawals-stuck", began=T0 - timedelta(minutes=12),
          keeps_topic=True)  # fmt: skip
    s.add(e.PersonAdded, user="U0DBA")
    s.add(e.NobodyAnswered, BOT, level=1, to=(LEAD,))
    s.add(e.Acknowledged)
    s.add(e.RoleTaken, role="lead", user=LEAD)
    s.add(e.SeverityAsked, BOT, to=LEAD)
    s.add(e.SeverityChanged, old="sev2", new="sev1", worse=True, reason="all assets", responders=("U0CTO",))
    s.add(e.Escalated, level=2, to=("U0CTO",), reason="need a decision")
    s.add(e.TitleChanged, title="Withdrawals stuck: Horizon behind 😬")
    s.add(e.ImpactStated, impact="No withdrawals leave since 14:20")
    s.add(e.StartCorrected, started=T0 - timedelta(minutes=12))
    s.add(e.RoleOffered, role="lead", to=SECOND, until=s.in_(2))
    s.add(e.RoleKept, role="lead")
    update = s.add(e.UpdatePosted, text="We look at Horizon.", next_by=s.in_(30), impact="No withdrawals")
    s.add(e.UpdateUndone, seq=update)
    s.add(e.UpdatePosted, text="Horizon is 4,000 ledgers behind.", next_by=s.in_(30))
    s.add(e.Reminded, BOT, items=(e.DueItem(kind="update", due=s.in_(1)), e.DueItem(kind="promise", due=s.now,
          ref="customers")), rung=1, to=(LEAD,))  # fmt: skip
    s.add(e.Snoozed, until=s.in_(10))
    s.add(e.LeadSilent, BOT, to=LEAD)
    s.add(e.LeadSeen)
    s.add(e.AlertFired, "alert:alertmanager", alert="alertmanager:a4c9", group="0" * 32, name="HorizonLag",
          title="History lags by 4,000 ledgers", since=s.in_(-9), severity="critical", runbook="horizon-outage",
          link="https://prom.example/graph", labels=(("instance", "h2"),))  # fmt: skip
    s.add(e.AlertResolved, "alert:alertmanager", alert="alertmanager:a4c9", name="HorizonLag")
    s.add(e.Followed)
    s.add(e.Unfollowed)
    s.add(e.PersonLeft, user=LEAD)
    s.add(e.WaitingBegan, what="the validator's operator", look_again=s.in_(20))
    s.add(e.WaitingEnded)
    note = s.add(e.Noted, text="Disk of ingest-2 is full\n`df -h`", happened=s.in_(-5), author=SECOND,
                 channel="C0INC42", message_ts="1763649120.000100", permalink="https://a.slack.com/p1")  # fmt: skip
    s.add(e.NoteWithdrawn, seq=note)
    s.add(e.Noted, text="Queue grows", happened=T0, author=SECOND, channel="C0INC42",
          message_ts="1763649120.000200", permalink="https://a.slack.com/p2", backfilled=True)  # fmt: skip
    task = s.add(e.TaskAdded, text="Alert on disk space", assignee="U0DBA", due="2026-12-01")
    s.add(e.TaskDone, seq=task)
    s.add(e.RunbookGuessed, BOT, slugs=(slug,), titles=(RUNBOOK.title,))
    s.add(e.RunbookDeclined)
    s.add(e.RunbookAttached, runbook=RUNBOOK, how="alert")
    s.add(e.SectionOpened, runbook=slug, section=2)
    s.add(e.ReadingTaken, probe="horizon", state="degraded", sentence="4,012 ledgers behind.", target="backup",
          evidence=("core 60123456", "horizon 60119444"), step=f"{slug} 1.1")  # fmt: skip
    s.add(e.StepTicked, runbook=slug, step="1.1")
    s.add(e.StepUnticked, runbook=slug, step="1.1")
    s.add(e.StepTicked, runbook=slug, step="1.1")
    s.add(e.StepSkipped, runbook=slug, step="1.2", reason="they know")
    s.add(e.StepNoted, runbook=slug, step="1.3", text="backup is fine", correction=True)
    s.add(e.StoppedFirst, runbook=slug, step="2.1", review_by=s.in_(30), to=(SECOND,), note="14:51 paused")
    s.add(e.Reviewed, SECOND, runbook=slug, step="2.1", note="seen")
    ask = s.add(e.Asked, runbook=slug, step="2.2", action="Replay batch 9", evidence="hash 9f", count="120",
                amount="8,100 XLM", to=(SECOND,), lapses=s.in_(15))  # fmt: skip
    s.add(e.GoGiven, SECOND, ask=ask, until=s.in_(15))
    s.add(e.AskDone, ask=ask, result="9f27c1")
    ask = s.add(e.Asked, runbook=slug, step="2.3", action="Rotate", lapses=s.in_(15))
    s.add(e.AskRefused, SECOND, ask=ask, reason="not needed")
    ask = s.add(e.Asked, runbook=slug, step="2.3", action="Rotate", lapses=s.in_(15))
    s.add(e.AskLapsed, BOT, ask=ask)
    ask = s.add(e.Asked, runbook=slug, step="2.5", action="Close", lapses=s.in_(15))
    s.add(e.GoGiven, SECOND, ask=ask, until=s.in_(15))
    s.add(e.AskNotDone, ask=ask, reason="it emptied by itself")
    s.add(e.DoneAlone, runbook=slug, step="2.4", reason="nobody else awake", review_by=s.in_(60), to=(SECOND,))
    s.add(e.ReviewOverdue, BOT, runbook=slug, step="2.4", to=("U0CTO",))
    s.add(e.SecretRefused, kind="seed", where="note")
    for draft, replaces, ending in (
        ("d1", "", (e.CommsDiscarded, {"reason": "too early"})),
        ("d2", "", (e.CommsLapsed, {"reason": "nobody approved"})),
        ("d3", "d2", None),
        ("d4", "", (e.CommsUncertain, {"error": "no answer"})),
        ("d5", "", (e.CommsFailed, {"error": "channel_not_found"})),
    ):
        s.add(e.CommsDrafted, draft=draft, template="withdrawals", audience="customers", stage="first",
              revision="77aa", text="Withdrawals are delayed.", text_hash="c0ffee", removed="1 account id removed",
              findings=("account id",), tone=("soon",), promised=s.in_(60), replaces=replaces,
              slots=(("what", "withdrawals"), ("since", "14:20 UTC")), to=(SECOND,), expires=s.in_(30))  # fmt: skip
        if ending is None or ending[0] is e.CommsUncertain:
            s.add(e.CommsApproved, SECOND, draft=draft, text_hash="c0ffee")
            s.add(e.CommsSending, BOT, draft=draft)
        if ending is None:
            s.add(e.CommsPublished, BOT, draft=draft, publisher="slack", where="C0NEWS", reference="1.2",
                  link="https://example.slack.com/p2")  # fmt: skip
        else:
            s.add(ending[0], draft=draft, **ending[1])
    s.add(e.Mitigated, note="Backup serves")
    s.add(e.Held, until=s.in_(120), watcher=SECOND)
    checks = (e.Check(name="probe horizon", met="unknown", note="not reachable"), e.Check(name="steps", met="yes"))
    first = s.add(e.OverrideAsked, reason="nobody is awake", checks=checks, to=(SECOND,), expires=s.in_(30))
    s.add(e.PendingEnded, BOT, kind="override", ref=str(first), change="expired", to=LEAD)
    s.add(e.OverrideAsked, reason="probe is down itself", checks=checks, note="fine", to=(SECOND,))
    s.add(e.Resolved, note="Fine again", checks=checks, override="probe is down itself", second=SECOND,
          postmortem_owner=LEAD, postmortem_due=s.in_(7 * 24 * 60))  # fmt: skip
    s.add(e.Reopened, reason="stuck again")
    s.add(e.FalseAlarm, reason="it was the dashboard")
    s.add(e.Reopened)
    s.add(e.MarkedDuplicate, of=41, of_channel="C0INC41")
    s.add(e.Reopened)
    s.add(e.Resolved)
    s.add(e.StoodDown, BOT, to=(LEAD, SECOND))
    written = s.add(e.PostmortemWritten, "cli:ops", name="INC-42.md", through=len(s.events), text_hash="ab12")
    s.add(e.PostmortemShared, BOT, file="F0PM", written=written)
    s.add(e.Closed, note="reviewed on Monday")
    # of an entry that is not there: nothing of this timeline was taken out
    s.add(e.Redacted, "cli:ops", reason="a key was pasted", channel_name="inc-42-redacted", files=("F0PM",),
          taken_back=("d3",), kept=(e.Kept(seq=0, type="ChannelRefused", body='{"error":"name_taken"}'),))  # fmt: skip
    return s.events


def amounts_to(incident: Incident) -> dict[str, Any]:
    """What is asked of a folded timeline in all releases to come."""
    return {
        "name": incident.name,
        "seq": incident.seq,
        "title": incident.title,
        "status": incident.status.value,
        "severity": incident.severity,
        "private": incident.private,
        "channel": incident.channel,
        "lead": incident.lead,
        "wanted": sorted(incident.wanted),
        "steps": {
            f"{c.runbook.slug} {id}": state.mark.value for c in incident.checklists for id, state in c.steps.items()
        },
        "drafts": {name: draft.state for name, draft in incident.drafts.items()},
        "updates": [[update.seq, update.undone] for update in incident.updates],
    }


def written(events: list[e.Event]) -> dict[str, Any]:
    """The timeline as the database's columns hold it, and what it amounts to."""
    rows = [codec.encode(event)[0] for event in events]
    entries = [e.Entry(seq, event) for seq, event in enumerate(events, 1)]
    return {
        "events": [
            {"type": row.type, "v": row.v, "at": row.at, "by": row.by, "body": json.loads(row.body)} for row in rows
        ],
        "amounts_to": amounts_to(fold("T0TEAM", "golden", entries)),
    }


if __name__ == "__main__":
    json.dump(written(story()), sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
    sys.stdout.write("\n")
