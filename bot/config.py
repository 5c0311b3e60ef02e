"""Settings from the environment, typed once and handed in. The only reader of the environment."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
#: characters; a shorter secret cannot be blanked without blanking ordinary words
_MIN_HIDDEN_CHARS = 6
#: characters; a shorter secret of an alert sender could be guessed
_MIN_ALERT_SECRET_CHARS = 16
#: characters; a shorter part of an endpoint's path is a word ("testnet"), not a key
_MIN_URL_KEY_CHARS = 12


class Settings(BaseSettings):
    """Everything that can be set. Each field's description is its line in docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix="", env_file=".env", extra="ignore", populate_by_name=True)

    slack_mode: Literal["socket", "http"] = Field("socket", description="How Slack reaches the bot: socket or http.")
    slack_client_id: str = Field(
        "", description="The app's client id, from “Basic Information”. Set: workspaces install the bot by OAuth."
    )
    slack_bot_token: SecretStr | None = Field(
        None,
        validate_default=True,
        description="The bot's token, xoxb-…, from “Install App”. One workspace needs it; with OAuth it is not set.",
    )
    slack_app_token: SecretStr | None = Field(
        None,
        validate_default=True,
        description="The app-level token, xapp-…, with connections:write. Socket Mode needs it.",
    )
    slack_signing_secret: SecretStr | None = Field(
        None,
        validate_default=True,
        description="From “Basic Information”. Signed HTTP needs it. "
        "While it is changed: the new one, a comma, the old.",
    )
    slack_client_secret: SecretStr | None = Field(
        None, validate_default=True, description="From “Basic Information”. OAuth needs it."
    )
    slack_redirect_url: str = Field(
        "", description="Where Slack sends people back: https://…/slack/oauth_redirect. None: the app's first one."
    )
    slack_authorize_url: str = Field(
        "https://slack.com/oauth/v2/authorize", description="Where an installation begins; tests set their own."
    )
    slack_workspaces: str = Field(
        "", description="Ids (T…) of the workspaces that may install the bot, separated by commas. None: any."
    )
    token_keys: SecretStr | None = Field(
        None,
        validate_default=True,
        description="OAuth needs it: Fernet keys, separated by commas, kept outside the database. The first encrypts "
        "the workspaces' tokens, each decrypts. `python -m bot tokens key` makes one.",
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Where the Web API is; the demo sets its own.")
    slack_timeout: float = Field(10, gt=0, description="Seconds to wait for an answer of Slack's before looking again.")
    slack_command: str = Field("/incident", description="The slash command, as in the manifest.")
    socket_connections: int = Field(
        2, ge=1, le=10, description="Socket Mode: connections of this process; Slack allows an app 10 in all."
    )
    alert_secrets: SecretStr | None = Field(
        None,
        description="Who may send alerts: source=secret, separated by commas. While a secret is changed: its source "
        "twice. None: no alerts are taken.",
    )
    alert_workspace: str = Field(
        "", validate_default=True, description="With OAuth: the id (T…) of the workspace in which alerts are heard."
    )
    database_url: str = Field("sqlite:///var/incidents.sqlite", description="Where the timeline is kept.")
    backup_dir: Path | None = Field(
        None, description="The folder of backups: where `bot backup` writes, and `bot doctor` looks how old they are."
    )
    lease_seconds: float = Field(
        10, gt=0, description="Seconds after which the work of a replica that died is taken over; for development."
    )
    chain_key: SecretStr = Field(
        description="At least 32 characters, kept outside the database: the timeline is chained with it. "
        "`python -c 'import secrets; print(secrets.token_hex(32))'` makes one."
    )
    runbooks_dir: Path = Field(ROOT / "runbooks", description="The folder of runbooks, best a checkout of git.")
    templates_dir: Path = Field(ROOT / "comms_templates", description="The folder of customer texts.")
    policy_file: Path | None = Field(None, description="The team's policy (TOML); none: the shipped defaults.")
    horizon_urls: str = Field(
        "",
        description="Horizon endpoints for `check horizon`: name=url, separated by commas. None is assumed.",
    )
    rpc_urls: str = Field("", description="Stellar RPC endpoints, in the same form.")
    probe_private_hosts: str = Field(
        "",
        description="Names of endpoints' hosts that may lead to private addresses, separated by commas. "
        "An address written out in a setting needs no naming here.",
    )
    stellar_network: str = Field(
        "Public Global Stellar Network ; September 2015", description="The passphrase that endpoints must answer with."
    )
    host: str = Field(
        "127.0.0.1", description="The address to listen on: health, metrics, alerts, and Slack over HTTP."
    )
    port: int = Field(3000, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    clock_url: str = Field("", description="For development: follow this clock instead of the machine's.")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        scheme, _, rest = value.partition("://")
        kind = scheme.partition("+")[0]
        kind = "postgresql" if kind == "postgres" else kind
        if kind not in ("sqlite", "postgresql") or (kind == "sqlite" and not rest.startswith("/")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return f"{kind}://{rest}"

    @field_validator("chain_key")
    @classmethod
    def _long_key(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        oauth = bool(info.data.get("slack_client_id"))
        if value is None or (oauth and not _given(value)):
            if not oauth:
                raise ValueError(f"is missing ({cls.model_fields['slack_bot_token'].description})")
            return None
        if oauth:
            raise ValueError("is set together with SLACK_CLIENT_ID: the bot serves one workspace, or those by OAuth")
        if not value.get_secret_value().startswith("xoxb-"):
            raise ValueError("must be a bot token, which begins with xoxb-")
        return value

    @field_validator("runbooks_dir", "templates_dir")
    @classmethod
    def _folder(cls, value: Path) -> Path:
        if not value.is_dir():
            raise ValueError(f"{value} is not a folder")
        return value

    @field_validator("policy_file")
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"{value} is not a file")
        return value

    @field_validator("horizon_urls", "rpc_urls")
    @classmethod
    def _endpoints(cls, value: str) -> str:
        endpoints(value)
        return value

    @field_validator("slack_signing_secret")
    @classmethod
    def _two_at_most(cls, value: SecretStr | None) -> SecretStr | None:
        parts = [part.strip() for part in value.get_secret_value().split(",")] if value is not None else []
        if len(parts) > 2 or (len(parts) == 2 and not all(parts)):
            raise ValueError("holds one secret, or two with a comma between them")
        return value

    @field_validator("alert_secrets")
    @classmethod
    def _senders(cls, value: SecretStr | None) -> SecretStr | None:
        alert_secrets(value)
        return value

    @field_validator("alert_workspace")
    @classmethod
    def _which(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("slack_client_id") and _given(info.data.get("alert_secrets")) and not value.strip():
            raise ValueError("is missing: with OAuth the bot has to know where ALERT_SECRETS' alerts belong")
        return value.strip()

    @field_validator("slack_client_secret", "token_keys")
    @classmethod
    def _needed_by_oauth(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("slack_client_id") and not _given(value):
            raise ValueError("is missing: SLACK_CLIENT_ID needs it")
        return value

    @field_validator("token_keys")
    @classmethod
    def _fernet_keys(cls, value: SecretStr | None) -> SecretStr | None:
        for part in value.get_secret_value().split(",") if value is not None and _given(value) else ():
            try:
                fit = len(base64.urlsafe_b64decode(part.strip())) == 32
            except ValueError:
                fit = False
            if not fit:
                raise ValueError("has a part that is not a Fernet key; `python -m bot tokens key` makes one")
        return value

    @field_validator("slack_redirect_url", "slack_authorize_url")
    @classmethod
    def _page(cls, value: str) -> str:
        parts = urlsplit(value)
        here = parts.hostname in ("127.0.0.1", "localhost")
        if value and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and here))):
            raise ValueError("must begin with https://")
        return value

    @field_validator("slack_app_token", "slack_signing_secret")
    @classmethod
    def _needed_by_mode(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        needed = {"socket": "slack_app_token", "http": "slack_signing_secret"}.get(info.data.get("slack_mode", ""))
        if info.field_name == needed and not _given(value):
            raise ValueError(f"is missing: SLACK_MODE {info.data['slack_mode']} needs it")
        return value


def alert_secrets(secrets: SecretStr | None) -> dict[str, tuple[str, ...]]:
    """`alertmanager=…, generic=…` as each source's secrets, one, or two while it is changed. Raises Misconfigured."""
    found: dict[str, tuple[str, ...]] = {}
    for part in (piece.strip() for piece in secrets.get_secret_value().split(",")) if secrets else ():
        name, given, secret = (one.strip() for one in part.partition("="))
        if not part:
            continue
        if not given or not re.fullmatch("[a-z0-9-]{1,40}", name):
            raise Misconfigured(["has a part that is not of the form source=secret"])
        if len(secret) < _MIN_ALERT_SECRET_CHARS:
            raise Misconfigured([f"has a secret of {name} with fewer than {_MIN_ALERT_SECRET_CHARS} characters"])
        if len(found.get(name, ())) == 2:
            raise Misconfigured([f"names {name} more than twice: one secret, or two while it is changed"])
        found[name] = (*found.get(name, ()), secret)
    return found


def _given(secret: SecretStr | None) -> bool:
    return secret is not None and bool(secret.get_secret_value().strip())


def signing_secrets(settings: Settings) -> tuple[str, ...]:
    """The secrets with which Slack may sign: none, one, or two while it is being changed."""
    secret = settings.slack_signing_secret
    return tuple(part.strip() for part in secret.get_secret_value().split(",") if part.strip()) if secret else ()


def secrets_to_hide(settings: Settings) -> tuple[str, ...]:
    """Everything in the settings that nobody may read in a log, longest first.

    That is secrets and each part of a list of them, and passwords in addresses. It is also what stands behind an
    endpoint's host, because providers put their keys there.
    """
    found: set[str] = set()
    for value in (getattr(settings, name) for name in Settings.model_fields):
        if isinstance(value, SecretStr):
            whole = value.get_secret_value()
            parts = [part.strip() for part in whole.split(",")]
            # A list of secrets, or one that happens to have a comma in it.
            found.update(parts if all(re.fullmatch(r"\S{8,}", part) for part in parts) else ())
            found.add(whole)
    found.update(secret for some in alert_secrets(settings.alert_secrets).values() for secret in some)
    asked = [url for _, url in (*endpoints(settings.horizon_urls), *endpoints(settings.rpc_urls))]
    for url in (settings.database_url, *asked):
        password = urlsplit(url).password or ""
        found.update((password, unquote(password), *parse_qs(urlsplit(url).query).get("password", ())))
    for address in map(urlsplit, asked):
        found.update(
            one
            for one in (*address.path.split("/"), *re.split("[=&]", address.query))
            if len(one) >= _MIN_URL_KEY_CHARS
        )
    return tuple(sorted((one for one in found if len(one) >= _MIN_HIDDEN_CHARS), key=lambda one: (-len(one), one)))


class Misconfigured(ValueError):
    """The settings do not let the bot start; `problems` has one line each. A ValueError, so that pydantic takes it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read() -> Settings:
    """The settings of this process. Raises Misconfigured with every problem at once, and no secret in it."""
    try:
        return Settings()
    except ValidationError as error:
        problems = []
        for one in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in one["loc"]).upper()
            reason = "is missing" if one["type"] == "missing" else str(one["msg"]).removeprefix("Value error, ")
            field = Settings.model_fields.get(name.lower())
            hint = f" ({field.description})" if field and one["type"] == "missing" else ""
            problems.append(f"{name} {reason}{hint}" if name else reason)
        raise Misconfigured(problems) from None


def endpoints(text: str) -> tuple[tuple[str, str], ...]:
    """`a=https://x, b=https://y` as pairs; a bare URL is named by its host. Raises Misconfigured on anything else."""
    pairs = []
    for part in (piece.strip() for piece in text.split(",")):
        if not part:
            continue
        name, given, url = part.partition("=")
        if not given or "://" in name:
            name, url = urlsplit(part).hostname or "", part
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or not name.strip():
            raise Misconfigured([f"an endpoint is not of the form name=https://host/path: {name.strip()[:40] or '?'}"])
        pairs.append((name.strip(), url.strip()))
    return tuple(pairs)
