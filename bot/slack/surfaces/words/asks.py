"""The sentences of what needs a second person: requests, go-aheads, reviews, and how each of them ended."""

from __future__ import annotations

from bot.slack.surfaces.text import with_full_stop


def ask(to: str, asker: str, action: str) -> str:
    return f"{to}: *{asker} asks: {action}*"


def ask_direct(name: str, asker: str, action: str) -> str:
    return f"{name}: *{asker} asks you to agree: {action}*"


def ask_wait(whos: str, pause: str) -> str:
    return f"Money that is held is safe. Wait. Nobody here may agree; I ask {whos} directly, one by one, {pause} apart."


def ask_facts(count: str, amount: str, step: str, runbook: str, lapses: str) -> str:
    parts = [*([f"Count: {count}"] if count else []), *([f"Sum: {amount}"] if amount else [])]
    return " · ".join([*parts, f"Step {step} of {runbook}", f"Expires {lapses}"])


def ask_over(asker: str, action: str, became: str) -> str:
    return f"{asker} asked: {action} {became}"


def ask_outcome(state: str, second: str, when: str) -> str:
    known = {
        "go": f"Go-ahead from {second}, {when}.",
        "done": f"Go-ahead from {second}; done {when}.",
        "not_done": f"Not done, {when}.",
        "refused": f"Refused by {second}, {when}.",
        "lapsed": f"Expired {when}.",
    }
    return known[state]


def go_given(asker: str, second: str, when: str, until: str, action: str) -> str:
    return f"{asker}: go-ahead from {second}, {when}. Do it before {until}: {action}"


def ask_refused(asker: str, second: str, action: str, reason: str) -> str:
    return f"{asker}: {second} refused: {with_full_stop(reason)} Not to be done: {action}"


def ask_expired(asker: str, when: str, action: str) -> str:
    return f"{asker}: nobody agreed before {when}, so it is not to be done: {action} Ask again if it is still needed."


def go_expired(asker: str, when: str, action: str, command: str, step: str) -> str:
    return (
        f"{asker}: the go-ahead expired {when} and nothing is recorded as done: {action} "
        f"Not done: ask again. Done already: `{command} step {step} alone` and why."
    )


def review(to: str, who: str, action: str, when: str, by: str, alone: bool) -> str:
    what = "did alone what needs two people" if alone else "did this alone, as one person may"
    return f"{to}: {who} {what}, {when}: {action} Look at it before {by}."


def reviewed(who: str, action: str, done_by: str) -> str:
    return f"Reviewed by {who}: {action} Done by {done_by}."


def review_late(to: str, who: str, action: str, due: str) -> str:
    return f"{to}: nobody has looked yet at what {who} did. It was due {due}: {action}"


def override(to: str, who: str, name: str, reason: str) -> str:
    return f"{to}: {who} asks to resolve {name} although conditions are open: {with_full_stop(reason)}"


def override_wait(who: str) -> str:
    return f"It takes one of you, not {who}. Until then it stays as it is."


def override_ended(to: str, name: str, because: str, command: str) -> str:
    return f"{to}: your request to resolve {name} was not agreed to, because {because}. Ask again: `{command} resolve`."


def ask_ended(to: str, action: str, because: str) -> str:
    what = f" {action}" if action else ""
    return f"{to}: your request for a second person has ended, because {because}. This is not to be done now:{what}"


def draft_ended(to: str, because: str, command: str) -> str:
    return f"{to}: your text for customers was not sent, because {because}. Write the next one: `{command} comms`."


def offer_ended(to: str, role: str, because: str, command: str, word: str) -> str:
    return f"{to}: the hand-over of {role} was not answered, because {because}. Ask again: `{command} {word} @who`."
