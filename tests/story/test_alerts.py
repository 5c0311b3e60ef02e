"""From an alert to people: what stands in Slack when nobody has typed anything."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.domain.alert import WITHHELD_TEXT
from tests.durability.test_slack_is_away import once
from tests.sender import SETTING, post, stored, tell
from tests.story.test_hostile_texts import ACTIVE, H, marked_up
from tests.world import World, test_policy, world_at

FIXTURES = Path(__file__).parents[1] / "alerts" / "fixtures"
FIRING, MIXED, RESOLVED = (
    (FIXTURES / f"alertmanager_{name}.json").read_bytes() for name in ("firing", "mixed", "resolved")
)


@pytest.fixture
async def hearing(tmp_path: Path) -> Any:
    """A world that takes alerts."""
    async with world_at(tmp_path, alert_secrets=SETTING) as one:
        yield one


def card(world: World, number: int = 1) -> str:
    place = world.channel(number)
    pinned = place.by_ts[place.pins[0].ts]
    return pinned.plain + json.dumps(pinned.blocks)


def thread(world: World, number: int = 1) -> list[str]:
    """What stands in the card's thread."""
    place = world.channel(number)
    return [json.dumps(one.blocks) for one in world.messages("ben", place.name, place.pins[0].ts)[1:]]


async def test_from_the_first_alert_to_the_last(hearing: World) -> None:
    """Declared with its runbook, led by nobody; policy's people are called; it goes on in one list; people end it."""
    assert await tell(hearing, FIRING, "alertmanager") == "declared INC-1"
    place = hearing.channel(1)
    assert place.name == "inc-1-horizondown-horizon-root-returns-503-for-3m"
    assert {hearing.person(who).id for who in ("ben", "carla")} <= set(place.members)
    assert "alert:alertmanager" not in "".join(
        json.dumps(one.args) for one in hearing.slack.journal.of("conversations.invite")
    )
    assert "Alerts: 2 firing" in card(hearing) and "Lead nobody" in card(hearing)
    assert "Nobody has answered since 14:00 UTC" in card(hearing) and "by alertmanager (alert)" in card(hearing)
    assert "runbook Horizon outage 0 of" in card(hearing)
    (listed,) = thread(hearing)
    assert (
        "https://horizon.example" in listed and "https://horizon2.example" in listed and "firing since 13:57" in listed
    )

    await hearing.advance(minutes=5)
    hearing.find("ben", place.name, "Nobody has answered since 14:00 UTC")
    assert "2 tried" in card(hearing)
    await hearing.say("ben", "/incident ack", place.name)
    assert (await hearing.incident()).lead == hearing.person("ben").id and "Nobody has answered" not in card(hearing)

    assert await tell(hearing, FIRING, "alertmanager") == "repeated INC-1"
    assert await tell(hearing, MIXED, "alertmanager") == "added INC-1"
    assert "Alerts: 1 firing, 1 ended" in card(hearing)
    assert await tell(hearing, RESOLVED, "alertmanager") == "added INC-1"
    assert "all 2 have ended" in card(hearing) and "Resolving the incident is for a person" in card(hearing)
    assert (await hearing.incident()).open and len(thread(hearing)) == 1  # edited, not repeated
    told = Counter(await hearing.types())
    assert (told["AlertFired"], told["AlertResolved"]) == (2, 2)

    await hearing.say("ben", "/incident false-alarm probe was wrong", place.name)
    assert await tell(hearing, MIXED, "alertmanager") == "repeated INC-1"
    again = json.loads(FIRING)
    again["alerts"][0]["startsAt"] = "2026-03-02T15:00:00Z"
    assert await tell(hearing, again, "alertmanager") == "declared INC-2"
    once(hearing)


