"""The sentences of a runbook, its sections and its steps."""

from __future__ import annotations

from bot.slack.surfaces.text import with_full_stop
from bot.slack.surfaces.words.labels import OPEN_LIST


def runbook(title: str, done: int, of: int, phase: str) -> str:
    return f"*Runbook {title}* · {done} of {of}" + (f" · {phase}" if phase else "")


def revision(name: str, reviewed: str, owner: str) -> str:
    parts = [f"revision {name}", f"last review {reviewed or 'never'}", *([f"owner {owner}"] if owner else [])]
    return " · ".join(parts)


NO_STEPS = "This runbook has no steps: read it in the thread."
ALL_DONE = "All steps are done or skipped."


def next_step(id: str, text: str) -> str:
    return f"*Next, {id}:* {text}"


def steps_in_thread(lead: str) -> str:
    return f"{lead}: the steps are in this thread."


def section_title(number: int, title: str, done: int, of: int) -> str:
    return f"*{number}. {title}*" + (f" · {done} of {of}" if of else "")


def section_folded(number: int, title: str, of: int, when: str) -> str:
    return f"Complete: {number}. {title}, {of} of {of}, {when}."


def more_steps(count: int) -> str:
    return f"{count} more steps do not fit here: [{OPEN_LIST}] shows them."


NEEDS_SECOND = "Needs a second person before it is done."
REVIEW_AFTER = "Do it now; a second person looks at it afterwards."


def by_at(who: str, when: str) -> str:
    return f"{who}, {when}"


def skipped(who: str, when: str, reason: str) -> str:
    return f"Skipped by {who}, {when}: {reason}"


def asks_since(who: str, when: str, to: str) -> str:
    return f"{who} asked {when}; {to or 'somebody else'} can agree."


def go_line(second: str, when: str, asker: str, until: str) -> str:
    return f"Go-ahead from {second} {when}; {asker} does it before {until}."


def done_with(times: int, when: str, who: str, second: str, result: str) -> str:
    count = "once" if times == 1 else f"{times} times, last"
    what = f": {with_full_stop(result)}" if result else "."
    return f"Done {count}, {when} by {who} with {second}{what} Asking again may pay twice."


def stopped(who: str, when: str, reviewed: str, alone: bool) -> str:
    how = " alone" if alone else ""
    return f"Done {when} by {who}{how}; {f'reviewed by {reviewed}' if reviewed else 'not yet reviewed'}."


DONE_DESPITE = "It is done all the same"


def step_reading(probe: str, state: str, sentence: str, when: str) -> str:
    return f"{probe} reads *{state}*, {when}: {sentence}"


def noted(text: str) -> str:
    return f"Note: {text}"
