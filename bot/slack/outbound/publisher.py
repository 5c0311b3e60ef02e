"""The publisher that is Slack: customers read in a channel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.ports import CallRefused, Publication
from bot.slack.outbound.room import SlackRoom
from bot.slack.surfaces.text import escape


class SlackPublisher:
    """Customers read in a channel: a public post there is one message. `channel` answers which one it is now."""

    name = "slack"

    def __init__(self, room: SlackRoom, channel: Callable[[], str]) -> None:
        self._room = room
        self._channel = channel

    async def publish(self, text: str, id: str) -> Publication:
        """Post exactly the approved text, as words: nothing in it is a mention or a link of Slack's."""
        channel = self._channel()
        if not channel:
            raise CallRefused("channel_not_found", "the channel that the policy names does not exist")
        ts = await self._room.post(channel, "", escape(text), (), id)
        return Publication(channel, ts, self._room.permalink(channel, ts))

    async def find(self, id: str, since: datetime) -> Publication | None:
        """Look for the post."""
        channel = self._channel()
        found = await self._room.find(channel, "", id, since)
        return Publication(channel, found[0], self._room.permalink(channel, found[0])) if found else None
