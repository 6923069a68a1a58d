"""The trigram indexes of a table: on SQLite a search table for each column, kept by triggers."""

import sqlalchemy as sa
from alembic import op


def index_on_sqlite(table: str, column: str) -> None:
    """Create one search table per column; one for all columns would take twice the space."""
    name = f"{table}_search_{column}"
    op.execute(f"DROP TABLE IF EXISTS {name}")  # left over from a dropped schema
    op.execute(
        f"CREATE VIRTUAL TABLE {name} USING fts5({column}, content='{table}', "
        "tokenize='trigram', detail=none, columnsize=0)"
    )
    op.execute(f"INSERT INTO {name}({name}, rank) VALUES ('hashsize', 16777216)")  # noqa: S608
    # FTS5's own 'rebuild' may read the rows in an index's order, which takes many times as long.
    op.execute(
        f"INSERT INTO {name}(rowid, {column}) SELECT rowid, {column} FROM {table} "  # noqa: S608
        "NOT INDEXED ORDER BY rowid"
    )
    op.execute(f"INSERT INTO {name}({name}, rank) VALUES ('hashsize', 1048576)")  # noqa: S608


def keep_on_sqlite(table: str, columns: list[str]) -> None:
    """Create the triggers that keep the search tables of a table."""

    def added(column: str) -> str:
        name = f"{table}_search_{column}"
        return f"INSERT INTO {name}(rowid, {column}) VALUES (NEW.rowid, NEW.{column}); "  # noqa: S608

    def removed(column: str) -> str:
        name = f"{table}_search_{column}"
        return (
            f"INSERT INTO {name}({name}, rowid, {column}) "  # noqa: S608
            f"VALUES ('delete', OLD.rowid, OLD.{column}); "
        )

    every = "".join(map(added, columns))
    op.execute(f"CREATE TRIGGER {table}_search_insert AFTER INSERT ON {table} BEGIN {every}END")
    every = "".join(map(removed, columns))
    op.execute(f"CREATE TRIGGER {table}_search_delete AFTER DELETE ON {table} BEGIN {every}END")
    for column in columns:
        op.execute(
            f"CREATE TRIGGER {table}_search_update_{column} AFTER UPDATE OF {column} ON {table} "
            f"WHEN OLD.{column} IS NOT NEW.{column} BEGIN {removed(column)}{added(column)}END"
        )


def index_on_postgresql(table: str, columns: list[str]) -> None:
    """Create the index of a table; needs the extension pg_trgm."""
    keys = (
        f"{name} gin_trgm_ops" if name.endswith("_folded") else f"lower({name}) gin_trgm_ops"
        for name in columns
    )
    op.execute(f"CREATE INDEX ix_{table}_search ON {table} USING gin ({', '.join(keys)})")


def existing_on_sqlite(table: str) -> list[str]:
    """Return the columns of a table that have a search table."""
    start = f"{table}_search_"
    found = sa.text(
        "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE % USING fts5%' "
        "AND substr(name, 1, :n) = :start ORDER BY rowid"
    )
    names = op.get_bind().scalars(found, {"n": len(start), "start": start})
    return [name.removeprefix(start) for name in names]
