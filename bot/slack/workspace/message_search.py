"""Where words can still be read in Slack: looked for in the places where the bot spoke of an incident."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.redaction import texts_in
from bot.ports import NotDone, TryLater, Unsure
from bot.slack.outbound.room import call

#: pages of 200 messages that are looked through in one place
PAGES = 20
#: times that a call is made again which Slack asked to put off, and the longest pause before one
TRIES, LONGEST = 5, 60.0


@dataclass(frozen=True)
class Exposed:
    """A message that shows the words. `notice`: Slack's own line about a channel, in somebody's name."""

    channel: str
    ts: str
    link: str
    ours: bool
    notice: bool


class Looker:
    """Reads with one workspace's token. `begin` it first."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._bot_user = ""
        self._url = ""

    async def begin(self) -> None:
        """Learn who the bot is. Raises NotDone, TryLater or Unsure where Slack does not answer."""
        me = await call(self._client, "auth.test")
        self._bot_user, self._url = me["user_id"], me["url"].rstrip("/")

    def permalink(self, channel: str, ts: str) -> str:
        """A message's address."""
        return f"{self._url}/archives/{channel}/p{ts.replace('.', '')}"

    async def exposed(
        self,
        places: Mapping[str, Collection[str]],
        since: datetime,
        holds: Callable[[str], bool],
        whole: Collection[str] = (),
    ) -> tuple[list[Exposed], list[str]]:
        """The messages since then that show the words, and the channels into which the bot cannot look.

        `places`: channel -> ts of messages whose threads count; in the channels of `whole` every thread does.
        """
        found: list[Exposed] = []
        blind: list[str] = []
        for channel, parents in places.items():
            try:
                async for message in self._messages(channel, parents, since, channel in whole):
                    if any(map(holds, texts_in(message))):
                        found.append(self._exposed(channel, message))
            except (NotDone, TryLater, Unsure):
                blind.append(channel)
        return list(dict.fromkeys(found)), blind

    def _exposed(self, channel: str, message: Mapping[str, Any]) -> Exposed:
        ts = str(message["ts"])
        link, thread = self.permalink(channel, ts), message.get("thread_ts")
        if thread and thread != ts:
            link += f"?thread_ts={thread}&cid={channel}"
        notice = str(message.get("subtype", "")).startswith(("channel_", "group_"))
        return Exposed(channel, ts, link, message.get("user") == self._bot_user, notice)

    async def _messages(self, channel: str, parents: Collection[str], since: datetime, every: bool) -> Any:
        oldest = f"{since.timestamp():.6f}"
        async for one in self._pages("conversations.history", channel=channel, oldest=oldest):
            yield one
            if one.get("reply_count") and (every or one["ts"] in parents):
                async for reply in self._pages("conversations.replies", channel=channel, ts=one["ts"]):
                    yield reply

    async def _pages(self, method: str, **where: str) -> Any:
        cursor = ""
        for _ in range(PAGES):
            data = await self._patiently(method, limit=200, cursor=cursor, **where)
            for one in data["messages"]:
                yield one
            cursor = (data.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    async def _patiently(self, method: str, **arguments: Any) -> Any:
        for left in range(TRIES, 0, -1):
            try:
                return await call(self._client, method, form=True, **arguments)
            except TryLater as later:
                if left == 1:
                    raise
                await asyncio.sleep(min(later.seconds or 1.0, LONGEST))
        raise AssertionError("unreachable")

    async def delete(self, channel: str, ts: str) -> bool:
        """Take a message of the bot's away; False where Slack does not let it, or does not answer."""
        try:
            await call(self._client, "chat.delete", quiet=frozenset({"message_not_found"}), channel=channel, ts=ts)
        except (NotDone, TryLater, Unsure):
            return False
        return True
