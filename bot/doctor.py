"""`bot doctor`: looks at everything that has to be right, harmlessly, and says what to do about the rest."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from bot import probes
from bot.comms import offer as texts
from bot.config import Settings
from bot.domain.policy import Policy
from bot.policies import BadPolicy
from bot.policies import load as load_policy
from bot.ports import NotDone, TryLater, Unsure
from bot.runbooks import load as load_runbooks
from bot.slack.directory import Directory
from bot.slack.room import web_client
from bot.store import Store, StoreRefused


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `do` says what to do where it is not ok."""

    ok: bool
    what: str
    do: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Everything, in the order in which it has to be mended."""
    return [*_content(settings), *await _database(settings), *await _slack(settings)]


def _content(settings: Settings) -> list[Finding]:
    shelf = load_runbooks(settings.runbooks_dir, known_probes=frozenset(probes.PROBES))
    library = texts.load(settings.templates_dir)
    findings = [
        Finding(bool(shelf.runbooks), f"{len(shelf.runbooks)} runbooks in {settings.runbooks_dir}"),
        Finding(bool(library.templates), f"{len(library.templates)} texts in {settings.templates_dir}"),
    ]
    findings += [Finding(False, str(one), "Mend that file; the others serve.") for one in shelf.problems]
    findings += [Finding(False, str(one), "Mend that file; the others serve.") for one in library.problems]
    try:
        policy = load_policy(settings.policy_file)
        findings.append(Finding(True, f"policy: {len(policy.severities)} severities"))
        if not policy.levels:
            findings.append(
                Finding(
                    True, "policy: no escalation levels", "Set `levels`, so that an unanswered incident finds people."
                )
            )
    except BadPolicy as bad:
        findings += [Finding(False, f"policy: {one}", "Mend the policy file.") for one in bad.problems]
    return findings


async def _database(settings: Settings) -> list[Finding]:
    try:
        store = Store.open(settings.database_url, settings.chain_key.get_secret_value().encode())
    except StoreRefused as refused:
        return [Finding(False, f"database: {refused}", "Run `python -m bot migrate`.")]
    try:
        parked = await store.parked()
        findings = [Finding(True, "database: opened, of this version's shape")]
        findings += [
            Finding(False, f"parked: {one.key} of incident {one.incident_id}: {one.error}", _do(one.error))
            for one in parked
        ]
        return findings
    finally:
        await store.close()


#: Slack's codes -> what a person does about them
_ADVICE = {
    "missing_scope": "Add the scopes of manifest.yaml and reinstall the app, then `python -m bot rearm`.",
    "restricted_action": "Let this app create channels in the workspace's settings, then `python -m bot rearm`.",
    "is_archived": "Unarchive the channel in Slack, or reopen the incident elsewhere.",
    "not_in_channel": "Invite the bot into the channel, then `python -m bot rearm`.",
    "channel_not_found": "Make the channel that the policy names, then `python -m bot rearm`.",
    "token_revoked": "Install the app anew and set SLACK_BOT_TOKEN.",
    "invalid_auth": "Check SLACK_BOT_TOKEN.",
}


def _do(error: str) -> str:
    return _ADVICE.get(error, "See Slack's page on that error, mend its cause, then `python -m bot rearm`.")


async def _slack(settings: Settings) -> list[Finding]:
    try:
        policy = load_policy(settings.policy_file)
    except BadPolicy:
        policy = Policy()  # its problems are listed already; the token and the rest can still be looked at
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        client = web_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        directory = Directory(client)
        try:
            await directory.warm((policy.announcements, policy.customer_comms))
        except NotDone as refusal:
            return [Finding(False, f"slack: {refusal.code}", _do(refusal.code))]
        except (TryLater, Unsure):
            return [Finding(False, "slack: no answer", "Check the network and SLACK_API_URL.")]
    findings = [Finding(True, f"slack: team {directory.team}, {len(directory.names)} people known")]
    for name in (policy.announcements, policy.customer_comms):
        findings.append(
            Finding(bool(directory.channel(name)), f"slack: channel #{name}", "" if directory.channel(name) else _MAKE)
        )
    return findings


_MAKE = "Make that channel, or name another one in the policy file; the bot joins public ones by itself."
