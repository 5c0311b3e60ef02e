"""A backup is put back, and what happened after it stands in Slack: nothing is opened, said or asked a second time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import yaml

from bot.config import ROOT
from bot.domain import customer_messages
from bot.domain.customer_template import text_hash
from bot.domain.effect import EffectState
from bot.store import backup, migrate
from bot.store.backup import BackupResult
from localslack import Channel, LocalSlack, WorkspaceClock
from tests.durability.mortal import Fate, life
from tests.durability.stories import BEN, POLICY, TEXT, declare, draft, person
from tests.postgres import Postgres
from tests.world import BEGIN, KEY, World


@pytest.fixture(params=["sqlite", "postgres18"])
async def there(request: pytest.FixtureRequest, world: World) -> World:
    """A world on each kind of database."""
    if request.param != "sqlite":
        await world.stop_bot()
        server: Postgres = request.getfixturevalue(request.param)
        world.settings = world.settings.model_copy(update={"database_url": server.create()})
        await world.start_bot()
    return world


def back_up(world: World, path: Path) -> Path:
    return backup.back_up(world.settings.database_url, KEY.encode(), path, world.clock.now()).path


async def put_back(world: World, path: Path) -> None:
    """What the operator does."""
    await world.stop_bot()
    world.slack.clock.advance(60)
    world.clock.moved()
    put = await asyncio.to_thread(
        backup.restore, world.settings.database_url, KEY.encode(), path, world.clock.now(), replace=True
    )
    assert put.aside
    await world.start_bot()
    await world.advance(seconds=40)


def marks(world: World) -> Counter[str]:
    """How often each message of the bot's stands in Slack."""
    return Counter(
        one.metadata["event_payload"]["id"] for place in everywhere(world) for one in place.messages if one.metadata
    )


def everywhere(world: World) -> list[Channel]:
    return list(world.slack.world.channels.values())


def card(world: World, channel: Channel) -> str:
    """What the incident's card says: the bot's first message there."""
    return next(one.plain for one in world.messages("ana", channel.name) if one.metadata)


def made(world: World) -> int:
    return len([one for one in world.slack.journal.of("conversations.create") if one.outcome == "ok"])


async def test_what_happened_after_the_backup_is_not_repeated(there: World, tmp_path: Path) -> None:
    """Notes, a tick, an update and reminders came after it. The card says again what the timeline says."""
    world = there
    channel = await world.declare()
    await world.say("ana", "/incident ack", channel.name)
    file = back_up(world, tmp_path / "b")
    await world.say("ana", "/incident note the disk is full", channel.name)
    await world.advance(minutes=37)
    reminders = [one.plain for one in world.messages("ana", channel.name) if "due 14:" in one.plain]
    assert reminders, [one.plain for one in world.messages("ana", channel.name)]
    await world.say("ana", "/incident sev sev2 it is only one asset", channel.name)
    before = marks(world)
    assert "SEV-2" in card(world, channel)
    await put_back(world, file)
    assert made(world) == 1
    after = marks(world)
    assert set(after.values()) == {1}
    assert len(channel.pins) == len(channel.bookmarks) == 1
    assert "SEV-1" in card(world, channel)
    again = [one.plain for one in world.messages("ana", channel.name) if "due 14:" in one.plain]
    assert len(again) == len(reminders)
    assert set(after) <= set(before)
    assert await world.bot.store.verify() == []
    # life goes on: what people do now is told, and what falls due now
    await world.say("ana", "/incident update we clear the disk", channel.name)
    assert world.find("ana", channel.name, "we clear the disk")
    await world.advance(minutes=37)
    assert len([one for one in world.messages("ana", channel.name) if "due 14:" in one.plain]) >= 1
    assert set(marks(world).values()) == {1}


