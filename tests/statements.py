"""The SQL statements of a test's block, and the plans by which the database runs them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from core import storage
from tests.databases import close_connections

Statement = tuple[str, object]  # and its values


@contextmanager
def noted_statements() -> Iterator[list[Statement]]:
    """Note the statements of the block, without those that only begin a transaction.

    SQLite gets BEGIN as a statement of its own, PostgreSQL what a writing transaction may take.
    """
    seen: list[Statement] = []

    def note(_c: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        if not statement.startswith(("BEGIN", "SET LOCAL statement_timeout")):
            seen.append((statement, values))

    event.listen(storage.get_engine(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(storage.get_engine(), "before_cursor_execute", note)


def plans_of(seen: Sequence[Statement]) -> str:
    """Return how the database runs the queries among the statements: one line per step."""
    explain = "EXPLAIN QUERY PLAN" if storage.is_sqlite() else "EXPLAIN"
    with storage.get_engine().connect() as connection:
        if not storage.is_sqlite():  # or it prefers a scan of such a small table
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return "\n".join(
            str(row)
            for statement, values in seen
            if statement.startswith(("SELECT", "WITH"))
            for row in connection.exec_driver_sql(f"{explain} {statement}", values).all()  # type: ignore[arg-type]
        )


@contextmanager
def counted_steps() -> Iterator[list[int]]:
    """Count the steps of SQLite's virtual machine during the block: each row read takes some."""
    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    def watch(connection: Connection, *_: object) -> None:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(step, 1)

    event.listen(storage.get_engine(), "before_cursor_execute", watch)
    try:
        yield steps
    finally:
        event.remove(storage.get_engine(), "before_cursor_execute", watch)
        close_connections(storage.get_engine())
