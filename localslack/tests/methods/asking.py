"""Calling the Web API and naming the error it answered with."""

from __future__ import annotations

from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient


async def error_of(client: AsyncWebClient, method: str, /, **args: Any) -> str | None:
    """The error code of a call, None where it went well."""
    try:
        await client.api_call(method, json=args)
    except SlackApiError as error:
        return str(error.response["error"])
    return None
