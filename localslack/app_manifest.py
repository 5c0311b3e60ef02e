"""The parts of an app's manifest that the workspace acts on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Command:
    command: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True)
class Shortcut:
    name: str
    type: str
    callback_id: str
    description: str


@dataclass(frozen=True)
class AppManifest:
    """Read with `read`; names and lists as in Slack's manifest reference."""

    name: str
    bot_name: str
    commands: tuple[Command, ...]
    shortcuts: tuple[Shortcut, ...]
    scopes: frozenset[str]
    events: frozenset[str]
    home_tab: bool
    dm_read_only: bool
    metadata_types: frozenset[str]
    redirect_urls: tuple[str, ...] = ()

    @classmethod
    def read(cls, manifest: Json) -> AppManifest:
        """Take a parsed manifest; what it does not say is empty."""
        features = manifest.get("features") or {}
        home = features.get("app_home") or {}
        settings = manifest.get("settings") or {}
        oauth = manifest.get("oauth_config") or {}
        scopes = oauth.get("scopes") or {}
        subscriptions = settings.get("event_subscriptions") or {}
        name = (manifest.get("display_information") or {}).get("name") or "App"
        return cls(
            name=name,
            bot_name=(features.get("bot_user") or {}).get("display_name") or name,
            commands=tuple(
                Command(
                    each["command"],
                    each.get("description") or "",
                    each.get("usage_hint") or "",
                    bool(each.get("should_escape")),
                )
                for each in features.get("slash_commands") or []
            ),
            shortcuts=tuple(
                Shortcut(each["name"], each["type"], each["callback_id"], each.get("description") or "")
                for each in features.get("shortcuts") or []
            ),
            scopes=frozenset([*(scopes.get("bot") or []), *(scopes.get("bot_optional") or [])]),
            events=frozenset(subscriptions.get("bot_events") or []),
            home_tab=bool(home.get("home_tab_enabled")),
            dm_read_only=bool(home.get("messages_tab_read_only_enabled")),
            metadata_types=frozenset(each["event_type"] for each in subscriptions.get("metadata_subscriptions") or []),
            redirect_urls=tuple(oauth.get("redirect_urls") or ()),
        )
