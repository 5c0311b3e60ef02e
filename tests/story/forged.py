"""Deliveries that nobody's client would make, signed as Slack signs: another incident's id, another channel, junk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localslack import Person, payloads
from localslack.delivery import Ack
from tests.world import World

#: what somebody may have filled in: block id of every form -> the state of its element
FILLED: dict[str, dict[str, Any]] = {
    **{
        name: {"type": "plain_text_input", "value": "so"}
        for name in (
            "title", "summary", "text", "impact", "tried", "reason", "count", "amount", "evidence", "result", "note",
            "override", "state", "paused", "next", "what", "since", "next_update",
        )
    },
    "to": {"type": "users_select", "selected_user": "U01BENOKAFO"},
    "watcher": {"type": "users_select", "selected_user": "U01BENOKAFO"},
    "until": {"type": "datetimepicker", "selected_date_time": 4_000_000_000},
    "severity": {"type": "static_select", "selected_option": {"value": "sev3"}},
}  # fmt: skip


class Forger:
    """Somebody at whose name deliveries arrive. Each act answers with what the bot's acknowledgement held."""

    def __init__(self, world: World, who: str) -> None:
        self.world, self.me = world, world.person(who)

    async def command(self, text: str, channel: str) -> str:
        """A slash command from any channel."""
        place = self.world.slack.channel(channel)
        fields = payloads.command(self.world.slack.interactivity, self.me.user, place, "/incident", text)
        return await self._answer(await self.world.slack.delivery.command(fields))

    async def click(
        self, action_id: str, value: str, channel: str, *, view: Mapping[str, Any] | None = None, block_id: str = "b"
    ) -> str:
        """A click on a button that carries `value`: of a message in any channel, or of a form."""
        world = self.world.slack.world
        place = self.world.slack.channel(channel)
        action = {
            "type": "button", "action_id": action_id, "block_id": block_id, "value": value, "action_ts": world.new_ts(),
        }  # fmt: skip
        return await self._interaction("block_actions", [action], place.id, view)

    async def tick(self, action_id: str, value: str, channel: str, block_id: str = "step:x:1.1:0") -> str:
        """A box ticked (`value`), or cleared (no value), in a message of any channel."""
        chosen = [{"value": value, "text": {"type": "plain_text", "text": "x"}}] if value else []
        action = {
            "type": "checkboxes", "action_id": action_id, "block_id": block_id, "selected_options": chosen,
            "action_ts": self.world.slack.world.new_ts(),
        }  # fmt: skip
        return await self._interaction("block_actions", [action], self.world.slack.channel(channel).id, None)

    async def submit(self, callback_id: str, meta: str, filled: Mapping[str, Any] | None = None) -> str:
        """A form handed in, with any private_metadata and anything filled in."""
        state = {block: {"value": element} for block, element in (FILLED if filled is None else filled).items()}
        view = self._view(callback_id, meta) | {"state": {"values": state}}
        return await self._interaction("view_submission", [], "", view)

    def _view(self, callback_id: str, meta: str) -> dict[str, Any]:
        element = {"type": "plain_text_input", "action_id": "value"}
        block = {"type": "input", "block_id": "text", "element": element}
        return {
            "id": self.world.slack.world.new_id("V"), "hash": "1.x", "type": "modal", "callback_id": callback_id,
            "private_metadata": meta, "blocks": [block], "app_installed_team_id": self.world.slack.team_id,
            "previous_view_id": None,
        }  # fmt: skip

    async def in_form(self, action_id: str, value: str, meta: str) -> str:
        """A click inside a form that remembers `meta`."""
        return await self.click(action_id, value, "#general", view=self._view("inc:list", meta))

    async def shortcut(self, callback_id: str, channel: str, ts: str = "1.1") -> str:
        """A message shortcut, on any message of any channel."""
        message = {"ts": ts, "text": "hello", "user": self.me.id, "type": "message"}
        payload = self._start("message_action", self.world.slack.channel(channel).id) | {
            "callback_id": callback_id, "action_ts": self.world.slack.world.new_ts(), "message": message,
            "message_ts": ts,
        }  # fmt: skip
        return await self._answer(await self.world.slack.delivery.interaction(payload))

    async def forms(self, but: str) -> str:
        """What stands in the forms that opened, closed now; `but` stood in the forged delivery itself."""
        found = json.dumps(self.me.views, ensure_ascii=False).replace(but, "…")
        while self.me.view is not None:
            await self.me.close_view()
        return found

    async def event(self, event: Mapping[str, Any]) -> None:
        """An event of the Events API."""
        self.world.slack.delivery.event(dict(event), None)
        await self.world.settle()

    def _start(self, kind: str, channel: str) -> dict[str, Any]:
        slack, user = self.world.slack, self.me.user
        found: dict[str, Any] = {
            "type": kind, "team": {"id": slack.team_id, "domain": "sandbox"}, "api_app_id": slack.app_id,
            "user": {"id": user.id, "username": user.handle, "name": user.handle, "team_id": slack.team_id},
            "token": "t", "trigger_id": slack.interactivity.new_trigger(user.id), "is_enterprise_install": False,
            "enterprise": None,
        }  # fmt: skip
        if channel:
            found["channel"] = {"id": channel, "name": "somewhere"}
            found["response_url"] = slack.interactivity.new_response_url(user.id, channel)
        return found

    async def _interaction(
        self, kind: str, actions: list[dict[str, Any]], channel: str, view: Mapping[str, Any] | None
    ) -> str:
        payload = self._start(kind, "" if view else channel)
        if actions:
            payload["actions"] = actions
        if view:
            payload |= {"view": dict(view), "container": {"type": "view", "view_id": view["id"]}}
            payload |= {"response_urls": []} if kind == "view_submission" else {}
        else:
            container = {"type": "message", "message_ts": "1.1", "channel_id": channel, "is_ephemeral": False}
            payload |= {"container": container, "message": {"ts": "1.1", "team": self.world.slack.team_id}}
        return await self._answer(await self.world.slack.delivery.interaction(payload))

    async def _answer(self, ack: Ack) -> str:
        await self.world.settle()
        assert ack.ok, ack
        return json.dumps(ack.body, ensure_ascii=False) if ack.body else ""


def everything_seen_by(world: World, person: Person) -> str:
    """All that this person can read anywhere: channels, private answers wherever they stand, forms, notifications."""
    seen = [note.text for note in person.notifications] + [json.dumps(one) for one in person.views]
    seen.append(json.dumps(person.home))
    for channel in world.slack.channels:
        visible = world.slack.world.visible(channel, person.user)
        if visible:
            seen += [channel.name, channel.topic, channel.purpose, *(one.title for one in channel.bookmarks)]
        for one in channel.by_ts.values():
            if one.only_for == person.id or (visible and one.only_for is None and not one.deleted):
                seen += [one.plain, one.text, json.dumps(one.blocks, ensure_ascii=False)]
    return "\n".join(map(str, seen))
