"""The few things that can be refused, each carrying the sentence for the person who asked."""

from __future__ import annotations

from bot.domain.sentences import Fact, Sentence


class Refused(Exception):
    """Nothing was done. The sentence says what was not done, why, and what would work."""

    def __init__(self, sentence: str | Sentence, *, field: str | None = None, **facts: Fact) -> None:
        self.sentence = sentence if isinstance(sentence, Sentence) else Sentence(sentence, **facts)
        super().__init__(self.sentence)
        #: the form field the sentence belongs to, where there is a form
        self.field = field

    def __str__(self) -> str:
        return str(self.sentence)


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
