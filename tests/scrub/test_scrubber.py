"""What scrubbing promises whatever the text: it settles, it points at the right characters, it fails closed."""

from __future__ import annotations

import re
import re._constants as constants  # the only way to look into a pattern
import re._parser as parser
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stellar_sdk import Keypair

from bot.comms import slots, tone
from bot.scrub import (
    MAX_INPUT_CHARS,
    AllowList,
    Mode,
    checksums,
    detectors,
    find_secrets,
    finders,
    refusal_text,
    removed_summary,
    safe_numbers,
    scrub,
    scrubber,
    text_views,
)
from bot.scrub.detectors import DETECTORS
from bot.scrub.findings import ScrubAction, ScrubFinding

_SEED = Keypair.from_raw_ed25519_seed(bytes(range(32)))
_FRAGMENTS = [
    "jane@example.com", "+44 20 7946 0958", "account 12345678", "GB29 NWBK 6016 1331 9268 19", "20-11-26",
    "customer", "the", "a", "an account id", "1,240 payments", "14:32 UTC", "2026-11-20", "USD 12,400.50", "INC-42",
    "\n> ", ". ", "@", "*", "_", "`", "<", ">", "|", "&#64;", "%40", "\u200b", "…", "...", "at", " dot com", "12",
    "345", "-", ":", "=", "/", "https://x.example/", "password",
    "memo", _SEED.public_key, _SEED.public_key[:30], "4111 1111",
    "0x", "card ending in", "bmFtZUBleGFtcGxlLmNvbSBpcyBpdA==", "٣٤٥", "ﷺ", "Mr", "Smith", "10.0.0.1", "#", "id",
]  # fmt: skip
_TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(_FRAGMENTS), max_size=14).map("".join),
    st.lists(st.sampled_from(_FRAGMENTS), max_size=14).map(" ".join),
)


@settings(max_examples=300, deadline=None)
@given(_TEXTS, st.sampled_from(list(Mode)))
def test_scrubbing_twice_changes_nothing(text: str, mode: Mode) -> None:
    once = scrub(text, mode)
    again = scrub(once.text, mode)
    assert again.text == once.text
    assert not [finding for finding in again.findings if finding.action is not ScrubAction.HOLD]


@settings(max_examples=300, deadline=None)
@given(_TEXTS, st.sampled_from(list(Mode)))
def test_findings_are_in_order_and_inside_the_text(text: str, mode: Mode) -> None:
    done = scrub(text, mode)
    edges = [edge for finding in done.findings for edge in (finding.start, finding.end)]
    assert edges == sorted(edges)
    assert all(0 <= finding.start < finding.end <= len(text) for finding in done.findings)
    assert not [finding for finding in done.findings if finding.rule == "scrubber-failed"]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_a_planted_seed_is_always_found(before: str, after: str) -> None:
    done = scrub(f"{before} {_SEED.secret} {after}", Mode.INTERNAL)
    assert done.text == ""
    assert done.blocked
    assert _SEED.secret not in repr(done)
    assert find_secrets(f"{before} {_SEED.secret} {after}")


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
def test_views_point_back_at_their_characters(text: str) -> None:
    for view in text_views.views(text):
        assert len(view.starts) == len(view.ends) == len(view.text)
        assert all(0 <= start < end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))
        assert all(a <= b for a, b in zip(view.starts, view.starts[1:], strict=False))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("write to jane@example.com now", "jane@example.com", id="plain"),
        pytest.param(
            "write to j\u200bane@exa\u00admple.com now", "j\u200bane@exa\u00admple.com", id="invisible characters"
        ),
        pytest.param("write to jane&#64;example.com now", "jane&#64;example.com", id="an entity"),
        pytest.param("write to jane%40example.com now", "jane%40example.com", id="percent encoding"),
        pytest.param("write to ｊａｎｅ@example.com now", "ｊａｎｅ@example.com", id="full width"),
        pytest.param(
            "write to d3JpdGUgdG8gYm9iQGV4YW1wbGUuY29t now",
            "d3JpdGUgdG8gYm9iQGV4YW1wbGUuY29t",
            id="the whole base64 token",
        ),
    ],
)
def test_offsets_are_of_the_original(text: str, value: str) -> None:
    (finding,) = scrub(text, Mode.STRICT).findings
    assert text[finding.start : finding.end] == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param("a" * (MAX_INPUT_CHARS + 1), "too-long", id="too long to be read"),
        pytest.param("\ufdfa" * 10_000, "scrubber-failed", id="short, but unfolds to eighteen times its length"),
    ],
)
def test_fails_closed(text: str, rule: str) -> None:
    done = scrub(text, Mode.INTERNAL)
    assert done.text == ""
    assert [finding.rule for finding in done.blocked] == [rule]
    assert [finding.rule for finding in find_secrets(text)] == [rule]
    assert "Nothing was stored." in refusal_text(done.findings, "Summary")


