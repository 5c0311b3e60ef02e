"""Private answers that carry buttons, and how a private answer reaches its person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog

from bot.domain.incident import Incident
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import api_call
from bot.slack.requests.arguments import TimeWithoutZone
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.button_values import DeclareValue, IncidentValue, ReadingValue, TypedValue, UpdateValue, encode
from bot.slack.surfaces.text import escape, quoted, when
from bot.slack.surfaces.words import checklists as words

log = structlog.get_logger(__name__)


def choices_reply(text: str, choices: Sequence[tuple[str, str]]) -> Reply:
    """A sentence and buttons, each of which says something as if it had been typed: (label, text after the command)."""
    elements = [
        block_kit.button(label[:70], f"inc:again:{position}", encode(TypedValue(text=said)))
        for position, (label, said) in enumerate(choices)
    ]
    return Reply(text, (block_kit.section(text), block_kit.actions(*elements)))


def ask_time_zone(call: Request, zoneless: TimeWithoutZone) -> Reply:
    """Ask back for the zone: two buttons that say the same thing again with it."""
    typed = f"{zoneless.hour:02d}:{zoneless.minute:02d}"
    if zoneless.day:
        typed = f"{zoneless.day} {typed}"
        shown = "%Y-%m-%d %H:%M UTC"
    else:
        shown = "%H:%M UTC"
    day = datetime.fromisoformat(zoneless.day) if zoneless.day else call.services.now()
    clock = day.replace(hour=zoneless.hour, minute=zoneless.minute, second=0, microsecond=0)
    mine = format(clock - timedelta(seconds=call.actor.tz_offset), shown)
    choices = [
        (label, f"{zoneless.before} {time} {zoneless.after}".strip())
        for label, time in ((f"{typed} UTC", f"{typed} UTC"), (f"{typed} mine ({mine})", mine))
    ]
    return choices_reply("Which zone is that time in? Nothing was done yet.", choices)


def declare_or(title: str, text: str, others: Sequence[tuple[str, str]]) -> Reply:
    """Nothing was done: offer to declare it under this title, or to say what it may have meant."""
    shown = title if len(title) <= 50 else title[:49] + "…"
    elements = [block_kit.button(f"Declare “{shown}”", "inc:declare-form", encode(DeclareValue(title=title[:400])))]
    elements += [
        block_kit.button(label[:70], f"inc:again:{position}", encode(TypedValue(text=said)))
        for position, (label, said) in enumerate(others)
    ]
    return Reply(text, (block_kit.section(text), block_kit.actions(*elements)))


def note_or_declare(incident: Incident, said: str) -> Reply:
    """Free text in an incident's channel: a note, or a new incident."""
    text = f"Shall that be a note in {incident.name}, or a new incident? Nothing was done yet."
    return Reply(
        text,
        (
            block_kit.section(text),
            block_kit.section(quoted(said[:500])),
            block_kit.actions(
                block_kit.button(
                    f"Note it in {incident.name}", "inc:again:0", encode(TypedValue(text=f"note {said[:1500]}"))
                ),
                block_kit.button("New incident", "inc:declare-form", encode(DeclareValue(title=said[:400]))),
            ),
        ),
    )


def private_or_public(title: str, severity: str | None) -> Reply:
    """Words that need care: ask before any channel exists, because a channel cannot be made private later."""
    text = "This sounds delicate. Who may see it? Nothing was opened yet, and a channel cannot be made private later."
    return Reply(
        text,
        (
            block_kit.section(text),
            block_kit.actions(
                block_kit.button(
                    "Private",
                    "inc:declare-as:private",
                    encode(DeclareValue(title=title[:400], severity=severity or "", private="1")),
                    style="primary",
                ),
                block_kit.button(
                    "Public",
                    "inc:declare-as:public",
                    encode(DeclareValue(title=title[:400], severity=severity or "", private="0")),
                ),
            ),
        ),
    )


def similar_incident_reply(twin: Incident, title: str, severity: str | None) -> Reply:
    """One like it is open: go there, or declare all the same."""
    where = f"<#{twin.channel}>" if twin.channel else twin.name
    text = f"{twin.name} is open and sounds alike: {escape(twin.title)}. It is in {where}. Nothing was declared."
    return Reply(
        text,
        (
            block_kit.section(text),
            block_kit.actions(
                block_kit.button(f"Go to {twin.name}", "inc:join", encode(IncidentValue(incident=twin.id))),
                block_kit.button(
                    "Declare anyway",
                    "inc:declare-as:anyway",
                    encode(DeclareValue(title=title[:400], severity=severity or "", anyway="1")),
                ),
            ),
        ),
    )


