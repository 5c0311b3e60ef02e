"""What the workspace says no with."""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """A Web API call answered `ok: false`; `code` is Slack's error string, `more` goes into the body beside it."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


def invalid_arguments(*problems: str) -> SlackError:
    """The call is refused, and told what is wrong with its arguments (SR-TOK-07)."""
    messages = [f"[ERROR] {each}" for each in problems]
    return SlackError("invalid_arguments", response_metadata={"messages": messages})


class NotPossible(Exception):
    """A person tried what Slack's own clients do not offer, for example a click on a button that is not there."""
