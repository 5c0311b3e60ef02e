"""Slack as the bot acts in it: every Web API call that the caretaker makes, with its outcome told apart.

Done, certainly not done (NotDone, TryLater), or nobody knows (Unsure): slack_sdk raises many things, callers
of this file see only these. Nothing is retried here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.ports import Block, CallRefused, OutcomeUnknown, Publication, RetryAfter
from bot.reconciler import TOKEN_REVOKED_CODES
from bot.slack.surfaces.text import escape

#: marks our messages (metadata event_type), so that one whose outcome is unknown can be found again
METADATA_EVENT_TYPE = "incident_commander"

#: how far Slack's clock and ours may be apart when something is looked for by its time
MAX_CLOCK_SKEW = timedelta(minutes=1)

#: answers after which "possibly some aspect of the operation succeeded" (Slack's words for fatal_error)
UNKNOWN_OUTCOME_ERRORS = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)
#: chat.postMessage lists these: Slack has seen our client_msg_id before, so look
DUPLICATE_MESSAGE_ERRORS = frozenset({"duplicate_message_not_found", "duplicate_channel_not_found"})


class SlackClient(AsyncWebClient):
    """A client of one workspace.

    `on_token_refused` is told Slack's code when a call says that the token is worth nothing; `on_scopes_granted` is
    called when an answer says that the token may do more than it might before.
    """

    on_token_refused: Callable[[str], Awaitable[None]] | None = None
    on_scopes_granted: Callable[[], Awaitable[bool]] | None = None
    _granted: frozenset[str] | None = None

    async def check_scopes_header(self, headers: Mapping[str, str]) -> None:
        """Slack names the granted scopes in each answer; whoever adds one to the app leaves the token as it was."""
        granted = frozenset(headers.get("x-oauth-scopes", "").replace(" ", "").split(",")) - {""}
        if not granted or granted == self._granted:
            return
        more = self._granted is not None and granted - self._granted
        if not more or self.on_scopes_granted is None or await self.on_scopes_granted():
            self._granted = granted


def web_client(token: str, base_url: str, session: aiohttp.ClientSession) -> SlackClient:
    """A client on the shared session that never sends anything twice by itself (the default one retries POSTs)."""
    return SlackClient(token=token, base_url=base_url, session=session, retry_handlers=[], timeout=10)


async def api_call(
    client: AsyncWebClient,
    method: str,
    *,
    already_done_errors: frozenset[str] = frozenset(),
    form_encoded: bool = False,
    **arguments: Any,
) -> Any:
    """One Web API call; `already_done_errors` are the errors which mean that it is so already.

    `form_encoded`: Slack takes JSON for most writing methods, but not for reading ones and uploads.
    """
    try:
        answer: AsyncSlackResponse = await (
            client.api_call(method, params=_form_params(arguments))
            if form_encoded
            else client.api_call(method, json=arguments)
        )
    except SlackApiError as error:
        response = error.response
        status = getattr(response, "status_code", 0)
        data = getattr(response, "data", None)
        code = data.get("error", "") if isinstance(data, Mapping) else ""
        if status == 429 or code in ("ratelimited", "rate_limited"):
            raise RetryAfter(_retry_after(response)) from None
        if code in already_done_errors:
            return data
        if status >= 500 or not code or code in UNKNOWN_OUTCOME_ERRORS or code in DUPLICATE_MESSAGE_ERRORS:
            raise OutcomeUnknown(f"{method}: {code or status}") from None
        if code in TOKEN_REVOKED_CODES and isinstance(client, SlackClient) and client.on_token_refused is not None:
            await client.on_token_refused(code)
        raise CallRefused(code, _detail(data)) from None
    except aiohttp.ClientConnectorError:
        raise RetryAfter from None  # never reached Slack
    except (TimeoutError, aiohttp.ClientError, SlackClientError, ValueError) as error:
        raise OutcomeUnknown(f"{method}: {type(error).__name__}") from None
    if isinstance(client, SlackClient):
        await client.check_scopes_header(answer.headers)
    return answer.data


def _retry_after(response: Any) -> float:
    headers = getattr(response, "headers", None) or {}
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return max(0.0, float(value))
            except ValueError:
                return 30.0
    return 30.0


def _detail(data: Any) -> str:
    """What a refusal says besides its code: the scope it lacks, the blocks it does not like."""
    if not isinstance(data, Mapping):
        return ""
    if needed := data.get("needed"):
        return f"needs {needed}"
    messages = (data.get("response_metadata") or {}).get("messages") or ()
    return "; ".join(str(one) for one in messages)[:300]


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
        cursor, made_after = "", (since - MAX_CLOCK_SKEW).timestamp()
        while True:
            data = await self._read(
                "users.conversations",
                types="public_channel,private_channel",
                limit=200,
                exclude_archived=True,
                cursor=cursor,
            )
            for one in data["channels"]:
                ours = one.get("creator") == self._bot_user and one.get("name") == name
                if ours and one.get("created", 0) >= made_after:
                    return str(one["id"])
            cursor = (data.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    async def has_member(self, channel: str, user: str) -> bool:
        """Whether somebody is in the channel now (conversations.members); False where Slack does not tell."""
        cursor = ""
        try:
            while True:
                data = await self._read("conversations.members", channel=channel, limit=1000, cursor=cursor)
                if user in data["members"]:
                    return True
                cursor = (data.get("response_metadata") or {}).get("next_cursor") or ""
                if not cursor:
                    return False
        except (CallRefused, RetryAfter, OutcomeUnknown):
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
        cursor, oldest = "", f"{(since - MAX_CLOCK_SKEW).timestamp():.6f}"
        for _ in range(10):
            data = await self._read(method, oldest=oldest, limit=200, include_all_metadata=True, cursor=cursor, **where)
            found += [str(one["ts"]) for one in data["messages"] if ours(one)]
            cursor = (data.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
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

    async def share(self, channel: str, thread: str, file: str, title: str) -> None:
        """files.completeUploadExternal."""
        arguments: dict[str, Any] = {"files": json.dumps([{"id": file, "title": title}]), "channel_id": channel}
        if thread:
            arguments["thread_ts"] = thread
        await api_call(self._client, "files.completeUploadExternal", form_encoded=True, **arguments)

    async def discard(self, file: str) -> None:
        """files.delete."""
        await api_call(
            self._client, "files.delete", already_done_errors=frozenset({"file_not_found", "file_deleted"}), file=file
        )

    async def shared(self, channel: str, file: str, since: datetime) -> bool:
        """Look for the file in the channel: files.info would need one more scope."""

        def holds(message: Mapping[str, Any]) -> bool:
            return any(one.get("id") == file for one in message.get("files") or ())

        return bool(await self._search("conversations.history", holds, since, channel=channel))

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


def _not_invited(data: Any) -> dict[str, str]:
    """With force=true the call answers ok and lists those it could not bring in under `errors`."""
    errors = data.get("errors") if isinstance(data, Mapping) else None
    return {
        str(one["user"]): str(one.get("error", "cant_invite"))
        for one in errors or ()
        if one.get("user") and one.get("error") not in ("already_in_channel", "cant_invite_self")
    }


def _form_params(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for a form: nothing empty, booleans in Slack's spelling."""
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in arguments.items()
        if value not in ("", None)
    }


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
