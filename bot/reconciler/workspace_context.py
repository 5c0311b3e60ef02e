"""What belongs to one workspace, as far as its incidents are attended there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.desired_message import Message
from bot.domain.effect import Effect
from bot.domain.incident import Incident
from bot.ports import Publisher, Room

Render = Callable[[Incident, datetime], list[Message]]
Write = Callable[[Incident], Awaitable[tuple[str, str]]]  # the postmortem: (file name, Markdown)

#: Slack's codes which say that nothing can be done in that workspace with our token any more
SHUT_OUT = frozenset({"token_revoked", "account_inactive", "invalid_auth", "token_expired"})
#: incidents of a workspace where nothing can be done are looked at again so much later
REST = timedelta(minutes=1)


@dataclass(frozen=True)
class Ground:
    """Where calls go: `render` makes the messages, `postmortem` the file, `publishers` the public posts by audience.

    `parked` makes the one about what was given up. `place`: kind of place ("announcements") -> channel id, or "".
    """

    room: Room
    render: Render
    postmortem: Write
    publishers: Mapping[str, Publisher]
    place: Callable[[str], str]
    #: the message about what was given up; None: it is not said
    parked: Callable[[Sequence[Effect]], Message] | None = None


#: the ground of a workspace by its id; None where the bot is not installed (any more): its duties rest
Grounds = Callable[[str], Awaitable[Ground | None]]
