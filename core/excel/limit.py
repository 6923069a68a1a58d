"""How many rows one person may take out as Excel in an hour, counted from the audit trail."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import access
from core.access import Actor
from core.ground import Permission, Refused, get_settings
from core.storage import AuditEvent

AN_HOUR = timedelta(hours=1)


class TooManyRows(Refused):
    """The actor would export more rows in an hour than the settings allow."""

    def __init__(self, limit: int, before: int, asked: int) -> None:
        super().__init__(
            f"You may export {limit:,} rows an hour, and {before:,} were exported in the last "
            f"hour; this would be {asked:,} more. Filter for fewer, or try again later. Nothing "
            "was exported."
        )


def check_limit(session: Session, count: Callable[[], int], *, actor: Actor, now: datetime) -> None:
    """Raise TooManyRows where so many more rows would be over the actor's limit of an hour.

    They are counted only where EXPORTED_ROWS_PER_HOUR sets a limit.
    """
    limit = get_settings().exported_rows_per_hour
    if limit is None:
        return
    before, asked = _exported(session, actor, now), count()
    if before + asked > limit:
        raise TooManyRows(limit, before, asked)


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
    """Audit a written file, as access.record_event does, with its rows.

    Raises as access.handing_out does, and TooManyRows where exports at the same moment have
    been faster: the file is emptied then.
    """
    is_limited = get_settings().exported_rows_per_hour is not None
    with access.handing_out(file, actor, permission, counts=is_limited) as session:
        check_limit(session, lambda: rows, actor=actor, now=now)
        access.record_event(
            session, action, actor=actor, now=now, after=(after or {}) | {"rows": rows}, **about
        )


def _exported(session: Session, actor: Actor, now: datetime) -> int:
    events = select(AuditEvent.after).where(
        AuditEvent.actor == actor.email,
        AuditEvent.at > now - AN_HOUR,
        AuditEvent.action.endswith(".exported", autoescape=True),
    )
    return sum((after or {}).get("rows", 0) for after in session.scalars(events))
