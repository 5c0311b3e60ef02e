"""The Web API: every method that this workspace knows, one literal table per room."""

from __future__ import annotations

from localslack.methods import canvases, chat, conversations, files, marks, people, reading, scheduling, session, views
from localslack.methods.request import Method, Request

__all__ = ["METHODS", "Method", "Request"]

METHODS: dict[str, Method] = {
    **session.METHODS,
    **chat.METHODS,
    **scheduling.METHODS,
    **conversations.METHODS,
    **reading.METHODS,
    **people.METHODS,
    **marks.METHODS,
    **views.METHODS,
    **files.METHODS,
    **canvases.METHODS,
}
"""Method name -> handler, scopes (any one of them), tier, kind of token."""
