"""Who may do what, by policy: groups that change between two clicks, people who are gone, Slack away at the start."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.domain import lifecycle
from bot.domain.actor import Actor
from bot.slack.inbound.dispatch import BUTTONS, FORMS
from tests.sentences import NO_SUCH_INCIDENT
from tests.story.acts import direct_message, heard, last, submit, write_text
from tests.story.forged import Forger
from tests.world import World, test_policy, world_at

LEADS = {"may_resolve": ("@incident-leads",)}
#: what Carla reads, who is in none of those groups
ASK_LEADS = "Ask somebody of @incident-leads."


@pytest.mark.parametrize(
    ("right", "said"),
    [
        pytest.param("may_declare", "declare sev3 Receipts are blurred", id="declare"),
        pytest.param("may_change_severity", "sev 2 fewer", id="severity"),
        pytest.param("may_resolve", "resolve it is over", id="resolve"),
        pytest.param("may_resolve", "false-alarm it was a test", id="a false alarm ends it too"),
        pytest.param("may_resolve", "duplicate INC-2", id="a duplicate ends it too"),
        pytest.param("may_do_money_steps", "step 5.4 alone nobody is here", id="a step that takes two people"),
        pytest.param("may_do_money_steps", "step 3.4 done", id="a step that is reviewed"),
    ],
)
async def test_who_is_not_named_is_told_whom_to_ask(tmp_path: Path, right: str, said: str) -> None:
    async with world_at(tmp_path, policy=test_policy(**{right: ("@incident-leads",)})) as world:
        place = (await world.declare("ana", "sev3 Withdrawals are stuck")).name
        await world.declare("ben", "sev3 Buttons are grey")
        await world.say("ana", "/incident runbook horizon-outage", place)
        await world.person("ana").invite(place, "carla")
        await world.settle()
        before = await world.types()
        answer = await world.say("carla", f"/incident {said}", place)
        assert ASK_LEADS in (answer or last(world, "carla", place))
        if world.person("carla").view is not None:  # a form opens to whoever may look; it is refused when handed in
            result = await world.person("carla").submit({"note": "it is over"})
            assert ASK_LEADS in " ".join(result.errors.values())
        assert await world.types() == before
        assert not world.person("ana").notifications or ASK_LEADS not in world.person("ana").notifications[-1].text
        answer = await world.say("ana", f"/incident {said}", place)
        assert ASK_LEADS not in (answer or last(world, "ana", place))


async def test_who_left_the_group_while_the_form_was_open_is_refused(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy(**LEADS)) as world:
        place = (await world.declare("ben", "sev2 Withdrawals are stuck")).name
        await world.say("ben", "/incident resolve", place)
        world.slack.set_group("incident-leads", ["ana", "eve"])
        await world.settle()
        result = await world.person("ben").submit({"note": "over", "override": "because"})
        assert ASK_LEADS in " ".join(result.errors.values())
        assert (await world.incident()).open
        world.slack.set_group("incident-leads", ["ana", "ben"])
        await world.settle()
        await submit(world, "ben", {"note": "over", "override": "because"})
        assert not (await world.incident()).open


async def test_the_second_person_is_looked_at_when_they_agree(tmp_path: Path) -> None:
    """Asked, opened the form, left the group, pressed [Go]: no."""
    async with world_at(tmp_path, policy=test_policy(may_confirm=("@payments-oncall",))) as world:
        place = (await world.declare("ana", "sev1 Withdrawals are stuck")).name
        await world.say("ana", "/incident add @ben", place)
        await world.say("ana", "/incident runbook horizon-outage", place)
        await world.say("ana", "/incident step 5.4 ask", place)
        await submit(world, "ana", {"count": "1"}, "Ask")
        assert (await world.incident()).open_asks[0].asked.to == ("U01BENOKAFO", "U01CARLAROS")
        await world.person("ben").click(world.find("ben", place, "asks: Resume outgoing payments"), label="Go")
        assert world.person("ben").view is not None
        world.slack.set_group("payments-oncall", ["carla"])
        await world.settle()
        await world.person("ben").submit({})
        await world.settle()
        assert (await world.incident()).open_asks[0].state == "asked"
        assert "Ask somebody of @payments-oncall." in last(world, "ben", place)


async def test_an_approver_who_left_the_group_approves_nothing(tmp_path: Path) -> None:
    async with world_at(tmp_path, policy=test_policy(may_approve=("@comms",))) as world:
        place = (await world.declare("ana", "sev1 Withdrawals are stuck")).name
        values = {"what": "some payouts", "since": "13:40 UTC", "next_update": "15:00 UTC"}
        await write_text(world, "ana", place, values)
        asked = direct_message(world, "dipo", "asks you to approve")
        world.slack.set_group("comms", ["eve"])
        await world.settle()
        await world.person("dipo").click(asked, label="Approve")
        await world.settle()
        assert "Ask somebody of @comms." in direct_message(world, "dipo", "Ask somebody").plain
        assert "CommsApproved" not in await world.types()


# -- people who are gone, and people of elsewhere -------------------------------------------------------------


async def test_whose_account_is_deactivated_holds_no_role(world: World) -> None:
    place = (await world.declare("ana", "sev1 Withdrawals are stuck")).name
    await world.say("ana", "/incident comms-lead @dipo", place)
    await world.say("ben", "/incident ack", place)
    await world.say("ana", "/incident lead @ben", place)
    await world.advance(minutes=6)
    assert (await world.incident()).lead == world.person("ben").id
    world.slack.change_person("ben", deleted=True)
    await world.settle()
    incident = await world.incident()
    assert (incident.lead, incident.comms_lead) == ("", world.person("dipo").id)
    asked = world.find("dipo", place, "cannot act here any more")
    assert "Ben Okafor cannot act here any more, so nobody is the lead now." in asked.plain
    assert [one for one in world.person("dipo").notifications if "cannot act here any more" in one.text]
    assert "so nothing was done" in await world.say("ben", "/incident lead me", place)
    await world.person("carla").click(asked, label="Be the lead")
    await world.settle()
    assert (await world.incident()).lead == world.person("carla").id
    assert "Be the lead" not in world.find("dipo", place, "cannot act here any more").labels


async def test_a_deactivation_while_the_bot_was_down_is_found_at_the_start(world: World) -> None:
    await world.declare("ana", "sev1 Withdrawals are stuck")
    await world.stop_bot()
    world.slack.change_person("ana", deleted=True)
    await world.start_bot()
    assert (await world.incident()).lead == ""


async def test_what_was_being_handed_over_by_somebody_gone_is_handed_over(world: World) -> None:
    place = (await world.declare("ana", "sev1 Withdrawals are stuck")).name
    await world.say("ben", "/incident lead me", place)
    assert (await world.incident()).lead == world.person("ana").id
    world.slack.change_person("ana", deleted=True)
    await world.settle()
    assert (await world.incident()).lead == world.person("ben").id


async def test_nobody_gone_is_handed_a_role(world: World) -> None:
    place = (await world.declare("ana", "sev1 Withdrawals are stuck")).name
    await world.say("ben", "/incident lead me", place)
    world.slack.change_person("ben", deleted=True)
    await world.settle()
    await world.advance(minutes=10)
    assert (await world.incident()).lead == world.person("ana").id
    assert "That hand-over is settled." in heard(world, "ana", place)


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        pytest.param({"is_stranger": True}, "You belong to another workspace", id="a stranger"),
        pytest.param({"team_id": "T0ELSEWHERE"}, "You belong to another workspace", id="of another workspace"),
        pytest.param({"is_restricted": True}, "Guests cannot act on incidents here", id="a guest"),
        pytest.param(
            {"is_restricted": True, "is_ultra_restricted": True}, "Guests cannot act", id="a guest of one channel"
        ),
        pytest.param({"deleted": True}, "Your account is deactivated", id="deactivated"),
        pytest.param({"is_bot": True}, "Bots and workflows cannot act", id="a bot"),
        pytest.param(
            {"team_id": "T0HOME", "enterprise_user": {"teams": ["T0HOME"]}}, "You belong to another workspace",
            id="of the organisation, not of this workspace",
        ),
        pytest.param(
            {"team_id": "T0HOME", "enterprise_user": {"id": "W1", "enterprise_id": "E1"}},
            "You belong to another workspace", id="of an organisation that does not say which are theirs",
        ),
        pytest.param(
            {"team_id": "T0HOME", "enterprise_user": {"teams": ["T0HOME", "T01SANDBOX1"]}}, "Noted.",
            id="of the organisation and of this workspace",
        ),
    ],
)  # fmt: skip
async def test_who_slack_says_they_are(world: World, profile: dict[str, Any], sentence: str) -> None:
    place = await world.declare()
    ben = Forger(world, "ben")
    user = {"id": ben.me.id, "name": "ben", "team_id": world.slack.team_id, "real_name": "Ben", **profile}
    await ben.event({"type": "user_change", "user": user, "event_ts": "5.5"})
    before = await world.types()
    assert sentence in await ben.command("note seen", place.id)
    assert (await world.types() == before) == (sentence != "Noted.")


# -- Slack away -----------------------------------------------------------------------------------------------


async def test_a_start_while_slack_is_away_knows_people_and_groups(tmp_path: Path) -> None:
    """Every call fails; deliveries arrive all the same. Policy is kept, by what was known before."""
    async with world_at(tmp_path, "http", policy=test_policy(**LEADS)) as world:
        place = (await world.declare("ana", "sev3 Withdrawals are stuck")).id
        await world.stop_bot()
        fault = world.slack.faults.add("*", "500_before", 0)
        await world.start_bot()
        carla, gus, ben = (Forger(world, who) for who in ("carla", "gus", "ben"))
        assert ASK_LEADS in await carla.command("resolve it is over", place)
        assert "Guests cannot act" in await gus.command("note seen", place)
        new = world.slack.hire("zoe", "Zoe Newman")
        world.slack.delivery.events_per_hour = 0
        assert "Slack does not say at the moment who you are" in await Forger(world, new.id).command("ack", place)
        assert "is resolved" in await ben.command("resolve it is over", place)
        world.slack.faults.remove(fault.id)
        await world.bot._refresh()
        assert "Noted." in await Forger(world, new.id).command("note hello", place)


# -- what no client sends ---------------------------------------------------------------------------------------


async def test_an_incident_of_another_workspace_is_not_there(world: World) -> None:
    await world.declare()
    theirs = await world.bot.service.declare(
        "declare",
        partial(lifecycle.declare, title="Theirs", severity="sev3", policy=world.policy, runbook=None),
        Actor("T0OTHER", "U0OTHER", "Other"),
        key="k",
    )
    ana = Forger(world, "ana")
    await ana.click("inc:ack", json.dumps({"i": theirs.incident.id}), "#general")
    assert NO_SUCH_INCIDENT in last(world, "ana", "#general")
    assert NO_SUCH_INCIDENT in await ana.submit("inc:note", json.dumps({"i": theirs.incident.id}))
    assert len(await world.bot.store.entries(theirs.incident.id)) == len(theirs.events)


#: what needs to know nothing but the incident: pressing it is what the person may do
PLAIN = {
    "inc:ack", "inc:join", "inc:follow", "inc:here", "inc:decline", "inc:mitigate", "inc:nothing-new", "inc:snooze",
    "inc:look-again", "inc:stand-down", "inc:reopen", "inc:postmortem", "inc:declare-as", "inc:again",
    "inc:update-post",
}  # fmt: skip
#: forms whose metadata is the incident alone: what they say is the person's own
NEED_NOTHING = {"inc:tried", "inc:note", "inc:handover", "inc:hold", "inc:resolve", "inc:update-post"}

JUNK: list[Any] = [
    pytest.param({}, id="nothing but the incident"),
    pytest.param(dict.fromkeys("rsvnoutadhcpmg", 10**20) | {"sev": 10**20}, id="numbers far out of range"),
    pytest.param(dict.fromkeys("rsvnoutadhcpmg", "9.9") | {"sev": "sev9"}, id="words where numbers belong"),
    pytest.param({key: [{}] for key in "rsvnoutadhcpmg"} | {"sev": {}}, id="lists and objects"),
    pytest.param(
        {
            "r": "horizon-outage", "s": "99.9", "v": 0, "n": 99, "a": 1, "o": "king", "d": "no", "h": "no", "u": 1,
            "t": 1,
        },
        id="steps, sections, asks, roles and drafts that are not there",
    ),
]  # fmt: skip


@pytest.mark.parametrize("junk", JUNK)
async def test_values_that_nobody_was_given(tmp_path: Path, junk: dict[str, Any]) -> None:
    """A refusal to the one who sent them, never an accident; the timeline holds nothing that they said."""
    async with world_at(tmp_path, "http") as world:
        place = await world.declare()
        await world.say("ana", "/incident runbook horizon-outage", place.id)
        await world.say("ana", "/incident add @ben", place.id)
        ana, value = Forger(world, "ana"), json.dumps(junk | {"i": (await world.incident()).id})
        with capture_logs() as logs:
            for action in [one for one in BUTTONS if one not in PLAIN]:
                before = await world.types()
                await ana.click(action, value, place.id)
                await ana.tick(action, value, place.id)
                await ana.tick(action, "", place.id, block_id=f"step:{junk.get('r')}:{junk.get('s')}:x")
                await ana.in_form(action, json.dumps(junk or {"x": 1}), value)
                await ana.forms("")
                assert await world.types() == before, action
            for form in [one for one in FORMS if one not in ("inc:declare", *NEED_NOTHING)]:
                before = await world.types()
                await ana.submit(form, value)
                await ana.submit(form, value, {})
                await ana.submit(
                    form, value, {"to": {"selected_user": "U0NOBODY"}, "until": {"selected_date_time": "x"}}
                )
                assert await world.types() == before, form
            await world.say("ana", "/incident status", place.id)
        broken = [one for one in logs if one["event"] in ("handler.failed", "listening.failed", "after.failed")]
        assert not broken, [(one.get("id"), repr(one.get("exc_info"))) for one in broken]
