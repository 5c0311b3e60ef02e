"""A loop whose time stands still while the machine does, so that no test fails because others were busy.

What waits for seconds (an answer within Slack's three, the end of a patience) waits for seconds in which this process
could run. A thread asks for its turn again and again. If it gets none for long, and the process has used no time of a
processor either, nothing of it has gone by.
"""

from __future__ import annotations

import asyncio
import threading
import time

#: seconds between two turns, and what may lie between them before the rest counts as lost
BEAT, UNNOTICED = 0.01, 0.05


class Machine:
    """Its `time` goes on with the monotonic clock, but for what this process had nothing of."""

    def __init__(self) -> None:
        self._last = (time.monotonic(), 0.0)  # when it had its last turn, and all that was lost before
        threading.Thread(target=self._watch, name="steady", daemon=True).start()

    def _watch(self) -> None:
        used = time.process_time()
        while True:
            time.sleep(BEAT)
            before, lost = self._last
            now, worked = time.monotonic(), time.process_time() - used
            used += worked
            self._last = now, lost + max(0.0, now - before - max(UNNOTICED, worked))

    def time(self) -> float:
        """Seconds since some moment; never backwards."""
        last, lost = self._last
        return min(time.monotonic(), last + UNNOTICED) - lost


MACHINE = Machine()


class SteadyLoop(asyncio.SelectorEventLoop):
    """Its timers are due by the machine's time."""

    def time(self) -> float:
        """See `Machine`."""
        return MACHINE.time()
