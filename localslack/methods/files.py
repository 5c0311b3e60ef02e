"""files.*: the two-step upload (docs: messaging/working-with-files) and looking a file up."""

from __future__ import annotations

import mimetypes

from localslack import messages
from localslack.errors import SlackError, invalid_arguments
from localslack.methods import chat
from localslack.methods.request import Method, Request
from localslack.objects import file_object
from localslack.records import Channel, File, Json

MAX_ALT_TEXT_CHARS = 1_000  # SR-FIL-06
MAX_FILE_CHANNELS = 100  # SR-FIL-07


def get_upload_url(request: Request) -> Json:
    """SR-FIL-06."""
    name = request.text("filename")
    length = request.number("length", 0, 1 << 30)
    if not length:
        raise SlackError("missing_argument")
    if len(request.text("alt_txt")) > MAX_ALT_TEXT_CHARS:
        raise SlackError("alt_txt_too_large")
    world = request.world
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = File(world.new_id("F"), name, name, length, request.caller.id, world.seconds(), kind)
    world.files[file.id] = file
    ticket = world.hex(40)
    request.interactivity.uploads[ticket] = file.id
    return {"upload_url": f"{world.url}/upload/v1/{ticket}", "file_id": file.id}


def complete_upload(request: Request) -> Json:
    wanted = request.json("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise invalid_arguments("must provide an array of objects [json-pointer:/files]")
    found = [_uploaded(request, each) for each in wanted]
    channels = _channels(request)
    comment = request.text("initial_comment")
    # SR-FIL-07: where there is a comment, blocks are ignored.
    blocks = [] if comment else chat.checked_blocks(request) or []
    for file, title in found:
        file.title = title or file.name
        file.completed = True
    shown = [file_object(request.world, file) for file, _ in found]
    for channel in channels:
        _share(request, channel, [file for file, _ in found], comment, blocks)
    return {"files": shown}


def _uploaded(request: Request, wanted: Json) -> tuple[File, str]:
    if not isinstance(wanted, dict):
        raise invalid_arguments("must provide an array of objects [json-pointer:/files]")
    file = request.world.files.get(str(wanted.get("id")))
    if file is None or file.content is None or file.completed:
        raise SlackError("file_not_found")
    return file, str(wanted.get("title") or "")


def _channels(request: Request) -> list[Channel]:
    """SR-FIL-03, SR-FIL-07: by `channel_id`, or several by `channels`, where a person stands for a direct message."""
    names = request.names("channels") or request.names("channel_id")
    if len(names) > MAX_FILE_CHANNELS:
        raise SlackError("channels_limit_exceeded")
    channels = []
    for name in names:
        channel = chat.direct(request, name) if request.args.get("channels") else None
        channel = channel or request.world.channels.get(name)
        if channel is None or not request.world.visible(channel, request.caller):
            raise SlackError("channel_not_found")
        if request.caller.id not in channel.members:
            raise SlackError("not_in_channel")
        if channel.is_archived:
            raise SlackError("is_archived")
        channels.append(channel)
    return channels


def _share(request: Request, channel: Channel, files: list[File], comment: str, blocks: list[Json]) -> None:
    thread = chat.thread(request, channel)
    message = messages.post(
        request.world, channel, request.caller, comment, blocks=blocks, thread_ts=thread,
        files=[file_object(request.world, file) for file in files],
    )  # fmt: skip
    for file in files:
        where = {"channel": file.channels, "group": file.groups}.get(channel.kind, file.ims)
        where.append(channel.id)
        share: Json = {"ts": message.ts, "channel_name": channel.name, "team_id": request.world.team_id}
        if thread:
            share["thread_ts"] = thread
        file.shares.setdefault(channel.id, []).append(share)


def _file(request: Request) -> File:
    """SR-FIL-04."""
    which = request.text("file")
    if which in request.interactivity.deleted_files:
        raise SlackError("file_deleted")
    file = request.world.files.get(which)
    if file is None:
        raise SlackError("file_not_found")
    return file


def info(request: Request) -> Json:
    file = _file(request)
    if not file.completed:
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
    file = _file(request)
    if file.user != request.caller.id:
        raise SlackError("cant_delete_file")
    del world.files[file.id]
    request.interactivity.deleted_files.add(file.id)
    for channel_id in file.shares:
        for message in world.channels[channel_id].messages:
            if any(one["id"] == file.id for one in message.files):
                left = [{"id": file.id, "mode": "tombstone"} if one["id"] == file.id else one for one in message.files]
                if message.text or message.blocks or any(one.get("mode") != "tombstone" for one in left):
                    messages.edit(world, message, request.caller, files=left)
                else:
                    messages.erase(world, message)
    return {}


METHODS = {
    "files.getUploadURLExternal": Method(get_upload_url, ("files:write",), 4, required=("filename", "length")),
    "files.completeUploadExternal": Method(complete_upload, ("files:write",), 4, required=("files",)),
    "files.delete": Method(delete, ("files:write",), 3, required=("file",)),
    "files.info": Method(info, ("files:read",), 4, required=("file",)),
}
