"""Reading calls for the directory: how each method failed last, and when Slack wants to hear of it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import api_call

log = structlog.get_logger(__name__)

#: an answer of another shape than documented: a proxy's page, or an object without what it has to hold
UNREADABLE_ERRORS = (KeyError, TypeError, AttributeError, ValueError)


def describe_failure(error: Exception) -> str:
    """What Slack answered, to follow the method's name: "users.list answers 500"."""
    match error:
        case CallRefused():
            return f"answers {error.code}{f' ({error.detail})' if error.detail else ''}"
        case RetryAfter() if error.seconds:
            return f"answers 429 and asks to wait {error.seconds:.0f} s"
        case RetryAfter():
            return "cannot be reached"
        case OutcomeUnknown():
            word = str(error).rpartition(": ")[2]
            # A status, a code of Slack's, or the name of what reading the answer has raised.
            if word in ("0", "200", *(one.__name__ for one in UNREADABLE_ERRORS)):
                return "answers unreadably"
            return f"answers {word}" if word.islower() or word.isdigit() else "gives no answer"
        case _:
            return "answers unreadably"


@dataclass(frozen=True)
class Failure:
    """How a method failed: `text` follows its name; `code` is Slack's own word, empty where Slack did not refuse."""

    text: str
    code: str = ""


class MethodReads:
    """Calls that read. `failures`: method -> how it answered, as long as its last attempt has failed."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self.failures: dict[str, Failure] = {}
        #: method -> the loop's time before which Slack wants to hear nothing of it: its limits are per method
        self._retry_at: dict[str, float] = {}
        #: method -> the kind of its last failure: the same one again is not logged
        self._last: dict[str, type[Exception]] = {}
        #: methods of which an attempt has succeeded, now or before a restart
        self.known: set[str] = set()

    async def call(self, method: str, **arguments: Any) -> Any:
        """A call that reads; while Slack wants to hear nothing of the method there is none.

        Raises CallRefused, RetryAfter, OutcomeUnknown.
        """
        loop = asyncio.get_running_loop()
        if (wait := self._retry_at.get(method, 0.0) - loop.time()) > 0:
            raise RetryAfter(wait)
        try:
            return await api_call(self._client, method, form_encoded=True, **arguments)
        except RetryAfter as error:
            self._retry_at[method] = loop.time() + error.seconds
            raise

    async def attempt(self, method: str, read: Callable[[], Awaitable[None]]) -> bool:
        """Read with that method; whether all was read. A failure is kept and logged once, never raised."""
        try:
            await read()
        except (CallRefused, RetryAfter, OutcomeUnknown, *UNREADABLE_ERRORS) as error:
            before = self.failures.get(method)
            self.failures[method] = Failure(
                describe_failure(error), error.code if isinstance(error, CallRefused) else ""
            )
            if before is None or type(error) is not self._last.get(method):
                log.warning("directory.not_read", method=method, error=self.failures[method].text)
            self._last[method] = type(error)
            return False
        if self.failures.pop(method, None):
            log.info("directory.read_again", method=method)
        self.known.add(method)
        return True
