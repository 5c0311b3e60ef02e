"""Record the program of this checkout: `python -m tests.upgrade.record NAME`, before a change that others must survive.

NAME is the version with the commit. A recording that is there is never made again: it has to load for ever.
Beside it belongs the program itself, which a later one runs beside: `git archive COMMIT bot runbooks comms_templates
manifest.yaml | gzip -9n > tests/upgrade/kept/NAME/program.tar.gz`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.store import migrate
from tests.postgres import Postgres
from tests.postgres_programs import owner
from tests.sender import SETTING
from tests.store.timeline import amounts_to
from tests.upgrade import slack_state, story
from tests.upgrade.kept import KEPT, incidents, kept_world, pressed, presses, recorded, restore_postgres, state_of
from tests.world import World, world_at

#: the oldest that is supported: what it writes loads on newer ones
VERSION = 16


async def told(folder: Path, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The story on this database: the local Slack's state, and what each incident amounts to."""
    async with world_at(folder, alert_secrets=SETTING, **more) as world:
        world.slack.world._random.seed(16)
        await story.tell_all(world)
        return slack_state.dump(world.slack), await folds(world)


async def folds(world: World) -> dict[str, Any]:
    """What is asked of each incident in all versions to come: the types of its events, and what they amount to."""
    types = await recorded(world)
    return {one.name: {"types": types[one.name], "amounts_to": amounts_to(one)} for one in await incidents(world)}


def write(folder: Path, state: dict[str, Any], folds: dict[str, Any]) -> None:
    for name, content in (("slack.json", state), ("folds.json", folds)):
        (folder / name).write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


async def outcomes(recording: str, engine: str, template: str, server: Postgres) -> dict[str, Any]:
    """What each press comes to, each in a world of its own."""
    found = {}
    for press in presses(state_of(recording, engine)):
        with tempfile.TemporaryDirectory() as folder:
            url = server.create(template) if engine == "postgres" else ""
            async with kept_world(recording, engine, Path(folder), url) as world:
                found[press.name] = asdict(await pressed(world, press, story.FORMS))
            if url:
                server.drop(url)
    return found


def dump_postgres(server: Postgres, url: str) -> str:
    """The database as SQL, without the lines that only psql reads."""
    program = server._programs / "pg_dump"
    command = [str(program), "--inserts", "--no-owner", "--no-privileges", "-d", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, **owner(), env={"PATH": os.defpath})
    kept = [line for line in done.stdout.splitlines() if not re.match(r"\\|--|$|SELECT pg_catalog.set_config", line)]
    return "\n".join(kept) + "\n"


async def main(recording: str) -> None:
    server = Postgres(VERSION)
    server.start()
    try:
        for engine in ("sqlite", "postgres"):
            target = KEPT / recording / engine
            target.mkdir(parents=True)
            with tempfile.TemporaryDirectory() as folder:
                if engine == "sqlite":
                    write(target, *await told(Path(folder)))
                    with sqlite3.connect(Path(folder) / "incidents.sqlite") as database:
                        database.execute("VACUUM INTO ?", (str(target / "incidents.sqlite"),))
                    template = ""
                else:
                    url = server.create("template0")
                    migrate(url)
                    write(target, *await told(Path(folder), database_url=url))
                    (target / "incidents.sql").write_text(dump_postgres(server, url))
                    template = await restore_postgres(server, recording)
            found = await outcomes(recording, engine, template, server)
            (target / "pressed.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    finally:
        server.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
