"""What may not leave: the table of detectors, earlier rows first where two overlap, and the search over all views.

Sources: SEP-23 (Stellar keys), ISO/IEC 7812 (cards), ISO 13616 (IBAN), RFC 7519 (JWT), the vendors' published
prefixes of keys, Slack's message formatting. Card numbers are blocked, not shortened: a shortened one may be shown
(PCI DSS 4.0.1, 3.4.1), but here nobody needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.scrub import finders
from bot.scrub.detector import Detector, regex
from bot.scrub.finders import labelled
from bot.scrub.findings import ScrubAction
from bot.scrub.text_views import TextView

BLOCK, MASK = ScrubAction.BLOCK, ScrubAction.MASK

_EDGE = r"(?<![A-Za-z0-9])"
_ANNOUNCES = (  # words before a password or key
    r"(?:pass ?word|passwd|pass ?phrase|pass ?code|secret(?:[ _-]?access)?(?:[ _-]?key)?|api[ _-]?key|"
    r"access[ _-]?key|private[ _-]?key|client[ _-]?secret|(?:auth|access|refresh|bearer)[ _-]?token|"
    r"contrasena|mot de passe|passwort|kennwort|senha|(?<![A-Za-z])pwd)"
)
#: what stands after "password:" without being one
_NO_SECRET = frozenset(
    """
    a an the is was in on at by to for of and or not no yes none null nil nothing see ask use unknown missing
    required needed optional hidden removed redacted masked omitted rotate rotated rotating rotation reset expired
    expires expiry revoked revoke change changed policy policies wrong invalid valid vault leaked leak exposed lost
    found stolen new old still all any it we they this that our your their n/a tbd todo manager
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
)


def _assigned(match: re.Match[str]) -> bool:
    value = match.group("value").strip(".,;:!?()[]{}<>\"'*_~`").lower()
    return bool(value) and value not in _NO_SECRET


def _told(match: re.Match[str]) -> bool:
    value = match.group("value").rstrip(".,;:!?")
    return len(value) >= 4 and any(char.isdigit() or char in "!@#$%^&*_+" for char in value)


def _random(match: re.Match[str]) -> bool:
    value = match.group("value")
    shown = re.fullmatch(r"[0-9a-fA-F\-]+|[GCM][A-D][A-Z2-7]{54,67}", value)  # ids and hashes, not keys
    return not shown and any(char.isdigit() for char in value) and any(char.isalpha() for char in value)


def _has_digit(match: re.Match[str]) -> bool:
    return any(True for _ in finders.digits(match))


def _letters_and_digits(match: re.Match[str]) -> bool:
    return _has_digit(match) and any(char.isalpha() for char in match.group())


def _shortened_hash(match: re.Match[str]) -> bool:
    return _letters_and_digits(match) or len(match.group()) >= 16


_IPV4 = r"(?<![\d.])(?:\d{1,3}(?:\.|\[\.\]|\(\.\))){3}\d{1,3}(?!\d|\.\d)"
_TLD = (
    r"(?:com|org|net|io|dev|app|cloud|ai|info|biz|eu|uk|de|fr|nl|ch|ng|ke|gh|za|ug|tz|ph|mx|br|pk|bd|co\.[a-z]{2}|"
    r"finance|money|bank|pay|network|tech|xyz|site|online|gov|edu|int)"
)
_HOST_LABELS = r"(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.){1,6}"

