"""Run by alembic, on the connection (and in the transaction) that `schema.migrate` hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from bot.store.tables import metadata

#: any number of our own: two programs that migrate one PostgreSQL database at once take turns
LOCK = 5_021_917


def run(connection: Connection) -> None:
    """Apply what is missing."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    # batch: SQLite changes a table by making it anew
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
