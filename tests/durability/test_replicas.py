"""Three processes on one PostgreSQL and one Slack: they share the work, and none of them can lose or double anything.

Each is killed, stopped, frozen, cut off from the database and restarted while people work. ROUNDS makes all of that
longer; SEED chooses the moments, and every failure names it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Literal

import pytest
import pytest_asyncio

from bot.config import ROOT
from bot.domain import events as e
from bot.domain import lifecycle
from bot.domain.actor import Actor, ActorKind
from bot.domain.incident import Incident
from bot.policies import load
from bot.service import Service
from localslack.user_actions import Answer
from tests.durability.replicas import LEASE, Replicas, replicas, until
from tests.durability.runs import SEED
from tests.postgres import Postgres
from tests.world import WorldClock

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

#: how often everything is done; one round is a sample for every change
ROUNDS = int(os.environ.get("ROUNDS") or 1)
PEOPLE = ("ana", "ben", "carla")
POLICY = load(ROOT / "bot" / "demo" / "policy.toml")
DOWN = "nothing was recorded"
#: where a line is cut while an answer of the database's is on it
UNSURE = "it may stand there, or not"


# -- three replicas, started once; whatever a test does to them is mended before the next ----------------------------


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def _socket(postgres18: Postgres) -> AsyncIterator[Replicas]:
    async with replicas(postgres18, "socket") as them:
        yield them


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def _http(postgres18: Postgres) -> AsyncIterator[Replicas]:
    async with replicas(postgres18, "http") as them:
        yield them


@pytest_asyncio.fixture(loop_scope="module")
async def socket(_socket: Replicas) -> Replicas:
    """Three by Socket Mode: Slack gives each envelope to one connection, in turn."""
    await _socket.mended()
    return _socket


@pytest_asyncio.fixture(loop_scope="module")
async def http(_http: Replicas) -> Replicas:
    """Three behind a balancer, which can be told whom to ask."""
    await _http.mended()
    return _http


@pytest.fixture(params=["socket", "http"])
def mode(request: pytest.FixtureRequest) -> Replicas:
    """Those by Socket Mode, and those by HTTP; only the ones that are asked for are started."""
    them: Replicas = request.getfixturevalue(f"_{request.param}")
    return them


@pytest_asyncio.fixture(loop_scope="module")
async def each(mode: Replicas) -> Replicas:
    """Either."""
    await mode.mended()
    return mode


# -- what happens in them --------------------------------------------------------------------------------------------


async def began(them: Replicas, count: int, title: str, kind: ActorKind = ActorKind.MEMBER) -> list[str]:
    """So many incidents at once, recorded by somebody who leaves the rest to the replicas; their ids."""
    service = Service(them.store, POLICY, WorldClock(them.slack.clock))
    ana = them.slack.person("ana")
    actor = Actor(them.slack.team_id, ana.id if kind is ActorKind.MEMBER else "cli:ops", "Ana", kind)

    async def one(number: int) -> str:
        rule = partial(lifecycle.declare, title=f"{title} {number}", severity="sev1", policy=POLICY)
        done = await service.declare("declare", rule, actor, key=f"{title} {number} {random.random()}")
        await them.store.leases.release(done.incident.id)
        await them.store.write(lambda tx: tx.release(done.incident.id))
        return done.incident.id

    return list(await asyncio.gather(*(one(number) for number in range(count))))


class Noting:
    """People who write notes, one after the other each, as fast as they are answered."""

    def __init__(self, them: Replicas, incident: Incident) -> None:
        self._them = them
        self._incident = incident
        self._over = False
        self.answers: dict[str, Answer] = {}

    async def _notes(self, who: str) -> None:
        number = 0
        while not self._over:
            number += 1
            text = f"{who} saw {number}"
            self.answers[text] = await self._them.slack.person(who).command(
                f"/incident note {text}", channel=self._incident.channel
            )

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """While the block runs."""
        async with asyncio.TaskGroup() as group:
            for who in PEOPLE:
                group.create_task(self._notes(who))
            try:
                yield
            finally:
                self._over = True

    @property
    def acknowledged(self) -> list[str]:
        return [text for text, answer in self.answers.items() if answer.text.startswith("Noted")]

    @property
    def failed(self) -> dict[str, Answer]:
        return {text: answer for text, answer in self.answers.items() if not answer.text.startswith("Noted")}

    async def some(self, count: int) -> None:
        """Return when so many more have been acknowledged."""
        wanted = len(self.acknowledged) + count

        async def enough() -> bool:
            return len(self.acknowledged) >= wanted

        await until(enough, "notes are acknowledged")

    async def all_kept(self) -> None:
        """What was acknowledged is in the timeline, what was said not to be recorded is not, and nothing is twice."""
        kept = Counter(one.text for one in await self._them.events(self._incident.id, e.Noted))
        assert [text for text in self.acknowledged if text not in kept] == []
        assert [text for text, answer in self.failed.items() if DOWN in answer.text and text in kept] == []
        assert [text for text, count in kept.items() if count > 1] == []


async def pending(them: Replicas, method: str, after: int) -> None:
    """Return when Slack is in the middle of such a call; `after`: the journal's last number before."""

    async def seen() -> bool:
        return any(one.method == method and one.outcome == "pending" for one in them.slack.journal.after(after))

    await until(seen, f"{method} is under way")


