"""Run by alembic, on the connection (and in the transaction) that `schema.migrate` hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from bot.store.tables import metadata


def run(connection: Connection) -> None:
    """Apply what is missing."""
    # batch: SQLite changes a table by making it anew
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
