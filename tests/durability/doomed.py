"""Bots in processes of their own that kill themselves (SIGKILL) at a point: around a commit or a call to Slack.

`python -m tests.durability.doomed` has read all of the bot's code and forks a bot for each order, a line of JSON: its
settings, the point, the file that says how many points it has passed, and what its clock shows all the time ("": the
machine's). The answer is the process id.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.cli import cli
from bot.clock import SystemClock
from bot.slack.room import SlackRoom
from bot.store import Store


def doom(at: int, count: Path) -> None:
    """Let this process end at that point (0: never)."""
    passed = 0

    def point() -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            os.kill(os.getpid(), signal.SIGKILL)
        count.with_suffix(".new").write_text(str(passed))
        count.with_suffix(".new").replace(count)  # whoever reads it finds a number

    def surround(owner: type, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        async def call(self: Any, *arguments: Any, **named: Any) -> Any:
            point()
            answer = await real(self, *arguments, **named)
            point()
            return answer

        setattr(owner, name, call)

    surround(Store, "write")
    for name, method in vars(SlackRoom).items():
        if asyncio.iscoroutinefunction(method) and not name.startswith("_"):
            surround(SlackRoom, name)


def run(order: dict[str, Any]) -> None:
    """`bot run`, in this process, until it ends."""
    os.environ.update(order["settings"])
    doom(order["at"], Path(order["count"]))
    if order["now"]:
        now = datetime.fromisoformat(order["now"])
        setattr(SystemClock, "now", lambda self: now)  # noqa: B010  (mypy knows that this is a method)
    cli(["run"])


def main() -> None:
    """Fork, and never wait: who has died is gone."""

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                run(json.loads(line))
            finally:
                os._exit(1)
        print(child, flush=True)


if __name__ == "__main__":
    main()
