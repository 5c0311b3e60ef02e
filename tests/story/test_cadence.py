"""The clock of updates: what is due when, who is reminded how, what answers, what rests and what never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.story.acts import (
    bot_messages,
    direct,
    direct_message,
    heard,
    last,
    mentioned,
    plain,
    press,
    refused,
    submit,
    write_text,
)
from tests.world import World, test_policy, world_at

REMINDED = "The update is due"


async def update(world: World, who: str, room: str, text: str, minutes: int | None = None) -> None:
    """Post an update by the form; with `minutes` it promises the next one by then."""
    await world.say(who, "/incident update", room)
    values: dict[str, object] = {"text": text}
    if minutes is not None:
        values["next_by"] = str(int((world.clock.now() + timedelta(minutes=minutes)).timestamp()))
    await submit(world, who, values, "Preview")
    await submit(world, who, button="Post")


def card(world: World, room: str) -> str:
    """The words of the pinned card."""
    channel = world.slack.channel(room)
    return plain(channel.by_ts[channel.pins[0].ts])


async def told(world: World, customer_promise: str, who: str = "ana") -> str:
    """An incident whose customers were promised a text by then; the channel."""
    room = (await world.declare(who, "sev1 Payouts wait")).id
    await world.say(who, "/incident add @dipo", room)
    values = {"what": "payouts", "since": "13:40 UTC", "next_update": customer_promise}
    await write_text(world, who, room, values)
    await world.person("dipo").click(direct_message(world, "dipo", "asks you to approve"), label="Approve")
    await world.settle()
    return room


@pytest.mark.parametrize(
    ("severity", "due", "quiet_minutes"),
    [
        pytest.param("sev1", "update by 14:30 UTC", 24, id="SEV-1: 30 minutes"),
        pytest.param("sev2", "update by 16:00 UTC", 114, id="SEV-2: 2 hours"),
        pytest.param("sev3", "an update when it is resolved", 60 * 24, id="SEV-3: at resolution"),
    ],
)
async def test_the_severity_sets_the_clock(world: World, severity: str, due: str, quiet_minutes: int) -> None:
    room = (await world.declare("ana", f"{severity} Payouts wait")).id
    assert due in card(world, room)
    await world.advance(minutes=quiet_minutes)
    assert REMINDED not in direct(world, "ana") + heard(world, "ana", room)
    if severity != "sev3":
        await world.advance(minutes=2)
        assert REMINDED in direct(world, "ana")


async def test_five_minutes_before_directly_then_in_the_channel_each_rung_anew(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident comms-lead @carla", room)
    await world.advance(minutes=26)
    assert REMINDED in direct(world, "carla"), "who writes is told first"
    assert REMINDED not in heard(world, "ana", room)
    await world.advance(minutes=5)
    before = len([one for one in mentioned(world, "carla", room) if "update" in one])
    assert f"{REMINDED} 14:30 UTC." in heard(world, "ana", room)
    await world.advance(minutes=5)
    assert "The update was due 14:30 UTC; it is 5 min late." in heard(world, "ana", room)
    assert len([one for one in mentioned(world, "carla", room) if "update" in one]) == before + 1
    await world.advance(minutes=5)
    assert any("10 min late" in one for one in mentioned(world, "ben", room)), "the last rung calls the next level"


async def test_an_update_answers_and_resets_the_clock(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.advance(minutes=32)
    await update(world, "ana", room, "We look at Horizon")
    assert "Update sent 14:32 UTC, 2 min late." in heard(world, "ana", room)
    assert REMINDED not in heard(world, "ana", room) + direct(world, "ana")
    assert "update by 15:02 UTC" in card(world, room)


async def test_an_update_in_time_leaves_nothing_behind(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.advance(minutes=27)
    assert REMINDED in direct(world, "ana")
    await update(world, "ana", room, "We look at Horizon")
    assert REMINDED not in direct(world, "ana")
    assert "late" not in heard(world, "ana", room)
    await world.advance(minutes=20)
    assert REMINDED not in direct(world, "ana") + heard(world, "ana", room)


async def test_a_promise_beats_a_policy_that_changed_since(tmp_path: Path) -> None:
    """The policy file halves the interval while an update is promised: the promise stands, the next one is shorter."""
    async with world_at(tmp_path) as world:
        room = (await world.declare("ana", "sev1 Payouts wait")).id
        await update(world, "ana", room, "We look at Horizon")
        await world.stop_bot()
        policy = test_policy()
        worst = replace(policy.severities[0], cadence=timedelta(minutes=10))
        world.policy = replace(policy, severities=(worst, *policy.severities[1:]))
        await world.start_bot()
        await world.advance(minutes=24)
        assert REMINDED not in direct(world, "ana") + heard(world, "ana", room)
        await world.advance(minutes=2)
        assert "The update is due 14:30 UTC" in direct(world, "ana")
        await world.say("ana", "/incident update Found it", room)
        await press(world, "ana", room, "This goes to the channel", "Post")
        assert "update by 14:36 UTC" in card(world, room)


async def test_a_longer_promise_stands_when_it_was_chosen(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await update(world, "ana", room, "Restoring takes an hour", minutes=60)
    assert "update by 15:00 UTC" in card(world, room)
    await world.advance(minutes=50)
    assert REMINDED not in direct(world, "ana")


async def test_raising_the_severity_brings_the_next_update_forward_lowering_keeps_the_promise(world: World) -> None:
    room = (await world.declare("ana", "sev2 Payouts wait")).id
    await update(world, "ana", room, "We look at Horizon")
    assert "update by 16:00 UTC" in card(world, room)
    await world.advance(minutes=10)
    await world.say("ana", "/incident sev 1 nothing moves", room)
    assert "update by 14:40 UTC" in card(world, room)
    await world.say("ana", "/incident sev 3 one partner only", room)
    assert "Times that were promised stay." in heard(world, "ana", room)
    assert "update by" in card(world, room)


async def test_nothing_new_twice_then_a_sentence(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    for _ in range(2):
        await world.advance(minutes=30)
        await press(world, "ana", room, REMINDED, "Nothing new")
    assert heard(world, "ana", room).count("Still being investigated; nothing new.") == 2
    assert "nothing new" not in heard(world, "eve", "#incidents").lower(), "it stays internal"
    await world.advance(minutes=30)
    await press(world, "ana", room, REMINDED, "Nothing new")
    assert (await refused_empty(world, "ana")) and heard(world, "ana", room).count("nothing new") == 2
    await submit(world, "ana", {"tried": "asked the provider twice; they look for it"}, "Post")
    assert "nothing new. asked the provider twice" in heard(world, "ana", room)
    assert "update by 16:00 UTC" in card(world, room)


async def refused_empty(world: World, who: str) -> bool:
    """Whether the topmost form stays open when nothing was filled in."""
    result = await world.person(who).submit({})
    return not result.ok and world.person(who).view is not None


async def test_nothing_new_says_the_state(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident mitigate paused", room)
    await world.advance(minutes=61)
    await press(world, "ana", room, REMINDED, "Nothing new")
    assert "Fix in place, watching; nothing new." in heard(world, "ana", room)


async def test_snooze_twice_at_most(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.advance(minutes=30)
    for due in ("14:40 UTC", "14:50 UTC"):
        await press(world, "ana", room, REMINDED, "Snooze 10 min")
        assert f"update by {due}" in card(world, room)
        assert REMINDED not in heard(world, "ana", room)
        await world.advance(minutes=10)
    assert "Snooze 10 min" not in world.find("ana", room, REMINDED).labels
    assert {"Post update", "Nothing new"} <= set(world.find("ana", room, REMINDED).labels)


async def test_waiting_rests_reminders_until_it_is_time_to_look(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident waiting for Stellar validators until 15:30 UTC", room)
    assert "Waiting: Stellar validators, since 14:00 UTC; look again 15:30 UTC" in card(world, room)
    await world.advance(minutes=84)
    assert REMINDED not in direct(world, "ana") + heard(world, "ana", room)
    await world.advance(minutes=7)
    assert "Time to look again: Stellar validators." in heard(world, "ana", room)
    assert any("Time to look again" in one for one in mentioned(world, "ana", room))


async def test_waiting_ends_by_word(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident waiting for Stellar validators until 15:30 UTC", room)
    await world.advance(minutes=40)
    await world.say("ana", "/incident waiting over", room)
    assert "Waiting:" not in card(world, room)
    assert "update by 15:10 UTC" in card(world, room), "the clock stood for the 40 minutes"
    assert "late" not in heard(world, "ana", room)


async def test_a_wait_that_ends_on_time_leaves_no_debt(world: World) -> None:
    """What was late before the wait stays as late as it was."""
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.advance(minutes=34)
    await world.say("ana", "/incident waiting for Stellar validators until 14:56 UTC", room)
    await world.advance(minutes=23)
    assert "Time to look again" in heard(world, "ana", room)
    said = heard(world, "ana", room) + direct(world, "ana")
    assert not any(f"{minutes} min late" in said for minutes in range(6, 40))


async def test_a_reopening_begins_the_clock_anew(world: World) -> None:
    """A day later nobody is late, and the old lead is not asked at once whether they still lead."""
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident false-alarm the probe was wrong", room)
    await world.advance(hours=23, minutes=40)
    await world.say("ben", "/incident reopen it was right", room)
    since = world.clock.now()
    assert "late" not in heard(world, "ana", room) and "still lead" not in heard(world, "ana", room)
    await world.advance(minutes=24)
    assert REMINDED not in heard(world, "ana", room) + direct(world, "ana")
    await world.advance(minutes=7)
    assert REMINDED in heard(world, "ana", room)
    await world.advance(minutes=15)
    assert await world.types() and (await world.incident()).lead_asked_at == since + timedelta(minutes=45)


async def test_a_promise_outside_is_moved_by_neither(world: World) -> None:
    """Customers were promised 14:50: a wait and a reopening change nothing of it."""
    room = await told(world, "14:50 UTC")
    await world.say("ana", "/incident waiting for Stellar validators until 15:30 UTC", room)
    await world.advance(minutes=51)
    assert "promised a text by 14:50 UTC" in heard(world, "ana", room)


async def test_mitigation_doubles_the_interval_and_stops_the_ladder(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident mitigate worker paused", room)
    assert "update by 15:00 UTC" in card(world, room)
    await update(world, "ana", room, "Paused, watching")
    assert "update by 15:00 UTC" in card(world, room)
    await world.advance(minutes=59)
    assert REMINDED not in direct(world, "ana")
    await world.advance(minutes=30)
    given = [one for one in bot_messages(world, room) if "The update" in one]
    assert len(given) == 1, "one message at the time, no rungs"


async def test_hold_names_who_watches(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident mitigate worker paused", room)
    await press(world, "ana", room, "Updates come half as often", "Hold…")
    until = world.clock.now() + timedelta(hours=8)
    await submit(world, "ana", {"until": str(int(until.timestamp())), "watcher": "carla"})
    assert "Held until 22:00 UTC; Carla Rossi watches" in card(world, room)
    await world.advance(hours=7, minutes=50)
    assert REMINDED not in direct(world, "ana") + heard(world, "ana", room)
    await world.advance(minutes=11)
    assert "due 22:00 UTC" in heard(world, "ana", room)


async def test_resolved_owes_nothing(world: World) -> None:
    room = (await world.declare("ana", "sev3 Logo is blurred")).id
    await world.say("ana", "/incident sev 2 the pay page too", room)
    await world.say("ana", "/incident sev 3 no, only receipts", room)
    await world.say("ana", "/incident resolve new logo", room)
    before = len(bot_messages(world, room))
    await world.advance(hours=30)
    assert len(bot_messages(world, room)) == before
    assert not (await world.incident()).reminders
    assert REMINDED not in direct(world, "ana")


async def test_ending_takes_the_reminder_away(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.advance(minutes=31)
    assert REMINDED in heard(world, "ana", room)
    await world.say("ana", "/incident false-alarm the probe was wrong", room)
    assert REMINDED not in heard(world, "ana", room) + direct(world, "ana")


async def test_a_reminder_that_fell_due_while_the_bot_was_down_comes_once_and_says_how_late(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.stop_bot()
    world.slack.clock.advance(47 * 60)
    await world.start_bot()
    given = [one for one in bot_messages(world, room) if "The update" in one]
    assert len(given) == 1 and "The update was due 14:30 UTC; it is 17 min late." in given[0]
    assert REMINDED not in direct(world, "ana")


async def test_a_promise_to_customers_is_never_snoozed_and_does_not_wait(world: World) -> None:
    room = await told(world, "14:20 UTC")
    await world.say("ana", "/incident waiting for the bank until 16:00 UTC", room)
    await world.advance(minutes=16)
    assert "Customers were promised a text by 14:20 UTC" in direct(world, "ana")
    await world.advance(minutes=5)
    asked = world.find("ana", room, "Customers were promised a text by 14:20 UTC")
    assert asked.labels == ["Write to customers"]
    await world.say("ana", "/incident mitigate bank answers", room)
    await world.advance(minutes=5)
    assert "it is 5 min late" in heard(world, "ana", room), "mitigation ends no promise"


async def test_a_new_text_keeps_the_promise_and_moves_it_publicly(world: World) -> None:
    room = await told(world, "14:20 UTC")
    await world.advance(minutes=18)
    await world.say("ana", "/incident comms payment-delays", room)
    await submit(world, "ana", {"next_update": "15:10 UTC"}, "Draft")
    await world.person("dipo").click(direct_message(world, "dipo", "asks you to approve"), label="Approve")
    await world.settle()
    assert "promised a text by 14:20" not in direct(world, "ana") + heard(world, "ana", room)
    assert "customers told 14:18 UTC" in card(world, room) and "promised 15:10 UTC" in card(world, room)


async def test_who_tells_customers_late_reads_by_how_much(world: World) -> None:
    room = await told(world, "14:20 UTC")
    await world.advance(minutes=24)
    await world.say("ana", "/incident comms payment-delays", room)
    await submit(world, "ana", {"next_update": "15:10 UTC"}, "Draft")
    await world.person("dipo").click(direct_message(world, "dipo", "asks you to approve"), label="Approve")
    await world.settle()
    assert "Text to customers sent 14:24 UTC, 4 min late." in heard(world, "ana", room)


async def test_undo_gives_the_old_time_back_and_only_for_thirty_seconds(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.advance(minutes=10)
    await update(world, "ana", room, "Wrong words")
    assert "update by 14:40 UTC" in card(world, room)
    await press(world, "ana", room, "Wrong words", "Undo")
    assert "update by 14:30 UTC" in card(world, room) and "Wrong words" not in heard(world, "ana", room)
    await update(world, "ana", room, "Right words")
    posted = world.find("ana", room, "Right words")
    await world.advance(seconds=31)
    assert "Undo" not in world.find("ana", room, "Right words").labels
    assert posted.ts == world.find("ana", room, "Right words").ts


async def test_a_next_update_in_the_past_is_refused_beside_its_field(world: World) -> None:
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident update", room)
    await world.jump(minutes=20)
    errors = await refused(world, "ana", {"text": "late", "next_by": str(int(world.clock.now().timestamp()) - 300)})
    assert "is in the past" in errors["next_by"]
    assert last(world, "ana", room)
