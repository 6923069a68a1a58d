"""The daily figures: sums of orders and order items by day, kept beside the rows they are of.

Triggers on the two tables queue the contracts and hours that change, in the transaction of the
change: nothing that writes rows can forget to, be it an import, a refund or a hand at the
database. Whoever reads counts the queued days anew first. A load of a whole database forgets the
figures instead, and counts all at its end. The row of figures_made names the zone that they are of;
without it, or when REPORT_ZONE has changed, all are counted anew.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Select,
    case,
    delete,
    false,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import access, storage
from core.access import Actor
from core.ground import ItemStatus, OutsideFailed, Permission, get_settings
from core.overview.days import day_expression, day_of, first_of_month, next_month, starts
from core.storage import (
    DAILY_FIGURES,
    FIGURE_CHANGES,
    FIGURES_MADE,
    Channel,
    Dimension,
    Order,
    OrderItem,
    Span,
)

logger = logging.getLogger(__name__)

THE_ROW = 1  # of figures_made
KEYS = ("contract_id", "currency", "value")
SUMS = ("row_count", "amount_minor", "refunded_count", "refunded_minor")
MANY_DAYS = 5  # of one month: from so many on, the month is counted at once
AN_HOUR = timedelta(hours=1)

_MODELS: dict[Dimension, type[Order] | type[OrderItem]] = {
    Dimension.CHANNEL: Order,
    Dimension.PRODUCT_TYPE: OrderItem,
    Dimension.AIRPORT: OrderItem,
}


def report_zone() -> ZoneInfo:
    """Return the zone that the days of the figures are in."""
    return ZoneInfo(get_settings().report_zone)


def refresh_figures() -> None:
    """Count anew what has changed since the figures were counted; safe to repeat and to race.

    Raises OutsideFailed when the database does not answer, or somebody else counts for long.
    """
    with storage.reading() as session:
        if _is_made(session) and session.execute(select(FIGURE_CHANGES).limit(1)).first() is None:
            return
    with storage.writing() as session:
        _take_turn(session)
        if _is_made(session):
            _count_changed(session)
            return
        if _earliest(session, Order, None) is not None:
            logger.info("Counting the daily figures of every order.")
        rebuild_figures_in(session)


def refresh_figures_soon() -> None:
    """Count anew after a large change, so that nobody waits for it later; else whoever reads."""
    with suppress(OutsideFailed):
        refresh_figures()


def rebuild_figures(*, actor: Actor, now: datetime) -> int:
    """Count every figure anew, and audit it; return how many rows they are.

    Raises NotPermitted, NoLongerIn, and OutsideFailed when the database does not answer.
    """
    with access.changing(actor, Permission.IMPORT) as (session, actor):
        _take_turn(session)
        rebuild_figures_in(session)
        access.record_event(
            session, "figures.rebuilt", actor=actor, entity="database", entity_id="figures", now=now
        )
        return session.scalar(select(func.count()).select_from(DAILY_FIGURES)) or 0


def forget_figures(session: Session) -> None:
    """Say that the figures are not made: before a whole database is filled, then `rebuild_in`."""
    session.execute(delete(FIGURES_MADE))


def rebuild_figures_in(session: Session) -> None:
    """Count every figure anew inside the caller's transaction."""
    zone = report_zone()
    session.execute(delete(FIGURE_CHANGES))
    session.execute(delete(DAILY_FIGURES))
    for month in _months(session, zone):
        _count_days(session, zone, month, next_month(month) - timedelta(days=1))
        _add_up_month(session, month)
    forget_figures(session)
    session.execute(insert(FIGURES_MADE).values(row=THE_ROW, zone=str(zone)))
    # The planner chooses indexes by what it knows of the table.
    session.execute(text("ANALYZE daily_figures"))


def counted(
    session: Session,
    dimension: Dimension,
    zone: ZoneInfo,
    days: tuple[date, date],
    conditions: Sequence[ColumnElement[bool]] = (),
) -> Select[Any]:
    """Count from the rows: day, KEYS and SUMS of a dimension, of these days (both included).

    The one statement that says what the figures are: the kept ones come from it, and those of
    whoever sees their own orders alone.
    """
    model, value, amount = _MODELS[dimension], _value(dimension), _amount(dimension)
    since, before = starts(zone, *days)
    # An order is not refunded, its items are.
    is_refunded = OrderItem.status == ItemStatus.REFUNDED if model is OrderItem else false()
    rows = (
        select(
            day_expression(session, model.created_at, zone, days).label("day"),
            model.contract_id.label("contract_id"),
            model.currency.label("currency"),
            value.label("value"),
            amount.label("amount"),
            case((is_refunded, 1), else_=0).label("refunded"),
        )
        .where(model.created_at >= since, model.created_at < before, *conditions)
        .subquery()
    )
    keys = [rows.c[name] for name in ("day", *KEYS)]
    return select(
        *keys,
        func.count().label("row_count"),
        _whole(rows.c.amount, "amount_minor"),
        _whole(rows.c.refunded, "refunded_count"),
        _whole(rows.c.amount * rows.c.refunded, "refunded_minor"),
    ).group_by(*keys)


