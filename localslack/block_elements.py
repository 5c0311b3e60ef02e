"""Block Kit's elements and composition objects: for each type its required keys and a check for each allowed key.

Numbers: docs.slack.dev, reference/block-kit/block-elements and /composition-objects; docs/slack-rules.md, SR-ELM.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from localslack.block_checks import (
    Check,
    Json,
    Out,
    anything,
    flag,
    list_of,
    matching,
    one_of,
    record,
    say,
    string,
    text_object,
    whole,
)

TYPE = string()
ID = string(255)  # SR-BLK-03, SR-BLK-05
_PLACEHOLDER = text_object(150)  # SR-ELM-14
_TIME = matching(re.compile(r"([01]\d|2[0-3]):[0-5]\d"), "a time in the format HH:mm")  # SR-ELM-22
_EPOCH = whole(1_000_000_000, 9_999_999_999)  # SR-ELM-23: ten digits
_LABEL = string(75)  # SR-ELM-28


def _date(value: Any, path: Any, out: Out) -> None:
    """SR-ELM-21: a day that the calendar has."""
    try:
        right = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        right = False
    if not right:
        say(out, path, "must be a date in the format YYYY-MM-DD")


# SR-ELM-17
_CONFIRM = record(
    ("title", "text", "confirm", "deny"),
    {
        "title": text_object(100),
        "text": text_object(300, True),
        "confirm": text_object(30),
        "deny": text_object(30),
        "style": one_of("primary", "danger"),
    },
)


def _option(mrkdwn: bool, url: bool = False) -> Check:
    """SR-ELM-11, SR-ELM-12, SR-ELM-13; a url only in an overflow menu (SR-ELM-25)."""
    keys: dict[str, Check] = {
        "text": text_object(75, mrkdwn),
        "value": string(150),
        "description": text_object(75, mrkdwn),
    }
    if url:
        keys["url"] = string(3000)  # SR-ELM-25
    return record(("text", "value"), keys)


# SR-ELM-09
_GROUP = record(("label", "options"), {"label": text_object(75), "options": list_of(_option(False), 100)})


def _select(kind_keys: dict[str, Check], multi: bool = False) -> dict[str, Check]:
    keys: dict[str, Check] = {
        "type": TYPE,
        "action_id": ID,
        "placeholder": _PLACEHOLDER,
        "confirm": _CONFIRM,
        "focus_on_load": flag,
    }
    if multi:
        keys["max_selected_items"] = whole(1)  # SR-ELM-29
    return keys | kind_keys


def _static(multi: bool) -> Check:
    """SR-ELM-08, SR-ELM-09, SR-ELM-10."""
    inner: dict[str, Check] = {"options": list_of(_option(False), 100), "option_groups": list_of(_GROUP, 100)}
    inner["initial_options" if multi else "initial_option"] = list_of(anything) if multi else anything
    shape = record((), _select(inner, multi))

    def check(value: Any, path: Any, out: Out) -> None:
        shape(value, path, out)
        if bool(value.get("options")) == bool(value.get("option_groups")):
            say(out, path, "must provide exactly one of: options, option_groups")
        _initial_options(value, path, out)

    return check


def _offered(value: Json) -> list[Any]:
    options = list(value.get("options") or [])
    for group in value.get("option_groups") or []:
        if isinstance(group, dict):
            options.extend(group.get("options") or [])
    return options


def _initial_options(value: Json, path: Any, out: Out) -> None:
    """SR-ELM-15: initial options must equal an option exactly. That they are not empty, SR-ELM-16, is list_of's."""
    one, many = value.get("initial_option"), value.get("initial_options")
    offered = [_same(option) for option in _offered(value)] if one is not None or many else []
    if one is not None and _same(one) not in offered:
        say(out, (path, "initial_option"), "must match one of the provided options")
    for index, chosen in enumerate(many if isinstance(many, list) else []):
        if _same(chosen) not in offered:
            say(out, ((path, "initial_options"), index), "must match one of the provided options")


def _same(option: Any) -> Any:
    """An option without what Slack adds by itself (emoji, verbatim)."""
    if not isinstance(option, dict):
        return option
    return {
        key: {k: v for k, v in part.items() if k not in ("emoji", "verbatim")} if isinstance(part, dict) else part
        for key, part in option.items()
        if part is not None
    }


