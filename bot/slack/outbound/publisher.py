"""The publisher that is Slack: customers read in a channel."""

from __future__ import annotations

from datetime import datetime

from bot.ports import CallRefused, Publication
from bot.slack.outbound.room import SlackRoom
from bot.slack.surfaces.text import escape


class SlackPublisher:
    """Customers read in a channel: a public post there is one message."""

    name = "slack"

    def __init__(self, room: SlackRoom, channel: str) -> None:
        self._room = room
        self._channel = channel

    async def publish(self, text: str, id: str) -> Publication:
        """Post exactly the approved text, as words: nothing in it is a mention or a link of Slack's."""
        if not self._channel:
            raise CallRefused("channel_not_found", "the customer comms channel of the policy does not exist")
        ts = await self._room.post(self._channel, "", escape(text), (), id)
        return Publication(self._channel, ts, self._room.permalink(self._channel, ts))

    async def find(self, id: str, since: datetime) -> Publication | None:
        """Look for the post."""
        found = await self._room.find(self._channel, "", id, since)
        return Publication(self._channel, found[0], self._room.permalink(self._channel, found[0])) if found else None