def _whole(amount: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """Add up; PostgreSQL's sum of large integers is a decimal."""
    return func.sum(amount).cast(DAILY_FIGURES.c[name].type).label(name)


def _value(dimension: Dimension) -> ColumnElement[str]:
    if dimension is Dimension.CHANNEL:
        return case((Order.widget_id.is_(None), Channel.DIRECT.value), else_=Channel.WIDGET.value)
    attribute: InstrumentedAttribute[str] = getattr(OrderItem, dimension.value)
    return attribute.expression


def _amount(dimension: Dimension) -> InstrumentedAttribute[int]:
    return Order.amount_minor if dimension is Dimension.CHANNEL else OrderItem.price_minor


def _is_made(session: Session) -> bool:
    return session.scalar(select(FIGURES_MADE.c.zone)) == get_settings().report_zone


def _take_turn(session: Session) -> None:
    """Wait until nobody else counts: a change of the one row makes them take turns."""
    session.execute(
        text(
            "INSERT INTO figures_made (row, zone) VALUES (:row, '') "
            "ON CONFLICT (row) DO UPDATE SET zone = figures_made.zone"
        ),
        {"row": THE_ROW},
    )


def _months(session: Session, zone: ZoneInfo) -> Iterator[date]:
    """Yield the first day of every month in which there are orders or items."""
    since: datetime | None = None
    while True:
        found = [_earliest(session, model, since) for model in (Order, OrderItem)]
        known = [at for at in found if at is not None]
        if not known:
            return
        month = first_of_month(day_of(min(known), zone))
        yield month
        since = starts(zone, month, next_month(month) - timedelta(days=1))[1]


def _earliest(
    session: Session, model: type[Order] | type[OrderItem], since: datetime | None
) -> datetime | None:
    statement = select(model.created_at).order_by(model.created_at).limit(1)
    return session.scalar(
        statement if since is None else statement.where(model.created_at >= since)
    )


def _count_changed(session: Session) -> None:
    """Take what is queued, and count those days and months anew."""
    changes = delete(FIGURE_CHANGES).returning(FIGURE_CHANGES.c.contract_id, FIGURE_CHANGES.c.hour)
    zone = report_zone()
    changed: dict[date, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    for contract_id, hour in session.execute(changes).all():
        # An hour can be of two days; and of the one before 1970, where SQLite rounds up.
        for day in {day_of(hour - AN_HOUR, zone), day_of(hour, zone), day_of(hour + AN_HOUR, zone)}:
            changed[first_of_month(day)][day].add(contract_id)
    for month, days in sorted(changed.items()):
        contracts = set().union(*days.values())
        if len(days) < MANY_DAYS:
            for day, some in sorted(days.items()):
                _count_days(session, zone, day, day, some)
        else:
            _count_days(session, zone, month, next_month(month) - timedelta(days=1), contracts)
        _add_up_month(session, month, contracts)


def _count_days(
    session: Session, zone: ZoneInfo, first: date, last: date, contracts: Collection[str] = ()
) -> None:
    """Put the sums of some days, of these contracts or of all, in the place of the old ones."""
    kept = DAILY_FIGURES.c
    _delete(session, Span.DAY, first, last, contracts)
    for dimension in Dimension:
        model = _MODELS[dimension]
        conditions = [model.contract_id.in_(sorted(contracts))] if contracts else []
        rows = counted(session, dimension, zone, (first, last), conditions).subquery()
        sums = select(literal(dimension.value), literal(Span.DAY.value), *rows.c)
        names = [kept.dimension, kept.span, kept.day, *(kept[name] for name in (*KEYS, *SUMS))]
        session.execute(insert(DAILY_FIGURES).from_select(names, sums))


def _add_up_month(session: Session, month: date, contracts: Collection[str] = ()) -> None:
    """Put the sum of a month's days, of these contracts or of all, in the place of the old one."""
    kept = DAILY_FIGURES.c
    last = next_month(month) - timedelta(days=1)
    _delete(session, Span.MONTH, month, month, contracts)
    keys = [kept.dimension, *(kept[name] for name in KEYS)]
    sums = [_whole(kept[name], name) for name in SUMS]
    days = (
        select(kept.dimension, literal(Span.MONTH.value), literal(month, kept.day.type))
        .add_columns(*keys[1:], *sums)
        .where(*_of(Span.DAY, month, last, contracts))
        .group_by(*keys)
    )
    names = [kept.dimension, kept.span, kept.day, *(kept[name] for name in (*KEYS, *SUMS))]
    session.execute(insert(DAILY_FIGURES).from_select(names, days))


def _delete(
    session: Session, span: Span, first: date, last: date, contracts: Collection[str]
) -> None:
    session.execute(delete(DAILY_FIGURES).where(*_of(span, first, last, contracts)))


def _of(
    span: Span, first: date, last: date, contracts: Collection[str]
) -> list[ColumnElement[bool]]:
    kept = DAILY_FIGURES.c
    those = [kept.contract_id.in_(sorted(contracts))] if contracts else []
    # Its dimensions are named, since they begin the key.
    return [
        kept.dimension.in_([one.value for one in Dimension]),
        kept.span == span.value,
        kept.day.between(first, last),
        *those,
    ]
