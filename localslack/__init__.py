"""A local Slack: a workspace with Web API, Socket Mode, signed HTTP and a page. Knows nothing of any particular app."""

from __future__ import annotations

from localslack.clock import WorkspaceClock
from localslack.errors import NotPossible, SlackError
from localslack.extension import Extension
from localslack.journal import Call
from localslack.people import Notification, Person
from localslack.records import Channel, Message, User
from localslack.sample import Sample
from localslack.server import LocalSlack
from localslack.switches import Switch
from localslack.user_actions import Answer, SubmitResult

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Call",
    "Channel",
    "Extension",
    "Message",
    "NotPossible",
    "Notification",
    "Person",
    "Sample",
    "LocalSlack",
    "WorkspaceClock",
    "SlackError",
    "SubmitResult",
    "Switch",
    "User",
]
