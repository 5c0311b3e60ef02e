"""Starts both processes, says where to look, and stops them in order."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_TIMEOUT_SECONDS = 30.0  # seconds


def run(*, port: int, mode: str, folder: Path | None) -> int:
    """Run until Ctrl-C. The answer is the exit status."""
    if mode not in ("socket", "http"):
        print("--mode is socket or http.", file=sys.stderr)
        return 2
    bot_port = _free_port()
    if port and _taken(port):
        port = 0
    listen = ["--http", f"http://127.0.0.1:{bot_port}/slack/events"] if mode == "http" else []
    slack = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "bot",
            "sandbox",
            "--port",
            str(port),
            "--json",
            "--tour",
            str(HERE / "tour.json"),
            *listen,
        ],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with tempfile.TemporaryDirectory(prefix="incident-demo-") as temporary:
        bot: subprocess.Popen[str] | None = None
        try:
            first = slack.stdout.readline() if slack.stdout else ""
            if not first:
                print("The local Slack did not start; its message stands above.", file=sys.stderr)
                return 1
            facts = json.loads(first)
            home = folder or Path(temporary)
            home.mkdir(parents=True, exist_ok=True)
            secret = secrets.token_hex(16)
            environment = {**_environment(facts, home, mode, bot_port), "ALERT_SECRETS": f"generic={secret}"}
            subprocess.run(
                [sys.executable, "-m", "bot", "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL
            )
            bot = subprocess.Popen(
                [sys.executable, "-m", "bot", "run"], env=environment, text=True, start_new_session=True
            )
            if not _ready(bot, bot_port):
                print("The bot did not become ready; its messages stand above.", file=sys.stderr)
                return 1
            _welcome(facts["url"], f"http://127.0.0.1:{bot_port}/alerts/generic", secret)
            return _wait(slack, bot)
        except KeyboardInterrupt:
            return 0
        finally:
            # A second Ctrl-C must not leave one of the two behind.
            for one in (signal.SIGINT, signal.SIGTERM):
                signal.signal(one, signal.SIG_IGN)
            # The bot first, so that it can still finish what it owes.
            for process in (bot, slack):
                _stop(process)
            print("Stopped.")


def _environment(facts: dict[str, str], home: Path, mode: str, bot_port: int) -> dict[str, str]:
    chain = facts["url"] + "/chain"
    return {
        **os.environ,
        "SLACK_MODE": mode,
        "SLACK_BOT_TOKEN": facts["bot_token"],
        "SLACK_APP_TOKEN": facts["app_token"],
        "SLACK_SIGNING_SECRET": facts["signing_secret"],
        "SLACK_API_URL": facts["api_url"],
        "DATABASE_URL": f"sqlite:///{home / f'demo-{secrets.token_hex(3)}.sqlite'}",
        "CHAIN_KEY": secrets.token_hex(32),
        "POLICY_FILE": str(HERE / "policy.toml"),
        "HORIZON_URLS": f"horizon-a={chain}/horizon-a/, horizon-b={chain}/horizon-b/",
        "RPC_URLS": f"rpc={chain}/rpc",
        "STELLAR_NETWORK": "Test SDF Network ; September 2015",
        "CLOCK_URL": facts["url"] + "/_sandbox/clock/stream",
        "PORT": str(bot_port),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "warning"),
    }


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _taken(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _ready(bot: subprocess.Popen[str], port: int) -> bool:
    end = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < end and bot.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return True
        except OSError:
            pass
        time.sleep(0.1)
    return False


def _welcome(url: str, alerts: str, secret: str) -> None:
    print(
        f"\n  The local Slack is at   {url}/?as=ana\n"
        f"  A second person         {url}/?as=ben\n\n"
        "  Try there: /incident Withdrawals are stuck\n"
        f"  Or an alert: curl {alerts} -H 'Authorization: Bearer {secret}' \\\n"
        '      -d \'{"name": "HorizonDown", "title": "Horizon answers 503", "severity": "critical"}\'\n'
        "  Stop both with Ctrl-C.\n",
        flush=True,
    )


def _wait(slack: subprocess.Popen[str], bot: subprocess.Popen[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    while True:
        for process, name in ((slack, "The local Slack"), (bot, "The bot")):
            if (status := process.poll()) is not None:
                print(f"{name} ended with status {status}.", file=sys.stderr)
                return 1
        time.sleep(0.2)


def _stop(process: subprocess.Popen[str] | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