def so_far(them: Replicas) -> int:
    return them.slack.journal[-1].number if them.slack.journal else 0


def promised() -> float:
    """Seconds until another one has what one held: its lease and a second, and what a machine takes that is busy."""
    return LEASE + 1 + 0.5 + os.getloadavg()[0] / (os.cpu_count() or 1)


async def taken_over(them: Replicas, id: str) -> float:
    """Return when another process has it, or has had it already; the seconds that it took."""
    holder = "SELECT lease_by FROM incidents WHERE id = $1"
    was = await them.asked(holder, id)
    assert was is not None

    async def another() -> bool:
        return await them.asked(holder, id) != was

    return await until(another, "it is taken over")


async def reminded_once(them: Replicas, ids: list[str]) -> None:
    """Each was reminded, and no rung of anything was told twice."""
    for id in ids:
        told = [(item, one.rung) for one in await them.events(id, e.Reminded) for item in one.items]
        assert told and len(told) == len(set(told)), told


# -- together --------------------------------------------------------------------------------------------------------


async def test_people_talk_to_all_of_them(each: Replicas) -> None:
    """One incident, everybody through whichever replica: one card, every act once, and all show the same at once."""
    incident = await each.opened("Withdrawals are stuck")
    place = incident.channel
    for number in range(3 * ROUNDS):
        title = f"Withdrawals wait, take {number}"
        said = await each.slack.person("ben").command(f"/incident title {title}", channel=place)
        assert "is changed" in said.text
        shown = await asyncio.gather(
            *(each.slack.person(who).command("/incident status", channel=place) for who in PEOPLE)
        )
        assert [title in one.text for one in shown] == [True] * 3
    noting = Noting(each, incident)
    async with noting.going_on():
        await noting.some(30 * ROUNDS)
    assert noting.failed == {}
    await noting.all_kept()
    await each.settled([incident.id])
    await each.nothing_twice([incident.id])
    card = next(one for one in each.place(incident).messages if one.ts == each.place(incident).pins[0].ts)
    assert f"take {3 * ROUNDS - 1}" in card.plain


async def test_what_one_hears_of_people_all_of_them_know(socket: Replicas) -> None:
    """Slack tells one replica that somebody is a guest now; none of the three lets them act any more."""
    incident = await socket.opened("Guests look on")
    dana = socket.slack.hire("dana", "Dana New")
    await socket.slack.idle()
    await dana.join(incident.channel)
    said = [await dana.command(f"/incident note as a member {n}", channel=incident.channel) for n in range(3)]
    assert [one.text.startswith("Noted") for one in said] == [True] * 3, said
    socket.slack.change_person("dana", is_guest=True)
    refused = 0

    async def by_all() -> bool:
        """Three in a row are three replicas."""
        nonlocal refused
        answer = await dana.command(f"/incident note as a guest {refused}", channel=incident.channel)
        refused = 0 if answer.text.startswith("Noted") else refused + 1
        return refused >= 3

    assert await until(by_all, "none of them lets a guest act") < 60


async def test_two_claim_a_role_at_the_same_moment(http: Replicas) -> None:
    """One has it, and the other is told who: 50 times in all."""
    ids = await began(http, 4 if ROUNDS == 1 else 17, "Roles are free", ActorKind.CLI)
    await http.settled(ids)
    races = 0
    for id in ids:
        place = (await http.incident(id)).channel
        for role in ("lead", "comms-lead", "scribe"):
            races += 1
            both = ("ben", "carla") if races % 2 else ("carla", "ben")
            said = await asyncio.gather(
                *(http.slack.person(who).command(f"/incident {role} me", channel=place) for who in both)
            )
            incident = await http.incident(id)
            holder = incident.roles[role]
            taken = [one for one in await http.events(id, e.RoleTaken) if one.role == role]
            assert [one.user for one in taken] == [holder]
            winner, loser = sorted(said, key=lambda one: not one.text.startswith("You are"))
            assert winner.text.startswith("You are"), winner
            assert f"<@{holder}>" in loser.text, loser
    await http.settled(ids)
    await http.nothing_twice(ids)


