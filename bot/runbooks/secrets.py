"""Keys that must not lie in a runbook: it is posted in channels and stored in timelines."""

from __future__ import annotations

import re

from bot.runbooks.problems import LineProblem

#: what a secret looks like, and what it is called; the value itself is never repeated
SECRETS = (
    (re.compile(r"(?<![A-Z0-9])S[A-Z2-7]{55}(?![A-Z0-9])"), "a Stellar secret seed"),
    (re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"), "a private key"),
    (re.compile(r"\bxox[abeprs]-[0-9A-Za-z-]{10,}"), "a Slack token"),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS access key"),
    (re.compile(r"://[^\s/:@$<{]{1,100}:[^\s/:@$<{]{1,100}@"), "a password in an address"),
)


def find(text: str) -> list[LineProblem]:
    """A finding for each line that holds one."""
    return [
        LineProblem(number, f"There is {what} here. Remove it, and replace it where it is used: it has been seen.")
        for number, line in enumerate(text.split("\n"), 1)
        for pattern, what in SECRETS
        if pattern.search(line)
    ]
