"""A delivery is read as Bolt itself would read it, only quicker."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt.request.internals import parse_body

from bot.web.slack_payload import MAX_YARL_FORM_CHARS, parse_delivery

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner)
)


@given(st.dictionaries(WORDS, VALUES))
def test_what_people_click_arrives_as_it_was_sent(delivery: dict[str, Any]) -> None:
    body = urlencode({"payload": json.dumps(delivery)})
    assert parse_delivery(body, FORM) == delivery == parse_body(body, FORM)
    assert parse_delivery(json.dumps(delivery), JSON) == delivery


@given(st.dictionaries(WORDS.filter(lambda name: name not in ("", "payload")), WORDS, min_size=1))
def test_a_command_arrives_as_it_was_typed(fields: dict[str, str]) -> None:
    assert parse_delivery(urlencode(fields), FORM) == fields


@pytest.mark.parametrize("size", [MAX_YARL_FORM_CHARS // 2, MAX_YARL_FORM_CHARS, 4 * MAX_YARL_FORM_CHARS])
def test_a_long_form_is_read_like_a_short_one(size: int) -> None:
    delivery = {"text": "+%41 é\n" * (size // 7)}
    assert parse_delivery(urlencode({"payload": json.dumps(delivery)}), FORM) == delivery


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param("payload=not json", FORM, id="a payload that is not JSON"),
        pytest.param("{", JSON, id="JSON that ends too early"),
        pytest.param("", JSON, id="nothing where JSON is announced"),
        pytest.param("payload=" + "[" * 100_000, FORM, id="JSON that is nested without end"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_the_edge_answers(body: str, kind: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        parse_delivery(body, kind)
