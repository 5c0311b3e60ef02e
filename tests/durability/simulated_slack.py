"""Slack as the Room port shows it, in memory, on a bad day: each call does what the script says next.

A call can be done and said to be, be refused, be put off, or end without an answer. Such a one is done, not done, or
done later, when nobody expects it any more. History is told late. Slack's own clock is the true one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bot.ports import Block, CallRefused, OutcomeUnknown, RetryAfter
from tests.durability.virtual_time import VirtualLoop
from tests.world import BEGIN

How = Literal["done", "later", "refused", "unsure, done", "unsure, not done", "unsure, done late"]

#: how far Slack's clock and the bot's may be apart
SKEW = timedelta(minutes=1)
#: calls that change nothing
READING = frozenset({"find", "find_channel", "find_file", "direct"})
#: calls of which an old one that comes through after a newer one leaves what is out of date, and Slack keeps no mark by
#: which anybody could know: these are done or not done by the time that the bot gives up waiting
OVERWRITING = frozenset({"edit", "set_topic", "rename", "bookmark"})
#: seconds within which a channel comes that was asked for, so that with the longest lag the last look sees it: of one
#: that shows itself later, when another name was taken or its incident has ended, nobody can know
LOOKED_FOR = 2
#: what Slack may answer to each; anything else may fail with the first one
CODES = {"open_channel": "restricted_action", "edit": "invalid_blocks", "bookmark": "too_many_bookmarks"}
ELSE = "restricted_action"


@dataclass(frozen=True)
class Trouble:
    """What becomes of the next `count` calls (of one method; "": of any). `seconds` that it hangs, or is put off."""

    how: How
    method: str = ""
    hang: float = 0.0
    seconds: float = 0.0
    count: int = 1


@dataclass
class Posted:
    ts: str
    thread: str
    text: str
    blocks: tuple[Any, ...]
    id: str
    #: when the call that sent it began, and when it was there
    began: float
    sent: float
    files: list[str] = field(default_factory=list)
    deleted: bool = False


@dataclass
class Place:
    id: str
    name: str
    ours: bool = False
    created: float = 0.0
    topic: str = ""
    members: set[str] = field(default_factory=set)
    messages: dict[str, Posted] = field(default_factory=dict)
    pins: list[str] = field(default_factory=list)
    bookmarks: list[tuple[str, str]] = field(default_factory=list)

    @property
    def standing(self) -> list[Posted]:
        return [one for one in self.messages.values() if not one.deleted]


class Slack:
    """All channels, and what goes wrong next. `lag`: seconds until a message is found where one looks for it."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._count = 0
        self.places: dict[str, Place] = {}
        self.files: set[str] = set()
        self.troubles: list[Trouble] = []
        self.lag = 0.0
        #: every call: when it began, and which
        self.journal: list[tuple[float, str]] = []
        #: codes that a call was refused with for no fault of the bot's
        self.refused: set[str] = set()
        #: work that comes later
        self.late = 0
        self.incidents = self.place("incidents")
        self.customers = self.place("customer-comms")

    def place(self, name: str, *, ours: bool = False) -> Place:
        self._count += 1
        one = Place(f"C{self._count:04}", name, ours, self._loop.time())
        self.places[one.id] = one
        return one

    async def call(self, method: str, *arguments: Any) -> Any:
        """What a Room answers, sooner or later."""
        began = self._loop.time()
        self.journal.append((began, method))
        trouble = self._next(method)
        if trouble is None:
            return self._done(method, arguments, began)
        how = trouble.how
        if method in OVERWRITING and how in ("done", "unsure, done", "unsure, done late"):
            # Done first, then silence: after it the caller may be dead, and another have written over it.
            answer = self._done(method, arguments, began)
            await asyncio.sleep(trouble.hang)
            if how != "done":
                raise OutcomeUnknown(how)
            return answer
        await asyncio.sleep(trouble.hang)
        if method in READING and how.startswith("unsure"):
            raise RetryAfter
        if how == "later":
            raise RetryAfter(trouble.seconds)
        if how == "refused":
            code = CODES.get(method, ELSE)
            self.refused.add(code)
            raise CallRefused(code)
        if how == "unsure, done late":
            self.late += 1
            late = min(trouble.seconds, LOOKED_FOR) if method == "open_channel" else trouble.seconds
            self._loop.call_later(late, self._done_late, method, arguments, began)
            raise OutcomeUnknown(how)
        if how == "unsure, not done":
            raise OutcomeUnknown(how)
        answer = self._done(method, arguments, began)
        if how != "done":
            raise OutcomeUnknown(how)
        return answer

    def _next(self, method: str) -> Trouble | None:
        for number, one in enumerate(self.troubles):
            if one.method in ("", method):
                if one.count > 1:
                    self.troubles[number] = Trouble(one.how, one.method, one.hang, one.seconds, one.count - 1)
                else:
                    del self.troubles[number]
                return one
        return None

    def _done(self, method: str, arguments: tuple[Any, ...], began: float) -> Any:
        answer = getattr(self, f"_{method}")(*arguments)
        if method == "post":
            self.places[arguments[0]].messages[answer].began = began
        return answer

    def _done_late(self, method: str, arguments: tuple[Any, ...], began: float) -> None:
        self.late -= 1
        with contextlib.suppress(CallRefused):
            self._done(method, arguments, began)

    def _ts(self) -> str:
        self._count += 1
        return f"{(BEGIN.timestamp() + self._loop.time()):.3f}{self._count:06}"

    def _there(self, channel: str) -> Place:
        if channel not in self.places:
            raise CallRefused("channel_not_found")
        return self.places[channel]

    # -- what each call does --------------------------------------------------------------------------

    def _open_channel(self, name: str, private: bool) -> tuple[str, str]:
        if any(one.name == name for one in self.places.values()):
            raise CallRefused("name_taken")
        return self.place(name, ours=True).id, name

    def _find_channel(self, name: str, since: datetime) -> str | None:
        after = (since - SKEW - BEGIN).total_seconds()
        for one in self.places.values():
            if one.ours and one.name == name and one.created >= after and self._told(one.created):
                return one.id
        return None

    def _invite(self, channel: str, users: Sequence[str]) -> dict[str, str]:
        self._there(channel).members.update(users)
        return {}

    def _set_topic(self, channel: str, topic: str) -> None:
        self._there(channel).topic = topic

    def _rename(self, channel: str, name: str) -> None:
        self._there(channel).name = name

    def _direct(self, user: str) -> str:
        known = [one for one in self.places.values() if one.name == f"@{user}"]
        return (known[0] if known else self.place(f"@{user}")).id

    def _post(self, channel: str, thread: str, text: str, blocks: Sequence[Block], id: str) -> str:
        place, ts = self._there(channel), self._ts()
        parent = place.messages.get(thread)
        beneath = thread if parent is not None and not parent.deleted else ""
        place.messages[ts] = Posted(ts, beneath, text, tuple(blocks), id, self._loop.time(), self._loop.time())
        return ts

    def _find(self, channel: str, thread: str, id: str, since: datetime) -> list[str]:
        after = (since - SKEW - BEGIN).total_seconds()
        return [
            one.ts for one in self._there(channel).standing
            if one.id == id and one.sent >= after and self._told(one.sent)
        ]  # fmt: skip

    def _told(self, at: float) -> bool:
        return at + self.lag <= self._loop.time()

    def _edit(self, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> None:
        one = self._there(channel).messages.get(ts)
        if one is None or one.deleted:
            raise CallRefused("message_not_found")
        one.text, one.blocks = text, tuple(blocks)

    def _delete(self, channel: str, ts: str) -> None:
        place = self._there(channel)
        one = place.messages.get(ts)
        if one is not None:
            one.deleted = True
            place.pins = [pin for pin in place.pins if pin != ts]  # goes with its message

    def _pin(self, channel: str, ts: str) -> None:
        if ts not in (pins := self._there(channel).pins):
            pins.append(ts)

    def _bookmark(self, channel: str, title: str, ts: str, look: bool) -> None:
        place = self._there(channel)
        if look:
            place.bookmarks = [one for one in place.bookmarks if one[0] != title]
        place.bookmarks.append((title, ts))

    def _upload(self, name: str, content: str) -> str:
        self._count += 1
        self.files.add(f"F{self._count:04}")
        return f"F{self._count:04}"

    def _share(self, channel: str, thread: str, file: str, title: str) -> str:
        place = self._there(channel)
        if file not in self.files or any(file in one.files for one in place.messages.values()):
            raise CallRefused("file_not_found")
        ts = self._ts()
        place.messages[ts] = Posted(ts, "", title, (), "", self._loop.time(), self._loop.time(), [file])
        return f"https://simulated.example/files/{file}"

    def _discard(self, file: str) -> None:
        self.files.discard(file)

    def _find_file(self, channel: str, file: str, since: datetime) -> str | None:
        after = (since - SKEW - BEGIN).total_seconds()
        stands = any(
            file in one.files and one.sent >= after and self._told(one.sent) for one in self._there(channel).standing
        )
        return f"https://simulated.example/files/{file}" if stands else None

    # -- people ---------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return (BEGIN + timedelta(seconds=self._loop.time())).astimezone(UTC)
