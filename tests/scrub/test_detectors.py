"""Planted values, in every disguise: none is left in the text, in the findings, or in an exception."""

from __future__ import annotations

import base64

import pytest
from stellar_sdk import Keypair, MuxedAccount, StrKey

from bot.scrub import Mode, find_secrets, scrub
from bot.scrub.findings import ScrubAction

_KEY = Keypair.from_raw_ed25519_seed(bytes(range(32)))
_PLACE = "Please look at {} which failed at 14:32 UTC"

#: refused altogether
BLOCKED: dict[str, str] = {
    "seed": _KEY.secret,
    "card": "4111111111111111",
    "card in groups": "5500 0055 5555 5559",
    "american express": "378282246310005",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "stripe": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "slack": "xoxb-" + "123456789012-1234567890123-abcdefGHIJKLmnopqrstuvwx",
    "github": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "database": "postgres://app:s3cr3t@payments.example:5432/pay",
}
#: replaced by a neutral noun
MASKED: dict[str, str] = {
    "account address": _KEY.public_key,
    "muxed address": MuxedAccount(_KEY.public_key, 12345).account_muxed or "",
    "contract": StrKey.encode_contract(bytes(range(32))),
    "email": "jane.doe+x@example.co.uk",
    "phone, international": "+44 20 7946 0958",
    "phone, american": "(415) 555-2671",
    "phone, no blanks": "+2348031234567",
    "iban, grouped": "DE89 3704 0044 0532 0130 00",
    "iban": "GB29NWBK60161331926819",
    "uuid": "550e8400-e29b-41d4-a716-446655440000",
    "transaction hash": "3389e9f0f1a65f19736cacf544c2e825313e8447f569233bb8db39aa607c8889",
    "ethereum": "0x52908400098527886E0F7030069857D2E4169EE7",
    "bitcoin": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "bitcoin, new": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "federation": "jane*bank.example.com",
    "ipv4": "203.0.113.9",
    "ipv6": "2001:db8::ff00:42:8329",
    "bare number": "12345678",
    "customer": "CUST-00123",
    "host": "db-prod-01.corp.lan",
    "dashboard": "https://grafana.example.com/d/abc",
    "upi": "jane@okaxis",
    "ssn": "078-05-1120",
}
_CONFUSABLE = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")


def _groups(value: str, by: str) -> str:
    plain = value.replace(" ", "")
    return by.join(plain[i : i + 4] for i in range(0, len(plain), 4))


EVASIONS = {
    "plain": lambda v: v,
    "zero-width spaces": lambda v: "\u200b".join(v),
    "soft hyphens": lambda v: "\u00ad".join(v),
    "word joiners": lambda v: "\u2060".join(v),
    "bidi marks": lambda v: f"\u202a{v}\u202c",
    "variation selectors": lambda v: "\ufe0f".join(v),
    "combining underline": lambda v: "\u0332".join(v),
    "full width": lambda v: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in v),
    "arabic digits": lambda v: v.translate({48 + i: 0x660 + i for i in range(10)}),
    "bold digits": lambda v: "".join(chr(0x1D7CE + int(c)) if c.isdigit() else c for c in v),
    "cyrillic look-alikes": lambda v: v.translate(_CONFUSABLE),
    "decimal entities": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "hexadecimal entities": lambda v: "".join(f"&#x{ord(c):x};" for c in v),
    "entities of entities": lambda v: "".join(f"&amp;#{ord(c)};" for c in v),
    "percent encoding": lambda v: "".join(f"%{ord(c):02X}" for c in v),
    "json escapes": lambda v: "".join(f"\\u{ord(c):04x}" for c in v),
    "no-break spaces": lambda v: v.replace(" ", "\u00a0"),
    "typographic dashes": lambda v: v.replace("-", "\u2011"),
    "bold": lambda v: f"*{v}*",
    "code": lambda v: f"`{v}`",
    "markdown within": lambda v: f"{v[: len(v) // 2]}**{v[len(v) // 2 :]}",
    "base64": lambda v: base64.b64encode(f"key {v} end".encode()).decode(),
    "a link's label": lambda v: f"<https://x.example|{v}>",
    "quoted": lambda v: f"\n> {v}\n",
}
#: only what carries a checksum can be put together again
CHECKSUMMED = (
    "seed",
    "card",
    "card in groups",
    "american express",
    "account address",
    "muxed address",
    "contract",
    "iban",
)
REGROUPED = {
    "dotted groups": lambda v: _groups(v, "."),
    "spaced groups": lambda v: _groups(v, " "),
    "dashed groups": lambda v: _groups(v, "-"),
    "a line break": lambda v: f"{v[: len(v) // 2]}\n{v[len(v) // 2 :]}",
    "a quoted line break": lambda v: f"{v[: len(v) // 2]}\n> {v[len(v) // 2 :]}",
    "lower case": str.lower,
}
CASES = [
    pytest.param(name, value, evade(value), id=f"{name}, {disguise}")
    for name, value in {**BLOCKED, **MASKED}.items()
    for disguise, evade in {**EVASIONS, **(REGROUPED if name in CHECKSUMMED else {})}.items()
]


