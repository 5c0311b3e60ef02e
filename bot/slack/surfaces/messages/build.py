"""A message from its parts, within Slack's limits, and who may be notified by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict, Unpack

from bot.domain.desired_message import CHANNEL, DesiredMessage, MessageTarget, Priority, Surface, TargetKind
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.render_context import RenderContext


class Treatment(TypedDict, total=False):
    """How a message is treated: fields of `DesiredMessage`."""

    surface: Surface
    priority: Priority
    lasting: bool
    final: bool
    numbered: int
    moves_down: bool
    tells_status: bool
    rung: int | None


def build_message(
    key: str,
    sentence: str,
    blocks: Iterable[block_kit.Block] = (),
    *,
    place: MessageTarget = CHANNEL,
    after: tuple[str, ...] = (),
    pin: bool = False,
    gone: bool = False,
    standing: bool = True,
    **treatment: Unpack[Treatment],
) -> DesiredMessage:
    """The message; without blocks the sentence itself is its one block."""
    words = text.clip(text.without_date_markup(sentence), block_kit.MAX_MESSAGE_TEXT_CHARS)
    shown = block_kit.fit_message(blocks) or (block_kit.section(sentence),)
    return DesiredMessage(key, place, words, shown, after, pin, gone, standing, **treatment)


def collapsed_message(
    key: str,
    sentence: str,
    *,
    place: MessageTarget = CHANNEL,
    standing: bool = False,
    **treatment: Unpack[Treatment],
) -> DesiredMessage:
    """What is left of a message that has been answered: one line, which is not sent any more by itself."""
    return build_message(key, sentence, (block_kit.context(sentence),), place=place, standing=standing, **treatment)


def withdrawn_message(key: str, place: MessageTarget = CHANNEL) -> DesiredMessage:
    """A message that nobody needs any more: deleted where it stands."""
    return build_message(key, block_kit.EMPTY_TEXT, place=place, gone=True, standing=False)


def in_thread(parent: str, kind: TargetKind = TargetKind.CHANNEL) -> MessageTarget:
    """In the thread of the message `parent`."""
    return MessageTarget(kind, parent=parent)


def mention_users(scene: RenderContext, users: Sequence[str]) -> str:
    """These people notified; in a private incident user groups are only named, as they reach beyond the members."""
    named = [
        scene.person_name(user) if scene.incident.private and user.startswith("S") else text.mention(user)
        for user in dict.fromkeys(users)
        if user
    ]
    return text.join_names(named)


def mention_prefix(scene: RenderContext, user: str) -> str:
    """ "<@U1>: " to begin a sentence with, or nothing where there is nobody."""
    return f"{mention_users(scene, (user,))}: " if user else ""


def is_user_id(user: str) -> bool:
    """Whether a direct message can reach this id: a user's, not a group's, a program's or nobody's."""
    return user[:1] in ("U", "W")
