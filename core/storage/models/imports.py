"""The check or import of files that each user began last: it passes within hours, never copied."""

from sqlalchemy import BigInteger, Boolean, Column, Table

from core.storage.types import Base, Instant, Json, Plain, partial_index

IMPORT_IS_RUNNING = "state IN ('checking', 'importing')"
# A table, not an ORM class: a copy of the database copies the classes. Only one row runs at a time.
# `content` has the names of the files, and what was found or done (see core.imports.results).
IMPORT_RUNS = Table(
    "import_runs",
    Base.metadata,
    Column("user_id", Plain, primary_key=True),
    Column("run_id", Plain, nullable=False),
    Column("email", Plain, nullable=False),
    Column("since", Instant, nullable=False),
    Column("state", Plain, nullable=False),
    Column("phase", Plain, nullable=False),
    Column("share", BigInteger, nullable=False),  # done, of 1,000
    Column("is_cancelled", Boolean, nullable=False),
    Column("failure", Plain, nullable=False),
    Column("content", Json, nullable=False),
    Column("seen_at", Instant, nullable=False),  # the last sign of life, by the database's clock
    Column("one", BigInteger, nullable=False),  # always 1: the index of a constant admits one row
    partial_index("ix_import_runs_running", "one", where=IMPORT_IS_RUNNING, unique=True),
)
