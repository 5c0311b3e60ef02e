"""What is written holds no secret, wherever it stands, and nobody can write lines that look like ours."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from stellar_sdk import Keypair

from bot import logs
from bot.config import ROOT, Settings, secrets_to_hide
from tests import written
from tests.world import KEY

pytest_plugins = ["pytester"]

# Taken apart or made here, so that they stand in no file.
BOT_TOKEN = "-".join(("xoxb", "1234567890", "abcdefABCDEF"))
SEED = Keypair.from_raw_ed25519_seed(b"s" * 32).secret
CHAIN = "the-chains-own-key-which-looks-like-nothing"

SECRETS = [
    pytest.param(BOT_TOKEN, id="bot token"),
    pytest.param("-".join(("xoxp", "1", "2", "abc")), id="user token"),
    pytest.param("-".join(("xapp", "1", "A012", "99", "abcdef")), id="app token"),
    pytest.param("xoxe." + "-".join(("xoxb", "1", "Mi0yLTAt")), id="rotating bot token"),
    pytest.param("-".join(("xoxe", "1", "My0xLTAt")), id="refresh token"),
    pytest.param("Bearer " + "abcDEF123.456-789", id="bearer header"),
    pytest.param("https://hooks." + "slack.com/commands/T1/2/abc", id="response URL"),
    pytest.param(SEED, id="Stellar seed"),
    pytest.param("v0=" + "ab" * 32, id="signature"),
    pytest.param("postgresql://bot:hunter2-and-more@db.example/incidents", id="password in an address"),
    pytest.param("postgresql+asyncpg://bot:p%40ss:word@db/x", id="password with odd characters"),
    pytest.param("redis://:only-a-password@cache:6379", id="password without a user"),
    pytest.param('{"signing_secret": "8f742231b10e8888abcd99yyyzzz85a5"}', id="named in JSON"),
    pytest.param("SLACK_SIGNING_SECRET=8f742231b10e8888abcd99yyyzzz85a5", id="named as a setting"),
    pytest.param("client_secret='0123456789abcdef'", id="named in Python"),
    pytest.param("password: correct-horse", id="named in YAML"),
    pytest.param("-".join(("xwfp", "1", "abc")), id="workflow token"),
    pytest.param(r"https:\/\/hooks." + r"slack.com\/services\/T1\/B2\/abc", id="webhook in escaped JSON"),
    pytest.param("https%3A%2F%2Fhooks." + "slack.com%2Factions%2FT1%2F2%2Fabc", id="response URL in a form's body"),
    pytest.param("seed_n" + SEED + "_x", id="Stellar seed inside of a word"),
    pytest.param(
        "-----BEGIN RSA " + "PRIVATE KEY-----\nhunter2+and/more\n-----END RSA PRIVATE KEY-----", id="private key"
    ),
    pytest.param("-----BEGIN " + "PRIVATE KEY-----\nhunter2+and/more", id="private key, cut off"),
    pytest.param("AKIA" + "IOSFODNN7EXAMPLE", id="AWS key"),
    pytest.param("AWS_SECRET_ACCESS_KEY=hunter2-and-more/K7MDENG", id="AWS secret, named"),
    pytest.param('{"SecretAccessKey": "hunter2-and-more/K7MDENG"}', id="AWS secret in JSON"),
    pytest.param("ghp" + "_0123456789abcdef0123456789abcdef0123", id="GitHub token"),
    pytest.param("eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxIn0.abcDEF123", id="signed web token"),
    pytest.param("of_user-eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxIn0.abcDEF123", id="signed web token in a word"),
    pytest.param("1https://bot:hunter2-and-more@h.example", id="password in an address behind a digit"),
    pytest.param("gAAAAAB" + "m0" * 40, id="what Fernet encrypted"),
    pytest.param(
        "postgresql://bot:hunter2-and-more#x/w?rd@db.example/incidents", id="password with what belongs escaped"
    ),
    pytest.param("postgresql://bot:p%40ss@hunter2-and-more@db/x", id="password with an at sign"),
    pytest.param(r"{\"client_secret\": \"0123456789abcdef\"}", id="named in escaped JSON"),
    pytest.param('{"password": "correct horse, correct-horse"}', id="of several words"),
    pytest.param(CHAIN, id="known only from the settings"),
]


@pytest.fixture
def paper() -> Iterator[io.StringIO]:
    """What is written, with logs set up as the bot does it and the chain's key among the settings."""
    handlers, before = logging.getLogger().handlers[:], structlog.get_config()
    out = io.StringIO()
    logs.configure("debug", [CHAIN], to=out)
    yield out
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers


