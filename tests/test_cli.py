"""The command line, as somebody in a shell meets it: what it prints, and the status it ends with."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
import sysconfig
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.config import ROOT, Settings
from bot.store import migrate
from tests import written
from tests.story.acts import press
from tests.world import World, world_at

SECRETS = ("xoxb-", "xapp-")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    def __post_init__(self) -> None:
        written.READ.extend((self.out, self.err))


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No .env file of this checkout."""
    monkeypatch.chdir(tmp_path)


async def bot(*arguments: str, cwd: Path, **settings: str) -> Ended:
    """What `python -m bot …` does with these settings and no others; a program that runs gets a process of its own."""
    if arguments[:1] == ("run",):
        return await by_itself(*arguments, cwd=cwd, **settings)
    others = {name.upper(): None for name in Settings.model_fields}
    result = await asyncio.to_thread(CliRunner().invoke, cli, arguments, env={**others, "COLUMNS": "100", **settings})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)


async def by_itself(*arguments: str, cwd: Path, **settings: str) -> Ended:
    """Run `python -m bot …` as a process."""
    process = await _start(*arguments, cwd=cwd, **settings)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def _start(*arguments: str, cwd: Path, **settings: str) -> asyncio.subprocess.Process:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *arguments,
        cwd=cwd, env={**inherited, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100", **settings},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def environment(world: World) -> dict[str, str]:
    """The world's settings as another process takes them."""
    settings: Settings = world.settings
    assert settings.slack_app_token is not None
    return {
        "SLACK_BOT_TOKEN": settings.slack_bot_token.get_secret_value(),
        "SLACK_APP_TOKEN": settings.slack_app_token.get_secret_value(),
        "SLACK_API_URL": settings.slack_api_url,
        "DATABASE_URL": settings.database_url,
        "CHAIN_KEY": settings.chain_key.get_secret_value(),
        "PORT": "0",
    }


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which INC-1 is open."""
    async with world_at(tmp_path) as one:
        await one.declare()
        yield one


# -- without any settings ------------------------------------------------------------------------------


async def test_help_names_every_command(tmp_path: Path) -> None:
    shown, bare = await bot("--help", cwd=tmp_path), await bot(cwd=tmp_path)
    assert shown.status == 0
    for command in ("run", "migrate", "demo", "sandbox", "verify", "doctor", "rearm", "export", "tokens", "version",
                    "backup", "restore", "import", "redact"):  # fmt: skip
        assert f" {command} " in shown.out
    assert "Usage:" in bare.out + bare.err


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--help",), id="the list of commands"),
        pytest.param(("sandbox", "--help"), id="a command's help"),
        pytest.param(("sandbox", "--port", "0", "--json"), id="the local Slack, until it answers"),
    ],
)
async def test_what_does_without_the_bot_does_not_load_it(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The libraries of the bot take longer to load than these take to answer."""
    process = await _start(*arguments, cwd=tmp_path, PYTHONPROFILEIMPORTTIME="1")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 60)
    if process.returncode is None and "--port" in arguments:
        process.terminate()
    _, err = await asyncio.wait_for(process.communicate(), 60)
    loaded = {line.rpartition("|")[2].strip() for line in err.decode().splitlines() if line.startswith("import time:")}
    assert "bot.cli" in loaded
    assert ("localslack.server" in loaded) == ("sandbox" in arguments)
    heavy = {
        "sqlalchemy",
        "slack_bolt",
        "slack_sdk",
        "stellar_sdk",
        "pydantic_settings",
        "apscheduler",
        "bot.app",
        "bot.config",
    }
    assert loaded & heavy == set()


