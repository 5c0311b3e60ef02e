"""The workspace's clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from localslack import WorkspaceClock

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def test_a_frozen_clock_moves_only_when_moved() -> None:
    clock = WorkspaceClock(frozen_at=NOON)
    assert clock.now() == NOON.timestamp() == clock.now()
    clock.advance(90)
    assert (clock.now(), clock.offset) == (NOON.timestamp() + 90, 90)


def test_a_running_clock_is_real_time_and_an_offset() -> None:
    clock = WorkspaceClock()
    clock.advance(3600)
    assert abs(clock.now() - time.time() - 3600) < 1


def test_time_never_goes_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        WorkspaceClock(frozen_at=NOON).advance(-1)


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        WorkspaceClock(frozen_at=datetime(2026, 1, 1))  # noqa: DTZ001


async def test_sleepers_wake_when_their_time_has_come() -> None:
    clock = WorkspaceClock(frozen_at=NOON)
    early = asyncio.create_task(clock.until(clock.now() + 10))
    late = asyncio.create_task(clock.until(clock.now() + 100))
    await asyncio.sleep(0)
    clock.advance(50)
    await asyncio.wait_for(early, 60)
    assert not late.done()
    late.cancel()


async def test_a_running_clock_wakes_sleepers_by_itself() -> None:
    clock = WorkspaceClock()
    await asyncio.wait_for(clock.until(clock.now() + 0.02), 60)
