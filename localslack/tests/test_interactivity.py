"""What is handed out for later use: expired things are cleared away without being forgotten too soon."""

from __future__ import annotations

import pytest

from localslack import LocalSlack, SlackError
from localslack.interactivity import CLEANUP_AFTER_COUNT


async def test_expired_triggers_are_cleared_away(sandbox: LocalSlack) -> None:
    desk = sandbox.interactivity
    old = desk.new_trigger("U01ANASILVA")
    sandbox.clock.advance(60)
    for _ in range(CLEANUP_AFTER_COUNT):
        desk.new_trigger("U01ANASILVA")
    with pytest.raises(SlackError, match="expired_trigger_id"):
        desk.use_trigger(old)  # a minute later it is still known
    sandbox.clock.advance(2 * 3600)
    for _ in range(2 * CLEANUP_AFTER_COUNT + 10):
        desk.new_trigger("U01ANASILVA")
    with pytest.raises(SlackError, match="invalid_trigger_id"):
        desk.use_trigger(old)
    assert len(desk.triggers) < 2 * CLEANUP_AFTER_COUNT + 20


async def test_expired_response_urls_are_cleared_away(sandbox: LocalSlack) -> None:
    desk = sandbox.interactivity
    for _ in range(CLEANUP_AFTER_COUNT):
        desk.new_response_url("U01ANASILVA", "C01GENERAL1")
    sandbox.clock.advance(3600)
    desk.new_response_url("U01ANASILVA", "C01GENERAL1")
    assert len(desk.responses) == 1