@pytest.mark.parametrize("there", ["nothing", "an empty folder of that name"])
@pytest.mark.parametrize("command", ["sandbox", "demo"])
async def test_without_the_local_slack_a_sentence_says_what_to_install(
    tmp_path: Path, command: str, there: str
) -> None:
    """As where only the bot is installed: its package and the libraries, without what is installed from a folder."""
    (tmp_path / "bot").symlink_to(ROOT / "bot")
    if there != "nothing":
        (tmp_path / "localslack").mkdir()
    path = os.pathsep.join((str(tmp_path), sysconfig.get_path("purelib")))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-m", "bot", command, "--port", "0", cwd=tmp_path, env={"PYTHONPATH": path},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out.decode()) == (2, "")
    assert err.decode() == (
        "The local Slack is not installed; install it with pip install 'incident-commander[demo]', "
        "or with pip install ./localslack in a checkout.\n"
    )


async def test_every_command_that_needs_settings_ends_with_2_and_lists_all_problems(tmp_path: Path) -> None:
    wrong = {"SLACK_BOT_TOKEN": "xoxp-hunter2", "CHAIN_KEY": "hunter2", "PORT": "http", "RUNBOOKS_DIR": "/nowhere"}
    commands = [
        ["run"], ["migrate"], ["verify"], ["doctor", "--json"], ["rearm"], ["export", "1"], ["export", "--all", "x"],
        ["backup", "x"], ["restore", "x"], ["import", "x"],
    ]  # fmt: skip
    for one in commands:
        ended = await bot(*one, cwd=tmp_path, **wrong)
        assert ended.status == 2
        assert ended.out == ""
        lines = ended.err.splitlines()
        assert lines[0] == "The settings do not let the bot start:"
        assert sorted(line.split()[0] for line in lines[1:]) == [
            "CHAIN_KEY", "PORT", "RUNBOOKS_DIR", "SLACK_APP_TOKEN", "SLACK_BOT_TOKEN",
        ]  # fmt: skip
        assert "hunter2" not in ended.err and "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("sandbox", "--manifest", "gone.yaml"), "gone.yaml", id="a manifest that is not there"),
        pytest.param(("sandbox", "--tour", "gone.json"), "gone.json", id="a tour that is not there"),
        pytest.param(("sandbox", "--port", "99999"), "65535", id="no such port, alone"),
        pytest.param(("demo", "--port", "99999"), "65535", id="no such port, in the demo"),
    ],
)
async def test_wrong_arguments_are_named(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = await bot(*arguments, cwd=tmp_path)
    assert ended.status == 2 and said in ended.err


async def test_a_policy_file_that_cannot_be_followed(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('assumed_severity = "sev9"\ncolour = "red"\n')
    good = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "CHAIN_KEY": "k" * 40}
    ended = await bot("run", cwd=tmp_path, **good, POLICY_FILE=str(policy))
    assert ended.status == 2
    assert ended.err.startswith("The policy file does not let the bot start:")
    assert "colour" in ended.err and "sev9" in ended.err and "Traceback" not in ended.err


# -- the database -----------------------------------------------------------------------------------------


async def test_a_database_that_is_not_there_and_then_is(tmp_path: Path) -> None:
    good = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "CHAIN_KEY": "k" * 40}
    good["DATABASE_URL"] = f"sqlite:///{tmp_path}/new/folder/incidents.sqlite"
    for command in (["verify"], ["rearm"], ["run"]):
        ended = await bot(*command, cwd=tmp_path, **good, SLACK_API_URL="http://127.0.0.1:1/api/")
        assert ended.status == 2
        assert "python -m bot migrate" in ended.err and "Traceback" not in ended.err

    assert await bot("migrate", cwd=tmp_path, **good) == Ended(0, "The database is new, and ready.\n", "")
    assert (tmp_path / "new" / "folder" / "incidents.sqlite").exists()
    again, verified, rearmed = [await bot(one, cwd=tmp_path, **good) for one in ("migrate", "verify", "rearm")]
    assert again == Ended(0, "The database is up to date.\n", "")
    assert verified == Ended(0, "Every timeline is as it was written: 0 incidents, 0 events.\n", "")
    assert rearmed == Ended(0, "No duty is parked.\n", "")


