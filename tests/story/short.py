"""A short incident from `/incident` to its postmortem, by people who do it again when they see that it did not work.

Chapters can be told one by one, so that something may be arranged before each; `short_story` tells them all and looks
at what people see in the end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.domain.effect import EffectState
from localslack import Channel, Message
from tests.story.acts import in_comms, plain, section
from tests.world import World

#: how often somebody tries again before they give up
TRIES = 4
STEP = "5.4"
EVIDENCE = {"count": "12 payouts", "amount": "NGN 1,200,000", "evidence": "fallback is at the tip"}
TEXT = {
    "what": "payouts to Nigeria", "since": "13:40 UTC", "ended": "13:55 UTC", "queued": "all completed",
    "money": "no payment lost or paid twice", "todo": "",
}  # fmt: skip
CUSTOMERS = "#customer-comms"

Act = Callable[[World], Awaitable[None]]
Gesture = Callable[[], Awaitable[Any]]


# -- people who try again ------------------------------------------------------------------------------------


async def until(world: World, gesture: Gesture, seen: Callable[[Any], bool]) -> None:
    """Do it, and do it again as long as what is seen afterwards says that it did not work."""
    tried = []
    for _ in range(TRIES):
        answer = await gesture()
        await world.settle()
        if seen(answer):
            return
        tried.append(answer)
        await world.slack.connected()
    raise AssertionError(f"it did not work {TRIES} times: {tried}")


async def types(world: World, who: str, text: str, room: str = "#general") -> None:
    """A command that needs no form."""
    await until(world, lambda: world.person(who).command(text, channel=room), lambda answer: not answer.failed)


async def opens(world: World, who: str, gesture: Gesture) -> None:
    """Something that opens a form."""
    await until(world, gesture, lambda _: world.person(who).view is not None)


async def sends(world: World, who: str, values: dict[str, Any], button: str) -> None:
    """The topmost form."""
    await until(world, lambda: world.person(who).submit(values, button=button), lambda answer: answer.ok)
    assert world.person(who).view is None


async def presses(world: World, who: str, message: Message, label: str) -> None:
    """A button that opens no form."""
    await until(world, lambda: world.person(who).click(message, label=label), lambda ack: ack.ok)


# -- the chapters --------------------------------------------------------------------------------------------


async def declared(world: World) -> None:
    """By the command, with a title: at once."""
    await types(world, "ana", "/incident declare sev1 Withdrawals are stuck")


async def with_a_runbook(world: World) -> None:
    for who in ("ben", "carla"):
        if world.person(who).id not in world.slack.channel(room(world)).members:
            await world.person(who).join(room(world))  # Slack did not let the bot bring them in
    await types(world, "ana", "/incident runbook horizon-outage", room(world))
    await types(world, "carla", f"/incident step {STEP} note look at the queue first", room(world))


async def ticked(world: World) -> None:
    message = await section(world, "carla", room(world), "*3.2*")
    block = next(one["block_id"] for one in message.blocks if ":3.2:" in one.get("block_id", ""))
    await until(world, lambda: world.person("carla").tick(message, block_id=block), lambda ack: ack.ok)


async def asked(world: World) -> None:
    """Carla asks for a second person."""
    await opens(
        world, "carla", lambda: world.person("carla").command(f"/incident step {STEP} ask", channel=room(world))
    )
    await sends(world, "carla", EVIDENCE, "Ask")


async def agreed(world: World) -> None:
    """Ben agrees."""
    message = world.find("ben", room(world), "Carla Rossi asks: Resume outgoing payments")
    await opens(world, "ben", lambda: world.person("ben").click(message, label="Go"))
    await sends(world, "ben", {}, "Go: Resume outgoing pay…")


async def done(world: World) -> None:
    """Carla does it."""
    message = world.find("carla", room(world), "go-ahead from Ben Okafor")
    await opens(world, "carla", lambda: world.person("carla").click(message, label="Done…"))
    await sends(world, "carla", {"result": "first payment confirmed in ledger 55,120,033"}, "Done")


async def updated(world: World) -> None:
    """A preview, and the post."""
    await types(world, "ana", "/incident update Payouts move to the fallback", room(world))
    await presses(world, "ana", world.find("ana", room(world), "This goes to the channel"), "Post")


async def noted(world: World) -> None:
    """By a mention in a thread, and by a pin on a message."""
    parent = world.find("ben", room(world), "Runbook Horizon outage")
    await world.person("ben").post(room(world), "@incident note the queue is at 12", parent.ts)
    seen = await world.person("carla").post(room(world), "provider says: fixed on their side")
    await world.settle()
    await world.person("ben").react(room(world), seen, "pushpin")
    await world.settle()


async def drafted(world: World) -> None:
    """Carla writes to customers."""
    command = "/incident comms payment-delays customers resolved"
    await opens(world, "carla", lambda: world.person("carla").command(command, channel=room(world)))
    await sends(world, "carla", TEXT, "Draft")


async def approved(world: World) -> None:
    """Ben approves. Where nobody knows what came of sending, or it was refused, people look and send it again."""
    await presses(world, "ben", asked_to_approve(world), "Approve")
    (draft,) = (await world.incident()).drafts.values()
    if draft.state == "uncertain":
        assert public(world) == [], "what is public is found, and nobody asked"
        await presses(world, "ana", world.find("ana", room(world), "it may be public and may not"), "It is not there")
        (draft,) = (await world.incident()).drafts.values()
    if draft.state == "failed":
        again = world.find("carla", room(world), "was certainly not sent")
        await opens(world, "carla", lambda: world.person("carla").click(again, label="Edit"))
        await sends(world, "carla", {}, "Draft")
        await presses(world, "ben", asked_to_approve(world), "Approve")


def asked_to_approve(world: World) -> Message:
    """What Ben was sent directly; where that could not be, the draft in its thread."""
    sent = [one for one in world.person("ben").dm_messages() if "asks you to approve a text" in one.plain]
    return sent[-1] if sent else in_comms(world, "ben", room(world), "payouts to Nigeria")


async def resolved(world: World) -> None:
    """Every condition is met."""
    await opens(world, "ana", lambda: world.person("ana").command("/incident resolve", channel=room(world)))
    await sends(
        world, "ana", {"checks": ["impact", "reconciled", "unpaused"], "note": "moved to the fallback"}, "Resolve"
    )


async def written(world: World) -> None:
    """The postmortem."""
    await types(world, "ana", "/incident postmortem", room(world))


CHAPTERS = (
    declared, with_a_runbook, ticked, asked, agreed, done, updated, noted, drafted, approved, resolved, written,
)  # fmt: skip


async def nothing(world: World) -> None:
    """What is arranged where nothing is to go wrong."""


async def short_story(world: World, before: Act = nothing, after: Act = nothing) -> None:
    """Every chapter, with what is arranged before and after each; then what people see is looked at."""
    for chapter in CHAPTERS:
        await before(world)
        await chapter(world)
        await world.settle()
        await after(world)
    # Time enough for whatever is looked at once more: messages that were sent anew, events that were held back.
    await world.advance(minutes=2)
    await looked_at(world)


# -- what there is in the end --------------------------------------------------------------------------------


def room(world: World) -> str:
    """The incident's channel."""
    return world.channel().id


