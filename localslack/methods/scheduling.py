"""chat.scheduleMessage and its like: messages for later, posted when the workspace's clock comes there."""

from __future__ import annotations

from localslack import messages
from localslack.errors import SlackError
from localslack.interactivity import Scheduled
from localslack.methods import chat
from localslack.methods.request import Method, Request
from localslack.records import Channel, Json

MAX_AHEAD_SECONDS = 120 * 86_400  # SR-SCH-02
WINDOW_SECONDS = 5 * 60
MAX_IN_WINDOW = 30  # SR-SCH-03
TOO_LATE_SECONDS = 60  # SR-SCH-04


def schedule(request: Request) -> Json:
    channel = chat.where(request)
    text, blocks, attachments = chat.content(request)
    if channel.is_archived:
        raise SlackError("is_archived")
    if request.caller.id not in channel.members and "chat:write.public" not in request.granted:
        raise SlackError("not_in_channel")
    post_at = _post_at(request, channel)
    world, interactivity = request.world, request.interactivity
    # SR-SCH-05
    one = Scheduled(world.new_id("Q"), channel.id, post_at, world.seconds(), text, chat.metadata(request) is None)
    interactivity.scheduled[one.id] = one
    thread = chat.thread(request, channel)

    async def later() -> None:
        await world.clock.until(one.post_at)
        if interactivity.scheduled.pop(one.id, None) is None or not one.posts or channel.is_archived:
            return
        messages.post(
            world, channel, request.caller, text, blocks=blocks, attachments=attachments, thread_ts=thread,
            broadcast=request.flag("reply_broadcast"),
        )  # fmt: skip

    if interactivity.spawn is not None:
        interactivity.spawn(later())
    return {
        "channel": channel.id,
        "scheduled_message_id": one.id,
        "post_at": post_at,
        "message": _shown(request, text, blocks),
    }


def _shown(request: Request, text: str, blocks: list[Json]) -> Json:
    shown: Json = {"text": text, "bot_id": request.caller.bot_id, "type": "delayed_message", "subtype": "bot_message"}
    return shown | ({"blocks": blocks} if blocks else {})


def _post_at(request: Request, channel: Channel) -> int:
    """When to post (SR-SCH-01 to SR-SCH-03). Raises SlackError."""
    try:
        post_at = int(request.text("post_at"))
    except ValueError:
        raise SlackError("invalid_time") from None
    now = request.world.seconds()
    if post_at <= now:
        raise SlackError("time_in_past")
    if post_at > now + MAX_AHEAD_SECONDS:
        raise SlackError("time_too_far")
    times = [each.post_at for each in request.interactivity.scheduled.values() if each.channel == channel.id]
    if sum(post_at // WINDOW_SECONDS == each // WINDOW_SECONDS for each in times) >= MAX_IN_WINDOW:
        raise SlackError("restricted_too_many")
    return post_at


def delete_scheduled(request: Request) -> Json:
    """SR-SCH-04: not when it is posted already, or within the next minute."""
    channel = chat.where(request)
    one = request.interactivity.scheduled.get(request.text("scheduled_message_id"))
    if one is None or one.channel != channel.id or one.post_at - request.world.clock.now() <= TOO_LATE_SECONDS:
        raise SlackError("invalid_scheduled_message_id")
    del request.interactivity.scheduled[one.id]
    return {}


def list_scheduled(request: Request) -> Json:
    """What is still to be posted, soonest first (SR-SCH-06)."""
    where = request.text("channel")
    if where and where not in request.world.channels:
        raise SlackError("invalid_channel")
    oldest, latest = request.number("oldest", 0, 1 << 40), request.number("latest", 1 << 40, 1 << 40)
    rows = [
        {
            "id": one.id,
            "channel_id": one.channel,
            "post_at": one.post_at,
            "date_created": one.created,
            "text": one.text,
        }
        for one in sorted(request.interactivity.scheduled.values(), key=lambda each: each.post_at)
        if where in ("", one.channel) and oldest <= one.post_at <= latest
    ]
    page, cursor = request.page(rows, 100, 1000)
    return {"scheduled_messages": page, "response_metadata": {"next_cursor": cursor}}


METHODS = {
    "chat.scheduleMessage": Method(schedule, ("chat:write",), 3, required=("channel", "post_at")),
    "chat.deleteScheduledMessage": Method(
        delete_scheduled, ("chat:write",), 3, required=("channel", "scheduled_message_id")
    ),
    "chat.scheduledMessages.list": Method(list_scheduled, (), 3),
}
