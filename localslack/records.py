"""What the workspace holds: people, groups, channels, messages, views, files. Records that can be read, no more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from localslack import plain_text

Json = dict[str, Any]


@dataclass
class User:
    """A person, or a bot's user. `handle` is what people type after an @."""

    id: str
    handle: str
    real_name: str
    tz: str = "Etc/UTC"
    tz_label: str = "Coordinated Universal Time"
    tz_offset: int = 0
    color: str = "4d5e26"
    is_bot: bool = False
    is_guest: bool = False
    is_admin: bool = False
    deleted: bool = False
    email: str = ""
    title: str = ""
    bot_id: str | None = None
    app_id: str | None = None

    @property
    def first_name(self) -> str:
        return self.real_name.split(" ")[0]


@dataclass
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str]
    updated: int = 1700000000
    #: when it was disabled; 0: it is in use
    deleted: int = 0


@dataclass
class Message:
    """One message as the workspace holds it. `only_for` is set for an ephemeral one."""

    ts: str
    channel: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    only_for: str | None = None
    deleted: bool = False
    files: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)
    reply_users: list[str] = field(default_factory=list)
    client_msg_id: str | None = None
    extra: Json = field(default_factory=dict)

    @property
    def ephemeral(self) -> bool:
        return self.only_for is not None

    @property
    def plain(self) -> str:
        """All words that a reader sees, joined by line feeds."""
        return plain_text.visible(self.text, self.blocks, self.attachments)

    @property
    def labels(self) -> list[str]:
        """The texts of the message's buttons, in reading order."""
        return plain_text.button_labels(self.blocks)


@dataclass
class Bookmark:
    id: str
    channel: str
    title: str
    link: str
    emoji: str = ""
    type: str = "link"
    created: int = 0
    updated: int = 0

    def shown(self) -> Json:
        return {
            "id": self.id,
            "channel_id": self.channel,
            "title": self.title,
            "link": self.link,
            "emoji": self.emoji,
            "icon_url": None,
            "type": self.type,
            "entity_id": None,
            "date_created": self.created,
            "date_updated": self.updated,
            "rank": "U",
            "last_updated_by_user_id": "",
            "last_updated_by_team_id": "",
            "shortcut_id": None,
            "app_id": None,
        }


@dataclass
class Pin:
    ts: str
    by: str
    created: int


@dataclass
class Channel:
    """A channel, private channel or direct message. `by_ts` holds every message, ephemeral and deleted ones too."""

    id: str
    name: str
    creator: str
    created: int
    is_private: bool = False
    is_im: bool = False
    is_mpim: bool = False
    is_general: bool = False
    is_archived: bool = False
    members: list[str] = field(default_factory=list)
    topic: str = ""
    topic_by: str = ""
    topic_at: int = 0
    purpose: str = ""
    purpose_by: str = ""
    purpose_at: int = 0
    previous_names: list[str] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    bookmarks: list[Bookmark] = field(default_factory=list)
    by_ts: dict[str, Message] = field(default_factory=dict)
    last_read: dict[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[Message]:
        """What all members see, thread replies included, oldest first."""
        return [message for message in self.by_ts.values() if not message.deleted and not message.ephemeral]

    @property
    def kind(self) -> str:
        """Slack's `channel_type`."""
        if self.is_im:
            return "im"
        if self.is_mpim:
            return "mpim"
        return "group" if self.is_private else "channel"


@dataclass
class View:
    """An open modal or a Home tab of one person. `state` is what that person has entered so far."""

    id: str
    user: str
    body: Json
    hash: str
    root: str
    previous: str | None = None
    state: dict[str, dict[str, Json]] = field(default_factory=dict)
    response_url: str | None = None

    @property
    def external_id(self) -> str:
        return str(self.body.get("external_id") or "")


@dataclass
class File:
    id: str
    name: str
    title: str
    size: int
    user: str
    created: int
    mimetype: str = "application/octet-stream"
    content: bytes | None = None
    completed: bool = False
    shares: dict[str, list[Json]] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    ims: list[str] = field(default_factory=list)