def update_preview_reply(incident: Incident, text: str, next_by: datetime | None, now: datetime) -> Reply:
    """What would be posted, before it is."""
    due = f"Next update by {when(next_by, now)}." if next_by else "No further update is due."
    head = f"This goes to the channel{'' if incident.private else ' and the announcement thread'}. {due}"
    fits = len(text) <= 1500
    return Reply(
        head,
        (
            block_kit.section(head),
            block_kit.section(quoted(text)),
            block_kit.actions(
                block_kit.button(
                    "Post", "inc:update-post", encode(UpdateValue(incident=incident.id, text=text)), style="primary"
                )
                if fits
                else None,
                block_kit.button(
                    "Edit", "inc:update-form", encode(UpdateValue(incident=incident.id, text=text[:1500]))
                ),
            ),
        ),
    )


def done_despite_reply(text: str, value: ReadingValue) -> Reply:
    """The step's reading is not ok: ask before the step counts as done."""
    despite = block_kit.button(words.DONE_DESPITE, "inc:tick-despite", encode(value))
    return Reply(text, (block_kit.section(text), block_kit.actions(despite)))


def open_form_reply(label: str, text: str, said: str) -> Reply:
    """Where no form can be opened (a mention in a thread): a button that opens it."""
    return Reply(
        text,
        (
            block_kit.section(text),
            block_kit.actions(block_kit.button(label, "inc:again:0", encode(TypedValue(text=said)))),
        ),
    )


def reply_payload(answer: Reply) -> dict[str, Any]:
    """The answer as Slack takes it."""
    body: dict[str, Any] = {"text": answer.text[:3900]}
    if answer.blocks:
        body["blocks"] = [dict(block) for block in answer.blocks]
    return body


async def respond(call: Request, answer: Reply) -> None:
    """Say it to this person alone, after the acknowledgement: by the response_url, else ephemerally, else directly.

    Never raises: an answer that does not arrive is logged, and `status` says the same.
    """
    body = reply_payload(answer)
    if call.response_url and await _by_url(call, body):
        return
    client = call.services.client
    try:
        if call.channel:
            extra: dict[str, Any] = {"thread_ts": call.thread_ts} if call.thread_ts else {}
            try:
                await api_call(
                    client, "chat.postEphemeral", channel=call.channel, user=call.actor.user, **extra, **body
                )
                return
            except CallRefused:
                pass  # not a member there, or no such channel: directly then
        direct = await call.services.room.direct(call.actor.user)
        await api_call(client, "chat.postMessage", channel=direct, unfurl_links=False, **body)
    except (CallRefused, RetryAfter, OutcomeUnknown) as error:
        log.warning("answer.lost", user=call.actor.user, error=str(error))


def _slacks(url: str, api: str) -> bool:
    """Whether an address is Slack's own (in a test: beside the Web API). A form's metadata carries it back to us."""
    try:
        found, ours = urlsplit(url), urlsplit(api)
    except ValueError:
        return False
    if found.scheme == "https" and found.hostname in ("hooks.slack.com", "hooks.slack-gov.com"):
        return True
    return (found.scheme, found.netloc) == (ours.scheme, ours.netloc)


async def _by_url(call: Request, body: dict[str, Any]) -> bool:
    session = call.services.client.session
    if session is None or not _slacks(call.response_url, call.services.client.base_url):
        return False
    payload = {"response_type": "ephemeral", "replace_original": False, **body}
    try:
        async with session.post(
            call.response_url,
            data=json.dumps(payload),
            headers={"Content-Type": "application/json; charset=utf-8"},
            allow_redirects=False,
        ) as answer:
            # "ok" in words, or a JSON that says why not ("used_url", "expired_url"), with 404 or with 200
            return answer.status == 200 and block_kit.decode_value(await answer.text()).get("ok") is not False
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False


async def respond_after_ack(call: Request, answer: Reply | None) -> None:
    """After the acknowledgement: the private answer, and what was left for later. Never raises."""
    try:
        if answer is not None:
            await respond(call, answer)
        await asyncio.gather(*(work() for work in call.after_ack_jobs))
    except Exception as error:
        log.error("after.failed", exc_info=error)