class Odd:
    """Shows its secret only when somebody prints it."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        return f"<Odd {self.secret}>"


def fail(secret: str) -> None:
    """Raise with a secret in a message, an argument and a cause."""
    try:
        raise ValueError(f"inner {secret}")
    except ValueError as error:
        raise RuntimeError("outer", {"given": secret}) from error


def ways(secret: str) -> Iterator[Any]:
    """Every way into the log that somebody might take."""
    log, library = structlog.get_logger("ours"), logging.getLogger("slack_sdk.web")
    yield lambda: log.info("event", value=secret)
    yield lambda: log.info(f"event {secret}")
    yield lambda: log.info("event", nested={"a": [secret]})
    yield lambda: log.info("event", odd=Odd(secret))
    yield lambda: log.info("event", **{"key of": "x", "raw": secret.encode()})
    yield lambda: library.warning("said %s", secret)
    yield lambda: library.warning("said %r", {"deep": [Odd(secret)]})
    yield lambda: logging.getLogger("aiohttp.server").error("broken %(token)s", {"token": secret})
    yield lambda: logging.getLogger("sqlalchemy.engine").warning("INSERT %s", (secret,))
    yield lambda: logging.getLogger("py.warnings").warning("%s", UserWarning(secret))
    for write in (log.exception, library.exception, logging.getLogger("asyncio").exception):

        def caught(write: Any = write) -> None:
            try:
                fail(secret)
            except RuntimeError:
                write("failed")

        yield caught


@pytest.mark.parametrize("secret", SECRETS)
def test_no_way_into_the_log_keeps_a_secret(paper: io.StringIO, secret: str) -> None:
    # what has to be gone: the secret part of a longer text
    core = max(("hunter2-and-more", "p%40ss", "only-a-password", "8f742231", "0123456789abcdef", "correct-horse"),
               key=lambda part: part in secret)  # fmt: skip
    core = core if core in secret else secret
    for number, write in enumerate(ways(secret)):
        paper.seek(0)
        paper.truncate()
        write()
        said = paper.getvalue()
        assert said, f"way {number} wrote nothing"
        assert core not in said, f"way {number}"
        assert logs.BLANKED_TEXT in said, f"way {number}: {said}"


@pytest.mark.parametrize(
    "text",
    [
        "posted in C0123 at 14:32 UTC by U01ANA",
        "https://horizon.example/ledgers?limit=1",
        "postgresql://bot@db.example/incidents",
        "the bearer of bad news",
        "basic trouble with payments",
        "the secret of success: the token of gratitude, a key: opened",
        "http://127.0.0.1:3000/healthz asked by ana@example.org",
        "error=invalid_token_type code=token_revoked",
        "password: [secret]",
        "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ",  # a public key
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert logs.redact_secrets(text) == text


def test_what_is_kept_of_an_address() -> None:
    said = logs.redact_secrets("cannot reach postgresql://bot:hunter2@db.example:5432/incidents")
    assert said == "cannot reach postgresql://bot:[secret]@db.example:5432/incidents"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_blanking_ends_and_is_done_once(text: str) -> None:
    assert logs.redact_secrets(logs.redact_secrets(text)) == logs.redact_secrets(text)


#: what one pattern or another may begin with, over and over: somebody who has such a text logged stops everything
REPEATED = (
    "a", "://", "secret", "bearer ", "x:", "xox", "a-", "_-", "a.", "sev-", "secret-", "eyJaaaaaaaa-", "-eyJaaaaaaaa.",
    "postgres://a:", "secret='", 'password="', "api_key: ", "-----BEGIN PRIVATE KEY-----", "hooks.slack.com/", "S",
    "gAAAAA", "\\", "%2f", "http://a:b", "v0=",
)  # fmt: skip


@pytest.mark.parametrize("bad", REPEATED)
def test_blanking_a_long_text_takes_no_time(bad: str) -> None:
    """Where a pattern goes back over what it has seen, this does not end within a test's time."""
    logs.redact_secrets(bad * (200_000 // len(bad)))


FORGED = "harmless\n2026-01-01T00:00:00Z [info     ] bot.started\x1b[2J\r\u2028\u202e"


def test_nobody_writes_a_line_of_their_own(paper: io.StringIO) -> None:
    structlog.get_logger().info("noted", text=FORGED, odd=Odd(FORGED), a=[FORGED])
    structlog.get_logger().info(FORGED)
    logging.getLogger("x").warning("said %s", FORGED)
    try:
        raise ValueError(FORGED)
    except ValueError:
        logging.getLogger("x").exception("failed")
        structlog.get_logger().exception("failed")
    said = paper.getvalue()
    assert not any(line.startswith("2026-01-01") for line in said.splitlines())
    assert not any(mark in said for mark in ("\x1b", "\r", "\u2028", "\u202e"))


def test_last_words_are_blanked_too() -> None:
    program = (
        "import threading, sys\nfrom bot import logs\nlogs.configure('info', ['known-only-here'])\n"
        "logs.log_uncaught(['known-only-here'])\n"
        "def f(): raise ValueError('thread known-only-here ' + 'xoxb' + '-1-abc')\n"
        "t = threading.Thread(target=f); t.start(); t.join()\n"
        "raise RuntimeError('main known-only-here ' + 'xapp' + '-1-abc')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "ValueError: thread [secret] [secret]" in done.stderr
    assert "RuntimeError: main [secret] [secret]" in done.stderr


def test_everything_secret_in_the_settings_is_known() -> None:
    settings = Settings(
        _env_file=None, slack_bot_token=BOT_TOKEN, slack_app_token="xapp-" + "1-x",
        slack_signing_secret="first-secret,second-secret", chain_key=CHAIN,
        horizon_urls="a=https://user:a%20password@h.example/v1/0123456789abcdef?apikey=fedcba9876543210",
    )  # fmt: skip
    known = secrets_to_hide(settings)
    assert {BOT_TOKEN, "first-secret", "second-secret", CHAIN, "a%20password", "a password", "0123456789abcdef",
            "fedcba9876543210"} <= set(known)  # fmt: skip
    assert "v1" not in known and "h.example" not in known


# -- the search through everything that is written ----------------------------------------------------------


@pytest.mark.parametrize("secret", SECRETS[:11])
def test_the_search_finds(secret: str) -> None:
    found = list(written.secrets_in(f"before {secret} after"))
    assert found
    assert secret not in "".join(found)


def test_the_search_knows_the_secrets_of_the_tests() -> None:
    written.KNOWN.add(KEY)
    assert len(list(written.secrets_in(f"GET /?key={KEY}"))) == 1


@pytest.mark.prints_secrets("they are those of the tests in the test")
def test_a_test_that_writes_a_secret_fails(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the project's own hooks, in a session of its own."""
    pytester.makepyfile(
        """
        import logging, os, structlog, subprocess, sys, threading, pytest
        from tests.test_cli import Ended

        TOKEN = "-".join(("xoxb", "1", "abc"))

        def test_prints(): print(TOKEN)
        def test_prints_to_stderr(): print(TOKEN, file=sys.stderr)
        def test_reads_what_it_printed(capfd):
            print("fine"); capfd.readouterr()
        def test_reads_a_secret(capfd):
            print(TOKEN); capfd.readouterr()
        def test_runs_a_command(): Ended(0, "fine", TOKEN)
        def test_prints_in_a_thread():
            one = threading.Thread(target=print, args=(TOKEN,))
            one.start(); one.join()
        def test_a_process_prints():
            subprocess.run([sys.executable, "-c", "import os; os.write(2, b'xoxb' + b'-1-abc')"], check=True)
        def test_a_library_has_a_handler_of_its_own():
            one = logging.getLogger("own")
            one.propagate = False
            one.addHandler(logging.StreamHandler(sys.stderr)); one.error(TOKEN)
        def test_logs(): structlog.get_logger().info("x", token=TOKEN)
        def test_library_logs(): logging.getLogger("x").error(TOKEN)
        def test_logs_a_key(): logging.getLogger("x").error("nothing-to-look-at")
        @pytest.mark.prints_secrets("it is asked for them")
        def test_may(): print(TOKEN)
        """
    )
    pytester.makeconftest(
        "from tests import written\nfrom tests.plugin import ("
        "capfd, pytest_configure, pytest_runtest_setup, pytest_runtest_makereport)\n"
        "written.KNOWN.add('nothing-to-look-at')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q")
    result.assert_outcomes(passed=12, errors=8)  # blanked by its looks: the two that log a token
    result.stdout.fnmatch_lines(["*A secret was written:*"])
    result.stdout.no_fnmatch_line("*nothing-to-look-at…*")
