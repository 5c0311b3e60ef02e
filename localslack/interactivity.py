"""Interactivity: triggers, response URLs, and what else is handed out for later use. Lives by the workspace's clock."""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from localslack.errors import SlackError
from localslack.world import World

TRIGGER_SECONDS = 3.0  # SR-INT-02
RESPONSE_SECONDS = 30 * 60.0  # SR-INT-04
MAX_RESPONSE_URL_USES = 5  # SR-INT-03
CLEANUP_AFTER_COUNT = 1_000
"""Triggers or response URLs from which on the expired ones are cleared away."""


@dataclass
class Trigger:
    user: str
    until: float
    view: str | None
    used: bool = False


@dataclass
class ResponseUrl:
    """Where a program may answer what a person did. `message` is the ts of the message that was acted on, if any."""

    user: str
    channel: str
    until: float
    message: str | None = None
    thread_ts: str | None = None
    used: int = 0


@dataclass
class Scheduled:
    """A message for later (chat.scheduleMessage). `posts`: whether it will be posted at all (SR-SCH-05)."""

    id: str
    channel: str
    post_at: int
    created: int
    text: str
    posts: bool = True


@dataclass
class Canvas:
    """A document: its sections, each with an id; `channel` where it is that channel's tab."""

    id: str
    title: str
    channel: str | None
    sections: list[tuple[str, str]]


@dataclass
class Interactivity:
    """The handed-out things of one workspace (docs: handling user interaction)."""

    world: World
    triggers: dict[str, Trigger] = field(default_factory=dict)
    responses: dict[str, ResponseUrl] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)
    deleted_files: set[str] = field(default_factory=set)
    scheduled: dict[str, Scheduled] = field(default_factory=dict)
    canvases: dict[str, Canvas] = field(default_factory=dict)
    event_contexts: dict[str, str] = field(default_factory=dict)
    new_socket_url: Callable[[], str] | None = None
    spawn: Callable[[Coroutine[Any, Any, None]], None] | None = None
    _crowded: int = CLEANUP_AFTER_COUNT
    _many_urls: int = CLEANUP_AFTER_COUNT

    def new_trigger(self, user: str, view: str | None = None) -> str:
        now = self.world.clock.now()
        if len(self.triggers) >= self._crowded:
            # Old ones are remembered for an hour, so that they are called expired and not unknown.
            self.triggers = {key: each for key, each in self.triggers.items() if each.until > now - 3600}
            self._crowded = 2 * len(self.triggers) + CLEANUP_AFTER_COUNT
        trigger_id = f"{self.world.seconds()}.{self.world.team_id[1:]}.{self.world.hex(32)}"
        self.triggers[trigger_id] = Trigger(user, now + TRIGGER_SECONDS, view)
        return trigger_id

    def use_trigger(self, trigger_id: str) -> Trigger:
        """Take a trigger, once (SR-INT-01). Raises SlackError invalid_, exchanged_ or expired_trigger_id."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self.world.clock.now() > trigger.until:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def new_response_url(
        self, user: str, channel: str, message: str | None = None, thread_ts: str | None = None, kind: str = "actions"
    ) -> str:
        now = self.world.clock.now()
        if len(self.responses) >= self._many_urls:
            self.responses = {key: each for key, each in self.responses.items() if each.until > now}
            self._many_urls = 2 * len(self.responses) + CLEANUP_AFTER_COUNT
        key = self.world.hex(32)
        self.responses[key] = ResponseUrl(user, channel, now + RESPONSE_SECONDS, message, thread_ts)
        return f"{self.world.url}/{kind}/{self.world.team_id}/{key}"

    def use_response_url(self, key: str) -> ResponseUrl:
        """Take one use. Raises SlackError expired_url or used_url."""
        response = self.responses.get(key)
        if response is None or self.world.clock.now() > response.until:
            raise SlackError("expired_url")
        if response.used >= MAX_RESPONSE_URL_USES:
            raise SlackError("used_url")
        response.used += 1
        return response

    def write_cursor(self, method: str, start: int) -> str:
        return base64.urlsafe_b64encode(f"{method}:{start}".encode()).decode()

    def read_cursor(self, cursor: str, method: str) -> int:
        """The row to start from. Raises SlackError invalid_cursor (SR-LST-02, SR-LST-03)."""
        if not cursor:
            return 0
        try:
            name, _, start = base64.urlsafe_b64decode(cursor.encode()).decode().rpartition(":")
            if name == method:
                return int(start)
        except ValueError:
            pass
        raise SlackError("invalid_cursor")
