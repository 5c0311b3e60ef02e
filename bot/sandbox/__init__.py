"""A local Slack: a workspace with Web API, Socket Mode, signed HTTP and a page. Knows nothing of any particular app."""

from __future__ import annotations

from bot.sandbox.clock import SandboxClock
from bot.sandbox.errors import NotPossible, SlackError
from bot.sandbox.gestures import Answer, SubmitResult
from bot.sandbox.journal import Call
from bot.sandbox.people import Notification, Person
from bot.sandbox.records import Channel, Message, User
from bot.sandbox.sample import Sample
from bot.sandbox.server import Sandbox
from bot.sandbox.switches import Switch

__all__ = [
    "Answer",
    "Call",
    "Channel",
    "Message",
    "NotPossible",
    "Notification",
    "Person",
    "Sample",
    "Sandbox",
    "SandboxClock",
    "SlackError",
    "SubmitResult",
    "Switch",
    "User",
]
