"""A person at the keyboard: what tests and the page do as somebody, by the words that are on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localslack import conversations, forms, messages, plain_text, views
from localslack.delivery import Ack
from localslack.element_lookup import find_box, find_element, find_input
from localslack.errors import NotPossible
from localslack.records import Channel, Json, Message, User, View
from localslack.user_actions import Answer, SubmitResult, UserActions


@dataclass(frozen=True)
class Notification:
    """A notification as Slack would give it: of a new message, never of an edit. Unpacks to (message_ts, reason)."""

    message_ts: str
    reason: str
    channel: str
    text: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.message_ts, self.reason))


class Person:
    """Somebody of the workspace. Every act raises NotPossible where Slack's client would not offer it."""

    def __init__(self, user_actions: UserActions, user: User) -> None:
        self._user_actions = user_actions
        self._world = user_actions.world
        self.user = user

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def handle(self) -> str:
        return self.user.handle

    # --- saying things -----------------------------------------------------------------------------------------

    async def command(self, line: str, channel: str = "#general") -> Answer:
        """Type a slash command into a channel's composer; its answer is what came back within 3 seconds."""
        return await self._user_actions.command(self.user, self._channel(channel), line)

    async def post(self, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Say something; the message's ts. `@handle`, `@group` and `#channel` become mentions."""
        return self._user_actions.post(self.user, self._channel(channel), text, thread_ts).ts

    async def dm(self, who: str, text: str) -> str:
        """Write to somebody directly (a handle, or the bot's)."""
        channel = self._world.direct(self.id, self._find_user(who).id)
        return self._user_actions.post(self.user, channel, text).ts

    # --- elements of messages ----------------------------------------------------------------------------------

    async def click(
        self,
        message: Message | str,
        action_id: str | None = None,
        label: str | None = None,
        channel: str | None = None,
        block_id: str | None = None,
    ) -> Ack:
        """Press a button of a message, found by action_id or by its words."""
        found = self._message(message, channel)
        block, element = find_element(
            found.blocks, ("button", "workflow_button", "icon_button"), action_id, label, block_id
        )
        return await self._user_actions.act_in_message(self.user, found, block, element, None)

    async def tick(
        self, message: Message | str, block_id: str | None = None, label: str | None = None, on: bool = True,
        channel: str | None = None, action_id: str | None = None, value: str | None = None,
    ) -> Ack:  # fmt: skip
        """Tick (or untick) a checkbox: of a block, or whose label or whose block's sentence contains `label`."""
        found = self._message(message, channel)
        block, element, option = find_box(found.blocks, block_id, label, action_id, value)
        state = self._user_actions.message_state(self.user, found)
        now = state.get(block["block_id"], {}).get(element["action_id"]) or forms.initial(element)
        chosen = [each for each in now["selected_options"] if each.get("value") != option["value"]]
        new = forms.choose(element, [*chosen, option] if on else chosen)
        return await self._user_actions.act_in_message(self.user, found, block, element, new)

    async def select(
        self,
        message: Message | str,
        action_id: str,
        value: Any,
        channel: str | None = None,
        block_id: str | None = None,
    ) -> Ack:
        """Choose in a select, radio group, overflow menu or date picker of a message."""
        found = self._message(message, channel)
        block, element = find_element(found.blocks, None, action_id, None, block_id)
        return await self._user_actions.act_in_message(
            self.user, found, block, element, await self._choice(found, block, element, value)
        )

    # --- modals ------------------------------------------------------------------------------------------------

    @property
    def views(self) -> list[Json]:
        """The open modals of this person, the topmost last."""
        return [views.page_view(self._world, view) for view in self._world.stacks.get(self.id) or []]

    @property
    def view(self) -> Json | None:
        """The topmost open modal, or None."""
        return self.views[-1] if self._world.stacks.get(self.id) else None

    @property
    def home(self) -> Json | None:
        """This person's Home tab of the app, or None where none was published."""
        view = self._world.homes.get(self.id)
        return views.page_view(self._world, view) if view is not None else None

    async def fill(self, values: dict[str, Any], view: str | Json | None = None) -> None:
        """Enter values without submitting; keys are block_ids, action_ids or label texts."""
        surface = self._view(view)
        for key, value in values.items():
            block, element = find_input(surface.body["blocks"], key)
            chosen = await self._choice(surface, block, element, value)
            await self._user_actions.act_in_view(self.user, surface, block, element, chosen)

    async def submit(
        self, values: dict[str, Any] | None = None, view: str | Json | None = None, button: str | None = None
    ) -> SubmitResult:
        """Fill in and submit the topmost modal. `button` checks the submit button's words."""
        surface = self._view(view)
        words_on_it = plain_text.label_of({"text": surface.body.get("submit")})
        if not surface.body.get("submit"):
            raise NotPossible("this form has no submit button")
        if button is not None and button != words_on_it:
            raise NotPossible(f"the submit button says {words_on_it!r}, not {button!r}")
        await self.fill(values or {}, surface.id)
        return await self._user_actions.submit(self.user, surface)

    async def click_in_view(
        self, label: str | None = None, action_id: str | None = None, view: str | Json | None = None,
        block_id: str | None = None,
    ) -> Ack:  # fmt: skip
        """Press a button in the topmost modal; the first argument may be its words or its action_id."""
        surface = self._view(view)
        buttons = ("button", "workflow_button", "icon_button")
        try:
            block, element = find_element(surface.body["blocks"], buttons, action_id, label, block_id)
        except NotPossible:
            if label is None or action_id is not None:
                raise
            block, element = find_element(surface.body["blocks"], buttons, label, None, block_id)
        return await self._user_actions.act_in_view(self.user, surface, block, element, None)

    async def tick_in_view(
        self, label: str | None = None, block_id: str | None = None, on: bool = True, view: str | Json | None = None,
        action_id: str | None = None, value: str | None = None,
    ) -> Ack:  # fmt: skip
        """Tick (or untick) a checkbox in the topmost modal."""
        surface = self._view(view)
        block, element, option = find_box(surface.body["blocks"], block_id, label, action_id, value)
        now = surface.state.get(block["block_id"], {}).get(element["action_id"]) or forms.initial(element)
        chosen = [each for each in now["selected_options"] if each.get("value") != option["value"]]
        new = forms.choose(element, [*chosen, option] if on else chosen)
        return await self._user_actions.act_in_view(self.user, surface, block, element, new)

    async def close_view(self, view: str | Json | None = None) -> None:
        await self._user_actions.close_view(self.user, self._view(view))

    async def open_home(self) -> None:
        """Look at the app's Home tab."""
        self._user_actions.open_home(self.user)

    async def click_in_home(self, label: str | None = None, action_id: str | None = None) -> Ack:
        view = self._world.homes.get(self.id)
        if view is None:
            raise NotPossible("the Home tab is empty")
        block, element = find_element(view.body["blocks"], ("button",), action_id, label, None)
        return await self._user_actions.act_in_view(self.user, view, block, element, None)

    # --- shortcuts, reactions, channels ------------------------------------------------------------------------

    async def shortcut(self, name: str, message: Message | str | None = None, channel: str | None = None) -> Ack:
        """Use a global shortcut, or with `message` a message shortcut, by its name or callback_id."""
        found = None if message is None else self._message(message, channel)
        return await self._user_actions.shortcut(self.user, name, found)

    async def react(self, channel: str, ts: str, name: str) -> None:
        messages.react(self._world, self._message(ts, channel), self.user, name)

    async def unreact(self, channel: str, ts: str, name: str) -> None:
        messages.unreact(self._world, self._message(ts, channel), self.user, name)

    async def pin(self, channel: str, ts: str) -> None:
        message = self._message(ts, channel)
        if self._pinned(message):
            raise NotPossible("that message is pinned already")
        messages.pin(self._world, message, self.user)

    async def unpin(self, channel: str, ts: str) -> None:
        message = self._message(ts, channel)
        if not self._pinned(message):
            raise NotPossible("that message is not pinned")
        messages.unpin(self._world, message, self.user)

    def _pinned(self, message: Message) -> bool:
        return any(pin.ts == message.ts for pin in self._world.channels[message.channel].pins)

    async def join(self, channel: str) -> None:
        self._user_actions.join(self.user, self._world.channel(channel))

    async def leave(self, channel: str) -> None:
        found = self._channel(channel)
        if self.id not in found.members or found.is_general or found.is_im:
            raise NotPossible(f"{self.handle} cannot leave {found.name}")
        conversations.leave(self._world, found, self.user)

    async def invite(self, channel: str, user: str) -> None:
        self._user_actions.invite(self.user, self._channel(channel), self._find_user(user))

    async def remove(self, channel: str, user: str) -> None:
        """Remove somebody, the bot too."""
        self._user_actions.remove(self.user, self._channel(channel), self._find_user(user))

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message: one's own, or as an administrator anybody's."""
        message = self._message(ts, channel)
        if message.user != self.id and not self.user.is_admin:
            raise NotPossible("only one's own messages can be deleted")
        messages.erase(self._world, message)

    async def edit(self, channel: str, ts: str, text: str) -> None:
        message = self._message(ts, channel)
        if message.user != self.id:
            raise NotPossible("only one's own messages can be edited")
        messages.edit(self._world, message, self.user, text=messages.typed(self._world, text))

    async def archive(self, channel: str) -> None:
        found = self._channel(channel)
        if found.is_archived or found.is_general or found.is_im or self.id not in found.members:
            raise NotPossible(f"{self.handle} cannot archive {found.name}")
        conversations.archive(self._world, found, self.user)

    async def unarchive(self, channel: str) -> None:
        found = self._world.channel(channel)
        if not found.is_archived:
            raise NotPossible(f"{found.name} is not archived")
        conversations.unarchive(self._world, found, self.user)

    async def rename(self, channel: str, name: str) -> None:
        conversations.rename(self._world, self._channel(channel), self.user, name)

    async def delete_channel(self, channel: str) -> None:
        """Delete a channel for good; administrators only."""
        if not self.user.is_admin:
            raise NotPossible("only administrators delete channels")
        conversations.delete(self._world, self._channel(channel), self.user)

    async def create_channel(self, name: str, is_private: bool = False) -> str:
        return self._user_actions.create_channel(self.user, name, is_private).id

    # --- what this person sees ---------------------------------------------------------------------------------

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """What this person sees, own ephemerals included, in ts order: a whole channel's top level, or one thread."""
        found = self._channel(channel)
        return [message for message in found.by_ts.values() if self._sees(message, thread_ts)]

    def _sees(self, message: Message, thread_ts: str | None) -> bool:
        if message.deleted or message.only_for not in (None, self.id):
            return False
        in_thread = message.thread_ts is not None and message.thread_ts != message.ts
        if thread_ts is None:
            return not in_thread or message.subtype == "thread_broadcast"
        return message.ts == thread_ts or (in_thread and message.thread_ts == thread_ts)

    def dm_messages(self, who: str | None = None) -> list[Message]:
        """The direct messages with somebody; with the bot where nobody is named."""
        other = self._world.bot if who is None else self._find_user(who)
        return self.messages(self._world.direct(self.id, other.id).id)

    @property
    def notifications(self) -> list[Notification]:
        return [
            Notification(each["ts"], each["reason"], each["channel"], each["text"])
            for each in self._world.notifications.get(self.id, [])
        ]

    # --- finding -----------------------------------------------------------------------------------------------

    def _find_user(self, who: str) -> User:
        bare = who.removeprefix("@").lower()
        if bare in messages.bot_names(self._world) or bare == "bot":
            return self._world.bot
        return self._world.user(who)

    def _channel(self, name: str) -> Channel:
        if name.startswith("@"):
            return self._world.direct(self.id, self._find_user(name).id)
        channel = self._world.channel(name)
        if not self._world.visible(channel, self.user):
            raise NotPossible(f"{self.handle} cannot see {name}")
        return channel

    def _message(self, message: Message | str, channel: str | None) -> Message:
        if isinstance(message, Message):
            channel = message.channel
        ts = message.ts if isinstance(message, Message) else message
        places = [self._channel(channel)] if channel else list(self._world.channels.values())
        for place in places:
            found = self._world.message(place, ts)
            if found is not None and self._world.visible(place, self.user) and found.only_for in (None, self.id):
                return found
        raise NotPossible(f"{self.handle} sees no message {ts}")

    def _view(self, view: str | Json | None) -> View:
        stack = self._world.stacks.get(self.id) or []
        wanted = view.get("id") if isinstance(view, dict) else view
        for each in reversed(stack):
            if wanted in (None, each.id, each.body.get("callback_id")):
                return each
        raise NotPossible(f"{self.handle} has no open form" + (f" {wanted}" if wanted else ""))

    async def _choice(self, surface: Message | View, block: Json, element: Json, value: Any) -> Json:
        """The element's new state; people and channels may be named by handle and name."""
        kind = element["type"]
        if kind == "overflow":
            return {
                "type": kind,
                "selected_option": forms.choose({**element, "type": "static_select"}, value)["selected_option"],
            }
        if kind in ("external_select", "multi_external_select") and not isinstance(value, dict):
            typed = value[0] if isinstance(value, list) and value else str(value or "")
            offered = await self._user_actions.suggest(self.user, surface, block, element, typed)
            return forms.choose({**element, "options": offered}, value)
        if kind == "users_select" and isinstance(value, str):
            value = self._find_user(value).id
        elif kind == "multi_users_select" and isinstance(value, (list, tuple)):
            value = [self._find_user(each).id for each in value]
        elif kind in ("conversations_select", "channels_select") and isinstance(value, str):
            value = self._channel(value).id
        elif kind in ("multi_conversations_select", "multi_channels_select") and isinstance(value, (list, tuple)):
            value = [self._channel(each).id for each in value]
        return forms.choose(element, value)
