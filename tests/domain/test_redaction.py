"""Which words may go, how they are found, and that every field of every event was decided about."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind
from bot.domain.errors import Refused
from bot.domain.fold import fold
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.redaction import FREE_TEXT_FIELDS, REDACTION_MARK, RedactedWords, find_matches, redact, redact_event
from bot.domain.runbook import Runbook, Section, Step
from bot.reports.timeline import format_entry

T0 = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)
CLI = Actor(team="", user="cli:ops", name="ops", kind=ActorKind.CLI)

#: fields of texts that stay: ids, names of kinds, codes of Slack, digests, addresses
FACTS = {
    e.Declared: ("severity", "origin", "responders"),
    e.ChannelOpened: ("channel",),
    e.Adopted: ("channel",),
    e.ChannelRefused: ("error",),
    e.ChannelLost: ("reason",),
    e.Invited: ("users", "refused"),
    e.PersonLeft: ("user",),
    e.PersonAdded: ("user",),
    e.AlertFired: ("alert", "group"),
    e.AlertResolved: ("alert",),
    e.NobodyAnswered: ("to",),
    e.Escalated: ("to",),
    e.SeverityChanged: ("old", "new", "responders"),
    e.SeverityAsked: ("to",),
    e.RoleTaken: ("role", "user"),
    e.RoleOffered: ("role", "to"),
    e.RoleKept: ("role",),
    e.Reminded: ("items", "to"),
    e.Held: ("watcher",),
    e.LeadSilent: ("to",),
    e.Noted: ("author", "channel", "message_ts", "permalink"),
    e.TaskAdded: ("assignee",),
    e.ReadingTaken: ("probe", "state", "step", "runbook"),
    e.RunbookAttached: ("how",),
    e.RunbookGuessed: ("slugs",),
    e.SectionOpened: ("runbook",),
    e.StepTicked: ("runbook", "step"),
    e.StepUnticked: ("runbook", "step"),
    e.StepSkipped: ("runbook", "step"),
    e.StepNoted: ("runbook", "step"),
    e.Asked: ("runbook", "step", "to"),
    e.StoppedFirst: ("runbook", "step", "to"),
    e.DoneAlone: ("runbook", "step", "to"),
    e.Reviewed: ("runbook", "step"),
    e.ReviewOverdue: ("runbook", "step", "to"),
    e.CommsDrafted: (
        "draft", "template", "audience", "stage", "revision", "text_hash", "removed", "findings", "tone", "replaces",
        "to",
    ),
    e.CommsApproved: ("draft", "text_hash"),
    e.CommsDiscarded: ("draft",),
    e.CommsLapsed: ("draft",),
    e.CommsSending: ("draft",),
    e.CommsPublished: ("draft", "publisher", "where", "reference", "link"),
    e.CommsUncertain: ("draft",),
    e.CommsFailed: ("draft",),
    e.SecretRefused: ("kind",),
    e.OverrideAsked: ("to",),
    e.PendingEnded: ("kind", "ref", "change", "to"),
    e.Resolved: ("second", "postmortem_owner"),
    e.MarkedDuplicate: ("of_channel",),
    e.StoodDown: ("to",),
    e.PostmortemWritten: ("text_hash",),
    e.PostmortemShared: ("file", "link", "text_hash"),
    e.Redacted: ("channel_name", "files", "taken_back"),
}  # fmt: skip


@pytest.mark.parametrize("type", e.EVENTS.values(), ids=lambda one: one.__name__)
def test_every_field_is_free_text_or_a_fact(type: type[e.Event]) -> None:
    plain = ("by", "at")
    texts = [one.name for one in dataclasses.fields(type) if one.name not in plain and _holds_text(str(one.type))]
    assert sorted(texts) == sorted((*FREE_TEXT_FIELDS.get(type, ()), *FACTS.get(type, ())))


def _holds_text(annotation: str) -> bool:
    return any(kind in annotation for kind in ("str", "Runbook", "Check", "Refusal", "DueItem", "Kept"))


@pytest.mark.parametrize(
    ("secret", "text", "left"),
    [
        pytest.param(
            "hunter2", "it is hunter2, hunter2!", f"it is {REDACTION_MARK}, {REDACTION_MARK}!", id="every time"
        ),
        pytest.param("  hunter2\n", "it is hunter2", f"it is {REDACTION_MARK}", id="pasted with blanks around it"),
        pytest.param("a&b<c>d", "it is a&amp;b&lt;c&gt;d", f"it is {REDACTION_MARK}", id="as Slack escapes it"),
        pytest.param("a&b<c>d", "it is a&b<c>d", f"it is {REDACTION_MARK}", id="as it is"),
        pytest.param(
            "one\ntwo three", "it is one two   three.", f"it is {REDACTION_MARK}.", id="line ends made blanks"
        ),
        pytest.param("hunter2", "HUNTER2 and hunter", "HUNTER2 and hunter", id="other words"),
        pytest.param("0123456789abcdef", "so 0123456789ab…", f"so {REDACTION_MARK}", id="cut by a limit, with a sign"),
        pytest.param("0123456789abcdef", "so 0123456789ab", f"so {REDACTION_MARK}", id="cut by a limit"),
        pytest.param("0123456789abcdef", "so 0123", "so 0123", id="too little of it to tell"),
        pytest.param("a.c+", "abcc a.c+", f"abcc {REDACTION_MARK}", id="no pattern"),
    ],
)
def test_how_words_are_found(secret: str, text: str, left: str) -> None:
    assert RedactedWords(secret).redact(text) == left
    assert RedactedWords(secret).found_in(text) is (left != text)


@pytest.mark.parametrize("text", ["", "  abc ", "redacted", REDACTION_MARK])
def test_words_that_cannot_be_looked_for(text: str) -> None:
    with pytest.raises(Refused):
        RedactedWords(text)


def test_what_others_go_by_stays() -> None:
    runbook = Runbook("pager", "Call pager", "pager", "pager1", (Section(1, "pager", "", (Step("1.1", "pager"),)),))
    event = e.RunbookAttached(by="pager", at=T0, runbook=runbook, how="pager")
    left = redact_event(event, RedactedWords("pager"))
    assert isinstance(left, e.RunbookAttached)
    assert (left.by, left.how, left.runbook.slug, left.runbook.revision) == ("pager", "pager", "pager", "pager1")
    assert (left.runbook.title, left.runbook.sections[0].steps[0]) == (
        f"Call {REDACTION_MARK}",
        Step("1.1", REDACTION_MARK),
    )


def told(*events: e.Event) -> tuple[Incident, list[e.Entry]]:
    declared = e.Declared(by="U1", at=T0, number=7, title="Logins fail", severity="sev1")
    entries = [e.Entry(seq, event) for seq, event in enumerate((declared, *events), 1)]
    return fold("T", "i", entries), entries


def drafted(name: str, text: str) -> e.CommsDrafted:
    return e.CommsDrafted(
        by="U1", at=T0, draft=name, template="t", audience="customers", stage="s", revision="1", text=text,
        text_hash="h", expires=T0 + timedelta(hours=1),
    )  # fmt: skip


def out(incident: Incident, entries: list[e.Entry], by: Actor = CLI) -> list[e.Event]:
    secret = RedactedWords("hunter2")
    return redact(
        incident, find_matches(incident, entries, secret), entries, secret, reason="pasted", written=repr, by=by, at=T0
    )


def test_a_text_that_people_approved_lapses_and_one_under_way_is_not_touched() -> None:
    approved = e.CommsApproved(by="U2", at=T0, draft="d", text_hash="h")
    incident, entries = told(drafted("d", "use hunter2"), approved, drafted("other", "fine"))
    redacted, lapsed = out(incident, entries)
    assert isinstance(redacted, e.Redacted) and [one.seq for one in redacted.kept] == [2, 3]
    assert isinstance(lapsed, e.CommsLapsed) and lapsed.draft == "d"
    incident, entries = told(drafted("d", "use hunter2"), approved, e.CommsSending(by="bot", at=T0, draft="d"))
    with pytest.raises(Refused, match="being sent"):
        out(incident, entries)


def test_files_that_told_the_words_go_and_the_postmortem_is_owed_again() -> None:
    note = e.Noted(by="U1", at=T0, text="hunter2", happened=T0)
    written, shared = e.PostmortemWritten(by="U1", at=T0, name="x.md", through=1), e.PostmortemShared
    incident, entries = told(
        written, shared(by="bot", at=T0, file="F1", written=2), note, written,
        shared(by="bot", at=T0, file="F2", written=5),
    )  # fmt: skip
    (redacted,) = out(incident, entries)
    assert isinstance(redacted, e.Redacted) and redacted.files == ("F2",)  # F1 is of before
    after = fold("T", "i", [*entries, e.Entry(7, redacted)])
    assert (after.unredacted_files, after.postmortem_file, after.postmortem_seq) == (("F2",), "", 7)


def test_the_hash_of_a_file_that_told_the_words_goes_with_them() -> None:
    """All else of the file is known: a digest would let a short secret be guessed."""
    note = e.Noted(by="U1", at=T0, text="hunter2", happened=T0)
    written, shared = e.PostmortemWritten(by="U1", at=T0, name="x.md", through=1), e.PostmortemShared
    incident, entries = told(
        written, shared(by="bot", at=T0, file="F1", written=2, text_hash="ab"), note, written,
        shared(by="bot", at=T0, file="F2", written=5, text_hash="cd"),
    )  # fmt: skip
    (redacted,) = out(incident, entries)
    assert isinstance(redacted, e.Redacted)
    assert [(one.seq, "cd" in one.body) for one in redacted.kept] == [(4, False), (6, False)]


def test_a_name_that_people_gave_stays_and_the_bots_own_goes() -> None:
    title = e.TitleChanged(by="U1", at=T0, title="hunter2 leaked")
    incident, entries = told(title, e.ChannelOpened(by="bot", at=T0, channel="C1", name="inc-7-hunter2-leaked"))
    (redacted,) = out(incident, entries)
    assert isinstance(redacted, e.Redacted) and redacted.channel_name == "inc-7-redacted-leaked"
    # the title was changed after the channel had its name
    incident, entries = told(e.ChannelOpened(by="bot", at=T0, channel="C1", name="inc-7-logins-fail"), title)
    (redacted,) = out(incident, entries)
    assert isinstance(redacted, e.Redacted) and redacted.channel_name == ""


def test_nothing_found_is_nothing_done() -> None:
    assert out(*told()) == []


def test_the_line_says_who_and_why() -> None:
    kept = tuple(e.Kept(seq=seq, type="Noted", body="{}") for seq in (3, 5, 9))
    event = e.Redacted(by="cli:ops", at=T0, reason="a key was pasted", kept=kept)
    said = "ops (command line) redacted entries 3, 5 and 9: a key was pasted"
    assert format_entry(e.Entry(10, event), {}, policy=Policy()) == said
    one = dataclasses.replace(event, kept=kept[:1])
    assert (
        format_entry(e.Entry(10, one), {}, policy=Policy()) == "ops (command line) redacted entry 3: a key was pasted"
    )
