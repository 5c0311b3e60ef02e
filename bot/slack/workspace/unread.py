"""What the bot does without, because Slack has not told it or because it is not there: a sentence for each."""

from __future__ import annotations

from bot.domain.policy import Policy
from bot.slack.workspace import policy_channels
from bot.slack.workspace.directory import GROUPS_METHOD, PEOPLE_METHOD, Directory

#: method -> (what holds where it was read before, what holds where it never was)
_CONSEQUENCES = {
    PEOPLE_METHOD: (
        "people are as Slack told of them last",
        "people are asked about one by one, and somebody in a group may not be called yet",
    ),
    GROUPS_METHOD: (
        "user groups are as Slack told of them last",
        "nobody is called from a user group yet, and whoever needs one of them to act is told to wait",
    ),
    policy_channels.LIST_METHOD: (
        "channels are as Slack told of them last",
        "it is not known yet which channels the policy means",
    ),
}


def missing(directory: Directory, policy: Policy) -> list[str]:
    """Sentences for whoever runs the bot; empty when all is there. Nobody is asked."""
    reads = directory.reads
    found = [
        f"{method} {reads.failures[method].text}: {known if method in reads.known else unknown}; it is asked again"
        for method, (known, unknown) in _CONSEQUENCES.items()
        if method in reads.failures
    ]
    if policy_channels.LIST_METHOD in reads.known:
        found += _missing_channels(directory, policy)
    return [*found, *missing_people(directory, policy)]


def missing_people(directory: Directory, policy: Policy) -> list[str]:
    """Users and groups of policy that are not there, as far as Slack has told of all of them."""
    if not {PEOPLE_METHOD, GROUPS_METHOD} <= directory.reads.known - directory.reads.failures.keys():
        return []
    return [f"{one} of the policy is no user group or person here" for one in directory.nobody(policy.named)]


def _missing_channels(directory: Directory, policy: Policy) -> list[str]:
    used_for = {
        policy.announcements: "incidents are announced as soon as there is one",
        policy.customer_comms: "customer texts cannot be posted until there is one",
    }
    return [
        f"no channel is called #{name}: {used_for[name]}" for name in directory.missing_channels if name in used_for
    ]
