"""The sentences about texts for customers: drafts, approvals, and what became of each text."""

from __future__ import annotations

from bot.slack.surfaces.text import capitalized, escape_line, with_full_stop

AUDIENCES = {"customers": "Customers", "status-page": "Status page", "internal": "Internal"}


def audience(key: str) -> str:
    """Who a text is for; an audience that is not known as it was written."""
    return AUDIENCES.get(key) or escape_line(key)


COMMS = "*Comms* · each text is in the thread"
NOTHING_SAID = "Nothing has been said to customers from here."


def draft_head(audience: str, template: str, stage: str, who: str) -> str:
    return f"*{audience}* · {template} · {stage} · by {who}"


DRAFT_STATE = {
    "drafted": "waits for approval",
    "approved": "approved, on its way",
    "sending": "being sent",
    "published": "sent",
    "uncertain": "nobody knows whether it was sent",
    "failed": "not sent",
    "discarded": "discarded",
    "lapsed": "expired",
    "replaced": "replaced by a newer draft",
}
BY_HAND = "approved; a person posts it"
LAST_SAID = "This is what was said last."


def draft_line(audience: str, stage: str, state: str, when: str) -> str:
    return f"{audience}, {stage}: {state}" + (f", {when}" if when else "")


def removed_by_scrubber(what: str) -> str:
    return with_full_stop(capitalized(what))


def scrubber_findings(what: str) -> str:
    return f"Look at: {what}"


def tone_findings(what: str) -> str:
    return f"Tone: {what}"


def promised(when: str) -> str:
    return f"Promises the next text by {when}"


def expires(when: str, whos: str) -> str:
    return f"Expires {when}" + (f" · {whos} may approve" if whos else "")


def expires_for_one(when: str, others: str) -> str:
    return f"Expires {when}" + (f" · {others} may approve too" if others else "")


def approve_direct(name: str, who: str, audience: str) -> str:
    return f"{name}: {who} asks you to approve a text to {audience}. It becomes public as it stands here."


def draft_difference(added: list[str], dropped: list[str]) -> str:
    parts = [f"New since you last approved: {'; '.join(added)}"] if added else []
    parts += [f"No longer in it: {'; '.join(dropped)}"] if dropped else []
    return "\n".join(parts) or "Word for word what you approved last."


def approved(who: str, when: str) -> str:
    return f"Approved by {who}, {when}."


def approved_direct(name: str, audience: str, when: str) -> str:
    return f"{name}: you approved the text to {audience}, {when}."


def published(where: str, when: str, drafter: str, approver: str) -> str:
    return f"Sent to {where} {when}; written by {drafter}, approved by {approver}."


def draft_over(audience: str, stage: str, state: str, reason: str) -> str:
    return with_full_stop(f"{audience}, {stage}: {state}" + (f": {reason}" if reason else ""))


def uncertain(to: str, audience: str) -> str:
    return (
        f"{to}the text to {audience} was being sent when the connection was lost: it may be public and may not. "
        "I do not repeat it. Please look there and say."
    )


def by_hand(to: str, audience: str, private: bool) -> str:
    why = "the incident is private, so I announce nothing" if private else "I cannot post there"
    return f"{to}the text ({audience}) is approved, and {why}. Please post exactly this by hand, and say so."


def failed(to: str, audience: str, why: str) -> str:
    return (
        f"{to}the text to {audience} was certainly not sent: {with_full_stop(why)} Write it again, or post it by hand."
    )
