"""Add up the daily figures of a period by some of their keys, in the actor's scope."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import reduce
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from core.access import Actor
from core.ground import first_of_month, fold, next_month
from core.overview import counting
from core.overview.counted import COUNTED, SUMS, select_counts
from core.overview.days import day_of
from core.overview.pending import Changed, figures_of
from core.overview.periods import Period
from core.query import scope
from core.storage import Dimension, Order, Span, folded
from core.tables import ORDERS

A_DAY = timedelta(days=1)


class Sums(NamedTuple):
    """The number and the amount of all rows, and of the refunded rows among them."""

    rows: int = 0
    amount_minor: int = 0
    refunded: int = 0
    refunded_minor: int = 0

    def plus(self, other: "Sums") -> "Sums":
        """Return the sum of both."""
        return Sums(*map(sum, zip(self, other, strict=True)))


# Sums with the keys that they belong to.
KeyedSums = list[tuple[dict[str, Any], Sums]]


def sum_up(
    session: Session,
    dimension: Dimension,
    period: Period,
    *,
    actor: Actor,
    keys: Sequence[str],
    values: Mapping[str, str] | None = None,
) -> KeyedSums:
    """Add up a dimension by `keys`, in the actor's scope; `values` restricts keys to a value.

    If the period is too long to be shown by day, the key *day* is the first day of the month.
    """
    return sum_up_each(session, dimension, [period], actor=actor, keys=keys, values=values)[0]


def sum_up_each(
    session: Session,
    dimension: Dimension,
    periods: Sequence[Period],
    *,
    actor: Actor,
    keys: Sequence[str],
    values: Mapping[str, str] | None = None,
    changed: Changed | None = None,
) -> list[KeyedSums]:
    """Add up each of several periods as `sum_up` does, in one statement.

    `changed` are days that are counted from the rows, because their stored figures are out of date.
    """
    selects = []
    for number, period in enumerate(periods):
        by_day = "day" in keys
        source, conditions = _rows_of(session, dimension, period, actor, changed, by_day=by_day)
        conditions += [source.c[name] == value for name, value in (values or {}).items()]
        named = [source.c[name] for name in keys]
        sums = [func.sum(source.c[name]) for name in SUMS]
        selected = select(literal(number), *named, *sums)
        selects.append(selected.where(*conditions).group_by(*named))
    found: list[KeyedSums] = [[] for _ in periods]
    for number, *row in session.execute(union_all(*selects)):
        key = dict(zip(keys, row, strict=False))
        if "day" in key and not periods[number].is_by_day:
            key["day"] = first_of_month(key["day"])
        found[number].append((key, Sums(*map(int, row[len(keys) :]))))
    return found


def _rows_of(
    session: Session,
    dimension: Dimension,
    period: Period,
    actor: Actor,
    changed: Changed | None,
    *,
    by_day: bool,
) -> tuple[FromClause, list[ColumnElement[bool]]]:
    """Return where the figures of a period are, and the conditions that choose them."""
    if actor.only_own_orders:
        return _own_rows(session, dimension, period, actor)
    figures = figures_of(session, dimension, changed or {})
    conditions = [
        figures.c.dimension == dimension.value,
        _covering(figures, period, by_day and period.is_by_day),
    ]
    if not actor.sees_all_contracts:
        conditions.append(figures.c.contract_id.in_(sorted(actor.contracts)))
    return figures, conditions


def _covering(figures: FromClause, period: Period, by_day: bool) -> ColumnElement[bool]:
    """Choose the rows that cover a period: whole months, and single days for the rest."""
    span, day = figures.c.span, figures.c.day
    if period.first is None or period.last is None:
        return span == Span.MONTH.value

    def of_days(first: date, last: date) -> ColumnElement[bool]:
        return and_(span == Span.DAY.value, day.between(first, last))

    months = None if by_day else period.whole_months()
    if months is None:
        return of_days(period.first, period.last)
    first, last = months
    return or_(
        and_(span == Span.MONTH.value, day.between(first, last)),
        of_days(period.first, first - A_DAY),
        of_days(next_month(last), period.last),
    )


def _own_rows(
    session: Session, dimension: Dimension, period: Period, actor: Actor
) -> tuple[FromClause, list[ColumnElement[bool]]]:
    """Count the actor's own rows: the daily figures are not split by author."""
    counted = COUNTED[dimension]
    zone = counting.report_zone()
    if period.first is not None and period.last is not None:
        days = period.first, period.last
    else:
        ends = [session.scalar(select(end(counted.at))) for end in (func.min, func.max)]
        first, last = (day_of(end, zone) if end else date(1970, 1, 1) for end in ends)
        days = first, last
    mine = [scope(counted.table, actor)]
    if counted.table is ORDERS:
        mine.append(folded(Order.author) == fold(actor.email))  # the same rows, but by an index
    rows = select_counts(session, dimension, zone, days, mine)
    return rows.subquery(), []


def total(found: KeyedSums) -> Sums:
    """Add up all sums."""
    return reduce(Sums.plus, (sums for _, sums in found), Sums())


def by_key(name: str, found: KeyedSums) -> dict[Any, Sums]:
    """Add up the sums by one of their keys."""
    sums: dict[Any, Sums] = defaultdict(Sums)
    for key, some in found:
        sums[key[name]] = sums[key[name]].plus(some)
    return sums
