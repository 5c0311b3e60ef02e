"""The code of an installation for its token: oauth.v2.access. The secret goes in the header, never into an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import SlackClient


async def exchange_code(
    client: SlackClient, code: str, client_id: str, secret: str, redirect: str
) -> Mapping[str, Any]:
    """Slack's answer (https://docs.slack.dev/reference/methods/oauth.v2.access).

    Raises CallRefused, RetryAfter, OutcomeUnknown. A code serves one attempt: what is unknown is not tried again here.
    """
    try:
        answer = await client.oauth_v2_access(
            client_id=client_id, client_secret=secret, code=code, redirect_uri=redirect or None
        )
    except SlackApiError as error:
        data = getattr(error.response, "data", None)
        word = data.get("error", "") if isinstance(data, Mapping) else ""
        if not word:
            raise OutcomeUnknown("oauth.v2.access") from None
        if word in ("ratelimited", "rate_limited"):
            raise RetryAfter from None
        raise CallRefused(str(word)) from None
    except aiohttp.ClientConnectorError:
        raise RetryAfter from None
    except (TimeoutError, aiohttp.ClientError, SlackClientError, ValueError) as error:
        raise OutcomeUnknown(f"oauth.v2.access: {type(error).__name__}") from None
    data = answer.data
    return data if isinstance(data, Mapping) else {}