async def test_backup_restore_and_a_move(story: World, tmp_path: Path) -> None:
    """As an operator types it: under the running bot, refused while it runs, then put back; then to another file."""
    settings, folder = environment(story), tmp_path / "backups"
    folder.mkdir()
    assert (await bot("backup", cwd=tmp_path, **settings)).status == 2  # where to?
    made = await bot("backup", "--keep", "2", cwd=tmp_path, BACKUP_DIR=str(folder), **settings)
    assert made.status == 0 and ": 1 incident, " in made.out and ", until 2026-03-02 14:00:00 UTC." in made.out
    (file,) = folder.iterdir()
    refused = await bot("restore", str(file), "--replace", cwd=tmp_path, **settings)
    assert refused.status == 2 and refused.err.startswith("Another bot works on") and refused.out == ""
    await story.stop_bot()
    refused = await bot("restore", str(file), cwd=tmp_path, **settings)
    assert refused.status == 2 and "--replace" in refused.err
    put = await bot("restore", str(file), "--replace", cwd=tmp_path, **settings)
    assert put.status == 0 and put.out.startswith("Restored, and every timeline is as it was written: 1 incident")
    assert "is kept: " in put.out and "go on when the bot starts: 1." in put.out

    assert (await bot("export", "--all", "x.jsonl", cwd=tmp_path, **settings)).status == 0
    assert (await bot("export", "--all", "x.jsonl", cwd=tmp_path, **settings)).status == 2  # it is there
    assert (await bot("export", cwd=tmp_path, **settings)).status == 2
    other = {**settings, "DATABASE_URL": f"sqlite:///{tmp_path}/other.sqlite"}
    moved = await bot("import", "x.jsonl", cwd=tmp_path, **other)
    assert moved.status == 0 and moved.out.startswith("Imported, and")
    assert (await bot("export", "--all", "y.jsonl", cwd=tmp_path, **other)).status == 0
    assert (tmp_path / "x.jsonl").read_bytes() == (tmp_path / "y.jsonl").read_bytes()
    assert (tmp_path / "x.jsonl").stat().st_mode & 0o777 == 0o600
    verified = await bot("verify", "--json", cwd=tmp_path, **other)
    assert verified.status == 0 and json.loads(verified.out)["damage"] == []
    await story.start_bot()


