"""Installing the app: the OAuth codes, the tokens and what each may do (docs: authentication/installing-with-oauth)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from localslack import team_members
from localslack.errors import SlackError
from localslack.records import Json
from localslack.workspace import Workspace

CODE_SECONDS = 600.0  # SR-OAU-02
APP_SCOPES = frozenset({"connections:write", "authorizations:read"})


@dataclass
class Grant:
    """What a bot token stands for. `revoked` once auth.revoke was called with it (SR-OAU-06)."""

    workspace: Workspace
    scopes: frozenset[str]
    revoked: bool = False


@dataclass
class Code:
    workspace: Workspace
    user: str
    scopes: frozenset[str]
    redirect_uri: str
    until: float


@dataclass
class Install:
    """The app's credentials and installations. One bot token for each workspace (SR-OAU-05)."""

    workspaces: list[Workspace]
    now: Callable[[], float]
    app_token: str
    client_id: str = field(default_factory=lambda: f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**12)}")
    client_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    grants: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)

    def grant(self, workspace: Workspace, scopes: frozenset[str]) -> str:
        """Install the app; the bot's token. A workspace that has it installed keeps its token, with more scopes."""
        for token, known in self.grants.items():
            if known.workspace is workspace and not known.revoked and workspace.world.installed:
                known.scopes |= scopes
                return token
        for known in self.grants.values():
            # What the app was given before it was uninstalled does not come back to life.
            known.revoked |= known.workspace is workspace
        token = f"xoxb-{secrets.randbelow(10**12):012d}-{secrets.token_hex(12)}"
        self.grants[token] = Grant(workspace, scopes)
        workspace.world.installed = True
        return token

    def team(self, team_id: str) -> Workspace | None:
        return next((each for each in self.workspaces if each.team_id == team_id), None)

    def new_code(self, workspace: Workspace, user: str, scopes: frozenset[str], redirect_uri: str) -> str:
        code = f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**12)}.{secrets.token_hex(32)}"
        self.codes[code] = Code(workspace, user, scopes, redirect_uri, self.now() + CODE_SECONDS)
        return code

    def exchange(self, client_id: str, client_secret: str, code: str, redirect_uri: str) -> Json:
        """oauth.v2.access (SR-OAU-01 to SR-OAU-05). Raises SlackError."""
        if client_id != self.client_id:
            raise SlackError("invalid_client_id")
        if not secrets.compare_digest(client_secret.encode(), self.client_secret.encode()):
            raise SlackError("bad_client_secret")
        # Taken out at once: a code serves one attempt, a bad one too.
        found = self.codes.pop(code, None)
        if found is None or self.now() > found.until:
            raise SlackError("invalid_code")
        if found.redirect_uri and redirect_uri != found.redirect_uri:
            raise SlackError("bad_redirect_uri")
        world = found.workspace.world
        token = self.grant(found.workspace, found.scopes)
        return {
            "app_id": world.app_id,
            "authed_user": {"id": found.user},
            "scope": ",".join(sorted(self.grants[token].scopes)),
            "token_type": "bot",
            "access_token": token,
            "bot_user_id": world.bot.id,
            "team": {"id": world.team_id, "name": world.team_name},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def revoke(self, token: str) -> None:
        """auth.revoke: the token is worth nothing any more, and as it is the only one, the app is uninstalled."""
        grant = self.grants[token]
        team_members.uninstall(grant.workspace.world)
        grant.revoked = True
