"""files.*: the two-step upload (docs: messaging/working-with-files) and looking a file up."""

from __future__ import annotations

import mimetypes

from bot.sandbox import talk
from bot.sandbox.errors import SlackError
from bot.sandbox.methods import chat
from bot.sandbox.methods.request import Method, Request
from bot.sandbox.records import Channel, File, Json
from bot.sandbox.shapes import file_object


def get_upload_url(request: Request) -> Json:
    name = request.text("filename")
    length = request.number("length", 0, 1 << 30)
    if not name or not length:
        raise SlackError("invalid_arguments")
    world = request.world
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = File(world.new_id("F"), name, name, length, request.caller.id, world.seconds(), kind)
    world.files[file.id] = file
    ticket = world.hex(40)
    request.desk.uploads[ticket] = file.id
    return {"upload_url": f"{world.url}/upload/v1/{ticket}", "file_id": file.id}


def complete_upload(request: Request) -> Json:
    wanted = request.json("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise SlackError("invalid_arguments")
    found = [_uploaded(request, each) for each in wanted]
    channels = _channels(request)
    for file, title in found:
        file.title = title or file.name
        file.completed = True
    shown = [file_object(request.world, file) for file, _ in found]
    for channel in channels:
        _share(request, channel, [file for file, _ in found])
    return {"files": shown}


def _uploaded(request: Request, wanted: Json) -> tuple[File, str]:
    if not isinstance(wanted, dict):
        raise SlackError("invalid_arguments")
    file = request.world.files.get(str(wanted.get("id")))
    if file is None or file.content is None or file.completed:
        raise SlackError("file_not_found")
    return file, str(wanted.get("title") or "")


def _channels(request: Request) -> list[Channel]:
    """SR-FIL-03."""
    names = request.names("channels") or request.names("channel_id")
    channels = []
    for name in names:
        channel = request.world.channels.get(name)
        if channel is None or not request.world.visible(channel, request.caller):
            raise SlackError("channel_not_found")
        if request.caller.id not in channel.members:
            raise SlackError("not_in_channel")
        if channel.is_archived:
            raise SlackError("is_archived")
        channels.append(channel)
    return channels


def _share(request: Request, channel: Channel, files: list[File]) -> None:
    thread = chat.thread(request, channel)
    message = talk.post(
        request.world, channel, request.caller, request.text("initial_comment"), thread_ts=thread,
        files=[file_object(request.world, file) for file in files],
    )  # fmt: skip
    for file in files:
        where = {"channel": file.channels, "group": file.groups}.get(channel.kind, file.ims)
        where.append(channel.id)
        share: Json = {"ts": message.ts, "channel_name": channel.name, "team_id": request.world.team_id}
        if thread:
            share["thread_ts"] = thread
        file.shares.setdefault(channel.id, []).append(share)


def info(request: Request) -> Json:
    file = request.world.files.get(request.text("file"))
    if file is None or not file.completed:
        raise SlackError("file_not_found")
    shares: dict[str, dict[str, list[Json]]] = {}
    for channel_id, rows in file.shares.items():
        public = request.world.channels[channel_id].kind == "channel"
        shares.setdefault("public" if public else "private", {})[channel_id] = rows
    shown = file_object(request.world, file)
    shown |= {"shares": shares, "channels": file.channels, "groups": file.groups, "ims": file.ims, "comments_count": 0}
    return {"file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}


def delete(request: Request) -> Json:
    """SR-FIL-04, SR-FIL-05."""
    world = request.world
    file = world.files.get(request.text("file"))
    if file is None:
        raise SlackError("file_not_found")
    if file.user != request.caller.id:
        raise SlackError("cant_delete_file")
    del world.files[file.id]
    for channel_id in file.shares:
        for message in world.channels[channel_id].messages:
            if any(one["id"] == file.id for one in message.files):
                left = [{"id": file.id, "mode": "tombstone"} if one["id"] == file.id else one for one in message.files]
                if message.text or message.blocks or any(one.get("mode") != "tombstone" for one in left):
                    talk.edit(world, message, request.caller, files=left)
                else:
                    talk.erase(world, message)
    return {}


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",), 4, required=("filename",)),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",), 4),
    "files.delete": Method(delete, ("files:write",), 3, required=("file",)),
    "files.info": Method(info, ("files:read",), 4, required=("file",)),
}
