"""The page's "Try this": lines that tick themselves off when the journal shows that they were done.

The file: {"title": …, "lines": [{"text": …, "when": {"kind": "command|action|submit|event|call|clock|shortcut",
"name": regex, "text": regex}}]}. A line that may be done in several ways names several kinds, parted by |. In a text,
`this` goes into the composer at a click, and [this](as:ben) opens a tab as that person. The local Slack knows only this
matcher, nothing of what the lines are about.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from localslack import plain_text
from localslack.journal import Call
from localslack.records import Json

_DELIVERIES = {
    "slash_commands": "command",
    "block_actions": "action",
    "view_submission": "submit",
    "shortcut": "shortcut",
    "message_action": "shortcut",
}


@dataclass
class Line:
    text: str
    when: Json
    done: bool = False


@dataclass
class Tour:
    """The tour and which of its lines are done."""

    title: str
    lines: list[Line]

    @classmethod
    def load(cls, path: Path) -> Tour:
        """Read the file. Raises ValueError (bad JSON, a bad regular expression) with the line's text."""
        data = json.loads(path.read_text("utf-8"))
        lines = [Line(each["text"], each.get("when") or {}) for each in data["lines"]]
        for line in lines:
            for key in ("name", "text"):
                try:
                    re.compile(line.when.get(key) or "")
                except re.error as error:
                    raise ValueError(f"{line.text}: {error}") from None
        return cls(data.get("title") or "Try this", lines)

    def hear(self, call: Call) -> bool:
        """Whether this call ticked a line off."""
        return call.outcome == "ok" and not _sent_back(call) and self._tick(*_told(call))

    def hear_clock(self, seconds: float) -> bool:
        return self._tick("clock", "advance", str(seconds))

    def _tick(self, kind: str, name: str, text: str) -> bool:
        changed = False
        for line in self.lines:
            if not line.done and _fits(line.when, kind, name, text):
                line.done = changed = True
        return changed

    def shown(self) -> Json:
        return {"title": self.title, "lines": [{"text": line.text, "done": line.done} for line in self.lines]}


def _sent_back(call: Call) -> bool:
    """Whether a form was answered with errors, so that it stays open."""
    body = call.answer.get("body")
    return isinstance(body, dict) and body.get("response_action") == "errors"


def _fits(when: Json, kind: str, name: str, text: str) -> bool:
    return (
        kind in str(when.get("kind")).split("|")
        and re.search(when.get("name") or "", name) is not None
        and re.search(when.get("text") or "", text) is not None
    )


def _told(call: Call) -> tuple[str, str, str]:
    """A call as (kind, name, text): what the matcher looks at."""
    if not call.method.startswith("delivery:"):
        return "call", call.method, plain_text.visible(str(call.args.get("text") or ""), _list(call.args.get("blocks")))
    what = call.method.removeprefix("delivery:")
    if what.startswith("event:"):
        event = call.args.get("event") or {}
        return "event", str(event.get("type")), str(event.get("text") or event.get("reaction") or "")
    if what == "slash_commands":
        return "command", str(call.args.get("command")), str(call.args.get("text") or "")
    if what == "block_actions":
        action = (call.args.get("actions") or [{}])[0]
        text = plain_text.label_of(action) or json.dumps(
            action.get("selected_options") or action.get("selected_option") or ""
        )
        return "action", str(action.get("action_id")), text
    if what == "view_submission":
        view = call.args.get("view") or {}
        return "submit", str(view.get("callback_id")), plain_text.label_of({"text": view.get("title")})
    return _DELIVERIES.get(what, what), str(call.args.get("callback_id") or ""), ""


def _list(value: object) -> list[Json]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return value if isinstance(value, list) else []