async def test_the_same_delivery_to_two_at_once(http: Replicas) -> None:
    """Both answer, and it counts once: a declaration, a command, a click."""
    assert http.balancer is not None
    http.balancer.twice = True
    http.balancer.answers.clear()
    incident = await http.opened("Cards are refused twice")
    for number in range(10 * ROUNDS):
        await http.slack.person("ben").command(f"/incident note twice {number}", channel=incident.channel)
    await http.slack.person("ben").command("/incident scribe me", channel=incident.channel)
    await http.settled([incident.id])
    assert set(http.balancer.answers) == {200}
    assert len(await http.events(incident.id, e.Noted)) == 10 * ROUNDS
    assert len([one for one in await http.events(incident.id, e.RoleTaken) if one.role == "scribe"]) == 1
    named = [row for row in await http.store.listing(http.slack.team_id) if row.title == incident.title]
    assert len(named) == 1
    await http.nothing_twice([incident.id])


async def test_the_same_envelope_to_two_connections(socket: Replicas) -> None:
    """Slack sends it again on another connection, which is another replica's."""
    incident = await socket.opened("Refunds are counted twice")
    socket.slack.faults.add("delivery:*", "duplicate", 0)
    for number in range(10 * ROUNDS):
        answer = await socket.slack.person("ben").command(f"/incident note twice {number}", channel=incident.channel)
        assert not answer.failed
    socket.slack.faults.clear()
    await socket.settled([incident.id])
    assert len(await socket.events(incident.id, e.Noted)) == 10 * ROUNDS
    await socket.nothing_twice([incident.id])


# -- killed ----------------------------------------------------------------------------------------------------------


async def test_the_holder_is_killed_while_it_opens_a_channel(http: Replicas) -> None:
    """Others take it over within its lease and a second, and what was due of others' is told meanwhile."""
    due = await began(http, 6, "Reminders are due")
    await http.settled(due)
    first = http.all[0]
    after = so_far(http)
    http.slack.faults.add("conversations.create", "slow:0.7")
    with http.only(first):
        declaring = asyncio.create_task(http.declare("Killed while opening"))
        await pending(http, "conversations.create", after)
        http.pass_time(31 * 60)
        await first.kill()
    id = next(row.id for row in await http.store.listing(http.slack.team_id) if row.title == "Killed while opening")
    took = await taken_over(http, id)
    assert took <= promised()
    with contextlib.suppress(AssertionError):  # whoever declared it may have heard nothing
        await declaring
    await http.looked_for([id, *due])
    await http.nothing_twice([id, *due])
    await reminded_once(http, due)
    incident = await http.incident(id)
    assert {http.slack.person(who).id for who in PEOPLE[:2]} <= set(http.place(incident).members)
    announced = [one for one in http.slack.channel("incidents").messages if incident.name in one.plain]
    assert len(announced) == 1


