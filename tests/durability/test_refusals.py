"""Slack says no, for good or for a while: the incident is recorded all the same.

People read what is not done and what to do about it. Nothing is asked again and again, and it is done once the cause is
gone.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import aiohttp
import pytest

from bot.data_commands import rearm_all
from bot.doctor import examine
from bot.domain import lifecycle
from bot.domain.actor import Actor
from bot.domain.effect import EffectState
from tests.world import World, world_at

DECLARE = "/incident declare sev1 Withdrawals are stuck"


def asked(world: World, since: int) -> list[str]:
    """What Slack was asked to do since then."""
    return [one.method for one in world.slack.journal[since:] if not one.method.startswith("delivery:")]


def in_channel(world: World) -> str:
    """Everything that stands in the incident's channel."""
    here = [one for one in world.channel().by_ts.values() if not one.deleted]
    return "\n".join(one.plain for one in here)


async def ready(world: World) -> tuple[int, list[str]]:
    """What /readyz answers."""
    url = f"http://127.0.0.1:{world.bot.port}/readyz"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, (await answer.json())["problems"]


# -- each of Slack's codes -------------------------------------------------------------------------------------------

#: method that is refused, code, what the timeline says besides, and what people read where they are
CODES = [
    pytest.param("pins.add", "missing_scope", "", "pin the card (missing_scope). Add the scopes", id="missing_scope"),
    pytest.param("chat.update", "invalid_blocks", "", "show the card (invalid_blocks). Slack does not", id="blocks"),
    pytest.param("chat.update", "msg_too_long", "", "show the card (msg_too_long). Slack does not", id="msg_too_long"),
    pytest.param(
        "conversations.setTopic",
        "user_is_restricted",
        "",
        "set the topic (user_is_restricted).",
        id="user_is_restricted",
    ),
    pytest.param("conversations.invite", "cant_invite_self", "Invited", "could not be invited", id="cant_invite_self"),
    pytest.param(
        "conversations.invite", "user_is_restricted", "Invited", "could not be invited", id="a person is restricted"
    ),
    pytest.param("chat.update", "is_archived", "ChannelLost", "a person can unarchive it", id="is_archived"),
    pytest.param("chat.update", "channel_not_found", "ChannelLost", "was deleted", id="channel_not_found"),
    pytest.param("chat.update", "not_in_channel", "ChannelLost", "invite me again", id="not_in_channel"),
    pytest.param("conversations.create", "restricted_action", "ChannelRefused", "an admin can allow", id="no channel"),
    pytest.param("conversations.create", "name_taken", "ChannelOpened", "Withdrawals are stuck", id="name_taken"),
]


@pytest.mark.parametrize(("method", "code", "event", "words"), CODES)
async def test_each_code(world: World, method: str, code: str, event: str, words: str) -> None:
    many = 1 if code == "name_taken" else 0
    world.slack.faults.add(method, f"error:{code}", times=many)
    answer = await world.say("ana", DECLARE)
    if (await world.incident()).channel:
        await world.say("ana", "/incident impact NG only", world.channel().id)
    await world.settle()
    assert (await world.types())[0] == "Declared" and event in ["", *await world.types()]
    said = [answer, *(one.plain for one in world.messages("ana", "#general"))]
    said += [one.plain for one in world.person("ana").dm_messages()]
    if (await world.incident()).channel:
        said.append(in_channel(world))
    assert words in "\n".join(said).replace("`", "")
    since = len(world.slack.journal)
    await world.advance(minutes=4)
    assert method not in asked(world, since), "the answer would be the same"


# -- what is parked --------------------------------------------------------------------------------------------------


async def test_what_is_parked_is_seen_and_armed_again(world: World) -> None:
    """In the channel, by doctor, in /readyz; gone everywhere once somebody fixed it and said so."""
    world.slack.faults.add("pins.add", "missing_scope", times=0)
    world.slack.faults.add("bookmarks.add", "missing_scope", times=0)
    await world.declare()
    assert "bookmark the card, pin the card" in in_channel(world)
    assert {one.key for one in await world.bot.store.parked()} == {"pin:card", "bookmark:card"}
    status, problems = await ready(world)
    assert status == 503 and "duties: 2 parked; `bot doctor` shows them" in problems
    found = [one for one in await examine(world.settings) if not one.ok and "pin:card" in one.summary]
    assert found and "rearm" in found[0].advice

    world.slack.faults.clear()
    assert await rearm_all(world.settings) == 2
    await world.settle()
    assert len(world.channel().pins) == len(world.channel().bookmarks) == 1
    assert "Slack does not let me" not in in_channel(world)
    assert await ready(world) == (200, [])


async def test_what_is_parked_is_tried_again_when_it_says_something_else(world: World) -> None:
    channel = await world.declare()
    world.slack.faults.add("conversations.setTopic", "error:missing_scope", times=1)
    await world.say("ana", "/incident mitigate routed around", channel.id)
    assert "set the topic" in in_channel(world)
    await world.say("ana", "/incident resolve cache cleared", channel.id)
    await world.settle()
    if (await world.incident()).open:  # sev1 asks before it is resolved
        await world.say("ana", "/incident sev 2 only one partner", channel.id)
    assert "set the topic" not in in_channel(world)
    assert await world.bot.store.parked() == []


GIVEN_UP = "Slack does not let me"


