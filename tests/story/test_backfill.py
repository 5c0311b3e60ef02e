"""`/incident backfill`: what people ran by hand while nothing could be recorded becomes an incident, once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain import events as e
from bot.domain.incident import Status
from bot.slack.surfaces.words import outage
from tests.sentences import in_slack
from tests.story.acts import SEED, bot_messages, direct, heard, mentioned, press, refused, submit
from tests.world import BEGIN, World, test_policy, world_at

FORM = {"title": "Withdrawals were stuck", "severity": "sev1"}


async def by_hand(world: World, private: bool = False, invite: bool = True) -> str:
    """Ana and Ben worked in a channel of their own and pinned two messages, the later one first."""
    ana, ben = world.person("ana"), world.person("ben")
    room = await ana.create_channel("inc-stuck", private)
    await ana.invite(room, "ben")
    if private and invite:
        await ana.invite(room, "bot")
    first = await ben.post(room, "13:58 queue stands still")
    await world.advance(minutes=12)
    second = await ana.post(room, "Payouts are paused")
    await ana.post(room, "nobody pinned this")
    await ana.pin(room, second)
    await ben.pin(room, first)
    await world.advance(minutes=50)
    return room


async def backfill(world: World, room: str, who: str = "ana", **fields: Any) -> str:
    """Type the command, fill in the form; the private answer."""
    assert await world.say(who, "/incident backfill", room) == ""
    await submit(world, who, FORM | fields, "Record")
    return [one.plain for one in world.messages(who, room) if one.ephemeral][-1]


def spoken(world: World, room: str) -> list[str]:
    """What the bot said there, without what Slack says of its joining and of the topic."""
    return [one for one in bot_messages(world, room) if "has joined" not in one and "channel topic" not in one]


async def test_an_incident_that_goes_on(world: World) -> None:
    room = await by_hand(world)
    answer = await backfill(world, room)
    assert answer == "INC-1 is recorded, with 2 pinned messages. You lead it; the clocks run from now."
    incident = await world.incident()
    ana, ben, carla = (world.person(one).id for one in ("ana", "ben", "carla"))
    assert (incident.channel, incident.lead, incident.status) == (room, ana, Status.INVESTIGATING)
    assert incident.started == BEGIN.replace(second=0) and incident.declared_at == world.clock.now()
    assert [(one.noted.text, one.noted.author, one.noted.backfilled) for one in incident.notes] == [
        ("13:58 queue stands still", ben, True),
        ("Payouts are paused", ana, True),
    ]
    begun = [one.noted.happened for one in incident.notes]
    assert [round((at - BEGIN).total_seconds() / 60) for at in begun] == [0, 12]
    assert all(f"/archives/{room}/p" in one.noted.permalink for one in incident.notes)
    # Carla is on call and was not there: she alone is brought in and called.
    assert incident.invited == {ana, ben, carla}
    assert mentioned(world, "carla", room) and not mentioned(world, "ben", room)
    card, *others = spoken(world, room)
    assert "Withdrawals were stuck" in card and "recorded afterwards" in card
    assert not [one for one in others if "queue stands still" in one]
    assert not world.messages("ana", room, world.find("ana", room, "recorded afterwards").ts)[1:]
    found = world.slack.channel(room)
    assert world.find("ana", room, "recorded afterwards").ts in [pin.ts for pin in found.pins]
    assert [one.title for one in found.bookmarks] == ["Incident card"]
    assert "INC-1" in found.topic
    announced = [one for one in bot_messages(world, "#incidents") if "INC-1" in one]
    assert len(announced) == 1 and "recorded afterwards" in announced[0]
    # Nothing comes for the past; the first reminder comes as after a declaration.
    await world.advance(minutes=24)
    assert "Reminded" not in await world.types()
    await world.advance(minutes=2)
    assert "Reminded" in await world.types()


async def test_one_that_is_over(world: World) -> None:
    room = await by_hand(world)
    answer = await backfill(world, room, began="13:40 UTC", over="2026-03-02 14:30 UTC", summary="payouts to NG")
    assert "`/incident postmortem` drafts the postmortem." in answer
    incident = await world.incident()
    assert (incident.status, incident.lead) == (Status.RESOLVED, "")
    assert incident.ended_at == BEGIN + timedelta(minutes=30)
    assert "Resolved 14:30 UTC\n" in heard(world, "ana", room)
    # Nobody is called, nothing runs, nobody is told to rest.
    assert len(spoken(world, room)) == 1 and not mentioned(world, "carla", room)
    assert world.person("carla").id not in world.slack.channel(room).members
    before = len(incident.announced_entries)
    await world.advance(hours=12)
    assert len((await world.incident()).announced_entries) == before and not direct(world, "ana")
    await press(world, "ana", room, "Withdrawals were stuck", "Draft postmortem")
    (file,) = [one for message in world.messages("ana", room) for one in message.files]
    text = world.slack.world.files[file["id"]].content.decode()
    assert "| Recorded afterwards |" in text and "| Declared |" not in text
    assert "\nResolved: from start (13:40 UTC) 50 min.\n" in text
    assert " to the end | 50 min |" in text and "From declaration" not in text
    assert "the conditions of resolving were not asked for" in text
    timeline = text.partition("## Timeline")[2].partition("\n## ")[0].splitlines()
    lines = [one for one in timeline if one.startswith("- ")]
    assert ["queue stands still (backfilled)" in lines[0], "paused (backfilled)" in lines[1]] == [True, True], lines
    assert "noted" not in lines[0]
    assert "recorded #inc-stuck afterwards" in " ".join(lines[2:]), lines
    await world.say("ana", "/incident reopen it came back", room)
    assert (await world.incident()).open


async def test_the_timeline_says_what_was_added_afterwards(world: World) -> None:
    room = await by_hand(world)
    await backfill(world, room)
    said = await world.say("ana", "/incident timeline", room)
    assert "Ben Okafor: 13:58 queue stands still (backfilled)" in said
    assert "Ana Silva recorded #inc-stuck afterwards (backfilled): it began 14:00 UTC" in said


async def test_a_private_channel_stays_private(world: World) -> None:
    room = await by_hand(world, private=True)
    await backfill(world, room)
    incident = await world.incident()
    assert incident.private and incident.invited == {world.person("ana").id, world.person("ben").id}
    assert not [one for one in bot_messages(world, "#incidents") if "INC-1" in one]
    assert "INC-1" not in await world.say("carla", "/incident list")
    assert "INC-1" in await world.say("ben", "/incident list")


async def test_a_topic_that_people_wrote_stays(world: World) -> None:
    room = await by_hand(world)
    await world.person("ana").invite(room, "bot")
    world.slack.channel(room).topic = "bridge: 0800 1234"
    assert "The channel's topic stays as it is." in await backfill(world, room)
    await world.say("ana", "/incident sev 2 fewer are affected", room)
    assert world.slack.channel(room).topic == "bridge: 0800 1234"


async def test_a_secret_that_is_pinned_is_not_stored(world: World) -> None:
    room = await by_hand(world)
    await world.person("ben").pin(room, await world.person("ben").post(room, f"the seed is {SEED}"))
    answer = await backfill(world, room)
    assert "1 pinned message was left out for a secret in it" in answer
    assert len((await world.incident()).notes) == 2
    entries = await world.bot.store.entries((await world.incident()).id)
    (kept,) = [one.event for one in entries if isinstance(one.event, e.SecretRefused)]
    assert kept.where == "a pinned message" and SEED not in str(entries)


async def test_a_pushpin_on_what_was_taken_over_adds_nothing(world: World) -> None:
    room = await by_hand(world)
    await backfill(world, room)
    ts = world.find("ana", room, "Payouts are paused").ts
    await world.person("ana").react(room, ts, "pushpin")
    await world.settle()
    assert len((await world.incident()).notes) == 2


# -- channels that cannot become an incident's -------------------------------------------------------------


async def _incidents(world: World) -> str:
    return (await world.declare()).id


async def _group(world: World) -> str:
    return "@ben"


async def _unread(world: World) -> str:
    return await by_hand(world, private=True, invite=False)


async def _shared(world: World) -> str:
    return "#incidents"


async def _general(world: World) -> str:
    return "#general"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        pytest.param(_incidents, in_slack(outage.backfilled_already("INC-1")), id="an incident's channel"),
        pytest.param(_group, in_slack(outage.BACKFILL_DIRECT), id="a direct message"),
        pytest.param(
            _unread,
            in_slack(outage.backfill_unreadable("channel_not_found", "incident-commander")),
            id="private, without the bot",
        ),
        pytest.param(_shared, in_slack(outage.BACKFILL_SHARED_USE), id="where incidents are announced"),
        pytest.param(_general, in_slack(outage.BACKFILL_SHARED_USE), id="where everybody is"),
    ],
)
async def test_a_sentence_that_says_what_would_work(
    world: World, place: Callable[[World], Awaitable[str]], said: str
) -> None:
    room = await place(world)
    before = len(await world.bot.store.listing(world.slack.team_id, open_only=False))
    assert await world.say("ana", "/incident backfill", room) == said
    assert world.person("ana").view is None
    assert len(await world.bot.store.listing(world.slack.team_id, open_only=False)) == before


async def test_a_channel_that_is_archived_while_the_form_is_open(world: World) -> None:
    room = await by_hand(world)
    await world.say("ana", "/incident backfill", room)
    await world.person("ana").archive(room)
    errors = await refused(world, "ana", FORM)
    assert list(errors.values()) == [in_slack(outage.BACKFILL_ARCHIVED)]
    await world.person("ana").unarchive(room)
    await submit(world, "ana", FORM, "Record")
    assert (await world.incident()).channel == room


@pytest.mark.parametrize(
    ("fields", "where", "sentence"),
    [
        pytest.param({"began": "13:40"}, "began", "with its zone", id="no zone"),
        pytest.param({"began": "yesterday"}, "began", "with its zone", id="no time"),
        pytest.param({"began": "2026-03-03 13:40 UTC"}, "began", "is in the future", id="began tomorrow"),
        pytest.param({"began": "2024-03-02 13:40 UTC"}, "began", "more than a year ago", id="a slip in the year"),
        pytest.param({"over": "13:00 UTC"}, "over", "before it began", id="over before it began"),
        pytest.param({"over": "2026-03-03 13:40 UTC"}, "over", "is in the future", id="over tomorrow"),
        pytest.param({"title": "!!!"}, "title", "needs letters", id="no title"),
        pytest.param({"summary": f"key {SEED}"}, "summary", "secret", id="a secret"),
    ],
)
async def test_what_was_typed_stays_in_the_form(
    world: World, fields: dict[str, str], where: str, sentence: str
) -> None:
    room = await by_hand(world)
    await world.say("ana", "/incident backfill", room)
    errors = await refused(world, "ana", FORM | fields)
    assert list(errors) == [where] and sentence in errors[where].lower().replace("seed", "secret"), errors
    assert not await world.bot.store.listing(world.slack.team_id, open_only=False)


# -- once, and by whom ----------------------------------------------------------------------------------------


async def test_two_at_once_record_one(world: World) -> None:
    room = await by_hand(world)
    for who in ("ana", "ben"):
        await world.say(who, "/incident backfill", room)
    results = await asyncio.gather(*(world.person(who).submit(FORM) for who in ("ana", "ben")))
    await world.settle()
    assert sorted(one.ok for one in results) == [False, True]
    (late,) = [one for one in results if not one.ok]
    assert list(late.errors.values()) == [in_slack(outage.backfilled_already("INC-1"))]
    assert len(await world.bot.store.listing(world.slack.team_id, open_only=False)) == 1


async def test_pressed_again_by_the_same_person(world: World) -> None:
    room = await by_hand(world)
    for _ in range(2):
        await world.say("ana", "/incident backfill", room)
    views = [one["id"] for one in world.person("ana").views]
    results = await asyncio.gather(*(world.person("ana").submit(FORM, view=id) for id in views))
    await world.settle()
    assert len(await world.bot.store.listing(world.slack.team_id, open_only=False)) == 1, results
    assert (await world.types()).count("Noted") == 2


@pytest.mark.parametrize(
    ("right", "fields", "opens"),
    [
        pytest.param("may_declare", {}, False, id="as who declares"),
        pytest.param("may_resolve", {"over": "14:30 UTC"}, True, id="as who resolves, where it is over"),
    ],
)
async def test_who_may(tmp_path: Path, right: str, fields: dict[str, str], opens: bool) -> None:
    async with world_at(tmp_path, policy=test_policy(**{right: ("@payments-oncall",)})) as world:
        room = await by_hand(world)
        answer = await world.say("ana", "/incident backfill", room)
        if opens:
            (answer,) = (await refused(world, "ana", FORM | fields)).values()
        assert "Ask somebody of @payments-oncall." in answer
        await backfill(world, room, "ben", **fields)
        assert (await world.incident()).declared_by == world.person("ben").id


async def test_said_in_a_thread_it_asks_by_a_button(world: World) -> None:
    room = await by_hand(world)
    await world.person("ana").invite(room, "bot")
    await world.person("ana").post(room, "@incident-commander backfill")
    await world.settle()
    await world.person("ana").click(world.find("ana", room, "takes a form"), label="Open the form")
    await submit(world, "ana", FORM, "Record")
    assert (await world.incident()).channel == room
