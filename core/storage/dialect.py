"""Where SQLite and PostgreSQL differ in SQL."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.storage.types import Base


def insert(session: Session, model: type[Base]) -> Any:
    """Return an INSERT that can say what to do on a conflict: on_conflict_do_nothing and so on."""
    of = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return of.insert(model)