async def test_people_are_asked_to_read_the_timeline(hearing: World) -> None:
    await tell(hearing, FIRING, "alertmanager")
    await tell(hearing, RESOLVED, "alertmanager")
    said = await hearing.say("ben", "/incident timeline", hearing.channel(1).name)
    assert "alertmanager (alert): HorizonDown fires: Horizon root returns 503 for 3m" in said
    assert "HorizonDown no longer fires" in said and "by an alert" in said


async def test_a_duplicate_s_alerts_go_where_people_work(hearing: World) -> None:
    """Groups of one outage: people say that they are the same, and what comes afterwards begins nothing."""
    for group in ("a", "b"):
        await tell(hearing, {"name": "DiskFull", "severity": "minor", "group": group, "id": "1"})
    await hearing.say("ana", "/incident duplicate INC-1", hearing.channel(2).name)
    assert await tell(hearing, {"name": "DiskFull", "severity": "minor", "group": "b", "id": "2"}) == "added INC-1"
    assert len(await hearing.bot.store.listing(hearing.slack.team_id, open_only=False)) == 2


async def test_delicate_words(hearing: World) -> None:
    """Nobody can be asked: it is private, and those whom policy calls are in it, and are called until one answers."""
    found = {"name": "DoublePaymentFound", "title": "3 payouts sent twice", "severity": "critical"}
    # its sender is not in it either, and learns no number
    assert [await tell(hearing, found), await tell(hearing, found)] == ["declared", "repeated"]
    place = hearing.channel(1)
    assert place.name == "inc-1" and place.is_private
    in_it = {hearing.person(who).id for who in ("ben", "carla")}
    assert in_it < set(place.members)
    elsewhere = [one.plain for one in hearing.messages("eve", "#incidents")] + [
        await hearing.say("eve", "/incident list")
    ]
    assert not any("INC-1" in one or "ouble" in one for one in elsewhere)
    await hearing.advance(minutes=11)
    assert (await hearing.types()).count("NobodyAnswered") == 2
    hearing.find("ben", place.name, "Nobody has answered since 14:00 UTC")
    assert set(place.members) == {*in_it, hearing.slack.bot_user_id}


async def test_delicate_words_in_a_public_incident(hearing: World) -> None:
    await tell(hearing, {"name": "LedgerCheck", "severity": "critical", "group": "ledger", "id": "1"})
    await tell(hearing, {"name": "LedgerCheck", "title": "fraud by mallory", "group": "ledger", "id": "2"})
    (listed,) = thread(hearing)
    assert WITHHELD_TEXT in listed and "mallory" not in listed + str(
        await hearing.bot.store.entries((await hearing.incident()).id)
    )


async def test_a_secret_in_an_alert_is_not_stored(hearing: World) -> None:
    from stellar_sdk import Keypair

    seed = Keypair.random().secret
    await tell(hearing, {"name": "SignerError", "title": f"cannot sign with {seed}", "severity": "critical"})
    incident = await hearing.incident()
    assert seed not in str(await hearing.bot.store.entries(incident.id)) and WITHHELD_TEXT in incident.title


async def test_a_team_that_lets_alerts_declare_nothing(tmp_path: Path) -> None:
    from dataclasses import replace

    policy = test_policy()
    policy = replace(policy, alerts=replace(policy.alerts, declare=False))
    async with world_at(tmp_path, policy=policy, alert_secrets=SETTING) as world:
        assert await tell(world, FIRING, "alertmanager") == "noted"
        assert await world.bot.store.listing(world.slack.team_id) == []


