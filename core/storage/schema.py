"""The schema of the database: migrate it, or drop and recreate it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

from core.ground import AppError, get_settings
from core.storage import search_index
from core.storage.dialect import without_foreign_keys
from core.storage.engine import create_missing_file, get_engine, is_sqlite
from core.storage.failures import translating_failures
from core.storage.transactions import lock_schema, reading
from core.storage.types import Base


class NewerSchema(AppError):
    """A newer version of Order Desk has upgraded the database."""

    def __init__(self, versions: set[str]) -> None:
        super().__init__(
            f"A newer version of Order Desk has upgraded the database to schema "
            f"{', '.join(sorted(versions))}. This version knows the schemas up to "
            f"{max(known_versions())}. Start the newer version. Nothing was changed."
        )


def migrate() -> tuple[str | None, str]:
    """Upgrade the database to the newest schema, one process at a time; safe to repeat.

    Return the schema before (None: no tables) and after. Creates a missing SQLite file. Raises
    NewerSchema, and OutsideFailed if the database does not answer.
    """
    create_missing_file(get_settings().database_url)
    with (
        translating_failures(),
        get_engine().connect() as connection,
        without_foreign_keys(connection),
    ):
        writer = connection.execution_options(order_desk_writes=True)
        with writer.begin():
            lock_schema(writer)
            before = versions_of(writer)
            if before - known_versions():
                raise NewerSchema(before)
            _upgrade(writer)
    return min(before, default=None), max(known_versions())


def versions_of(connection: Connection) -> set[str]:
    """Return the version of the schema of a database; empty if it has no tables."""
    return set(MigrationContext.configure(connection).get_current_heads())


def is_blank() -> bool:
    """Return whether the database is a SQLite file without tables; a missing file is created."""
    create_missing_file(get_settings().database_url)
    if not is_sqlite():
        return False
    with reading() as session:
        return not has_tables(session)


def has_tables(session: Session) -> bool:
    """Return whether the database has any table."""
    return bool(inspect(session.connection()).get_table_names())


def _upgrade(writer: Connection) -> None:
    command.upgrade(_alembic_config(writer), "head")


def known_versions() -> set[str]:
    """Return the schema versions that this program can upgrade to the newest."""
    scripts = ScriptDirectory(str(Path(__file__).parent / "migrations"))
    return {script.revision for script in scripts.walk_revisions()}


def recreate_schema(session: Session) -> None:
    """Drop all tables with their rows and create the newest schema. Needs `rebuilding`."""
    writer = session.connection()
    search_index.drop(writer)
    Base.metadata.drop_all(writer)
    writer.execute(text("DROP TABLE IF EXISTS alembic_version"))
    _upgrade(writer)


def _alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
