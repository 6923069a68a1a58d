"""The differences between the SQL of SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.storage.types import Base


def insert(session: Session, model: type[Base]) -> Any:
    """Return an INSERT that can have an ON CONFLICT clause, such as on_conflict_do_nothing."""
    of = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return of.insert(model)
