"""What a file's text becomes, and everything it can be refused for, with the line."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.runbook import Section, Step, TwoPeople
from bot.runbooks.parse import MAX_STEPS, MAX_TEXT_CHARS, parse

from .writing import GOOD, MATTER, PROBES

WHOLE = """---
title: Horizon outage
summary: "Horizon is down: or behind"
alerts: [HorizonDown, HorizonLag]
words:
  - horizon
severity: SEV1
owner: payments on-call
reviewed: 2026-11-20
related: [db-failover]
---

# Horizon outage

<!-- a word to the next author -->

## 1. Overview

Read *this* first; see [the docs](docs.md).

- one
- two `x`

## 3. Immediate mitigation

- [ ] Ask **it** for `{a}`. {probe: horizon  backup}
  ```sh
  curl "$HORIZON/" | jq '{core: .x}'

  date -u
  ```
  ```sql
  SELECT 1;
  ```
- [ ] Pause payouts; expect "paused",
  and a queue that grows. {two-people: after}

1. [ ] Resume. {two-people: before} {probe: tx}
"""


def test_a_whole_file() -> None:
    parsed = parse(WHOLE, PROBES)
    assert parsed.findings == ()
    matter = parsed.matter
    assert (matter.title, matter.summary) == ("Horizon outage", "Horizon is down: or behind")
    assert (matter.alerts, matter.words) == (("HorizonDown", "HorizonLag"), ("horizon",))
    assert (matter.severity, matter.owner, matter.reviewed) == ("sev1", "payments on-call", date(2026, 11, 20))
    assert matter.related == ("db-failover",)
    assert parsed.sections == (
        Section(1, "Overview", "Read this first; see the docs (docs.md).\n\n• one\n• two `x`"),
        Section(
            3,
            "Immediate mitigation",
            "",
            (
                Step(
                    "3.1",
                    "Ask it for `{a}`.",
                    ("curl \"$HORIZON/\" | jq '{core: .x}'\n\ndate -u", "SELECT 1;"),
                    None,
                    "horizon",
                    "backup",
                ),
                Step("3.2", 'Pause payouts; expect "paused", and a queue that grows.', (), TwoPeople.AFTER),
                Step("3.3", "Resume.", (), TwoPeople.BEFORE, "tx"),
            ),
        ),
    )
    assert parsed.lines == {"3.1": 26, "3.2": 35, "3.3": 38}


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        pytest.param("Put `<HASH>` there", "Put `<HASH>` there", id="code keeps its ticks"),
        pytest.param("Put <HASH> there", "Put <HASH> there", id="a placeholder is not a tag"),
        pytest.param("a <!-- b --> c", "a c", id="a comment vanishes"),
        pytest.param("see <https://a.b/c>", "see https://a.b/c", id="a bare link once"),
        pytest.param("see ![the chart](x.png)", "see the chart", id="an image is its description"),
        pytest.param("a\\*b &amp; c", "a*b & c", id="escapes and entities"),
        pytest.param("Use `x` {probe: tx}", "Use `x`", id="a mark after code"),
        pytest.param("Use **x** now {probe: tx}", "Use x now", id="a mark after bold"),
        pytest.param("Do it\n  {probe: tx}", "Do it", id="a mark on a line of its own"),
        pytest.param("Run jq `{a}`", "Run jq `{a}`", id="braces in code are no mark"),
        pytest.param("Ask @here & <!channel>", "Ask @here & <!channel>", id="what pings is escaped where it is shown"),
    ],
)
def test_the_words_of_a_step(sentence: str, text: str) -> None:
    parsed = parse(f"{MATTER}## 1. X\n- [ ] {sentence}\n", PROBES)
    assert parsed.findings == ()
    assert parsed.sections[0].steps[0].text == text


def _body(text: str) -> str:
    return f"{MATTER}## 1. X\n{text}\n- [ ] The last one.\n"


#: the body's own text begins at line 6
REFUSED = [
    # front matter
    pytest.param("", 1, "no front matter", id="empty file"),
    pytest.param("# Title\n", 1, "no front matter", id="none at all"),
    pytest.param("---\ntitle: A\n", 1, "no front matter", id="not closed"),
    pytest.param("---\n---\n", 2, "lines of “key: value”", id="empty front matter"),
    pytest.param("---\n- a\n---\n", 2, "lines of “key: value”", id="a list"),
    pytest.param("---\ntitle: A\nsummary: [B\n---\n", 3, "cannot be read", id="bad YAML: the bracket stays open"),
    pytest.param("---\ntitle: A\n\tsummary: B\n---\n", 3, "cannot be read", id="bad YAML: a tab"),
    pytest.param("---\ntitle: A: B\nsummary: C\n---\n", 2, "cannot be read", id="bad YAML: a colon without quotes"),
    pytest.param("---\ntitle: A\nsummary: !!python/object:os.system x\n---\n", 3, "cannot be read", id="Python tag"),
    pytest.param("---\ntitle: &a A\nsummary: *a\n---\n", 3, "aliases", id="alias"),
    pytest.param("---\ntitle: " + "[" * 9000 + "\n---\n", 2, "more than 300 brackets", id="brackets without end"),
    pytest.param("---\ntitle: A\nx: " + "a" * 20000 + "\n---\n", 2, "longer than", id="too long"),
    pytest.param(GOOD.replace("title", "titel"), 2, "“titel” is not known", id="unknown key"),
    pytest.param(GOOD.replace("summary: B", "? [a]\n: b"), 3, "is not known", id="a key that is no text"),
    pytest.param(GOOD.replace("title: A", "title: A\ntitle: C"), 3, "a second time", id="duplicate key"),
    pytest.param("---\ntitle: A\n---\n", 2, "“summary” is missing", id="no summary"),
    pytest.param(GOOD.replace("title: A", "title: 404"), 2, "has to be text", id="a number as title"),
    pytest.param(GOOD.replace("title: A", "title: ' '"), 2, "is empty", id="an empty title"),
    pytest.param(GOOD.replace("title: A", f"title: {'a' * 71}"), 2, "longer than 70", id="no button holds it"),
    pytest.param(GOOD.replace("summary: B", "summary: B\nalerts: X"), 4, "has to be a list", id="not a list"),
    pytest.param(GOOD.replace("summary: B", "summary: B\nwords: [yes]"), 4, "has to be a list", id="yes is true"),
    pytest.param(GOOD.replace("summary: B", "summary: B\nwords: [a, A]"), 4, "twice", id="twice in a list"),
    pytest.param(GOOD.replace("summary: B", "summary: B\nwords: ['']"), 4, "empty", id="empty in a list"),
    pytest.param(GOOD.replace("summary: B", "summary: B\nseverity: very high"), 4, "one word", id="two words"),
    pytest.param(GOOD.replace("summary: B", "summary: B\nreviewed: soon"), 4, "has to be a date", id="no date"),
    pytest.param(GOOD.replace("summary: B", "summary: B\nreviewed: 2026-13-45"), 4, "date that exists", id="month 13"),
    pytest.param(GOOD.replace("summary: B", "summary: B\nreviewed: 2026-11-20 10:00:00"), 4, "date", id="with time"),
    # sections
    pytest.param(f"{MATTER}- [ ] Do.\n", 5, "has to stand in a section", id="step before a section"),
    pytest.param(f"{MATTER}Text.\n{GOOD[len(MATTER) :]}", 5, "Text before the first section", id="text before"),
    pytest.param(_body("").replace("## 1. X", "## X"), 5, "“## 1. Overview”", id="section without a number"),
    pytest.param(_body("").replace("## 1. X", "## 1."), 5, "“## 1. Overview”", id="section without a title"),
    pytest.param(_body("## 1. Y"), 6, "stands here twice", id="duplicate section"),
    pytest.param(_body("## 5. Y\n## 3. Z"), 7, "comes too late", id="section out of order"),
    pytest.param(_body("### Sub"), 6, "Only ## headings", id="deeper heading"),
    pytest.param(_body("# Again"), 6, "Only ## headings", id="a title inside"),
    pytest.param(_body(f"## 2. {'y' * 101}"), 6, "at most 100", id="long heading"),
    pytest.param(_body("a" * (MAX_TEXT_CHARS + 1)), 6, "text of a section", id="long text"),
    pytest.param(_body("| a |\n|---|\n| b |\n"), 6, "table", id="table"),
    pytest.param(_body("<div>\na\n</div>\n"), 6, "HTML", id="HTML"),
    pytest.param(_body("<!-- a\n\nb\n"), 6, "comment has to end", id="comment without end"),
    # steps
    pytest.param(f"{MATTER}## 1. X\n\nText.\n", 1, "no steps", id="no steps"),
    pytest.param(_body("- [ ]\n- [ ] b"), 6, "no text", id="step without text"),
    pytest.param(_body("- [ ] {probe: tx}"), 6, "no text", id="only a mark"),
    pytest.param(_body("- [ ] <!-- later -->"), 6, "no text", id="only a comment"),
    pytest.param(_body("- [x] Do."), 6, "not ticked", id="ticked already"),
    pytest.param(_body("- [ ] Do.\n- Do that."), 7, "nobody could tick it", id="no box"),
    pytest.param(_body("- [ ] Do.\n  - [ ] Part."), 7, "one paragraph", id="step in a step"),
    pytest.param(_body("- [ ] Do.\n\n  More."), 8, "one paragraph", id="two paragraphs"),
    pytest.param(_body("- [ ] Do.\n\nThen:\n"), 8, "Text after a step", id="text between steps"),
    pytest.param(_body("- [ ] Do.\n  ```sh\n  ```"), 7, "is empty", id="empty code block"),
    pytest.param(
        _body(f"- [ ] Do.\n  ```sh\n  {'x' * (MAX_TEXT_CHARS + 1)}\n  ```"), 7, "code block has", id="long command"
    ),
    pytest.param(_body("- [ ] " + "x" * (MAX_TEXT_CHARS + 1)), 6, "sentence of a step", id="long sentence"),
    pytest.param(_body("- [ ] " + "&" * (MAX_TEXT_CHARS // 5 + 1)), 6, "sentence of a step", id="long when escaped"),
    pytest.param(_body("- [ ] Do.\n" * MAX_STEPS), 1, "101 steps", id="too many steps"),
    # marks
    pytest.param(_body("- [ ] Do. {twopeople: before}"), 6, "is not known", id="unknown mark"),
    pytest.param(_body("- [ ] Do. {two-people}"), 6, "is not known", id="mark without value"),
    pytest.param(_body("- [ ] Do. {two-people: maybe}"), 6, "either before", id="unknown value"),
    pytest.param(
        _body("- [ ] Do. {probe: horizn}"), 6, "no probe “horizn”. Known are: horizon, tx", id="no such probe"
    ),
    pytest.param(_body("- [ ] Do. {probe:}"), 6, "no probe", id="probe without name"),
    pytest.param(_body(f"- [ ] Do. {{probe: tx {'a' * 201}}}"), 6, "target", id="long target"),
    pytest.param(_body("- [ ] Do. {probe: tx} {probe: horizon}"), 6, "twice", id="duplicate mark"),
    pytest.param(_body("- [ ] Do {two-people: before} that."), 6, "inside the sentence", id="mark in the middle"),
    # what should not be there at all
    pytest.param(_body("Text \u202e."), 6, "hidden character here, U+202E", id="turned direction"),
    pytest.param(_body("Text \x00."), 6, "hidden character here, U+0000", id="NUL"),
    pytest.param(_body("Text \x1b[2J."), 6, "hidden character", id="terminal escape"),
    pytest.param(_body("Text \u2028."), 6, "hidden character", id="line separator"),
    pytest.param(_body(f"`S{'A2B3' * 13}CDE`"), 6, "secret seed", id="seed"),
    pytest.param(_body("-----BEGIN EC PRIVATE KEY-----"), 6, "private key", id="key"),
    pytest.param(_body("xoxb-1234567890-abc"), 6, "Slack token", id="token"),
    pytest.param(_body("postgresql://app:hunter2@db/x"), 6, "password", id="password in an address"),
]


@pytest.mark.parametrize(("text", "line", "sentence"), REFUSED)
def test_refused_with_its_line(text: str, line: int, sentence: str) -> None:
    findings = parse(text, PROBES).findings
    assert any(one.line == line and sentence in one.sentence for one in findings), findings


def test_a_secret_is_not_repeated() -> None:
    seed = f"S{'A2B3' * 13}CDE"
    assert seed not in str(parse(_body(seed), PROBES))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("postgresql://app@h1,h2/db", id="an address without a password"),
        pytest.param("postgresql://$USER:$PASSWORD@db", id="a password that is a variable"),
        pytest.param("the seed begins with S", id="speaking of seeds"),
        pytest.param("größer ≥ 1 – ja 🙂", id="other writing"),
    ],
)
def test_not_refused(text: str) -> None:
    assert parse(_body(text), PROBES).findings == ()


def test_all_problems_of_a_file_at_once() -> None:
    text = "---\ntitle: A\nowner: 3\n---\n## X\n- [ ] a {b}\n"
    assert [finding.line for finding in parse(text, PROBES).findings] == [2, 3, 5, 6]


def test_not_more_findings_than_somebody_reads() -> None:
    findings = parse(MATTER + "Text.\n\n" * 5000, PROBES).findings
    assert len(findings) == 21
    assert "more from here on" in findings[-1].sentence


PIECES = st.sampled_from(
    ["---\n", "## 1. X\n", "## ", "- [ ] ", "- ", "  ", "\n", "```", "{probe: tx}", "{", "}", "`", "[", "](",
     "<!--", "-->", "title: A\n", "summary: B\n", "alerts: [a]\n", "> ", "1. ", "|", "*", "\t", "a",
     "\\", "&amp;", "<b>", "S", ": "]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES | st.text(max_size=5), max_size=60).map("".join))
def test_no_text_raises(text: str) -> None:
    parse(text, PROBES)
    parse(MATTER + text, PROBES)
    parse(f"---\n{text}\n---\n", PROBES)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_what_is_served_can_be_shown(body: str) -> None:
    parsed = parse(GOOD + body, PROBES)
    if parsed.findings:
        return
    steps = [step for section in parsed.sections for step in section.steps]
    assert steps
    assert [step.id for step in steps] == list(parsed.lines)
    assert all(step.text and len(step.text) <= MAX_TEXT_CHARS for step in steps)
    assert all(step.probe in (None, *PROBES) and all(step.commands) for step in steps)
