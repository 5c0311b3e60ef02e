"""Templates: what is read from files, what a body may do, what a blank takes, and the texts that ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.comms.templates import AUDIENCES, MAX_OUTPUT_CHARS, STAGES, Library, load
from bot.comms.tone import tone
from bot.domain.customer_template import Template
from bot.domain.errors import Refused
from bot.scrub import Mode, scrub
from tests.sentences import said

SHIPPED = Path(__file__).parents[2] / "comms_templates"
INCIDENT = {
    "ref": "INC-42",
    "title": "Withdrawals are stuck",
    "severity": "SEV-1",
    "status": "identified",
    "lead": "Ben",
}
SAMPLE = {
    "what": "bank payouts to Nigeria",
    "since": "13:40",
    "ended": "16:10 UTC",
    "moving_since": "15:05",
    "next_update": "14:32 utc",
    "count": "1240",
    "amount": "12400000 NGN",
    "todo": "You can see the state of each payment in the app.",
    "known": "The bank's gateway answers late since 13:38 UTC.",
    "cause": "The bank's gateway answers late.",
    "ask": "Send questions to the support desk.",
}
_HEAD = "---\ntitle: T\nslots:\n  - {name: what, label: What, kind: text}\n---\n"


def _write(root: Path, source: str, place: str = "customers/x/resolved.j2") -> Path:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return root


def _one(root: Path, source: str) -> tuple[Library, Template]:
    library = load(_write(root, source))
    assert library.problems == ()
    return library, library.templates[0]


@pytest.fixture(scope="module")
def shipped() -> Library:
    return load(SHIPPED)


def test_the_shipped_templates_are_all_there(shipped: Library) -> None:
    assert shipped.problems == ()
    assert shipped.names() == ["payment-delays"]
    for audience in AUDIENCES:
        assert shipped.stages("payment-delays", audience) == list(STAGES)


def _values(template: Template, full: bool) -> list[dict[str, str]]:
    """Every choice once, with all other blanks filled or only those that must be."""
    chosen = [slot for slot in template.slots if slot.kind == "choice"]
    rest = {s.name: SAMPLE[s.name] for s in template.slots if s not in chosen and (full or s.required)}
    least = {slot.name: slot.choices[0] for slot in chosen if slot.required}
    return [rest | least, *({**rest, **least, slot.name: choice} for slot in chosen for choice in slot.choices)]


@pytest.mark.parametrize("full", [pytest.param(True, id="all blanks"), pytest.param(False, id="as few as may be")])
@pytest.mark.parametrize("template", load(SHIPPED).templates, ids=lambda one: f"{one.audience}-{one.stage}")
def test_the_shipped_texts_pass_their_own_checks(shipped: Library, template: Template, full: bool) -> None:
    for values in _values(template, full):
        text = shipped.fill(template, values, INCIDENT)
        heard = tone(text)
        if template.audience == "internal":
            heard = tuple(finding for finding in heard if finding.level == "error")
        assert heard == ()
        assert scrub(text, Mode.STRICT).findings == ()
        assert "{" not in text
        assert "\n\n\n" not in text
        assert "bank payouts to Nigeria" in text
        assert "13:40 UTC" in text
        assert ("Next update: 14:32 UTC." in text) == (template.stage != "resolved")
        assert ("not send a payment again" in text or "not resend" in text) == (template.stage != "resolved")


def test_money_is_only_spoken_of_when_it_was_checked(shipped: Library) -> None:
    (template,) = shipped.find("payment-delays", "customers", "investigating")
    assert "lost" not in shipped.fill(template, {k: SAMPLE[k] for k in ("what", "since", "next_update")}, {})


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        pytest.param("Hello", "customers/x/resolved.j2:1: The file begins with", id="no front matter"),
        pytest.param("---\ntitle: T\n", "customers/x/resolved.j2:1: The front matter is not closed", id="not closed"),
        pytest.param("---\ntitle: [\n---\nx", "customers/x/resolved.j2:3: The front matter is not YAML.", id="no YAML"),
        pytest.param("---\n- a\n---\nx", "resolved.j2:2: The front matter has a title", id="no mapping"),
        pytest.param("---\ntitle: T\nslot: []\n---\nx", "resolved.j2:3: 'slot' is not known", id="an unknown key"),
        pytest.param("---\nslots: []\n---\nx", "resolved.j2:2: The title is missing.", id="no title"),
        pytest.param("---\ntitle: T\nslots: 3\n---\nx", "resolved.j2:3: Slots are a list.", id="slots are no list"),
        pytest.param(
            "---\ntitle: T\nslots:\n  - {name: a, label: A, kind: text}\n  - {name: b, label: B, kind: date}\n---\nx",
            "resolved.j2:5: The kind is one of: count, share",
            id="an unknown kind",
        ),
        pytest.param(
            "---\ntitle: T\nslots:\n  - {name: a}\n---\nx", "resolved.j2:4: A slot has a name", id="half a slot"
        ),
        pytest.param(
            "---\ntitle: T\nslots:\n  - {name: a, label: A, kind: choice, choices: [x]}\n---\nx",
            "resolved.j2:4: A choice needs two",
            id="no choice",
        ),
        pytest.param(
            _HEAD.replace("\n---\nslots", "") + "{{ who }}",
            "resolved.j2:6: 'who' is not among the slots.",
            id="no such slot",
        ),
        pytest.param(_HEAD + "a\n{{ what", "resolved.j2:7: The text is not a template", id="a brace left open"),
        pytest.param(_HEAD, "resolved.j2:6: There is no text.", id="no text"),
        pytest.param(
            _HEAD + "{{ incident.title }}", "The incident has no 'title' here; it has: ref.", id="title in public"
        ),
        pytest.param(_HEAD + "{{ what.__class__ }}", "Only the incident has fields.", id="a way into Python"),
        pytest.param(_HEAD + "{{ what() }}", "'Call' is more.", id="a call"),
        pytest.param(_HEAD + "{{ what * 9999999 }}", "'Mul' is more.", id="multiplication"),
        pytest.param(_HEAD + "{{ 9 ** 9 }}", "'Pow' is more.", id="power"),
        pytest.param(_HEAD + "{{ '%9999s' % what }}", "'Mod' is more.", id="formatting"),
        pytest.param(_HEAD + "{% for x in what %}{{ x }}{% endfor %}", "'For' is more.", id="a loop"),
        pytest.param(_HEAD + "{% set a = 1 %}", "'Assign' is more.", id="an assignment"),
        pytest.param(_HEAD + "{% include 'x' %}", "'Include' is more.", id="another file"),
        pytest.param(_HEAD + "{{ what|attr('x') }}", "The filter 'attr' is not offered", id="a dangerous filter"),
        pytest.param(_HEAD + "{{ lipsum }}", "'lipsum' is not among the slots.", id="a global"),
        pytest.param(_HEAD + "x" * 20_001, "resolved.j2:1: The file is larger than 20,000 bytes.", id="too large"),
    ],
)
def test_a_malformed_file_is_a_problem_and_the_others_serve(tmp_path: Path, source: str, problem: str) -> None:
    _write(tmp_path, _HEAD + "Good: {{ what }}", "internal/y/resolved.j2")
    library = load(_write(tmp_path, source))
    assert len(library.problems) == 1
    assert problem in library.problems[0]
    assert library.names() == ["y"]


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("everybody/x/resolved.j2", id="an unknown audience"),
        pytest.param("customers/x/fixed.j2", id="an unknown stage"),
        pytest.param("customers/resolved.j2", id="a folder too few"),
    ],
)
def test_a_file_in_the_wrong_place_is_a_problem(tmp_path: Path, place: str) -> None:
    library = load(_write(tmp_path, _HEAD + "x", place))
    assert library.templates == ()
    assert library.problems[0].startswith(f"{place}:1: ")


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    assert load(tmp_path / "none").problems == ("none:1: There is no such folder.",)


def _slot(kind: str, more: str = "") -> str:
    return f"---\ntitle: T\nslots:\n  - {{name: a, label: The blank, kind: {kind}{more}}}\n---\n[{{{{ a }}}}]"


@pytest.mark.parametrize(
    ("kind", "typed", "said"),
    [
        pytest.param("count", "1240", "1,240", id="count"),
        pytest.param("count", "1,240", "1,240", id="count, grouped"),
        pytest.param("share", "12.5 %", "12.5%", id="share"),
        pytest.param("money", "ngn 1200000.50", "NGN 1,200,000.50", id="money, currency first"),
        pytest.param("money", "1,200 USDC", "USDC 1,200", id="money, currency last"),
        pytest.param("time", "9:05", "09:05 UTC", id="time"),
        pytest.param("time", "23:59 utc", "23:59 UTC", id="time with its zone"),
        pytest.param("state", "Partial outage", "partial outage", id="state"),
        pytest.param("region", "Nigeria and Côte d'Ivoire", "Nigeria and Côte d'Ivoire", id="region"),
        pytest.param("url", "https://status.example.com/a", "https://status.example.com/a", id="address"),
        pytest.param("incident", "inc-42", "INC-42", id="incident"),
        pytest.param("text", "  two\n lines ", "two lines", id="text on one line"),
        pytest.param("text", "{{ 7 * 7 }} {% raw %}", "{{ 7 * 7 }} {% raw %}", id="values are no templates"),
    ],
)
def test_what_a_blank_takes(tmp_path: Path, kind: str, typed: str, said: str) -> None:
    library, template = _one(tmp_path, _slot(kind))
    assert library.fill(template, {"a": typed}, {}) == f"[{said}]"


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        pytest.param("count", "about 12", id="count with words"),
        pytest.param("count", "-3", id="negative count"),
        pytest.param("share", "120%", id="more than all"),
        pytest.param("money", "1200", id="money without currency"),
        pytest.param("money", "USD 12 EUR", id="money with two"),
        pytest.param("time", "24:10", id="no such hour"),
        pytest.param("time", "14:32 CET", id="another zone"),
        pytest.param("time", "2pm", id="no clock"),
        pytest.param("state", "broken", id="no such state"),
        pytest.param("region", "account 12345678", id="region with digits"),
        pytest.param("url", "http://status.example.com", id="not https"),
        pytest.param("url", "https://user:secret@example.com", id="address with a password"),
        pytest.param("url", "javascript:alert(1)", id="a script"),
        pytest.param("incident", "41", id="half a reference"),
        pytest.param("text", "", id="missing"),
        pytest.param("text", "   ", id="only blanks"),
        pytest.param("text", "x" * 281, id="too long"),
        pytest.param("text", "a\x00b", id="a control character"),
    ],
)
def test_what_a_blank_refuses(tmp_path: Path, kind: str, typed: str) -> None:
    library, template = _one(tmp_path, _slot(kind))
    with pytest.raises(Refused) as refused:
        library.fill(template, {"a": typed}, {})
    assert refused.value.field == "a"
    assert said(refused.value).startswith("The blank ")
    assert not typed.strip() or typed not in said(refused.value)


def test_choices(tmp_path: Path) -> None:
    library, template = _one(tmp_path, _slot("choice", ", choices: [held, sent]"))
    assert library.fill(template, {"a": "sent"}, {}) == "[sent]"
    with pytest.raises(Refused, match="The blank is one of: held; sent"):
        library.fill(template, {"a": "lost"}, {})


def test_optional_blanks_are_empty(tmp_path: Path) -> None:
    library, template = _one(tmp_path, _slot("count", ", required: false"))
    assert library.fill(template, {}, {}) == "[]"


def test_unknown_values_and_missing_fields_are_refused(tmp_path: Path) -> None:
    library, template = _one(tmp_path, _HEAD + "{{ incident.ref }} {{ what }}")
    with pytest.raises(Refused) as refused:
        library.fill(template, {"what": "x", "other": "y"}, {"ref": "INC-1"})
    assert refused.value.field == "other"
    with pytest.raises(Refused, match="could not be filled in"):
        library.fill(template, {"what": "x"}, {})


def test_the_text_is_capped(tmp_path: Path) -> None:
    head = "---\ntitle: T\nslots:\n  - {name: a, label: A, kind: text, max_length: 1000}\n---\n"
    library, template = _one(tmp_path, head + "{{ a }}" * 60)
    with pytest.raises(Refused, match=f"{MAX_OUTPUT_CHARS:,}"):
        library.fill(template, {"a": "x" * 1000}, {})


def test_revisions_name_the_content(tmp_path: Path) -> None:
    _, first = _one(tmp_path, _HEAD + "One {{ what }}")
    _, same = _one(tmp_path, _HEAD + "One {{ what }}")
    _, other = _one(tmp_path, _HEAD + "Two {{ what }}")
    assert first.revision == same.revision != other.revision


@pytest.mark.parametrize(
    ("word", "names"),
    [
        pytest.param("payment-delay", ["payment-delays"], id="a letter missing"),
        pytest.param("Payment", ["payment-delays"], id="its beginning"),
        pytest.param("paymnet-delays", ["payment-delays"], id="letters swapped"),
        pytest.param("zebra", [], id="nothing like it"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_nearest_names(shipped: Library, word: str, names: list[str]) -> None:
    assert shipped.nearest(word) == names
