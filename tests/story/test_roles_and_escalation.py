"""Who leads, who is handed what, who is called when nobody answers, and what a lead who falls silent is asked."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from bot.domain import lifecycle
from bot.domain.actor import Actor, ActorKind
from tests.story.acts import bot_messages, direct, heard, last, mentioned, plain, press, refused, submit
from tests.world import World, test_policy, world_at


def card(world: World, room: str) -> str:
    """The words of the pinned card."""
    channel = world.slack.channel(room)
    return plain(channel.by_ts[channel.pins[0].ts])


async def declared_by_a_program(world: World) -> str:
    """An incident that nobody has answered: the command line declared it. The channel."""
    actor = Actor(world.slack.team_id, "cli:night-job", "night-job", ActorKind.CLI)
    service = world.bot.service
    await service.declare(
        "declare",
        lambda i, *, number, by, at: lifecycle.declare(
            i, number=number, title="Settlement did not run", severity="sev1", by=by, at=at, policy=world.policy
        ),
        actor,
        key="night-job:1",
    )
    await world.settle()
    return world.channel().id


async def test_who_is_alone_is_told_so(world: World) -> None:
    await world.declare("ana", "sev2 Deposits wait")  # nobody is called at this severity
    assert "You are alone so far. Mitigate first; I keep the clock." in last(world, "ana", "#general")
    await world.declare("ben", "sev1 Settlement halted")  # Carla is on call with Ben
    assert "alone" not in last(world, "ben", "#general")


# -- roles --------------------------------------------------------------------------------------------------


async def test_the_declarer_leads_and_one_person_may_hold_every_role(world: World) -> None:
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    await world.say("ana", "/incident comms-lead me", room)
    await world.say("ana", "/incident scribe me", room)
    assert "Lead Ana Silva · comms Ana Silva · scribe Ana Silva" in card(world, room)
    assert "You are comms lead already" in await world.say("ana", "/incident comms-lead me", room)


async def test_a_free_role_is_taken_at_once_with_three_private_lines(world: World) -> None:
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    await world.say("ana", "/incident add @carla", room)
    await press(world, "carla", room, "SEV-2 · Deposits wait", "Take comms lead")
    assert "comms Carla Rossi" in card(world, room)
    job = [one for one in world.person("carla").dm_messages() if "You are comms lead of INC-1" in one.plain]
    assert len(job) == 1 and len(job[0].plain.splitlines()) == 3
    assert "Take comms lead" not in world.slack.channel(room).by_ts[world.slack.channel(room).pins[0].ts].labels


@pytest.mark.parametrize(
    ("answer", "minutes", "leads", "line"),
    [
        pytest.param("Fine", 0, "Ben Okafor", "Ben Okafor is the lead since 14:00 UTC.", id="fine"),
        pytest.param("Not yet", 6, "Ana Silva", "Ana Silva stays the lead for now.", id="not yet"),
        pytest.param("", 4, "Ana Silva", "", id="four silent minutes"),
        pytest.param("", 6, "Ben Okafor", "Ben Okafor is the lead since 14:05 UTC.", id="five silent minutes"),
    ],
)
async def test_taking_the_lead_from_somebody(world: World, answer: str, minutes: int, leads: str, line: str) -> None:
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    await world.say("ana", "/incident add @ben", room)
    assert "has been asked. If they say nothing, it is done after 5 min" in await world.say(
        "ben", "/incident lead me", room
    )
    assert any("Ben Okafor is taking over" in one for one in mentioned(world, "ana", room))
    if answer:
        await press(world, "ana", room, "Ben Okafor is taking over", answer)
    await world.advance(minutes=minutes)
    assert f"Lead {leads}" in card(world, room)
    assert line in heard(world, "ana", room)
    topic = world.slack.channel(room).topic
    assert world.person("ben" if leads.startswith("Ben") else "ana").id in topic


async def test_only_the_holder_answers_an_offer(world: World) -> None:
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    await world.say("ana", "/incident add @ben", room)
    await world.say("ben", "/incident lead me", room)
    await press(world, "ben", room, "Ben Okafor is taking over", "Fine")
    assert "who holds the role, can say so" in last(world, "ben", room)
    assert "Lead Ana Silva" in card(world, room)


async def test_the_holder_hands_over_at_once(world: World) -> None:
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    await world.say("ana", "/incident lead @carla", room)
    assert "Lead Carla Rossi" in card(world, room)
    assert world.person("carla").id in world.slack.channel(room).members, "who gets a role is brought in"
    assert "You are the lead of INC-1" in direct(world, "carla")


@pytest.mark.parametrize(
    ("who", "says"),
    [
        pytest.param("@gus", "cannot act on incidents here", id="a guest"),
        pytest.param("@deploys", "cannot act on incidents here", id="a bot"),
        pytest.param("@nobody", "is not in this workspace", id="nobody of that name"),
    ],
)
async def test_who_cannot_lead(world: World, who: str, says: str) -> None:
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    before = await world.types()
    assert says in await world.say("ana", f"/incident lead {who}", room)
    assert await world.types() == before


async def test_a_lead_who_falls_silent_is_asked_once_and_anything_counts_as_seen(world: World) -> None:
    room = (await world.declare("ana", "sev3 Logo is blurred")).id
    await world.advance(minutes=46)
    assert any("Do you still lead?" in one for one in mentioned(world, "ana", room))
    await world.advance(minutes=30)
    assert len([one for one in bot_messages(world, room) if "Do you still lead?" in one]) == 1
    await press(world, "ana", room, "Do you still lead?", "Still here")
    assert "Do you still lead?" not in heard(world, "ana", room)
    await world.advance(minutes=40)
    await world.say("ana", "/incident note new logo is in review", room)
    await world.advance(minutes=40)
    assert "Do you still lead?" not in heard(world, "ana", room)


async def test_handing_over_from_the_question(world: World) -> None:
    room = (await world.declare("ana", "sev3 Logo is blurred")).id
    await world.say("ana", "/incident add @ben", room)
    await world.advance(minutes=46)
    await press(world, "ana", room, "Do you still lead?", "Hand over")
    await submit(
        world, "ana",
        {"to": "ben", "state": "new logo is in review", "tried": "the old one", "next": "publish by 16:00 UTC"},
    )  # fmt: skip
    await world.advance(minutes=6)
    thread = heard(world, "ben", room, world.slack.channel(room).pins[0].ts)
    assert "new logo is in review" in thread + heard(world, "ben", room)


# -- severity -----------------------------------------------------------------------------------------------


async def test_responders_are_brought_in_and_mentioned_once(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    for who in ("ben", "carla"):
        assert world.person(who).id in world.slack.channel(room).members
        assert len(mentioned(world, who, room)) == 1, "policy's group is expanded and mentioned once they are in"
    assert mentioned(world, "dipo", room) == []


async def test_raising_brings_the_responders_lowering_wakes_nobody(world: World) -> None:
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    assert world.person("ben").id not in world.slack.channel(room).members
    await world.say("ana", "/incident sev 1 payouts stand too", room)
    assert len([one for one in mentioned(world, "ben", room) if "SEV-1" in one]) == 1
    announced = bot_messages(world, "#incidents")
    assert any("is SEV-1 now" in one for one in announced), "a new line: it became the worst"
    before = {who: len(world.person(who).notifications) for who in ("ben", "carla", "dipo", "eve")}
    assert "Lowering to SEV-2 needs a reason" in await world.say("ana", "/incident sev 2", room)
    await world.say("ana", "/incident sev 2 only one partner", room)
    assert "SEV-1 → SEV-2 by Ana Silva: only one partner." in heard(world, "ana", room)
    assert {who: len(world.person(who).notifications) for who in before} == before


async def test_an_assumed_severity_is_asked_about_at_minute_five(world: World) -> None:
    room = (await world.declare("ana", "Deposits wait")).id
    assert "SEV-2 (assumed)" in card(world, room)
    await world.advance(minutes=4)
    assert "is assumed. Is it right?" not in heard(world, "ana", room)
    await world.advance(minutes=2)
    assert any("SEV-2 is assumed. Is it right?" in one for one in mentioned(world, "ana", room))
    await press(world, "ana", room, "SEV-2 is assumed", "SEV-2 is right")
    assert "(assumed)" not in card(world, room)
    assert "is assumed. Is it right?" not in heard(world, "ana", room)


async def test_money_words_assume_the_worst(world: World) -> None:
    room = (await world.declare("ana", "Withdrawals hang")).id
    assert "SEV-1 (assumed)" in card(world, room)


# -- nobody answers -----------------------------------------------------------------------------------------


async def test_nobody_answers_level_after_level_then_hourly(world: World) -> None:
    room = await declared_by_a_program(world)
    assert "nobody" in card(world, room)
    calls = []
    for minutes in (5, 5, 5, 5, 60):
        await world.advance(minutes=minutes)
        calls.append([level for level, _, _ in (await world.incident()).escalations])
    assert calls == [[1], [1, 2], [1, 2, 1], [1, 2, 1, 2], [1, 2, 1, 2, 1]]
    assert any("Nobody has answered since 14:00 UTC" in plain(one) for one in mentioned(world, "ben", room))
    assert "No pager is set up: nobody asleep will hear this." in heard(world, "ben", room)
    assert "Nobody has answered since 14:00 UTC; 4 tried." in card(world, room)


async def test_an_answer_ends_the_calls_and_says_who(world: World) -> None:
    room = await declared_by_a_program(world)
    await world.advance(minutes=6)
    await press(world, "carla", room, "Please take it.", "I have it")
    assert "Carla Rossi answered 14:06 UTC." in heard(world, "ben", room)
    assert "Lead Carla Rossi" in card(world, room)
    await world.advance(minutes=20)
    assert len((await world.incident()).escalations) == 1
    assert "answered already, 14:06 UTC" in await world.say("ben", "/incident ack", room)


async def test_escalating_by_hand_goes_up_and_stays_at_the_top(world: World) -> None:
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    said = await world.say("ana", "/incident escalate nobody knows this service", room)
    assert "Level 1 is mentioned" in said and "No pager is set up" in said
    assert any("Ana Silva asks for your help: nobody knows this service." in one
               for one in mentioned(world, "carla", room))  # fmt: skip
    assert "Level 2" in await world.say("ana", "/incident escalate", room)
    assert "Level 2" in await world.say("ana", "/incident escalate", room)
    assert world.person("eve").id in world.slack.channel(room).members


async def test_without_levels_escalating_says_what_works(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy(levels=())) as world:
        room = (await world.declare("ana", "sev2 Deposits wait")).id
        assert "/incident add @name" in await world.say("ana", "/incident escalate", room)


# -- the end ------------------------------------------------------------------------------------------------


async def test_stand_down_tells_everybody_who_was_called_and_nobody_else(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident false-alarm the probe was wrong", room)
    await press(world, "ana", room, "False alarm", "Stand down")
    for who in ("ben", "carla"):
        assert "You can rest; Ana Silva has it." in direct(world, who)
    for who in ("dipo", "eve"):
        assert "You can rest" not in direct(world, who)


@pytest.mark.parametrize(
    ("severity", "values", "ends"),
    [
        pytest.param("sev3", {"note": "new logo"}, True, id="SEV-3: one line"),
        pytest.param("sev2", {"checks": ["impact"]}, False, id="SEV-2: conditions are open"),
        pytest.param("sev2", {"checks": ["impact", "reconciled", "unpaused", "told"]}, True, id="SEV-2: all met"),
        pytest.param("sev2", {"override": "we count tomorrow"}, True, id="SEV-2: a reason is enough"),
        pytest.param("sev1", {"override": "we count tomorrow"}, None, id="SEV-1: a second person agrees"),
        pytest.param("sev1", {"checks": ["impact", "reconciled", "unpaused", "told"]}, True, id="SEV-1: all met"),
    ],
)
async def test_the_gate(world: World, severity: str, values: dict[str, object], ends: bool | None) -> None:
    room = (await world.declare("ana", f"{severity} Something is broken")).id
    await world.say("ana", "/incident add @ben" if severity != "sev1" else "/incident add @dipo", room)
    await world.say("ana", "/incident resolve", room)
    if ends is False:
        assert "These conditions are open" in " ".join((await refused(world, "ana", dict(values))).values())
        return
    await submit(world, "ana", dict(values), "Resolve")
    assert (await world.incident()).open is (ends is None)
    if ends is None:
        await press(world, "ana", room, "asks to resolve INC-1", "Agree: resolve")
        assert (await world.incident()).open
        await press(world, "dipo", room, "asks to resolve INC-1", "Agree: resolve")
        assert not (await world.incident()).open


async def test_the_worst_is_not_resolved_over_open_conditions_by_one_alone(tmp_path: Path) -> None:
    """Nobody else is here: it stays mitigated."""
    async with world_at(tmp_path, policy=test_policy(levels=())) as world:
        await world.say("ana", "/incident declare sev2 Something is broken")
        room = world.channel().id
        await world.bot.service.act(
            (await world.incident()).id,
            "sev",
            partial(lifecycle.change_severity, severity="sev1", reason="worse", responders=(), policy=world.policy),
            await world.bot.token_workspace.directory.actor(world.person("ana").id),
        )
        await world.settle()
        await world.say("ana", "/incident resolve", room)
        errors = await refused(world, "ana", {"override": "we count tomorrow"})
        assert "Stay mitigated" in " ".join(errors.values())
