"""`/incident sev`: raise, lower or confirm the severity."""

from __future__ import annotations

from functools import partial

from bot.domain import lifecycle
from bot.domain.errors import Refused
from bot.domain.time_text import lasted
from bot.slack.requests.arguments import (
    UNITS,
    Arguments,
    MissingArguments,
    ParseResult,
    severity_like,
    split_first_word,
)
from bot.slack.requests.context import Reply, Request

#: the reason that is kept where the bot asked how bad it is
CHOSEN_WHEN_ASKED = "chosen when asked"


def read_sev(text: str, call: Request) -> ParseResult:
    """A severity and perhaps a reason. "sev 2 hours stuck" is a title, not a severity."""
    if not text:
        return MissingArguments()
    word, reason = split_first_word(text)
    if word.isdigit() and split_first_word(reason)[0].lower().strip(".,") in UNITS:
        return None
    try:
        return Arguments({"severity": call.services.policy.severity(word).key, "reason": reason})
    except Refused:
        if word.isdigit() or severity_like(word):
            raise
        return None


async def sev(call: Request, severity: str, reason: str = "") -> Reply:
    """Raise, lower or confirm."""
    reason = await call.refuse_secrets(reason, "reason")
    new = call.services.policy.severity(severity)
    responders = call.services.directory.expand(new.responders)
    done = await call.act(
        "sev",
        partial(
            lifecycle.change_severity,
            severity=new.key,
            reason=reason,
            responders=responders,
            policy=call.services.policy,
        ),
    )
    if done.before.severity == new.key:
        return Reply(f"{new.name} is confirmed.")
    every = f"Updates every {lasted(new.cadence)}." if new.cadence else "One update, at resolution."
    return Reply(f"{done.incident.name} is {new.name} now. {every}")
