"""The present as a parameter with a name, for statements that are built once and run often."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Dialect, Text, TypeDecorator, bindparam

from core.storage.types import Instant

NOW, BEGUN_DAY = "now", "begun_day"
FIRST_ZONE = timedelta(hours=14)  # where each day begins first


class BegunDay(TypeDecorator[datetime]):
    """Binds an instant as the latest day that has begun anywhere, such as 2026-11-29."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Convert an aware datetime to the day."""
        return None if value is None else f"{(value + FIRST_ZONE).date()}"


def named_now() -> Any:
    """Return the present for an expression that takes an instant; `bound_now` gives its value."""
    return bindparam(NOW, type_=Instant)


def bound_now(now: datetime) -> dict[str, Any]:
    """Return the parameters of a statement with `named_now`."""
    return {NOW: now, BEGUN_DAY: now}


def begun_day(now: Any) -> BindParameter[datetime]:
    """Return the latest day that has begun anywhere at an instant, or at `named_now`."""
    if isinstance(now, datetime):
        return bindparam(None, now, type_=BegunDay)
    return bindparam(BEGUN_DAY, type_=BegunDay)
