"""What a program can add to the local Slack's server: routes of its own and switches on the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from aiohttp import web

from localslack.switches import Switch


class Extension(Protocol):
    """Stands in for another service that the app calls, at paths that the local Slack does not use itself."""

    @property
    def switches(self) -> Sequence[Switch]:
        """What a person can set on the page."""

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What is served beside the local Slack, on the same port and behind the same checks of host and origin."""
