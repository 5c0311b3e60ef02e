"""The day of an action item: read as a day, left as words, or asked for again; never guessed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.domain.errors import Refused
from bot.slack.requests.due_day import split_due
from tests.world import test_policy, world_at

#: a Friday
TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("today", TODAY),
        ("tomorrow", date(2026, 11, 21)),
        ("Saturday", date(2026, 11, 21)),
        ("on Monday", date(2026, 11, 23)),
        ("thu", date(2026, 11, 26)),
        ("Friday", date(2026, 11, 27)),
        ("Friday.", date(2026, 11, 27)),
        ("2026-12-04", date(2026, 12, 4)),
        ("4 Dec", date(2026, 12, 4)),
        ("December 4th", date(2026, 12, 4)),
        ("the 4th of December, 2027", date(2027, 12, 4)),
        ("3 Jan", date(2027, 1, 3)),
        ("29 Feb", date(2028, 2, 29)),
        ("20 Nov", TODAY),
    ],
)
def test_a_day_is_read(said: str, day: date) -> None:
    words = said.rstrip(".")
    assert split_due(f"add an alert by {said}", TODAY) == ("add an alert", words, day)


@pytest.mark.parametrize(
    "text",
    [
        "add an alert",
        "restart it by hand",
        "ask for a fix by the vendor",
        "sort by amount before you send it out",
        "split the queue by size and age",
        "by Friday",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert split_due(text, TODAY) == (text, "", None)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Fryday", "Did you mean Friday?"),
        ("tomorow", "Did you mean tomorrow?"),
        ("Wensday", "by 2026-11-27"),
        ("next Friday", "by Friday"),
        ("end of week", "by Friday"),
        ("EOD", "by tomorrow"),
        ("4/12", "by Friday"),
        ("the 4th", "by Friday"),
        ("31 Feb", "by Friday"),
        ("18:00 UTC", "by Friday"),
        ("2026-13-01", "by Friday"),
        ("2026-11-19", "is in the past"),
        ("June", "by Friday"),
    ],
)
def test_what_only_looks_like_a_day_is_asked_again(said: str, meant: str) -> None:
    with pytest.raises(Refused) as refused:
        split_due(f"add an alert by {said}", TODAY)
    told = str(refused.value)
    assert meant in told and said in told


async def test_a_task_has_its_day_everywhere(tmp_path: Path) -> None:
    async with world_at(tmp_path, "socket", test_policy()) as world:  # it begins on a Monday
        room = (await world.declare()).id
        refused = await world.say("ben", "/incident task @carla add an alert by Fryday", room)
        assert "nothing was written down. Did you mean Friday?" in refused
        assert (await world.incident()).tasks == ()
        assert "due Fri 2026-03-06" in await world.say("ben", "/incident task @carla add an alert by Friday", room)
        (task,) = (await world.incident()).tasks
        assert (task.text, task.due, task.due_on) == ("add an alert", "Friday", date(2026, 3, 6))
        card = world.channel().pins[0].ts
        assert world.find("ana", room, "by Fri 2026-03-06", card)
