"""Where words can still be read in Slack: looked for in the places where the bot spoke of an incident."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.redaction import iter_texts
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import api_call, pages

#: pages of 200 messages that are looked through in one place
MAX_PAGES = 20
#: times that a call is made again which Slack asked to put off, and the longest pause before one
MAX_ATTEMPTS, MAX_RETRY_PAUSE_SECONDS = 5, 60.0


@dataclass(frozen=True)
class ExposedMessage:
    """A message that shows the words. `is_channel_notice`: Slack's own line about a channel, in somebody's name."""

    channel: str
    ts: str
    link: str
    by_bot: bool
    is_channel_notice: bool


class MessageSearch:
    """Reads with one workspace's token. `auth_test` it first."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._bot_user = ""
        self._url = ""

    async def auth_test(self) -> None:
        """Learn who the bot is. Raises CallRefused, RetryAfter or OutcomeUnknown where Slack does not answer."""
        me = await api_call(self._client, "auth.test")
        self._bot_user, self._url = me["user_id"], me["url"].rstrip("/")

    def permalink(self, channel: str, ts: str) -> str:
        """A message's address."""
        return f"{self._url}/archives/{channel}/p{ts.replace('.', '')}"

    async def search(
        self,
        places: Mapping[str, Collection[str]],
        since: datetime,
        matches: Callable[[str], bool],
        whole_channels: Collection[str] = (),
    ) -> tuple[list[ExposedMessage], list[str]]:
        """The messages since then that show the words, and the channels into which the bot cannot look.

        `places`: channel -> ts of messages whose threads count; in the channels of `whole_channels` every thread does.
        """
        found: list[ExposedMessage] = []
        blind: list[str] = []
        for channel, parents in places.items():
            try:
                async for message in self._messages(channel, parents, since, channel in whole_channels):
                    if any(map(matches, iter_texts(message))):
                        found.append(self._exposed(channel, message))
            except (CallRefused, RetryAfter, OutcomeUnknown):
                blind.append(channel)
        return list(dict.fromkeys(found)), blind

    def _exposed(self, channel: str, message: Mapping[str, Any]) -> ExposedMessage:
        ts = str(message["ts"])
        link, thread = self.permalink(channel, ts), message.get("thread_ts")
        if thread and thread != ts:
            link += f"?thread_ts={thread}&cid={channel}"
        notice = str(message.get("subtype", "")).startswith(("channel_", "group_"))
        return ExposedMessage(channel, ts, link, message.get("user") == self._bot_user, notice)

    async def _messages(self, channel: str, parents: Collection[str], since: datetime, every: bool) -> Any:
        oldest = f"{since.timestamp():.6f}"
        async for one in self._paged_messages("conversations.history", channel=channel, oldest=oldest):
            yield one
            if one.get("reply_count") and (every or one["ts"] in parents):
                async for reply in self._paged_messages("conversations.replies", channel=channel, ts=one["ts"]):
                    yield reply

    async def _paged_messages(self, method: str, **where: str) -> Any:
        async for page in pages(self._call_with_retries, method, max_pages=MAX_PAGES, limit=200, **where):
            for one in page["messages"]:
                yield one

    async def _call_with_retries(self, method: str, **arguments: Any) -> Any:
        for left in range(MAX_ATTEMPTS, 0, -1):
            try:
                return await api_call(self._client, method, form_encoded=True, **arguments)
            except RetryAfter as later:
                if left == 1:
                    raise
                await asyncio.sleep(min(later.seconds or 1.0, MAX_RETRY_PAUSE_SECONDS))
        raise AssertionError("unreachable")

    async def delete(self, channel: str, ts: str) -> bool:
        """Take a message of the bot's away; False where Slack does not let it, or does not answer."""
        try:
            await api_call(
                self._client,
                "chat.delete",
                already_done_errors=frozenset({"message_not_found"}),
                channel=channel,
                ts=ts,
            )
        except (CallRefused, RetryAfter, OutcomeUnknown):
            return False
        return True