def _choices(initial: str) -> Check:
    """checkboxes and radio_buttons (SR-ELM-06)."""
    shape = record(
        ("options",),
        {
            "type": TYPE,
            "action_id": ID,
            "options": list_of(_option(True), 10),
            "confirm": _CONFIRM,
            "focus_on_load": flag,
            initial: list_of(anything) if initial.endswith("s") else anything,
        },
    )

    def check(value: Any, path: Any, out: Out) -> None:
        shape(value, path, out)
        _initial_options(value, path, out)

    return check


# SR-ELM-32
_DISPATCH = record(
    ("trigger_actions_on",),
    {"trigger_actions_on": list_of(one_of("on_enter_pressed", "on_character_entered"))},
)


def _input(keys: dict[str, Check], required: tuple[str, ...] = ()) -> Check:
    shared: dict[str, Check] = {
        "type": TYPE,
        "action_id": ID,
        "placeholder": _PLACEHOLDER,
        "focus_on_load": flag,
        "dispatch_action_config": _DISPATCH,
    }
    return record(required, shared | keys)


# SR-ELM-01 to SR-ELM-05, SR-ELM-24
BUTTON = record(
    ("text",),
    {
        "type": TYPE,
        "text": text_object(75),
        "action_id": ID,
        "url": string(3000),
        "value": string(2000, 0),
        "style": one_of("primary", "danger"),
        "confirm": _CONFIRM,
        "accessibility_label": _LABEL,
        "agent_prompt": string(4000),
    },
)
_SLACK_FILE = record((), {"id": string(), "url": string()})


def SLACK_FILE(value: Any, path: Any, out: Out) -> None:  # noqa: N802  (stands in the tables among the other checks)
    """SR-ELM-27: a file of Slack's is named once, by its id or its address."""
    _SLACK_FILE(value, path, out)
    if isinstance(value, dict) and ("id" in value) == ("url" in value):
        say(out, path, "must provide exactly one of: id, url")


_IMAGE = record(
    ("alt_text",),
    {"type": TYPE, "image_url": string(3000), "alt_text": string(2000), "slack_file": SLACK_FILE},
)


def one_picture(value: Any, path: Any, out: Out) -> None:
    """SR-ELM-27: an image comes from one place."""
    if isinstance(value, dict) and bool(value.get("image_url")) == bool(value.get("slack_file")):
        say(out, path, "must provide exactly one of: image_url, slack_file")


def IMAGE(value: Any, path: Any, out: Out) -> None:  # noqa: N802  (stands in the tables among the other checks)
    _IMAGE(value, path, out)
    one_picture(value, path, out)


_FEEDBACK = record(("text", "value"), {"text": text_object(75), "value": string(2000), "accessibility_label": _LABEL})
# SR-ELM-33
_CONVERSATION_FILTER = record(
    (),
    {
        "include": list_of(one_of("im", "mpim", "private", "public")),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    },
)


def _conversation_filter(value: Any, path: Any, out: Out) -> None:
    _CONVERSATION_FILTER(value, path, out)
    if value == {}:
        say(out, path, "must provide at least one of: include, exclude_external_shared_channels, exclude_bot_users")


_PARAMETER = record(("name", "value"), {"name": string(), "value": string(least=0)})
_TRIGGER = record(("url",), {"url": string(), "customizable_input_parameters": list_of(_PARAMETER, least=0)})
_FILTER = {"filter": _conversation_filter, "default_to_current_conversation": flag, "response_url_enabled": flag}
_initial = _option(False)


def _numeral(value: Any, path: Any, out: Out) -> None:
    """SR-ELM-35: a number, written as a string."""
    if not isinstance(value, str):
        say(out, path, "must provide a string")
    elif not re.fullmatch(r"-?\d+(\.\d+)?", value):
        say(out, path, "must be a number")


def _ordered(low: str, high: str, check: Check) -> Check:
    """`check`, and what stands under `low` is not more than what stands under `high` (SR-ELM-35)."""

    def ordered(value: Any, path: Any, out: Out) -> None:
        before = len(out)
        check(value, path, out)
        if len(out) == before and low in value and high in value and float(value[low]) > float(value[high]):
            say(out, (path, low), f"must not be more than {high}")

    return ordered