async def test_a_backup_of_any_moment_of_a_declaration(there: World, tmp_path: Path) -> None:
    """The channel, the card, the messages: begun, sent or not thought of yet when the backup was taken."""
    world = there
    world.slack.latency = 0.4
    declaring = asyncio.create_task(world.person("ana").command("/incident declare sev1 Withdrawals are stuck"))
    files: list[Path] = []
    while not declaring.done() or world.bot.scheduler.busy:
        files.append(await asyncio.to_thread(back_up, world, tmp_path / f"{len(files)}"))
        await asyncio.sleep(0.03)
    await declaring
    world.slack.latency = 0.0
    await world.settle()
    channel, before = world.channel(), marks(world)
    with_incident = 0
    # Each takes a minute and forty seconds of the world's time, and after 25 minutes an update would fall due.
    for file in files[:: len(files) // 12 + 1]:
        await put_back(world, file)
        if await world.bot.store.find(world.slack.team_id, 1) is None:
            continue  # before anything was written: the incident is not known
        with_incident += 1
        assert made(world) == 1 and marks(world) == before, file.name
        assert len(channel.pins) == len(channel.bookmarks) == 1, file.name
        incident = await world.incident()
        assert incident.channel == channel.id
        states = {one.state for one in await world.bot.store.effects(incident.id)}
        assert states <= {EffectState.SENT, EffectState.REFUSED}, file.name
    assert with_incident >= 3


async def test_what_was_sent_by_nobody_is_sent(there: World, tmp_path: Path) -> None:
    """Looking does not replace doing."""
    world = there
    world.slack.latency = 0.2
    declaring = asyncio.create_task(world.person("ana").command("/incident declare sev1 Withdrawals are stuck"))
    async with asyncio.timeout(60):
        while await world.bot.store.next_due() is None:  # noqa: ASYNC110 - another database may be looked at
            await asyncio.sleep(0.002)
    file = await asyncio.to_thread(back_up, world, tmp_path / "b")
    await declaring
    world.slack.latency = 0.0
    await world.settle()
    old = world.channel()
    for place in everywhere(world):  # as if Slack had not heard of it
        place.messages[:] = [one for one in place.messages if not one.metadata]
    del world.slack.world.channels[old.id]
    await put_back(world, file)
    new = world.channel()
    assert new.id != old.id
    assert world.messages("ana", new.name) and len(new.pins) == 1
    assert set(marks(world).values()) == {1}
    assert (await world.incident()).channel == new.id


class BackupAfterCommit(Fate):
    """Takes one backup right after the next commit once it is armed, before anything else of the bot can run."""

    def __init__(self, take: Callable[[], BackupResult]) -> None:
        super().__init__()
        self._take = take
        self.armed = False
        self.backups: list[BackupResult] = []

    def point(self, name: str) -> None:
        super().point(name)
        if self.armed and name == "after a commit":
            self.armed = False
            self.backups.append(self._take())


async def test_a_public_text_is_not_made_public_again(tmp_path: Path) -> None:
    """Two people agreed, the backup was taken, and then it was sent."""
    database = tmp_path / "incidents.sqlite"
    url = f"sqlite:///{database}"
    migrate(url)
    slack = LocalSlack(yaml.safe_load((ROOT / "manifest.yaml").read_text()), WorkspaceClock(BEGIN))
    await slack.start(0)
    try:
        taken = BackupAfterCommit(lambda: backup.back_up(url, KEY.encode(), tmp_path / "b", BEGIN))
        async with life(slack, database, POLICY, taken) as bot:
            await declare(bot)
            await draft(bot)
            rule = partial(customer_messages.approve, draft="d1", text_hash=text_hash(TEXT), policy=POLICY)
            taken.armed = True
            await bot.act("approve", rule, person(bot, BEN))
            await bot.settle()
            assert (await bot.incident()).drafts["d1"].state == "published"
        [made] = taken.backups
        backup.restore(url, KEY.encode(), made.path, BEGIN, replace=True)
        async with life(slack, database, POLICY, Fate()) as bot:
            # nothing attends the incident of a restored database before `settle`
            assert (await bot.incident()).drafts["d1"].state == "approved"
            await bot.settle()
            found = (await bot.incident()).drafts["d1"]
            assert found.state == "published" and found.reference
            public = [one for place in slack.channels if place.name == "customer-comms" for one in place.messages]
            assert [one.ts for one in public if TEXT in one.plain] == [found.reference]
    finally:
        await slack.stop()