@pytest.mark.parametrize("mode", ["socket"] if ROUNDS == 1 else ["socket", "http"], indirect=True)
async def test_killed_again_and_again_while_reminders_are_due(each: Replicas) -> None:
    """Reminders of many incidents in the same minute; at moments of chance one of the three is killed and restarted."""
    them = each
    chance = random.Random(SEED)
    count, kills = (12, 2) if ROUNDS == 1 else (60, 16)
    ids = await began(them, count, "Many at once")
    await them.settled(ids)
    after = so_far(them)
    them.pass_time(31 * 60)
    restarts: list[asyncio.Task[None]] = []
    for _ in range(kills):
        calls = so_far(them) + chance.randrange(1, max(2, count // 3))

        async def made(calls: int = calls) -> bool:
            return so_far(them) >= calls or await them.unpaid(ids) == 0

        await until(made, "some are told")
        victim = chance.choice([one for one in them.all if one.runs])
        await victim.kill()
        restarts.append(asyncio.create_task(victim.start()))
        if len(restarts) == 2 or ROUNDS > 1:
            await restarts.pop(0)
    await asyncio.gather(*restarts)
    assert so_far(them) > after, f"SEED={SEED}"
    await them.looked_for(ids)
    await them.nothing_twice(ids)
    await reminded_once(them, ids)


# -- cut off from the database ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["blackhole", "reset"])
async def test_one_is_cut_off_from_the_database(http: Replicas, how: Literal["blackhole", "reset"]) -> None:
    """It says that nothing is recorded and makes no call; the others take over; once that is over, it works again."""
    first = http.all[0]
    with http.only(first):
        incident = await http.opened({"blackhole": "Cards hear nothing", "reset": "Payouts are torn"}[how])
        first.cut(how)
        lost = await http.slack.person("ben").command("/incident note lost", channel=incident.channel)
        assert DOWN in lost.text or UNSURE in lost.text
        for _ in range(6):  # each connection that was open may end in an answer that is lost
            again = await http.slack.person("ben").command("/incident note lost", channel=incident.channel)
            if DOWN in again.text:
                break
        assert DOWN in again.text
    http.pass_time(31 * 60)

    async def reminded() -> bool:
        return bool(await http.events(incident.id, e.Reminded))

    await until(reminded, "another one reminds")
    kept = await http.slack.person("ben").command("/incident note kept", channel=incident.channel)
    while DOWN in kept.text:  # a third of them goes to the one that cannot
        kept = await http.slack.person("ben").command("/incident note kept", channel=incident.channel)
    await http.settled([incident.id])
    first.cut("ok")
    await until(first.ready, "it works again")
    with http.only(first):
        back = await http.slack.person("ben").command("/incident note back", channel=incident.channel)
    assert back.text.startswith("Noted")
    noted = [one.text for one in await http.events(incident.id, e.Noted)]
    assert [text for text in noted if text != "lost"] == ["kept", "back"]
    await http.looked_for([incident.id])
    await http.nothing_twice([incident.id])
    await reminded_once(http, [incident.id])


# -- frozen ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["chat.postMessage", "conversations.create"][: 1 if ROUNDS == 1 else 2])
async def test_one_stands_still_past_its_lease(http: Replicas, method: str) -> None:
    """Frozen in the middle of a call that Slack makes late; awake again, it writes nothing, and no double stands."""
    first = http.all[0]
    title = {"chat.postMessage": "Frozen while it speaks", "conversations.create": "Iced before a channel"}[method]
    http.slack.faults.add(method, "slow:5")
    after = so_far(http)
    with http.only(first):
        declaring = asyncio.create_task(http.declare(title))
        await pending(http, method, after)
        first.freeze()
    (id,) = [row.id for row in await http.store.listing(http.slack.team_id) if row.title == title]
    assert await taken_over(http, id) <= promised()
    for seconds in (2.1, 15.1):  # it is looked for twice, and begun anew where it is not there
        http.pass_time(seconds)
        await http.settled_but_looks([id])
    await http.slack.idle()  # the late call has come through
    first.thaw()
    await until(first.ready, "it goes on")
    with contextlib.suppress(AssertionError):
        await declaring
    await http.looked_for([id])
    await http.nothing_twice([id])


# -- told to stop ----------------------------------------------------------------------------------------------------


async def test_one_is_told_to_stop_under_load(http: Replicas) -> None:
    """It ends with 0 within ten seconds, what it held is free at once, and nobody notices."""
    first = http.all[0]
    talked = await http.opened("People talk on")
    noting = Noting(http, talked)
    async with noting.going_on():
        await noting.some(5)
        http.slack.faults.add("chat.postMessage", "slow:0.5")
        after = so_far(http)
        with http.only(first):
            held = await http.declare("Handed over halfway")
        await pending(http, "chat.postMessage", after)
        who = await http.holder(held.id)
        http.pass_time(31 * 60)
        status, took = await first.stop()
        assert (status, took < 10) == (0, True)
        assert await http.asked("SELECT count(*) FROM incidents WHERE lease_by = $1", who) == 0
        await noting.some(10)
    assert noting.failed == {}
    await noting.all_kept()
    ids = [held.id, talked.id]
    await http.looked_for(ids)
    await http.nothing_twice(ids)
    await reminded_once(http, ids)


@pytest.mark.parametrize("mode", ["http"] if ROUNDS == 1 else ["socket", "http"], indirect=True)
async def test_all_are_restarted_one_after_the_other(each: Replicas) -> None:
    """A new version comes, a replica at a time, while people work: behind a balancer nobody sees an error."""
    incident = await each.opened("Rolling on")
    noting = Noting(each, incident)
    async with noting.going_on():
        for one in each.all:
            await noting.some(5)
            assert (await one.stop())[0] == 0
            await noting.some(5)
            await one.start()
    if each.balancer:
        assert noting.failed == {}
    await noting.all_kept()
    await each.settled([incident.id])
    await each.nothing_twice([incident.id])


async def test_the_database_restarts_under_all_of_them(socket: Replicas, postgres18: Postgres) -> None:
    """What was acknowledged is there, what could not be recorded was said, and all of them go on by themselves."""
    incident = await socket.opened("The database restarts")
    noting = Noting(socket, incident)
    async with noting.going_on():
        for _ in range(ROUNDS):
            await noting.some(5)
            await asyncio.to_thread(postgres18.restart)
            await noting.some(10)
    for text, answer in noting.failed.items():
        assert answer.failed or DOWN in answer.text or UNSURE in answer.text, (text, answer)
    await noting.all_kept()
    for one in socket.all:
        await until(one.ready, "it goes on")
    socket.pass_time(31 * 60)
    await socket.looked_for([incident.id])
    await socket.nothing_twice([incident.id])
    await reminded_once(socket, [incident.id])
