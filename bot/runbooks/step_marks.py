"""The marks at the end of a step: `{two-people: before}` and `{probe: horizon backup}`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.runbook import TwoPeople

MAX_TARGET_CHARS = 200


@dataclass(frozen=True)
class Marks:
    """What a step's marks say; the defaults are those of a step without any."""

    two_people: TwoPeople | None = None
    probe: str | None = None
    target: str = ""


def split(tail: str) -> tuple[str, tuple[str, ...]]:
    """The text before the marks, and what stands in each pair of braces, in order."""
    found: list[str] = []
    text = tail.rstrip()
    while text.endswith("}") and "{" in text:
        start = text.rindex("{")
        found.insert(0, text[start + 1 : -1])
        text = text[:start].rstrip()
    return text, tuple(found)


def read(marks: tuple[str, ...], known_probes: frozenset[str]) -> tuple[Marks, list[str]]:
    """The marks' meaning, and a sentence for each that has none."""
    result, wrong = Marks(), []
    seen: set[str] = set()
    for mark in marks:
        name, colon, value = (part.strip() for part in mark.partition(":"))
        if name in seen:
            wrong.append(f"The mark “{name}” stands here twice.")
            continue
        seen.add(name)
        match name, colon:
            case "two-people", ":":
                if value not in tuple(TwoPeople):
                    wrong.append("“two-people” is either before (it cannot be taken back) or after (stopping).")
                    continue
                result = replace(result, two_people=TwoPeople(value))
            case "probe", ":":
                probe, _, target = value.partition(" ")
                if probe not in known_probes:
                    known = ", ".join(sorted(known_probes)) or "none"
                    wrong.append(f"There is no probe “{probe[:40]}”. Known are: {known}.")
                    continue
                if len(target) > MAX_TARGET_CHARS:
                    wrong.append(f"A probe's target has at most {MAX_TARGET_CHARS} characters.")
                    continue
                result = replace(result, probe=probe, target=" ".join(target.split()))
            case _:
                wrong.append(
                    f"The mark “{{{mark[:40]}}}” is not known. Known are {{two-people: before}}, "
                    "{two-people: after} and {probe: name}; put other braces in `code`."
                )
    return result, wrong


def misplaced(text: str) -> bool:
    """Whether a mark stands inside the sentence, where nobody would read it."""
    packed = text.replace(" ", "").lower()
    return "{two-people" in packed or "{two_people" in packed or "{probe" in packed
