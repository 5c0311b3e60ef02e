"""The postmortem's draft: Markdown that begins what people finish, from the timeline alone.

What people wrote is data: it is shown as one line of escaped text, or inside a fence that it cannot close.
The sections for people hold questions that help and may stay; nothing has to be deleted before it is shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain.incident import AskState, Checklist, Draft, DraftState, Incident, Mark, StepState
from bot.domain.policy import Policy
from bot.domain.roles import role_title
from bot.domain.statuses import how_ended, standing
from bot.domain.time_text import clock_time, lasted
from bot.reports import questions, statistics
from bot.reports.markdown import fence, link, markdown, paragraph, table
from bot.reports.phrases import capital, sentence
from bot.reports.statistics import DueOutcome
from bot.reports.timeline import EntryFormatter, format_entry, format_line, happened_at, severity_names

__all__ = ["format_line", "render_postmortem"]


def render_postmortem(
    incident: Incident,
    entries: Sequence[e.Entry],
    names: Mapping[str, str],
    policy: Policy,
    at: datetime,
    *,
    base_url: str = "",
) -> str:
    """The draft as Markdown. `entries`: the whole timeline in order; `names`: user id -> name as it was.

    `base_url` is the workspace's address ("https://acme.slack.com"), for links to the channel and what was sent there.
    """
    page = _PostmortemRenderer(incident, entries, names, policy, at, base_url.rstrip("/"))
    parts = [
        f"# {incident.name}: {page.say(incident.title)}",
        *page.section("Facts", page.facts()),
        *page.section("Summary", page.summary()),
        *page.section("Impact", page.impact()),
        *page.section("Timeline", page.timeline()),
        *page.section("Roles", page.roles()),
        *page.section("Checklist", page.checklists()),
        *page.section("What took two people", page.two_people()),
        *page.section("Overrides, exceptions and late reviews", page.exceptions()),
        *page.section("What customers were told", page.texts()),
        *page.section("Updates and promises", page.cadence()),
        *page.section("How long it took", page.times()),
        *questions.question_blocks(),
        *page.section("Action items", page.actions()),
    ]
    through = entries[-1].seq if entries else 0
    parts.append(f"---\n\nWritten from entries 1 to {through} of the timeline, {at:%Y-%m-%d} {clock_time(at)}.")
    return "\n\n".join(parts) + "\n"


class _PostmortemRenderer:
    """The sections that the timeline fills."""

    def __init__(
        self,
        incident: Incident,
        entries: Sequence[e.Entry],
        names: Mapping[str, str],
        policy: Policy,
        at: datetime,
        base_url: str,
    ) -> None:
        self.incident, self.entries, self.names = incident, entries, names
        self.policy, self.at, self.base_url = policy, at, base_url
        self.reader = EntryFormatter(names, incident, severity_names(policy))
        self.scorecard = statistics.scorecard(incident, policy, at)

    @staticmethod
    def section(title: str, lines: Iterable[str]) -> Iterator[str]:
        """A heading and its lines; nothing where there are none."""
        text = "\n".join(lines).strip("\n")
        if text:
            yield f"## {title}"
            yield text

    def say(self, text: str) -> str:
        """What somebody wrote, as Markdown."""
        return markdown(self.reader.plain(text))

    def who(self, *users: str) -> str:
        """Names, as Markdown."""
        return markdown(self.reader.people(users)) if any(users) else ""

    def time(self, at: datetime | None) -> str:
        """ "14:32 UTC", with the weekday or date where it is not the day of the declaration."""
        return clock_time(at, self.incident.declared_at) if at else ""

    def severity(self, key: str) -> str:
        """The severity's name in the policy, or its key where policy no longer knows it."""
        return next((one.name for one in self.policy.severities if one.key == key), markdown(key))

    def facts(self) -> Iterator[str]:
        """Everything that a reader looks up, as a table."""
        i = self.incident
        changes = [x.event for x in self.entries if isinstance(x.event, e.SeverityChanged)]
        path = " → ".join(self.severity(key) for key in (*(x.old for x in changes[:1]), *(x.new for x in changes)))
        channel = markdown(f"#{i.channel_name}") if i.channel_name else ""
        if channel and self.base_url:
            channel = link(channel, f"{self.base_url}/archives/{i.channel}")
        rows = [
            ("Severity", path if len(set(path.split(" → "))) > 1 else self.severity(i.severity)),
            ("Status", standing(i)),
            ("Date", f"{i.declared_at:%Y-%m-%d}" if i.declared_at else ""),
            ("Began", self.time(i.started)),
            ("Recorded afterwards" if i.adopted_at else "Declared", self._act(i.declared_at, i.declared_by)),
            ("Answered", self._act(i.acknowledged_at, i.acknowledged_by)),
            ("Mitigated", self._act(i.mitigated_at, i.mitigated_by)),
            (how_ended(i) or "Ended", self._act(i.ended_at, i.ended_by)),
            ("Lead", self.who(i.lead)),
            ("Comms lead", self.who(i.comms_lead)),
            ("Scribe", self.who(i.roles.get("scribe", ""))),
            ("Runbooks", "; ".join(f"{self.say(c.runbook.title)} ({self.say(c.runbook.revision)})"
                                   for c in i.checklists)),
            ("Channel", channel),
            ("Visibility", "Private incident" if i.private else ""),
            ("Postmortem", self._owner()),
        ]  # fmt: skip
        yield from table(("Fact", ""), [row for row in rows if row[1]])

    def _act(self, at: datetime | None, by: str) -> str:
        return f"{self.time(at)}{f' by {self.who(by)}' if by else ''}" if at else ""

    def _owner(self) -> str:
        end = self.incident.resolution
        if end is None or not end.postmortem_owner:
            return ""
        due = f", due {end.postmortem_due:%Y-%m-%d}" if end.postmortem_due else ""
        return f"{self.who(end.postmortem_owner)}{due}"

    def summary(self) -> Iterator[str]:
        """Two or three sentences that a stranger understands."""
        i, end = self.incident, statistics.ending(self.incident)
        how = "recorded afterwards" if i.adopted_at else "declared"
        yield f"{self.severity(i.severity)}, {how} {self.time(i.declared_at)}: {sentence(self.say(i.title))}"
        if end and (mitigated := statistics.mitigation_text(i, end)):
            yield f"Mitigated: {mitigated}."
        if end and (took := statistics.ending_text(i, end)):
            yield f"{how_ended(i)}: {took}."
        if i.ended_why:
            yield f"How it ended: {sentence(self.say(i.ended_why))}"

    def impact(self) -> Iterator[str]:
        """What is known, and what people have to add."""
        if self.incident.impact:
            yield sentence(paragraph(capital(self.reader.plain(self.incident.impact))))
            yield ""
        yield "How many customers and payments, which countries, how much money, and is every sum reconciled?"

    def timeline(self) -> Iterator[str]:
        """One line an entry, in the order in which things happened, a heading for each day; all times UTC."""
        shown: list[tuple[datetime, int, str]] = []
        last = self.incident.declared_at or self.at
        for entry in self.entries:
            said = format_entry(entry, self.names, policy=self.policy, incident=self.incident)
            if said is None:
                continue
            last = happened_at(entry) or last
            shown.append((last, entry.seq, markdown(said) + self._source(entry)))
            last = entry.event.at if entry.event else last
        day = ""
        for when, _, said in sorted(shown):
            if (today := f"{when:%A, %Y-%m-%d}") != day:
                yield from (*([""] if day else []), f"### {today}", "")
                day = today
            yield f"- **{when:%H:%M} UTC** {said}"

    def _source(self, entry: e.Entry) -> str:
        event = entry.event
        if not isinstance(event, e.Noted):
            return ""
        source = link("message", event.permalink)
        words = f" ({source})" if source != "message" else ""
        if event.at - event.happened >= timedelta(minutes=5) and not event.backfilled:
            words += f" (noted {clock_time(event.at, event.happened)})"
        return words

    def roles(self) -> Iterator[str]:
        """Who held which role from when to when."""
        held: dict[str, tuple[str, datetime]] = {}
        rows: list[tuple[str, str, str, str]] = []
        for entry in self.entries:
            if not isinstance(entry.event, e.RoleTaken):
                continue
            x = entry.event
            if x.role in held:
                user, since = held.pop(x.role)
                rows.append((role_title(x.role) or self.say(x.role), self.who(user), self.time(since), self.time(x.at)))
            if x.user:
                held[x.role] = (x.user, x.at)
        end = self.time(self.incident.ended_at)
        for role, (user, since) in held.items():
            rows.append((role_title(role) or self.say(role), self.who(user), self.time(since), end))
        yield from table(("Role", "Who", "From", "Until"), rows)

    def checklists(self) -> Iterator[str]:
        """Every step of every runbook with who did what, under the revision that was in force."""
        for number, one in enumerate(self.incident.checklists):
            book = one.runbook
            reviewed = f", last reviewed {book.reviewed:%Y-%m-%d}" if book.reviewed else ""
            if number:
                yield ""
            yield f"### {self.say(book.title)}"
            yield ""
            yield (
                f"Revision {self.say(book.revision)}{reviewed}. {one.done} of {len(book.steps)} steps done or skipped."
            )
            yield ""
            yield from table(("Step", "What", "How it stands", "Remarks"), self._steps(one))

    def _steps(self, checklist: Checklist) -> Iterator[tuple[str, str, str, str]]:
        for step in checklist.runbook.steps:
            state = checklist.state(step.id)
            remarks = [] if state.mark in (Mark.OPEN, Mark.ASKED, Mark.GO) else [state.reason]
            words = "; ".join(self.say(text) for text in (*remarks, *state.notes) if text)
            yield self.say(step.id), self.say(step.text), self._stands(state), words

    def _stands(self, state: StepState) -> str:
        when = self._act(state.at, state.by)
        if state.mark is Mark.SKIPPED:
            return f"Skipped {when}"
        if state.mark is Mark.REVIEW:
            return f"Done {when}; not reviewed"
        if state.mark is Mark.DONE:
            second = next((with_ for at, _, with_, _ in state.done_with if at == state.at), "")
            if second:
                return f"Done {when} with {self.who(second)}"
            return f"Done {when}" + (f"; reviewed by {self.who(state.reviewed_by)}" if state.reviewed_by else "")
        return "Not done" if state.mark is Mark.OPEN else "Asked for, not done"

    def two_people(self) -> Iterator[str]:
        """Each ask with who agreed and what came of it."""
        became = {"asked": "Open", "go": "Agreed, open", "done": "Done", "not_done": "Not done", "refused": "Refused",
                  "lapsed": "Expired"}  # fmt: skip
        rows = []
        for ask in self.incident.asks.values():
            x = ask.asked
            what = [x.action.rstrip(" ."), *(f"{word}: {text}" for word, text in (
                ("count", x.count), ("sum", x.amount), ("evidence", x.evidence)) if text)]  # fmt: skip
            rows.append(
                (
                    "; ".join(self.say(text) for text in what),
                    self._act(x.at, x.by),
                    self._act(ask.answered_at, ask.second) if ask.state is not AskState.REFUSED else "",
                    f"{became[ask.state]} {self.time(ask.ended_at)}".strip()
                    + (f" by {self.who(ask.second)}" if ask.state is AskState.REFUSED else "")
                    + (f": {self.say(ask.result)}" if ask.result else ""),
                )
            )
        yield from table(("Act", "Asked", "Agreed", "Outcome"), rows)

    def exceptions(self) -> Iterator[str]:
        """What went round a rule, or was looked at by a second person only afterwards."""
        owed: dict[tuple[str, str], tuple[str, datetime]] = {}
        lines: list[str] = []
        asker = ""
        for entry in self.entries:
            x = entry.event
            if isinstance(x, e.StoppedFirst | e.DoneAlone):
                what = markdown(self.reader.step(x.runbook, x.step))
                words = f"{capital(what)}: {'done alone' if isinstance(x, e.DoneAlone) else 'stopped first'} "
                words += self._act(x.at, x.by)
                if isinstance(x, e.DoneAlone):
                    words += f", because: {self.say(x.reason)}"
                owed[(x.runbook, x.step)] = (words, x.review_by)
            elif isinstance(x, e.Reviewed) and (x.runbook, x.step) in owed:
                words, due = owed.pop((x.runbook, x.step))
                late = statistics.lateness(due, x.at) or "in time"
                lines.append(f"- {words}; reviewed {self._act(x.at, x.by)}, {late}.")
            elif isinstance(x, e.Resolved) and x.override:
                open_checks = [check.name for check in x.checks if check.met != "yes"]
                sentences = dict(self.policy.resolve_checks)
                listed = "; ".join(self.say(sentences.get(name, name)) for name in open_checks)
                people = f"asked for by {self.who(asker)}, agreed by {self.who(x.second)}" if x.second else ""
                people = people or f"by {self.who(x.by)}"
                lines.append(
                    f"- Resolved {self.time(x.at)}, {people}, with open conditions ({listed}): {self.say(x.override)}"
                )
            elif isinstance(x, e.OverrideAsked):
                asker = x.by
            elif isinstance(x, e.Adopted) and x.over:
                who = self.who(x.by)
                lines.append(f"- Recorded by {who} when it was over: the conditions of resolving were not asked for.")
        lines += [f"- {words}; due for review {self.time(due)}, not reviewed." for words, due in owed.values()]
        yield from lines

    def texts(self) -> Iterator[str]:
        """Every text that is public, exactly, with who wrote and who approved it; and those that may be."""
        for draft in statistics.published_drafts(self.incident):
            x = draft.drafted
            yield f"### {self.time(draft.published_at)}, {self.say(x.audience)}: {self.say(x.stage)}"
            yield ""
            due = f" Promised the next text by {self.time(x.promised)}." if x.promised else ""
            removed = f" {sentence(capital(self.say(x.removed)))}" if x.removed else ""
            yield (
                f"Template {self.say(x.template)} ({self.say(x.revision)}), written by {self.who(x.by)}, "
                f"approved {self._act(draft.approved_at, draft.approved_by)}{self._where(draft)}.{due}{removed}"
            )
            yield ""
            yield fence(x.text)
            yield ""
        for draft in self.incident.drafts.values():
            if draft.state in (DraftState.UNCERTAIN, DraftState.SENDING):
                yield f"Not known whether it went out: {markdown(self.reader.text(draft.name))}."

    def _where(self, draft: Draft) -> str:
        if draft.link and (sent := link("as sent", draft.link)) != "as sent":
            return f" ({sent})"
        if self.base_url and re.fullmatch(r"[CG][A-Z0-9]+", draft.where) and draft.reference:
            stamp = draft.reference.replace(".", "")
            sent = link("as sent", f"{self.base_url}/archives/{draft.where}/p{stamp}")
            return f" ({sent})" if sent != "as sent" else ""
        return ""

    def cadence(self) -> Iterator[str]:
        """What was due when, and when it was told."""
        card = self.scorecard
        if score := statistics.score_text(card):
            yield f"{score}."
        if card.silence and card.silence.length:
            begin, end = self.time(card.silence.begin), self.time(card.silence.end)
            yield f"Longest silence: {lasted(card.silence.length)}, {begin} to {end}."
        rows = [("Update", *self._told(one)) for one in card.updates]
        rows += [(f"Promise to {self.say(one.what)}", *self._told(one)) for one in card.promises]
        if rows:
            yield ""
            yield from table(("What", "Due", "Told", ""), rows)

    def _told(self, one: DueOutcome) -> tuple[str, str, str]:
        if one.open:
            verdict = "still ahead at the end"
        elif one.told_at is None:
            verdict = "not told"
        elif one.due is None:
            verdict = "no time was set"
        else:
            verdict = statistics.lateness(one.due, one.told_at) or "on time"
        return self.time(one.due), self.time(one.told_at), verdict

    def times(self) -> Iterator[str]:
        """The durations, in words."""
        times = statistics.times(self.incident)
        rows = [
            ("From start to declaration", times.to_declare),
            ("From declaration to answer", times.to_acknowledge),
            *((f"From {x.name} ({self.time(x.begin)}) to mitigation", x.length) for x in times.to_mitigate),
            *((f"From {x.name} ({self.time(x.begin)}) to the end", x.length) for x in times.to_end),
            ("In between it was over for", times.over_between or None),
        ]
        yield from table(
            ("What", "How long"), [(what, lasted(x) if x else "at once") for what, x in rows if x is not None]
        )

    def actions(self) -> Iterator[str]:
        """The tasks, as boxes; and the question that finds the missing ones."""
        for task in self.incident.tasks:
            who = f" — {self.who(task.assignee)}" if task.assignee else ""
            by = f"{task.due_on:%Y-%m-%d}" if task.due_on else self.say(task.due)
            due = f", by {by}" if by else ""
            yield f"- [{'x' if task.done else ' '}] {self.say(task.text)}{who}{due}"
        if self.incident.tasks:
            yield ""
        yield (
            "For each contributing condition: what would prevent it, what would show it sooner, what would make it "
            "smaller? An owner and a date for each; changes to the runbook count too."
        )
