from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.domain import cadence, checklist, customer_messages, dual_control, lifecycle, notes, roles
from bot.domain import events as e
from bot.reports import postmortem
from bot.reports.markdown import fence, link, markdown, paragraph, table
from tests.domain.story import ANA, BEGIN, BEN, BOT, CARLA, NAMES, PEOPLE, POLICY, TEMPLATE, Story, the, with_runbook

RENDER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = (
    "<script>alert(1)</script>", "<!-- gone", "| a | b |", "[x](javascript:alert(1))", "![i](https://evil/p.png)",
    "```", "`code`", "*b* _i_ ~~s~~", "# head", "- item", "1. one", "===", "@channel <!here> <@UBEN>", "a\n\n# b",
    "&lt;b&gt; &amp;", "\\", "$x$ $$y$$", "</td></table>", "<https://evil.example|bank>", "\u202egnp", "---", "> quote",
)  # fmt: skip


def written(story: Story, **more: str) -> str:
    return postmortem.render_postmortem(story.incident, story.entries, NAMES, POLICY, story.now, **more)


def section(text: str, title: str) -> str:
    """The lines under one heading of the second level."""
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0].strip()


def publish(story: Story, text: str = "Payouts are delayed.") -> None:
    story.tell(
        customer_messages.draft, draft="d1", template=TEMPLATE, text=text, removed="2 account ids removed", by=CARLA,
        promised=BEGIN + timedelta(minutes=58), approvers=PEOPLE, policy=POLICY,
    )  # fmt: skip
    story.later(1)
    drafted = story.incident.drafts["d1"].drafted
    story.tell(customer_messages.approve, draft="d1", text_hash=drafted.text_hash, by=ANA, policy=POLICY)
    story.tell(customer_messages.record_sending, draft="d1", by=BOT)
    story.tell(
        customer_messages.record_published, draft="d1", publisher="slack", where="C0123", reference="17.0042", by=BOT
    )


@pytest.fixture
def told() -> Story:
    """An incident from its declaration to the next morning."""
    story = with_runbook()
    story.keep(e.ChannelOpened(by="bot", at=story.now, channel="C42", name="inc-42-withdrawals-are-stuck"))
    story.tell(lifecycle.state_impact, impact="payouts to NG and KE", by=ANA)
    story.tell(roles.take, role="comms-lead", user="UCARLA", by=CARLA, policy=POLICY)
    story.tell(checklist.finish, policy=POLICY, **the("1.1"), by=BEN)
    story.tell(checklist.skip, **the("1.2"), reason="queue is gone", by=ANA)
    story.tell(checklist.finish, **the("2.1"), confirmers=PEOPLE, by=ANA, policy=POLICY)
    story.later(3).tell(
        dual_control.ask_second_person, **the("2.2"), evidence="ledger", count="12", amount="4,000 USDC",
        confirmers=PEOPLE, by=ANA, policy=POLICY,
    )  # fmt: skip
    ask = story.entries[-1].seq
    story.later(1).tell(dual_control.give_go, ask=ask, by=BEN, policy=POLICY)
    story.later(1).tell(dual_control.record_done, ask=ask, result="hash abc", by=ANA)
    publish(story)
    story.later(18).tell(cadence.post_update, text="Found it", next_by=None, by=ANA, policy=POLICY)
    story.later(10).tell(dual_control.record_review, **the("2.1"), by=BEN, policy=POLICY)
    story.tell(notes.add_task, text="Add an alert on queue age", assignee="UBEN", due="2026-12-01", by=ANA)
    story.later(5).tell(lifecycle.mitigate, note="batch replayed", by=ANA)
    story.later(1200).keep(
        e.Resolved(
            by="UBEN", at=story.now, note="queue empty", override="finance asleep", second="UBEN",
            checks=(e.Check(name="reconciled", met="unknown"), e.Check(name="told", met="yes")),
            postmortem_owner="UANA", postmortem_due=story.now + timedelta(days=5),
        )
    )  # fmt: skip
    return story


