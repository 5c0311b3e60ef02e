"""A thousand open incidents: what people ask for stays within Slack's limits, and says the worst first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from bot.domain import lifecycle
from bot.domain.actor import Actor
from bot.domain.incident import Incident
from bot.ports import Transaction
from bot.service import incident_id
from tests.world import World, world_at

MANY = 1000
shared_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """INC-1 is a SEV-1 with its channel; then a thousand of SEV-3, at rest, and every tenth private and of others."""
    async with world_at(tmp_path_factory.mktemp("many")) as world:
        await world.declare()
        by = Actor(team=world.slack.team_id, user="U0SOMEBODY", name="Somebody")

        def begin(tx: Transaction, number: int) -> None:
            one = Incident(team=by.team, id=incident_id(by.team, f"old:{number}"))
            title = f"Payouts to partner {number} wait " + "for a long time " * 9
            rule = partial(lifecycle.declare, title=title.strip(), severity="sev3", private=number % 10 == 0)
            events = rule(
                one, number=tx.next_number(by.team), by=by, at=world.clock.now(), policy=world.policy, origin="C1"
            )
            tx.append(one, events, due_at=None)

        for start in range(0, MANY, 100):
            await world.bot.store.write(lambda tx, s=start: [begin(tx, n) for n in range(s, s + 100)])
        yield world


@shared_loop
async def test_the_list_begins_with_the_worst_and_counts_the_rest(office: World) -> None:
    said = await office.say("ana", "/incident list")
    lines = said.splitlines()
    assert lines[0].startswith("INC-1 · SEV-1") and len(said) <= 4000
    # Private ones of others are neither shown nor counted among those that were looked into.
    shown = [one for one in lines if one.startswith("INC-")]
    public = 1 + MANY - MANY // 10
    assert len(lines) == len(shown) + 1 and lines[-1] == f"and {public - len(shown)} more"


@shared_loop
async def test_a_guest_learns_of_none(office: World) -> None:
    assert await office.say("gus", "/incident list") == "No incident is open. `/incident declare` begins one."


@shared_loop
@pytest.mark.parametrize("text", ["", "status", "resolve", "declare", "help", "declare sev3 Cards are refused"])
async def test_what_people_ask_for_is_taken_by_slack(office: World, text: str) -> None:
    """The local Slack refuses what Slack refuses."""
    since = len(office.slack.journal)
    await office.say("ana", f"/incident {text}".strip())
    assert [one for one in office.slack.journal[since:] if one.method == "views.open" and one.outcome != "ok"] == []


@shared_loop
async def test_health_counts_the_public_ones(office: World) -> None:
    health = await office.bot.health()
    assert health.open_incidents >= 1 + MANY - MANY // 10


@shared_loop
async def test_an_old_one_is_found_by_its_number(office: World) -> None:
    assert "There is no INC-9999 here." in await office.say("ana", "/incident duplicate INC-9999", office.channel(1).id)
    assert (await office.incident(500)).title.startswith("Payouts to partner 498")
