"""Whether Slack would take a view."""

from __future__ import annotations

import json

from localslack import blocks as kit
from localslack.errors import SlackError, invalid_arguments
from localslack.records import Json


def checked(view: Json, kind: str | None) -> Json:
    """The view if Slack would take it (`kind`: modal, home, or None for either). Raises SlackError (SR-VIW-05)."""
    if len(json.dumps(view)) > kit.VIEW_BYTES:
        raise SlackError("view_too_large")
    problems = kit.view_problems(view, kind)
    if problems:
        raise invalid_arguments(*problems)
    return view