def kept(world: World) -> list[tuple[Channel, Message]]:
    """Everything that the bot said to everybody in a channel, or to somebody directly, and that still stands."""
    return [
        (place, one)
        for place in world.slack.channels
        for one in place.by_ts.values()
        if one.user == world.slack.bot_user_id and not (one.deleted or one.ephemeral)
        and one.subtype not in ("channel_join", "channel_topic")
    ]  # fmt: skip


def public(world: World) -> list[str]:
    """What customers read of the bot."""
    where = world.slack.channel(CUSTOMERS).id
    return [plain(one) for place, one in kept(world) if place.id == where]


@dataclass(frozen=True)
class Seen:
    """What is there in the end, without times and the ids that differ from run to run."""

    messages: list[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]]
    rooms: list[tuple[str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]
    timeline: list[str]


async def seen(world: World) -> Seen:
    """What the story left behind, to be compared with what another telling left."""
    names = {one.id: one.name or "direct:" + "+".join(sorted(one.members)) for one in world.slack.channels}

    def timeless(words: str) -> str:
        for id, name in names.items():
            words = words.replace(id, name)
        words = re.sub(r"\d\d:\d\d( UTC)?", "TIME", words)
        words = re.sub(r"\d+ (s|min|h)\b", "LENGTH", words)
        words = re.sub(r"127\.0\.0\.1:\d+", "SLACK", words)
        return re.sub(r"p\d{16}|F[A-Z0-9]{8,}", "ID", words)

    messages = [
        (
            names[place.id],
            timeless(plain(place.by_ts[one.thread_ts])) if one.thread_ts else "",
            timeless(plain(one)),
            tuple(one.labels),
            tuple(file["name"] for file in one.files),
        )
        for place, one in kept(world)
    ]
    rooms = [
        (
            place.name,
            timeless(place.topic),
            tuple(sorted(place.members)),
            tuple(timeless(plain(place.by_ts[pin.ts])) for pin in place.pins),
            tuple(f"{one.title} {timeless(one.link)}" for one in place.bookmarks),
        )
        for place in world.slack.channels
        if place.name
    ]
    return Seen(sorted(messages), sorted(rooms), await world.types())


async def looked_at(world: World) -> None:
    """One of everything, nothing twice, nothing due, every timeline as it was written."""
    (place,) = [one for one in world.slack.channels if one.name.startswith("inc-")]
    incident = await world.incident()
    assert incident.channel == place.id and incident.number == 1
    assert await world.bot.store.find(world.slack.team_id, 2) is None, "declared once"
    card = world.find("ana", place.id, "SEV-1 · Withdrawals are stuck")
    assert [pin.ts for pin in place.pins] == [card.ts]
    assert [card.ts.replace(".", "") in one.link for one in place.bookmarks] == [True]
    lines = [one for one in world.messages("eve", "#incidents") if "*INC-1*" in one.plain]
    assert len(lines) == 1, [one.plain for one in lines]
    everywhere = [plain(one) for _, one in kept(world) if "Payouts move to the fallback" in plain(one)]
    assert len(everywhere) == 2, "the update stands in the channel and under the announcement"
    assert len(public(world)) == 1 and "payouts to Nigeria" in public(world)[0]
    files = [file for one in place.messages for file in one.files]
    assert [file["name"] for file in files] == ["inc-1-postmortem.md"]
    content = world.slack.world.files[files[0]["id"]].content or b""
    assert b"Withdrawals are stuck" in content and b"Payouts move to the fallback" in content
    sent = Counter(one.metadata["event_payload"]["id"] for _, one in kept(world) if one.metadata)
    assert set(sent.values()) == {1}
    left = {who: world.person(who).view for who in ("ana", "ben", "carla")}
    assert left == dict.fromkeys(left), "every form is done with"
    entries = await world.bot.store.entries(incident.id)
    assert [one.seq for one in entries] == list(range(1, len(entries) + 1))
    moments = [one.event.at for one in entries if one.event is not None]
    assert len(moments) == len(entries) and moments == sorted(moments)
    effects = await world.bot.store.effects(incident.id)
    done_with = (EffectState.SENT, EffectState.REFUSED)
    owed = [f"{one.key} {one.state} {one.error}" for one in effects if one.state not in done_with]
    assert not owed, owed
    assert await world.bot.store.verify() == []
