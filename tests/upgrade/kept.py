"""The kept databases: where they lie, how the program of today is started on one, and what can be pressed in it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url

from bot.domain.incident import Incident
from bot.store import migrate
from localslack import LocalSlack, Message, WorkspaceClock
from tests.postgres import Postgres
from tests.upgrade import slack_state
from tests.world import World, local_slack, settings_for, test_policy

#: a folder for each recorded program: the version, and the commit that it was
KEPT = Path(__file__).parent / "kept"
RECORDINGS = sorted(one.name for one in KEPT.iterdir()) if KEPT.exists() else []
ENGINES = ("sqlite", "postgres")
PRESSABLE = ("button", "checkboxes", "static_select", "overflow", "radio_buttons")
_MENTIONED = re.compile(r"<@(U\w+)>")


def state_of(recording: str, engine: str) -> dict[str, Any]:
    """What stood in the local Slack."""
    read: dict[str, Any] = json.loads((KEPT / recording / engine / "slack.json").read_text())
    return read


async def restore_postgres(server: Postgres, recording: str) -> str:
    """The recorded database in this server: the name of a template that `server.create` copies."""
    url = server.create("template0")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute((KEPT / recording / "postgres" / "incidents.sql").read_text())
    finally:
        await connection.close()
    return str(make_url(url).database)


@contextlib.asynccontextmanager
async def slack_as_it_stood(state: dict[str, Any], running: bool = False) -> AsyncIterator[LocalSlack]:
    """A local Slack in the recorded state, at the recorded moment; `running`: time goes on from there."""
    clock = WorkspaceClock(None if running else datetime.fromtimestamp(state["now"], UTC))
    if running:
        clock.offset = state["now"] - clock.now()
    slack = local_slack(clock)
    slack_state.load(slack, state)
    await slack.start(0)
    try:
        yield slack
    finally:
        await slack.stop()


@contextlib.asynccontextmanager
async def kept_world(recording: str, engine: str, folder: Path, url: str = "") -> AsyncIterator[World]:
    """The recorded world with the bot of today running in it. `url`: a restored PostgreSQL database."""
    async with slack_as_it_stood(state_of(recording, engine)) as slack:
        file = folder / "incidents.sqlite"
        if engine == "sqlite":
            shutil.copy(KEPT / recording / "sqlite" / "incidents.sqlite", file)
        settings = settings_for(slack, file, "socket", url)
        migrate(settings.database_url)
        world = World(slack, settings, test_policy())
        await world.start_bot()
        try:
            yield world
        finally:
            await world.stop_bot()


# -- what can be pressed ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Press:
    """Somebody uses an element of a message, or submits the form that stands open on their screen."""

    name: str
    user: str
    channel: str = ""
    ts: str = ""
    block_id: str = ""
    action_id: str = ""
    kind: str = "form"
    value: str = ""


def presses(state: dict[str, Any]) -> list[Press]:
    """Everything that can be pressed, each by somebody who is mentioned there and by somebody else."""
    people = {user["id"]: user["handle"] for user in state["users"] if not user["is_bot"]}
    found = []
    for channel in state["channels"]:
        members = [user for user in channel["members"] if user in people]
        for message in channel["by_ts"]:
            if message.get("deleted"):
                continue
            for user in _pressing(message, members):
                for one in _of_message(message):
                    where = channel["name"] or "directly"
                    name = f"{where}: {message['ts']} {one['block_id']} {one['label']}, by {people[user]}"
                    found.append(
                        Press(name, user, channel["id"], message["ts"], one["block_id"], one["action_id"],
                              one["kind"], one["value"])
                    )  # fmt: skip
    found += [Press(f"form {view['body']['callback_id']}", view["user"]) for view in state["views"]]
    return found


def _pressing(message: dict[str, Any], members: list[str]) -> list[str]:
    if message.get("only_for"):
        return [message["only_for"]]
    mentioned = [user for user in _MENTIONED.findall(json.dumps(message)) if user in members]
    return list(dict.fromkeys([*mentioned[:1], *(user for user in members if user not in mentioned)]))[:2]


def _of_message(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for block in message.get("blocks", ()):
        for element in (*block.get("elements", ()), block.get("accessory") or {}):
            if element.get("type") not in PRESSABLE or element.get("url"):
                continue
            base = {"block_id": block["block_id"], "action_id": element["action_id"], "kind": element["type"]}
            options = element.get("options") or [option for group in element.get("option_groups", ())
                                                 for option in group["options"]]  # fmt: skip
            if element["type"] in ("button", "checkboxes"):
                yield {**base, "label": (element.get("text") or options[0]["text"])["text"][:40], "value": ""}
            else:
                for option in options:
                    yield {**base, "label": option["text"]["text"][:40], "value": option["value"]}


@dataclass(frozen=True)
class Outcome:
    """What a press came to: the events that were recorded, the form that opened, whether its person was answered."""

    events: tuple[str, ...]
    form: str
    answered: bool


async def pressed(world: World, press: Press, form_values: dict[str, Any]) -> Outcome:
    """Press it as its person, and let everything settle."""
    person = world.slack.person(press.user)
    before, seen, opened = await recorded(world), _answers(world, press.user), _forms(world, press.user)
    if press.kind == "form":
        await person.submit(form_values.get(person.handle, {}))
    else:
        channel = world.slack.channel(press.channel)
        message = channel.by_ts[press.ts]
        if press.kind == "button":
            await person.click(message, press.action_id, block_id=press.block_id, channel=channel.id)
        elif press.kind == "checkboxes":
            await person.tick(message, press.block_id, action_id=press.action_id, on=not _ticked(message, press))
        else:
            await person.select(message, press.action_id, press.value, block_id=press.block_id, channel=channel.id)
    await world.settle()
    after = await recorded(world)
    events = tuple(f"{name} {type}" for name in after for type in after[name][len(before.get(name, ())) :])
    forms = _forms(world, press.user)
    opened_now = forms[-1] if forms and forms != opened else ""
    return Outcome(events, opened_now, _answers(world, press.user) != seen)


def _ticked(message: Message, press: Press) -> bool:
    block = next(one for one in message.blocks if one["block_id"] == press.block_id)
    elements = [*block.get("elements", ()), block.get("accessory") or {}]
    return any(one.get("initial_options") for one in elements if one.get("action_id") == press.action_id)


async def recorded(world: World) -> dict[str, list[str]]:
    """The types of the events of each incident, by its name."""
    found = {}
    for incident in await incidents(world):
        found[incident.name] = [type(entry.event).__name__ for entry in await world.bot.store.entries(incident.id)]
    return found


async def incidents(world: World) -> list[Incident]:
    """All of them, in the order of their numbers."""
    found = []
    while (id := await world.bot.store.find(world.slack.team_id, len(found) + 1)) is not None:
        incident = await world.bot.store.incident(id)
        assert incident is not None
        found.append(incident)
    return found


def _answers(world: World, user: str) -> list[str]:
    """Everything that this person alone was told, and what stands in forms on their screen."""
    said = [
        f"{message.ts} {message.plain}"
        for channel in world.slack.world.channels.values()
        for message in channel.by_ts.values()
        if message.only_for == user or (channel.is_im and user in channel.members)
    ]
    return said + [json.dumps(view["blocks"]) for view in world.slack.person(user).views]


def _forms(world: World, user: str) -> list[str]:
    return [str(view["callback_id"]) for view in world.slack.person(user).views]


# -- what stands in Slack -----------------------------------------------------------------------------------


def standing(slack: LocalSlack) -> dict[tuple[str, str], str]:
    """Every message that people can see: (channel, ts) -> its words."""
    return {
        (channel.id, message.ts): message.plain
        for channel in slack.world.channels.values()
        for message in channel.by_ts.values()
        if not message.deleted
    }
