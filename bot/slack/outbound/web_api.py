"""Slack's Web API: the client, one call with its outcome told apart, and paging over cursors.

Done, certainly not done (CallRefused, RetryAfter), or nobody knows (OutcomeUnknown): slack_sdk raises many things,
callers of this file see only these. Nothing is retried here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.reconciler import TOKEN_REVOKED_CODES

#: answers after which "possibly some aspect of the operation succeeded" (Slack's words for fatal_error)
UNKNOWN_OUTCOME_ERRORS = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)
#: chat.postMessage lists these: Slack has seen our client_msg_id before, so look
DUPLICATE_MESSAGE_ERRORS = frozenset({"duplicate_message_not_found", "duplicate_channel_not_found"})


class SlackClient(AsyncWebClient):
    """A client of one workspace.

    `on_token_refused` is told Slack's code when a call says that the token is worth nothing. `on_scopes_granted` is
    called when an answer says that the token may do more than before.
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
    except (TimeoutError, aiohttp.ClientError, SlackClientError, ValueError, AttributeError, TypeError) as error:
        # The last two: slack_sdk takes a proxy's line of text, or a list, for an object.
        raise OutcomeUnknown(f"{method}: {type(error).__name__}") from None
    if isinstance(client, SlackClient):
        await client.check_scopes_header(answer.headers)
    return answer.data


async def pages(
    read: Callable[..., Awaitable[Any]],
    method: str,
    *,
    cursor: str = "",
    max_pages: int | None = None,
    **arguments: Any,
) -> AsyncGenerator[Any, None]:
    """Each page that a method gives, from `cursor` on, `max_pages` at most; `read` makes each call.

    A loop that ends before the last page has to close the generator: use `contextlib.aclosing`.
    """
    read_pages = 0
    while max_pages is None or read_pages < max_pages:
        page = await read(method, **arguments, cursor=cursor)
        read_pages += 1
        yield page
        cursor = next_cursor(page)
        if not cursor:
            return


def next_cursor(page: Mapping[str, Any]) -> str:
    """Where the page after this one begins; empty after the last one."""
    return str((page.get("response_metadata") or {}).get("next_cursor") or "")


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


def _form_params(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for a form: nothing empty, booleans in Slack's spelling."""
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in arguments.items()
        if value not in ("", None)
    }
