"""One Web API call as a handler sees it: arguments with Slack's leniency, the caller, the scopes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localslack.errors import SlackError, invalid_arguments
from localslack.install import Install
from localslack.interactivity import Interactivity
from localslack.records import Channel, Json, Message, User
from localslack.world import World

_WHOLE = re.compile(r"-?\d{1,18}")
_OWN_LIMIT = ("conversations.list", "conversations.members", "users.conversations")
"""Methods that document an error of their own for a limit that is none."""

_PREFIX = {"channel": "channels:", "group": "groups:", "im": "im:", "mpim": "mpim:"}


@dataclass(frozen=True)
class Method:
    """A row of the METHODS table. `scopes`: any one of them; `tier` as in rate_limits.py; `holder` of the token.

    Holders: bot, app (the app-level token), user (a person's token, which nobody has here), anyone (no token).
    `required`: arguments that may not be missing (SR-TOK-07).
    """

    handler: Callable[[Request], Json]
    scopes: tuple[str, ...]
    tier: int
    holder: str = "bot"
    required: tuple[str, ...] = ()


@dataclass
class Request:
    interactivity: Interactivity
    name: str
    args: Json
    caller: User
    method: Method
    granted: frozenset[str]
    install: Install
    token: str = ""

    @property
    def world(self) -> World:
        return self.interactivity.world

    # --- arguments ---------------------------------------------------------------------------------------------

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers and flags of a JSON body are taken as written. Raises SlackError (SR-TOK-14)."""
        value = self.args.get(name)
        if isinstance(value, (dict, list)):
            raise invalid_arguments(f"must provide a string [json-pointer:/{name}]")
        return default if value is None else str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.args.get(name)
        if value is None or value == "":
            return default
        if isinstance(value, bool):
            return value
        return str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 0 on, `most` where it is more; `default` where it is 0 or not given (SR-LST-04)."""
        value = self.args.get(name)
        if value in (None, ""):
            return default
        number = int(str(value)) if _WHOLE.fullmatch(str(value)) else -1
        if number < 0:
            if name == "limit" and self.name in _OWN_LIMIT:
                raise SlackError("invalid_limit")
            raise invalid_arguments(f"must be a whole number of 0 or more [json-pointer:/{name}]")
        return min(number, most) or default

    def names(self, name: str) -> list[str]:
        """A list, or a comma-separated string."""
        value = self.args.get(name)
        if isinstance(value, list):
            return [str(each) for each in value]
        return [each.strip() for each in str(value or "").split(",") if each.strip()]

    def json(self, name: str, error: str) -> Any:
        """A JSON argument: already parsed in a JSON body, a string in a form. None where it is missing."""
        value = self.args.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                raise SlackError(error) from None
        return value

    # --- things of the workspace -------------------------------------------------------------------------------

    def need_scope(self, kind: str) -> None:
        """SR-TOK-05: where the scope depends on the kind of conversation, the one for this kind must be granted."""
        wanted = tuple(scope for scope in self.method.scopes if scope.startswith(_PREFIX[kind]))
        by_kind = any(scope.startswith(tuple(_PREFIX.values())) for scope in self.method.scopes)
        if by_kind and not wanted:
            raise SlackError("method_not_supported_for_channel_type")  # SR-CHN-21
        if by_kind and not self.granted & set(wanted):
            raise SlackError(
                "missing_scope", needed=",".join(wanted or self.method.scopes), provided=",".join(sorted(self.granted))
            )

    def channel(self, name: str = "channel", *, member: bool = False, live: bool = False) -> Channel:
        """The conversation with this id, if the caller may know of it (SR-CHN-16).

        `live`: it is not archived; `member`: the caller is in it.
        """
        channel = self.world.channels.get(self.text(name))
        if channel is None or not self.world.visible(channel, self.caller):
            raise SlackError("channel_not_found")
        self.need_scope(channel.kind)
        if live and channel.is_archived:
            raise SlackError("is_archived")
        if member and self.caller.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str = "ts", error: str = "message_not_found") -> Message:
        message = self.world.message(channel, self.text(name))
        if message is None or message.ephemeral:
            raise SlackError(error)
        return message

    def page(self, rows: list[Any], default: int, most: int) -> tuple[list[Any], str]:
        """One page of `rows` by `cursor` and `limit` (SR-LST-01): (rows, next cursor, empty at the end)."""
        limit = self.number("limit", default, most)
        start = self.interactivity.read_cursor(self.text("cursor"), self.name)
        rest = start + limit
        return rows[start:rest], self.interactivity.write_cursor(self.name, rest) if rest < len(rows) else ""
