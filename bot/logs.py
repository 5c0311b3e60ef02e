"""Logs: one entry an event on stderr, ours and every library's, with everything that is or looks like a secret blanked.

Blanked is what is about to be written, as the last step: names, nested values and tracebacks included. What people
wrote cannot make a line of its own: control characters are spelled out, and further lines of an entry are indented.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Protocol

import structlog

BLANKED_TEXT = "[secret]"

#: as it is written in an address, in JSON that escapes it, and in a form's body
_SLASH = r"(?:\\{0,8}/|(?i:%2f))"
#: What is a secret wherever it stands; of a match only the groups that begin with "keep" stay.
_PATTERNS = (
    r"(?i:xox[a-z](?:\.xox[a-z])?|xapp|xwfp)-[A-Za-z0-9-]+",  # Slack's tokens, also rotating ones (xoxe.xoxb-1-…)
    # webhooks and response URLs: who has one may post
    rf"(?:https?(?::|(?i:%3a)){_SLASH}{{2}})?hooks\.slack(?:-gov)?\.com{_SLASH}[^\s\"'<>]+",
    # authorization headers
    r"(?P<keep>(?i:\b(?:bearer|basic)\s+))(?:(?=[^\s\"']*[0-9A-Z._+/=-])[A-Za-z0-9._~+/=-]{8,}|[a-z]{20,})",
    r"(?<![A-Z0-9])S[A-Z2-7]{55}(?![A-Z0-9])",  # Stellar secret seeds
    r"v0=[0-9a-f]{64}",  # Slack's signatures
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s\\:,.]|-(?!----))*"
    r"(?:-----END [A-Z0-9 ]{0,40}-----)?",  # private keys, also cut off
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS access keys
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|[rs]k_live_[A-Za-z0-9]{10,})",  # GitHub's and Stripe's
    # signed web tokens; looked for where there is one, so that a long word is not gone through from each of its places
    r"(?<![\w-])(?=[\w-]+\.eyJ[\w-]+\.)(?P<keep_front>[\w-]*?)eyJ[\w-]{8,}\.eyJ[\w-]+\.[\w-]*",
    r"\bgAAAAA[\w-]{60,}={0,2}",  # what Fernet has encrypted
    # passwords in addresses; those of databases are often written with characters that belong escaped
    r"(?P<keep_base>\b(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?)(?:\+\w+)?://[^\s:/?#@\"']*:)"
    r"(?!\[secret\]@)[^\s\"'<>]{1,500}(?=@)",
    r"(?P<keep_user>(?<![a-z0-9+.-])[a-z0-9+.-]+://[^\s:/?#@\"']*:)[^\s/?#@\"']+(?=@)",
    # anything that calls itself so: signing_secret=…, "password": "…", AWS_SECRET_ACCESS_KEY=…
    r"(?P<keep_name>(?i:(?:secret|password|passwd|(?:api|access|secret|private|chain)[_-]?key"
    r"|token_keys|(?:access|refresh|bot|app|auth)_token))"
    r"[\\\"']*\s*[=:]\s*[\\\"']*)(?!\[secret\]|None\b)(?:(?<=')[^'\n]{6,}|(?<=\")[^\"\n]{6,}|[^\s\"',;&}\])]{6,})",
)
_SECRETS = re.compile("|".join(_PATTERNS))

#: control characters but tab and line feed; among them those that move a terminal's cursor, and those that turn text
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Writes(Protocol):
    """What can be written to."""

    def write(self, text: str, /) -> Any:
        """Write the text."""

    def flush(self) -> Any:
        """Let nothing wait."""


class _Stderr:
    """Whatever stderr is at the time."""

    def write(self, text: str, /) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def redact_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets and without anything that looks like one."""
    for one in secrets:
        text = text.replace(one, BLANKED_TEXT)
    return _SECRETS.sub(lambda found: "".join(kept for kept in found.groupdict().values() if kept) + BLANKED_TEXT, text)


def escape_control(text: str) -> str:
    """The text as one entry: nothing in it moves a cursor, and no further line looks like an entry."""
    spelled = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return spelled.rstrip("\n").replace("\n", "\n    ")


class _LibraryFormatter(logging.Formatter):
    """An entry of a library's, with its traceback."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__("%(asctime)s [%(levelname)-8s] %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        # Another handler may have left its own, unblanked text there; ours is made anew and not left behind.
        kept, record.exc_text = record.exc_text, None
        try:
            return escape_control(redact_secrets(super().format(record), self._secrets))
        finally:
            record.exc_text = kept


def configure(level: str, secrets: Iterable[str] = (), to: Writes | None = None) -> None:
    """Set up structlog and the standard library's logging.

    `secrets` are blanked wherever they stand, `to` stands in for stderr.
    """
    known = _longest_first(secrets)
    out: Any = to or _Stderr()

    def last(_: Any, __: str, line: Any) -> str:
        return escape_control(redact_secrets(line, known))

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            # no colours: whoever may write their codes may write others
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_LibraryFormatter(known))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _longest_first(secrets: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(filter(None, secrets)), key=len, reverse=True))


def log_uncaught(secrets: Iterable[str] = ()) -> None:
    """Let warnings, and what ends the process or a thread, be written like everything else."""
    logging.captureWarnings(True)
    known, out = _longest_first(secrets), _Stderr()

    def told(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        lines = traceback.format_exception(kind, error, trace)
        out.write(escape_control(redact_secrets("".join(lines), known)) + "\n")
        out.flush()

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, SystemExit):
            told(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = told
    if threading.excepthook is threading.__excepthook__:  # else somebody listens for it already
        threading.excepthook = in_thread
