"""The bot as `python -m bot run` starts it, which also tells every second how much it holds.

A line of JSON on standard output: memory, asyncio tasks, file handles, sockets. For `bench.soak`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import signal
from pathlib import Path

from bench.inside import rss
from bot.app import Bot, create_bot
from bot.config import Settings
from bot.policies import load

EVERY = 1.0
#: folded incidents that are kept, and messages as they were made: few, so that they are all there before the measuring
#: begins
KEPT, MADE = 20, 200


def held() -> dict[str, float]:
    """What this process holds now."""
    handles = list(Path("/proc/self/fd").iterdir())
    sockets = 0
    for one in handles:
        with contextlib.suppress(OSError):
            sockets += str(one.readlink()).startswith("socket:")
    return {
        "rss_mb": rss(), "tasks": len(asyncio.all_tasks()), "handles": len(handles), "sockets": sockets,
        "objects": len(gc.get_objects()),
    }  # fmt: skip


async def _tell(running: Bot) -> None:
    running.store._cache._most, running.workspace_factory.message_cache._most = KEPT, MADE
    gc.freeze()  # as `bot.app.serve` does: what was loaded is not looked through every second
    while True:
        await asyncio.sleep(EVERY)
        gc.collect()
        print(json.dumps(held()), flush=True)


async def main() -> None:
    """Run until SIGTERM."""
    settings = Settings()
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    async with create_bot(settings, load(settings.policy_file)).running() as running:
        telling = asyncio.create_task(_tell(running))
        await ending.wait()
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling


if __name__ == "__main__":
    asyncio.run(main())
