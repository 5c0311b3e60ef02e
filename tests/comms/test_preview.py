"""From a template and what people typed to a text that may be approved."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stellar_sdk import Keypair

from bot.comms.preview import Prepared, prepare
from bot.comms.templates import Library, load
from bot.domain.errors import Refused
from bot.scrub import Mode, scrub
from tests.sentences import said

LIBRARY: Library = load(Path(__file__).parents[2] / "comms_templates")
INCIDENT = {
    "ref": "INC-42",
    "title": "Withdrawals are stuck",
    "severity": "SEV-1",
    "status": "identified",
    "lead": "Ben",
}
SEED = Keypair.from_raw_ed25519_seed(bytes(range(32))).secret


def _prepare(audience: str = "customers", stage: str = "investigating", **values: str) -> Prepared:
    typed = {"what": "bank payouts to Nigeria", "since": "13:40", "next_update": "14:32"} | values
    return prepare(LIBRARY, "payment-delays", audience, stage, typed, INCIDENT)


def test_a_clean_text() -> None:
    ready = _prepare(count="1240")
    assert ready.text.startswith("Since 13:40 UTC, bank payouts to Nigeria are taking longer than usual.")
    assert "Payments waiting: 1,240." in ready.text
    assert (ready.findings, ready.tone, ready.removed_sentence) == ((), (), "")
    assert ready.revision == LIBRARY.find("payment-delays", "customers", "investigating")[0].revision


def test_what_points_at_people_is_removed_and_counted() -> None:
    ready = _prepare(todo="Ask jane@example.com about account 12345678.")
    assert "Ask an e-mail address about an account id." in ready.text
    assert ready.removed_sentence == "1 e-mail address and 1 account id removed"


@pytest.mark.parametrize(
    "field",
    [pytest.param("todo", id="a text"), pytest.param("since", id="a time"), pytest.param("other", id="no such blank")],
)
def test_a_secret_is_refused_without_being_quoted(field: str) -> None:
    with pytest.raises(Refused) as refused:
        _prepare(**{field: f"key {SEED}"})
    assert refused.value.field == field
    assert said(refused.value).startswith("A Stellar secret seed is in ")
    assert SEED not in said(refused.value) + repr(refused.value) + repr(refused.value.__cause__)


def test_what_only_arises_at_a_join_is_found() -> None:
    ready = prepare(
        LIBRARY,
        "payment-delays",
        "internal",
        "identified",
        {
            "what": "payouts",
            "since": "13:40",
            "cause": "Write to jane",
            "known": "@example.com now",
            "next_update": "14:32",
        },
        {**INCIDENT, "title": "Card 4111 1111 1111"},
    )
    assert ready.text  # nothing joins here: the parts stand on lines of their own


def test_colleagues_may_read_more_and_be_brief() -> None:
    ready = _prepare("internal", known="SEV-1 on db-prod-01, see https://grafana.corp.lan/d/1")
    assert "https://grafana.corp.lan/d/1" in ready.text
    assert ready.tone == ()


def test_tone_is_reported_not_refused() -> None:
    ready = _prepare(todo="Hopefully it works soon.")
    assert [finding.rule for finding in ready.tone_errors] == ["hopefully", "soon"]


@pytest.mark.parametrize(
    ("name", "audience", "stage", "sentence"),
    [
        pytest.param(
            "payment-delay", "customers", "resolved", "Did you mean payment-delays?", id="a name nearly right"
        ),
        pytest.param("zebra", "customers", "resolved", "There are: payment-delays.", id="another name"),
        pytest.param("payment-delays", "partners", "resolved", "has no text for that audience", id="another audience"),
        pytest.param("payment-delays", "customers", "fixed", "it has investigating, identified", id="another stage"),
    ],
)
def test_no_such_template(name: str, audience: str, stage: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        prepare(LIBRARY, name, audience, stage, {}, INCIDENT)


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=100))
def test_what_is_prepared_is_scrubbed_for_good(todo: str) -> None:
    try:
        ready = _prepare(todo=todo)
    except Refused as refused:
        assert refused.field in ("todo", None)
    else:
        assert scrub(ready.text, Mode.STRICT).text == ready.text
