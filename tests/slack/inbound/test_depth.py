"""How far it is from the socket to the one write path, and how often a tick looks its checklist up."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import bot
from bot.domain.incident import Incident
from bot.store import SqlStore
from tests.story.acts import section
from tests.world import World, world_at

BOT = Path(bot.__file__).parent
#: own files between the socket and `Service.act`
MOST_FILES = 7


def own_files(frame: FrameType | None) -> list[str]:
    """The bot's files on this stack, the innermost first."""
    found = []
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if BOT in path.parents:
            found.append(str(path.relative_to(BOT)))
        frame = frame.f_back
    return found


class Ancestry:
    """Of each task the stack on which it was made, and the task that made it."""

    def __init__(self) -> None:
        self.made: dict[asyncio.Task[Any], tuple[list[str], asyncio.Task[Any] | None]] = {}

    def factory(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **more)
        try:
            parent = asyncio.current_task(loop)
        except RuntimeError:
            parent = None
        self.made[task] = own_files(sys._getframe(1)), parent
        return task

    def files(self, frame: FrameType) -> list[str]:
        """The distinct own files from here to the task that reads the socket, the innermost first."""
        found = own_files(frame)
        task = asyncio.current_task()
        while task is not None and task in self.made and task.get_name() != "socket":
            stack, task = self.made[task]
            found += stack
        return list(dict.fromkeys(found))


async def ticked(world: World) -> None:
    place = world.channel().name
    steps = await section(world, "ana", place, "*3.2*")
    block = next(one["block_id"] for one in steps.blocks if ":3.2:" in one.get("block_id", ""))
    assert (await world.person("ana").tick(steps, block_id=block)).ok
    await world.settle()


async def test_a_tick_passes_few_files_on_its_way(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        await world.declare()
        await world.say("ana", "/incident runbook horizon-outage", world.channel().name)
        seen: list[list[str]] = []
        ancestry, act = Ancestry(), world.bot.service.act

        async def spy(id: str, verb: str, *rest: Any, **more: Any) -> Any:
            if verb == "finish":
                seen.append(ancestry.files(sys._getframe(1)))
            return await act(id, verb, *rest, **more)

        world.bot.service.act = spy  # type: ignore[method-assign]
        asyncio.get_running_loop().set_task_factory(ancestry.factory)
        try:
            await ticked(world)
        finally:
            asyncio.get_running_loop().set_task_factory(None)
        assert "StepTicked" in await world.types()
        (files,) = seen
        assert "slack/inbound/connection.py" in files
        assert len(files) <= MOST_FILES, files


async def callers(function: Callable[..., Any], tmp_path: Path) -> list[str]:
    """The bot's files that call this function while a box of a message is ticked and what follows is shown."""
    found: list[str] = []

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code is function.__code__:
            found.extend(own_files(frame.f_back)[:1])

    async with world_at(tmp_path) as world:
        await world.declare()
        await world.say("ana", "/incident runbook horizon-outage", world.channel().name)
        sys.setprofile(note)
        try:
            await ticked(world)
        finally:
            sys.setprofile(None)
        assert "StepTicked" in await world.types()
    return found


async def test_nobody_on_the_way_looks_the_checklist_up(tmp_path: Path) -> None:
    """The rule does, once (tests/domain/test_checklist.py), in the thread that writes."""
    assert await callers(Incident.checklist, tmp_path) == []


async def test_a_click_in_a_message_asks_the_database_for_nothing_but_its_write(tmp_path: Path) -> None:
    """What is shown in a form is read again after a click in it; what a message shows follows from the act."""
    found = await callers(SqlStore.incident, tmp_path)
    assert [one for one in found if one.startswith("slack/")] == []
