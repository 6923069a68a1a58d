"""The daily figures: sums of orders, items and refunds per day, stored beside their rows.

Triggers on the three tables queue the contracts and hours that change, in the transaction of the
change. So every writer is covered: an import, a refund, a person at the database. A reader first
recounts the queued days. When a whole database is loaded, the figures are dropped first and counted
at the end. The row of figures_made names their time zone. Without the row, or when REPORT_ZONE has
changed, all figures are recounted.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, delete, func, insert, literal, select, text
from sqlalchemy.orm import Session

from core import access, storage
from core.access import Actor
from core.ground import OutsideFailed, Permission, first_of_month, get_settings, next_month
from core.overview import counted
from core.overview.counted import KEYS, SUMS
from core.overview.days import bounds, day_of
from core.storage import DAILY_FIGURES, FIGURE_CHANGES, FIGURES_MADE, Dimension, Span

logger = logging.getLogger(__name__)

ONLY_ROW = 1  # the only row of figures_made
WHOLE_MONTH_FROM = 5  # if so many days of a month changed, the whole month is counted at once
AN_HOUR = timedelta(hours=1)


def report_zone() -> ZoneInfo:
    """Return the time zone of the figures' days."""
    return ZoneInfo(get_settings().report_zone)


def refresh_figures() -> None:
    """Recount what has changed since the last count; safe to repeat and to run in parallel.

    Raises OutsideFailed if the database does not answer, or if another count takes too long.
    """
    with storage.reading() as session:
        if is_current(session) and session.execute(select(FIGURE_CHANGES).limit(1)).first() is None:
            return
    with storage.writing() as session:
        storage.commit_without_standby(session)  # a lost count is counted again
        _wait_for_turn(session)
        if is_current(session):
            _recount_changed(session)
            return
        if counted.find_earliest(session, Dimension.CHANNEL, None) is not None:
            logger.info("Counting the daily figures of every order.")
        rebuild_figures_in(session)


def refresh_figures_early() -> None:
    """Recount right after a large change. If that fails, the next reader does it."""
    with suppress(OutsideFailed):
        refresh_figures()


def rebuild_figures(*, actor: Actor, now: datetime) -> int:
    """Recount every figure and audit it; return the number of rows of the figures.

    Raises NotPermitted, AccessLost, and OutsideFailed if the database does not answer.
    """
    with access.changing(actor, Permission.IMPORT) as (session, actor):
        _wait_for_turn(session)
        rebuild_figures_in(session)
        access.record_event(
            session, "figures.rebuilt", actor=actor, entity="database", entity_id="figures", now=now
        )
        return session.scalar(select(func.count()).select_from(DAILY_FIGURES)) or 0


def invalidate_figures(session: Session) -> None:
    """Mark the figures as missing before a whole database is loaded; then `rebuild_figures_in`."""
    session.execute(delete(FIGURES_MADE))


def rebuild_figures_in(session: Session) -> None:
    """Recount every figure in the caller's transaction."""
    zone = report_zone()
    session.execute(delete(FIGURE_CHANGES))
    session.execute(delete(DAILY_FIGURES))
    for month in _months(session, zone):
        _count_days(session, zone, month, next_month(month) - timedelta(days=1))
        _add_up_month(session, month)
    invalidate_figures(session)
    session.execute(insert(FIGURES_MADE).values(row=ONLY_ROW, zone=str(zone)))
    # The planner needs statistics of the table to choose the right index.
    session.execute(text("ANALYZE daily_figures"))


def is_current(session: Session) -> bool:
    """Return whether all figures are counted, but for the changes in the queue."""
    return session.scalar(select(FIGURES_MADE.c.zone)) == get_settings().report_zone


def _wait_for_turn(session: Session) -> None:
    """Wait until no other transaction counts; an update of the only row serialises them."""
    session.execute(
        text(
            "INSERT INTO figures_made (row, zone) VALUES (:row, '') "
            "ON CONFLICT (row) DO UPDATE SET zone = figures_made.zone"
        ),
        {"row": ONLY_ROW},
    )


