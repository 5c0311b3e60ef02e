"""The process dies at every point of every story, one after the other; the next one finishes it, and nothing is done
twice, forgotten, or told in another order."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import ROOT
from bot.domain import cadence, checklist, drafts, lifecycle, second_person
from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.comms import Template, text_hash
from bot.domain.effect import EffectState
from bot.domain.policy import Policy
from bot.sandbox import Channel, Sandbox, SandboxClock
from bot.store import migrate
from tests.domain.story import PAYOUTS, the
from tests.durability.mortal import DECLARED, Died, Fate, Mortal, life
from tests.world import BEGIN

POLICY = replace(Policy(), announcements="incidents", customer_comms="customer-comms")
TEMPLATE = Template("payment-delays", "customers", "investigating", "Payments are delayed", (), "f00dcafe")
TEXT = "Payments to Nigeria are delayed. Your money is safe."
#: no story has as many points
ENOUGH = 400
ANA, BEN, CARLA = "U01ANASILVA", "U01BENOKAFO", "U01CARLAROS"


def person(bot: Mortal, user: str) -> Actor:
    return Actor(bot.team, user, user)


# -- stories: what people do; each act has a key, so that it counts once however often it is delivered ---------------


async def declare(bot: Mortal, severity: str = "sev1", runbook: bool = True) -> None:
    rule = partial(
        lifecycle.declare, title="Withdrawals are stuck", severity=severity, responders=(BEN, CARLA),
        runbook=PAYOUTS if runbook else None, policy=POLICY,
    )  # fmt: skip
    await bot.service.declare("declare", lambda i, **more: rule(i, **more), person(bot, ANA), key=DECLARED)
    await bot.settle()


async def minor(bot: Mortal) -> None:
    await declare(bot, severity="sev3", runbook=False)


async def tick(bot: Mortal) -> None:
    await bot.act("tick", partial(checklist.tick, **the("1.1")), person(bot, BEN))
    await bot.settle()


async def tick_section(bot: Mortal) -> None:
    """The last step of a section: the next one is shown, this one folds after 30 seconds."""
    await bot.act("tick 2", partial(checklist.tick, **the("1.2")), person(bot, ANA))
    await bot.settle(timedelta(seconds=50))


async def update(bot: Mortal) -> None:
    rule = partial(cadence.post_update, text="Payouts to NG resumed, KE follows.", next_by=None, policy=POLICY)
    await bot.act("update", rule, person(bot, ANA))
    await bot.settle(timedelta(seconds=50))


async def ask(bot: Mortal) -> None:
    rule = partial(
        second_person.ask, **the("2.2"), evidence="queue empty", count="412", amount="", confirmers=(BEN, CARLA),
        policy=POLICY,
    )  # fmt: skip
    await bot.act("ask", rule, person(bot, ANA))
    await bot.settle()


async def go(bot: Mortal) -> None:
    (asked,) = (await bot.incident()).asks
    await bot.act("go", partial(second_person.go, ask=asked, policy=POLICY), person(bot, BEN))
    await bot.settle()


async def done(bot: Mortal) -> None:
    (asked,) = (await bot.incident()).asks
    await bot.act("done", partial(second_person.done, ask=asked, result="batch 7f3a"), person(bot, ANA))
    await bot.settle()


async def raise_severity(bot: Mortal) -> None:
    rule = partial(
        lifecycle.change_severity, severity="sev1", reason="payouts at a stand", responders=(CARLA, "U01DIPOADEY"),
        policy=POLICY,
    )  # fmt: skip
    await bot.act("raise", rule, person(bot, ANA))
    await bot.settle()


async def draft(bot: Mortal) -> None:
    rule = partial(
        drafts.draft, draft="d1", template=TEMPLATE, text=TEXT, approvers=(BEN,),
        promised=BEGIN + timedelta(minutes=40), policy=POLICY,
    )  # fmt: skip
    await bot.act("draft", rule, person(bot, ANA))
    await bot.settle()


async def approve(bot: Mortal) -> None:
    await bot.act(
        "approve", partial(drafts.approve, draft="d1", text_hash=text_hash(TEXT), policy=POLICY), person(bot, BEN)
    )
    await bot.settle()


async def mitigate(bot: Mortal) -> None:
    await bot.act("mitigate", partial(lifecycle.mitigate, note="routed around"), person(bot, ANA))
    await bot.settle()


async def resolve(bot: Mortal) -> None:
    await bot.act("resolve", partial(lifecycle.resolve, note="cache cleared", policy=POLICY), person(bot, ANA))
    await bot.settle()


async def write_postmortem(bot: Mortal) -> None:
    def rule(incident: Any, *, by: Actor, at: Any) -> list[e.Event]:
        return [e.PostmortemWritten(by=by.user, at=at, name="inc-1.md", through=incident.seq)]

    await bot.act("postmortem", rule, person(bot, ANA))
    await bot.settle()


async def reminder(bot: Mortal) -> None:
    """The update that is due after 30 minutes: first the lead directly, then the channel."""
    await bot.settle(BEGIN + timedelta(minutes=31) - bot.clock.now())


Act = Callable[[Mortal], Awaitable[None]]
STORIES: list[Any] = [
    pytest.param((), (declare,), id="declare, with a runbook"),
    pytest.param((declare,), (tick, tick_section), id="steps are ticked, a section is complete"),
    pytest.param((declare,), (update,), id="an update, under the announcement too"),
    pytest.param((declare,), (ask, go, done), id="two people"),
    pytest.param((minor,), (raise_severity,), id="a severity raised, people called"),
    pytest.param((minor,), (mitigate, resolve, write_postmortem), id="resolved, with a file"),
    pytest.param((declare,), (reminder,), id="reminders"),
]


# -- the world after it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What is there in the end, without the ids that differ from run to run."""

    channels: list[Any]
    messages: list[Any]
    timeline: list[str]