DETECTORS: tuple[Detector, ...] = (
    # -- secrets: the text is not even stored
    Detector("stellar-seed", "stellar_seed", "a Stellar secret seed", BLOCK, BLOCK, finders.strkeys("S")),
    Detector("stellar-seed-shape", "stellar_seed", "a Stellar secret seed", BLOCK, BLOCK,
             regex(_EDGE + r"S[A-Z2-7]{49,62}(?![A-Za-z0-9])", _has_digit, case=True)),
    Detector("stellar-seed-groups", "stellar_seed", "a Stellar secret seed", BLOCK, BLOCK, finders.grouped_seed),
    Detector("seed-phrase", "seed_phrase", "a seed phrase", BLOCK, BLOCK, finders.seed_phrase),
    Detector("pem-private-key", "private_key", "a private key", BLOCK, BLOCK,
             regex(r"BEGIN\s{1,3}(?:[A-Z0-9]{1,12}\s){0,3}PRIVATE\s{1,3}KEY"), ("begin",)),
    Detector("stripe-key", "api_key", "an API key", BLOCK, BLOCK,
             regex(_EDGE + r"(?:(?:sk|rk)_?(?:live|test)_?|whsec_?)[A-Za-z0-9]{8,250}"),
             ("live", "test", "whsec")),
    Detector("aws-key", "api_key", "an AWS access key", BLOCK, BLOCK,
             regex(_EDGE + r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])", case=True), ("akia", "asia")),
    Detector("slack-token", "api_key", "a Slack token", BLOCK, BLOCK,
             regex(_EDGE + r"(?:xox[a-z]-|xapp-)[A-Za-z0-9-]{10,250}"), ("xox", "xapp")),
    Detector("slack-webhook", "api_key", "a Slack webhook", BLOCK, BLOCK,
             regex(r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{8,200}"), ("hooks.slack",)),
    Detector("github-token", "api_key", "a GitHub token", BLOCK, BLOCK,
             regex(_EDGE + r"(?:gh[pousr]_?[A-Za-z0-9]{30,250}|github_?pat_?[A-Za-z0-9_]{20,250})"),
             ("gh", "github")),
    Detector("vendor-key", "api_key", "an API key", BLOCK, BLOCK,
             regex(_EDGE + r"(?:glpat-[\w-]{16,250}|AIza[\w-]{30,100}|ya29\.[\w-]{20,250}|"
                   r"SG\.[\w-]{16,64}\.[\w-]{16,128}|"
                   r"sk-(?:ant-|proj-)?[\w-]{20,250}|npm_[A-Za-z0-9]{30,100}|hf_[A-Za-z0-9]{30,100}|dop_v1_[a-f0-9]{40,80}|"
                   r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{30,64}|dckr_pat_[\w-]{20,60}|pypi-[\w-]{40,250}|"
                   r"eyJrIjoi[\w-]{20,250}|glsa_[A-Za-z0-9_]{30,80}|lin_api_[A-Za-z0-9]{30,60}|AccountKey=[\w+/=]{20,120})",
                   case=True)),
    Detector("jwt", "jwt", "a JSON web token", BLOCK, BLOCK, finders.jwt, ("eyj",)),
    Detector("bearer", "bearer", "a bearer token", BLOCK, BLOCK,
             regex(r"\b(?:bearer|basic)[\s:]{1,3}(?P<value>[\w.~+/-]{16,2000}={0,2})", _has_digit),
             ("bearer", "basic")),
    Detector("url-password", "url_password", "a URL with a password", BLOCK, BLOCK,
             regex(r"(?<![a-z0-9])[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,100}:[^\s@/]{1,200}@"), ("://",)),
    Detector("assigned-secret", "password", "a password or key", BLOCK, BLOCK,
             regex(_ANNOUNCES + r"[\"'\])]{0,2}\s{0,3}(?::=|=>|[:=])\s{0,3}(?P<value>[\"'`]?[^\s\"'`,;]{1,250})",
                   _assigned),
             ("pass", "secret", "key", "token", "pwd", "senha", "kennwort", "contrasena")),
    Detector("told-secret", "password", "a password or key", BLOCK, BLOCK,
             regex(_ANNOUNCES + r"\s{1,3}(?:is|was|=)\s{1,3}[\"'`]?(?P<value>[^\s\"'`]{4,250})", _told),
             ("pass", "secret", "key", "token", "pwd")),
    Detector("one-time-code", "password", "a PIN or security code", BLOCK, BLOCK,
             regex(r"(?<![A-Za-z])(?:cvv2?|cvc2?|cid|otp|pin(?: code)?|security code|one[- ]time code)\s{0,2}"
                   r"(?:[:=#]|\bis\b)?\s{0,2}(?P<value>\d{3,8})(?![\d:.,-])")),
    Detector("random-token", "api_key", "an API key", BLOCK, BLOCK,
             regex(r"(?:token|key|credential|authorization)s?[\"'\])]{0,2}\s{0,3}[:=]\s{0,3}[\"'`]?"
                   r"(?P<value>[\w.+/-]{20,250}={0,2})", _random),
             ("token", "key", "credential", "authorization")),
    Detector("card", "card", "a card number", BLOCK, BLOCK, finders.card),
    # -- Slack's own markup, before its parts are looked at
    Detector("slack-mailto", "email", "an e-mail address", MASK, MASK,
             regex(r"<mailto:[^<>\n]{1,400}>"), ("<mailto:",)),
    Detector("slack-tel", "phone", "a phone number", MASK, MASK, regex(r"<tel:[^<>\n]{1,200}>"), ("<tel:",)),
    Detector("slack-mention", "mention", "a colleague", MASK, None,
             regex(r"<@[A-Z0-9]{1,24}(?:\|[^<>\n]{0,200})?>"), ("<@",)),
    Detector("slack-channel", "channel", "a channel", MASK, None,
             regex(r"<#[A-Z0-9]{1,24}(?:\|[^<>\n]{0,200})?>"), ("<#",)),
    Detector("slack-special", "mention", "a mention", MASK, None, regex(r"<![^<>\n]{1,400}>"), ("<!",)),
    Detector("broadcast", "mention", "a mention", MASK, None,
             regex(r"(?<![\w@.])@[a-z][\w.-]{1,40}(?!\w|@)"), ("@",)),
    Detector("slack-id", "slack_id", "a Slack id", MASK, None,
             regex(_EDGE + r"[UWCDGTB]0[A-Z0-9]{7,10}(?![A-Za-z0-9])", case=True)),
    Detector("slack-link", "url", "a link", MASK, None, regex(r"<[a-z][a-z0-9+.-]{1,20}://[^<>\n]{1,4000}>"), ("://",)),
    # -- people
    Detector("email", "email", "an e-mail address", MASK, MASK,
             regex(r"(?:mailto:)?[\w.%+'-]{1,64}@(?:\[?[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])"), ("@",)),
    Detector("email-spaced", "email", "an e-mail address", MASK, MASK,
             regex(r"[\w.%+'-]{1,64}\s{0,2}@\s{0,2}[\w-]{1,63}(?:\s{0,2}\[?\.\]?\s{0,2}[\w-]{2,63}){1,4}"), ("@",)),
    Detector("email-spelled", "email", "an e-mail address", MASK, MASK,
             regex(r"(?<![\w.+-])[\w.+-]{1,64}\s{0,2}(?:[\[({<]\s{0,2}(?:at|@)\s{0,2}[\])}>]\s{0,2}[\w-]{1,63}"
                   r"(?:\s{0,2}(?:[\[({<]\s{0,2})?(?:\.|\bdot\b)(?:\s{0,2}[\])}>])?\s{0,2}[\w-]{2,63}){1,4}"
                   r"|(?<=\s)at\s{1,2}[\w-]{1,63}(?:\s{1,2}dot\s{1,2}[\w-]{2,24}){1,4})"),
             ("dot", "[at", "(at", "{at", "<at", "[@", "(@", "[ at", "( at")),
    Detector("upi", "payment_address", "a payment address", MASK, MASK,
             regex(r"(?<![\w@])[\w.+-]{2,64}@[a-z]{2,24}(?![\w@-]|\.\w)"), ("@",)),
    Detector("phone", "phone", "a phone number", MASK, MASK,
             regex(r"(?:tel:)?(?:(?:\+|(?<!\d)00)\s?\(?\d{1,3}\)?(?:[ .()/-]{0,3}+\d){6,13}"
                   r"|(?<![\d.-])\(?[2-9]\d{2}\)?[ .-]{1,2}\d{3}[ .-]\d{4}"
                   r"|(?<![\d.-])0\d{1,4}[ -]\d{3,4}[ -]?\d{3,4}|(?<![\d.-])0[1-9]\d{8,9})(?!\d)", blanked=True)),
    Detector("phone-labelled", "phone", "a phone number", MASK, MASK,
             regex(r"\b(?:call|phone|telephone|tel|mobile|cell|whatsapp|sms|fax|hotline)\b[^\d\n\0]{0,12}?"
                   r"(?P<value>\+?\(?\d(?:[ .()/-]{0,2}+\d){5,14})(?!\d)", blanked=True)),
    Detector("honorific", "person", "a person", MASK, None,
             regex(r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof)\b\.?\s[A-Z][\w'-]{1,30}(?:\s[A-Z][\w'-]{1,30})?", case=True)),
    Detector("street", "address", "an address", MASK, MASK,
             regex(r"(?<!\d)\d{1,5}[A-Za-z]?,? (?:[A-Z][a-z']{1,20} ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|"
                   r"Drive|Close|Crescent|Way|Boulevard|Blvd|Court|Square|Place)\b", case=True)),
    Detector("identity", "identity", "an identity number", MASK, MASK,
             labelled(r"passport|ssn|social security|nin|bvn|nino|national insurance|aadhaar|pan|tax id|tin|"
                      r"national id|id card|driv(?:ing|er'?s) licen[cs]e|curp|cpf")),
    Detector("birth-date", "identity", "a date of birth", MASK, MASK,
             regex(r"\b(?:dob|date of birth|born(?: on)?)\b\s{0,2}:?\s{0,2}\d[\d/.-]{3,9}\d(?!\d)"),
             ("dob", "birth", "born")),
    Detector("ssn", "identity", "an identity number", MASK, MASK,
             regex(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])"
                   r"|(?<![A-Za-z0-9])[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]"
                   r"(?![A-Za-z0-9])|(?<![A-Za-z0-9])[A-Z]{5}\d{4}[A-Z](?![A-Za-z0-9])", case=True)),
    # -- money and accounts
    Detector("iban", "iban", "an IBAN", MASK, MASK, finders.iban),
    Detector("card-tail", "card_tail", "a card", MASK, MASK,
             regex(r"\bcards?\s(?:no\.?\s|number\s)?(?:ending|ends)\s(?:in\s|with\s)?[\dxX*#.-]{0,20}\d{2,6}(?!\d)"
                   r"|(?:[x*#•]{2,4}[ -]?){1,4}\d{4}(?!\d)")),
    Detector("sort-code", "sort_code", "a sort code", MASK, MASK,
             regex(r"\bsort[ -]?codes?\b\s{0,2}(?:[:=#]|\bis\b)?\s{0,2}\d{2}[ .-]?\d{2}[ .-]?\d{2}(?!\d)")),
    Detector("sort-code-shape", "sort_code", "a sort code", MASK, MASK,
             regex(r"(?<![\d.-])\d{2}-\d{2}-\d{2}(?![\d-])", blanked=True)),
    Detector("account", "account", "an account id", MASK, MASK,
             labelled(r"(?:bank )?accounts?|acct|a/c|acc|iban|wallet|nuban|clabe|bsb|routing|aba|ifsc")),
    Detector("customer", "customer", "a customer id", MASK, MASK,
             labelled(r"customer|client|user|member|merchant|beneficiary|payee|sender|recipient")),
    Detector("prefixed-id", "customer", "a customer id", MASK, MASK,
             regex(_EDGE + r"(?:cust?|customer|acct|usr|user|cli|client|mem|mer|merch|ben|kyc|wal|wallet)[_-]"
                   r"[A-Za-z0-9]{3,40}(?![A-Za-z0-9])", _has_digit)),
    Detector("prefixed-reference", "reference", "a reference", MASK, None,
             regex(_EDGE + r"(?:pi|ch|tr|txn?|trf|trx|pay|payout|po|inv|ord|order|evt|req|ref)[_-]"
                   r"(?=[A-Za-z0-9]{0,40}\d)[A-Za-z0-9]{4,40}(?![A-Za-z0-9])")),
    Detector("memo", "memo", "a memo", MASK, MASK,
             regex(r"\bmemo(?:[ _-](?:text|id|hash|return))?\s{0,2}[:=]\s{0,2}[\"'`]?[^\s\"'`,;]{1,64}"), ("memo",)),
    Detector("reference", "reference", "a reference", MASK, None,
             labelled(r"payment|payout|transaction|transfer|txn?|order|invoice|case|ticket|reference|ref|memo|utr|rrn|trace|"
                      r"session|request|intent|idempotency")),
    # -- ledgers
    Detector("stellar-key", "stellar_address", "a Stellar address", MASK, None, finders.strkeys("GMCLBTX")),
    Detector("stellar-key-shape", "stellar_address", "a Stellar address", MASK, None,
             regex(_EDGE + r"[GMCLB][A-D][A-Z2-7]{48,68}(?![A-Za-z0-9])", _has_digit, case=True)),
    Detector("stellar-shortened", "stellar_address", "a Stellar address", MASK, None,
             regex(_EDGE + r"[GMCLBS](?:[A-D][A-Z2-7]{0,14})?(?:\.{2,4}|-{2,4}|\[\.{2,4}\])"
                   r"[A-Z2-7]{3,14}(?![A-Za-z0-9])", case=True)),
    Detector("federation", "federation", "a payment address", MASK, MASK,
             regex(r"(?<![\w*])[\w.+@-]{1,64}\*(?:[a-z0-9][a-z0-9-]{0,62}\.){1,5}[a-z]{2,24}(?![\w*-])"), ("*",)),
    Detector("hash", "tx_hash", "a transaction hash", MASK, None,
             regex(_EDGE + r"(?:[0-9a-f]{64}|[0-9a-f]{4,16}(?:[ .:-]{1,2}[0-9a-f]{4,16}){5,15})(?![A-Za-z0-9])",
                   _letters_and_digits)),
    Detector("hash-shortened", "tx_hash", "a transaction hash", MASK, None,
             regex(_EDGE + r"(?:0x)?[0-9a-f]{4,16}\.{2,4}[0-9a-f]{4,16}(?![A-Za-z0-9])", _shortened_hash), ("..",)),
    Detector("hex", "chain_address", "a blockchain address", MASK, None,
             regex(_EDGE + r"0x[0-9a-f]{16,128}(?![A-Za-z0-9])"), ("0x",)),
    Detector("bitcoin", "chain_address", "a blockchain address", MASK, None,
             regex(_EDGE + r"(?:bc1|tb1)[02-9ac-hj-np-z]{11,71}(?![A-Za-z0-9])"), ("bc1", "tb1")),
    Detector("bitcoin-base58", "chain_address", "a blockchain address", MASK, None,
             regex(_EDGE + r"[13mn2][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])", _letters_and_digits, case=True)),
    Detector("uuid", "uuid", "an id", MASK, None,
             regex(_EDGE + r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![A-Za-z0-9])"), ("-",)),
    # -- machines
    Detector("url", "url", "a link", MASK, None,
             regex(r"(?<![a-z0-9])[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'|)\]}]{1,4000}(?<![.,;:!?])"), ("://",)),
    Detector("internal-host", "host", "an internal system", MASK, None,
             regex(r"(?<![\w@.-])(?:[a-z0-9_][a-z0-9_-]{0,62}\.){1,6}(?:internal|local|localdomain|lan|corp|intra|intranet|svc|"
                   r"cluster|prod|staging|home|private|consul)(?::\d{2,5})?(?![\w-]|\.\w)|(?<![\w.-])localhost(?::\d{2,5})?\b")),
    Detector("machine", "host", "an internal system", MASK, None,
             regex(r"(?<![\w.-])(?=[a-z-]{0,40}\d)(?:[a-z0-9]{1,20}-){0,4}(?:prod|prd|stg|staging|dev|db|pg|postgres|redis|"
                   r"kafka|node|pod|k8s|eks|gke|ec2|vm|srv|host|ip|core|horizon|validator|worker)"
                   r"(?:-[a-z0-9]{1,20}){1,6}(?![\w-])", _has_digit), ("-",)),
    Detector("domain", "domain", "a web address", MASK, None,
             regex(r"(?<![\w@.-])" + _HOST_LABELS + _TLD
                   + r"(?:/[^\s<>\"'|)\]}]{0,2000}(?<![.,;:!?]))?(?![\w-]|\.\w)"), (".",)),
    Detector("ip-public", "ip", "an IP address", MASK, MASK, regex(_IPV4, finders.public_ipv4)),
    Detector("ip-private", "ip", "an IP address", MASK, None, regex(_IPV4, finders.private_ipv4)),
    Detector("ipv6", "ip", "an IP address", MASK, MASK, finders.ipv6, (":",)),
    Detector("mac", "mac", "a device address", MASK, MASK,
             regex(_EDGE + r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![A-Za-z0-9])")),
    # -- what is left
    Detector("opaque", "opaque", "a code", MASK, None, finders.opaque),
    Detector("number", "number", "an id number", MASK, None, finders.long_number),
)  # fmt: skip

SECRET_DETECTORS: tuple[Detector, ...] = tuple(row for row in DETECTORS if row.internal is BLOCK)
RANK: dict[str, int] = {row.id: rank for rank, row in enumerate(DETECTORS)}


@dataclass(frozen=True)
class DetectorMatch:
    """A detector's span: offsets in the text that was searched, and the view's words for exact allow-listing."""

    detector: Detector
    start: int
    end: int
    words: str


def find_matches(views: Iterable[TextView], detectors: Iterable[Detector]) -> list[DetectorMatch]:
    """Every span that any of the detectors reports on any of the views."""
    rows = tuple(detectors)
    found: list[DetectorMatch] = []
    for view in views:
        for row in rows:
            for start, end in row.spans(view):
                if end > start:
                    found.append(DetectorMatch(row, *view.span(start, end), view.text[start:end]))
    return found
