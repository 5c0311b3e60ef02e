"""What people are answered when nothing can be recorded, and when what they did by hand is recorded afterwards.

Answers to one person, as templates: `{command}` is the slash command. What stands in a channel's messages is in
`words`, by the same rules.
"""

from __future__ import annotations

from bot.domain.sentences import Sentence

#: nowhere yet: the database is away
DATABASE_DOWN = (
    "The database cannot be reached, so nothing was recorded. Go on by hand: make a channel whose name begins with "
    "inc-, pin what matters there, and write times in UTC. When I am back, type `{command} backfill` in that channel: "
    "I record it then, with what is pinned."
)
#: in an incident's channel
DATABASE_DOWN_IN_INCIDENT = (
    "The database cannot be reached, so nothing was recorded. Go on here by hand and write times in UTC. When I am "
    "back, say it again; `{command} note at 13:40 UTC …` adds what happened meanwhile."
)
#: the answer of the database was lost
COMMIT_OUTCOME_UNKNOWN = (
    "The database went away while this was being recorded: it may stand there, or not. Before you do it again, look: "
    "`{command} status` in the channel, or `{command} list`, as soon as I am back."
)
#: it takes too long for Slack
STILL_RUNNING = (
    "This takes longer than Slack waits, and is not recorded yet. Please do not repeat it: I say here how it ends. "
    "If I say nothing, `{command} status` or `{command} list` shows whether it was recorded."
)

BACKFILL_DIRECT = (
    "A direct message cannot become an incident's channel: nobody else could be brought in. Make a channel whose name "
    "begins with inc-, pin there what matters, and type `{command} backfill` in it."
)
BACKFILL_ARCHIVED = (
    "This channel is archived. Unarchive it, type `{command} backfill` again, and archive it afterwards."
)
BACKFILL_SHARED_USE = (
    "This channel is used for more than one incident, so it cannot become one's own. Make a channel whose name begins "
    "with inc-, pin there what matters, and type `{command} backfill` in it."
)
BACKFILL_SLACK_CONNECT = (
    "This channel is shared with another organisation, and whatever I show in it they would read. Make a channel of "
    "your own, pin there what matters, and type `{command} backfill` in it."
)
BACKFILL_OUTSIDE = "You are not in that channel, so nothing was recorded. Ask somebody who is."
BACKFILL_SLACK_AWAY = "Slack did not tell about this channel in time. Nothing was recorded; please try again."
NO_TEXT = "(a message without text)"


def backfill_unreadable(code: str, bot: str) -> Sentence:
    """Slack does not let us read the channel; `code` is its word for why."""
    if code in ("channel_not_found", "not_in_channel"):
        return Sentence(
            "I cannot read this channel. Invite me, `/invite @{bot}`, and type `{command} backfill` again.", bot=bot
        )
    if code == "missing_scope":
        return Sentence(
            "This app may not read pinned messages here yet. An admin can install it anew with its current manifest."
        )
    return Sentence("Slack does not let me read this channel ({code}). Nothing was recorded.", code=code)


def backfilled_already(name: str) -> Sentence:
    return Sentence("This channel is {name}'s already. `{command} note at 13:40 UTC …` adds what happened.", name=name)


def backfilled(name: str, lines: int, left_out: int, topic: bool, open: bool) -> Sentence:
    """Recorded afterwards: what was taken over, what was not, and what comes next."""
    pinned = "1 pinned message" if lines == 1 else f"{lines} pinned messages"
    parts = [f"{name} is recorded, with {pinned}."]
    if left_out:
        some = "1 pinned message was" if left_out == 1 else f"{left_out} pinned messages were"
        parts.append(f"{some} left out for a secret in it: have that replaced, and delete the message.")
    if topic:
        parts.append("The channel's topic stays as it is.")
    parts.append("You lead it; the clocks run from now." if open else "`{command} postmortem` drafts the postmortem.")
    return Sentence(" ".join(parts))
