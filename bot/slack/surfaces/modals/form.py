"""What all forms share: what they remember, and how an incident's form is headed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.domain.incident import Incident, StepState
from bot.slack.surfaces import block_kit

View = dict[str, Any]

#: the action id of every question's element
VALUE = "value"


def remembered(**keys: Any) -> str:
    """A form's private_metadata. A response_url too long for it is left out: the answer then comes directly."""
    said = block_kit.value(**keys)
    if len(said) > block_kit.METADATA and "u" in keys:
        said = block_kit.value(**{name: value for name, value in keys.items() if name != "u"})
    return said[: block_kit.METADATA]


def form(
    what: str, title: str, blocks: Iterable[block_kit.Block], incident: Incident, *, submit: str, close: str = "Cancel",
    response_url: str = "", **keys: Any,
) -> View:  # fmt: skip
    """A form about an incident, which remembers it and `keys`."""
    metadata = remembered(i=incident.id, u=response_url, **keys)
    return block_kit.modal(what, title, blocks, metadata=metadata, submit=submit, close=close)


def step_keys(slug: str, step: str, state: StepState) -> Mapping[str, Any]:
    """What a form about a step remembers."""
    return {"r": block_kit.ref(slug), "s": step, "v": state.version}


def ask_text(
    id: str, label: str, initial: str = "", *, lines: bool = False, most: int = block_kit.INPUT, hint: str = "",
    optional: bool = False, placeholder: str = "",
) -> block_kit.Block:  # fmt: skip
    """A question answered by typing."""
    element = block_kit.text_input(VALUE, initial, lines=lines, most=most, placeholder=placeholder)
    return block_kit.field(id, label, element, hint=hint, optional=optional)
