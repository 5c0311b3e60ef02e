"""The runbooks that come with the bot: whole, marked, runnable as far as that can be seen without running."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bot.domain.policy import Policy
from bot.domain.runbook import Runbook, TwoPeople
from bot.runbooks import lint, load, refresh

FOLDER = Path(__file__).parents[2] / "runbooks"
SHELF = load(FOLDER, known_probes=frozenset({"horizon"}))
ALL = [pytest.param(runbook, id=slug) for slug, runbook in SHELF.runbooks.items()]


def test_the_four_are_there_and_nothing_is_wrong_with_them() -> None:
    four = {"horizon-outage", "db-failover", "jwt-secret-rotation", "stuck-transaction-recovery"}
    assert four <= set(SHELF.runbooks)
    severities = frozenset(severity.key for severity in Policy().severities)
    # no date: a test must not begin to fail by itself on a day in the future
    assert [str(problem) for problem in lint(SHELF, severities=severities)] == []


def test_the_index_is_current() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert readme == refresh(readme, SHELF), "the table in runbooks/README.md is not what the files say"


@pytest.mark.parametrize("runbook", ALL)
def test_every_step_says_what_to_expect(runbook: Runbook) -> None:
    assert [step.id for step in runbook.steps if "expect" not in step.text] == []


@pytest.mark.parametrize("runbook", ALL)
def test_every_command_is_one_that_a_shell_can_read(runbook: Runbook) -> None:
    for step in runbook.steps:
        for command in step.commands:
            read = subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True, check=False)
            assert (read.returncode, read.stderr) == (0, ""), (step.id, command)


@pytest.mark.parametrize("runbook", ALL)
def test_every_variable_is_explained(runbook: Runbook) -> None:
    for step in runbook.steps:
        for command in step.commands:
            # said in the overview, in a comment above the command, or typed by whoever runs it
            here = " ".join(line for line in command.split("\n") if line.startswith(("#", "read ")))
            for name in re.findall(r"\$\{?([A-Z][A-Z_]+)", command):
                assert f"${name}" in runbook.sections[0].text or name in here, (step.id, name)


@pytest.mark.parametrize("runbook", ALL)
def test_steps_that_are_referred_to_exist(runbook: Runbook) -> None:
    words = " ".join([*(step.text for step in runbook.steps), *(section.text for section in runbook.sections)])
    named = set(re.findall(r"\b[1-7]\.\d{1,2}\b", words))
    assert named <= {step.id for step in runbook.steps}


@pytest.mark.parametrize(
    ("slug", "earlier", "later"),
    [
        pytest.param("db-failover", "Fence the old primary", "Promote", id="fence before promoting"),
        pytest.param("db-failover", "Prove the fence", "Promote", id="prove it too"),
        pytest.param("db-failover", "Verify a write", "Resume", id="write before resuming"),
        pytest.param("db-failover", "Compare the payments", "Resume", id="books before resuming"),
        pytest.param(
            "jwt-secret-rotation", "Let every service accept old and new", "Rotate signing", id="accept first"
        ),
        pytest.param("jwt-secret-rotation", "Rotate signing", "Wait as long", id="sign, then wait"),
        pytest.param("jwt-secret-rotation", "Wait as long", "Let every service accept the new", id="wait, then drop"),
        pytest.param("stuck-transaction-recovery", "Ask two Horizons", "Read the last ledger", id="hash, then tip"),
        pytest.param("stuck-transaction-recovery", "Look for a twin", "Rebuild", id="twins before a rebuild"),
        pytest.param("horizon-outage", "Check that the fallback fits", "Set the fallback", id="compare, then switch"),
    ],
)
def test_the_order_that_matters(slug: str, earlier: str, later: str) -> None:
    texts = [step.text for step in SHELF.runbooks[slug].steps]
    first = [n for n, text in enumerate(texts) if text.startswith(earlier)]
    second = [n for n, text in enumerate(texts) if text.startswith(later)]
    assert first and second and max(first) < min(second)


@pytest.mark.parametrize(
    ("slug", "beginning", "mark"),
    [
        pytest.param("stuck-transaction-recovery", "Resend", TwoPeople.BEFORE, id="resend"),
        pytest.param("stuck-transaction-recovery", "Cancel", TwoPeople.BEFORE, id="cancel"),
        pytest.param("stuck-transaction-recovery", "Rebuild", TwoPeople.BEFORE, id="rebuild"),
        pytest.param("db-failover", "Promote", TwoPeople.BEFORE, id="promotion"),
        pytest.param("db-failover", "Fence", TwoPeople.AFTER, id="fencing stops"),
        pytest.param("horizon-outage", "Pause", TwoPeople.AFTER, id="pausing stops"),
        pytest.param("horizon-outage", "Resume", TwoPeople.BEFORE, id="resuming"),
        pytest.param("jwt-secret-rotation", "Make the new secret", TwoPeople.BEFORE, id="key changes"),
    ],
)
def test_two_people_where_it_matters(slug: str, beginning: str, mark: TwoPeople) -> None:
    steps = [step for step in SHELF.runbooks[slug].steps if step.text.startswith(beginning)]
    assert steps
    assert {step.two_people for step in steps} == {mark}


@pytest.mark.parametrize(
    ("title", "slugs"),
    [
        pytest.param("Withdrawals are stuck", ["stuck-transaction-recovery"], id="what people see"),
        pytest.param("Horizon returns 503", ["horizon-outage"], id="the name of the thing"),
        pytest.param("Postgres primary down", ["db-failover"], id="the database"),
        pytest.param("JWT signing secret in a public repo", ["jwt-secret-rotation"], id="a leak"),
        pytest.param("Checkout button is blue", [], id="none of them"),
    ],
)
def test_titles_that_people_type(title: str, slugs: list[str]) -> None:
    assert [runbook.slug for runbook in SHELF.guess(title)] == slugs
