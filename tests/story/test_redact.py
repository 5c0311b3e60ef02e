"""A secret that people pasted everywhere is taken out on the command line: of the record, of Slack, of exports."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from bot.config import Settings
from bot.domain import events as e
from bot.domain.redaction import REDACTION_MARK
from localslack import Message
from tests.story.acts import direct_message, plain, submit, write_text
from tests.world import World, world_at
from tests.written import READ

#: nothing that a scrubber knows; Slack escapes one of its signs
WORDS = "Tr0ub4dor&3-zebra"
SPELT = (WORDS, "Tr0ub4dor&amp;3-zebra", "tr0ub4dor-3-zebra")
#: what has to have been recorded with the words, or the test has not tried it
TRIED = (
    "Declared", "ChannelOpened", "ImpactStated", "Noted", "TaskAdded", "WaitingBegan", "SeverityChanged", "Escalated",
    "StepNoted", "StepSkipped", "UpdatePosted", "CommsDrafted", "Mitigated", "FalseAlarm",
)  # fmt: skip
SLOTS = {"what": f"logins with {WORDS}", "since": "13:40 UTC", "next_update": "15:00 UTC"}


@dataclass(frozen=True)
class Ended:
    """How the command ended, and what it printed."""

    status: int
    said: str


async def bot(world: World, *arguments: str, typed: str = WORDS) -> Ended:
    """What `python -m bot …` does, with this typed into it."""
    settings = world.settings
    assert settings.slack_bot_token is not None and settings.slack_app_token is not None
    others = {name.upper(): None for name in Settings.model_fields}
    env = {
        "SLACK_BOT_TOKEN": settings.slack_bot_token.get_secret_value(),
        "SLACK_APP_TOKEN": settings.slack_app_token.get_secret_value(),
        "SLACK_API_URL": settings.slack_api_url,
        "DATABASE_URL": settings.database_url,
        "CHAIN_KEY": settings.chain_key.get_secret_value(),
        "PORT": "0",
    }
    result = await asyncio.to_thread(
        CliRunner().invoke, cli, arguments, input=typed, env={**others, "COLUMNS": "100", **env}
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    READ.append(result.output)
    await world.settle()
    return Ended(result.exit_code, result.output)


async def redact(world: World, *arguments: str) -> Ended:
    return await bot(world, "redact", "INC-1", "--reason", "pasted by accident", "--find", "-", "--yes", *arguments)


def ours(world: World) -> str:
    """Everything of the bot's that can be read in Slack: messages, topics, names, bookmarks, files."""
    found: list[str] = []
    for channel in world.slack.world.channels.values():
        found += [channel.name, channel.topic, channel.purpose, repr(channel.bookmarks)]
        for one in channel.by_ts.values():
            mine = one.user == world.slack.bot_user_id and not one.deleted and one.only_for is None
            if mine and one.subtype not in ("channel_name", "group_name"):
                found.append(f"{one.text} {one.blocks} {one.files} {one.metadata}")
    found += [f"{file.name} {file.title} {(file.content or b'').decode()}" for file in world.slack.world.files.values()]
    return "\n".join(found)


def holds(text: str) -> list[str]:
    return [text[max(0, at - 200) : at + 100] for spelt in SPELT if (at := text.find(spelt)) >= 0]


