"""Stateful elements: initial state, choosing, what a form lacks."""

from __future__ import annotations

from typing import Any

import pytest

from localslack import NotPossible, forms
from localslack.tests.shop import Json, option, plain

A, B = option("Apple", "a"), option("Berry", "b")
BOXES: Json = {"type": "checkboxes", "action_id": "x", "options": [A, B]}
SELECT: Json = {"type": "static_select", "action_id": "x", "option_groups": [{"label": plain("G"), "options": [A, B]}]}


@pytest.mark.parametrize(
    ("element", "state"),
    [
        pytest.param({"type": "plain_text_input"}, {"type": "plain_text_input", "value": None}, id="empty text"),
        pytest.param(
            {"type": "plain_text_input", "initial_value": "x"}, {"type": "plain_text_input", "value": "x"}, id="text"
        ),
        pytest.param(BOXES, {"type": "checkboxes", "selected_options": []}, id="boxes"),
        pytest.param(SELECT, {"type": "static_select", "selected_option": None}, id="select"),
        pytest.param(
            {"type": "timepicker", "initial_time": "09:00", "timezone": "UTC"},
            {"type": "timepicker", "selected_time": "09:00", "timezone": "UTC"},
            id="time",
        ),
    ],
)
def test_initial_state(element: Json, state: Json) -> None:
    assert forms.initial(element) == state


@pytest.mark.parametrize(
    ("element", "wanted", "key", "value"),
    [
        pytest.param(SELECT, "b", "selected_option", B, id="by value"),
        pytest.param(SELECT, "Berry", "selected_option", B, id="by label"),
        pytest.param(SELECT, None, "selected_option", None, id="nothing"),
        pytest.param(BOXES, ["b", "Apple"], "selected_options", [A, B], id="several, in the element's order"),
        pytest.param({"type": "plain_text_input"}, "", "value", None, id="emptied text"),
        pytest.param({"type": "number_input"}, 7, "value", "7", id="a number"),
        pytest.param({"type": "multi_users_select"}, ["U1"], "selected_users", ["U1"], id="people"),
        pytest.param({"type": "datepicker"}, "2026-11-20", "selected_date", "2026-11-20", id="a date"),
    ],
)
def test_choosing(element: Json, wanted: Any, key: str, value: Any) -> None:
    assert forms.choose(element, wanted)[key] == value


def test_what_is_not_offered_cannot_be_chosen() -> None:
    with pytest.raises(NotPossible, match="does not offer 'c', only 'a', 'b'"):
        forms.choose(SELECT, "c")


@pytest.mark.parametrize(
    ("element", "value", "sentence"),
    [
        pytest.param(
            {"type": "plain_text_input", "min_length": 3}, "ab", "Please enter at least 3 characters.", id="short"
        ),
        pytest.param(
            {"type": "plain_text_input", "max_length": 3}, "abcd", "Please enter no more than 3 characters.", id="long"
        ),
        pytest.param({"type": "plain_text_input"}, "x" * 3001, None, id="long, where no length is set"),
        pytest.param({"type": "plain_text_input"}, "  ", "Please complete this required field.", id="blank"),
        pytest.param(
            {"type": "number_input", "is_decimal_allowed": False}, "1.5", "Please enter a whole number.", id="fraction"
        ),
        pytest.param(
            {"type": "number_input", "is_decimal_allowed": True, "max_value": "5"},
            "6",
            "Please enter a number in the allowed range.",
            id="range",
        ),
        pytest.param({"type": "number_input"}, "x", "Please enter a number.", id="not a number"),
        pytest.param({"type": "email_text_input"}, "x", "Please enter a valid email address.", id="e-mail"),
        pytest.param({"type": "url_text_input"}, "x", "Please enter a valid URL.", id="URL"),
        pytest.param({"type": "url_text_input"}, "https://x", None, id="good"),
    ],
)
def test_what_slacks_client_refuses(element: Json, value: str, sentence: str | None) -> None:
    block = {"type": "input", "block_id": "b", "label": plain("L"), "element": element | {"action_id": "x"}}
    state = {"b": {"x": forms.choose(block["element"], value)}}  # type: ignore[arg-type]
    assert forms.faults([block], state).get("b") == sentence


def test_what_was_entered_stays_where_the_ids_do() -> None:
    entered = {"b": {"x": forms.choose(BOXES, ["a"])}}
    same = [{"type": "actions", "block_id": "b", "elements": [BOXES]}]
    other = [{"type": "actions", "block_id": "c", "elements": [BOXES]}]
    assert forms.kept(entered, same) == entered
    assert forms.kept(entered, other) == {}
