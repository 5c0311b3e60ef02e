"""Settings: every problem at once, in words, and never a secret among them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.config import Misconfigured, Settings, alert_secrets, endpoints, read, secrets_to_hide

GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-1-secret-of-the-tests",
    "SLACK_APP_TOKEN": "xapp-1-secret-of-the-tests",
    "CHAIN_KEY": "k" * 32,
}
NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of the machine's, and no .env file."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    yield


def problems(monkeypatch: pytest.MonkeyPatch, **changed: str | None) -> list[str]:
    """What `read` complains about with the good settings, some of them changed or (None) left out."""
    for name, value in {**GOOD, **changed}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    try:
        read()
    except Misconfigured as wrong:
        assert str(wrong) == "\n".join(wrong.problems)
        return wrong.problems
    return []


def test_the_least_that_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(monkeypatch) == []
    settings = read()
    assert (settings.slack_mode, settings.host, settings.slack_command) == ("socket", "127.0.0.1", "/incident")
    assert settings.runbooks_dir.is_dir() and settings.templates_dir.is_dir()


def test_nothing_set_names_everything_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, SLACK_BOT_TOKEN=None, SLACK_APP_TOKEN=None, CHAIN_KEY=None)
    assert [one.split(" ", 1)[0] for one in found] == ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "CHAIN_KEY"]
    assert "from “Install App”" in found[0]  # and where to find it
    assert "secrets.token_hex" in found[2]


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        pytest.param("SLACK_MODE", "carrier-pigeon", "Input should be 'socket' or 'http'", id="mode"),
        pytest.param("SLACK_BOT_TOKEN", f"xoxp-{SECRET}", "must be a bot token", id="a user's token"),
        pytest.param("SLACK_BOT_TOKEN", "", "must be a bot token", id="empty token"),
        pytest.param("SLACK_APP_TOKEN", "", "is missing: SLACK_MODE socket needs it", id="empty app token"),
        pytest.param("CHAIN_KEY", SECRET, "must have at least 32 characters", id="short key"),
        pytest.param("DATABASE_URL", f"mysql://bot:{SECRET}@db/incidents", "must begin with sqlite:///", id="database"),
        pytest.param("RUNBOOKS_DIR", "/nowhere/runbooks", "/nowhere/runbooks is not a folder", id="runbooks"),
        pytest.param("TEMPLATES_DIR", "/nowhere/texts", "/nowhere/texts is not a folder", id="templates"),
        pytest.param("POLICY_FILE", "/nowhere/policy.toml", "/nowhere/policy.toml is not a file", id="policy"),
        pytest.param("PORT", "99999", "less than or equal to 65535", id="port too high"),
        pytest.param("PORT", "http", "valid integer", id="port in words"),
        pytest.param("SOCKET_CONNECTIONS", "0", "greater than or equal to 1", id="no connection"),
        pytest.param("SOCKET_CONNECTIONS", "11", "less than or equal to 10", id="more than Slack allows"),
        pytest.param("SLACK_TIMEOUT", "0", "greater than 0", id="no time at all"),
        pytest.param("LOG_LEVEL", "loud", "Input should be 'debug', 'info', 'warning' or 'error'", id="log level"),
        pytest.param("HORIZON_URLS", f"a=ftp://{SECRET}.example/", "not of the form name=https://host/", id="horizon"),
        pytest.param("ALERT_SECRETS", SECRET, "not of the form source=secret", id="a secret of nobody's"),
        pytest.param("ALERT_SECRETS", f"Ann Lee={SECRET}", "not of the form source=secret", id="no source's name"),
        pytest.param("ALERT_SECRETS", "generic=short", "fewer than 16 characters", id="a short secret"),
        pytest.param(
            "ALERT_SECRETS",
            ",".join([f"generic={SECRET}-{SECRET}-{SECRET}"] * 3),
            "more than twice",
            id="three secrets",
        ),
        pytest.param("RPC_URLS", "just a name", "not of the form name=https://host/path", id="rpc"),
    ],
)
def test_each_problem_names_the_setting_and_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    found = problems(monkeypatch, **{name: value})
    assert len(found) == 1
    assert found[0].startswith(f"{name} ") and reason in found[0]
    assert SECRET not in found[0]


def test_every_problem_at_once_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(
        monkeypatch,
        SLACK_MODE="http",
        SLACK_BOT_TOKEN=f"xoxp-{SECRET}",
        SLACK_APP_TOKEN=None,
        SLACK_SIGNING_SECRET="",
        CHAIN_KEY=SECRET,
        DATABASE_URL=f"mysql://bot:{SECRET}@db/x",
        RUNBOOKS_DIR="/nowhere",
        PORT="-1",
    )
    assert sorted(one.split(" ", 1)[0] for one in found) == [
        "CHAIN_KEY", "DATABASE_URL", "PORT", "RUNBOOKS_DIR", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET",
    ]  # fmt: skip
    assert SECRET not in "\n".join(found)


@pytest.mark.parametrize(
    ("mode", "needed"),
    [
        pytest.param("socket", ["SLACK_APP_TOKEN"], id="Socket Mode needs the app's token, no signing secret"),
        pytest.param("http", ["SLACK_SIGNING_SECRET"], id="signed HTTP needs the signing secret, no app token"),
    ],
)
def test_each_way_to_slack_needs_its_own(monkeypatch: pytest.MonkeyPatch, mode: str, needed: list[str]) -> None:
    found = problems(monkeypatch, SLACK_MODE=mode, SLACK_APP_TOKEN=None)
    assert [one.split(" ", 1)[0] for one in found] == needed


OAUTH = {
    "SLACK_BOT_TOKEN": None,
    "SLACK_CLIENT_ID": "1.2",
    "SLACK_CLIENT_SECRET": "secret-of-the-app",
    "TOKEN_KEYS": "A" * 43 + "=",
}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        pytest.param({}, "", id="the least that is enough"),
        pytest.param({"SLACK_BOT_TOKEN": ""}, "", id="an empty token is none"),
        pytest.param({"TOKEN_KEYS": f"{'A' * 43}=, {'B' * 43}="}, "", id="two keys"),
        pytest.param(
            {"SLACK_BOT_TOKEN": "xoxb-1-x"}, "SLACK_BOT_TOKEN is set together with SLACK_CLIENT_ID", id="both"
        ),
        pytest.param({"SLACK_CLIENT_SECRET": None}, "SLACK_CLIENT_SECRET is missing: SLACK_CLIENT_ID", id="no secret"),
        pytest.param({"TOKEN_KEYS": None}, "TOKEN_KEYS is missing: SLACK_CLIENT_ID", id="no key"),
        pytest.param({"TOKEN_KEYS": f"{'A' * 43}=,{SECRET}"}, "TOKEN_KEYS has a part that is not", id="no Fernet key"),
        pytest.param(
            {"ALERT_SECRETS": f"generic={SECRET}-{SECRET}-{SECRET}"},
            "ALERT_WORKSPACE is missing",
            id="alerts for nobody",
        ),
        pytest.param(
            {"ALERT_SECRETS": f"generic={SECRET}-{SECRET}-{SECRET}", "ALERT_WORKSPACE": "T1"}, "", id="alerts for one"
        ),
        pytest.param({"SLACK_REDIRECT_URL": "http://bot.example/x"}, "SLACK_REDIRECT_URL must begin", id="no TLS"),
        pytest.param({"SLACK_AUTHORIZE_URL": "slack.com"}, "SLACK_AUTHORIZE_URL must begin", id="no address"),
    ],
)
def test_several_workspaces(monkeypatch: pytest.MonkeyPatch, changed: dict[str, str | None], problem: str) -> None:
    found = problems(monkeypatch, **{**OAUTH, **changed})
    assert len(found) == bool(problem) and problem in "".join(found)
    assert SECRET not in "".join(found)


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**GOOD, "SLACK_SIGNING_SECRET": SECRET * 3}.items():
        monkeypatch.setenv(name, value)
    shown = f"{read()!r} {read().model_dump_json()}"
    for value in (*GOOD.values(), SECRET):
        assert value not in shown


def test_a_dotenv_file_serves_too_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("".join(f"{k}={v}\n" for k, v in GOOD.items()) + "PORT=4000\nHOST=0.0.0.0\n")
    monkeypatch.setenv("PORT", "4001")
    assert (read().port, read().host) == (4001, "0.0.0.0")


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        pytest.param("", (), id="none"),
        pytest.param("a=https://x.example/", (("a", "https://x.example/"),), id="one"),
        pytest.param(
            "a=https://x.example/, b=http://y.example/rpc ,",
            (("a", "https://x.example/"), ("b", "http://y.example/rpc")),
            id="two, with a comma too many",
        ),
        pytest.param("https://x.example/h", (("x.example", "https://x.example/h"),), id="named by its host"),
        pytest.param("https://x.example/?q=1", (("x.example", "https://x.example/?q=1"),), id="= in a query"),
    ],
)
def test_endpoints(text: str, pairs: tuple[tuple[str, str], ...]) -> None:
    assert endpoints(text) == pairs


def test_a_secret_may_hold_an_equals_sign_and_none_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = "c2VjcmV0LW9mLWl0cw==", "another-secret-of-its"
    assert problems(monkeypatch, ALERT_SECRETS=f"alertmanager={first}, alertmanager={second},generic={first}") == []
    settings = read()
    assert alert_secrets(settings.alert_secrets) == {"alertmanager": (first, second), "generic": (first,)}
    assert {first, second} <= set(secrets_to_hide(settings))
