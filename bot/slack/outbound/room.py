"""Slack as the bot acts in it: every call that the reconciler makes, and how its work is found again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Block, CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import api_call, pages

#: marks our messages (metadata event_type), so that one whose outcome is unknown can be found again
METADATA_EVENT_TYPE = "incident_commander"

#: how far Slack's clock and ours may be apart when something is looked for by its time
MAX_CLOCK_SKEW = timedelta(minutes=1)


class SlackRoom:
    """The Room that is Slack."""

    def __init__(self, client: AsyncWebClient, bot_user: str, workspace_url: str) -> None:
        self._client = client
        self._bot_user = bot_user
        self._workspace_url = workspace_url.rstrip("/")
        self._direct: dict[str, str] = {}

    async def open_channel(self, name: str, private: bool) -> tuple[str, str]:
        """conversations.create."""
        data = await api_call(self._client, "conversations.create", name=name, is_private=private)
        return data["channel"]["id"], data["channel"]["name"]

    async def find_channel(self, name: str, since: datetime) -> str | None:
        """Look among the bot's own channels: right name, made by the bot, after the attempt began.

        conversations.list would be slow, and a purpose or topic is set later and proves nothing.
        """
        made_after, types = (since - MAX_CLOCK_SKEW).timestamp(), "public_channel,private_channel"
        found = pages(self._read, "users.conversations", types=types, limit=200, exclude_archived=True)
        async with aclosing(found) as channels:
            async for page in channels:
                for one in page["channels"]:
                    ours = one.get("creator") == self._bot_user and one.get("name") == name
                    if ours and one.get("created", 0) >= made_after:
                        return str(one["id"])
        return None

    async def has_member(self, channel: str, user: str) -> bool:
        """Whether somebody is in the channel now (conversations.members); False where Slack does not tell."""
        try:
            async with aclosing(pages(self._read, "conversations.members", channel=channel, limit=1000)) as members:
                async for page in members:
                    if user in page["members"]:
                        return True
        except (CallRefused, RetryAfter, OutcomeUnknown):
            return False
        return False

    async def invite(self, channel: str, users: Sequence[str]) -> dict[str, str]:
        """conversations.invite, a hundred at a time, forced so that one bad id does not keep the others out."""
        refused: dict[str, str] = {}
        for start in range(0, len(users), 100):
            some = list(users[start : start + 100])
            try:
                data = await api_call(
                    self._client,
                    "conversations.invite",
                    already_done_errors=frozenset({"already_in_channel"}),
                    channel=channel,
                    users=",".join(some),
                    force=True,
                )
            except CallRefused as refusal:
                if refusal.code in _PER_USER_INVITE_ERRORS and len(some) == 1:
                    refused[some[0]] = refusal.code
                    continue
                if refusal.code in _PER_USER_INVITE_ERRORS:
                    refused |= await self._one_by_one(channel, some)
                    continue
                raise
            refused |= _not_invited(data)
        return refused

    async def _one_by_one(self, channel: str, users: Sequence[str]) -> dict[str, str]:
        refused: dict[str, str] = {}
        for user in users:
            refused |= await self.invite(channel, [user])
        return refused

    async def set_topic(self, channel: str, topic: str) -> None:
        """conversations.setTopic."""
        await api_call(self._client, "conversations.setTopic", channel=channel, topic=topic)

    async def rename(self, channel: str, name: str) -> None:
        """conversations.rename, which whoever made the channel may do."""
        await api_call(self._client, "conversations.rename", channel=channel, name=name)

    async def direct(self, user: str) -> str:
        """conversations.open, remembered."""
        if user not in self._direct:
            data = await api_call(self._client, "conversations.open", users=user)
            self._direct[user] = data["channel"]["id"]
        return self._direct[user]

    async def publish_home(self, user: str, blocks: Sequence[Block]) -> None:
        """Show this in the person's Home: https://docs.slack.dev/reference/methods/views.publish."""
        await api_call(self._client, "views.publish", user_id=user, view={"type": "home", "blocks": list(blocks)})

    async def post(self, channel: str, thread: str, text: str, blocks: Sequence[Block], id: str) -> str:
        """chat.postMessage with our mark; nothing in it is parsed for names or unfurled."""
        arguments: dict[str, Any] = {
            "channel": channel,
            "text": text,
            "unfurl_links": False,
            "unfurl_media": False,
            "link_names": False,
            "parse": "none",
            "client_msg_id": id,
            "metadata": {"event_type": METADATA_EVENT_TYPE, "event_payload": {"id": id}},
        }
        if blocks:
            arguments["blocks"] = list(blocks)
        if thread:
            arguments["thread_ts"] = thread
        data = await api_call(self._client, "chat.postMessage", **arguments)
        return str(data["ts"])

    async def find(self, channel: str, thread: str, id: str, since: datetime) -> list[str]:
        """Look for our mark in the thread or, where that is gone (a reply then lands there), the channel."""

        def ours(message: Mapping[str, Any]) -> bool:
            return ((message.get("metadata") or {}).get("event_payload") or {}).get("id") == id

        if thread:
            try:
                return await self._search("conversations.replies", ours, since, channel=channel, ts=thread)
            except CallRefused as refusal:
                if refusal.code != "thread_not_found":
                    raise
        return await self._search("conversations.history", ours, since, channel=channel)

    async def _search(
        self, method: str, ours: Callable[[Mapping[str, Any]], bool], since: datetime, **where: str
    ) -> list[str]:
        """The ts of every message that is meant, oldest first; two thousand messages are looked through at most."""
        found: list[str] = []
        oldest = f"{(since - MAX_CLOCK_SKEW).timestamp():.6f}"
        async for page in pages(
            self._read, method, max_pages=10, oldest=oldest, limit=200, include_all_metadata=True, **where
        ):
            found += [str(one["ts"]) for one in page["messages"] if ours(one)]
        return sorted(set(found))

    async def edit(self, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> None:
        """chat.update."""
        await api_call(self._client, "chat.update", channel=channel, ts=ts, text=text, blocks=list(blocks))

    async def delete(self, channel: str, ts: str) -> None:
        """chat.delete."""
        await api_call(
            self._client, "chat.delete", already_done_errors=frozenset({"message_not_found"}), channel=channel, ts=ts
        )

    async def pin(self, channel: str, ts: str) -> None:
        """pins.add."""
        await api_call(
            self._client, "pins.add", already_done_errors=frozenset({"already_pinned"}), channel=channel, timestamp=ts
        )

    async def bookmark(self, channel: str, title: str, ts: str, look: bool) -> None:
        """bookmarks.add; with `look` after bookmarks.list, since adding twice would show twice."""
        link = self.permalink(channel, ts)
        if look:
            data = await self._read("bookmarks.list", channel_id=channel)
            mine = [one for one in data.get("bookmarks") or () if one.get("title") == title]
            if any(one.get("link") == link for one in mine):
                return
            if mine:
                await api_call(
                    self._client,
                    "bookmarks.edit",
                    channel_id=channel,
                    bookmark_id=mine[0]["id"],
                    title=title,
                    link=link,
                )
                return
        await api_call(self._client, "bookmarks.add", channel_id=channel, title=title, type="link", link=link)

    def permalink(self, channel: str, ts: str) -> str:
        """The address of a message, made without asking Slack (the form is documented for chat.getPermalink)."""
        return f"{self._workspace_url}/archives/{channel}/p{ts.replace('.', '')}"

    async def upload(self, name: str, content: str) -> str:
        """files.getUploadURLExternal and the bytes: nobody sees anything of it yet."""
        body = content.encode()
        data = await api_call(
            self._client, "files.getUploadURLExternal", form_encoded=True, filename=name, length=len(body)
        )
        session = self._client.session
        if session is None:
            raise RetryAfter
        try:
            async with session.post(data["upload_url"], data=body) as answer:
                if answer.status != 200:
                    raise RetryAfter
        except (aiohttp.ClientError, TimeoutError):
            raise RetryAfter from None
        return str(data["file_id"])

    async def share(self, channel: str, thread: str, file: str, title: str) -> str:
        """files.completeUploadExternal; the file's permalink."""
        arguments: dict[str, Any] = {"files": json.dumps([{"id": file, "title": title}]), "channel_id": channel}
        if thread:
            arguments["thread_ts"] = thread
        data = await api_call(self._client, "files.completeUploadExternal", form_encoded=True, **arguments)
        return next((_permalink(one) for one in data.get("files") or () if one.get("id") == file), "")

    async def discard(self, file: str) -> None:
        """files.delete."""
        await api_call(
            self._client, "files.delete", already_done_errors=frozenset({"file_not_found", "file_deleted"}), file=file
        )

    async def find_file(self, channel: str, file: str, since: datetime) -> str | None:
        """Look for the file in the channel, and at its permalink: files.info would need one more scope."""
        found: list[str] = []

        def holds(message: Mapping[str, Any]) -> bool:
            here = [_permalink(one) for one in message.get("files") or () if one.get("id") == file]
            found.extend(here)
            return bool(here)

        await self._search("conversations.history", holds, since, channel=channel)
        return found[0] if found else None

    async def _read(self, method: str, **arguments: Any) -> Any:
        """A reading call: nothing is changed by it, so an unknown outcome is simply tried later."""
        try:
            return await api_call(self._client, method, form_encoded=True, **arguments)
        except OutcomeUnknown:
            raise RetryAfter from None


#: refusals of conversations.invite that concern single people
_PER_USER_INVITE_ERRORS = frozenset(
    {
        "user_not_found", "cant_invite", "cant_invite_self", "user_is_restricted", "user_is_ultra_restricted",
        "ura_max_channels", "invitee_cant_see_channel", "user_team_not_in_channel", "already_in_channel",
        "user_is_deactivated", "no_user",
    }
)  # fmt: skip


def _permalink(file: Mapping[str, Any]) -> str:
    return str(file.get("permalink") or "")


def _not_invited(data: Any) -> dict[str, str]:
    """With force=true the call answers ok and lists those it could not bring in under `errors`."""
    errors = data.get("errors") if isinstance(data, Mapping) else None
    return {
        str(one["user"]): str(one.get("error", "cant_invite"))
        for one in errors or ()
        if one.get("user") and one.get("error") not in ("already_in_channel", "cant_invite_self")
    }
