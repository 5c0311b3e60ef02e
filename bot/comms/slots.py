"""What may stand in a template's blanks: one reader per kind, from what a person typed to how it reads.

count 1240 -> 1,240   share 12 -> 12%   money ngn 1200000 -> NGN 1,200,000   time 9:05 -> 09:05 UTC
state, region, url, choice, text and incident as they are
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.domain.customer_template import Slot
from bot.domain.errors import Refused

STATES: tuple[str, ...] = (
    "operational",
    "degraded performance",
    "partial outage",
    "major outage",
    "under maintenance",
)
_NUMBER = r"\d{1,3}(?:,\d{3}){1,3}|\d{1,12}"
_MONEY = re.compile(
    rf"(?P<before>[A-Za-z]{{3,5}})? ?(?P<sum>(?:{_NUMBER})(?:\.\d{{1,7}})?) ?(?P<after>[A-Za-z]{{3,5}})?"
)
_REGION = re.compile(r"[^\W\d_][^\W\d_ ,&()'’./>→-]{0,1}[^\d_\n<>|*~`@:;!?\"\\{}\[\]%$#=+]{0,78}")
_URL = re.compile(
    r"https://(?:[a-z0-9](?:[a-z0-9-]{0,62})\.){1,6}[a-z]{2,24}(?:/[A-Za-z0-9._~/#-]{0,150})?", re.IGNORECASE
)


def read(slot: Slot, value: str) -> str:
    """The value as it will read in the text; "" for an optional slot left empty.

    Raises Refused with field = the slot's name; the sentence never quotes the value.
    """
    typed = " ".join(value.split())
    if not typed:
        if slot.required:
            raise Refused(f"{slot.label} is missing. {_EXAMPLE[slot.kind]}", field=slot.name)
        return ""
    if not typed.isprintable():
        raise Refused(f"{slot.label} contains characters that cannot be shown. Type it anew.", field=slot.name)
    said = KINDS[slot.kind](slot, typed)
    if said is None:
        raise Refused(f"{slot.label} does not read as {_NOUN[slot.kind]}. {_EXAMPLE[slot.kind]}", field=slot.name)
    return said


def _count(_: Slot, typed: str) -> str | None:
    return f"{int(typed.replace(',', '')):,}" if re.fullmatch(_NUMBER, typed) else None


def _share(_: Slot, typed: str) -> str | None:
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,2})?) ?%?", typed)
    return f"{match.group(1)}%" if match and float(match.group(1)) <= 100 else None


def _money(_: Slot, typed: str) -> str | None:
    match = _MONEY.fullmatch(typed)
    if not match or bool(match["before"]) == bool(match["after"]):
        return None
    whole, _dot, fraction = match["sum"].replace(",", "").partition(".")
    return f"{(match['before'] or match['after']).upper()} {int(whole):,}{'.' + fraction if fraction else ''}"


def _time(_: Slot, typed: str) -> str | None:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?: ?UTC)?", typed, re.IGNORECASE)
    return f"{int(match[1]):02}:{match[2]} UTC" if match else None


def _state(slot: Slot, typed: str) -> str | None:
    return typed.lower() if typed.lower() in (slot.choices or STATES) else None


def _region(_: Slot, typed: str) -> str | None:
    return typed if _REGION.fullmatch(typed) else None


def _url(_: Slot, typed: str) -> str | None:
    return typed if _URL.fullmatch(typed) else None


def _choice(slot: Slot, typed: str) -> str | None:
    if typed in slot.choices:
        return typed
    raise Refused(f"{slot.label} is one of: {'; '.join(slot.choices)}.", field=slot.name)


def _text(slot: Slot, typed: str) -> str | None:
    if len(typed) > slot.max_length:
        over = len(typed) - slot.max_length
        raise Refused(f"{slot.label} is {over} characters too long; {slot.max_length} fit.", field=slot.name)
    return typed


def _incident(_: Slot, typed: str) -> str | None:
    return typed.upper() if re.fullmatch(r"INC-\d{1,6}", typed, re.IGNORECASE) else None


KINDS: dict[str, Callable[[Slot, str], str | None]] = {
    "count": _count,
    "share": _share,
    "money": _money,
    "time": _time,
    "state": _state,
    "region": _region,
    "url": _url,
    "choice": _choice,
    "text": _text,
    "incident": _incident,
}
_NOUN = {
    "count": "a whole number",
    "share": "a share",
    "money": "a sum with its currency",
    "time": "a time of day in UTC",
    "state": "one of the states",
    "region": "a country or region",
    "url": "a public https address",
    "choice": "one of the choices",
    "text": "a text",
    "incident": "an incident",
}
_EXAMPLE = {
    "count": "Like this: 1,240.",
    "share": "Like this: 12%.",
    "money": "Like this: NGN 1,200,000.",
    "time": "Like this: 14:32 UTC.",
    "state": f"One of: {', '.join(STATES)}.",
    "region": "Like this: Nigeria and Kenya.",
    "url": "Like this: https://status.example.com.",
    "choice": "Choose one.",
    "text": "Write one or two sentences.",
    "incident": "Like this: INC-42.",
}