def _squeezed(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


@pytest.mark.parametrize(("name", "value", "disguised"), CASES)
def test_nothing_of_a_planted_value_leaves(name: str, value: str, disguised: str) -> None:
    done = scrub(_PLACE.format(disguised), Mode.STRICT)
    assert done.findings
    if name in BLOCKED:
        assert done.blocked
        assert done.text == ""
    left = _squeezed(done.text)
    hidden = _squeezed(value)
    assert not any(hidden[i : i + 5] in left for i in range(len(hidden) - 4))
    assert value not in repr(done)
    assert scrub(done.text, Mode.STRICT).text == done.text


@pytest.mark.parametrize(("name", "value", "disguised"), [case for case in CASES if case.values[0] in BLOCKED])
def test_secrets_are_found_in_notes_too(name: str, value: str, disguised: str) -> None:
    found = find_secrets(_PLACE.format(disguised))
    assert found
    assert all(finding.action is ScrubAction.BLOCK for finding in found)
    assert value not in repr(found)


_WORDS = "abandon ability able about above absent absorb abstract absurd abuse access accident"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_KEY.secret[:-1] + ("A" if _KEY.secret[-1] != "A" else "B"), id="a seed with a typing error"),
        pytest.param(_KEY.secret[:20] + _KEY.secret[21:], id="a seed with a letter missing"),
        pytest.param(_groups(_KEY.secret[:-1] + "7", " "), id="a grouped seed with a typing error"),
        pytest.param(_WORDS, id="twelve words"),
        pytest.param(_WORDS.replace("able", "abel"), id="twelve words, one misspelled"),
        pytest.param(_WORDS.upper(), id="twelve words in capitals"),
        pytest.param("\n".join(f"{i}. {w}" for i, w in enumerate(_WORDS.split(), 1)), id="twelve numbered words"),
        pytest.param(", ".join(f'"{w}"' for w in _WORDS.split()), id="twelve quoted words"),
        pytest.param("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk", id="PEM"),
        pytest.param("Authorization: Bearer 9f8a7b6c5d4e3f2a1b0c", id="bearer"),
        pytest.param("password: hunter2", id="assigned"),
        pytest.param("password: x", id="a short one"),
        pytest.param('{"db_password": "correcthorse"}', id="in JSON"),
        pytest.param("DB_PASSWORD=correcthorse", id="in an environment"),
        pytest.param("the password is hunter2", id="told"),
        pytest.param("*password*: `hunter2`", id="told in Markdown"),
        pytest.param("CVV 123", id="security code"),
        pytest.param("https://hooks.slack.com/services/T000/B000/abcdefgh", id="webhook"),
        pytest.param("api_token=ab12cd34ef56ab12cd34zz", id="token without a known prefix"),
        pytest.param("card no 4111-1111-1111-1111, exp 12/27", id="a card with its date"),
        pytest.param("4111 1111 1111 1111 12/27 123", id="a card followed by more digits"),
    ],
)
def test_blocked_in_every_mode(text: str) -> None:
    assert scrub(text, Mode.STRICT).blocked
    assert scrub(text, Mode.INTERNAL).blocked
    assert find_secrets(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("write to jane at example dot com", "write to an e-mail address", id="spelled"),
        pytest.param("write to jane[at]example[dot]com", "write to an e-mail address", id="spelled in brackets"),
        pytest.param("<mailto:a@b.example|a@b.example> wrote", "An e-mail address wrote", id="Slack's e-mail link"),
        pytest.param("call <tel:+442079460958|us>", "call a phone number", id="Slack's telephone link"),
        pytest.param("ask <@U0123ABCD> in <#C0123ABCD|ops>", "ask a colleague in a channel", id="Slack's mentions"),
        pytest.param("<!here> and @channel", "A mention and a mention", id="broadcasts"),
        pytest.param("see <https://wiki.example/x|this>", "see a link", id="a link with a label"),
        pytest.param("Account 12345678 is late", "An account id is late", id="a label, a capital"),
        pytest.param("the account 12345678 is late", "the account id is late", id="no second article"),
        pytest.param(
            "customers 44112, 44113 and 44114 wait",
            "A customer id, a customer id and a customer id wait",
            id="a list of ids",
        ),
        pytest.param("sort code 20-11-26", "A sort code", id="sort code"),
        pytest.param("the card ending in 4242", "the card", id="the last digits of a card"),
        pytest.param("GABC...WXYZ and G…XYZ", "A Stellar address and a Stellar address", id="shortened addresses"),
        pytest.param("memo: 12-AX", "A memo", id="memo"),
        pytest.param("Dear Mrs Jane Doe,", "Dear a person,", id="a name with its title"),
        pytest.param(
            "the address 203.0.113.9 is ours", "the address (removed) is ours", id="the noun is there already"
        ),
        pytest.param("paid 1234567 times", "paid an id number times", id="seven bare digits"),
    ],
)
def test_wording(text: str, expected: str) -> None:
    assert scrub(text, Mode.STRICT).text == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Restarted db-prod-01; https://grafana.corp.lan/d/1 shows it", id="hosts and links"),
        pytest.param("<@U0123ABCD> looks at " + _KEY.public_key, id="mentions and public keys"),
        pytest.param("tx 3389e9f0f1a65f19736cacf544c2e825313e8447f569233bb8db39aa607c8889", id="transaction hash"),
        pytest.param("10.0.3.17 answers; payment 4711 is stuck", id="private address, reference"),
    ],
)
def test_colleagues_may_read_more(text: str) -> None:
    assert scrub(text, Mode.INTERNAL).text == text
    assert scrub(text, Mode.STRICT).text != text


