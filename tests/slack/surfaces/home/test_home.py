"""The app's Home, as people look at it: what waits for them, what is open, what ended; nothing that is not theirs."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from bot.app import create_bot
from bot.domain import lifecycle
from localslack.workspace import Workspace
from tests.durability.replicas import until
from tests.installing import install, two_banks
from tests.postgres import Postgres
from tests.story import short
from tests.story.acts import write_text
from tests.story.test_comms import SLOTS
from tests.story.test_private import OUTSIDERS, private
from tests.world import World, test_policy, world_at


async def look(world: World, who: str) -> str:
    """This person opens the Home; what it shows."""
    await world.person(who).open_home()
    await world.settle()
    return shown(world, who)


def shown(world: World, who: str) -> str:
    """What the Home shows now; empty where none was published."""
    return _text(world.person(who).home)


def _text(home: object) -> str:
    return "" if home is None else json.dumps(home, ensure_ascii=False)


def published(world: World) -> int:
    return len(world.slack.journal.of("views.publish"))


async def test_whoever_opens_it_sees_what_is_open_the_worst_first(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy()) as world:
        empty = await look(world, "eve")
        assert "Nothing waits for you." in empty and "No incident is open." in empty and "Ended" not in empty
        await world.say("ben", "/incident declare sev3 A label is wrong")
        await world.say("ana", "/incident declare sev1 Payouts <!channel> are stuck")
        home = shown(world, "eve")
        assert home.index("INC-2") < home.index("INC-1") and "<!channel>" not in home
        assert "*INC-2* SEV-1 · Investigating · Payouts" in home and "lead Ana Silva · next update 14:30 UTC" in home
        assert f"<#{world.channel(2).id}>" in home and "lead Ben Okafor" in home
        assert all(shown(world, who) == "" for who in ("ana", "ben", "carla")), "they have not opened theirs"


async def test_it_changes_with_what_it_shows_and_is_published_for_nothing_else(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy()) as world:
        room = (await world.declare("ana", "sev2 Payouts wait")).id
        await look(world, "eve")
        before = published(world)
        await world.say("ana", "/incident note the queue is long", room)
        await look(world, "eve")
        assert published(world) == before, "nothing that it shows has changed"
        await world.say("ana", "/incident sev sev1 money is at risk", room)
        assert published(world) == before + 1 and "SEV-1" in shown(world, "eve")
        await world.advance(minutes=31)
        assert "update overdue since 14:30 UTC" in shown(world, "eve")
        await world.stop_bot()
        await world.start_bot()
        await world.say("ana", "/incident lead @ben", room)
        await world.advance(minutes=6)
        assert "lead Ben Okafor" in shown(world, "eve"), "it is kept up to date over a restart"


async def test_who_does_not_come_back_is_published_none(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy()) as world:
        room = (await world.declare("ana", "sev3 A label is wrong")).id
        await look(world, "eve")
        await look(world, "dipo")
        await world.jump(days=6)
        await look(world, "dipo")
        await world.jump(days=2)
        await world.say("ana", "/incident sev sev2 it spreads", room)
        assert "SEV-2" in shown(world, "dipo") and "SEV-2" not in shown(world, "eve")
        assert "SEV-2" in await look(world, "eve")


async def test_nothing_of_a_private_incident_but_to_its_members(tmp_path: Path) -> None:
    """Eve may read of private incidents in the list; a Home is for what one is in."""
    async with world_at(tmp_path, policy=test_policy(may_read_private=("@comms",))) as world:
        for who in ("ana", *OUTSIDERS):
            await look(world, who)
        room = await private(world, "sev1 Customer was paid twice")
        for who in OUTSIDERS:
            assert "INC-1" not in shown(world, who) and "paid twice" not in await look(world, who)
        assert "paid twice" in shown(world, "ana")
        assert "paid twice" in await world.say("eve", "/incident list")
        await world.say("ana", "/incident add @ben", room)
        assert "paid twice" in shown(world, "ben")
        await world.person("ben").leave(room)
        await world.settle()
        assert "paid twice" not in shown(world, "ben"), "who left is shown it no more"


async def test_a_guest_sees_what_they_were_brought_into(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy(guests_may_act=True)) as world:
        room = (await world.declare()).id
        assert "No incident is open." in await look(world, "gus")
        await world.say("ana", "/incident add @gus", room)
        assert "Withdrawals are stuck" in shown(world, "gus")


async def test_what_waits_for_whom(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy()) as world:
        for who in ("ana", "ben", "carla", "dipo"):
            await look(world, who)
        await short.declared(world)
        await short.with_a_runbook(world)
        await short.ticked(world)
        await short.asked(world)
        asked = "Carla Rossi waits for you as the second person: Resume outgoing payments"
        assert asked in shown(world, "ben") and asked not in shown(world, "carla")
        await short.agreed(world)
        assert "Ben Okafor gave you the go-ahead: Resume outgoing payments" in shown(world, "carla")
        assert asked not in shown(world, "ben")
        room = world.channel().id
        await world.say("ana", "/incident add @dipo", room)
        await write_text(world, "ana", room, SLOTS)
        assert "Ana Silva asks you to approve a text (customers)" in shown(world, "dipo")
        await world.say("ana", "/incident task @carla add an alert by Friday", room)
        assert "your action item: add an alert · due Fri 2026-03-06" in shown(world, "carla")
        await world.say("ben", "/incident lead me", room)
        assert "Ben Okafor is taking over from you as the lead" in shown(world, "ana")
        await world.advance(minutes=6)
        assert "is taking over" not in shown(world, "ana")


async def test_what_ended_lately_how_and_its_postmortem(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy()) as world:
        await look(world, "eve")
        first = (await world.declare("ana", "sev2 Payouts wait")).id
        await world.say("ana", "/incident false-alarm the dashboard was wrong", first)
        home = shown(world, "eve")
        assert "*INC-1* Payouts wait · False alarm 14:00 UTC" in home and "no postmortem asked for" in home
        await world.say("ana", "/incident declare sev2 Cards are refused")
        room = world.channel(2).id
        values = {"checks": ["impact", "reconciled", "unpaused"], "note": "moved", "override": "customers were phoned"}
        await short.opens(world, "ana", lambda: world.person("ana").command("/incident resolve", channel=room))
        await short.sends(world, "ana", values, "Resolve")
        assert "postmortem due Mon 2026-03-09" in shown(world, "eve")
        await world.say("ana", "/incident postmortem", room)
        (file,) = world.slack.world.files.values()
        assert f"<{world.slack.url}/files/{file.user}/{file.id}/{file.name}|postmortem>" in shown(world, "eve")
        await world.jump(days=20)
        assert "INC-2" not in await look(world, "eve")


async def test_the_button_opens_the_form(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy()) as world:
        await look(world, "carla")
        await world.person("carla").click_in_home(label="Declare an incident")
        await world.settle()
        await world.person("carla").submit({"title": "Payouts wait", "severity": "sev3"})
        await world.settle()
        assert (await world.incident()).declared_by == world.person("carla").id
        assert "Payouts wait" in shown(world, "carla")


async def test_a_home_that_slack_refuses_hinders_nothing(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy()) as world:
        world.slack.faults.add("views.publish", "error:not_enabled")
        assert await look(world, "eve") == ""
        room = (await world.declare()).id
        assert await world.say("ana", "/incident note it works", room)
        assert (await world.bot.health()).problems == ()
        assert "Withdrawals are stuck" in await look(world, "eve")


async def test_each_workspace_has_its_own(tmp_path: Path) -> None:
    async with two_banks(tmp_path) as (world, first, second):
        for where, title in ((first, "Withdrawals are stuck"), (second, "Cards are refused")):
            await install(world, where)
            await where.person("ana").command(f"/incident declare sev1 {title}", channel="#general")
            await world.settle()
        for where in (first, second):
            await where.person("eve").open_home()
        await world.settle()
        here, there = _home_in(first), _home_in(second)
        assert "Withdrawals" in here and "Cards" not in here
        assert "Cards" in there and "Withdrawals" not in there


def _home_in(where: Workspace) -> str:
    return _text(where.person("eve").home)


async def test_another_replica_shows_what_it_has_changed(tmp_path: Path, postgres18: Postgres) -> None:
    """The Home was opened in one process; the incident is changed in another one."""
    async with world_at(tmp_path, policy=test_policy(), database_url=postgres18.create()) as world:
        settings = world.settings.model_copy(update={"port": 0})
        async with create_bot(settings, world.policy, world.clock, world.bot._content).running() as other:
            for bot in (other, world.bot):
                await bot.settle()
            await world.bot.scheduler.workspaces.open_home(world.slack.team_id, world.person("eve").id)
            await world.bot.settle()
            services = other.token_workspace.services
            actor = await services.directory.actor(world.person("ana").id)
            rule = partial(lifecycle.declare, title="Payouts wait", severity="sev2", policy=services.policy)
            await services.service.declare("declare", rule, actor, key="there")

            async def stands() -> bool:
                return "Payouts wait" in shown(world, "eve")

            await until(stands, "the Home shows it")
