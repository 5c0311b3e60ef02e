"""`bot doctor`: looks at everything that has to be right, harmlessly, and says what to do about the rest."""

from __future__ import annotations

from dataclasses import replace

import aiohttp

from bot import probes
from bot.alerts import SOURCES
from bot.clock import SystemClock
from bot.comms import catalogue
from bot.config import Settings, alert_secrets
from bot.doctor.advice import TOKEN_ADVICE, advice
from bot.doctor.database import database
from bot.doctor.finding import CheckResult
from bot.doctor.rights import check_permissions
from bot.domain.errors import StoreUnavailable
from bot.domain.policy import Policy
from bot.policies import BadPolicy
from bot.policies import load as load_policy
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.runbooks import load as load_runbooks
from bot.slack.inbound.socket_mode import disconnect_advice
from bot.slack.outbound.web_api import api_call, web_client
from bot.slack.workspace import unread
from bot.slack.workspace.directory import GROUPS_METHOD, PEOPLE_METHOD, Directory
from bot.slack.workspace.method_reads import Failure, describe_failure
from bot.slack.workspace.policy_channels import LIST_METHOD
from bot.store import StoreRefused
from bot.token_commands import list_installations


async def examine(settings: Settings) -> list[CheckResult]:
    """Everything, in the order in which a person has to fix it."""
    of_database = await database(settings, SystemClock().now())
    return [*_content(settings), *_alerts(settings), *of_database, *await _slack(settings)]


def _content(settings: Settings) -> list[CheckResult]:
    shelf = load_runbooks(settings.runbooks_dir, known_probes=frozenset(probes.PROBES))
    library = catalogue.load(settings.templates_dir)
    findings = [
        CheckResult(bool(shelf.runbooks), f"{len(shelf.runbooks)} runbooks in {settings.runbooks_dir}"),
        CheckResult(bool(library.templates), f"{len(library.templates)} texts in {settings.templates_dir}"),
    ]
    findings += [CheckResult(False, str(one), "Mend that file; the others serve.") for one in shelf.problems]
    findings += [CheckResult(False, str(one), "Mend that file; the others serve.") for one in library.problems]
    try:
        policy = load_policy(settings.policy_file)
        findings.append(CheckResult(True, f"policy: {len(policy.severities)} severities"))
        if not policy.levels:
            findings.append(
                CheckResult(
                    True, "policy: no escalation levels", "Set `levels`, so that an unanswered incident finds people."
                )
            )
    except BadPolicy as bad:
        findings += [CheckResult(False, f"policy: {one}", "Mend the policy file.") for one in bad.problems]
    return findings


def _alerts(settings: Settings) -> list[CheckResult]:
    """Who may send alerts."""
    known = alert_secrets(settings.alert_secrets)
    if not known:
        return [
            CheckResult(True, "alerts: nobody may send any", "Set ALERT_SECRETS, if your monitoring should declare.")
        ]
    findings = []
    for name, some in known.items():
        if name not in SOURCES:
            findings.append(
                CheckResult(False, f"alerts: {name} is not a source", f"Name one of: {', '.join(SOURCES)}.")
            )
            continue
        two = len(some) == 2
        do = "Take the old one out of ALERT_SECRETS once the sender has the new one." if two else ""
        findings.append(CheckResult(True, f"alerts: {name}{', two secrets are valid' if two else ''}", do))
    return findings


async def _slack(settings: Settings) -> list[CheckResult]:
    if settings.slack_bot_token is not None:
        found = await _workspace(settings, settings.slack_bot_token.get_secret_value())
        away = any(one.summary.startswith("slack: no answer") for one in found)
        return found if away else found + await _connections(settings)
    try:
        rows = await list_installations(settings)
    except (StoreRefused, StoreUnavailable) as refused:
        return [CheckResult(False, f"workspaces: {refused}", "See docs/workspaces.md."), *await _connections(settings)]
    findings = [] if rows else [CheckResult(True, "workspaces: none yet", "Open /slack/install in a browser.")]
    for row in rows:
        if row.revoked_at is not None:
            what = f"slack: team {row.team}: not installed since {row.revoked_at:%Y-%m-%d %H:%M} UTC; its duties rest"
            findings.append(CheckResult(True, what, "If that was not meant: install the bot there again."))
            continue
        findings += [
            replace(one, advice="Install the bot there again: /slack/install.") if one.advice in TOKEN_ADVICE else one
            for one in await _workspace(settings, row.token, row.team)
        ]
    return findings + await _connections(settings)


