"""Settings from the environment, typed once and handed in. The only reader of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Everything that can be set. Each field's description is its line in docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix="", env_file=".env", extra="ignore", populate_by_name=True)

    slack_mode: Literal["socket", "http"] = Field("socket", description="How Slack reaches the bot: socket or http.")
    slack_bot_token: SecretStr = Field(description="The bot's token, xoxb-…, from “Install App”.")
    slack_app_token: SecretStr | None = Field(
        None,
        validate_default=True,
        description="The app-level token, xapp-…, with connections:write. Socket Mode needs it.",
    )
    slack_signing_secret: SecretStr | None = Field(
        None, validate_default=True, description="From “Basic Information”. Signed HTTP needs it."
    )
    slack_api_url: str = Field("https://slack.com/api/", description="Where the Web API is; the demo sets its own.")
    slack_timeout: float = Field(10, gt=0, description="Seconds to wait for an answer of Slack's before looking again.")
    slack_command: str = Field("/incident", description="The slash command, as in the manifest.")
    database_url: str = Field("sqlite:///var/incidents.sqlite", description="Where the timeline is kept.")
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
    stellar_network: str = Field(
        "Public Global Stellar Network ; September 2015", description="The passphrase that endpoints must answer with."
    )
    host: str = Field("127.0.0.1", description="The address to listen on: health, metrics, and Slack over HTTP.")
    port: int = Field(3000, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    clock_url: str = Field("", description="For development: follow this clock instead of the machine's.")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "sqlite+aiosqlite:///")):
            raise ValueError("must begin with sqlite:/// (PostgreSQL comes later)")
        return value.replace("sqlite+aiosqlite:///", "sqlite:///")

    @field_validator("chain_key")
    @classmethod
    def _long_key(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @field_validator("slack_bot_token")
    @classmethod
    def _bot_token(cls, value: SecretStr) -> SecretStr:
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
        try:
            endpoints(value)
        except Misconfigured as wrong:
            raise ValueError(str(wrong)) from None
        return value

    @field_validator("slack_app_token", "slack_signing_secret")
    @classmethod
    def _needed_by_mode(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        needed = {"socket": "slack_app_token", "http": "slack_signing_secret"}.get(info.data.get("slack_mode", ""))
        if info.field_name == needed and not _given(value):
            raise ValueError(f"is missing: SLACK_MODE {info.data['slack_mode']} needs it")
        return value


def _given(secret: SecretStr | None) -> bool:
    return secret is not None and bool(secret.get_secret_value())


class Misconfigured(Exception):
    """The settings do not let the bot start; `problems` has one line each."""

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
