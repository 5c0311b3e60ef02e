"""Installing the bot into a workspace: to Slack's consent page and back (https://docs.slack.dev/authentication/installing-with-oauth).

Whoever comes back shows the `state` that they were sent with and the cookie that was set beside it. Both stand, hashed,
in the database, so that another replica can take the redirect. They serve once, within ten minutes.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from yarl import URL

from bot.domain.errors import StoreUnavailable
from bot.ports import CallRefused, Clock, Installation, Installations, OutcomeUnknown, RetryAfter

log = structlog.get_logger(__name__)

INSTALL_PATH, REDIRECT_PATH = "/slack/install", "/slack/oauth_redirect"
STATE_COOKIE, STATE_COOKIE_SECONDS = "incident_commander_install", 600
#: characters of anything that comes with the redirect; Slack's codes have about 100
MAX_PARAMETER_CHARS = 1000
_TEAM = re.compile(r"T[A-Z0-9]{5,30}")
_CODE = re.compile(r"[a-z0-9_]{1,60}")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Incident Commander</title></head>
<body><main><h1>{head}</h1><p>{text}</p>{again}</main></body></html>
"""
_INSTALL_LINK = f'<p><a href="{INSTALL_PATH}">Install it</a></p>'
#: nothing but the words: no script, no style, no form, nothing from elsewhere, in nobody's frame
_CONTENT_SECURITY_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

#: Slack's word -> what it means to whoever installs
_OAUTH_ERROR_TEXTS = {
    "invalid_code": "Slack does not take that code any more. Please begin again.",
    "code_already_used": "That code was used already. Please begin again.",
    "bad_redirect_uri": "SLACK_REDIRECT_URL is not the address that the app has. Whoever runs the bot can fix that.",
    "invalid_client_id": "Slack does not know SLACK_CLIENT_ID. Whoever runs the bot can fix that.",
    "bad_client_secret": "SLACK_CLIENT_SECRET is not the app's. Whoever runs the bot can fix that.",
}


class InstallationRejected(Exception):
    """The workspace cannot be served; the message is for whoever installs."""


@dataclass(frozen=True)
class OAuthApp:
    """Ours, as Slack knows it. `redirect_uri` "": the first one that the app has; `allowed_teams` empty: any
    workspace.
    """

    client_id: str
    scopes: str
    authorize_url: str
    redirect_uri: str
    allowed_teams: frozenset[str] = frozenset()


#: turns a code into Slack's answer about the installation. Raises CallRefused, RetryAfter, OutcomeUnknown
ExchangeCode = Callable[[str], Awaitable[Mapping[str, Any]]]
#: a workspace was installed; whether it is served already
OnInstalled = Callable[[str], Awaitable[bool]]