def test_a_text_of_the_wrong_type_is_blocked_not_raised() -> None:
    done = scrub(b"bytes", Mode.STRICT)  # type: ignore[arg-type]
    assert done.blocked


@pytest.mark.parametrize(
    "hostile",
    [
        "a", "1", "1.", "4 ", "a@", "a.", "a-", "<", "<@A", "http://", "a:", "eyJ", "eyJaaaaaaaaaaaaa.", "a*", "%41",
        "&#65;", "&", " ", "\n", "QUJDREVGR0hJSktMTU5P ", "abandon ", "SA", "SABC ", "GB29 ",
        "deadbeef ", "password:", "_", "`",
        "account 12345 and ", "a at b dot ", "\u200b", "\\", "jane@example.com ", "+44 20 7946 0958 ", "<https://a.b|",
        "1,111,111 ", "1 Aa ",
    ],
)  # fmt: skip
def test_hostile_repetition_is_answered(hostile: str) -> None:
    text = (hostile * 6_000)[:6_000]
    assert scrub(text, Mode.STRICT).text != "never"
    tone.tone(text)


def _patterns(module: ModuleType) -> list[re.Pattern[str]]:
    return [value for value in vars(module).values() if isinstance(value, re.Pattern)]


def _closure_patterns() -> list[re.Pattern[str]]:
    cells = [cell.cell_contents for row in DETECTORS for cell in (getattr(row.find, "__closure__", None) or ())]
    return [content for content in cells if isinstance(content, re.Pattern)]


def _unbounded(tree: Any) -> list[Any]:
    """Repetitions without an upper bound that may give characters back: they are what hostile text slows down."""
    found: list[Any] = []
    for op, argument in tree:
        if op in (constants.MAX_REPEAT, constants.MIN_REPEAT) and argument[1] is constants.MAXREPEAT:
            found.append(op)
        for part in argument if isinstance(argument, tuple | list) else (argument,):
            if isinstance(part, parser.SubPattern):
                found += _unbounded(part)
            elif isinstance(part, list):
                for branch in part:
                    if isinstance(branch, parser.SubPattern):
                        found += _unbounded(branch)
    return found


def test_every_repetition_is_bounded_or_possessive() -> None:
    patterns = [
        p for module in (scrubber, detectors, finders, text_views, safe_numbers, slots) for p in _patterns(module)
    ]
    patterns += [rule.pattern for rule in tone.RULES]
    patterns += _closure_patterns()
    assert len(patterns) > 80
    slow = [p.pattern for p in patterns if _unbounded(parser.parse(p.pattern, p.flags & ~re.UNICODE))]
    assert slow == []


def test_the_check_sees_an_unbounded_pattern() -> None:
    assert _unbounded(parser.parse("(?:a|(b+c)*)x"))


def test_detectors_have_ids_of_their_own_and_nouns_with_an_article() -> None:
    ids = [row.id for row in DETECTORS]
    assert len(set(ids)) == len(ids)
    assert all(row.noun.startswith(("a ", "an ")) for row in DETECTORS)
    assert all(row.public is ScrubAction.BLOCK for row in DETECTORS if row.internal is ScrubAction.BLOCK)


