"""What a workspace lets the bot do: the scopes that were granted, and what is read without anybody noticing.

Nothing is made to see whether it may be: whether channels may be opened is told by the scopes alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import yaml
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import ROOT
from bot.doctor.advice import advice
from bot.doctor.finding import CheckResult
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import api_call

#: scope -> what does not work without it
SCOPE_PURPOSES = {
    "app_mentions:read": "mentioning the bot",
    "bookmarks:read": "the bookmark that leads to the card, after an interruption",
    "bookmarks:write": "the bookmark that leads to the card",
    "channels:history": "looking whether a message was sent",
    "channels:join": "joining the channel of the announcements",
    "channels:manage": "opening channels",
    "channels:read": "finding channels and who is in them",
    "chat:write": "every message",
    "commands": "the slash command and the shortcuts",
    "files:write": "the postmortem as a file",
    "groups:history": "looking whether a message was sent in a private incident",
    "groups:read": "private incidents",
    "groups:write": "private incidents",
    "im:history": "looking whether a direct message was sent",
    "im:write": "reminders as direct messages",
    "pins:read": "reading what was pinned, for `/incident backfill`",
    "pins:write": "pinning the card",
    "reactions:read": "notes by reaction",
    "usergroups:read": "groups in the policy",
    "users:read": "names, and telling guests from members",
}


async def check_permissions(client: AsyncWebClient, who: str, room: str, name: str) -> list[CheckResult]:
    """What one workspace allows; `room` is the channel of the announcements ("": there is none), `name` is it called,
    `who` begins lines."""
    return [*_scopes(await _granted(client), who), *await _try_methods(client, who, room, name)]


async def _granted(client: AsyncWebClient) -> frozenset[str] | None:
    """The scopes of the token, which Slack names in a header of every answer; None where it does not."""
    try:
        answer = await client.auth_test()
    except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError):
        return None
    for name, value in answer.headers.items():
        if name.lower() == "x-oauth-scopes":
            return frozenset(one.strip() for one in value.split(",") if one.strip())
    return None


def _scopes(granted: frozenset[str] | None, who: str) -> Iterator[CheckResult]:
    wanted = yaml.safe_load((ROOT / "manifest.yaml").read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"]
    if granted is None:
        yield CheckResult(True, f"{who}: Slack does not say which scopes were granted")
        return
    missing = [one for one in wanted if one not in granted]
    for one in missing:
        stops = SCOPE_PURPOSES.get(one, "what needs it")
        yield CheckResult(False, f"{who}: the scope {one} is missing: without it no {stops}", advice("missing_scope"))
    if not missing:
        yield CheckResult(True, f"{who}: all {len(wanted)} scopes of manifest.yaml are granted")
    if more := sorted(granted - set(wanted)):
        yield CheckResult(
            True, f"{who}: more is granted than the bot uses: {', '.join(more)}", "Take it away at Slack."
        )


async def _try_methods(client: AsyncWebClient, who: str, room: str, name: str) -> list[CheckResult]:
    """Slack's documentation of conversations.replies both lists bot scopes and denies bots in channels: tried."""
    findings = []
    code = await _code(client, "blocks.validate", blocks=_BLOCKS)
    if code not in ("", "unknown_method", _NO_ANSWER):
        findings.append(
            CheckResult(False, f"{who}: blocks.validate: {code}", "Slack refuses a plain message: report it.")
        )
    if not room:
        return findings
    return [*findings, *await _history(client, who, room, name)]


async def _history(client: AsyncWebClient, who: str, room: str, name: str) -> list[CheckResult]:
    """Whether messages can be looked for where incidents are announced."""
    try:
        seen = await api_call(client, "conversations.history", form_encoded=True, channel=room, limit=1)
        latest = next((str(one["ts"]) for one in seen["messages"]), "")
    except CallRefused as refusal:
        if refusal.code == "not_in_channel":
            return [CheckResult(True, f"{who}: not in #{name} yet", _JOIN_ADVICE)]
        return [CheckResult(False, f"{who}: the history of #{name}: {refusal.code}", advice(refusal.code))]
    except (RetryAfter, OutcomeUnknown):
        latest = ""
    if latest:
        code = await _code(client, "conversations.replies", form=True, channel=room, ts=latest, limit=1)
        told = "" if code in ("", _NO_ANSWER) else "A message in a thread of which no answer came is shown as parked."
        return [CheckResult(True, f"{who}: threads {'can be read' if not code else f'cannot be read ({code})'}", told)]
    return []


_NO_ANSWER = "no answer"
_JOIN_ADVICE = (
    "`python -m bot run` joins a public channel by itself; into a private one somebody has to invite the bot."
)
_BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "Incident Commander looks whether this is taken."}}]


async def _code(client: AsyncWebClient, method: str, **arguments: Any) -> str:
    """Slack's word for why not; empty where it is done."""
    try:
        await api_call(client, method, **arguments)
    except CallRefused as refusal:
        return refusal.code
    except (RetryAfter, OutcomeUnknown):
        return _NO_ANSWER
    return ""
