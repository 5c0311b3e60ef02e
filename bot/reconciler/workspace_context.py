"""What belongs to one workspace, as far as its incidents are attended there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.desired_message import DesiredMessage
from bot.domain.effect import Effect
from bot.domain.incident import Incident
from bot.reconciler.effector import Effectors
from bot.reports.overview import Overview

RenderMessages = Callable[[Incident, datetime], list[DesiredMessage]]

#: incidents of a workspace where nothing can be done are looked at again so much later
NOT_INSTALLED_POLL_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True)
class WorkspaceContext:
    """Where calls go: `effectors` make them. `render_messages` makes an incident's messages, `render_topic` its topic.

    `render_parked` makes the one about what was given up. `channel_for`: kind of place ("announcements") -> channel id,
    or "".
    """

    effectors: Effectors
    render_messages: RenderMessages
    render_topic: Callable[[Incident], str]
    channel_for: Callable[[str], str]
    #: the message about what was given up; None: it is not said
    render_parked: Callable[[Sequence[Effect]], DesiredMessage] | None = None
    #: the digest of how things stand, None where there is nothing to say; None: none is posted here
    render_digest: Callable[[Overview], DesiredMessage | None] | None = None
    #: a person's Home, with what they may see; None: none is published here
    render_home: Callable[[Overview, str], Awaitable[DesiredMessage]] | None = None


#: the ground of a workspace by its id; None where the bot is not installed (any more): its duties rest
WorkspaceContextLookup = Callable[[str], Awaitable[WorkspaceContext | None]]
