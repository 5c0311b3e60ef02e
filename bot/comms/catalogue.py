"""The templates as conversations use them: names, forms, and a text ready to be kept or a refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.comms.preview import prepare
from bot.comms.templates import Library, load
from bot.domain.customer_template import Template
from bot.domain.errors import Refused
from bot.scrub import find_secrets, refusal_text

__all__ = ["Library", "CheckedText", "TemplateCatalogue", "load", "secret_in"]


@dataclass(frozen=True)
class CheckedText:
    """A customer text that passed the scrubber. Findings are kinds and rules, never values."""

    text: str
    removed: str
    findings: tuple[str, ...]
    tone: tuple[str, ...]
    #: the form's answers, scrubbed
    values: Mapping[str, str]


class TemplateCatalogue:
    """What a library offers. Methods raise Refused, with the slot in question where there is one."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def names(self) -> Sequence[str]:
        """All templates' names."""
        return self._library.names()

    def close_matches(self, word: str) -> list[str]:
        """Names like the word."""
        return self._library.nearest(word)

    def audiences(self, name: str) -> Sequence[str]:
        """For whom a template has texts."""
        return tuple(dict.fromkeys(one.audience for one in self._library.find(name)))

    def stages(self, name: str, audience: str) -> Sequence[str]:
        """The stages for which it has texts."""
        return self._library.stages(name, audience)

    def template(self, name: str, audience: str, stage: str) -> Template:
        """One template; Refused where there is none."""
        found = self._library.find(name, audience, stage)
        if not found:
            raise Refused(f"{name} has no text for {audience} at the stage {stage}.")
        return found[0]

    def prepare(self, template: Template, values: Mapping[str, str], incident: Mapping[str, str]) -> CheckedText:
        """Filled in, scrubbed, checked for tone; words that a public text may not hold are refused with the reason."""
        prepared = prepare(self._library, template.name, template.audience, template.stage, values, incident)
        if prepared.tone_errors and template.audience != "internal":
            said = "; ".join(f"“{one.words}”: {one.why}" for one in prepared.tone_errors[:3])
            raise Refused(f"The text cannot go out like this. {said}")
        return CheckedText(
            prepared.text,
            prepared.removed_sentence,
            tuple(f"{one.kind} ({one.rule})" for one in prepared.findings),
            tuple(f"{one.words}: {one.why}" for one in prepared.tone),
            prepared.values,
        )


def secret_in(text: str, where: str) -> tuple[str, str]:
    """(kind, what its author is told) where the text holds a secret or a card number; else empty strings."""
    found = find_secrets(text)
    return (found[0].kind, refusal_text(found, where.capitalize())) if found else ("", "")
