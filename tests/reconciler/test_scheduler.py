"""What the scheduler does when Slack or people do the unexpected, and how little it does otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import ROOT
from bot.domain import cadence, lifecycle
from bot.domain.actor import Actor
from bot.domain.desired_message import CHANNEL, Priority
from bot.domain.desired_message import DesiredMessage as Rendered
from bot.domain.effect import Effect, EffectKind, EffectState
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.policies import load
from bot.reconciler import Scheduler, WorkspaceContext, delivery_state
from bot.reconciler.debounce import DEBOUNCE_SECONDS, MAX_DEBOUNCE_SECONDS, Debounce, PrioritySemaphore
from bot.reconciler.plan import PlanInput, plan_effects
from bot.reconciler.rate_limits import MAX_CALLS_IN_FLIGHT, PACED_PERIOD, POST_INTERVAL, RateLimits
from bot.store import migrate
from localslack import Call, Channel, LocalSlack, Message, WorkspaceClock
from tests.durability.mortal import DECLARED, Fate, life
from tests.world import BEGIN, World

RUNBOOK = "/incident runbook horizon-outage"


def calls(world: World, method: str, **arguments: str) -> list[Call]:
    return [one for one in world.slack.journal.of(method) if arguments.items() <= one.args.items()]


async def effect(world: World, key: str) -> Effect:
    return {one.key: one for one in await world.bot.store.effects((await world.incident()).id)}[key]


def card(world: World, channel: Channel) -> Message:
    return channel.by_ts[channel.pins[0].ts]


def test_who_is_called_for_goes_before_lists_and_refreshes() -> None:
    """Where posting is slowed down, the order of the list is who waits."""
    incident = Incident(team="T1", id=FRESH.incident_id, number=1, severity="sev1", channel="C1")
    keys = ("the card", "a runbook", "a section", "who is called", "an update", "who is called next", "a line")
    first = ["the card", "who is called", "who is called next"]
    priorities = {"the card": Priority.CARD} | dict.fromkeys(first[1:], Priority.PEOPLE_CALLED)
    rendered = [Rendered(key, CHANNEL, key, (), priority=priorities.get(key, Priority.NORMAL)) for key in keys]
    shown = replace(FRESH, key="a runbook", channel="C1", ts="1.1", hash="older", state=EffectState.SENT)
    books = PlanInput(incident, {shown.key: shown}, rendered, load(None), lambda kind: "", BEGIN)
    messages = [one.effect.key for one in plan_effects(books) if one.message is not None]
    assert messages == [*first, *(key for key in keys if key not in first)]


# -- how a call stands after its answer ------------------------------------------------------------------------------

FRESH = delivery_state.new_effect("0455b398-48bb-5caa-9b3f-c9ba68d8edad", "T1", "card", EffectKind.MESSAGE, BEGIN)


def later(seconds: float) -> Any:
    return BEGIN + timedelta(seconds=seconds)


def test_an_unknown_outcome_is_looked_for_twice_and_then_made_anew() -> None:
    lost = delivery_state.unknown(delivery_state.sending(FRESH, BEGIN), "no answer", later(10))
    assert (lost.state, lost.next_try_at, lost.attempts) == (EffectState.UNKNOWN, later(12), 1)
    missing = delivery_state.not_found(lost, later(12))
    assert (missing.state, missing.next_try_at) == (EffectState.MISSING, later(25))  # 15 s after the loss
    anew = delivery_state.not_found(missing, later(25))
    assert (anew.state, anew.next_try_at, anew.attempts) == (EffectState.WAITING, None, 1)
    assert delivery_state.sending(anew, later(25)).started_at == BEGIN  # the first attempt may still come through


def test_wanted_again_while_a_first_copy_may_come_it_is_an_attempt_like_any_other() -> None:
    """So its twin is looked for afterwards, from the first attempt on."""
    lost = delivery_state.unknown(delivery_state.sending(FRESH, BEGIN), "no answer", later(10))
    dropped = replace(delivery_state.sent(lost, "gone"), next_try_at=later(70))  # nobody wanted it any more
    again = delivery_state.sending(dropped, later(30))
    assert (again.state, again.started_at, again.attempts) == (EffectState.SENDING, BEGIN, 1)
    assert delivery_state.sending(replace(dropped, next_try_at=None), later(90)).started_at == later(90), (
        "it was looked for"
    )


def test_a_call_cut_off_by_a_crash_is_looked_for_at_once() -> None:
    found = delivery_state.interrupted(delivery_state.sending(FRESH, BEGIN))
    assert (found.state, found.next_try_at, found.attempts) == (EffectState.UNKNOWN, None, 1)


def test_pauses_grow_up_to_ten_minutes_and_then_it_is_parked() -> None:
    tried, pauses = FRESH, []
    while tried.state is not EffectState.PARKED:
        tried = delivery_state.retry(tried, "h1", "internal_error", BEGIN)
        if tried.next_try_at and tried.state is EffectState.WAITING:
            pauses.append((tried.next_try_at - BEGIN).total_seconds())
    assert pauses == sorted(pauses) and len(pauses) == delivery_state.MAX_ATTEMPTS - 1
    assert 2 <= pauses[0] <= 2.5 and 600 <= pauses[-1] <= 750
    assert sum(pauses) > 12 * 3600, "Slack may be away for half a day"
    assert tried.hash == "h1" and tried.next_try_at == BEGIN + delivery_state.PARKED_RETRY_MAX


def test_what_is_given_up_is_tried_now_and_then() -> None:
    tried, pauses = FRESH, []
    for _ in range(9):
        tried = delivery_state.parked(tried, "h1", "missing_scope", BEGIN)
        assert tried.state is EffectState.PARKED and tried.next_try_at is not None
        pauses.append((tried.next_try_at - BEGIN) / timedelta(minutes=1))
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 360, 360]


def test_being_asked_to_wait_is_no_failure() -> None:
    waits = delivery_state.rate_limited(delivery_state.sending(FRESH, BEGIN), later(30))
    assert (waits.state, waits.next_try_at, waits.attempts) == (EffectState.WAITING, later(30), 0)


# -- Slack's limits --------------------------------------------------------------------------------------------------


def test_a_gate_is_one_method_in_one_channel() -> None:
    gates, here = RateLimits(), ("T1", "post", "C1")
    for _ in range(MAX_CALLS_IN_FLIGHT):
        assert gates.has_capacity(here, BEGIN)
        gates.acquire(here)
    assert not gates.has_capacity(here, BEGIN) and gates.has_capacity(("T1", "post", "C2"), BEGIN)
    gates.block_until(here, later(30))
    assert gates.retry_at(here, later(29.9)) == later(30) and gates.retry_at(here, later(30)) is None
    assert gates.retry_at(("T1", "edit", "C1"), BEGIN) is None and gates.retry_at(("T1", "post", "C2"), BEGIN) is None
    assert gates.retry_at(("T2", "post", "C1"), BEGIN) is None
    for _ in range(MAX_CALLS_IN_FLIGHT):
        gates.release(here, later(1))
    gates.acquire(here)
    assert not gates.has_capacity(here, later(31)), "one at a time for a while"
    gates.release(here, later(31))
    assert gates.retry_at(here, later(31)) == later(31) + POST_INTERVAL
    assert gates.has_capacity(here, later(30) + PACED_PERIOD)


async def test_asked_to_wait_in_one_channel_the_others_go_on(world: World) -> None:
    first = await world.declare("ana", "sev2 Deposits wait")
    world.slack.faults.add("chat.postMessage", "429:30")
    await world.say("ana", "/incident sev 3 fewer than thought", first.id)
    asked = len(calls(world, "chat.postMessage", channel=first.id))
    second = await world.declare("ben", "sev3 Card payments fail")
    assert card(world, second).plain and len(second.bookmarks) == 1
    await world.jump(seconds=29)
    await world.say("ana", "/incident impact NG only", first.id)  # an edit: another method
    assert "NG only" in card(world, first).plain
    await world.say("ana", "/incident sev 2 worse than thought", first.id)  # a message not asked for yet
    assert len(calls(world, "chat.postMessage", channel=first.id)) == asked
    await world.jump(seconds=1)
    assert len(calls(world, "chat.postMessage", channel=first.id)) == asked + 1
    await world.advance(seconds=5)
    assert len(calls(world, "chat.postMessage", channel=first.id)) == asked + 2, "none of them in vain"
    said = [one.plain for one in world.messages("ben", first.id) if "than thought" in one.plain]
    assert ["fewer" in one for one in said] == [True, False], "in order"


# -- unknown outcomes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "sent", "looks"),
    [
        pytest.param("500_after", 1, 1, id="done, and the answer lost: found by the first look"),
        pytest.param("500_before", 2, 2, id="not done: looked for twice, then sent"),
    ],
)
async def test_a_message_of_which_nobody_knows(world: World, kind: str, sent: int, looks: int) -> None:
    channel = await world.declare()
    world.slack.faults.add("chat.postMessage", kind)
    before, reads = len(calls(world, "chat.postMessage")), len(calls(world, "conversations.history"))
    await world.say("ana", "/incident sev 2 fewer than thought", channel.id)
    moments = {"looked at once": 0.0, "first": 2.0, "second": 13.0}
    for seconds in moments.values():
        await world.jump(seconds=seconds)
    assert len(calls(world, "chat.postMessage")) - before == sent
    assert len(calls(world, "conversations.history")) - reads == looks
    assert len([one for one in world.messages("ben", channel.id) if "fewer than thought" in one.plain]) == 1


async def test_the_first_attempt_comes_through_after_the_second(world: World) -> None:
    channel = await world.declare()
    world.slack.faults.add("chat.postMessage", "500_before")
    await world.say("ana", "/incident sev 2 fewer than thought", channel.id)
    await world.advance(seconds=16)
    (sent,) = [one for one in world.messages("ben", channel.id) if "fewer than thought" in one.plain]
    assert sent.metadata
    mark = sent.metadata["event_payload"]["id"]
    copy = await world.bot.token_workspace.services.room.post(channel.id, "", sent.text, sent.blocks, mark)
    await world.advance(seconds=61)
    left = [one.ts for one in world.messages("ben", channel.id) if "fewer than thought" in one.plain]
    assert left == [sent.ts] and copy > sent.ts, "the later of two is taken away"


async def test_a_message_that_changes_meanwhile_has_its_twin_looked_for_as_well(world: World) -> None:
    world.slack.faults.add("chat.postMessage", "500_before", 3)
    channel = await world.declare()
    await world.advance(seconds=30)
    card = channel.by_ts[channel.pins[0].ts]
    assert card.metadata
    mark = card.metadata["event_payload"]["id"]
    copy = await world.bot.token_workspace.services.room.post(channel.id, "", card.text, card.blocks, mark)
    await world.say("ana", "/incident title Withdrawals wait", channel.id)
    await world.advance(seconds=61)
    assert channel.by_ts[copy].deleted and not card.deleted and "Withdrawals wait" in card.plain


async def test_a_look_that_fails_proves_nothing(world: World) -> None:
    channel = await world.declare()
    world.slack.faults.add("chat.postMessage", "500_after")
    world.slack.faults.add("conversations.history", "500_before", 5)
    await world.say("ana", "/incident sev 2 fewer than thought", channel.id)
    await world.advance(seconds=60)
    assert len([one for one in world.messages("ben", channel.id) if "fewer than thought" in one.plain]) == 1
    assert world.slack.faults.planted == []


# -- channels --------------------------------------------------------------------------------------------------------


async def test_a_taken_name_takes_a_suffix(world: World) -> None:
    theirs = await world.person("ben").create_channel("inc-1-withdrawals-are-stuck")
    await world.declare()
    incident = await world.incident()
    assert incident.channel_name == "inc-1-withdrawals-are-stuck-2" and incident.channel != theirs
    assert calls(world, "users.conversations") == [], "there was nothing of ours to look for"


async def test_our_own_channel_from_before_is_not_adopted(world: World) -> None:
    """As after a database was lost: the bot made a channel of that name, for another INC-1."""
    old, _ = await world.bot.token_workspace.services.room.open_channel("inc-1-withdrawals-are-stuck", False)
    await world.jump(minutes=5)
    world.slack.faults.add("conversations.create", "500_before")
    await world.declare()
    await world.advance(seconds=20)
    incident = await world.incident()
    assert incident.channel_name == "inc-1-withdrawals-are-stuck-2" and incident.channel != old


async def test_our_own_channel_of_this_attempt_is_adopted(world: World) -> None:
    world.slack.faults.add("conversations.create", "500_after")
    await world.say("ana", "/incident declare sev1 Withdrawals are stuck")
    await world.advance(seconds=3)
    assert [one.name for one in world.slack.channels if one.name.startswith("inc-")] == ["inc-1-withdrawals-are-stuck"]
    assert len(calls(world, "conversations.create")) == 1 and len(world.channel().pins) == 1


async def test_archived_and_slack_did_not_say_so(world: World) -> None:
    """The next call finds out; the lead is told what to do, and calls stop until the channel is back."""
    channel = await world.declare()
    world.slack.faults.add("delivery:event:channel_archive", "drop", 9)
    await world.person("ben").archive(channel.id)
    await world.say("ana", "/incident impact NG only", channel.id)
    assert (await world.types())[-1] == "ChannelLost"
    told = [one.plain for one in world.person("ana").dm_messages() if "INC-1 is still open" in one.plain]
    assert len(told) == 1 and "a person can unarchive it" in told[0]
    before = len(world.slack.journal)
    await world.advance(minutes=2)
    assert [one.method for one in world.slack.journal[before:] if not one.method.startswith("delivery:")] == []
    await world.person("ben").unarchive(channel.id)
    await world.settle()
    assert "NG only" in card(world, channel).plain
    assert [one for one in world.person("ana").dm_messages() if "INC-1 is still open" in one.plain] == []


# -- what people delete ----------------------------------------------------------------------------------------------


async def test_a_deleted_card_is_sent_anew_pinned_and_bookmarked(world: World) -> None:
    channel = await world.declare()
    old = card(world, channel).ts
    await world.person("ana").delete(channel.id, old)
    await world.say("ana", "/incident impact NG only", channel.id)
    assert card(world, channel).ts != old and "NG only" in card(world, channel).plain
    assert len(channel.bookmarks) == 1
    assert channel.bookmarks[0].link.endswith(card(world, channel).ts.replace(".", ""))


async def test_sections_move_beneath_the_new_parent(world: World) -> None:
    channel = await world.declare()
    await world.say("ana", RUNBOOK, channel.id)
    parent = world.find("ana", channel.id, "Runbook Horizon")
    section = world.find("ana", channel.id, "*3.1*", parent.ts)
    await world.person("ana").delete(channel.id, parent.ts)
    await world.say("ana", "/incident step 3.1 done", channel.id)
    anew = world.find("ana", channel.id, "Runbook Horizon")
    assert anew.ts != parent.ts
    assert "Ana Silva, 14:00 UTC" in world.find("ana", channel.id, "*3.1*", anew.ts).plain
    assert channel.by_ts[section.ts].deleted


async def test_what_is_not_for_the_whole_incident_stays_deleted(world: World) -> None:
    channel = await world.declare()
    incident = await world.incident()
    rule = partial(cadence.post_update, text="NG resumed", next_by=None, policy=world.policy)
    await world.bot.service.act(incident.id, "update", rule, Actor(incident.team, "U01ANASILVA", "ana"))
    await world.settle()
    posted = world.find("ana", channel.id, "NG resumed")
    assert posted.labels == ["Undo"]
    await world.person("ana").delete(channel.id, posted.ts)
    await world.advance(minutes=2)  # [Undo] would go by now
    assert [one for one in world.messages("ana", channel.id) if "NG resumed" in one.plain] == []
    before = len(world.slack.journal)
    await world.advance(minutes=2)
    assert len(world.slack.journal) == before


# -- giving up -------------------------------------------------------------------------------------------------------


async def test_what_slack_refuses_for_good_waits_for_another_content(world: World) -> None:
    channel = await world.declare()
    world.slack.faults.add("chat.update", "error:invalid_blocks", 2)  # the card and the announcement
    await world.say("ana", "/incident impact NG only", channel.id)
    assert {one.key for one in await world.bot.store.parked()} <= {"card", "announce"}
    assert (await effect(world, "card")).state is EffectState.PARKED
    world.slack.faults.clear()
    before = len(calls(world, "chat.update"))
    await world.advance(minutes=4)
    assert len(calls(world, "chat.update")) == before, "the answer would be the same"
    await world.say("ana", "/incident impact NG and KE", channel.id)
    assert "NG and KE" in card(world, channel).plain
    assert await world.bot.store.parked() == []


async def test_an_incident_with_work_left_is_due(world: World) -> None:
    """Also one that waits for Slack; and nothing is looked at again and again meanwhile."""
    world.slack.faults.add("conversations.create", "429:45")
    await world.say("ana", "/incident declare sev1 Withdrawals are stuck")
    assert await world.bot.store.next_due() == later(45)
    await world.bot.scheduler.start_due()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("attend ")] == []
    await world.advance(seconds=45)
    assert len(world.channel().pins) == 1
    incident = await world.incident()
    assert await world.bot.store.next_due() == BEGIN + timedelta(minutes=25)  # the first reminder
    over = partial(lifecycle.call_false_alarm, reason="a test")
    await world.bot.service.act(incident.id, "false alarm", over, Actor(incident.team, "U1", "U1"))
    await world.settle()
    assert await world.bot.store.next_due() is None


async def test_what_is_due_is_done_by_itself(world: World) -> None:
    await world.declare()
    world.slack.clock.advance(25 * 60)
    world.clock.moved()
    async with asyncio.timeout(60):
        while "Reminded" not in await world.types():  # noqa: ASYNC110  (it happens in its own time)
            await asyncio.sleep(0.01)


async def test_an_incident_that_cannot_be_attended_rests(world: World) -> None:
    """A failure of ours is logged, holds nobody up, and is tried again after a pause."""
    channel = await world.declare()
    failing = True
    tried: list[str] = []

    def render(incident: Incident, now: datetime) -> list[Rendered]:
        tried.append(incident.name)
        if failing:
            raise ZeroDivisionError
        return []

    ground = WorkspaceContext({}, render, lambda incident: "", lambda kind: "")
    scheduler = Scheduler(world.bot.service, lambda team: asyncio.sleep(0, ground))
    incident = await world.incident()
    await world.bot.store.write(lambda tx: tx.set_due(incident.id, incident.seq, world.clock.now()))
    for _ in range(3):
        await scheduler.start_due()
        await scheduler.wait_until_idle()
    assert tried == ["INC-1"] and not scheduler.busy
    failing = False
    await scheduler.wait_until_channel_ready(incident.id)  # whoever waits is not made to rest
    await scheduler.wait_until_idle()
    assert tried == ["INC-1", "INC-1"]
    assert await world.bot.store.next_due() == BEGIN + timedelta(minutes=25)
    assert card(world, channel)


# -- how little it does ----------------------------------------------------------------------------------------------


async def test_a_burst_of_changes_is_few_edits(world: World) -> None:
    channel = await world.declare()
    incident = await world.incident()
    before = len(calls(world, "chat.update"))
    for number in range(20):
        rule = partial(lifecycle.state_impact, impact=f"{number} corridors")
        await world.bot.service.act(incident.id, "impact", rule, Actor(incident.team, "U01ANASILVA", "ana"))
    await world.settle()
    assert "19 corridors" in card(world, channel).plain
    assert len(calls(world, "chat.update")) - before <= 4  # of 20


async def test_one_visit_pays_everything_that_can_be_paid(tmp_path: Path) -> None:
    """What follows from a call is done at once, not at the next look at what is due."""
    database = tmp_path / "incidents.sqlite"
    migrate(f"sqlite:///{database}")
    slack = LocalSlack(yaml.safe_load((ROOT / "manifest.yaml").read_text()), WorkspaceClock(BEGIN))
    await slack.start(0)
    try:
        async with life(slack, database, Policy(), Fate()) as bot:
            rule = partial(lifecycle.declare, title="Deposits wait", severity="sev1", private=True, policy=bot.policy)
            ana = Actor(bot.team, "U01ANASILVA", "ana")
            await bot.service.declare("declare", lambda i, **more: rule(i, **more), ana, key=DECLARED)
            await bot.scheduler.wait_until_channel_ready(bot.id)
            await bot.scheduler.wait_until_idle()
            effects = {one.key: one.state for one in await bot.store.effects(bot.id)}
            assert set(effects.values()) == {EffectState.SENT} and {"pin:card", "bookmark:card"} <= set(effects)
            assert await bot.store.next_due() == BEGIN + timedelta(minutes=25)

            channel = slack.channel((await bot.incident()).channel)
            await slack.person("ana").delete(channel.id, channel.pins[0].ts)
            await bot.act("impact", partial(lifecycle.state_impact, impact="NG only"), ana)
            await bot.scheduler.wait_until_channel_ready(bot.id)  # found out, sent anew, pinned
            await bot.scheduler.wait_until_idle()
            assert "NG only" in channel.by_ts[channel.pins[0].ts].plain and not bot.scheduler.busy
    finally:
        await slack.stop()


async def test_a_declaration_is_three_calls_deep(world: World) -> None:
    """Each level's calls are under way at the same time: usable after two, everything after three."""
    begun_before_end: dict[int, int] = {}
    journal = world.slack.journal
    journal.on_done.append(lambda call: begun_before_end.setdefault(call.number, journal[-1].number))
    world.slack.latency = 0.3
    start = journal[-1].number
    await world.declare("ana", "sev1 HorizonDown: withdrawals are stuck")
    depth: dict[int, int] = {}
    levels: dict[int, set[str]] = {}
    for one in journal.after(start):
        if one.method.startswith("delivery:") or one.method == "response_url":
            continue
        depth[one.number] = 1 + max((depth[n] for n in depth if begun_before_end[n] < one.number), default=0)
        levels.setdefault(depth[one.number], set()).add(one.method)
    assert levels == {
        1: {"conversations.create"},
        2: {"conversations.setTopic", "conversations.invite", "chat.postMessage"},
        3: {"chat.postMessage", "pins.add", "bookmarks.add"},
    }