async def paste_everywhere(world: World) -> str:
    """An incident with the words in its title and wherever else people write; the channel."""
    room = (await world.declare("ana", f"sev2 Logins with {WORDS} fail")).id
    for who in ("dipo", "ben"):
        await world.say("ana", f"/incident add @{who}", room)
    await world.say("ana", "/incident runbook horizon-outage", room)
    for text in (
        f"impact nobody with {WORDS} gets in", f"note tried {WORDS} twice", f"task @ben rotate {WORDS}",
        f"waiting for the vault, {WORDS}", "waiting over", f"sev 1 also {WORDS}", f"escalate I need {WORDS}",
        f"step 5.2 note with {WORDS}",
    ):  # fmt: skip
        await world.say("ana", f"/incident {text}", room)
    await world.say("ana", "/incident update", room)
    await submit(world, "ana", {"text": f"We try {WORDS} now."})
    if world.person("ana").view is not None:
        await submit(world, "ana")
    ack = await world.person("ana").click(world.find("ana", room, "Runbook "), label="Skip")
    assert ack.ok, ack
    await submit(world, "ana", {"reason": f"done by {WORDS}"})
    await write_text(world, "ana", room, SLOTS)
    return room


async def test_a_secret_that_was_pasted_everywhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with world_at(tmp_path) as world:
        room = await paste_everywhere(world)
        # somebody's own message, which became a line of the timeline
        own = await world.person("ben").post(room, f"or is it {WORDS}?")
        await world.person("ben").pin(room, own)
        await world.settle()
        await world.say("ana", f"/incident mitigated now without {WORDS}", room)
        await world.say("ana", f"/incident false-alarm it was {WORDS}", room)
        await world.say("ana", "/incident postmortem", room)
        before = ours(world)
        assert len(holds(before)) == 3, "the words are where they are to be taken from"
        was = await world.incident()
        assert was.postmortem_file and holds(was.channel_name)
        capfd.readouterr()

        refused = await bot(world, "redact", "1", "--reason", "oops", typed=f"{WORDS}\nn\n")
        assert "Nothing was changed." in refused.said and ours(world) == before

        done = await redact(world)
        assert done.status == 0, done.said
        assert not holds(done.said), done.said
        incident = await world.incident()
        link = f"/archives/{room}/p{own.replace('.', '')}"
        assert f"{link} is somebody's own message: its author or an administrator deletes it." in done.said
        assert "Every backup and export made since 2026-03-02 14:00 UTC holds the words" in done.said
        assert f"renames the channel to #{incident.channel_name}" in done.said

        # Slack
        assert holds(ours(world)) == []
        assert (world.channel().name, incident.channel_name) == ("inc-1-logins-with-redacted-fail",) * 2
        assert incident.postmortem_file and incident.postmortem_file != was.postmortem_file
        assert was.postmortem_file not in world.slack.world.files
        assert REDACTION_MARK in plain(world.find("ana", room, "Logins with"))

        # the record
        entries = await world.bot.store.entries(incident.id)
        (mark,) = [one.event for one in entries if isinstance(one.event, e.Redacted)]
        assert set(TRIED) <= {one.type for one in mark.kept}
        assert (incident.status, incident.severity, incident.lead) == (was.status, was.severity, was.lead)
        assert [one.steps for one in incident.checklists] != []
        assert {one.mark for one in incident.checklists[0].steps.values()} == {
            one.mark for one in was.checklists[0].steps.values()
        }
        assert {draft.state for draft in incident.drafts.values()} == {"lapsed"}
        files = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("incidents.sqlite*")))
        assert holds(files.decode("latin-1")) == [] and await world.bot.store.verify() == []

        # what is written from it
        out = await bot(world, "export", "1", "--folder", str(tmp_path / "out"), "--team", world.slack.team_id)
        assert out.status == 0, out.said
        written = "".join(path.read_text() for path in sorted((tmp_path / "out").iterdir()))
        assert holds(written) == [] and REDACTION_MARK in written
        assert "redacted entries 1, " in written and "(command line)" in written and "pasted by accident" in written
        assert {"Redacted"} <= {one["type"] for one in json.loads((tmp_path / "out/inc-1-timeline.json").read_text())}

        # and once more: what is left is a person's to do
        again = await redact(world)
        assert "No entry of INC-1 holds these words." in again.said and link in again.said
        assert "0 messages of the bot and in 1 message of people" in again.said
        assert "own notice about the channel" in again.said

        # life goes on
        assert "reopened" in await world.say("ana", "/incident reopen", room) or (await world.incident()).open
    heard = capfd.readouterr()
    assert holds(heard.out + heard.err) == []


