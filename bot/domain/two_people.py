"""Two people are two people: who may be one of them, and whom a sentence names as the other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.actor import Actor, Kind, program
from bot.domain.errors import Refused
from bot.domain.incident import Ask, Mark, StepState
from bot.domain.times import clock_time


def person(by: Actor) -> None:
    """Raise Refused unless `by` is somebody whom Slack knows as a person.

    A shell's user name cannot be matched with a Slack account, so the same human could be both
    `cli:ana` and <@ANA>: the command line takes neither part.
    """
    if by.kind is Kind.CLI or by.user.startswith("cli:"):
        raise Refused(
            "The command line cannot take part where two people are needed, so nothing was done. "
            "Do it in Slack, under your own name."
        )
    if by.kind in (Kind.SELF, Kind.BOT, Kind.ALERT) or not by.user or program(by.user):
        raise Refused("A bot cannot be one of two people, so nothing was done. A person has to do it, in Slack.")


def others(people: Iterable[str], by: str) -> tuple[str, ...]:
    """Those people, once each and in order, without `by`."""
    return tuple(dict.fromkeys(user for user in people if user and user != by))


def either(people: Iterable[str]) -> str:
    """ "<@A>, <@B> or <@C>"; empty when there is nobody."""
    mentions = [f"<@{user}>" for user in people]
    if len(mentions) < 2:
        return "".join(mentions)
    return f"{', '.join(mentions[:-1])} or {mentions[-1]}"


def somebody_else(why: str, what: str, people: Iterable[str], by: str) -> Refused:
    """ "You asked for this, so somebody else has to agree: <@B> or <@C> are in this channel." """
    rest = others(people, by)
    if not rest:
        return Refused(f"{why}, so somebody else has to {what}. Invite one: `/incident add @name`.")
    verb = "is" if len(rest) == 1 else "are"
    return Refused(f"{why}, so somebody else has to {what}: {either(rest)} {verb} in this channel.")


def pending(ask: Ask, viewer: str, at: datetime) -> str:
    """What an open ask waits for, told to `viewer`."""
    who = "You have" if ask.asked.by == viewer else f"<@{ask.asked.by}> has"
    if ask.state == "go":
        ends = clock_time(ask.until, at) if ask.until else "it lapses"
        do = "Do it, then press [Done]" if ask.asked.by == viewer else f"<@{ask.asked.by}> does it"
        return f"{who} the go of <@{ask.second}>. {do} before {ends}."
    to = either(others(ask.asked.to, ask.asked.by))
    return f"{who} asked for this and nobody has agreed yet. {to} can, until {clock_time(ask.asked.lapses, at)}."


def done_once(state: StepState, at: datetime) -> str:
    """ "Done once, 14:13 UTC by <@A> with <@B>, hash …. Asking again may pay twice." The latest time it was done."""
    if state.done_with and state.mark is not Mark.REVIEW:
        when, by, second, result = state.done_with[-1]
        times = "once" if len(state.done_with) == 1 else f"{len(state.done_with)} times, last"
        said = result.rstrip(" .")
        return f"Done {times}, {clock_time(when, at)} by <@{by}> with <@{second}>, {said}. Asking again may pay twice."
    if state.alone and state.mark not in (Mark.DONE, Mark.REVIEW):
        return f"Done alone before; reviewed by <@{state.reviewed_by}>. Asking again may pay twice."
    if state.alone:
        reviewed = f"reviewed by <@{state.reviewed_by}>" if state.mark is not Mark.REVIEW else "not yet reviewed"
        return f"Done {clock_time(state.at or at, at)} by <@{state.by}> alone; {reviewed}. Asking again may pay twice."
    return stopped_already(state, at)


def stopped_already(state: StepState, at: datetime) -> str:
    """ "Stopped 02:19 UTC by <@A>; not yet reviewed." """
    reviewed = "not yet reviewed" if state.mark is Mark.REVIEW else f"reviewed by <@{state.reviewed_by}>"
    return f"Stopped {clock_time(state.at or at, at)} by <@{state.by}>; {reviewed}."


def done_before(state: StepState) -> bool:
    """Whether the act was done at some time, however the step is marked now."""
    return bool(state.done_with) or state.alone
