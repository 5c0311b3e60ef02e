"""Whether Slack signed a request: https://docs.slack.dev/authentication/verifying-requests-from-slack."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

#: seconds by which a request's time may differ from ours
MAX_TIMESTAMP_SKEW_SECONDS = 300


def is_valid_signature(secrets: Sequence[str], timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Whether exactly this body was signed with one of the secrets within the last five minutes.

    Either way, for clocks that differ. `body` is what came over the wire: nothing of it has been parsed yet. While a
    secret is changed two are valid; every one of them is compared, in constant time, whichever fits.
    """
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now - int(timestamp)) > MAX_TIMESTAMP_SKEW_SECONDS:
        return False
    said = signature.encode("utf-8", "replace")
    signed = b"v0:" + timestamp.encode() + b":" + body
    fits = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        fits = (hmac.compare_digest(b"v0=" + digest.encode(), said) and bool(secret)) or fits
    return fits
