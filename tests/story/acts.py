"""What people do in these stories, in the words that are on their screens."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from stellar_sdk import Keypair

from localslack import Message
from tests.world import World

#: a Stellar secret seed whose checksum holds; it belongs to nobody and is made here, so that it stands in no file
SEED = Keypair.from_raw_ed25519_seed(hashlib.sha256(b"a seed for tests").digest()).secret


def plain(message: Message | str) -> str:
    """The words of a message, with times as "14:32 UTC" (Slack adds each reader's own beside it)."""
    said = message if isinstance(message, str) else message.plain
    return re.sub(r" \(<!date\^[^>]*>\)", "", said)


def heard(world: World, who: str, channel: str, thread: str | None = None) -> str:
    """Everything that this person sees there, joined."""
    return "\n---\n".join(plain(one) for one in world.messages(who, channel, thread))


def last(world: World, who: str, channel: str) -> str:
    """What stands last there: mostly the private answer that this person just got."""
    return plain(world.messages(who, channel)[-1])


def direct(world: World, who: str) -> str:
    """Everything that the bot wrote to this person alone."""
    return "\n---\n".join(plain(one) for one in world.person(who).dm_messages())


def direct_message(world: World, who: str, words: str) -> Message:
    """The last direct message of the bot with these words."""
    found = [one for one in world.person(who).dm_messages() if words in one.plain]
    assert found, f"no direct message to {who} with {words!r}; there is:\n{direct(world, who)}"
    return found[-1]


def bot_messages(world: World, channel: str) -> list[str]:
    """What the bot says in the channel itself to everybody, oldest first."""
    found = world.slack.channel(channel).messages
    return [plain(one) for one in found if one.user == world.slack.bot_user_id and not one.thread_ts]


def mentioned(world: World, who: str, channel: str) -> list[str]:
    """The texts of which Slack notified this person in the channel."""
    return [one.text for one in world.person(who).notifications if one.channel == channel]


async def press(world: World, who: str, channel: str, words: str, label: str) -> None:
    """Press a button of the last message with these words, and let everything settle."""
    ack = await world.person(who).click(world.find(who, channel, words), label=label)
    assert ack.ok, ack
    await world.settle()


async def submit(world: World, who: str, values: dict[str, Any] | None = None, button: str | None = None) -> None:
    """Fill in and submit the topmost form; every error is a failure."""
    result = await world.person(who).submit(values or {}, button=button)
    await world.settle()
    assert result.ok, result


async def refused(world: World, who: str, values: dict[str, Any] | None = None) -> dict[str, str]:
    """Submit the topmost form, which has to stay open; what stands beside which field."""
    result = await world.person(who).submit(values or {})
    await world.settle()
    assert not result.ok and result.errors, result
    return result.errors


async def section(world: World, who: str, channel: str, words: str) -> Message:
    """The message with these words in the thread of the runbook."""
    parent = world.find(who, channel, "Runbook ")
    return world.find(who, channel, words, parent.ts)


async def tick(world: World, who: str, channel: str, step: str, on: bool = True) -> None:
    """Tick (or untick) a step's box in the thread."""
    message = await section(world, who, channel, f"*{step}*")
    block = next(one["block_id"] for one in message.blocks if f":{step}:" in one.get("block_id", ""))
    ack = await world.person(who).tick(message, block_id=block, on=on)
    assert ack.ok, ack
    await world.settle()


async def press_step(world: World, who: str, channel: str, step: str, label: str) -> None:
    """Press the button beside a step in the thread."""
    message = await section(world, who, channel, f"*{step}*")
    block = next(one["block_id"] for one in message.blocks if f":{step}:" in one.get("block_id", ""))
    ack = await world.person(who).click(message, label=label, block_id=block)
    assert ack.ok, ack
    await world.settle()


def in_comms(world: World, who: str, channel: str, words: str) -> Message:
    """The last message with these words in the thread of the customer texts."""
    parent = world.find(who, channel, "*Comms*")
    return world.find(who, channel, words, parent.ts)


async def write_text(world: World, who: str, channel: str, values: dict[str, Any], say: str = "payment-delays") -> None:
    """Open the form of a customer text, fill it in, and hand it to those who approve."""
    await world.say(who, f"/incident comms {say}", channel)
    await submit(world, who, values, "Draft")