@pytest.mark.parametrize("row", DETECTORS, ids=lambda row: row.id)
def test_placeholders_are_not_findings_themselves(row: detectors.Detector) -> None:
    text = f"{row.noun} and {row.noun}, {row.noun} 14:32 UTC"
    assert scrub(text, Mode.STRICT).text == text


_ALLOW = AllowList(
    literals=frozenset({"support@example.com", "+44 20 7946 0000"}), domains=frozenset({"status.example.com"})
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Write to support@example.com.", id="an address"),
        pytest.param("Write to SUPPORT@example.com", id="in another case"),
        pytest.param("Call +44 20 7946 0000", id="a telephone number"),
        pytest.param("See https://status.example.com/incidents/83910234", id="a link with a number in its path"),
        pytest.param("See status.example.com", id="a bare host"),
        pytest.param("See <https://status.example.com|our status page>", id="Slack's link"),
    ],
)
def test_allowed_literally(text: str) -> None:
    assert scrub(text, Mode.STRICT, allow=_ALLOW).text == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("xsupport@example.com", id="a longer address"),
        pytest.param("bob.support@example.com", id="an address that ends alike"),
        pytest.param("support@example.com.evil.org", id="an address that begins alike"),
        pytest.param("https://status.example.com.evil.org/", id="a host that begins alike"),
        pytest.param("https://status.example.com@evil.org/", id="a host in the user's place"),
        pytest.param("https://x.status.example.com/", id="a host below"),
        pytest.param("https://status.example.com:8443/", id="another port"),
        pytest.param("https://status.example.com/?mail=jane@example.com", id="a value in the query"),
        pytest.param("<https://status.example.com|jane@example.com>", id="a value in the label"),
    ],
)
def test_not_allowed_by_likeness(text: str) -> None:
    done = scrub(text, Mode.STRICT, allow=_ALLOW)
    assert done.findings
    assert done.text != text


def test_secrets_cannot_be_allowed() -> None:
    allow = AllowList(literals=frozenset({"4111111111111111", _SEED.secret}))
    assert scrub("4111111111111111", Mode.INTERNAL, allow=allow).blocked
    assert scrub(_SEED.secret, Mode.INTERNAL, allow=allow).blocked


def test_what_was_removed() -> None:
    done = scrub("account 12345678, account 87654321 and jane@example.com", Mode.STRICT)
    assert removed_summary(done.findings) == "2 account ids and 1 e-mail address removed"
    assert removed_summary(()) == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            _SEED.secret,
            "A Stellar secret seed is in Summary. Nothing was stored. Rotate that key: runbook key-compromise.",
            id="seed",
        ),
        pytest.param(
            "4111 1111 1111 1111",
            "A card number is in Summary. Nothing was stored. Take it out: card numbers may not be kept here.",
            id="card",
        ),
        pytest.param(
            f"password: hunter2 and {_SEED.secret}",
            "A password or key and a Stellar secret seed are in Summary. Nothing was stored. "
            "Rotate that key: runbook key-compromise.",
            id="two",
        ),
    ],
)
def test_refusals_name_the_kind_and_the_next_step(text: str, sentence: str) -> None:
    assert refusal_text(scrub(text, Mode.STRICT).findings, "Summary") == sentence
    assert refusal_text(find_secrets(text), "Summary") == sentence


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        pytest.param(checksums.luhn, "79927398713", "79927398710", id="luhn"),
        pytest.param(checksums.card, "4111111111111111", "9111111111111111", id="card"),
        pytest.param(checksums.iban, "GB29NWBK60161331926819", "GB28NWBK60161331926819", id="iban"),
        pytest.param(checksums.strkey, _SEED.public_key, _SEED.public_key[:-1] + "!", id="strkey"),
    ],
)
def test_checksums(check: Any, good: str, bad: str) -> None:
    assert check(good)
    assert not check(bad)


def test_findings_carry_no_value() -> None:
    assert set(ScrubFinding.__dataclass_fields__) == {"kind", "rule", "action", "start", "end", "noun"}
