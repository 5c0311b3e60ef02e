"""`bot doctor`, finding by finding: what is wrong is named with what to do, and looking changes nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from bot.app import create_bot
from bot.config import ROOT, Misconfigured
from bot.doctor import CheckResult, examine
from bot.doctor.database import database
from bot.doctor.rights import SCOPE_PURPOSES
from bot.domain.effect import EffectState
from bot.store import SqlStore
from tests.postgres import Postgres
from tests.store.acts import declare, effect
from tests.world import KEY, World

SCOPES = yaml.safe_load((ROOT / "manifest.yaml").read_text())["oauth_config"]["scopes"]["bot"]


def wrong(findings: list[CheckResult]) -> list[tuple[str, str]]:
    return [(one.summary, one.advice) for one in findings if not one.ok]


def said(findings: list[CheckResult], words: str) -> CheckResult:
    (found,) = [one for one in findings if words in one.summary]
    return found


def test_each_scope_says_what_stops_without_it() -> None:
    assert set(SCOPE_PURPOSES) == set(SCOPES)


async def test_all_is_well_and_nothing_is_changed(world: World) -> None:
    await world.declare()
    channels = [(one.name, len(one.messages)) for one in world.slack.channels]
    asked = world.slack.journal[-1].number
    rows = await _rows(world)
    findings = await examine(world.settings)
    assert wrong(findings) == []
    assert said(findings, f"all {len(SCOPES)} scopes").ok
    assert said(findings, "threads can be read").ok
    assert not [one for one in findings if "conversations.create" in one.summary]
    assert said(findings, "journal wal").ok
    assert "BACKUP_DIR" in said(findings, "backups").summary
    assert [(one.name, len(one.messages)) for one in world.slack.channels] == channels
    assert await _rows(world) == rows
    called = {one.method for one in world.slack.journal if one.number > asked}
    assert called == {
        "auth.test", "users.list", "usergroups.list", "conversations.list", "conversations.history",
        "conversations.replies", "blocks.validate", "apps.connections.open",
    }  # fmt: skip


@pytest.mark.parametrize("method", ["users.list", "usergroups.list", "conversations.list"])
@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        pytest.param("500_before", "answers 500", id="500"),
        pytest.param("404", "answers 404", id="404"),
        pytest.param("429:30", "answers 429 and asks to wait 30 s", id="429"),
        pytest.param("error:missing_scope", "missing_scope; add the scope", id="scope"),
        pytest.param("error:internal_error", "answers internal_error", id="internal"),
        pytest.param("error:team_access_not_granted", "team_access_not_granted", id="refused"),
        pytest.param("cut_before", "gives no answer", id="cut"),
    ],
)  # fmt: skip
async def test_each_method_is_named_with_its_answer(world: World, method: str, fault: str, answer: str) -> None:
    world.slack.faults.add(method, fault, 9)
    asked = world.slack.journal[-1].number
    findings = await examine(world.settings)
    (found,) = [one for one in findings if not one.ok and method in one.summary]
    assert found.summary.startswith(f"slack: {method}: {answer}") and found.advice
    assert not said(findings, "team T").advice
    called = {one.method for one in world.slack.journal if one.number > asked}
    assert not called & {"conversations.create", "conversations.open", "conversations.join"}


async def test_a_scope_that_is_missing_is_named_beside_its_method(world: World) -> None:
    _without(world, "usergroups:read")
    findings = await examine(world.settings)
    assert said(findings, "usergroups.list").summary == (
        "slack: usergroups.list: missing_scope; add the scope usergroups:read"
    )


async def test_a_group_of_the_policy_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('levels = [["@nights"]]\n')
    settings = world.settings.model_copy(update={"policy_file": file})
    assert not said(await examine(settings), "@nights of the policy is no user group or person here").ok
    world.slack.create_group("nights", ["ana"])
    assert wrong(await examine(settings)) == []


async def _rows(world: World) -> Any:
    incident = await world.incident()
    return incident, await world.bot.store.effects(incident.id)


def _without(world: World, *scopes: str) -> None:
    grant = world.slack.install.grants[world.slack.bot_token]
    grant.scopes = grant.scopes - set(scopes)


async def test_who_may_send_alerts_is_named(world: World) -> None:
    assert "nobody" in said(await examine(world.settings), "alerts:").summary
    setting = "alertmanager=a-new-secret-of-it,alertmanager=an-old-secret-of-it,grafana=a-secret-of-theirs"
    settings = world.settings.model_copy(update={"alert_secrets": SecretStr(setting)})
    findings = await examine(settings)
    assert said(findings, "alertmanager, two secrets are valid").ok
    assert wrong(findings) == [("alerts: grafana is not a source", "Name one of: alertmanager, generic.")]
    with pytest.raises(Misconfigured, match="grafana"):
        create_bot(settings)


async def test_missing_scopes_are_named(world: World) -> None:
    _without(world, "pins:write", "usergroups:read")
    found = wrong(await examine(world.settings))
    assert [what for what, _ in found if "the scope" in what] == [
        "slack: usergroups.list: missing_scope; add the scope usergroups:read",
        "slack: the scope pins:write is missing: without it no pinning the card",
        "slack: the scope usergroups:read is missing: without it no groups in the policy",
    ]
    assert all("reinstall" in do for what, do in found if "scope" in what)


@pytest.mark.parametrize(
    ("method", "error", "ok", "words", "do"),
    [
        # Slack's documentation both lists bot scopes and denies bots: nobody can mend that, so it is no failure
        pytest.param("conversations.replies", "not_allowed_token_type", True, "threads cannot be read",
                     "shown as parked", id="threads"),
        pytest.param("conversations.history", "not_in_channel", True, "not in #incidents yet", "joins a public",
                     id="before the first run"),
        pytest.param("conversations.history", "missing_scope", False, "the history of #incidents", "Add the scopes",
                     id="history"),
        pytest.param("blocks.validate", "invalid_blocks", False, "blocks.validate", "report it", id="blocks"),
    ],
)  # fmt: skip
async def test_what_the_workspace_denies(world: World, method: str, error: str, ok: bool, words: str, do: str) -> None:
    await world.declare()
    world.slack.faults.add(method, f"error:{error}", 99)
    found = said(await examine(world.settings), words)
    assert found.ok is ok and do in found.advice


async def test_a_workspace_without_blocks_validate(world: World) -> None:
    world.slack.faults.add("blocks.validate", "error:unknown_method", 99)
    assert wrong(await examine(world.settings)) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres18"])
async def test_duties_and_doubts(request: pytest.FixtureRequest, world: World, kind: str) -> None:
    settings = world.settings
    if kind != "sqlite":
        server: Postgres = request.getfixturevalue(kind)
        settings = settings.model_copy(update={"database_url": server.create()})
    store, now = SqlStore.open(settings.database_url, KEY.encode()), world.clock.now()
    await store.write(declare("one"))
    calls = [
        effect("a", "one", state=EffectState.PARKED, error="not_in_channel", started_at=now),
        effect("b", "one", state=EffectState.PARKED, error="cannot look: missing_scope", started_at=now),
        effect("c", "one", state=EffectState.UNKNOWN, started_at=now - timedelta(hours=1)),
        effect("d", "one", state=EffectState.MISSING, started_at=now),
        effect("e", "one", state=EffectState.WAITING, started_at=now),
    ]
    for number, call in enumerate(calls):
        one = replace(call, id=str(number))
        await store.write(lambda tx, one=one: tx.save_effect(one))
    findings = await database(settings, now)
    await store.close()
    assert [what for what, _ in wrong(findings)] == [
        "outcome unknown: c of INC-1, since 2026-03-02 13:00 UTC",
        "parked: a of INC-1: not_in_channel",
        "parked: b of INC-1: cannot look: missing_scope",
    ]
    assert "Invite the bot" in said(findings, "parked: a").advice and "reinstall" in said(findings, "parked: b").advice
    assert said(findings, "unknown: d").ok and said(findings, "unsent: 1").ok
    if kind == "sqlite":
        assert said(findings, "SQLite").ok and said(findings, "free").ok
    else:
        assert said(findings, "PostgreSQL 18").ok and "a replica takes 9" in said(findings, "connections").summary


async def test_backups_that_are_old_or_not_there(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    settings, now = world.settings.model_copy(update={"backup_dir": folder}), world.clock.now()
    assert "none in" in said(await database(settings, now), "backups").summary
    (folder / "incidents-20260301T030000Z.sqlite").touch()
    for hours, ok in ((29, True), (31, False)):
        at = (now - timedelta(hours=hours)).timestamp()
        os.utime(folder / "incidents-20260301T030000Z.sqlite", (at, at))
        assert said(await database(settings, now), "backups: the newest").ok is ok


async def test_a_database_that_cannot_be_opened(world: World) -> None:
    found = await database(world.settings.model_copy(update={"database_url": "postgresql://nobody@/x?host=/nowhere"}),
                           world.clock.now())  # fmt: skip
    assert len(found) == 1 and not found[0].ok and "does not answer" in found[0].summary
