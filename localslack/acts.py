"""What the page and scripts do as a person: one function per `do` of POST /_sandbox/act, in a literal table.

The page names elements by their ids and gives their state, as Slack's own client does. A script may name them by what
stands on the screen: a button's `label`, a form's fields in `values`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from localslack import conversations, messages, plain_text
from localslack.delivery import Ack
from localslack.errors import NotPossible
from localslack.people import Person
from localslack.records import Channel, Json, Message, User, View
from localslack.user_actions import SubmitResult
from localslack.workspace import Workspace

Act = Callable[[Workspace, Person, Json], Awaitable[Json]]


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


async def act(here: Workspace, body: Json) -> Json:
    """Do one thing as somebody. Raises NotPossible, KeyError for a missing field."""
    handler = ACTS.get(str(body.get("do")))
    if handler is None:
        raise NotPossible(f"nobody can do {body.get('do')!r}; do is one of {', '.join(ACTS)}")
    user = here.world.user(str(body["as"]))
    if user.is_bot:
        raise NotPossible("only people act here")
    return await handler(here, here.person(user.id), body)


def _acked(ack: Ack) -> Json:
    return {"failed": not ack.ok, "error": ack.error}


def _place(here: Workspace, person: Person, body: Json) -> Channel:
    channel = here.world.channel(str(body["channel"]))
    if not here.world.visible(channel, person.user):
        raise NotPossible(f"{person.handle} cannot see that channel")
    return channel


def _message(here: Workspace, person: Person, body: Json) -> Message:
    message = messages.need_message(here.world, _place(here, person, body), str(body["ts"]))
    if message.only_for not in (None, person.id):
        raise NotPossible("that message is for somebody else")
    return message


def _element(blocks: list[Json], body: Json) -> tuple[Json, Json]:
    for block, element in plain_text.elements(blocks):
        if block.get("block_id") == body["block_id"] and element.get("action_id") == body["action_id"]:
            return block, element
    raise NotPossible("that element is no longer there")


def _surface(here: Workspace, person: Person, body: Json) -> Message | View:
    if body.get("view_id"):
        view = here.world.view(str(body["view_id"]))
        if view is None or view.user != person.id:
            raise NotPossible("that form is closed")
        return view
    return _message(here, person, body)


async def _command(here: Workspace, person: Person, body: Json) -> Json:
    """SR-INT-07: not in a thread."""
    if body.get("thread_ts"):
        name = str(body["text"]).split(" ")[0]
        raise NotPossible(f"{name} is not supported in threads")
    answer = await person.command(str(body["text"]), str(body["channel"]))
    return {"ok": answer.ok, "failed": answer.failed, "error": answer.error}


async def _post(here: Workspace, person: Person, body: Json) -> Json:
    return {"ts": await person.post(str(body["channel"]), str(body["text"]), body.get("thread_ts") or None)}


async def _use(here: Workspace, person: Person, body: Json) -> Json:
    """click (a button) and input (anything with a state): in a message, a modal or the Home tab."""
    surface = _surface(here, person, body)
    blocks = surface.body["blocks"] if isinstance(surface, View) else surface.blocks
    block, element = _element(blocks, body)
    chosen: Any = body.get("state")
    if chosen is None and element["type"] == "overflow":
        action: Json = body.get("action") or {}
        chosen = {"selected_option": action.get("selected_option")}
    if chosen is not None:
        chosen = {"type": element["type"], **chosen}
    if isinstance(surface, View):
        return _acked(await here.user_actions.act_in_view(person.user, surface, block, element, chosen))
    return _acked(await here.user_actions.act_in_message(person.user, surface, block, element, chosen))


async def _click(here: Workspace, person: Person, body: Json) -> Json:
    """A button: by its ids, or by its label (in the topmost form, where no message is named)."""
    if "label" not in body:
        return await _use(here, person, body)
    if not body.get("ts"):
        return _acked(await person.click_in_view(str(body["label"]), view=body.get("view_id")))
    where = {"channel": str(body["channel"]), "block_id": body.get("block_id")}
    return _acked(await person.click(str(body["ts"]), body.get("action_id"), str(body["label"]), **where))


async def _tick(here: Workspace, person: Person, body: Json) -> Json:
    """A checkbox by its label, the words beside it, or its ids; `on` false takes the tick away."""
    wanted = {key: body.get(key) for key in ("label", "block_id", "action_id", "value")}
    on = bool(body.get("on", True))
    if not body.get("ts"):
        return _acked(await person.tick_in_view(**wanted, on=on, view=body.get("view_id")))
    return _acked(await person.tick(str(body["ts"]), **wanted, on=on, channel=str(body["channel"])))


async def _select(here: Workspace, person: Person, body: Json) -> Json:
    """A choice in a message: `value` is an option's value or words, a handle, a date …"""
    where = {"channel": str(body["channel"]), "block_id": body.get("block_id")}
    return _acked(await person.select(str(body["ts"]), str(body["action_id"]), body["value"], **where))


async def _fill(here: Workspace, person: Person, body: Json) -> Json:
    """Fields of a form by label, block_id or action_id, without submitting it."""
    await person.fill(dict(body["values"]), body.get("view_id"))
    return {}


async def _suggest(here: Workspace, person: Person, body: Json) -> Json:
    surface = _surface(here, person, body)
    blocks = surface.body["blocks"] if isinstance(surface, View) else surface.blocks
    block, element = _element(blocks, body)
    options = await here.user_actions.suggest(person.user, surface, block, element, str(body.get("value") or ""))
    return {"options": options}