@pytest.mark.parametrize(
    ("title", "says"),
    [
        pytest.param("Facts", "| Declared | 14:02 UTC by Ana |", id="declared"),
        # the next day says so
        pytest.param("Facts", "| Resolved | Sat 10:43 UTC by Ben |", id="resolved"),
        pytest.param("Facts", "| Postmortem | Ana, due 2026-11-26 |", id="owner"),
        pytest.param("Summary", "Mitigated: from declaration (Fri 14:02 UTC) 41 min.", id="mitigated"),
        pytest.param("Summary", "Resolved: from declaration (Fri 14:02 UTC) 20 h 41 min.", id="over"),
        pytest.param("Impact", "Payouts to NG and KE.", id="impact"),
        pytest.param("Timeline", "### Friday, 2026-11-20", id="day"),
        pytest.param("Timeline", "- **14:04 UTC** Ben did step 1.1 (Read the queue)", id="entry"),
        pytest.param("Roles", "| Comms lead | Carla | 14:04 UTC | Sat 10:43 UTC |", id="role"),
        pytest.param("Checklist", "Revision a1b2c3d. 4 of 5 steps done or skipped.", id="revision"),
        pytest.param("Checklist", "| 1.2 | Note the oldest | Skipped 14:04 UTC by Ana | queue is gone |", id="skip"),
        pytest.param("Checklist", "Done 14:09 UTC by Ana with Ben", id="two people"),
        pytest.param(
            "What took two people",
            "count: 12; sum: 4,000 USDC; evidence: ledger | 14:07 UTC by Ana | 14:08 UTC by Ben | "
            "Done 14:09 UTC: hash abc |",
            id="ask",
        ),
        pytest.param("Overrides", "reviewed 14:38 UTC by Ben, 4 min late.", id="late review"),
        pytest.param("Overrides", "(Counts and sums are reconciled): finance asleep", id="override"),
        pytest.param("What customers were told", "```text\nPayouts are delayed.\n```", id="exact text"),
        pytest.param("What customers were told", "written by Carla, approved 14:10 UTC by Ana", id="who"),
        pytest.param("What customers were told", "Promised the next text by 15:00 UTC.", id="promise"),
        pytest.param("Updates and promises", "| Update | 14:32 UTC | 14:28 UTC | on time |", id="on time"),
        pytest.param("Updates and promises", "| Promise to customers | 15:00 UTC | – | not told |", id="broken"),
        pytest.param("How long it took", "| From declaration (14:02 UTC) to mitigation | 41 min |", id="times"),
        pytest.param("What happened and why", "**Five whys.**", id="five whys"),
        pytest.param("What happened and why", "**Underlying condition.**", id="condition"),
        pytest.param("How it was found", "**Why not sooner?**", id="why not sooner"),
        pytest.param("How it was handled", "**What went well?**", id="went well"),
        pytest.param("Action items", "- [ ] Add an alert on queue age — Ben, by 2026-12-01", id="action item"),
    ],
)
def test_it_holds(told: Story, title: str, says: str) -> None:
    text = written(told)
    if title == "Overrides":
        title = "Overrides, exceptions and late reviews"
    assert says in section(text, title)


def test_links_lead_to_what_was_sent(told: Story) -> None:
    text = written(told, base_url="https://acme.slack.com/")
    assert "(https://acme.slack.com/archives/C42)" in text
    assert "[as sent](https://acme.slack.com/archives/C0123/p170042)" in text
    assert "https://" not in written(told)


def test_no_names_stand_in_causes(told: Story) -> None:
    causes = written(told).split("## What happened and why")[1].split("## Action items")[0]
    assert not [name for name in NAMES.values() if name in causes]


def test_nobody_is_shown_by_an_id(told: Story) -> None:
    assert not [user for user in PEOPLE if user in written(told)]


def test_the_same_timeline_writes_the_same_draft(told: Story) -> None:
    assert written(told) == postmortem.render_postmortem(told.refold(), told.entries, NAMES, POLICY, told.now)


def test_a_young_incident_can_be_written_too() -> None:
    text = written(Story())
    assert "## Timeline" in text and "## What happened and why" in text
    assert "## Checklist" not in text and "## What customers were told" not in text


@pytest.mark.parametrize("gone", [1, 4, 6, 11, 14])
def test_a_redacted_timeline_can_be_written(told: Story, gone: int) -> None:
    told.entries[gone - 1] = e.Entry(gone, None)
    text = postmortem.render_postmortem(told.refold(), told.entries, NAMES, POLICY, told.now)
    assert "An entry was redacted" in text


