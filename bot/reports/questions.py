"""The sections of a postmortem that only people can fill, with the questions that help them begin."""

from __future__ import annotations

from collections.abc import Iterator

#: what only people know: heading -> questions. Roles instead of names: causes are in systems, not in people.
QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "What happened and why",
        (
            "Write about systems, signals and decisions; where a person matters, name the role.",
            "**Trigger.** What changed or arrived right before it began?",
            "**Underlying condition.** What had been so for longer, and made the trigger harmful?",
            "**Five whys.** Begin with what customers saw. Why was that so? Ask why of each answer, five times or "
            "until the answer is something that can be changed; follow more than one branch where there is one.",
        ),
    ),
    (
        "How it was found",
        (
            "Who or what noticed first: an alert, a colleague, a customer?",
            "**Why not sooner?** Which signal was there before, and why did it reach nobody?",
        ),
    ),
    (
        "How it was handled",
        (
            "**What went well?** What should be done the same way again?",
            "**What made it harder?** Which tool, access, knowledge or step of the runbook was missing or wrong?",
            "**Where was luck involved?** What would have made it worse?",
        ),
    ),
)


def question_blocks() -> Iterator[str]:
    """The headings and their questions, a block of Markdown each."""
    for title, asked in QUESTIONS:
        yield f"## {title}"
        yield from asked
