"""The process dies while Slack fails, too: a fault is planted on the call after which, or before which, it dies, or on
what its successor asks first. Which of them is tried is chosen by the seed; nothing is lost, and nothing done twice."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from localslack import LocalSlack
from tests.durability.mortal import Fate
from tests.durability.runs import ALL_POINTS, LONG, SEED, Files, Runs, same
from tests.durability.stories import Seen, Story, approve, declare, draft, minor, reminder, resolve, tick, update

pytestmark = pytest.mark.timeout(LONG)

#: so many deaths for each kind of fault
TRIED = 20 if ALL_POINTS else 5
STORIES: list[tuple[Story, Story]] = [
    ((), (declare,)),
    ((declare,), (tick, update)),
    ((declare, draft), (approve,)),
    ((minor,), (resolve,)),
    ((declare,), (reminder,)),
]


#: what the bot calls in these stories
METHODS = (
    "bookmarks.add", "bookmarks.list", "chat.delete", "chat.postMessage", "chat.update", "conversations.create",
    "conversations.history", "conversations.invite", "conversations.open", "conversations.replies",
    "conversations.setTopic", "pins.add", "users.conversations",
)  # fmt: skip


class Fault(Fate):
    """Around the point of death the next call of each method meets a fault."""

    def __init__(self, at: int, slack: LocalSlack, kind: str, when: int) -> None:
        super().__init__(at)
        self._slack, self._kind, self._when = slack, kind, when
        if kind == "hang":
            self.lost_after = 1.0

    def point(self, name: str) -> None:
        if self.passed + 1 == max(1, self.at + self._when) and not self.dead:
            for method in METHODS:
                self._slack.faults.add(method, self._kind)
        try:
            super().point(name)
        finally:
            if self.dead and self._kind == "hang":  # the next life waits as long as it does in earnest
                self._slack.faults.clear()


#: the faults are planted so many points before the death (0: they meet the next life)
CASES = [
    pytest.param(kind, when, id=f"{kind}, {where}")
    for kind in ("429:3", "500_before", "500_after", "cut_before", "cut_after", "hang")
    for when, where in ((-3, "then it dies"), (0, "after it died"))
    if kind != "hang" or when  # a call that hangs costs the time that the bot waits for it
]


@pytest.mark.parametrize(("kind", "when"), CASES)
async def test_it_dies_and_slack_fails(files: Files, kind: str, when: int) -> None:
    chance = random.Random(f"{SEED} {kind} {when}")
    whole: dict[int, tuple[Seen, Fate]] = {}
    for _ in range(TRIED if kind != "hang" or ALL_POINTS else 2):
        number = chance.randrange(len(STORIES))
        before, story = STORIES[number]
        if number not in whole:
            whole[number] = await Runs(files).one(before, story, 0)
        undisturbed, lived = whole[number]
        at = chance.randrange(1, lived.passed + 1)
        # Asked to wait, or answered by nothing: what is looked for is found, or begun anew, a little later.
        runs = Runs(files, lambda at, slack: Fault(at, slack, kind, when), within=timedelta(seconds=90))
        after, _ = await runs.one(before, story, at)
        where = f"story {number} at point {at} with {kind} at {when}; SEED={SEED}"
        if "CommsUncertain" in after.timeline:
            public = [words for place, _, words, _, _ in after.messages if place == "customer-comms"]
            assert public == [] and "CommsPublished" not in after.timeline, where
        else:
            same(after, undisturbed, where)