def _months(session: Session, zone: ZoneInfo) -> Iterator[date]:
    """Yield the first day of every month that has orders, order items or refunds."""
    since: datetime | None = None
    while True:
        found = [counted.find_earliest(session, one, since) for one in Dimension]
        known = [at for at in found if at is not None]
        if not known:
            return
        month = first_of_month(day_of(min(known), zone))
        yield month
        since = bounds(zone, month, next_month(month) - timedelta(days=1))[1]


def _recount_changed(session: Session) -> None:
    """Empty the queue, and recount its days and their months."""
    changes = delete(FIGURE_CHANGES).returning(FIGURE_CHANGES.c.contract_id, FIGURE_CHANGES.c.hour)
    zone = report_zone()
    changed: dict[date, dict[date, set[str]]] = defaultdict(dict)
    for day, contracts in _days_of(session.execute(changes).all()).items():
        changed[first_of_month(day)][day] = contracts
    for month, days in sorted(changed.items()):
        contracts = set().union(*days.values())
        if len(days) < WHOLE_MONTH_FROM:
            for day, some in sorted(days.items()):
                _count_days(session, zone, day, day, some)
        else:
            _count_days(session, zone, month, next_month(month) - timedelta(days=1), contracts)
        _add_up_month(session, month, contracts)


def changed_days(session: Session) -> dict[date, set[str]]:
    """Return the days in the queue, each with its contracts."""
    queued = select(FIGURE_CHANGES.c.contract_id, FIGURE_CHANGES.c.hour)
    return _days_of(session.execute(queued).all())


def _days_of(changes: Sequence[Row[str, datetime]]) -> dict[date, set[str]]:
    zone, changed = report_zone(), defaultdict[date, set[str]](set)
    for contract_id, hour in changes:
        # An hour can belong to two days. Before 1970 SQLite rounds it up, to the hour after.
        for day in {day_of(hour - AN_HOUR, zone), day_of(hour, zone), day_of(hour + AN_HOUR, zone)}:
            changed[day].add(contract_id)
    return changed


def _count_days(
    session: Session, zone: ZoneInfo, first: date, last: date, contracts: Collection[str] = ()
) -> None:
    """Replace the sums of these days, for these contracts or for all."""
    stored = DAILY_FIGURES.c
    _delete(session, Span.DAY, first, last, contracts)
    for dimension in Dimension:
        counts = counted.select_counts(session, dimension, zone, (first, last), contracts=contracts)
        rows = counts.subquery()
        sums = select(literal(dimension.value), literal(Span.DAY.value), *rows.c)
        names = [
            stored.dimension,
            stored.span,
            stored.day,
            *(stored[name] for name in (*KEYS, *SUMS)),
        ]
        session.execute(insert(DAILY_FIGURES).from_select(names, sums))


def _add_up_month(session: Session, month: date, contracts: Collection[str] = ()) -> None:
    """Replace the sums of a month by the sums of its days, for these contracts or for all."""
    stored = DAILY_FIGURES.c
    last = next_month(month) - timedelta(days=1)
    _delete(session, Span.MONTH, month, month, contracts)
    keys = [stored.dimension, *(stored[name] for name in KEYS)]
    sums = [counted.whole(stored[name], name) for name in SUMS]
    days = (
        select(stored.dimension, literal(Span.MONTH.value), literal(month, stored.day.type))
        .add_columns(*keys[1:], *sums)
        .where(*_of(Span.DAY, month, last, contracts))
        .group_by(*keys)
    )
    names = [stored.dimension, stored.span, stored.day, *(stored[name] for name in (*KEYS, *SUMS))]
    session.execute(insert(DAILY_FIGURES).from_select(names, days))


def _delete(
    session: Session, span: Span, first: date, last: date, contracts: Collection[str]
) -> None:
    session.execute(delete(DAILY_FIGURES).where(*_of(span, first, last, contracts)))


def _of(
    span: Span, first: date, last: date, contracts: Collection[str]
) -> list[ColumnElement[bool]]:
    stored = DAILY_FIGURES.c
    of_contracts = [stored.contract_id.in_(sorted(contracts))] if contracts else []
    # Naming every dimension lets the database use the primary key, which begins with it.
    return [
        stored.dimension.in_([one.value for one in Dimension]),
        stored.span == span.value,
        stored.day.between(first, last),
        *of_contracts,
    ]
