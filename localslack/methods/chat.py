"""chat.*: posting, changing and deleting messages."""

from __future__ import annotations

import json
from typing import Any

from localslack import blocks as kit
from localslack import messages, request_parsing
from localslack.errors import SlackError
from localslack.methods.request import Method, Request
from localslack.objects import message_object
from localslack.records import Channel, Json

MAX_TEXT_CHARS = 40_000  # SR-MSG-01
MAX_UPDATE_CHARS = 4_000  # SR-MSG-02
MAX_ATTACHMENTS = 100  # SR-MSG-04
METADATA_BYTES = 8_000  # SR-MSG-08


def checked_blocks(request: Request) -> list[Json] | None:
    """The checked blocks; None where the argument is missing."""
    given = request.json("blocks", "invalid_blocks_format")
    if given is None:
        return None
    if not isinstance(given, list):
        raise SlackError("invalid_blocks_format")
    problems = kit.problems(given, "message")
    if problems:
        raise _refused(problems)
    return given


def _refused(problems: list[str]) -> SlackError:
    messages = [f"[ERROR] {each}" for each in problems]
    return SlackError(kit.code(problems), errors=problems, response_metadata={"messages": messages})


def _attachments(request: Request) -> list[Json] | None:
    attachments = request.json("attachments", "invalid_attachments")
    if attachments is None:
        return None
    if not isinstance(attachments, list) or not all(isinstance(each, dict) for each in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > MAX_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    attachments = [each for each in attachments if each]
    for index, attachment in enumerate(attachments):
        problems = (
            kit.problems(attachment["blocks"], "message", f"attachments/{index}/blocks")
            if attachment.get("blocks")
            else []
        )
        if problems:
            raise _refused(problems)
    return attachments


def metadata(request: Request) -> Json | None:
    """SR-MSG-07: event_type and a flat (or one level deep) event_payload. Raises SlackError."""
    given: Any = request.json("metadata", "invalid_metadata_format")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise SlackError("invalid_metadata_format")
    if not given:
        return {}
    kind, payload = given.get("event_type"), given.get("event_payload")
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict):
        raise SlackError("invalid_metadata_format")
    if any(isinstance(deep, (dict, list)) for value in payload.values() for deep in _inside(value)):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(given)) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return {"event_type": kind, "event_payload": payload}


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return [deep for each in value for deep in (each.values() if isinstance(each, dict) else [each])]
    return []


def direct(request: Request, user: str) -> Channel | None:
    """The direct message with a person, by that person's id; None where it is nobody's (SR-MSG-20)."""
    world = request.world
    if not user.startswith(("U", "W")) or user not in world.users:
        return None
    if world.users[user].is_bot:
        raise SlackError("cannot_dm_bot")
    return world.direct(world.bot.id, user)


def where(request: Request) -> Channel:
    """Where to post: a channel id, a name (posting takes names too), or a person's id for a direct message."""
    world = request.world
    name = request.text("channel")
    channel = direct(request, name)
    if channel is not None:
        return channel
    channel = world.channels.get(name) or world.channels.get(world.names.get(name.removeprefix("#"), ""))
    if channel is None or not world.visible(channel, request.caller):
        raise SlackError("channel_not_found")
    return channel


def content(request: Request) -> tuple[str, list[Json], list[Json]]:
    """(text, blocks, attachments) of a new message. Raises SlackError (SR-MSG-03, SR-MSG-05, SR-MSG-06)."""
    text = request.text("text")
    given, attachments = checked_blocks(request) or [], _attachments(request) or []
    markdown = request.text("markdown_text")
    if markdown:
        if text or given:
            raise SlackError("markdown_text_conflict")
        if len(markdown) > kit.MAX_MARKDOWN_CHARS:
            raise SlackError("msg_too_long")
        return markdown, [{"type": "markdown", "text": markdown}], attachments
    if not text.strip() and not given and not attachments:
        raise SlackError("no_text")
    if not text and given:
        # What Slack shows where a program gave blocks without a text.
        text = "This content can't be displayed."
    return text[:MAX_TEXT_CHARS], given, attachments


