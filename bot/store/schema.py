"""The database's shape: made and changed by migrations only, checked before anything is opened."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from bot.store import engines
from bot.store.refused import StoreRefused

_MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    # the default splits on blanks too, and the project may lie below a folder that has one in its name
    config.set_main_option("path_separator", "os")
    return config


def migrate(url: str) -> None:
    """Bring the database at `url` to the shape this program needs; make it where there is none.

    All or nothing: a crash on the way leaves it as it was. Of two programs that migrate at once, one waits.
    Raises StoreRefused for a database of a newer program.
    """
    address = engines.address(url)
    file = engines.file(address)
    if file is not None and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # private incidents: nobody else on this machine reads them
    engine = engines.writing(address)
    try:
        with engines.opening(address), engine.begin() as connection:
            if (found := revision(connection)) is not None and found not in _known():
                raise StoreRefused(_newer(found))
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def check(engine: Engine) -> None:
    """Raise StoreRefused unless the database has exactly the shape this program was written for."""
    with engine.connect() as connection:
        found = revision(connection)
        connection.rollback()
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    if found == wanted:
        return
    if found is None:
        raise StoreRefused("The database is empty. Run `python -m bot migrate` first.")
    if found in _known():
        raise StoreRefused(
            f"The database is at {found} and this program needs {wanted}. Run `python -m bot migrate` first."
        )
    raise StoreRefused(_newer(found))


def revision(connection: Connection) -> str | None:
    """The migration that the database is at; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _known() -> set[str]:
    return {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}


def _newer(found: str) -> str:
    return f"The database was made by a newer version of this program (it is at {found}). Install that version."
