"""The channels that policy names: which channel bears a name now, and whether the bot is in it.

Policy names a channel by its name. A channel that takes the name counts from then on. A channel that loses the name
by a rename keeps counting until another one takes it: what was promised there goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import api_call, next_cursor, pages
from bot.slack.workspace.method_reads import UNREADABLE_ERRORS, Failure, MethodReads

log = structlog.get_logger(__name__)

LIST_METHOD = "conversations.list"


class PolicyChannels:
    """Name -> id, kept up to date by what Slack lists and tells."""

    def __init__(self, client: AsyncWebClient, reads: MethodReads) -> None:
        self._client = client
        self._reads = reads
        #: the page of channels that Slack did not give yet, and the ids on those before it
        self._cursor = ""
        self._seen: set[str] = set()
        self._found: set[str] = set()
        #: the names that policy speaks of
        self.names: frozenset[str] = frozenset()
        self.ids: dict[str, str] = {}
        #: id -> name of public channels that the bot is to join
        self._unjoined: dict[str, str] = {}
        #: those where it may not; asked again with the next full look
        self._join_refused: dict[str, str] = {}
        #: whether a name leads somewhere else than when this was attended last
        self.changed = False
        #: ids of channels that were deleted since then
        self.gone: frozenset[str] = frozenset()

    def id_of(self, name: str) -> str:
        """The id of a channel of policy, or empty where there is none."""
        return self.ids.get(name.lstrip("#"), "")

    @property
    def missing(self) -> tuple[str, ...]:
        """The names that no channel bears, as far as is known."""
        return tuple(sorted(name for name in self.names if name not in self.ids))

    @property
    def needs_reading(self) -> bool:
        """Whether a full look may find what events have not told."""
        return bool(self.missing or self._join_refused) or LIST_METHOD not in self._reads.known

    def restore(self, ids: Mapping[str, str]) -> None:
        """Be as another process has kept it."""
        if dict(ids) != self.ids:
            self.ids, self.changed = dict(ids), True

    def _is_called(self, id: str, name: str, is_member: bool) -> None:
        """A channel that can be used bears this name of policy."""
        for other in [each for each, known in self.ids.items() if known == id and each != name]:
            # One channel is never two of policy's: what is said to colleagues stays out of the customers' channel.
            del self.ids[other]
            self.changed = True
        if self.ids.get(name) != id:
            self.ids[name], self.changed = id, True
        if is_member:
            self._unjoined.pop(id, None)
            self._join_refused.pop(id, None)
        elif id not in self._join_refused:
            self._unjoined[id] = name

    # -- reading ------------------------------------------------------------------------------------

    async def read(self) -> None:
        """Look through the channels until every name is found; after a pause from the page on that Slack did not give.

        Raises CallRefused, RetryAfter, OutcomeUnknown.
        """
        if not self.names:
            return
        self._unjoined |= self._join_refused
        self._join_refused.clear()
        if not self._cursor:
            self._found, self._seen = set(), set()
        types = "public_channel,private_channel"
        found = pages(self._reads.call, LIST_METHOD, cursor=self._cursor, types=types, exclude_archived=True, limit=200)
        try:
            async with contextlib.aclosing(found) as channels:
                async for page in channels:
                    self._cursor = ""
                    self._take(page)
                    if self._found == self.names:
                        return
                    self._cursor = next_cursor(page)
        except CallRefused:
            self._cursor = ""
            raise
        for name in (self.names - self._found) & self.ids.keys():
            if self.ids[name] not in self._seen:
                await self._drop_if_deleted(name)

    def _take(self, page: Any) -> None:
        for one in page["channels"]:
            self._seen.add(one["id"])
            if one["name"] in self.names:
                self._found.add(one["name"])
                self._is_called(one["id"], one["name"], bool(one.get("is_member")))

    async def _drop_if_deleted(self, name: str) -> None:
        """A channel of policy is not in the list: an archived one can come back, a deleted one cannot."""
        try:
            await self._reads.call("conversations.info", channel=self.ids[name])
        except CallRefused as refusal:
            if refusal.code == "channel_not_found":
                self.deleted(self.ids[name])
        except (RetryAfter, OutcomeUnknown):
            pass  # the next look

    async def learn(self, id: str, name: str = "") -> None:
        """Something was told of this channel, and that it is called so ("": nothing). Slack is asked how it stands
        now, because events may come late and in another order."""
        if name and name not in self.names:
            return
        member = False
        try:
            found = (await self._reads.call("conversations.info", channel=id))["channel"]
            if found.get("is_archived"):
                return
            name, member = str(found.get("name", "")), bool(found.get("is_member"))
        except CallRefused as refusal:
            if refusal.code == "channel_not_found":
                return
        except (RetryAfter, OutcomeUnknown, *UNREADABLE_ERRORS):
            if not name:  # the next full look
                self._reads.failures.setdefault(LIST_METHOD, Failure("is to be asked for a channel that was told of"))
        if name in self.names:
            self._is_called(id, name, member)

    def deleted(self, id: str) -> None:
        """The channel is gone for good."""
        for name in [each for each, known in self.ids.items() if known == id]:
            del self.ids[name]
            self.changed, self.gone = True, self.gone | {id}
        self._unjoined.pop(id, None)
        self._join_refused.pop(id, None)

    # -- being there --------------------------------------------------------------------------------

    @property
    def needs_attention(self) -> bool:
        """Whether there is a channel to join, or a change of which nobody was told."""
        return bool(self._unjoined) or self.changed

    async def join(self) -> None:
        """Be in the channels that were learned: bots read and are told only of those."""
        for id, name in tuple(self._unjoined.items()):
            try:
                await api_call(self._client, "conversations.join", channel=id)
            except (RetryAfter, OutcomeUnknown) as error:
                log.warning("directory.not_joined", channel=name, error=str(error))
                continue
            except CallRefused as refusal:
                log.warning("directory.not_joined", channel=name, error=refusal.code)
                self._join_refused[id] = name
            else:
                self.changed = True  # what could not be said there can be said now
            self._unjoined.pop(id, None)
