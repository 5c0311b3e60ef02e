"""Slack's codes for a definite no, and what a person does about each (https://docs.slack.dev/reference/methods)."""

from __future__ import annotations

from bot.reconciler.delivery_state import LOOKUP_REFUSED_PREFIX

_CONTENTS = "Slack does not take what it would say; it is tried again when that changes. Please report it."
#: for what Slack gives no sign of
_TRIED = "it is tried again by itself, at once by `python -m bot rearm`."
_INSTALL = "Install the app anew and set SLACK_BOT_TOKEN."

ADVICE = {
    "missing_scope": f"Add the scopes of manifest.yaml and reinstall the app; {_TRIED}",
    "restricted_action": f"Let this app create channels in the workspace's settings; {_TRIED}",
    "is_archived": "Unarchive the channel in Slack; it goes on then.",
    "not_in_channel": "Invite the bot into the channel; it goes on then.",
    "channel_not_found": f"Make the channel that the policy names; {_TRIED}",
    "invalid_blocks": _CONTENTS,
    "invalid_blocks_format": _CONTENTS,
    "msg_too_long": _CONTENTS,
    "msg_blocks_too_long": _CONTENTS,
    "token_revoked": _INSTALL,
    "account_inactive": _INSTALL,
    "invalid_auth": "Check SLACK_BOT_TOKEN.",
}


def advice(error: str) -> str:
    """What to do about one; also where the bot could not look whether something was done."""
    known = ADVICE.get(error.removeprefix(LOOKUP_REFUSED_PREFIX))
    return known or f"See Slack's page on that error and fix its cause; {_TRIED}"
