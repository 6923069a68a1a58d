"""Saved views."""

from typing import Any

from sqlalchemy import UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from core.storage.types import Base


class SavedView(Base):
    """A stored view: a named one, or an unnamed one that is too long for a URL."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("owner", "table_name", "name"),)
    view_id: Mapped[str] = mapped_column(primary_key=True)
    table_name: Mapped[str]
    owner: Mapped[str]
    name: Mapped[str | None]
    is_shared: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
    is_sharing_confirmed: Mapped[bool] = mapped_column(default=False, server_default=false())
    view: Mapped[dict[str, Any]]