async def test_what_is_parked_is_tried_now_and_then(world: World) -> None:
    """Nobody can tell that an admin has changed a setting: it is asked again, ever more rarely. What is said in the
    channel stays meanwhile, and is not said again."""
    world.slack.faults.add("conversations.create", "error:restricted_action", times=2)
    world.slack.faults.add("pins.add", "error:restricted_action", times=3)
    await world.say("ana", DECLARE)
    await world.advance(minutes=14)
    assert len(world.slack.journal.of("conversations.create")) == 2  # at once, and after 5 minutes
    assert (await world.types()).count("ChannelRefused") == 1
    await world.advance(minutes=2)
    said = world.find("ana", world.channel().id, GIVEN_UP)
    await world.advance(minutes=16)
    assert len(world.slack.journal.of("pins.add")) == 3
    assert [one.ts for one in world.messages("ana", world.channel().id) if GIVEN_UP in one.plain] == [said.ts]
    assert (await ready(world))[0] == 503
    await world.advance(minutes=20)
    assert len(world.channel().pins) == 1 and GIVEN_UP not in in_channel(world)
    assert await ready(world) == (200, [])


async def test_a_scope_that_is_granted_is_noticed(world: World) -> None:
    """The token stays as it was, and the bot runs on: each of Slack's answers says what the token may do."""
    grant = world.slack.install.grants[world.slack.bot_token]
    grant.scopes = grant.scopes - {"pins:write"}
    channel = await world.declare()
    assert [(one.key, one.error) for one in await world.bot.store.parked()] == [("pin:card", "missing_scope")]
    grant.scopes = grant.scopes | {"pins:write"}
    await world.say("ana", "/incident impact NG only", channel.id)
    assert len(channel.pins) == 1 and GIVEN_UP not in in_channel(world)
    assert await world.bot.store.parked() == []


async def test_whoever_restarts_the_bot_has_mended_something(world: World) -> None:
    world.slack.faults.add("pins.add", "error:missing_scope", times=1)
    channel = await world.declare()
    assert len(await world.bot.store.parked()) == 1
    await world.stop_bot()
    await world.start_bot()
    await world.settle()
    assert len(channel.pins) == 1 and await world.bot.store.parked() == []


@pytest.mark.parametrize("how", ["archived", "kicked"])
async def test_the_channel_of_the_announcements_is_given_back(world: World, how: str) -> None:
    ana, place = world.person("ana"), world.slack.channel("incidents")
    if how == "archived":
        await ana.archive(place.id)
    else:
        world.slack.faults.add("conversations.join", "error:method_not_supported_for_channel_type", times=0)
        await ana.remove(place.id, world.slack.bot_user_id)
    await world.settle()
    await world.declare()
    assert [one.key for one in await world.bot.store.parked()] == ["announce"]
    if how == "archived":
        await ana.unarchive(place.id)
    else:
        await ana.invite(place.id, world.slack.bot_user_id)
    await world.settle()
    assert len([one for one in world.messages("ana", "#incidents") if "INC-1" in one.plain]) == 1
    assert await world.bot.store.parked() == []


async def test_an_incident_that_is_over_wants_no_channel_any_more(world: World) -> None:
    """Else health would ask somebody to fix what nobody needs."""
    world.slack.faults.add("conversations.create", "error:restricted_action", times=0)
    await world.say("ana", "/incident declare sev3 Receipts are blurred")
    assert (await ready(world))[0] == 503
    id = (await world.incident()).id
    by = Actor(world.slack.team_id, world.person("ana").id, world.person("ana").id)
    await world.bot.service.act(id, "resolve", partial(lifecycle.call_false_alarm, reason="a test"), by)
    await world.settle()
    assert await ready(world) == (200, [])


# -- the channel is taken away ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["archived", "kicked"])
async def test_the_channel_is_taken_away_and_given_back(world: World, how: str) -> None:
    """Recorded meanwhile, told to the lead once, and shown in one go when the channel can be used again."""
    channel = await world.declare()
    if how == "archived":
        await world.person("ben").archive(channel.id)
    else:
        await world.person("ben").remove(channel.id, world.slack.bot_user_id)
    await world.settle()
    told = [one.plain for one in world.person("ana").dm_messages() if "INC-1 is still open" in one.plain]
    assert len(told) == 1
    since = len(world.slack.journal)
    incident = await world.incident()
    await world.advance(minutes=40)  # an update falls due meanwhile
    assert not {"chat.update", "pins.add"} & set(asked(world, since))
    assert "Reminded" in await world.types()
    if how == "archived":
        await world.person("ben").unarchive(channel.id)
    else:
        await world.person("ben").invite(channel.id, world.slack.bot_user_id)
    await world.settle()
    assert (await world.incident()).reachable and "ChannelRegained" in await world.types()
    states = {one.state for one in await world.bot.store.effects(incident.id)}
    assert states <= {EffectState.SENT, EffectState.REFUSED}
    assert [one.plain for one in world.person("ana").dm_messages() if "INC-1 is still open" in one.plain] == []


# -- the token -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_the_token_is_worth_nothing(tmp_path: Path, code: str) -> None:
    """Health says so, Slack is left alone, what people do is recorded; with a good token everything is done."""
    async with world_at(tmp_path) as world:
        channel = await world.declare()
        world.slack.faults.add("*", f"error:{code}", times=0)
        await world.say("ana", "/incident impact NG only", channel.id)
        await world.say("ana", "/incident sev 2 only one partner", channel.id)
        assert {"ImpactStated", "SeverityChanged"} <= set(await world.types())
        status, problems = await ready(world)
        assert status == 503 and any(code in one for one in problems)
        since = len(world.slack.journal)
        await world.advance(minutes=30)
        assert len(asked(world, since)) <= 30, "once a minute at most"
        world.slack.faults.clear()
        await world.stop_bot()  # whoever installs the app anew sets the token, and starts the bot
        await world.start_bot()
        await world.settle()
        await world.advance(minutes=2)
        assert "NG only" in in_channel(world) and "SEV-2" in in_channel(world)
        states = {one.state for one in await world.bot.store.effects((await world.incident()).id)}
        assert states <= {EffectState.SENT, EffectState.REFUSED}