async def test_verify_names_what_was_changed(story: World, tmp_path: Path) -> None:
    settings = environment(story)
    first, second = [await bot("verify", "--witness", "seen.json", cwd=tmp_path, **settings) for _ in range(2)]
    assert first.status == second.status == 0 and "is new" in first.out and "is new" not in second.out
    with contextlib.closing(sqlite3.connect(settings["DATABASE_URL"].removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE events SET body = replace(body, 'Withdrawals', 'Deposits') WHERE seq = 1")
        database.commit()
    ended = await bot("verify", cwd=tmp_path, **settings)
    assert ended.status == 1
    assert "INC-1" in ended.out and "Traceback" not in ended.err
    with contextlib.closing(sqlite3.connect(settings["DATABASE_URL"].removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE effects SET state = 'parked', error = 'x' || char(27) || '[2J', team_id = char(27)")
        database.execute("UPDATE events SET incident_id = char(27) || '[2J' WHERE seq = 2")
        database.commit()
    ended = await bot("verify", cwd=tmp_path, **settings)
    assert ended.status == 1 and "\\x1b[2J" in ended.out and "\x1b" not in ended.out
    empty = {**settings, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite"}
    assert (await bot("migrate", cwd=tmp_path, **empty)).status == 0
    for _ in range(2):  # what was missing once is not forgotten
        gone = await bot("verify", "--witness", "seen.json", "--json", cwd=tmp_path, **empty)
        assert gone.status == 1 and "is gone" in gone.out
    other = await bot("verify", cwd=tmp_path, **{**settings, "CHAIN_KEY": "another key, and long enough to be one"})
    assert other.status == 1


async def test_export_writes_two_files(story: World, tmp_path: Path) -> None:
    settings, folder = environment(story), tmp_path / "out"
    folder.mkdir()
    ended = await bot("export", "1", "--folder", str(folder), cwd=tmp_path, **settings)
    assert (ended.status, ended.err) == (0, "")
    paths = [Path(line) for line in ended.out.splitlines()]
    assert sorted(path.suffix for path in paths) == [".json", ".md"]
    markdown = next(path for path in paths if path.suffix == ".md").read_text()
    assert "Withdrawals are stuck" in markdown and "Ana Silva" in markdown
    timeline = json.loads(next(path for path in paths if path.suffix == ".json").read_text())
    assert "Declared" in json.dumps(timeline)

    await story.say("ana", "/incident declare A key leaked")
    await press(story, "ana", "#general", "This sounds delicate", "Private")
    private = await bot("export", "2", cwd=tmp_path, **settings)
    assert private.err == "INC-2 is private: keep these files among those who are in its channel.\n"

    missing = await bot("export", "77", cwd=tmp_path, **settings)
    assert (missing.status, missing.out) == (1, "")
    assert missing.err == "There is no INC-77 in this database.\n"


# -- parked duties, and the doctor ----------------------------------------------------------------------------


async def test_doctor_finds_nothing_wrong(story: World, tmp_path: Path) -> None:
    settings = environment(story)
    plain, machine = (
        await bot("doctor", cwd=tmp_path, **settings),
        await bot("doctor", "--json", cwd=tmp_path, **settings),
    )
    assert (plain.status, machine.status) == (0, 0), plain.out
    findings = json.loads(machine.out)
    assert all(one["ok"] for one in findings)
    assert [line[5:] for line in plain.out.splitlines() if line.startswith("ok")] == [one["what"] for one in findings]
    for secret in SECRETS:
        assert secret not in plain.out + machine.out


async def test_doctor_lists_parked_duties_and_rearm_lets_them_be_tried_again(world: World, tmp_path: Path) -> None:
    world.slack.faults.add("conversations.create", "error:restricted_action", 99)
    await world.say("ana", "/incident declare sev1 Withdrawals are stuck")
    settings = environment(world)
    ended = await bot("doctor", "--json", cwd=tmp_path, **settings)
    assert ended.status == 1
    wrong = [one for one in json.loads(ended.out) if not one["ok"]]
    assert len(wrong) == 1 and all("restricted_action" in one["what"] for one in wrong)
    assert all(one["do"].startswith("Let this app create channels") for one in wrong)

    world.slack.faults.clear()
    assert (await bot("rearm", cwd=tmp_path, **settings)).out == "1 duty is tried again by the running bot.\n"
    await world.settle()
    assert world.channel().name == "inc-1-withdrawals-are-stuck"
    assert (await bot("doctor", cwd=tmp_path, **settings)).status == 0


@pytest.mark.parametrize(
    ("change", "what", "do"),
    [
        pytest.param({"SLACK_BOT_TOKEN": "xoxb-0-nobody"}, "slack: invalid_auth", "Check SLACK_BOT_TOKEN.", id="token"),
        pytest.param(
            {"SLACK_API_URL": "http://127.0.0.1:1/api/"}, "slack: no answer",
            "Check the network and SLACK_API_URL.", id="no Slack there",
        ),
        pytest.param(
            {"SLACK_APP_TOKEN": "xapp-0-nobody"}, "socket mode: invalid_auth",
            "Slack does not know SLACK_APP_TOKEN; make an app-level token in the app's settings and set it.",
            id="app token",
        ),
        pytest.param(
            {"DATABASE_URL": "sqlite:////nowhere/x.sqlite"}, "database: ", "Run `python -m bot migrate`.", id="database"
        ),
    ],
)  # fmt: skip
async def test_doctor_says_what_to_do(story: World, tmp_path: Path, change: dict[str, str], what: str, do: str) -> None:
    ended = await bot("doctor", "--json", cwd=tmp_path, **{**environment(story), **change})
    assert ended.status == 1, ended.err
    wrong = [one for one in json.loads(ended.out) if not one["ok"]]
    assert [one["do"] for one in wrong] == [do] and wrong[0]["what"].startswith(what)


async def test_doctor_says_how_the_running_bot_is_connected(story: World, tmp_path: Path) -> None:
    async def said() -> dict[str, object]:
        ended = await bot("doctor", "--json", cwd=tmp_path, **{**environment(story), "PORT": str(story.bot.port)})
        found = [one for one in json.loads(ended.out) if one["what"].startswith("running bot: ")]
        assert len(found) == 1
        return dict(found[0])

    standing = await said()
    assert (standing["ok"], standing["what"]) == (True, "running bot: 2 of 2 connections to Slack stand")
    assert story.bot.socket_mode is not None
    await story.bot.socket_mode.stop()
    gone = await said()
    assert not gone["ok"] and str(gone["what"]).startswith("running bot: slack: not connected for ")


async def test_doctor_with_a_policy_and_a_runbook_that_are_wrong(story: World, tmp_path: Path) -> None:
    policy, shelf = tmp_path / "policy.toml", tmp_path / "shelf"
    policy.write_text('colour = "red"\n')
    shelf.mkdir()
    (shelf / "bad.md").write_text("no front matter\n")
    ended = await bot(
        "doctor", "--json", cwd=tmp_path,
        **{**environment(story), "POLICY_FILE": str(policy), "RUNBOOKS_DIR": str(shelf)},
    )  # fmt: skip
    assert ended.status == 1 and "Traceback" not in ended.err, ended.err
    wrong = [one["what"] for one in json.loads(ended.out) if not one["ok"]]
    assert any("bad.md:1" in one for one in wrong) and any("colour" in one for one in wrong)


# -- running -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_run_stops_in_order(tmp_path: Path, sign: signal.Signals) -> None:
    async with world_at(tmp_path) as world:
        await world.stop_bot()
        process = await _start("run", cwd=tmp_path, **environment(world))
        await world.slack.connected(30)
        process.send_signal(sign)
        out, err = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0, err.decode()
        assert b"Traceback" not in out + err
        for secret in SECRETS:
            assert secret.encode() not in out + err
        await world.start_bot()


@pytest.mark.parametrize(
    ("fresh", "said"),
    [
        pytest.param(True, b"slack.away", id="never met: it waits"),
        pytest.param(False, b"directory.recalled", id="met before: it goes on with what it knows"),
    ],
)
async def test_run_while_slack_is_away(tmp_path: Path, fresh: bool, said: bytes) -> None:
    async with world_at(tmp_path) as world:
        settings = {**environment(world), "SLACK_API_URL": "http://127.0.0.1:1/api/"}
    if fresh:
        settings["DATABASE_URL"] = f"sqlite:///{tmp_path}/fresh.sqlite"
        migrate(settings["DATABASE_URL"])
    process = await _start("run", cwd=tmp_path, **settings)
    assert process.stderr is not None
    first = await asyncio.wait_for(process.stderr.readline(), 30)
    assert said in first
    process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0 and b"Traceback" not in out + err


async def test_run_ends_where_slack_refuses_the_bot(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        await world.stop_bot()
        ended = await bot("run", cwd=tmp_path, **{**environment(world), "SLACK_BOT_TOKEN": "xoxb-0-nobody"})
        await world.start_bot()
    assert ended.status == 2
    assert ended.err == "Slack refuses this bot: invalid_auth. `python -m bot doctor` says what to do.\n"


async def test_a_second_bot_on_one_file_is_refused(story: World, tmp_path: Path) -> None:
    """Two would each make all calls; the command line may look at the file meanwhile."""
    ended = await bot("run", cwd=tmp_path, **environment(story))
    assert ended.status == 2 and "Another bot works on" in ended.err and "PostgreSQL" in ended.err
    assert (await bot("verify", cwd=tmp_path, **environment(story))).status == 0
