"""Which handler hears which kind of delivery."""

from __future__ import annotations

from functools import partial

from slack_bolt.app.async_app import AsyncApp

from bot.slack import listening
from bot.slack.actions import on_action
from bot.slack.commands import on_command
from bot.slack.desk import Desk
from bot.slack.happenings import on_event, on_shortcut
from bot.slack.submissions import on_submission


def listen(app: AsyncApp, desk: Desk) -> None:
    """Hand every kind of delivery to its handler."""
    listening.listen(
        app,
        command=partial(on_command, desk),
        action=partial(on_action, desk),
        submission=partial(on_submission, desk),
        shortcut=partial(on_shortcut, desk),
        event=partial(on_event, desk),
    )
