"""A message as the house sees it: what it says, where it stands, and what has to be done before it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal


@dataclass(frozen=True)
class MessageTarget:
    """Where a message stands. `user` for a person's direct messages; `parent`: the key of the message it answers."""

    kind: Literal["channel", "announcements", "customers", "person"]
    user: str = ""
    parent: str = ""


#: the incident's own channel, top level
CHANNEL = MessageTarget("channel")


@dataclass(frozen=True)
class DesiredMessage:
    """One message that should stand in Slack, named by `key` for the whole life of its incident.

    `text` is the sentence for notifications and screen readers, in Slack's mrkdwn, at most 3900 characters
    (chat.update takes 4000: https://docs.slack.dev/reference/methods/chat.update).
    """

    key: str
    target: MessageTarget
    text: str
    blocks: tuple[dict[str, Any], ...]
    #: keys that have to be done first: of other messages, or "invites" (everybody wanted is in, or was refused)
    after: tuple[str, ...] = ()
    pin: bool = False
    #: to be deleted where it was sent, and never sent otherwise
    delete: bool = False
    #: False: where it was never sent, it is not sent any more; where it was, it is kept up to date
    send_if_new: bool = True

    @cached_property
    def hash(self) -> str:
        """Names what the message shows: SHA-256, in hex, of its text and blocks."""
        shown = json.dumps([self.text, self.blocks], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(shown.encode()).hexdigest()
