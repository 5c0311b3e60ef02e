"""Policy files: the shipped ones, what a file may say, and that everything wrong with one is said at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.policy import NOTE_ONLY, SEVERITIES, AlertPolicy, Policy
from bot.policies import PROFILES, BadPolicy, load, readers

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts a text into a policy file."""

    def to_file(text: str) -> Path:
        path = tmp_path / "policy.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def problems(path: Path) -> tuple[str, ...]:
    """What is wrong with a file, of which something is."""
    with pytest.raises(BadPolicy) as refused:
        load(path)
    assert str(refused.value) == "\n".join(refused.value.problems)
    return refused.value.problems


# -- the shipped files --------------------------------------------------------------------------------


def test_no_file_is_the_default() -> None:
    assert load(None) == Policy()


def test_the_default_file_is_the_default() -> None:
    assert load(PROFILES["default"]) == Policy()


def test_the_default_file_shows_every_key() -> None:
    text = PROFILES["default"].read_text(encoding="utf-8")
    missing = [one.name for one in fields(Policy) if f"{one.name} = " not in text and f"[{one.name}]" not in text]
    assert missing == []


def test_every_file_of_the_folder_is_a_profile() -> None:
    assert sorted(PROFILES["default"].parent.glob("*.toml")) == sorted(PROFILES.values())


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_load(name: str) -> None:
    policy = load(PROFILES[name])
    assert [one.key for one in policy.severities] == [one.key for one in SEVERITIES]
    # a runbook or a habit that says "p1" means the same everywhere
    assert {one.key: one.aliases for one in policy.severities} == {one.key: one.aliases for one in SEVERITIES}


def test_the_regulated_profile_is_stricter_than_the_default() -> None:
    strict, default = load(PROFILES["regulated"]), Policy()
    assert strict.may_approve and strict.may_resolve and strict.may_confirm and strict.may_change_severity
    assert not strict.guests_may_act
    for clock in ("answer_within", "lead_silent_after", "ask_stands", "go_stands", "review_within", "draft_stands"):
        assert getattr(strict, clock) < getattr(default, clock), clock
    for mine, theirs in zip(strict.severities, default.severities, strict=True):
        assert mine.cadence is not None
        assert theirs.cadence is None or mine.cadence < theirs.cadence
    assert set(default.private_words) < set(strict.private_words)
    assert {key for key, _ in default.resolve_checks} < {key for key, _ in strict.resolve_checks}


# -- what a file may say ------------------------------------------------------------------------------


def test_an_empty_file_is_the_default(write: Write) -> None:
    assert load(write("")) == Policy()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('announcements = "#outages"', {"announcements": "outages"}, id="a # before a channel is dropped"),
        pytest.param('lead_silent_after = "1h30m"', {"lead_silent_after": timedelta(minutes=90)}, id="hours, minutes"),
        pytest.param(
            'rungs = ["-1h", "0m", "90s"]',
            {"rungs": (timedelta(hours=-1), timedelta(), timedelta(seconds=90))},
            id="a rung before, at and after",
        ),
        pytest.param(
            'levels = [["@payments-oncall", "U0123"], ["S0456"]]',
            {"levels": (("@payments-oncall", "U0123"), ("S0456",))},
            id="levels of handles and ids",
        ),
        pytest.param('may_approve = ["@comms.leads"]', {"may_approve": ("@comms.leads",)}, id="a group that may"),
        pytest.param('money_words = ["Pay-Outs "]', {"money_words": ("pay outs",)}, id="words as titles are compared"),
        pytest.param("private_words = []", {"private_words": ()}, id="no words at all"),
        pytest.param("guests_may_act = true", {"guests_may_act": True}, id="guests"),
        pytest.param("snoozes = 0", {"snoozes": 0}, id="no snoozing"),
        pytest.param(
            '[resolve_checks]\nb = "Second"\na = "First"',
            {"resolve_checks": (("b", "Second"), ("a", "First"))},
            id="conditions keep their order",
        ),
        pytest.param(
            '[alerts]\ndeclare = false\nprivate_to = ["@security"]\n[alerts.severities]\nPage = "sev1"\nlog = "note"',
            {"alerts": AlertPolicy(False, (("page", "sev1"), ("log", NOTE_ONLY)), ("@security",))},
            id="what alerts do",
        ),
        pytest.param("alerts.declare = false", {"alerts": AlertPolicy(declare=False)}, id="one thing that alerts do"),
        pytest.param("\ufeffsnoozes = 1", {"snoozes": 1}, id="a byte order mark from an editor"),
    ],
)
def test_one_key_changes_one_field(write: Write, text: str, expected: dict[str, object]) -> None:
    assert load(write(text)) == replace(Policy(), **expected)  # type: ignore[arg-type]