def thread(request: Request, channel: Channel) -> str | None:
    """The thread to post into; None for a top-level message (SR-MSG-18).

    A parent that does not exist or was deleted is no error: Slack posts at top level, and the answer's message has no
    thread_ts (slack-go#1571).
    """
    thread_ts = request.text("thread_ts")
    parent = channel.by_ts.get(thread_ts)
    if parent is None or parent.ephemeral or (parent.deleted and not parent.replies):
        return None
    # A reply to a reply lands in the thread of its parent.
    return parent.thread_ts or thread_ts


def post_message(request: Request) -> Json:
    """SR-MSG-14, SR-MSG-15; a `client_msg_id` among the arguments changes nothing (SR-MSG-12)."""
    channel = where(request)
    text, blocks, attachments = content(request)
    told = metadata(request)
    if channel.is_archived:
        raise SlackError("is_archived")
    if request.caller.id not in channel.members and "chat:write.public" not in request.granted:
        raise SlackError("not_in_channel")
    message = messages.post(
        request.world, channel, request.caller, text, blocks=blocks, attachments=attachments,
        thread_ts=thread(request, channel), metadata=told or None, broadcast=request.flag("reply_broadcast"),
    )  # fmt: skip
    shown = message_object(request.world, message, metadata=True)
    answer = {"channel": channel.id, "ts": message.ts, "message": shown}
    if len(request.text("text")) > MAX_TEXT_CHARS:
        request_parsing.warn(answer, ["message_truncated"])
    return answer


def post_ephemeral(request: Request) -> Json:
    """SR-MSG-10."""
    channel = request.channel(live=True)
    user = request.world.users.get(request.text("user"))
    if user is None:
        raise SlackError("user_not_in_channel")
    text, blocks, attachments = content(request)
    if request.caller.id not in channel.members:
        raise SlackError("not_in_channel")
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    if len(request.text("text")) > MAX_TEXT_CHARS:
        raise SlackError("msg_too_long")
    message = messages.post(
        request.world, channel, request.caller, text, blocks=blocks, attachments=attachments,
        thread_ts=thread(request, channel), only_for=user.id,
    )  # fmt: skip
    return {"message_ts": message.ts}


def update(request: Request) -> Json:
    """SR-MSG-11, SR-MSG-14, SR-MSG-16."""
    channel = request.channel()
    message = request.message(channel)
    if channel.is_archived:
        raise SlackError("is_inactive")
    if message.user != request.caller.id:
        raise SlackError("cant_update_message")
    given, attachments = checked_blocks(request), _attachments(request)
    text = None if request.args.get("text") is None else request.text("text")
    markdown = request.text("markdown_text")
    if markdown:
        if text or given:
            raise SlackError("markdown_text_conflict")
        text, given = markdown, [{"type": "markdown", "text": markdown}]
    if text is not None and len(text) > (kit.MAX_MARKDOWN_CHARS if markdown else MAX_UPDATE_CHARS):
        raise SlackError("msg_too_long")
    if not text and given is None and attachments is None:
        raise SlackError("no_text")
    if text and given is None:
        # SR-MSG-19: "If the text argument is provided and blocks are not provided, the blocks will be removed".
        given = []
    messages.edit(
        request.world, message, request.caller, text=text, blocks=given, attachments=attachments,
        metadata=metadata(request),
    )  # fmt: skip
    shown = message_object(request.world, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def delete(request: Request) -> Json:
    channel = request.channel()
    message = request.message(channel)
    if message.user != request.caller.id:
        raise SlackError("cant_delete_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    messages.erase(request.world, message)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(request: Request) -> Json:
    channel = request.channel()
    message = request.message(channel, "message_ts")
    link = f"{request.world.url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS = {
    "chat.postMessage": Method(post_message, ("chat:write",), 0, required=("channel",)),
    "chat.postEphemeral": Method(post_ephemeral, ("chat:write",), 4, required=("channel", "user")),
    "chat.update": Method(update, ("chat:write",), 3, required=("channel", "ts")),
    "chat.delete": Method(delete, ("chat:write",), 3, required=("channel", "ts")),
    "chat.getPermalink": Method(get_permalink, (), 0, required=("channel", "message_ts")),
}