CALM = """
We continue to see failures for about 4% of requests. Next update at 14:32 UTC.
On 2026-11-20 between 13:40 UTC and 15:02 UTC, payouts to Nigeria and Kenya were delayed.
All 1,240 payments worth USD 12,400,000.50 have been completed; none was lost or paid twice.
Ledger 58123456 closed at 14:32:10 UTC; the network is on protocol 27 since v28.0.0.
12,345 customers waited; 98.6% of their payments are complete. 3 of 14 banks are still slow.
Between 10-20 payments per minute are being processed, 1500 payments in total.
INC-42 is resolved. See pacs.008 and camt.053 messages for value date 20/11/2026.
Version 2.3.1 is being rolled out; 2025-2026 limits do not change. CVE-2026-12345 does not matter here.
Transfers of more than £5,000 may take until 21 November 2026, 09:00 UTC.
The account balance shown in the app may be out of date. Your customer number is not needed.
Payment 2 of 3 is complete. Users in the UK, US and EU are not affected.
The token USDC can be sent. Token: USDC. Asset: XLM.
Password resets work. The password page is slow. API keys: unaffected. Secret rotated.
Please use the app (iOS 18.2, Android 15) to see the state of your transfer.
The exchange rate was 1,540.25 NGN per USD at 13:00 UTC. Fee: 0.0000100 XLM.
Bearer of bad news: basic authentication is unaffected. The PIN pad works. The OTP was late.
Payments of 1.000.000,50 EUR and EUR 2 000 000 wait; the sub-1000 ms answers are back.
The queue is at 4,512; it was 18,240 at 01:55 UTC. 1240000 XLM wait.
""".strip().splitlines()


@pytest.mark.parametrize("line", CALM)
@pytest.mark.parametrize("mode", list(Mode))
def test_what_people_need_stays(line: str, mode: Mode) -> None:
    done = scrub(line, mode)
    assert (done.text, done.findings) == (line, ())


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("tx_bad_seq, seq 249108103168000001, cursor=60012345678901234", id="sequence numbers and cursors"),
        pytest.param("see https://grafana.example/d/a?from=1732147200000&to=1732150800000", id="times in milliseconds"),
        pytest.param("pod payout-worker-7f9c6d5b8-x2x4z, commit 9fceb02d0ae598e95dc970b74767f19372d61af8", id="builds"),
        pytest.param("idempotency key: 550e8400-e29b-41d4-a716-446655440000", id="a key that opens nothing"),
        pytest.param("the api key is expired; token expired at 14:02 UTC; key: see vault", id="talk of secrets"),
        pytest.param("call +57 301 234 5678", id="a telephone number that could be a card's"),
    ],
)
def test_notes_that_are_no_secrets(line: str) -> None:
    assert find_secrets(line) == ()
