"""The local Slack by itself: started, described on the screen, kept until it is told to stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localslack.clock import WorkspaceClock
from localslack.extension import Extension
from localslack.server import LocalSlack


async def serve(
    manifest: Mapping[str, Any],
    port: int,
    *,
    http: str = "",
    tour: Path | None = None,
    strict: bool = True,
    workspaces: Sequence[str] = (),
    as_json: bool = False,
    clock: WorkspaceClock | None = None,
    extensions: Sequence[Extension] = (),
) -> None:
    """Serve until cancelled; addresses and tokens are printed first. Raises OSError where the port is taken."""
    local = LocalSlack(
        dict(manifest),
        clock or WorkspaceClock(),
        event_url=http or None,
        tour=tour,
        strict=strict,
        extensions=extensions,
    )
    for name in workspaces:
        local.add_workspace(name)
    await local.start(port)
    facts = {
        "url": local.url,
        "api_url": local.api_url,
        "bot_token": local.bot_token,
        "app_token": local.app_token,
        "signing_secret": local.signing_secret,
        "client_id": local.client_id,
        "client_secret": local.client_secret,
        "authorize_url": local.authorize_url,
    }
    if as_json:
        print(json.dumps(facts), flush=True)
    else:
        for name, value in facts.items():
            print(f"{name:15} {value}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await local.stop()
