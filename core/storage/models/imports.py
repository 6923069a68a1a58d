"""The check or import of files that each user began last."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from core.storage.types import Base, partial_index


class ImportRun(Base):
    """A check or import in the background, as every process sees it; only one runs at a time.

    `seen_at` is when its process last said that it runs, by the clock of the database. `content`
    has the names of the files, and what was found or done (see core.imports.results).
    """

    __tablename__ = "import_runs"
    IS_RUNNING = "state IN ('checking', 'importing')"
    __table_args__ = (
        partial_index("ix_import_runs_running", "one", where=IS_RUNNING, unique=True),
    )
    user_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str]
    email: Mapped[str]
    since: Mapped[datetime]
    state: Mapped[str]
    phase: Mapped[str]
    share: Mapped[int]  # done, of 1,000
    is_cancelled: Mapped[bool]
    failure: Mapped[str]
    content: Mapped[dict[str, Any]]
    seen_at: Mapped[datetime]
    one: Mapped[int] = mapped_column(default=1)  # always: the index of a constant admits one row
