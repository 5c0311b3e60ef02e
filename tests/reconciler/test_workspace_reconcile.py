"""The digest of the day, as people read it in #incidents: once, at its time, with nothing of private incidents."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from bot.app import create_bot
from bot.data_commands import rearm_all
from bot.doctor.database import database
from bot.domain.policy import Policy
from localslack.workspace import Workspace
from tests.durability.replicas import until
from tests.installing import install, two_banks
from tests.postgres import Postgres
from tests.story import short
from tests.story.acts import bot_messages
from tests.story.test_private import private
from tests.story.test_redact import WORDS, redact
from tests.world import World, test_policy, world_at

POLICY = test_policy(digest_at=time(8))
ANNOUNCEMENTS = "#incidents"
#: a Monday, two hours before the digest
MORNING = datetime(2026, 3, 2, 6, tzinfo=UTC)
TITLE = "How incidents stand"


def digests(world: World) -> list[str]:
    return [one for one in bot_messages(world, ANNOUNCEMENTS) if TITLE in one]


def summaries(world: World) -> list[str]:
    """What stands in notifications of them."""
    return [text for one in world.slack.journal.of("chat.postMessage") if TITLE in (text := str(one.args["text"]))]


async def resolve(world: World, room: str) -> None:
    """Ana resolves it, and says why not every condition is met."""
    values = {"checks": ["impact", "reconciled", "unpaused"], "note": "moved", "override": "customers were phoned"}
    await short.opens(world, "ana", lambda: world.person("ana").command("/incident resolve", channel=room))
    await short.sends(world, "ana", values, "Resolve")
    assert not (await world.incident(2)).open


async def test_it_says_what_is_open_and_what_is_overdue(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=POLICY, begin=MORNING) as world:
        await private(world, "sev1 A key is on a laptop")
        await world.say("ana", "/incident declare sev2 Payouts wait")
        room = world.channel(2).id
        await world.say("ana", "/incident task @carla add an alert by tomorrow", room)
        await world.say("ana", "/incident task write it down by Friday", room)
        await resolve(world, room)
        await world.say("ben", "/incident declare sev2 Cards are <!channel> refused")
        await world.advance(hours=2)
        (monday,) = digests(world)
        assert summaries(world) == [f"{TITLE}, Mon 2026-03-02: 1 open incident."]
        assert "Cards are" in monday and "SEV-2" in monday and "lead Ben Okafor" in monday
        assert "key is on" not in monday and "Overdue" not in monday and "<!channel>" not in monday
        await world.advance(days=7)
        assert len(digests(world)) == 8 and "Overdue postmortems" not in digests(world)[-1]
        await world.advance(days=1)
        last = digests(world)[-1]
        assert "1 open incident, 1 overdue postmortem, 2 overdue action items." in summaries(world)[-1]
        assert "Payouts wait · due Mon 2026-03-09 · owner Ana Silva" in last and "update overdue since" in last
        assert "add an alert · *INC-2* · due Tue 2026-03-03 · owner Carla Rossi" in last
        assert "write it down · *INC-2* · due Fri 2026-03-06 · owner nobody yet" in last
        assert last.index("add an alert") < last.index("write it down")
        assert [one for one in world.slack.journal.of("chat.update") if TITLE in str(one.args)] == []


async def test_a_runbook_is_to_be_reviewed_every_quarter(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=POLICY, begin=datetime(2027, 3, 1, 7, tzinfo=UTC)) as world:
        await world.advance(hours=2)
        (said,) = digests(world)
        assert "4 runbooks to review." in summaries(world)[0] and "last reviewed Fri 2026-11-20" in said


async def test_a_day_without_news_has_no_digest(tmp_path: Path) -> None:
    """Also not later on that day, when there is something to say."""
    async with world_at(tmp_path, policy=POLICY, begin=MORNING) as world:
        await world.advance(hours=3)
        await world.declare()
        await world.stop_bot()
        await world.start_bot()
        await world.advance(hours=1)
        assert digests(world) == []
        await world.advance(hours=22)
        assert len(digests(world)) == 1


async def test_policy_switches_it_off(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy(digest_at=None), begin=MORNING) as world:
        await world.declare()
        await world.advance(days=2)
        assert digests(world) == []


async def test_a_bot_that_was_away_makes_up_for_the_day_and_for_no_other(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=POLICY, begin=MORNING) as world:
        await world.declare()
        await world.stop_bot()
        world.slack.clock.advance(3 * 86_400 + 5 * 3_600)
        world.clock.moved()
        for _ in range(2):
            await world.start_bot()
            await world.settle()
            assert [f"{TITLE}, Thu 2026-03-05" in one for one in digests(world)] == [True]
            await world.stop_bot()
        await world.start_bot()


async def test_a_workspace_that_is_new_owes_none_of_before(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=POLICY) as world:  # it begins in the afternoon
        await world.declare()
        await world.advance(hours=1)
        assert digests(world) == []


@pytest.mark.parametrize("fault", ["cut_after", "cut_before"])
async def test_a_lost_answer_makes_no_second_one(tmp_path: Path, fault: str) -> None:
    async with world_at(tmp_path, policy=POLICY, begin=MORNING) as world:
        await world.declare()
        await world.advance(hours=1, minutes=59)
        world.slack.faults.add("chat.postMessage", fault)
        await world.advance(minutes=5)
        assert len(digests(world)) == 1
        await world.advance(hours=10)
        assert len(digests(world)) == 1


async def test_what_slack_refuses_is_shown_and_tried_again(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=POLICY, begin=MORNING) as world:
        await world.declare()
        await world.advance(hours=1, minutes=59)
        world.slack.faults.add("chat.postMessage", "error:restricted_action", 99)
        await world.advance(minutes=2)
        (parked,) = await world.bot.store.parked()
        assert parked.key.startswith("digest:") and digests(world) == []
        assert "duties: 1 parked; `bot doctor` shows them" in (await world.bot.health()).problems
        findings = await database(world.settings, world.clock.now())
        assert [one for one in findings if not one.ok and one.summary.startswith("parked: digest:")]
        world.slack.faults.clear()
        assert await rearm_all(world.settings) == 1
        await world.advance(minutes=1)
        assert len(digests(world)) == 1 and await world.bot.store.parked() == []


async def test_a_digest_of_yesterday_is_not_sent_today(tmp_path: Path) -> None:
    """Nor does anybody have to fix what kept it back."""
    async with world_at(tmp_path, policy=POLICY, begin=MORNING) as world:
        await world.declare()
        world.slack.faults.add("chat.postMessage", "error:restricted_action", 99)
        await world.advance(hours=18, minutes=10)
        world.slack.faults.clear()
        await world.advance(hours=9)
        (today,) = digests(world)
        assert "Tue 2026-03-03" in today
        assert [one for one in await world.bot.store.parked() if one.key.startswith("digest:")] == []


async def test_a_restored_database_posts_it_no_second_time(tmp_path: Path) -> None:
    """The row of the digest is gone: what stands in the channel is found."""
    async with world_at(tmp_path, policy=POLICY, begin=MORNING) as world:
        await world.declare()
        await world.advance(hours=2)
        team = world.slack.team_id
        subject = await world.bot.store.workspace(team)
        assert subject is not None
        (row,) = await world.bot.store.workspace_effects(subject)
        await world.bot.store.write(
            lambda tx: tx.workspaces.finish(subject, world.clock.now(), world.clock.now().replace(hour=23))
        )
        assert await world.bot.store.workspace_effects(subject) == []
        await world.settle()
        (again,) = await world.bot.store.workspace_effects(subject)
        assert (again.key, again.id, again.ts) == (row.key, row.id, row.ts)
        assert len(digests(world)) == 1


async def test_each_workspace_has_its_own(tmp_path: Path) -> None:
    async with two_banks(tmp_path, policy=POLICY, begin_at=MORNING) as (world, first, second):
        for where, title in ((first, "Withdrawals are stuck"), (second, "Cards are refused")):
            await install(world, where)
            await where.person("ana").command(f"/incident declare sev1 {title}", channel="#general")
            await world.settle()
        await world.advance(hours=2)
        here, there = _digests_in(first), _digests_in(second)
        assert len(here) == len(there) == 1
        assert "Withdrawals" in here[0] and "Cards" not in here[0]
        assert "Cards" in there[0] and "Withdrawals" not in there[0]


def _digests_in(where: Workspace) -> list[str]:
    return [one.plain for channel in where.world.channels.values() for one in channel.messages if TITLE in one.plain]


async def test_of_several_replicas_one_posts_it(tmp_path: Path, postgres18: Postgres) -> None:
    url = postgres18.create()
    async with world_at(tmp_path, policy=POLICY, begin=MORNING, database_url=url) as world:
        await world.declare()
        settings = world.settings.model_copy(update={"port": 0})
        async with contextlib.AsyncExitStack() as stack:
            others = [create_bot(settings, POLICY, world.clock, world.bot._content) for _ in range(2)]
            for other in others:
                await stack.enter_async_context(other.running())
            for days in range(3):
                await world.advance(hours=2 if not days else 24)  # all three have it due at the same moment
                await until(lambda days=days: _stand(world, days + 1), "the digest of the day")
                await asyncio.gather(*(one.scheduler.start_due() for one in (*others, world.bot)))
                await asyncio.gather(*(one.settle() for one in (*others, world.bot)))
        assert len(digests(world)) == 3, "one a day"
        assert await world.bot.store.verify() == []


async def _stand(world: World, count: int) -> bool:
    return len(digests(world)) >= count


def test_the_default_is_eight() -> None:
    assert Policy().digest_at == time(8)
    assert dataclasses.replace(Policy(), digest_at=None) != Policy()


async def test_a_redaction_takes_back_digests_that_told_the_words(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=POLICY, begin=MORNING) as world:
        await world.say("ana", f"/incident declare sev2 Logins with {WORDS} fail")
        await world.advance(hours=2)
        (told,) = digests(world)
        assert "zebra" in told
        ended = await redact(world)
        assert "Taken back:" in ended.said and "a digest" in ended.said
        await world.advance(hours=24)
        assert ["zebra" in one for one in digests(world)] == [False], "the next one does not tell them"