@pytest.mark.parametrize(
    ("took", "others", "later"),
    [
        pytest.param(0.0, 0, DEBOUNCE_SECONDS, id="nothing was shown: as soon as it is quiet"),
        pytest.param(0.1, 0, 0.2, id="for a third of the time"),
        pytest.param(0.1, 3, 0.8, id="of all incidents together"),
        pytest.param(0.5, 9, MAX_DEBOUNCE_SECONDS, id="a second after the first change at the latest"),
    ],
)
async def test_a_burst_is_shown_for_a_part_of_the_time(took: float, others: int, later: float) -> None:
    turn, loop = Debounce("a", lambda: others), asyncio.get_running_loop()
    began = loop.time()
    turn.throttle_after(began - took)
    turn.trigger()
    turn.trigger()
    ended = loop.time()
    assert turn._timer is not None and turn.is_pending
    late = (ended - began) * (1 + 2 * (1 + others))  # what the machine did in between counts, too
    assert began + later - 0.001 <= turn._timer.when() <= ended + later + late + 0.001
    turn.trigger_now()  # somebody waits for it
    assert turn.wake.is_set() and not turn.is_pending


async def test_declarations_get_the_next_free_place() -> None:
    places, order = PrioritySemaphore(1), []

    async def take(rank: int, name: str) -> None:
        async with places.acquire(rank):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(take(1, "first"), take(1, "edit"), take(1, "another edit"), take(0, "declaration"))
    assert order == ["first", "declaration", "edit", "another edit"]