def test_own_severities_replace_the_default_ones(write: Write) -> None:
    policy = load(
        write(
            """
            assumed_severity = "minor"
            [[severities]]
            key = "major"
            name = "Major"
            meaning = "Customers notice"
            cadence = "45m"
            gate = "conditions"
            aliases = ["P1"]
            responders = ["@oncall"]
            [[severities]]
            key = "minor"
            name = "Minor"
            meaning = "Nobody notices"
            gate = "one line"
            """
        )
    )
    major, minor = policy.severities
    assert (major.cadence, major.postmortem_days, major.responders) == (timedelta(minutes=45), None, ("@oncall",))
    assert policy.severity("p1") is major
    assert policy.severity_for_title("Nothing in particular") is minor


# -- what is wrong with one ---------------------------------------------------------------------------

SEVERITY = '[[severities]]\nkey = "sev2"\nname = "Two"\nmeaning = "m"\ngate = "conditions"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("anouncements = 1", "anouncements: there is no such key. Did you mean announcements?", id="typo"),
        pytest.param("zzz = 1", "zzz: there is no such key.", id="unknown key, nothing near it"),
        pytest.param("announcements = 7", "announcements: “7” has to be a text in quotes", id="number for a text"),
        pytest.param(
            'announcements = "Our Incidents"',
            "announcements: “Our Incidents” is not the name of a channel",
            id="channel name",
        ),
        pytest.param(
            'customer_comms = "incidents"',
            "customer_comms: this is the channel of announcements too",
            id="customers among ourselves",
        ),
        pytest.param(
            'snooze = "10 minutes"', "snooze: “10 minutes” is not a duration; write 30m", id="duration in words"
        ),
        pytest.param("snooze = 10", "snooze: “10” is not a duration", id="duration as a number: of what?"),
        pytest.param('snooze = ""', "snooze: “” is not a duration", id="empty duration"),
        pytest.param('snooze = "30m1h"', "snooze: “30m1h” is not a duration", id="units in the wrong order"),
        pytest.param('snooze = "-5m"', "snooze: “-5m” has to be more than nothing", id="negative duration"),
        pytest.param('snooze = "0m"', "snooze: “0m” has to be more than nothing", id="no duration"),
        pytest.param('snooze = "200h"', "snooze: “200h” has to be more than nothing and at most a week", id="too long"),
        pytest.param(
            "snoozes = true", "snoozes: “True” has to be a whole number from 0 to 10", id="a bool is no number"
        ),
        pytest.param('snoozes = "2"', "snoozes: “2” has to be a whole number", id="number in quotes"),
        pytest.param(
            'guests_may_act = "no"',
            "guests_may_act: “no” has to be true or false, without quotes",
            id="yes or no in words",
        ),
        pytest.param('levels = ["@a"]', "levels[1]: “@a” has to be a list", id="levels without their own brackets"),
        pytest.param("levels = [[]]", "levels[1]: is empty, so nobody would be asked", id="a level of nobody"),
        pytest.param(
            'levels = [["@a"], ["@b", "bob"]]', "levels[2][2]: “bob” has to be a handle", id="a name is no handle"
        ),
        pytest.param(
            'may_resolve = ["<!channel>"]',
            "may_resolve[1]: “<!channel>” has to be a handle",
            id="a broadcast is nobody",
        ),
        pytest.param('may_approve = ["@a", "@a"]', "may_approve: “@a” is there twice", id="the same group twice"),
        pytest.param('money_words = ["…"]', "money_words[1]: “…” holds no letters", id="a word of nothing"),
        pytest.param("rungs = []", "rungs: there has to be one rung at least", id="no rungs"),
        pytest.param('rungs = ["0m", "-5m"]', "rungs: each rung has to come later", id="rungs that go back"),
        pytest.param(
            'rungs = ["-5m", "5m"]', "rungs: the second rung is the one at the time itself", id="no rung at the time"
        ),
        pytest.param(
            "resolve_checks = []",
            "resolve_checks: write the conditions as a [resolve_checks] table",
            id="list of conditions",
        ),
        pytest.param('[resolve_checks]\nimpact = ""', "resolve_checks.impact: is empty", id="condition without words"),
        pytest.param(
            f'[resolve_checks]\nimpact = "{"x" * 80}"',
            "resolve_checks.impact: is 5 characters too long",
            id="condition that no form shows",
        ),
        pytest.param("alerts = true", "alerts: write what alerts do as an [alerts] table", id="alerts as a yes"),
        pytest.param(
            "[alerts]\ndeclares = true",
            "alerts.declares: there is no such key. Did you mean declare?",
            id="typo in what alerts do",
        ),
        pytest.param('alerts.private_to = ["bob"]', "alerts.private_to[1]: “bob” has to be a handle", id="a name"),
        pytest.param(
            '[alerts.severities]\npage = "sev9"',
            "alerts.severities.page: “sev9” is neither note nor the key of a severity: sev1, sev2, sev3",
            id="an alert's severity that is none",
        ),
        pytest.param(
            '[alerts.severities]\n"very bad" = "sev1"',
            "alerts.severities.very bad: “very bad” has to be one short word",
            id="a sender's word that is two",
        ),
        pytest.param("severities = []", "severities: there has to be one severity at least", id="no severities"),
        pytest.param(
            'severities = "sev1"', "severities: write each severity as a [[severities]] table", id="severity as a text"
        ),
        pytest.param(
            'assumed_severity = "sev9"',
            "assumed_severity: “sev9” is not the key of a severity: sev1, sev2, sev3",
            id="assumed severity that is none",
        ),
        pytest.param(
            SEVERITY + 'gate = "none"', "policy.toml is not TOML: Cannot overwrite a value", id="the same key twice"
        ),
        pytest.param(
            SEVERITY + 'color = "red"', "severities[1].color: there is no such key.", id="unknown key of a severity"
        ),
        pytest.param(
            SEVERITY + 'cadence = "often"', "severities[1].cadence: “often” is not a duration", id="cadence in words"
        ),
        pytest.param(
            SEVERITY + "postmortem_days = 0",
            "severities[1].postmortem_days: “0” has to be a whole number from 1",
            id="no day at all",
        ),
        pytest.param(
            SEVERITY + 'aliases = ["p1", "P1"]', "severities[1].aliases: “p1” is there twice", id="alias twice"
        ),
        pytest.param(
            SEVERITY + 'aliases = ["very bad"]',
            "severities[1].aliases[1]: “very bad” has to be one short word",
            id="alias of two words",
        ),
        pytest.param(
            SEVERITY.replace("conditions", "vote"),
            "severities[1].gate: “vote” has to be one of: “one line”",
            id="unknown gate",
        ),
        pytest.param(
            '[[severities]]\nkey = "sev2"\nname = "a"\nmeaning = "b"', "severities[1].gate: is missing", id="no gate"
        ),
        pytest.param(
            SEVERITY + SEVERITY.replace('"Two"', '"Three"'),
            "severities[2].key: “sev2” already means severities[1]",
            id="key of two severities",
        ),
        pytest.param(
            SEVERITY + 'aliases = ["b"]\n' + SEVERITY.replace("sev2", "b").replace("Two", "B1"),
            "severities[2].key: “b” already means severities[1]",
            id="alias that is another's key",
        ),
        pytest.param("snoozes = [", "policy.toml is not TOML: Invalid value", id="not TOML"),
        pytest.param("snoozes = " + "[" * 5000, "policy.toml is not TOML", id="brackets without end"),
        pytest.param("# " + "x" * 300_000, "policy.toml is larger than 256 KB", id="a file that is something else"),
    ],
)
def test_one_problem(write: Write, text: str, expected: str) -> None:
    found = problems(write(text))
    assert len(found) == 1, found
    assert expected in found[0]


