"""Limit the rows that one person exports in an hour, counted from the audit trail."""

from collections.abc import Callable
from datetime import datetime
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access
from core.access import Actor
from core.ground import Permission, Refused, get_settings
from core.storage import AuditEvent


class TooManyRows(Refused):
    """The export would exceed the number of rows that the settings allow in an hour."""

    def __init__(self, limit: int, before: int, requested: int) -> None:
        super().__init__(
            f"You can export {limit:,} rows per hour. You exported {before:,} in the last hour, "
            f"and this export has {requested:,}. Filter for fewer rows, or try again later. "
            "Nothing was exported."
        )


def check_limit(session: Session, count: Callable[[], int], *, actor: Actor, now: datetime) -> None:
    """Raise TooManyRows if the export would exceed the actor's hourly limit.

    `count` counts the rows of the export. It is called only if EXPORTED_ROWS_PER_HOUR is set.
    """
    limit = get_settings().exported_rows_per_hour
    access.check_hourly_limit(
        limit, lambda since: _exported(session, actor, since), count, TooManyRows, now=now
    )


def record_export(
    file: IO[bytes],
    action: str,
    permission: Permission,
    *,
    rows: int,
    actor: Actor,
    now: datetime,
    after: dict[str, Any] | None = None,
    **about: Any,
) -> None:
    """Audit a written file with its number of rows; `about` goes to access.record_event.

    Raises what access.handing_out raises. Raises TooManyRows, and empties the file, if other
    exports have used up the limit in the meantime.
    """
    is_limited = get_settings().exported_rows_per_hour is not None
    with access.handing_out(file, actor, permission, counts=is_limited) as session:
        check_limit(session, lambda: rows, actor=actor, now=now)
        access.record_event(
            session, action, actor=actor, now=now, after=(after or {}) | {"rows": rows}, **about
        )


def _exported(session: Session, actor: Actor, since: datetime) -> int:
    events = select(AuditEvent.after).where(
        AuditEvent.actor == actor.email,
        AuditEvent.at > since,
        AuditEvent.action.endswith(".exported", autoescape=True),
    )
    return sum((after or {}).get("rows", 0) for after in session.scalars(events))