ELEMENTS: dict[str, Check] = {
    "button": BUTTON,
    "workflow_button": record(
        ("text", "workflow"),
        {
            "type": TYPE,
            "text": text_object(75),
            "workflow": record(("trigger",), {"trigger": _TRIGGER}),  # SR-ELM-34
            "style": one_of("primary", "danger"),
            "action_id": ID,
            "confirm": _CONFIRM,
            "accessibility_label": _LABEL,
        },
    ),
    "image": IMAGE,
    # SR-ELM-07
    "overflow": record(
        ("options",),
        {"type": TYPE, "action_id": ID, "options": list_of(_option(False, url=True), 5), "confirm": _CONFIRM},
    ),
    "checkboxes": _choices("initial_options"),
    "radio_buttons": _choices("initial_option"),
    "static_select": _static(multi=False),
    "multi_static_select": _static(multi=True),
    "external_select": record((), _select({"initial_option": _initial, "min_query_length": whole(0)})),
    "multi_external_select": record(
        (), _select({"initial_options": list_of(_initial), "min_query_length": whole(0)}, True)
    ),
    "users_select": record((), _select({"initial_user": string()})),
    "multi_users_select": record((), _select({"initial_users": list_of(string())}, True)),
    "conversations_select": record((), _select({"initial_conversation": string(), **_FILTER})),
    "multi_conversations_select": record((), _select({"initial_conversations": list_of(string()), **_FILTER}, True)),
    "channels_select": record((), _select({"initial_channel": string(), "response_url_enabled": flag})),
    "multi_channels_select": record((), _select({"initial_channels": list_of(string())}, True)),
    "datepicker": record((), _select({"initial_date": _date})),
    "timepicker": record((), _select({"initial_time": _TIME, "timezone": string()})),
    "datetimepicker": record(
        (), {"type": TYPE, "action_id": ID, "initial_date_time": _EPOCH, "confirm": _CONFIRM, "focus_on_load": flag}
    ),
    "plain_text_input": _ordered(
        "min_length",
        "max_length",
        # SR-ELM-18
        _input(
            {
                "initial_value": string(least=0),
                "multiline": flag,
                "min_length": whole(0, 3000),
                "max_length": whole(1, 3000),
            }
        ),
    ),
    # SR-ELM-36
    "rich_text_input": _input({"initial_value": anything, "min_lines": whole(1, 100), "max_lines": whole(1, 100)}),
    "email_text_input": _input({"initial_value": string(least=0)}),
    "url_text_input": _input({"initial_value": string(least=0)}),
    # SR-ELM-19
    "number_input": _ordered(
        "min_value",
        "max_value",
        _input(
            {
                "is_decimal_allowed": flag,
                "initial_value": _numeral,
                "min_value": _numeral,
                "max_value": _numeral,
            },
            ("is_decimal_allowed",),
        ),
    ),
    # SR-ELM-20
    "file_input": record(
        (), {"type": TYPE, "action_id": ID, "filetypes": list_of(string()), "max_files": whole(1, 10)}
    ),
    "feedback_buttons": record(
        ("positive_button", "negative_button"),
        {"type": TYPE, "action_id": ID, "positive_button": _FEEDBACK, "negative_button": _FEEDBACK},
    ),
    "icon_button": record(
        ("icon", "text"),
        {
            "type": TYPE,
            "action_id": ID,
            "icon": string(),
            "text": text_object(75),
            "value": string(2000),
            "confirm": _CONFIRM,
            "accessibility_label": _LABEL,
            "visible_to_user_ids": list_of(string(), 10),  # SR-ELM-37
        },
    ),
}

# SR-ELM-26: which elements stand where.
_SELECTS = frozenset(kind for kind in ELEMENTS if kind.endswith("_select"))
_PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker"})
_BOXES = frozenset({"checkboxes", "radio_buttons"})
IN_SECTION = _SELECTS | _BOXES | {"button", "image", "overflow", "datepicker", "timepicker", "workflow_button"}
IN_ACTIONS = _SELECTS | _BOXES | _PICKERS | {"button", "overflow", "workflow_button", "rich_text_input"}
IN_INPUT = (
    _SELECTS
    | _BOXES
    | _PICKERS
    | {
        "plain_text_input",
        "rich_text_input",
        "email_text_input",
        "url_text_input",
        "number_input",
        "file_input",
    }
)


def context_element(value: Any, path: Any, out: Out) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        IMAGE(value, path, out)
    else:
        text_object(3000, True)(value, path, out)
