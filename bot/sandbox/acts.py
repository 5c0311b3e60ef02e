"""What the page does as a person: one function per `do` of POST /_sandbox/act, in a literal table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from bot.sandbox import rooms, talk, words
from bot.sandbox.delivery import Ack
from bot.sandbox.errors import NotPossible
from bot.sandbox.people import Person
from bot.sandbox.records import Channel, Json, Message, User, View

if TYPE_CHECKING:
    from bot.sandbox.server import Sandbox

Act = Callable[["Sandbox", Person, Json], Awaitable[Json]]


def page_person(user: User) -> Json:
    """A person for the page."""
    return {
        "id": user.id,
        "handle": user.handle,
        "name": user.handle if user.is_bot else user.first_name,
        "real_name": user.real_name,
        "avatar_color": f"#{user.color}",
        "is_guest": user.is_guest,
        "is_bot": user.is_bot,
        "title": user.title,
        "tz": user.tz,
        "tz_offset": user.tz_offset,
    }


async def act(sandbox: Sandbox, body: Json) -> Json:
    """Do one thing as somebody. Raises NotPossible, KeyError for a missing field."""
    handler = ACTS.get(str(body.get("do")))
    if handler is None:
        raise NotPossible(f"nobody can do {body.get('do')!r}")
    user = sandbox.world.user(str(body["as"]))
    if user.is_bot:
        raise NotPossible("only people act here")
    return await handler(sandbox, sandbox.person(user.id), body)


def _acked(ack: Ack) -> Json:
    return {"failed": not ack.ok, "error": ack.error}


def _place(sandbox: Sandbox, person: Person, body: Json) -> Channel:
    channel = sandbox.world.channel(str(body["channel"]))
    if not sandbox.world.visible(channel, person.user):
        raise NotPossible(f"{person.handle} cannot see that channel")
    return channel


def _message(sandbox: Sandbox, person: Person, body: Json) -> Message:
    message = talk.need_message(sandbox.world, _place(sandbox, person, body), str(body["ts"]))
    if message.only_for not in (None, person.id):
        raise NotPossible("that message is for somebody else")
    return message


def _element(blocks: list[Json], body: Json) -> tuple[Json, Json]:
    for block, element in words.elements(blocks):
        if block.get("block_id") == body["block_id"] and element.get("action_id") == body["action_id"]:
            return block, element
    raise NotPossible("that element is no longer there")


def _surface(sandbox: Sandbox, person: Person, body: Json) -> Message | View:
    if body.get("view_id"):
        view = sandbox.world.view(str(body["view_id"]))
        if view is None or view.user != person.id:
            raise NotPossible("that form is closed")
        return view
    return _message(sandbox, person, body)


async def _command(sandbox: Sandbox, person: Person, body: Json) -> Json:
    """SR-INT-07: not in a thread."""
    if body.get("thread_ts"):
        name = str(body["text"]).split(" ")[0]
        raise NotPossible(f"{name} is not supported in threads")
    answer = await person.command(str(body["text"]), str(body["channel"]))
    return {"ok": answer.ok, "failed": answer.failed, "error": answer.error}


async def _post(sandbox: Sandbox, person: Person, body: Json) -> Json:
    return {"ts": await person.post(str(body["channel"]), str(body["text"]), body.get("thread_ts") or None)}


async def _use(sandbox: Sandbox, person: Person, body: Json) -> Json:
    """click (a button) and input (anything with a state): in a message, a modal or the Home tab."""
    surface = _surface(sandbox, person, body)
    blocks = surface.body["blocks"] if isinstance(surface, View) else surface.blocks
    block, element = _element(blocks, body)
    chosen: Any = body.get("state")
    if chosen is None and element["type"] == "overflow":
        action: Json = body.get("action") or {}
        chosen = {"selected_option": action.get("selected_option")}
    if chosen is not None:
        chosen = {"type": element["type"], **chosen}
    if isinstance(surface, View):
        return _acked(await sandbox.gestures.act_in_view(person.user, surface, block, element, chosen))
    return _acked(await sandbox.gestures.act_in_message(person.user, surface, block, element, chosen))


async def _suggest(sandbox: Sandbox, person: Person, body: Json) -> Json:
    surface = _surface(sandbox, person, body)
    blocks = surface.body["blocks"] if isinstance(surface, View) else surface.blocks
    block, element = _element(blocks, body)
    options = await sandbox.gestures.suggest(person.user, surface, block, element, str(body.get("value") or ""))
    return {"options": options}


async def _submit(sandbox: Sandbox, person: Person, body: Json) -> Json:
    view = _surface(sandbox, person, body)
    if not isinstance(view, View):
        raise NotPossible("only forms are submitted")
    for block, element in words.elements(view.body["blocks"]):
        given = (body.get("state") or {}).get(block["block_id"], {}).get(element.get("action_id"))
        if given is not None:
            view.state.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], **given}
    result = await sandbox.gestures.submit(person.user, view)
    return {"ok": result.ok, "errors": result.errors, "response_action": result.response_action,
            "failed": result.failed, "error": result.error}  # fmt: skip


async def _close_view(sandbox: Sandbox, person: Person, body: Json) -> Json:
    view = _surface(sandbox, person, body)
    if isinstance(view, View):
        await sandbox.gestures.close_view(person.user, view)
    return {}


async def _shortcut(sandbox: Sandbox, person: Person, body: Json) -> Json:
    message = _message(sandbox, person, body) if body.get("ts") else None
    return _acked(await sandbox.gestures.shortcut(person.user, str(body["callback_id"]), message))


async def _react(sandbox: Sandbox, person: Person, body: Json) -> Json:
    talk.react(sandbox.world, _message(sandbox, person, body), person.user, str(body["name"]))
    return {}


async def _unreact(sandbox: Sandbox, person: Person, body: Json) -> Json:
    talk.unreact(sandbox.world, _message(sandbox, person, body), person.user, str(body["name"]))
    return {}


async def _join(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.join(str(body["channel"]))
    return {}


async def _leave(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.leave(str(body["channel"]))
    return {}


async def _mark_read(sandbox: Sandbox, person: Person, body: Json) -> Json:
    channel = _place(sandbox, person, body)
    channel.last_read[person.id] = next(reversed(channel.by_ts), "")
    shown = rooms.page_channel(sandbox.world, channel, person.id)
    sandbox.stream.tell({"type": "channel", "what": "unread", "channel": shown}, [person.id])
    return {"channel": shown}


async def _create_channel(sandbox: Sandbox, person: Person, body: Json) -> Json:
    channel = await person.create_channel(str(body["name"]).removeprefix("#"), bool(body.get("is_private")))
    return {"channel": channel}


async def _invite(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.invite(str(body["channel"]), str(body["user"]))
    return {}


async def _remove(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.remove(str(body["channel"]), str(body["user"]))
    return {}


async def _archive(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.archive(str(body["channel"]))
    return {}


async def _unarchive(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.unarchive(str(body["channel"]))
    return {}


async def _delete(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.delete(str(body["channel"]), str(body["ts"]))
    return {}


async def _edit(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.edit(str(body["channel"]), str(body["ts"]), str(body["text"]))
    return {}


async def _pin(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.pin(str(body["channel"]), str(body["ts"]))
    return {}


async def _open_dm(sandbox: Sandbox, person: Person, body: Json) -> Json:
    other = sandbox.world.user(str(body["user"]))
    channel = sandbox.world.direct(person.id, other.id)
    rooms.tell_channel(sandbox.world, channel, "created")
    return {"channel": rooms.page_channel(sandbox.world, channel, person.id)}


async def _open_home(sandbox: Sandbox, person: Person, body: Json) -> Json:
    await person.open_home()
    return {}


ACTS: dict[str, Act] = {
    "command": _command,
    "post": _post,
    "click": _use,
    "input": _use,
    "suggest": _suggest,
    "submit": _submit,
    "close_view": _close_view,
    "shortcut": _shortcut,
    "react": _react,
    "unreact": _unreact,
    "pin": _pin,
    "join": _join,
    "leave": _leave,
    "mark_read": _mark_read,
    "create_channel": _create_channel,
    "invite": _invite,
    "remove": _remove,
    "archive": _archive,
    "unarchive": _unarchive,
    "delete": _delete,
    "edit": _edit,
    "open_dm": _open_dm,
    "open_home": _open_home,
}