class OAuthEndpoint:
    """The two addresses."""

    def __init__(
        self, app: OAuthApp, exchange: ExchangeCode, installed: OnInstalled, installations: Installations, clock: Clock
    ) -> None:
        self._app = app
        self._exchange = exchange
        self._installed = installed
        self._installations = installations
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """What the site serves. No HEAD: looking must not use anything up."""
        return [
            web.get(INSTALL_PATH, self._redirect_to_slack, allow_head=False),
            web.get(REDIRECT_PATH, self._oauth_redirect, allow_head=False),
        ]

    async def _redirect_to_slack(self, request: web.Request) -> web.Response:
        """Send somebody to Slack. `?team=T…` asks for one workspace."""
        team = request.query.get("team", "")
        if team and not _TEAM.fullmatch(team):
            return _page(400, "That is not a workspace", "Its id begins with T.")
        state, cookie = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        try:
            if not await self._installations.save_oauth_state(state, cookie, team, self._clock.now()):
                return _page(503, "Too many at once", "Please try again in some minutes.")
        except StoreUnavailable:
            return _page(503, "Not now", "The bot's database cannot be reached. Please try again later.")
        asked = {"client_id": self._app.client_id, "scope": self._app.scopes, "state": state}
        asked |= {"redirect_uri": self._app.redirect_uri} if self._app.redirect_uri else {}
        asked |= {"team": team} if team else {}
        answer = web.Response(status=302, headers={"Location": str(URL(self._app.authorize_url).update_query(asked))})
        # Lax: the browser shows it when Slack sends people back. Secure wherever people come by TLS.
        answer.set_cookie(
            STATE_COOKIE, cookie, max_age=STATE_COOKIE_SECONDS, path="/slack", httponly=True, samesite="Lax",
            secure=not self._app.redirect_uri.startswith("http://"),
        )  # fmt: skip
        return answer

    async def _oauth_redirect(self, request: web.Request) -> web.Response:
        """Slack sent somebody back, with a code or with why there is none."""
        try:
            answer = await self._complete_installation(request)
        except InstallationRejected as why:
            answer = _page(400, "Nothing was installed", str(why), again=True)
        except CallRefused as refusal:
            code = refusal.code if _CODE.fullmatch(refusal.code) else "unknown"
            log.warning("install.refused", code=code)
            said = _OAUTH_ERROR_TEXTS.get(code, f"Slack refused it ({code}). Please begin again.")
            answer = _page(400, "Nothing was installed", said, again=True)
        except (RetryAfter, OutcomeUnknown):
            answer = _page(502, "Slack does not answer", "Please begin again in a minute.", again=True)
        except StoreUnavailable:
            answer = _page(503, "Not kept", "The database cannot be reached. Please begin again later.", again=True)
        answer.del_cookie(STATE_COOKIE, path="/slack")
        return answer

    async def _complete_installation(self, request: web.Request) -> web.Response:
        state, code, cookie = (
            request.query.get("state", ""), request.query.get("code", ""), request.cookies.get(STATE_COOKIE, "")
        )  # fmt: skip
        wanted = None
        if state and cookie and max(len(state), len(code), len(cookie)) <= MAX_PARAMETER_CHARS:
            wanted = await self._installations.consume_oauth_state(state, cookie, self._clock.now())
        if wanted is None:
            raise InstallationRejected(
                "This address was used already, is older than ten minutes, or began in another browser. "
                "Please begin again."
            )
        if error := request.query.get("error", ""):
            if error == "access_denied":
                raise InstallationRejected("You cancelled at Slack.")
            raise CallRefused(error)
        if not code:
            raise InstallationRejected("Slack sent no code. Please begin again.")
        given = await self._exchange(code)
        new = self._checked_installation(given, wanted)
        await self._installations.save(new)
        log.info("install.done", team=new.team, by=new.installed_by)
        served = await self._installed(new.team)
        name = str((given.get("team") or {}).get("name") or new.team)
        then = "Type /incident in any channel." if served else "It begins to answer in a minute."
        return _page(200, "Incident Commander is installed", f"In {name}. {then}")

    def _checked_installation(self, given: Mapping[str, Any], wanted: str) -> Installation:
        """What Slack said, checked. Raises NotInstalled."""
        team = given.get("team") or {}
        id, token = str(team.get("id") or ""), str(given.get("access_token") or "")
        if given.get("is_enterprise_install") or not id:
            raise InstallationRejected("The bot is installed into single workspaces, not into a whole organisation.")
        if wanted and id != wanted:
            raise InstallationRejected(
                "You chose another workspace than the one of the link. Remove the app there again."
            )
        if self._app.allowed_teams and id not in self._app.allowed_teams:
            log.warning("install.stranger", team=id)
            raise InstallationRejected(
                "That workspace may not install this bot, so nothing was kept. Remove the app there again."
            )
        if given.get("refresh_token") or not token.startswith("xoxb-"):
            raise InstallationRejected(
                "Slack gave a token that expires. Token rotation has to be switched off for this app."
            )
        return Installation(
            team=id, token=token, bot_user=str(given.get("bot_user_id") or ""), scopes=str(given.get("scope") or ""),
            installed_by=str((given.get("authed_user") or {}).get("id") or ""), installed_at=self._clock.now(),
            enterprise=str((given.get("enterprise") or {}).get("id") or ""),
        )  # fmt: skip


def _page(status: int, head: str, text: str, again: bool = False) -> web.Response:
    body = _PAGE.format(head=html.escape(head), text=html.escape(text), again=_INSTALL_LINK if again else "")
    headers = {
        "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(status=status, text=body, content_type="text/html", headers=headers)
