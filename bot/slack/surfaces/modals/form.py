"""What all forms share: what they remember, and how an incident's form is headed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.domain.incident import Incident, StepState
from bot.domain.runbook import runbook_ref
from bot.slack.surfaces import block_kit

ModalView = dict[str, Any]

#: the action id of every question's element
VALUE_ACTION_ID = "value"


def private_metadata(**keys: Any) -> str:
    """A form's private_metadata. A response_url too long for it is left out: the answer then comes directly."""
    said = block_kit.encode_value(**keys)
    if len(said) > block_kit.MAX_PRIVATE_METADATA_CHARS and "u" in keys:
        said = block_kit.encode_value(**{name: value for name, value in keys.items() if name != "u"})
    return said[: block_kit.MAX_PRIVATE_METADATA_CHARS]


def incident_modal(
    name: str, title: str, blocks: Iterable[block_kit.Block], incident: Incident, *, submit: str, close: str = "Cancel",
    response_url: str = "", **keys: Any,
) -> ModalView:  # fmt: skip
    """A form about an incident, which remembers it and `keys`."""
    metadata = private_metadata(i=incident.id, u=response_url, **keys)
    return block_kit.modal(name, title, blocks, metadata=metadata, submit=submit, close=close)


def step_metadata(slug: str, step: str, state: StepState) -> Mapping[str, Any]:
    """What a form about a step remembers."""
    return {"r": runbook_ref(slug), "s": step, "v": state.version}


def text_question(
    id: str, label: str, initial: str = "", *, multiline: bool = False, max_length: int = block_kit.MAX_INPUT_CHARS,
    hint: str = "", optional: bool = False, placeholder: str = "",
) -> block_kit.Block:  # fmt: skip
    """A question answered by typing."""
    element = block_kit.plain_text_input(
        VALUE_ACTION_ID, initial, multiline=multiline, max_length=max_length, placeholder=placeholder
    )
    return block_kit.input_block(id, label, element, hint=hint, optional=optional)