async def test_hostile_alerts(hearing: World) -> None:
    """Every text that a sender may give, in everything that goes to Slack: it calls nobody, and leads nowhere else."""
    labels = {"alertname": f"Down {H}", "severity": f"critical{H}", f"a{H}": H}
    payload = json.loads(FIRING)
    payload["alerts"][0] |= {"labels": labels, "annotations": {"summary": H, "runbook_url": f"https://x.example/{H}"}}
    payload["alerts"][0]["generatorURL"] = "https://evil.example|good.example"
    payload |= {"groupKey": H, "commonLabels": {}}
    await tell(hearing, payload, "alertmanager")
    await tell(
        hearing,
        {"name": H, "title": H, "severity": H, "labels": {"x": H}, "runbook": H, "link": f"https://g.example/?q={H}"},
    )
    await hearing.advance(minutes=6)
    await hearing.say("ben", "/incident timeline", hearing.channel(1).name)
    calls = [text for one in hearing.slack.journal for text in marked_up(one.args)]
    assert any("evil.example" in one for one in calls)
    assert [one for one in calls if ACTIVE.search(one)] == []
    assert await hearing.bot.store.parked() == []


# -- S6, L2 ---------------------------------------------------------------------------------------------


async def test_slack_is_away(hearing: World) -> None:
    """What alerts declare while Slack is down is stored at once, and opened when it is back: one channel each."""
    hearing.slack.faults.add("*", "cut_before", times=0)
    for number in range(3):
        body = {"name": f"Settlement{number}Late", "severity": "critical"}
        assert await post(hearing, body) == (200, {"outcome": "declared", "incident": f"INC-{number + 1}"})
    await hearing.settle()
    for number in range(5):
        await tell(hearing, {"name": "Settlement0Late", "severity": "critical", "id": str(number)})
        await hearing.jump(minutes=6)
    assert not [one for one in hearing.slack.channels if one.name.startswith("inc-")]
    hearing.slack.faults.clear()
    await hearing.advance(minutes=12)  # the longest pause
    names = sorted(one.name for one in hearing.slack.channels if one.name.startswith("inc-"))
    assert names == [f"inc-{number + 1}-settlement{number}late" for number in range(3)]
    assert "Alerts: 6 firing" in card(hearing) and len(thread(hearing)) == 1
    once(hearing)


@pytest.mark.parametrize(("webhooks", "services"), [(240, 30), (1000, 50)], ids=["240 of 30", "1,000 of 50"])
async def test_a_storm(tmp_path: Path, webhooks: int, services: int) -> None:
    """Ten seconds of alerts where Slack keeps its limits: all are stored, with one incident and one list a service.

    At most 20 channels open a minute, and the first card stands within five seconds.
    """
    async with world_at(tmp_path, strict=True, alert_secrets=SETTING) as world, aiohttp.ClientSession() as session:
        began = world.slack.clock.now()
        for second in range(10):
            told = range(second * webhooks // 10, (second + 1) * webhooks // 10)
            bodies = [
                {"name": "Down", "severity": "minor", "group": f"service {number % services}", "id": str(number)}
                for number in told
            ]
            await asyncio.gather(*(stored(world, one, session=session) for one in bodies))
            async with asyncio.timeout(60):  # of this machine's time: Slack's stands still until there is a card
                while not world.slack.journal.of("pins.add"):  # noqa: ASYNC110  (nobody tells)
                    await asyncio.sleep(0.01)
            world.slack.clock.advance(1)
            world.clock.moved()
        rows = await world.bot.store.listing(world.slack.team_id)
        heard = [len(one.alerts) for row in rows if (one := await world.bot.store.incident(row.id))]
        assert heard == [webhooks // services] * services
        await world.settle()
        for _ in range(services // 10):
            await world.jump(minutes=1)

        made = [one.started for one in world.slack.journal.of("conversations.create") if one.outcome == "ok"]
        assert len(made) == services
        # Slack gives a minute's worth at once to whoever has asked for none, and 20 a minute from then on.
        assert max(len([one for one in made if at <= one < at + 60]) for at in made) <= 40
        cards = [one.ended for one in world.slack.journal.of("pins.add") if one.outcome == "ok" and one.ended]
        assert len(cards) == services and min(cards) - began <= 5
        for number in range(1, services + 1):
            assert f"Alerts: {webhooks // services} firing" in card(world, number) and len(thread(world, number)) == 1
        once(world)
