"""What will be sent, before anybody approves it: filled in, scrubbed twice, checked for tone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.comms.templates import Library
from bot.comms.tone import ToneFinding, tone
from bot.domain.customer_template import Template
from bot.domain.errors import Refused
from bot.scrub import EMPTY_ALLOW_LIST, AllowList, Mode, refusal_text, removed_summary, scrub
from bot.scrub.findings import ScrubFinding


@dataclass(frozen=True)
class Prepared:
    """A text that may be stored and shown to approvers.

    findings: of each value (offsets within that value as it reads) and then of the whole text before its scrubbing.
    removed_sentence: "2 account ids removed", or empty. revision: of the template's file; empty for free text.
    """

    text: str
    findings: tuple[ScrubFinding, ...]
    tone: tuple[ToneFinding, ...]
    removed_sentence: str
    revision: str
    #: what was typed, scrubbed: the form opens with these again
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def tone_errors(self) -> tuple[ToneFinding, ...]:
        """The tone findings that a public text must not have."""
        return tuple(finding for finding in self.tone if finding.level == "error")


def mode_for(audience: str) -> Mode:
    """Colleagues may read more; everybody else gets the strict rules, unknown audiences too."""
    return Mode.INTERNAL if audience == "internal" else Mode.STRICT


def prepare(
    library: Library,
    name: str,
    audience: str,
    stage: str,
    values: Mapping[str, str],
    incident: Mapping[str, str],
    *,
    allow: AllowList = EMPTY_ALLOW_LIST,
) -> Prepared:
    """A template filled in, with every value and then the whole text scrubbed.

    Raises Refused when there is no such template, a value does not fit, or something in it must not be stored; field is
    the slot's name where there is one. The sentence never quotes a value.
    """
    template = _template(library, name, audience, stage)
    mode = mode_for(audience)
    labels = {slot.name: slot.label for slot in template.slots}
    kept = {  # before reading: a secret in the wrong field deserves the right sentence
        slot: _clean(typed, mode, labels.get(slot, "This field"), slot, allow)[0] for slot, typed in values.items()
    }
    findings: list[ScrubFinding] = []
    said: dict[str, str] = {}
    for slot, value in library.read(template, values).items():
        said[slot], found = _clean(value, mode, labels[slot], slot, allow)
        findings += found
    text, found = _clean(library.render(template, said, incident), mode, template.title, None, allow)
    return replace(_prepared(text, (*findings, *found), audience, template.revision), values=kept)


def _prepared(text: str, findings: tuple[ScrubFinding, ...], audience: str, revision: str) -> Prepared:
    heard = tone(text)
    if audience == "internal":  # colleagues may say SEV-1 and name the cache
        heard = tuple(finding for finding in heard if finding.level == "error")
    return Prepared(text, findings, heard, removed_summary(findings), revision)


def _clean(
    text: str, mode: Mode, label: str, field: str | None, allow: AllowList
) -> tuple[str, tuple[ScrubFinding, ...]]:
    scrubbed = scrub(text, mode, allow=allow)
    if scrubbed.blocked:
        raise Refused(refusal_text(scrubbed.findings, label), field=field)
    return scrubbed.text, scrubbed.findings


def _template(library: Library, name: str, audience: str, stage: str) -> Template:
    found = library.find(name, audience, stage)
    if found:
        return found[0]
    if name not in library.names():
        near = library.nearest(name)
        offer = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(library.names()) or 'none'}."
        raise Refused(f"There is no template of that name. {offer}")
    stages = library.stages(name, audience)
    if not stages:
        raise Refused(f"{name} has no text for that audience.")
    raise Refused(f"{name} has no text for that stage; it has {', '.join(stages)}.")
