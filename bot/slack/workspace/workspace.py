"""One workspace that the bot serves, and everything that is its alone."""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Installation
from bot.reconciler import WorkspaceContext
from bot.slack.outbound.room import SlackRoom
from bot.slack.workspace.directory import Directory
from bot.slack.workspace.services import Services


@dataclass(frozen=True)
class InstalledWorkspace:
    """Made anew when the bot is installed there anew. `installation` None: the one of SLACK_BOT_TOKEN."""

    team: str
    client: AsyncWebClient
    directory: Directory
    room: SlackRoom
    services: Services
    context: WorkspaceContext
    installation: Installation | None = None
