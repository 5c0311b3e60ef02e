"""The words that forms share: what is chosen, and what can be done to a step."""

from __future__ import annotations

DO_IT = "Do it"
CHOOSE = "Choose"
CHOOSE_PERSON = "Choose a person"
TIME_HINT = "Such as 13:40 UTC, or 20 min ago"
NOTHING_TO_CHOOSE = "There is nothing to choose from here. Nothing was done."
YES = "Yes"
NO = "No"

#: what can be done to a step, as its form names it
STEP_ACTS = {
    "done": "It is done", "undo": "It is not done after all", "skip": "Leave it out", "note": "Add a note",
    "ask": "Ask a second person", "go": "Give the go", "refuse": "Refuse", "not-done": "Take the request back",
    "review": "I reviewed it", "correct": "Correct the record", "alone": "It was done alone",
}  # fmt: skip
