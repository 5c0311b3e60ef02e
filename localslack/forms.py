"""Stateful elements of Block Kit: their initial state, how a person's choice looks in it, and what a form lacks.

Shapes are those of `view.state.values` (docs: surfaces/modals, "Interactions, view_submission payload").
"""

from __future__ import annotations

from typing import Any

from localslack import plain_text
from localslack.errors import NotPossible
from localslack.records import Json

State = dict[str, dict[str, Json]]

# element type -> (key in the state, key of the initial value in the element)
STATEFUL: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "channels_select": ("selected_channel", "initial_channel"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", "initial_files"),
}

_LISTS = {"selected_options", "selected_users", "selected_channels", "selected_conversations", "files"}


def initial(element: Json) -> Json:
    """The state of an untouched element."""
    kind = element["type"]
    key, start = STATEFUL[kind]
    value = element.get(start)
    if value is None:
        value = [] if key in _LISTS else None
    elif key == "value":
        value = str(value)
    state: Json = {"type": kind, key: value}
    if kind == "timepicker" and element.get("timezone"):
        state["timezone"] = element["timezone"]
    return state


def state_of(blocks: list[Json], entered: State) -> State:
    """The whole state of a surface: what was entered, and initial values for the rest."""
    state: State = {}
    for block, element in plain_text.elements(blocks):
        if element.get("type") in STATEFUL:
            block_id, action_id = block["block_id"], element["action_id"]
            have = entered.get(block_id, {}).get(action_id)
            state.setdefault(block_id, {})[action_id] = have if have is not None else initial(element)
    return state


def kept(entered: State, blocks: list[Json]) -> State:
    """What stays entered after the surface was replaced: elements with the same block_id, action_id and type."""
    state: State = {}
    for block, element in plain_text.elements(blocks):
        have = entered.get(block["block_id"], {}).get(element.get("action_id", ""))
        if have is not None and have.get("type") == element.get("type"):
            state.setdefault(block["block_id"], {})[element["action_id"]] = have
    return state


def options_of(element: Json) -> list[Json]:
    options = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        options.extend(group.get("options") or [])
    return options


def choose(element: Json, wanted: Any) -> Json:
    """The element's state after a person chose `wanted` (a value or label, an id, a list of these, or typed text).

    Raises NotPossible for an option that the element does not offer.
    """
    kind = element["type"]
    if isinstance(wanted, dict) and wanted.get("type") == kind:
        return wanted
    key, _ = STATEFUL[kind]
    state: Json = {"type": kind}
    if key == "selected_option":
        state[key] = None if wanted is None else _option(element, wanted)
    elif key == "selected_options":
        many = wanted if isinstance(wanted, (list, tuple, set)) else [] if wanted is None else [wanted]
        chosen = [_option(element, each) for each in many]
        if kind == "checkboxes":
            # Slack sends them in the order in which the element lists them.
            chosen = [option for option in options_of(element) if option in chosen]
        state[key] = chosen
    elif key in _LISTS:
        state[key] = list(wanted) if isinstance(wanted, (list, tuple, set)) else [wanted] if wanted else []
    elif kind == "rich_text_input" and isinstance(wanted, str):
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": wanted}]}
        state[key] = {"type": "rich_text", "elements": [section]}
    elif key == "value":
        # An input that was emptied reads None.
        state[key] = str(wanted) if wanted not in (None, "") else None
    else:
        state[key] = wanted
    if kind == "timepicker" and element.get("timezone"):
        state["timezone"] = element["timezone"]
    return state


def _option(element: Json, wanted: Any) -> Json:
    if isinstance(wanted, dict):
        wanted = wanted.get("value")
    options = options_of(element)
    for option in options:
        if option.get("value") == wanted:
            return option
    for option in options:
        if plain_text.label_of(option) == wanted:
            return option
    offered = ", ".join(repr(option.get("value")) for option in options)
    raise NotPossible(f"{element.get('action_id')} does not offer {wanted!r}, only {offered}")


def is_empty(state: Json) -> bool:
    key, _ = STATEFUL[state["type"]]
    value = state.get(key)
    if isinstance(value, str):
        return not value.strip()
    return not value and value != 0


def faults(blocks: list[Json], state: State) -> dict[str, str]:
    """What Slack's client refuses before the program hears of it: {block_id: sentence}."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        have = state.get(block["block_id"], {}).get(element["action_id"]) or initial(element)
        if is_empty(have):
            if not block.get("optional"):
                errors[block["block_id"]] = "Please complete this required field."
            continue
        problem = _problem(element, have)
        if problem:
            errors[block["block_id"]] = problem
    return errors


def _problem(element: Json, have: Json) -> str:
    key, _ = STATEFUL[element["type"]]
    value: Any = have.get(key)
    if element["type"] == "plain_text_input":
        least, most = element.get("min_length") or 0, element.get("max_length")
        if len(value) < least:
            return f"Please enter at least {least} characters."
        if most and len(value) > most:  # SR-ELM-18
            return f"Please enter no more than {most} characters."
    if element["type"] == "number_input":
        try:
            number = float(value)
        except (TypeError, ValueError):
            return "Please enter a number."
        if not element.get("is_decimal_allowed") and not number.is_integer():
            return "Please enter a whole number."
        low, high = element.get("min_value"), element.get("max_value")
        if (low is not None and number < float(low)) or (high is not None and number > float(high)):
            return "Please enter a number in the allowed range."
    if element["type"] == "email_text_input" and "@" not in str(value):
        return "Please enter a valid email address."
    if element["type"] == "url_text_input" and "://" not in str(value):
        return "Please enter a valid URL."
    if key in _LISTS and element.get("max_selected_items") and len(value) > element["max_selected_items"]:
        return f"Please select no more than {element['max_selected_items']} items."
    return ""
