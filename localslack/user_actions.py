"""What people do, as the program hears of it: commands, clicks, forms, shortcuts; and what Slack does then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from localslack import blocks as kit
from localslack import conversations, forms, messages, payloads, plain_text, views
from localslack.delivery import Ack, Delivery
from localslack.errors import NotPossible, SlackError
from localslack.interactivity import Interactivity
from localslack.objects import message_object, view_object
from localslack.records import Channel, Json, Message, User, View
from localslack.sample import SLACKBOT
from localslack.view_checks import checked
from localslack.world import World


@dataclass(frozen=True)
class Answer:
    """What a slash command was answered with: the body of the acknowledgement.

    `failed`: nobody acknowledged within 3 seconds; `error` is then what Slack shows.
    """

    ok: bool
    failed: bool = False
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    response_type: str = "ephemeral"
    error: str | None = None

    @property
    def plain(self) -> str:
        return plain_text.visible(self.text, self.blocks)


@dataclass(frozen=True)
class SubmitResult:
    """What a submitted form was answered with. `errors`: {block_id: sentence}, of the program or of Slack's client."""

    ok: bool
    errors: dict[str, str] = field(default_factory=dict)
    response_action: str | None = None
    failed: bool = False
    error: str | None = None


@dataclass
class UserActions:
    """Everything that a person does and the program is told of."""

    world: World
    interactivity: Interactivity
    delivery: Delivery

    # --- commands ---------------------------------------------------------------------------------------------

    async def command(self, user: User, channel: Channel, line: str) -> Answer:
        """Send a slash command line (`/name text`) from a channel's composer."""
        name, _, text = line.strip().partition(" ")
        known = next((each for each in self.world.app.commands if each.command == name), None)
        if not self.world.visible(channel, user):
            raise NotPossible(f"{user.handle} cannot see {channel.name}")
        if known is None or not self.world.installed:
            sentence = f"{name} is not a valid command."
            self._slackbot(user, channel, sentence)
            return Answer(ok=False, text=sentence, error="not_a_command")
        typed = messages.typed_command(self.world, text.strip(), known.should_escape)
        ack = await self.delivery.command(payloads.command(self.interactivity, user, channel, name, typed))
        if not ack.ok:
            self._slackbot(user, channel, f'{name} failed with the error "{ack.error}"')
            return Answer(ok=False, failed=True, error=ack.error)
        return self._shown(user, channel, ack.body)

    def _shown(self, user: User, channel: Channel, body: Any) -> Answer:
        answer: Json = {"text": body} if isinstance(body, str) else body if isinstance(body, dict) else {}
        blocks = answer.get("blocks") or []
        if isinstance(blocks, list) and kit.problems(blocks, "message"):
            self._slackbot(user, channel, "The app's answer could not be shown: invalid_blocks")
            return Answer(ok=False, text=str(answer.get("text") or ""), error="invalid_blocks")
        kind = str(answer.get("response_type") or "ephemeral")
        text = str(answer.get("text") or "")
        if text or blocks or answer.get("attachments"):
            if kind == "in_channel":
                messages.post(self.world, channel, self.world.bot, text, blocks=blocks)
            else:
                messages.say_privately(self.world, channel, user, self.world.bot, answer)
        return Answer(ok=True, text=text, blocks=blocks, response_type=kind)

    def _slackbot(self, user: User, channel: Channel, sentence: str) -> None:
        """What Slack itself says of a command, to the one who gave it."""
        messages.post(self.world, channel, SLACKBOT, sentence, only_for=user.id, extra={"username": SLACKBOT.real_name})

    # --- messages ---------------------------------------------------------------------------------------------

    def post(self, user: User, channel: Channel, text: str, thread_ts: str | None = None) -> Message:
        """Say something. Raises NotPossible where the person is not a member or the channel is archived."""
        if user.id not in channel.members:
            raise NotPossible(f"{user.handle} is not in {channel.name or channel.id}")
        if channel.is_archived:
            raise NotPossible(f"{channel.name} is archived")
        if thread_ts is not None:
            parent = messages.need_message(self.world, channel, thread_ts)
            thread_ts = parent.thread_ts or parent.ts
        return messages.post(self.world, channel, user, messages.typed(self.world, text), thread_ts=thread_ts)

    def message_state(self, user: User, message: Message) -> dict[str, dict[str, Json]]:
        """What this person has entered in a message's elements so far."""
        return self.world.local_state.setdefault((message.channel, message.ts), {}).setdefault(user.id, {})

    async def act_in_message(
        self, user: User, message: Message, block: Json, element: Json, chosen: Json | None
    ) -> Ack:
        """Use an element of a message; `chosen` is its new state, None for a button."""
        if message.user != self.world.bot.id:
            raise NotPossible("that message is another app's")
        state = self.message_state(user, message)
        if chosen is not None and element["type"] in forms.STATEFUL:
            state.setdefault(block["block_id"], {})[element["action_id"]] = chosen
        if block["type"] == "input" and not block.get("dispatch_action"):
            return Ack()
        action = self._action(block, element, chosen)
        channel = self.world.channels[message.channel]
        return await self.delivery.interaction(
            payloads.message_action(self.interactivity, user, channel, message, [action], state)
        )

    def _action(self, block: Json, element: Json, chosen: Json | None) -> Json:
        action: Json = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block["block_id"],
            "action_ts": self.world.new_ts(),
        }
        if element["type"] in ("button", "workflow_button", "icon_button"):
            action |= {key: element[key] for key in ("text", "value", "style", "url", "confirm") if key in element}
        elif chosen is not None:
            action |= {key: value for key, value in chosen.items() if key != "type"}
            if "placeholder" in element:
                action["placeholder"] = element["placeholder"]
        return action

    # --- views ------------------------------------------------------------------------------------------------

    async def act_in_view(self, user: User, view: View, block: Json, element: Json, chosen: Json | None) -> Ack:
        """Use an element of a modal or the Home tab. Input blocks tell the program only with dispatch_action."""
        if chosen is not None and element["type"] in forms.STATEFUL:
            view.state.setdefault(block["block_id"], {})[element["action_id"]] = chosen
        if block["type"] == "input" and not block.get("dispatch_action"):
            return Ack()
        action = self._action(block, element, chosen)
        return await self.delivery.interaction(payloads.view_action(self.interactivity, user, view, [action]))

    async def submit(self, user: User, view: View) -> SubmitResult:
        """Press the form's submit button with what was entered."""
        blocks = view.body["blocks"]
        missing = forms.faults(blocks, forms.state_of(blocks, view.state))
        if missing:
            return SubmitResult(ok=False, errors=missing)
        ack = await self.delivery.interaction(payloads.view_submission(self.interactivity, user, view))
        if not ack.ok:
            return SubmitResult(ok=False, failed=True, error=ack.error)
        return self._answered(user, view, ack.body if isinstance(ack.body, dict) else {})

    def _answered(self, user: User, view: View, body: Json) -> SubmitResult:
        action = body.get("response_action")
        try:
            if action == "errors":
                return self._with_errors(view, body.get("errors"))
            if action == "update":
                views.update_view(self.world, view, checked(body.get("view") or {}, "modal"), None)
            elif action == "push":
                views.push_view(self.world, user.id, checked(body.get("view") or {}, "modal"))
            elif action == "clear":
                views.close_all(self.world, user.id)
            elif view in (self.world.stacks.get(user.id) or []):
                views.close_view(self.world, view)
        except SlackError as error:
            return SubmitResult(ok=False, response_action=action, failed=True, error=error.code)
        return SubmitResult(ok=True, response_action=action)

    def _with_errors(self, view: View, errors: Any) -> SubmitResult:
        inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
            # SR-INT-06: errors may only name input blocks; otherwise Slack says that it had trouble connecting.
            return SubmitResult(ok=False, response_action="errors", failed=True, error="invalid_errors")
        return SubmitResult(ok=False, errors={k: str(v) for k, v in errors.items()}, response_action="errors")

    async def close_view(self, user: User, view: View) -> None:
        """Close a form with its cross or its close button; the program hears of it with notify_on_close."""
        stack = self.world.stacks.get(user.id) or []
        clear = bool(view.body.get("clear_on_close"))
        closed = stack[::-1] if clear or view not in stack else stack[stack.index(view) :][::-1]
        if clear:
            views.close_all(self.world, user.id)
        else:
            views.close_view(self.world, view)
        for each in closed:
            if each.body.get("notify_on_close"):
                await self.delivery.interaction(payloads.view_closed(self.interactivity, user, each, clear))

    # --- shortcuts and the Home tab ----------------------------------------------------------------------------

    async def shortcut(self, user: User, name: str, message: Message | None) -> Ack:
        """A global shortcut, or with a message a message shortcut, by name or callback_id."""
        kind = "global" if message is None else "message"
        for each in self.world.app.shortcuts:
            if name in (each.name, each.callback_id) and each.type == kind:
                break
        else:
            raise NotPossible(f"there is no {kind} shortcut {name}")
        if message is None:
            payload = payloads.global_shortcut(self.interactivity, user, each.callback_id)
        else:
            channel = self.world.channels[message.channel]
            payload = payloads.message_shortcut(self.interactivity, user, channel, message, each.callback_id)
        return await self.delivery.interaction(payload)

    def open_home(self, user: User, tab: str = "home") -> None:
        """Look at the app's Home (or Messages) tab."""
        channel = self.world.direct(self.world.bot.id, user.id)
        event: Json = {
            "type": "app_home_opened",
            "user": user.id,
            "channel": channel.id,
            "tab": tab,
            "event_ts": self.world.new_ts(),
        }
        view = self.world.homes.get(user.id)
        if tab == "home" and view is not None:
            event["view"] = view_object(self.world, view)
        self.delivery.event(event, channel)

    async def suggest(self, user: User, surface: Message | View, block: Json, element: Json, typed: str) -> list[Json]:
        """The options that the program offers for what was typed into an external select."""
        if isinstance(surface, View):
            where: Json = {
                "container": {"type": "view", "view_id": surface.id},
                "view": view_object(self.world, surface),
            }
        else:
            channel = self.world.channels[surface.channel]
            where = {
                "container": {"type": "message", "message_ts": surface.ts, "channel_id": surface.channel},
                "channel": {"id": channel.id, "name": payloads.channel_name(channel)},
                "message": message_object(self.world, surface),
            }
        asked = payloads.suggestion(self.interactivity, user, block["block_id"], element["action_id"], typed, where)
        ack = await self.delivery.interaction(asked)
        return forms.options_of(ack.body) if isinstance(ack.body, dict) else []

    # --- answers by response_url -------------------------------------------------------------------------------

    def respond(self, key: str, body: Json) -> None:
        """A POST to a response_url (docs: interactivity/handling-user-interaction). Raises SlackError."""
        problems = kit.problems(body.get("blocks") or [], "message")
        if problems:
            raise SlackError("invalid_blocks", errors=problems)
        has_content = any(body.get(part) for part in ("text", "blocks", "attachments"))
        if not has_content and not _flag(body, "delete_original"):
            raise SlackError("no_text")
        response = self.interactivity.use_response_url(key)
        channel = self.world.channels[response.channel]
        original = self.world.message(channel, response.message) if response.message else None
        if _flag(body, "delete_original"):
            if original is not None:
                messages.erase(self.world, original)
            return
        if original is not None and _flag(body, "replace_original"):
            messages.edit(
                self.world, original, self.world.bot, text=str(body.get("text") or ""), blocks=body.get("blocks") or [],
                attachments=body.get("attachments") or [],
            )  # fmt: skip
            return
        if channel.is_archived:
            raise SlackError("is_archived")
        user = self.world.users[response.user]
        thread = body.get("thread_ts")
        if body.get("response_type") == "in_channel":
            messages.post(
                self.world, channel, self.world.bot, str(body.get("text") or ""), blocks=body.get("blocks"),
                attachments=body.get("attachments"), thread_ts=thread if thread in channel.by_ts else None,
            )  # fmt: skip
        else:
            messages.say_privately(self.world, channel, user, self.world.bot, body)

    # --- channels ---------------------------------------------------------------------------------------------

    def join(self, user: User, channel: Channel) -> None:
        """Join a public channel. Raises NotPossible for a private or archived one, and for guests."""
        if channel.kind != "channel" or user.is_guest or channel.is_archived:
            raise NotPossible(f"{user.handle} cannot join {channel.name}")
        if user.id not in channel.members:
            conversations.join(self.world, channel, user)

    def invite(self, by: User, channel: Channel, user: User) -> None:
        if by.id not in channel.members or channel.is_archived or channel.is_im:
            raise NotPossible(f"{by.handle} cannot invite into {channel.name}")
        if user.id not in channel.members:
            conversations.join(self.world, channel, user, by)

    def remove(self, by: User, channel: Channel, user: User) -> None:
        if by.id not in channel.members or user.id not in channel.members or channel.is_general or channel.is_im:
            raise NotPossible(f"{by.handle} cannot remove {user.handle} from {channel.name}")
        conversations.leave(self.world, channel, user, by)

    def create_channel(self, by: User, name: str, is_private: bool) -> Channel:
        if by.is_guest or name in self.world.names:
            raise NotPossible(f"#{name} cannot be created: taken, or by a guest")
        return conversations.create(self.world, name, by, is_private)


def _flag(body: Json, name: str) -> bool:
    """Slack's examples write these as strings ("true")."""
    return str(body.get(name)).lower() == "true"
