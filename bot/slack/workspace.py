"""One workspace that the bot serves, and everything that is its alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.caretaker import Ground
from bot.ports import Installation, Publisher
from bot.slack.desk import Desk
from bot.slack.directory import Directory
from bot.slack.room import SlackRoom


@dataclass(frozen=True)
class Workspace:
    """Made anew when the bot is installed there anew. `installation` None: the one of SLACK_BOT_TOKEN."""

    team: str
    client: AsyncWebClient
    directory: Directory
    room: SlackRoom
    publishers: Mapping[str, Publisher]
    desk: Desk
    ground: Ground
    installation: Installation | None = None
