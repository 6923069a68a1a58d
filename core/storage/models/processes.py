"""The signs of life of processes: derived from those that run, never copied."""

from sqlalchemy import Column, Table

from core.storage.types import Base, Instant, Plain

# A table, not an ORM class: a copy of the database copies the classes.
PROCESS_SIGNS = Table(
    "process_signs",
    Base.metadata,
    Column("process_id", Plain, primary_key=True),
    Column("name", Plain, nullable=False),  # the host and the number of the process there
    Column("signed_at", Instant, nullable=False),
)
