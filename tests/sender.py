"""A sender of alerts: posts to the bot's port as Alertmanager or somebody's script would."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from tests import written
from tests.world import World

#: what the worlds of these tests are given as ALERT_SECRETS
SECRETS = {"alertmanager": "alertmanager-secret-of-tests", "generic": "generic-secret-of-the-tests"}
SETTING = ",".join(f"{source}={secret}" for source, secret in SECRETS.items())
written.KNOWN.update(SECRETS.values())


async def post(
    world: World,
    body: bytes | dict[str, Any],
    source: str = "generic",
    secret: str | None = None,
    session: aiohttp.ClientSession | None = None,
) -> tuple[int, dict[str, Any] | str]:
    """The status and what the bot answered. `secret` None: the right one; `session`: connections to go on with."""
    given = SECRETS.get(source, "") if secret is None else secret
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"http://127.0.0.1:{world.bot.port}/alerts/{source}"
    headers = {"Authorization": f"Bearer {given}", "Content-Type": "application/json"}
    asked = (
        session.post(url, data=raw, headers=headers)
        if session
        else aiohttp.request("POST", url, data=raw, headers=headers)
    )
    async with asked as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if answer.content_type == "application/json" else text


async def stored(world: World, body: dict[str, Any], session: aiohttp.ClientSession) -> None:
    """Post it as senders do: again, as long as the answer is that it was not stored."""
    while (answer := await post(world, body, session=session))[0] == 503:  # noqa: ASYNC110  (senders wait, too)
        await asyncio.sleep(0.2)
    assert answer[0] == 200, answer


async def tell(world: World, body: bytes | dict[str, Any], source: str = "generic") -> str:
    """Post it, and let everything that follows happen; what it came to: "declared INC-1"."""
    status, said = await post(world, body, source)
    assert status == 200 and isinstance(said, dict), (status, said)
    await world.settle()
    return f"{said['outcome']} {said.get('incident', '')}".strip()
