"""What is recorded of a program: incidents in the middle of everything that can be pending, and ended ones."""

from __future__ import annotations

from typing import Any

from tests.sender import tell
from tests.story.acts import direct_message, press, press_step, submit, tick, write_text
from tests.story.test_cadence import update
from tests.story.test_two_people import EVIDENCE
from tests.world import World

SLOTS = {"what": "bank payouts to Nigeria", "since": "13:40 UTC", "next_update": "15:00 UTC"}
FIRING = {"name": "PayoutsStuck", "title": "No payout for ten minutes", "severity": "critical", "id": "ng"}
STEP = "5.4"


async def tell_all(world: World) -> None:
    """From 14:00 to 14:36 UTC; the clock stands still afterwards, with everything open."""
    one = await stuck_withdrawals(world)
    await world.advance(minutes=2)
    await tell(world, FIRING)  # INC-2, which nobody answers
    await world.advance(minutes=1)
    three = (await world.declare("ben", "sev2 Deposits wait")).id
    for who in ("ana", "dipo"):
        await world.say("ben", f"/incident add @{who}", three)
    await world.say("ben", "/incident runbook horizon-outage", three)
    await kept_private(world)
    await ended_small(world)
    await world.advance(minutes=4)
    await agreed_after_reopening(world)
    seven = (await world.declare("carla", "sev2 Deposits wait at the second bank, too")).id
    await world.say("carla", "/incident duplicate INC-3", seven)
    await mitigated_and_held(world)
    await unsure(world)
    nine = (await world.declare("ana", "sev1 Refunds fail for everybody")).id
    await world.say("ana", "/incident add @dipo", nine)
    await reminded(world, one, three, nine)


async def stuck_withdrawals(world: World) -> str:
    """INC-1: roles, ticks with a reading, a note, a task, a text that customers have read, a promise."""
    room = (await world.declare("ana", "sev1 Withdrawals are stuck")).id
    await world.say("ana", "/incident impact payouts to NG and KE wait", room)
    await world.say("ana", "/incident comms-lead @carla", room)
    for who in ("dipo", "eve"):
        await world.say("ana", f"/incident add @{who}", room)
    await world.say("ana", "/incident runbook horizon-outage", room)
    await tick(world, "carla", room, "3.1")
    await tick(world, "ben", room, "3.2")
    await world.say("ben", "/incident step 3.3 skip one server in use", room)
    await press_step(world, "carla", room, "3.4", "Stopped")
    await world.say("eve", "/incident note worker 2 was restarted", room)
    await world.say("ana", "/incident task @carla add an alert by Friday", room)
    await write_text(world, "carla", room, SLOTS)
    await world.person("dipo").click(direct_message(world, "dipo", "asks you to approve"), label="Approve")
    await world.settle()
    line = world.find("eve", "#incidents", "*INC-1*")
    await world.person("eve").click(line, label="Follow")
    await world.settle()
    return room


async def kept_private(world: World) -> None:
    """INC-4: among its members only."""
    await world.say("dipo", "/incident declare sev2 Double payment to a partner")
    await press(world, "dipo", "#general", "This sounds delicate", "Private")


async def ended_small(world: World) -> None:
    """INC-5: resolved, with its postmortem, and closed."""
    room = (await world.declare("eve", "sev3 A statement was mailed late")).id
    await world.say("eve", "/incident resolve mailed by hand", room)
    await world.say("eve", "/incident postmortem", room)
    await world.say("eve", "/incident close all read", room)


async def asked_to_resolve(world: World, room: str) -> None:
    """Ana asks to resolve over open conditions; a second person has to agree."""
    await world.say("ana", "/incident resolve", room)
    await submit(world, "ana", {"checks": ["impact"], "note": "moved over", "override": "we count tomorrow"}, "Resolve")


async def agreed_after_reopening(world: World) -> None:
    """INC-6: a request to resolve outlives a false alarm and a reopening, and is agreed to after them."""
    room = (await world.declare("ana", "sev1 Settlement did not run")).id
    await asked_to_resolve(world, room)
    await world.say("ana", "/incident false-alarm the report was old", room)
    await world.say("ana", "/incident reopen it was not", room)
    await press(world, "ben", room, "asks to resolve INC-6", "Agree: resolve")


async def mitigated_and_held(world: World) -> None:
    """INC-8: the harm has stopped, somebody else is waited for."""
    room = (await world.declare("dipo", "sev2 Card top-ups fail")).id
    await world.say("dipo", "/incident mitigate moved to the second acquirer", room)
    await world.say("dipo", "/incident waiting for the first acquirer until 15:30 UTC", room)


async def unsure(world: World) -> None:
    """INC-9: no severity was named and no runbook chosen; the bot asks about both."""
    room = (await world.declare("eve", "Horizon is slow, some statements are late")).id
    await world.say("eve", "/incident add @ben", room)


async def reminded(world: World, one: str, three: str, nine: str) -> None:
    """14:31 and on: reminders stand, and everything is asked that can be asked."""
    await world.advance(minutes=24)  # the update of INC-1 is due 14:30
    world.slack.faults.add("pins.add", "missing_scope", times=0)
    await world.declare("eve", "sev2 The ledger lags")  # INC-11: its pin is parked
    await update(world, "ben", three, "We look at the second bank")
    await world.advance(minutes=3)
    await asked_to_resolve(world, nine)
    await press_step_by_word(world, one, "carla")
    await press_step_by_word(world, three, "ben")
    await world.person("ana").click(world.find("ana", three, "asks: Resume outgoing payments"), label="Go")
    await submit(world, "ana")
    await write_text(world, "carla", one, {**SLOTS, "count": "1,200"})
    await world.say("dipo", "/incident lead me", three)
    await update(world, "ben", three, "The second bank answers again", minutes=60)
    await private_answers(world, one)
    await open_forms(world, one)


async def press_step_by_word(world: World, room: str, who: str) -> None:
    """Ask for a second person on the step that resumes payments."""
    await world.say(who, f"/incident step {STEP} ask", room)
    await submit(world, who, EVIDENCE, "Ask")


async def private_answers(world: World, room: str) -> None:
    """Answers that one person alone sees, with buttons in them."""
    await world.say("eve", "/incident network down")
    await world.say("dipo", "/incident declare sev1 Withdrawals are stuck in Kenya")
    await world.say("carla", "/incident payouts look odd", room)
    await world.say("carla", "/incident update The queue is shrinking", room)
    await world.say("ana", "/incident status", room)
    await world.say("ana", "/incident help", room)


async def open_forms(world: World, room: str) -> None:
    """Forms that stand open on somebody's screen."""
    await world.person("ben").click(world.find("ben", room, "asks: Resume outgoing payments"), label="Go")
    await world.say("eve", "/incident", room)
    await world.say("ana", "/incident resolve", room)
    await world.person("dipo").click(direct_message(world, "dipo", "asks you to approve"), label="Edit")
    await world.settle()


FORMS: dict[str, dict[str, Any]] = {"ana": {"checks": ["impact"], "note": "over", "override": "we count later"}}
"""What is entered in an open form before it is submitted, by whose it is."""
