"""The few things that can be refused, each carrying the sentence for the person who asked."""

from __future__ import annotations


class Refused(Exception):
    """Nothing was done. The message says what was not done, why, and what would work."""

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        #: the form field the sentence belongs to, where there is a form
        self.field = field


class NewerThanThisProgram(Refused):
    """The incident holds an event of a type that this version does not know."""


class InvalidPayload(Exception):
    """What somebody sent is not what it should be. The message is our own words alone, and goes back to them."""


class StoreUnavailable(Exception):
    """The database cannot be reached or written: nothing is recorded."""


class CommitOutcomeUnknown(StoreUnavailable):
    """The database went away at the commit: it is recorded, or it is not."""


class Conflict(Exception):
    """Somebody else wrote the same place first: look again and decide anew."""


class LeaseLost(Exception):
    """Another process attends this incident by now: nothing more is done about it here."""