async def published(world: World) -> str:
    """An incident whose text for customers, with the words, is public; the channel."""
    room = (await world.declare("ana", "sev1 Logins fail")).id
    await world.say("ana", "/incident add @dipo", room)
    await write_text(world, "ana", room, SLOTS)
    asked: Message = direct_message(world, "dipo", "asks you to approve a text")
    await world.person("dipo").click(asked, label="Approve")
    await world.settle()
    return room


@pytest.mark.parametrize("too", [pytest.param(False, id="left"), pytest.param(True, id="taken back")])
async def test_what_customers_were_told_is_taken_back_on_request_only(tmp_path: Path, too: bool) -> None:
    async with world_at(tmp_path) as world:
        await published(world)
        (post,) = [one for one in world.messages("ana", "#customer-comms") if holds(one.text)]
        link = f"/p{post.ts.replace('.', '')}"
        done = await redact(world, *(["--public-too"] if too else []))
        assert done.status == 0 and link in done.said, done.said
        assert ("Taken back" in done.said, "was published to customers and still stands" in done.said) == (too, not too)
        left = [one for one in world.messages("ana", "#customer-comms") if holds(one.text)]
        assert bool(left) is not too
        incident = await world.incident()
        assert [draft.state for draft in incident.drafts.values()] == ["published"]
        assert await world.bot.store.verify() == []


async def test_while_slack_is_away_the_record_is_redacted_and_slack_follows(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        room = (await world.declare("ana", f"sev2 Logins with {WORDS}")).id
        await world.person("ben").create_channel("inc-1-logins-with-redacted")
        world.slack.faults.add("auth.test", "error:internal_error", 1)
        world.slack.faults.add("chat.update", "429:2", 2)
        done = await redact(world)
        assert "In Slack nothing was looked for: Slack did not answer." in done.said
        assert "Look in Slack yourself, or run this again" in done.said
        await world.advance(minutes=1)
        assert holds(ours(world)) == []
        assert world.slack.channel(room).name == "inc-1-logins-with-redacted-2"  # the other name is Ben's


async def test_an_archived_channel_is_for_a_person(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        room = (await world.declare("ana", "sev2 Logins fail")).id
        await world.say("ana", f"/incident note it is {WORDS}", room)
        await world.person("ana").archive(room)
        await world.settle()
        done = await redact(world)
        assert "unarchive it, or let it in." in done.said
        await world.person("ana").unarchive(room)
        await world.settle()
        assert holds(ours(world)) == []


async def test_backups_of_since_then_are_named(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        room = (await world.declare()).id
        await world.say("ana", f"/incident note it is {WORDS}", room)
        (tmp_path / "backups").mkdir()
        made = await bot(world, "backup", str(tmp_path / "backups"))
        (file,) = (tmp_path / "backups").iterdir()
        assert made.status == 0
        done = await redact(world, "--backups", str(tmp_path / "backups"))
        assert f"{file} holds the words: delete it, or redact again after restoring it." in done.said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("redact", "INC-1", "--reason", "x", "--find", WORDS), "not taken from the command line",
                     id="words in the shell's history"),
        pytest.param(("redact", "INC-1", "--reason", "x", "--find", "-"), "add --yes", id="nobody can be asked"),
        pytest.param(("redact", "one", "--reason", "x"), "Name the incident", id="no number"),
        pytest.param(("redact", "INC-9", "--reason", "x"), "There is no INC-9", id="no such incident"),
    ],
)  # fmt: skip
async def test_what_the_command_does_not_take(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    async with world_at(tmp_path) as world:
        await world.declare()
        ended = await bot(world, *arguments)
        assert ended.status == 2 and said in " ".join(ended.said.replace("│", " ").split()), ended.said