async def _submit(here: Workspace, person: Person, body: Json) -> Json:
    """With `state` as Slack has it, or with `values` as _fill takes them; without view_id the topmost form."""
    if "view_id" not in body or "values" in body:
        result = await person.submit(dict(body.get("values") or {}), body.get("view_id"))
        return _submitted(result)
    view = _surface(here, person, body)
    if not isinstance(view, View):
        raise NotPossible("only forms are submitted")
    for block, element in plain_text.elements(view.body["blocks"]):
        given = (body.get("state") or {}).get(block["block_id"], {}).get(element.get("action_id"))
        if given is not None:
            view.state.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], **given}
    return _submitted(await here.user_actions.submit(person.user, view))


def _submitted(result: SubmitResult) -> Json:
    return {"ok": result.ok, "errors": result.errors, "response_action": result.response_action,
            "failed": result.failed, "error": result.error}  # fmt: skip


async def _close_view(here: Workspace, person: Person, body: Json) -> Json:
    """The form with this id, or the topmost."""
    await person.close_view(body.get("view_id"))
    return {}


async def _shortcut(here: Workspace, person: Person, body: Json) -> Json:
    message = _message(here, person, body) if body.get("ts") else None
    return _acked(await here.user_actions.shortcut(person.user, str(body["callback_id"]), message))


async def _react(here: Workspace, person: Person, body: Json) -> Json:
    messages.react(here.world, _message(here, person, body), person.user, str(body["name"]))
    return {}


async def _unreact(here: Workspace, person: Person, body: Json) -> Json:
    messages.unreact(here.world, _message(here, person, body), person.user, str(body["name"]))
    return {}


async def _join(here: Workspace, person: Person, body: Json) -> Json:
    await person.join(str(body["channel"]))
    return {}


async def _leave(here: Workspace, person: Person, body: Json) -> Json:
    await person.leave(str(body["channel"]))
    return {}


async def _mark_read(here: Workspace, person: Person, body: Json) -> Json:
    channel = _place(here, person, body)
    channel.last_read[person.id] = next(reversed(channel.by_ts), "")
    shown = conversations.page_channel(here.world, channel, person.id)
    here.world.tell({"type": "channel", "what": "unread", "channel": shown}, [person.id])
    return {"channel": shown}


async def _create_channel(here: Workspace, person: Person, body: Json) -> Json:
    channel = await person.create_channel(str(body["name"]).removeprefix("#"), bool(body.get("is_private")))
    return {"channel": channel}


async def _invite(here: Workspace, person: Person, body: Json) -> Json:
    await person.invite(str(body["channel"]), str(body["user"]))
    return {}


async def _remove(here: Workspace, person: Person, body: Json) -> Json:
    await person.remove(str(body["channel"]), str(body["user"]))
    return {}


async def _archive(here: Workspace, person: Person, body: Json) -> Json:
    await person.archive(str(body["channel"]))
    return {}


async def _unarchive(here: Workspace, person: Person, body: Json) -> Json:
    await person.unarchive(str(body["channel"]))
    return {}


async def _delete(here: Workspace, person: Person, body: Json) -> Json:
    await person.delete(str(body["channel"]), str(body["ts"]))
    return {}


async def _edit(here: Workspace, person: Person, body: Json) -> Json:
    await person.edit(str(body["channel"]), str(body["ts"]), str(body["text"]))
    return {}


async def _pin(here: Workspace, person: Person, body: Json) -> Json:
    await person.pin(str(body["channel"]), str(body["ts"]))
    return {}


async def _unpin(here: Workspace, person: Person, body: Json) -> Json:
    await person.unpin(str(body["channel"]), str(body["ts"]))
    return {}


async def _rename(here: Workspace, person: Person, body: Json) -> Json:
    await person.rename(str(body["channel"]), str(body["name"]).removeprefix("#"))
    return {}


async def _delete_channel(here: Workspace, person: Person, body: Json) -> Json:
    await person.delete_channel(str(body["channel"]))
    return {}


async def _open_dm(here: Workspace, person: Person, body: Json) -> Json:
    other = here.world.user(str(body["user"]))
    channel = here.world.direct(person.id, other.id)
    conversations.tell_channel(here.world, channel, "created")
    return {"channel": conversations.page_channel(here.world, channel, person.id)}


async def _open_home(here: Workspace, person: Person, body: Json) -> Json:
    await person.open_home()
    return {}


ACTS: dict[str, Act] = {
    "command": _command,
    "post": _post,
    "click": _click,
    "tick": _tick,
    "select": _select,
    "input": _use,
    "fill": _fill,
    "suggest": _suggest,
    "submit": _submit,
    "close_view": _close_view,
    "shortcut": _shortcut,
    "react": _react,
    "unreact": _unreact,
    "pin": _pin,
    "unpin": _unpin,
    "join": _join,
    "leave": _leave,
    "mark_read": _mark_read,
    "create_channel": _create_channel,
    "invite": _invite,
    "remove": _remove,
    "archive": _archive,
    "unarchive": _unarchive,
    "rename": _rename,
    "delete_channel": _delete_channel,
    "delete": _delete,
    "edit": _edit,
    "open_dm": _open_dm,
    "open_home": _open_home,
}
