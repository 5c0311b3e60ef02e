"""One workspace that the bot serves, and everything that is its alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Installation, Publisher
from bot.reconciler import Ground
from bot.slack.outbound.room import SlackRoom
from bot.slack.workspace.directory import Directory
from bot.slack.workspace.services import Desk


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
