"""What is unwise in a runbook that loads."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.runbooks import lint
from bot.runbooks.lint import TEMPLATE

from .writing import shelf_of, titled

MATTER = "words: [x]\nowner: me\nseverity: sev1\nreviewed: 2026-11-20\n"
TODAY = date(2026, 11, 21)


def _file(step: str, matter: str = MATTER) -> str:
    sections = [f"## {n}. {title}\nText.\n" for n, title in enumerate(TEMPLATE, 1)]
    sections[2] += f"- [ ] {step}\n"
    return titled("A", matter, "".join(sections))


def _sentences(folder: Path, text: str) -> list[str]:
    found = lint(shelf_of(folder, a=text), today=TODAY, severities=frozenset({"sev1"}))
    return [problem.sentence for problem in found]


def _command(text: str, command: str, mark: str = "") -> str:
    return f"{text} {mark}\n  ```sh\n  {command}\n  ```"


NEEDS_BEFORE = [
    pytest.param(_command("Do.", 'stellar tx send "$XDR" --network mainnet'), id="sends"),
    pytest.param(_command("Do.", "stellar tx sign x --sign-with-key k"), id="signs"),
    pytest.param(_command("Do.", "stellar tx new payment --amount 1"), id="tx new without --build-only"),
    pytest.param(_command("Do.", "stellar contract invoke --id C -- pause"), id="invoke without --send=no"),
    pytest.param(_command("Do.", "stellar contract invoke --id C \\\n    -- pause"), id="over two lines"),
    pytest.param(_command("Do.", "curl --data-urlencode tx=$XDR $HORIZON/transactions"), id="posts to Horizon"),
    pytest.param(_command("Do.", "psql -c 'SELECT pg_promote()'"), id="promotes"),
    pytest.param(_command("Do.", "./queue replay --all"), id="replays"),
    pytest.param(_command("Do.", "psql -c 'delete from payouts'"), id="deletes"),
    pytest.param("Resume the payouts.", id="the word resume"),
    pytest.param("Refund the customer.", id="the word refund"),
    pytest.param("Resume the payouts. {two-people: after}", id="the wrong mark"),
]
NEEDS_NOTHING = [
    pytest.param("Look at it.", id="a look"),
    pytest.param("Do not resume anything yet.", id="only speaks of it"),
    pytest.param("Resume the payouts. {two-people: before}", id="marked"),
    pytest.param("Pause the payouts. {two-people: after}", id="stopping, marked"),
    pytest.param("Pause the payouts. {two-people: before}", id="stopping, marked more strictly"),
    pytest.param(_command("Do.", "stellar tx new payment --build-only"), id="built, not sent"),
    pytest.param(_command("Do.", "stellar contract invoke --id C --send=no -- paused"), id="asked, not sent"),
    pytest.param(_command("Do.", "# never replay this by hand"), id="a comment"),
    pytest.param(_command("Do.", 'curl "$HORIZON/accounts/$A/transactions?limit=1"'), id="reads from Horizon"),
]


@pytest.mark.parametrize("step", NEEDS_BEFORE)
def test_needs_a_second_person_before(tmp_path: Path, step: str) -> None:
    (sentence,) = _sentences(tmp_path, _file(step))
    assert sentence.endswith("mark it {two-people: before}.")


@pytest.mark.parametrize("step", NEEDS_NOTHING)
def test_needs_nothing(tmp_path: Path, step: str) -> None:
    assert _sentences(tmp_path, _file(step)) == []


def test_stopping_is_marked_too_and_says_where(tmp_path: Path) -> None:
    (problem,) = lint(shelf_of(tmp_path, a=_file("Pause the payouts.")))
    assert str(problem) == f"{tmp_path / 'a.md'}:15: Step 3.1 stops something: mark it {{two-people: after}}."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(titled("A", MATTER), "missing: Indicators, Immediate", id="sections missing"),
        pytest.param(_file("Do.").replace("## 7.", "## 8."), "their order or number", id="another number"),
        pytest.param(_file("Do.").replace("1. Overview\nText.", "1. Overview"), "Section 1 is empty", id="empty"),
        pytest.param(_file("Do.", MATTER.replace("words: [x]\n", "")), "nobody finds it", id="cannot be found"),
        pytest.param(_file("Do.", MATTER.replace("owner: me\n", "")), "Nobody owns it", id="no owner"),
        pytest.param(_file("Do.", MATTER.replace("sev1", "sev9")), "“sev9” is not one", id="unknown severity"),
        pytest.param(_file("Do.", MATTER.replace("reviewed: 2026-11-20\n", "")), "never been reviewed", id="no review"),
        pytest.param(_file("Do.", MATTER.replace("2026-11", "2026-07")), "every quarter", id="an old review"),
        pytest.param(_file("Do.", MATTER.replace("2026-11-20", "2027-01-01")), "not come yet", id="a future review"),
        pytest.param(_file("Do.", MATTER + "related: [a]\n"), "calls itself related", id="related to itself"),
        pytest.param("", "no front matter", id="what did not load at all"),
    ],
)
def test_gaps(tmp_path: Path, text: str, sentence: str) -> None:
    (found,) = _sentences(tmp_path, text)
    assert sentence in found