def test_a_note_told_later_stands_where_it_happened() -> None:
    story = Story().later(60)
    story.tell(
        notes.note, text="queue doubled", happened=BEGIN - timedelta(minutes=22), by=BEN,
        permalink="https://acme.slack.com/archives/C1/p1",
    )  # fmt: skip
    first = next(one for one in written(story).splitlines() if one.startswith("- **"))
    assert first == (
        "- **13:40 UTC** Ben: queue doubled ([message](https://acme.slack.com/archives/C1/p1)) (noted 15:02 UTC)"
    )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_people_wrote_does_nothing(hostile: str) -> None:
    """However hostile the words, the page has the shape that it has with harmless ones."""

    def tags(words: str) -> list[str]:
        story = Story(title=f"{words} x").later(2)
        story.tell(checklist.attach, runbook=with_runbook().incident.checklists[0].runbook, by=ANA)
        story.tell(lifecycle.state_impact, impact=words, by=ANA)
        story.tell(checklist.note_step, **the("1.1"), text=words, by=ANA)
        story.tell(checklist.skip, **the("1.2"), reason=words, by=ANA)
        story.tell(checklist.finish, **the("2.1"), text=words, confirmers=PEOPLE, by=ANA, policy=POLICY)
        story.tell(
            dual_control.ask_second_person, **the("2.2"), evidence=words, count=words, amount=words, confirmers=PEOPLE,
            by=ANA, policy=POLICY,
        )  # fmt: skip
        publish(story, f"{words}\n{words}")
        story.tell(cadence.post_update, text=words, next_by=None, by=ANA, policy=POLICY)
        story.tell(notes.note, text=words, permalink=words, by=ANA)
        story.tell(notes.add_task, text=words, due=words, by=ANA)
        story.tell(lifecycle.mitigate, note=words, by=ANA)
        names = {**NAMES, "UBEN": words}
        rendered = RENDER.render(postmortem.render_postmortem(story.incident, story.entries, names, POLICY, story.now))
        return re.findall(r"<[^>]*>", rendered)

    assert tags(hostile) == tags("harmless")


def _shown(rendered: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", rendered)).replace("\u200b", "").strip()


PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf"))).map(
    lambda text: " ".join(text.split())
)
PUNCTUATION = st.text(st.sampled_from(list("\\`*_[]<>|~&$#@!()-+=.1:{}^ a")), max_size=30).map(
    lambda text: " ".join(text.split())
)


@settings(deadline=None)
@given(PRINTABLE | PUNCTUATION)
def test_escaped_text_reads_as_itself(text: str) -> None:
    assert _shown(RENDER.renderInline(markdown(text))) == text
    assert RENDER.render(f"- x {markdown(text)}").count("<") == 4
    assert _shown(RENDER.render(f"# a {markdown(text)}")) == f"a {text}".strip()


@settings(deadline=None)
@given(PRINTABLE | PUNCTUATION)
def test_a_paragraph_of_escaped_text_is_one(text: str) -> None:
    rendered = RENDER.render(paragraph(text))
    assert _shown(rendered) == text
    assert not text or (rendered.startswith("<p>") and rendered.count("<") == 2)


@settings(deadline=None)
@given(PRINTABLE | PUNCTUATION, PRINTABLE | PUNCTUATION)
def test_a_cell_stays_a_cell(one: str, other: str) -> None:
    rendered = RENDER.render("\n".join(table(("A", "B"), [(markdown(one), markdown(other))])))
    assert [_shown(cell) for cell in re.findall(r"<td>(.*?)</td>", rendered)] == [one or "–", other or "–"]


@settings(deadline=None)
@given(st.text(st.sampled_from("`~\n ab<>"), max_size=40))
def test_a_fence_is_not_closed_from_within(text: str) -> None:
    rendered = RENDER.render(fence(text) + "\n\nafter")
    assert rendered.endswith("</code></pre>\n<p>after</p>\n")
    assert rendered.count("<code") == 1


@pytest.mark.parametrize(
    ("address", "works"),
    [
        pytest.param("https://acme.slack.com/archives/C1/p1?thread_ts=1.2", True, id="permalink"),
        pytest.param("http://acme.slack.com/", False, id="not encrypted"),
        pytest.param("javascript:alert(1)", False, id="script"),
        pytest.param("https://x.io/a)b", False, id="closes the link"),
        pytest.param("https://user@x.io/", False, id="user in it"),
        pytest.param("", False, id="none"),
    ],
)
def test_only_plain_addresses_become_links(address: str, works: bool) -> None:
    assert link("words", address) == (f"[words]({address})" if works else "words")


@pytest.mark.parametrize(
    ("tell", "says"),
    [
        # nobody has looked yet
        pytest.param(
            lambda s: s.tell(checklist.finish, **the("2.1"), confirmers=PEOPLE, by=ANA, policy=POLICY),
            "stopped first 14:04 UTC by Ana; due for review 14:34 UTC, not reviewed.",
            id="not reviewed",
        ),
        # an exception says why
        pytest.param(
            lambda s: s.tell(
                dual_control.record_done_alone,
                **the("2.2"),
                reason="nobody awake",
                confirmers=PEOPLE,
                by=ANA,
                policy=POLICY,
            ),
            "done alone 14:04 UTC by Ana, because: nobody awake; due for review 14:34 UTC, not reviewed.",
            id="alone",
        ),
    ],
)
def test_exceptions(tell: Callable[[Story], object], says: str) -> None:
    story = with_runbook()
    tell(story)
    assert says in section(written(story), "Overrides, exceptions and late reviews")
