"""The commands that look after the data: backup, restore, export of everything, import, verify.

Exit statuses: 0 done and well, 1 damage was found, 2 it could not be done (and nothing was changed).
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection

from bot.clock import SystemClock
from bot.config import Settings
from bot.logs import escape_control
from bot.store import SqlStore, StoreRefused, backup, dump, engines, schema, timestamps
from bot.store import witness as witness_file
from bot.store.atomic_file import create_atomically
from bot.store.backup import RestoreResult
from bot.store.dump import Contents
from bot.store.verify import VerifyReport, verify_all
from bot.store.witness import Witness

EXIT_OK, EXIT_DAMAGED = 0, 1


def back_up(settings: Settings, target: Path | None, keep: int) -> int:
    """`bot backup`; without a target into BACKUP_DIR. Raises StoreRefused."""
    target = target or settings.backup_dir
    if target is None:
        raise StoreRefused("Say where: a file, a folder, or BACKUP_DIR in the settings.")
    made = backup.back_up(settings.database_url, _key(settings), target, SystemClock().now(), keep)
    print(f"{made.path}: {_told(made.contents)}")
    for one in made.deleted:
        print(f"deleted the older {one}")
    if made.problems:
        print("The backup was made, and its timelines are not as they were written:", file=sys.stderr)
        for problem in made.problems:
            print(f"  {escape_control(problem)}", file=sys.stderr)
        return EXIT_DAMAGED
    return EXIT_OK


def restore(settings: Settings, source: Path, over: bool) -> int:
    """`bot restore`. Raises StoreRefused."""
    put = backup.restore(settings.database_url, _key(settings), source, SystemClock().now(), replace=over)
    _arrived("Restored", put)
    print(
        f"Incidents that go on when the bot starts: {put.looked_at}. What it did in Slack after this backup is looked "
        "for before anything is sent; notes, ticks and updates of that time stand in Slack only."
    )
    return EXIT_OK


def export_all(settings: Settings, target: Path) -> int:
    """`bot export --all`. Raises StoreRefused."""
    address = engines.parse_url(settings.database_url)
    with engines.explained_errors(address):
        schema.check(address)
    with create_atomically(target) as part, part.open("wb") as out, engines.explained_errors(address):
        held = engines.run_in_transaction(address, lambda connection: dump.write(connection, out), write=False)
    print(f"{target}: {_told(held)}")
    return EXIT_OK


def import_all(settings: Settings, source: Path) -> int:
    """`bot import`. Raises StoreRefused."""
    _arrived("Imported", backup.import_dump(settings.database_url, _key(settings), source, SystemClock().now()))
    return EXIT_OK


def verify(settings: Settings, as_json: bool, witness: Path | None = None) -> int:
    """`bot verify`; with `witness` also against what was seen last time, and where all is well seen anew.

    Raises StoreRefused.
    """
    address = engines.parse_url(settings.database_url)
    key = _key(settings)
    before = witness_file.read(witness, key) if witness else None

    def look(connection: Connection) -> tuple[VerifyReport, Witness, str]:
        report = verify_all(connection, key)
        if before and not report.damage:  # else there may be nothing that can be read
            report.damage.extend(witness_file.missing_since(connection, before))
        if report.damage:
            return report, Witness(), ""
        return report, witness_file.take_witness(connection), _told(dump.contents(connection))

    with engines.explained_errors(address):
        schema.check(address)
        found, now, held = engines.run_in_transaction(address, look, write=False)
    if witness and not found.damage:
        witness_file.write(witness, key, now)
    if as_json:
        print(
            json.dumps(
                {"damage": found.damage, "owed": [asdict(one) for one in found.unfinished]}, default=timestamps.to_text
            )
        )
        return EXIT_DAMAGED if found.damage else EXIT_OK
    for problem in found.damage:  # whoever may change rows may write what moves a terminal's cursor
        print(escape_control(problem))
    if found.damage:
        print("Where every event is named, CHAIN_KEY is probably another one than theirs.", file=sys.stderr)
    else:
        print(f"Every timeline is as it was written: {held}")
        if witness and before is None:
            print(f"{witness} is new: the next look compares with it.")
    for one in found.unfinished:
        why = f": {one.error}" if one.error else ""
        since = f"{one.since:%Y-%m-%d %H:%M} UTC"
        said = f"unfinished since {since}, {one.what}: {one.key} of {one.incident} ({one.team}){why}"
        print(escape_control(said))
    return EXIT_DAMAGED if found.damage else EXIT_OK


async def rearm_all(settings: Settings) -> int:
    """Let every parked duty be tried again at once by the running bot; how many there were."""
    store = SqlStore.open(settings.database_url, _key(settings))
    try:
        parked = await store.parked()
        await store.write(lambda tx: tx.rearm())
        return len(parked)
    finally:
        await store.close()


def _arrived(how: str, put: RestoreResult) -> None:
    print(f"{how}, and every timeline is as it was written: {_told(put.contents)}")
    if put.aside:
        print(f"What stood there before is kept: {put.aside}")


def _told(held: Contents) -> str:
    incidents = "1 incident" if held.incidents == 1 else f"{held.incidents} incidents"
    until = f", until {held.until:%Y-%m-%d %H:%M:%S} UTC" if held.until else ""
    return f"{incidents}, {held.rows['events']} events{until}."


def _key(settings: Settings) -> bytes:
    return settings.chain_key.get_secret_value().encode()
