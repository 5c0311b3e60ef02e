"""A message from its parts, within Slack's limits, and who may be notified by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.domain.desired_message import CHANNEL, Message, Place
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.render_context import Scene

#: what everybody who should be in the channel has been asked into; see Message.after
INVITES = "invites"


def message(
    key: str,
    sentence: str,
    blocks: Iterable[block_kit.Block] = (),
    *,
    place: Place = CHANNEL,
    after: tuple[str, ...] = (),
    pin: bool = False,
    gone: bool = False,
    standing: bool = True,
) -> Message:
    """The message; without blocks the sentence itself is its one block."""
    words = text.clip(text.spoken(sentence), block_kit.TEXT)
    shown = block_kit.fit(blocks) or (block_kit.section(sentence),)
    return Message(key, place, words, shown, after, pin, gone, standing)


def small(key: str, sentence: str, *, place: Place = CHANNEL, standing: bool = False) -> Message:
    """What is left of a message that has been answered: one line, which is not sent any more by itself."""
    return message(key, sentence, (block_kit.context(sentence),), place=place, standing=standing)


def withdrawn(key: str, place: Place = CHANNEL) -> Message:
    """A message that nobody needs any more: deleted where it stands."""
    return message(key, block_kit.NOTHING, place=place, gone=True, standing=False)


def in_thread(parent: str, kind: str = "channel") -> Place:
    """In the thread of the message `parent`."""
    return Place("announcements" if kind == "announcements" else "channel", parent=parent)


def ping(scene: Scene, users: Sequence[str]) -> str:
    """These people notified; in a private incident user groups are only named, as they reach beyond the members."""
    named = [
        scene.who(user) if scene.incident.private and user.startswith("S") else text.mention(user)
        for user in dict.fromkeys(users)
        if user
    ]
    return text.listed(named)


def calling(scene: Scene, user: str) -> str:
    """ "<@U1>: " to begin a sentence with, or nothing where there is nobody."""
    return f"{ping(scene, (user,))}: " if user else ""
