"""Read-only checks. A probe looks at systems that are not ours and says, in one sentence, how they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from bot.ports import Probe
from bot.probes.public_addresses import session

from .client import ReadingClient
from .horizon import HorizonProbe
from .settings import Endpoint, ProbeSettings

__all__ = ["PROBES", "Endpoint", "ProbeEntry", "ProbeSettings", "build", "session"]


@dataclass(frozen=True)
class ProbeEntry:
    """A row of the table: one line for help and lint, and what makes the probe."""

    describe: str
    make: Callable[[ProbeSettings, ReadingClient], Probe]


#: Every probe there is, by the name that people type and runbooks cite.
PROBES: Final[Mapping[str, ProbeEntry]] = {
    "horizon": ProbeEntry(
        "Is Horizon fresh and on the right network, and is it the node or the network?", HorizonProbe
    ),
}


def build(settings: ProbeSettings, session: aiohttp.ClientSession) -> dict[str, Probe]:
    """Every probe by name, all reading through one client that cannot write.

    `session` belongs to the caller, who closes it; it should serve nothing else (no cookies, no default headers).
    """
    client = ReadingClient(session, horizon=settings.horizon, rpc=settings.rpc, deadline=settings.deadline)
    return {name: entry.make(settings, client) for name, entry in PROBES.items()}