async def test_who_is_called_gets_a_place_before_what_only_looks_different(world: World) -> None:
    await world.declare()
    turn = Debounce((await world.incident()).id, lambda: 0)
    before = await world.bot.scheduler._rank(turn)
    world.slack.clock.advance(26 * 60)  # a reminder is due
    assert await world.bot.scheduler._rank(turn) < before
    await world.settle()
    assert "Reminded" in await world.types()
    assert await world.bot.scheduler._rank(turn) == before
    turn.urgent = True  # somebody waits for the answer
    assert await world.bot.scheduler._rank(turn) == 0


async def test_whoever_waited_and_left_takes_no_place() -> None:
    places = PrioritySemaphore(1)
    async with places.acquire(1):
        waiting = asyncio.create_task(places.acquire(1).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(60), places.acquire(1):
        pass


async def test_stopping_begins_no_further_call(world: World) -> None:
    world.slack.latency = 0.1
    declaring = asyncio.create_task(world.person("ana").command("/incident declare sev1 Withdrawals are stuck"))
    while not calls(world, "conversations.create"):  # noqa: ASYNC110  (the journal has no event)
        await asyncio.sleep(0.005)
    await world.bot.scheduler.stop()
    assert (await effect(world, "channel")).state is EffectState.SENT, "what was under way is finished"
    world.slack.latency = 0.0
    await declaring
    assert [one.outcome for one in calls(world, "conversations.create")] == ["ok"]
    assert calls(world, "conversations.setTopic") == [] and not world.bot.scheduler.busy
    due = await world.bot.store.next_due()
    assert due is not None and due <= world.clock.now(), "the next process goes on at once"
