"""What the probes may read, and how long they may take."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

#: An endpoint's name is shown to people and may stand in a runbook ("probe: horizon backup").
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


@dataclass(frozen=True)
class Endpoint:
    """One server that may be read.

    `url` may hold a provider's key, so it is never shown, not even by `repr`. `operator` says who runs the server:
    two endpoints of one operator fail together, so only endpoints of different operators prove anything about the
    network. An empty operator is "not known" and independent of nobody.

    Raises ValueError, without the URL in its text, for a name or URL that cannot be used.
    """

    name: str
    url: str = field(repr=False)
    operator: str = ""

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError("an endpoint's name is 1 to 40 lower-case letters, digits, dots, dashes or underscores")
        if not _usable(self.url):
            raise ValueError(f"the URL of endpoint {self.name} is not an http or https address with a host")


@dataclass(frozen=True)
class ProbeSettings:
    """Everything the probes know: where to read, on which network, within how many seconds.

    `network` is the passphrase that every source has to name. `deadline` holds for a whole reading, not for each
    request; every endpoint is asked at the same time. Raises ValueError for two endpoints of one name.
    """

    horizon: tuple[Endpoint, ...] = ()
    rpc: tuple[Endpoint, ...] = ()
    network: str = "Public Global Stellar Network ; September 2015"
    deadline: float = 5.0

    def __post_init__(self) -> None:
        names = [endpoint.name for endpoint in self.endpoints]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two endpoints have the same name: {', '.join(twice)}")
        if self.deadline <= 0:
            raise ValueError("the probes' deadline is a number of seconds above 0")

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All of them, Horizon first."""
        return (*self.horizon, *self.rpc)


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
