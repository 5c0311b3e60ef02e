"""Somebody with the database and a tool, and without the program and its key."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import asyncpg


class Raw:
    """Runs SQL on the database at `url`, past foreign keys and triggers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.shared = url.startswith("postgresql")

    def __call__(self, script: str) -> None:
        """Run these statements. Raises what the driver raises."""
        if self.shared:
            self._ask(f"SET session_replication_role = replica; {script}")
        else:
            with sqlite3.connect(self.url.removeprefix("sqlite:///")) as connection:
                connection.executescript(f"PRAGMA foreign_keys=OFF; {script}")

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What this one answers; each `?` is one of the values."""
        if self.shared:
            numbers = count(1)
            return self._ask(re.sub(r"\?", lambda _: f"${next(numbers)}", statement), *values)
        with sqlite3.connect(self.url.removeprefix("sqlite:///")) as connection:
            return connection.execute(statement, values).fetchall()

    def _ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        async def ask() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self.url)
            try:
                if values or statement.startswith(("SELECT", "EXPLAIN")):
                    return [tuple(row) for row in await connection.fetch(statement, *values)]
                await connection.execute(statement)
                return []
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, ask()).result()