def test_every_problem_is_said_at_once(write: Write) -> None:
    found = problems(
        write(
            """
            anouncements = "x"
            customer_comms = "incidents"
            snooze = "soon"
            levels = [[], ["bob"]]
            may_approve = "everybody"
            assumed_severity = "sev9"
            [resolve_checks]
            "so so" = "Sentence"
            empty = ""
            [[severities]]
            key = "sev1"
            name = "SEV-1"
            meaning = "m"
            gate = "vote"
            aliases = ["p1", "p1"]
            [[severities]]
            key = "sev2"
            cadence = "30"
            aliases = ["sev1"]
            """
        )
    )
    assert [one.partition(": ")[0] for one in found] == [
        "anouncements",
        "snooze",
        "levels[1]",
        "levels[2][1]",
        "may_approve",
        "resolve_checks.so so",
        "resolve_checks.empty",
        "severities[1].gate",
        "severities[2].cadence",
        "severities[2].name",
        "severities[2].meaning",
        "severities[2].gate",
        "severities[1].aliases",
        "severities[2].aliases",
        "customer_comms",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (said,) = problems(tmp_path / "none.toml")
    assert said.endswith("none.toml cannot be opened: No such file or directory.")


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(b'announcements = "\xff"')
    assert problems(path)[0].endswith("policy.toml is not UTF-8 text.")


@given(hours=st.integers(0, 160), minutes=st.integers(0, 59), seconds=st.integers(0, 59), before=st.booleans())
def test_durations_read_as_they_are_written(hours: int, minutes: int, seconds: int, before: bool) -> None:
    written = f"{'-' if before else ''}{hours}h{minutes}m{seconds}s"
    span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    assert readers.offset(written) == (-span if before else span)


@given(st.one_of(st.text(), st.integers(), st.booleans(), st.lists(st.text()), st.none(), st.floats()))
def test_a_reader_reads_or_says_what_is_wrong(value: object) -> None:
    every: list[Callable[[object], object]] = [
        readers.duration, readers.offset, readers.channel, readers.who, readers.phrase, readers.word, readers.key,
        readers.yes_or_no, readers.count(0, 3), readers.line(10), readers.each_once(readers.who),
    ]  # fmt: skip
    for read in every:
        try:
            read(value)
        except readers.InvalidValue as wrong:
            assert all(sentence and len(sentence) < 250 for _, sentence in wrong.found)