async def _workspace(settings: Settings, token: str, team: str = "") -> list[CheckResult]:
    """One workspace by its token; `team` is said where the token does not tell."""
    try:
        policy = load_policy(settings.policy_file)
    except BadPolicy:
        policy = Policy()  # its problems are listed already; the token and the rest can still be looked at
    who = f"slack: team {team}" if team else "slack"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        client = web_client(token, settings.slack_api_url, session)
        directory = Directory(client)
        try:
            await directory.warm((policy.announcements, policy.customer_comms))
        except CallRefused as refusal:
            return [CheckResult(False, f"{who}: {refusal.code}", advice(refusal.code))]
        except (RetryAfter, OutcomeUnknown) as error:
            told = f"{who}: no answer to auth.test: it {describe_failure(error)}"
            return [CheckResult(False, told, "Check the network and SLACK_API_URL.")]
        allowed = await check_permissions(client, who, directory.channel(policy.announcements), policy.announcements)
    findings = [CheckResult(True, f"slack: team {directory.team}, {len(directory.names)} people known")]
    findings += [_unread(who, method, failure) for method, failure in directory.reads.failures.items()]
    if not directory.reads.failures:
        findings += [
            CheckResult(False, f"{who}: {one}", _NOBODY_ADVICE) for one in unread.missing_people(directory, policy)
        ]
    for name in (policy.announcements, policy.customer_comms) if LIST_METHOD in directory.reads.known else ():
        findings.append(
            CheckResult(
                bool(directory.channel(name)),
                f"{who}: channel #{name}",
                "" if directory.channel(name) else _CHANNEL_ADVICE,
            )
        )
    return findings + allowed


def _unread(who: str, method: str, failure: Failure) -> CheckResult:
    """A method with which the bot learns who is who, and what Slack answered instead."""
    if failure.code == "missing_scope":
        told = f"{who}: {method}: missing_scope; add the scope {' and '.join(READ_SCOPES[method])}"
        return CheckResult(False, told, advice(failure.code))
    do = "The bot starts without it, and asks again by itself."
    return CheckResult(
        False, f"{who}: {method}: {failure.code or failure.text}", advice(failure.code) if failure.code else do
    )


async def _connections(settings: Settings) -> list[CheckResult]:
    """Socket Mode: whether Slack takes the app's token, and what the running bot says of its connections."""
    if settings.slack_mode != "socket" or settings.slack_app_token is None:
        return []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        client = web_client(settings.slack_app_token.get_secret_value(), settings.slack_api_url, session)
        try:
            # The address is good for one connection, which nobody makes: it expires.
            await api_call(client, "apps.connections.open")
        except CallRefused as refusal:
            advice = disconnect_advice(refusal.code)
            return [CheckResult(False, f"socket mode: {refusal.code}", f"{advice[:1].upper()}{advice[1:]}.")]
        except (RetryAfter, OutcomeUnknown):
            return [CheckResult(False, "socket mode: no answer", "Run this again in a minute.")]
        findings = [CheckResult(True, "socket mode: Slack takes the app's token")]
        if settings.port:
            findings.append(await _running(session, settings))
        return findings


async def _running(session: aiohttp.ClientSession, settings: Settings) -> CheckResult:
    """The connections of the bot that runs on this machine with these settings, if there is one."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - asked, not bound
    where = f"{host}:{settings.port}"
    try:
        async with session.get(f"http://{where}/readyz") as response:
            ready = await response.json()
            standing, wanted = int(ready["slack_connections"]), int(ready["slack_connections_wanted"])
            problem = next((str(one) for one in ready["problems"] if str(one).startswith("slack: ")), "")
    except (OSError, TimeoutError, aiohttp.ClientError):
        return CheckResult(True, f"running bot: none answers on {where}", "`python -m bot run` starts it.")
    except (ValueError, TypeError, KeyError):
        return CheckResult(False, f"running bot: something else answers on {where}", "Set PORT to one that is free.")
    if not standing:
        return CheckResult(False, f"running bot: {problem or 'slack: not connected'}", "It goes on trying by itself.")
    return CheckResult(True, f"running bot: {standing} of {wanted} connections to Slack stand")


#: method of the directory -> the scopes that it needs
READ_SCOPES = {
    PEOPLE_METHOD: ("users:read",),
    GROUPS_METHOD: ("usergroups:read",),
    LIST_METHOD: ("channels:read", "groups:read"),
}
_NOBODY_ADVICE = "Make that group, or name another one in the policy file; it counts as soon as it is there."
_CHANNEL_ADVICE = "Make that channel, or name another one in the policy file; the bot joins public ones by itself."

__all__ = ["CheckResult", "examine"]
