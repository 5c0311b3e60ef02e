"""The Block Kit validator: what Slack refuses is refused, with a pointer to the place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localslack import blocks as kit
from localslack.tests.shop import Json, button, card, mrkdwn, option, order_form, plain, section

SELECT: Json = {"type": "static_select", "action_id": "s", "options": [option("A", "a")]}
BOXES: Json = {"type": "checkboxes", "action_id": "c", "options": [option("A", "a")]}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def asking(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain("L"), "element": element, **more}


TEXT = {"type": "plain_text_input", "action_id": "t"}


@pytest.mark.parametrize(
    ("blocks", "surface"),
    [
        pytest.param(card("green"), "message", id="a card"),
        pytest.param(order_form()["blocks"], "modal", id="a form"),
        pytest.param([section("x", accessory=BOXES | {"initial_options": [option("A", "a")]})], "message", id="ticked"),
        pytest.param(
            [section("x", accessory=SELECT | {"initial_option": {"text": plain("A") | {"emoji": True}, "value": "a"}})],
            "message",
            id="an initial option that Slack has completed with emoji",
        ),
        pytest.param([{"type": "divider"}, {"type": "context", "elements": [mrkdwn("x")]}], "home", id="small things"),
        pytest.param([{"type": "markdown", "text": "# T"}], "message", id="markdown"),
        pytest.param([{"type": "alert", "text": mrkdwn("!"), "level": "error"}], "modal", id="alert in a modal"),
        pytest.param([section("x" * 3000)], "message", id="3000 characters"),
        pytest.param([{"type": "divider"}] * 50, "message", id="50 blocks"),
        pytest.param([{"type": "divider"}] * 100, "modal", id="100 blocks in a modal"),
    ],
)
def test_what_slack_takes(blocks: list[Json], surface: str) -> None:
    assert kit.problems(blocks, surface) == []


@pytest.mark.parametrize(
    ("blocks", "surface", "problem"),
    [
        pytest.param(
            [{"type": "sektion"}], "message", "unsupported type: sektion [json-pointer:/blocks/0/type]", id="type"
        ),
        pytest.param(["x"], "message", "unsupported type: None [json-pointer:/blocks/0/type]", id="not an object"),
        pytest.param("x", "message", "must provide an array [json-pointer:/blocks]", id="not a list"),
        pytest.param(
            [section("")], "message", "must be more than 0 characters [json-pointer:/blocks/0/text/text]", id="empty"
        ),
        pytest.param(
            [section("x" * 3001)],
            "message",
            "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
            id="long",
        ),
        pytest.param(
            [{"type": "section"}],
            "message",
            "must define either `text` or `fields` [json-pointer:/blocks/0/type]",
            id="bare section",
        ),
        pytest.param(
            [{"type": "header", "text": mrkdwn("x")}],
            "message",
            "must be one of: plain_text [json-pointer:/blocks/0/text/type]",
            id="mrkdwn header",
        ),
        pytest.param(
            [{"type": "header", "text": plain("x" * 151)}],
            "message",
            "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
            id="long header",
        ),
        pytest.param(
            [section("x") | {"text": mrkdwn("x") | {"emoji": True}}],
            "message",
            "invalid additional property: emoji [json-pointer:/blocks/0/text]",
            id="emoji in mrkdwn",
        ),
        pytest.param(
            [section("x") | {"colour": 1}],
            "message",
            "invalid additional property: colour [json-pointer:/blocks/0]",
            id="unknown key",
        ),
        pytest.param(
            [{"type": "divider"}] * 51,
            "message",
            "no more than 50 items allowed [json-pointer:/blocks]",
            id="51 blocks",
        ),
        pytest.param(
            [{"type": "context", "elements": [mrkdwn("x")] * 11}],
            "message",
            "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
            id="11 in a context",
        ),
        pytest.param(
            [actions(*[button("x", f"a{i}") for i in range(26)])],
            "message",
            "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
            id="26 buttons",
        ),
        pytest.param(
            [actions()], "message", "must provide at least 1 items [json-pointer:/blocks/0/elements]", id="no button"
        ),
        pytest.param(
            [actions(button("x" * 76, "a"))],
            "message",
            "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
            id="long label",
        ),
        pytest.param(
            [actions(button("x", "a", "v" * 2001))],
            "message",
            "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
            id="long value",
        ),
        pytest.param(
            [actions(button("x", "a") | {"style": "green"})],
            "message",
            "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
            id="style",
        ),
        pytest.param(
            [actions(TEXT)],
            "message",
            "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
            id="an input in actions",
        ),
        pytest.param(
            [section("x") | {"fields": [actions(button("x", "a"))]}],
            "message",
            "missing required field: text [json-pointer:/blocks/0/fields/0]",
            id="a button in fields",
        ),
        pytest.param(
            [section("x", accessory=BOXES | {"options": [option("A", str(i)) for i in range(11)]})],
            "message",
            "no more than 10 items allowed [json-pointer:/blocks/0/accessory/options]",
            id="11 checkboxes",
        ),
        pytest.param(
            [section("x", accessory=BOXES | {"options": [option("x" * 76, "a")]})],
            "message",
            "must be less than 76 characters [json-pointer:/blocks/0/accessory/options/0/text/text]",
            id="long option",
        ),
        pytest.param(
            [section("x", accessory=BOXES | {"initial_options": []})],
            "message",
            "must provide at least 1 items [json-pointer:/blocks/0/accessory/initial_options]",
            id="empty initial options",
        ),
        pytest.param(
            [section("x", accessory=BOXES | {"initial_options": [option("B", "a")]})],
            "message",
            "must match one of the provided options [json-pointer:/blocks/0/accessory/initial_options/0]",
            id="initial option differs",
        ),
        pytest.param(
            [section("x", accessory={"type": "static_select", "action_id": "s"})],
            "message",
            "must provide exactly one of: options, option_groups [json-pointer:/blocks/0/accessory]",
            id="select without options",
        ),
        pytest.param(
            [section("x", accessory=SELECT | {"options": [option("A", "a") | {"url": ""}]})],
            "message",
            "invalid additional property: url [json-pointer:/blocks/0/accessory/options/0]",
            id="url in an option",
        ),
        pytest.param(
            [asking(button("x", "a"))],
            "modal",
            "unsupported type: button [json-pointer:/blocks/0/element/type]",
            id="a button as input",
        ),
        pytest.param(
            [{"type": "input", "element": TEXT}],
            "modal",
            "missing required field: label [json-pointer:/blocks/0]",
            id="no label",
        ),
        pytest.param(
            [section("x", "same"), section("y", "same")],
            "message",
            '`block_id` "same" already exists [json-pointer:/blocks/1/block_id]',
            id="block_id twice",
        ),
        pytest.param(
            [actions(button("x", "a"), button("y", "a"))],
            "message",
            '`action_id` "a" already exists [json-pointer:/blocks/0/elements/1/action_id]',
            id="action_id twice",
        ),
        pytest.param(
            [{"type": "alert", "text": mrkdwn("x")}],
            "message",
            "unsupported type: alert [json-pointer:/blocks/0/type]",
            id="alert in a message",
        ),
        pytest.param(
            [{"type": "markdown", "text": "x"}],
            "modal",
            "unsupported type: markdown [json-pointer:/blocks/0/type]",
            id="markdown in a modal",
        ),
        pytest.param(
            [{"type": "table", "rows": [[{}]]}],
            "modal",
            "unsupported type: table [json-pointer:/blocks/0/type]",
            id="table in a modal",
        ),
        pytest.param(
            [section("x" * 3000)] * 5, "message", "blocks are too long [json-pointer:/blocks]", id="too long in all"
        ),
    ],
)
def test_what_slack_refuses(blocks: Any, surface: str, problem: str) -> None:
    assert problem in kit.problems(blocks, surface)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(
            {"title": plain("x" * 25)}, "must be less than 25 characters [json-pointer:/view/title/text]", id="title"
        ),
        pytest.param(
            {"submit": None},
            "must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/0/input]",
            id="inputs need a submit",
        ),
        pytest.param(
            {"private_metadata": "x" * 3001},
            "must be less than 3001 characters [json-pointer:/view/private_metadata]",
            id="metadata",
        ),
        pytest.param({"type": "home"}, "unsupported type: home [json-pointer:/view/type]", id="a home as modal"),
        pytest.param(
            {"blocks": [{"type": "x"}]}, "unsupported type: x [json-pointer:/view/blocks/0/type]", id="blocks"
        ),
        pytest.param({"colour": "red"}, "invalid additional property: colour [json-pointer:/view]", id="unknown key"),
    ],
)
def test_views(change: Json, problem: str) -> None:
    assert problem in kit.view_problems(order_form(**change), "modal")


def test_a_form_that_slack_takes() -> None:
    assert kit.view_problems(order_form(), "modal") == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "text",
                    "elements",
                    "accessory",
                    "options",
                    "element",
                    "fields",
                    "rows",
                    "child_blocks",
                    "title",
                    "initial_option",
                    "initial_options",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from([*kit.BLOCKS, *kit.ELEMENTS])


@given(
    blocks=st.lists(
        JSON
        | st.builds(
            lambda body, kind: {**body, "type": kind},
            st.dictionaries(
                st.sampled_from(["text", "elements", "accessory", "element", "rows", "child_blocks", "fields"]), JSON
            ),
            KINDS,
        ),
        max_size=4,
    ),
    surface=st.sampled_from(list(kit.SURFACES)),
)
def test_no_input_breaks_the_validator(blocks: list[Any], surface: str) -> None:
    kit.problems(blocks, surface)
    kit.view_problems({"type": "modal", "blocks": blocks}, None)
