"""What bots of this kind are known to get wrong, where no other test looks. docs/reliability.md lists them all."""

from __future__ import annotations

import asyncio

import pytest

from tests.world import World


async def test_a_topic_that_somebody_rewrote(world: World) -> None:
    """Nothing is read out of Slack: the severity is the timeline's, and its next change writes the topic anew."""
    place = await world.declare()
    place.topic = "SEV-3 · Resolved · lead @nobody"
    await world.say("ana", "/incident note the bank called", place.name)
    assert (await world.incident()).severity == "sev1"
    await world.say("ana", "/incident sev 2 one partner only", place.name)
    assert (await world.incident()).severity == "sev2"
    assert place.topic.startswith("SEV-2 · Investigating")


async def test_a_card_that_somebody_unpinned_or_a_topic_that_was_emptied(world: World) -> None:
    place = await world.declare()
    place.topic = ""
    place.pins.clear()
    await world.say("ana", "/incident mitigate routed around", place.name)
    assert place.topic and await world.bot.store.parked() == []


@pytest.mark.parametrize("code", ["user_not_found", "cant_invite", "user_is_restricted", "ura_max_channels"])
async def test_one_who_cannot_be_invited_keeps_nobody_out(world: World, code: str) -> None:
    """Slack refuses all of them for the sake of one: they are invited one by one."""
    world.slack.faults.add("conversations.invite", f"error:{code}")
    place = await world.declare()
    assert {world.person(who).id for who in ("ana", "ben", "carla")} <= set(place.members)
    assert (await world.incident()).refused == {} and await world.bot.store.parked() == []


async def test_whoever_declares_is_told_that_slack_makes_them_wait(world: World) -> None:
    world.slack.faults.add("conversations.create", "429:30")
    await world.say("ana", "/incident declare sev1 Withdrawals are stuck")
    heard = [one.plain for one in world.messages("ana", "#general") if one.ephemeral]
    assert any("INC-1 is recorded." in one and "its channel opens as soon as it does" in one for one in heard), heard
    await world.advance(seconds=40)
    assert world.person("ana").id in world.channel().members


async def test_a_postmortem_asked_for_by_two_at_once(world: World) -> None:
    """One file for one state of the timeline, whoever asks for it, and it can be asked for again."""
    place = await world.declare()
    await world.say("ana", "/incident false-alarm a test", place.name)

    def files() -> list[str]:
        return [file["name"] for one in world.messages("ana", place.name) for file in one.files or ()]

    await asyncio.gather(*(world.person(who).command("/incident postmortem", place.name) for who in ("ana", "ben")))
    await world.settle()
    assert files() == ["inc-1-postmortem.md"]
    await world.say("ana", "/incident note found the cause", place.name)
    await world.say("ana", "/incident postmortem", place.name)
    assert files() == ["inc-1-postmortem.md"] * 2


async def test_no_reminder_speaks_of_a_severity_that_was(world: World) -> None:
    """What is due is worked out when it is told."""
    place = await world.declare()
    await world.advance(minutes=24)
    await world.say("ana", "/incident sev 3 one partner only", place.name)
    await world.advance(minutes=10)
    said = "\n".join(one.plain for one in world.messages("ana", place.name) if "due" in one.plain)
    assert "SEV-1" not in said.replace("SEV-1 → SEV-3", "")


async def test_nobody_is_asked_for_by_e_mail(world: World) -> None:
    """People are who Slack says they are, by id: a hidden address keeps nobody out."""
    world.slack.change_person("carla", email="")
    await world.settle()
    place = await world.declare()
    assert world.person("carla").id in place.members
    assert world.slack.journal.of("users.lookupByEmail") == []
