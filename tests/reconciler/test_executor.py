"""Each call goes to the effector of its kind, and nothing of a drill reaches outside."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.domain import lifecycle
from bot.domain.actor import Actor
from bot.domain.effect import Effect, EffectKind, EffectState
from bot.domain.incident import DraftState, Incident
from bot.reconciler import delivery_state
from bot.reconciler.effector import Effector, Execution
from bot.reconciler.executor import DRILL, Executor
from bot.reconciler.plan import Call, PlannedEffect
from bot.reconciler.rate_limits import RateLimits
from tests.story.test_comms import approve, drafted, public
from tests.world import BEGIN, World, test_policy, world_at

ID = "0455b398-48bb-5caa-9b3f-c9ba68d8edad"


def planned(kind: EffectKind, call: Call) -> PlannedEffect:
    return PlannedEffect(delivery_state.new_effect(ID, "T1", f"a {kind}", kind, BEGIN), call, "h")


@pytest.mark.parametrize("drill", [False, True])
@pytest.mark.parametrize("call", [Call.PUBLISH, Call.LOOK])
async def test_nothing_outside_is_called_for_a_drill(drill: bool, call: Call) -> None:
    made: list[EffectKind] = []

    async def made_it(run: Execution) -> Effect:
        made.append(run.effect.kind)
        return delivery_state.sent(run.effect, run.hash)

    table = {
        EffectKind.PUBLISH: Effector({Call.PUBLISH: made_it, Call.LOOK: made_it}, outside=True),
        EffectKind.TOPIC: Effector({Call.TOPIC: made_it}),
    }
    service: Any = None  # nothing is recorded
    executor = Executor(service, table, RateLimits())
    incident = Incident(team="T1", id=ID, drill=drill)
    inside = await executor.execute(incident, planned(EffectKind.TOPIC, Call.TOPIC))
    outside = await executor.execute(incident, planned(EffectKind.PUBLISH, call))
    assert inside.state is EffectState.SENT
    assert made == [EffectKind.TOPIC, *([] if drill else [EffectKind.PUBLISH])]
    assert (outside.state, outside.error) == ((EffectState.REFUSED, DRILL) if drill else (EffectState.SENT, ""))


async def test_what_looks_for_itself_is_made_again() -> None:
    service: Any = None
    executor = Executor(service, {EffectKind.BOOKMARK: Effector({})}, RateLimits())
    lost = delivery_state.unknown(planned(EffectKind.BOOKMARK, Call.BOOKMARK).effect, "no answer", BEGIN)
    one = replace(planned(EffectKind.BOOKMARK, Call.LOOK), effect=lost)
    assert (await executor.execute(Incident(team="T1", id=ID), one)).state is EffectState.WAITING


async def declared_drill(world: World) -> str:
    """A drill of Ana's with Dipo in it; its channel."""
    services, ana = world.bot.token_workspace.services, world.person("ana").id
    actor: Actor = await services.directory.actor(ana)
    rule = partial(lifecycle.declare, title="Payouts wait", severity="sev1", drill=True, policy=services.policy)
    done = await services.service.declare("declare", rule, actor, key="a drill")
    await services.scheduler.wait_until_channel_ready(done.incident.id)
    await world.settle()
    room = world.channel().id
    await world.say("ana", "/incident add @dipo", room)
    return room


async def test_a_text_of_a_drill_goes_all_its_way_but_the_last_step(tmp_path: Path) -> None:
    async with world_at(tmp_path, "socket", test_policy()) as world:
        room = await declared_drill(world)
        before = public(world)
        await approve(world, "dipo", await drafted(world, room))
        incident = await world.incident()
        (draft,) = incident.drafts.values()
        assert incident.drill and draft.state is DraftState.FAILED
        assert public(world) == before
        assert world.find("ana", room, "this is a drill: nothing is sent outside")
        assert await world.bot.store.parked() == []