async def seen(bot: Mortal) -> Seen:
    slack = bot.slack
    names = {one.id: one.name or "direct:" + "+".join(sorted(one.members)) for one in slack.channels}

    def plain(words: str) -> str:
        for id, name in names.items():
            words = words.replace(id, name)
        return words

    def channel(one: Channel) -> Any:
        pinned = [plain(one.by_ts[pin.ts].text) for pin in one.pins]
        marks = [(mark.title, next(plain(m.text) for m in one.by_ts.values() if m.ts.replace(".", "") in mark.link))
                 for mark in one.bookmarks]  # fmt: skip
        return names[one.id], one.topic, sorted(one.members), pinned, marks

    messages = [
        (names[one.channel], plain(place.by_ts[one.thread_ts].text) if one.thread_ts else "", plain(one.plain),
         one.labels, [file["name"] for file in one.files])
        for place in slack.channels
        for one in place.by_ts.values()
        if not one.deleted and one.user == slack.bot_user_id and one.subtype != "channel_join"
    ]  # fmt: skip
    timeline = [type(entry.event).__name__ for entry in await bot.store.entries(bot.id)]
    return Seen(sorted(map(channel, slack.channels)), sorted(messages), timeline)


async def nothing_is_left_over(bot: Mortal) -> None:
    """No mark twice, no channel without an incident, nothing owed, every timeline as it was written."""
    slack, incident = bot.slack, await bot.incident()
    assert [one.id for one in slack.channels if one.name.startswith("inc-")] == [incident.channel]
    marks = Counter(
        one.metadata["event_payload"]["id"]
        for place in slack.channels
        for one in place.by_ts.values()
        if one.metadata and not one.deleted
    )
    assert set(marks.values()) == {1}
    assert {one.state for one in await bot.store.effects(bot.id)} <= {EffectState.SENT, EffectState.REFUSED}
    assert await bot.store.verify() == []


# -- dying -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the right shape with nothing in it."""
    path = tmp_path_factory.mktemp("empty") / "empty.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@dataclass
class Runs:
    """Runs a story from its beginning, each time in a new world."""

    empty: Path
    folder: Path
    number: int = 0

    async def one(self, before: tuple[Act, ...], story: tuple[Act, ...], at: int) -> tuple[Seen, Fate]:
        """Tell it; the process dies at the point `at` of the story (0: never) and another one goes on."""
        self.number += 1
        database = self.folder / f"{self.number}.sqlite"
        shutil.copy(self.empty, database)
        slack = Sandbox(MANIFEST, SandboxClock(BEGIN))
        await slack.start(0)
        try:
            async with life(slack, database, POLICY, Fate()) as bot:
                for act in before:
                    await act(bot)
            fate = Fate(at)
            try:
                async with life(slack, database, POLICY, fate) as bot:
                    await self._told(bot, story)
                    return await self._end(bot), fate
            except Died:
                pass
            # Whoever clicked saw an error and clicks again, or Slack delivers again.
            async with life(slack, database, POLICY, Fate()) as bot:
                await bot.settle()
                await self._told(bot, story)
                return await self._end(bot), fate
        finally:
            await slack.stop()

    @staticmethod
    async def _told(bot: Mortal, story: tuple[Act, ...]) -> None:
        for number, act in enumerate(story, 1):
            # At the same moments in every run, whatever a death has cost.
            await bot.pass_to(BEGIN + timedelta(minutes=2 * number))
            await act(bot)

    @staticmethod
    async def _end(bot: Mortal) -> Seen:
        await bot.settle(timedelta(minutes=2))
        await nothing_is_left_over(bot)
        return await seen(bot)


MANIFEST = yaml.safe_load((ROOT / "manifest.yaml").read_text())


@pytest.fixture
async def runs(empty: Path, tmp_path: Path) -> AsyncIterator[Runs]:
    yield Runs(empty, tmp_path)


@pytest.mark.parametrize(("before", "story"), STORIES)
async def test_the_process_dies_at_every_point(runs: Runs, before: tuple[Act, ...], story: tuple[Act, ...]) -> None:
    undisturbed, lived = await runs.one(before, story, 0)
    assert lived.passed > 5
    for at in range(1, ENOUGH):
        after, fate = await runs.one(before, story, at)
        if not fate.dead:
            return  # every point has been tried
        where = f"died at point {at}, {fate.dead}"
        assert sorted(after.timeline) == sorted(undisturbed.timeline), where
        assert after.channels == undisturbed.channels, where
        assert after.messages == undisturbed.messages, where
    raise AssertionError("the story does not end")


async def test_a_public_text_is_sent_once_or_shown_to_a_person(runs: Runs) -> None:
    """What was begun and left no trace is not sent again by itself: nobody can take a public text back."""
    undisturbed, _ = await runs.one((declare, draft), (approve,), 0)
    asked = 0
    for at in range(1, ENOUGH):
        after, fate = await runs.one((declare, draft), (approve,), at)
        if not fate.dead:
            break
        where = f"died at point {at}, {fate.dead}"
        public = [words for place, _, words, _, _ in after.messages if place == "customer-comms"]
        if "CommsUncertain" in after.timeline:
            asked += 1
            assert public == [], where
            assert after.timeline.count("CommsSending") == 1 and "CommsPublished" not in after.timeline, where
            buttons = [labels for _, _, _, labels, _ in after.messages]
            assert buttons.count(["It is there", "It is not there"]) == 1, where
        else:
            assert public == [TEXT], where
            assert after == undisturbed, where
    assert asked, "it died between the intent and the post, too"
