"""Logs: one line an event on stderr, with everything that looks like a secret blanked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

#: Slack's tokens and webhook addresses, bearer headers, Stellar secret seeds
_SECRETS = re.compile(
    r"xox[abeprs]-[A-Za-z0-9-]+|xapp-[A-Za-z0-9-]+|(?i:bearer\s+)[A-Za-z0-9._~+/=-]{8,}"
    r"|https://hooks\.slack\.com/\S+|\bS[A-Z2-7]{55}\b"
)
BLANK = "[secret]"


def blank(text: str) -> str:
    """The text without anything that looks like a secret."""
    return _SECRETS.sub(BLANK, text)


def _blank_all(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = blank(value)
    return event


class _Blanking(logging.Filter):
    """The same for libraries that log on their own."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = blank(record.getMessage()), ()
        return True


def configure(level: str) -> None:
    """Set up both structlog and the standard library's logging."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _blank_all,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Blanking())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
