"""The daily figures of a snapshot that cannot be changed, such as one of a standby.

What changed since the last count is queued in it. The days in the queue are counted from the rows,
in the query that adds the figures up.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    literal,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from core.ground import first_of_month, next_month
from core.overview import counting
from core.overview.counted import KEYS, SUMS, select_counts, whole
from core.storage import DAILY_FIGURES, Dimension, NotOnStandby, Span

MAX_DAYS = 40  # each is counted by a query of its own; after an import there are more
Changed = Mapping[date, frozenset[str]]  # the contracts of each day
_COLUMNS = ("dimension", "span", "day", *KEYS, *SUMS)


def find_changed(session: Session) -> Changed:
    """Return the contracts of each day that changed since the last count.

    Raises NotOnStandby if too much has changed, or if not all figures are counted.
    """
    if not counting.is_current(session):
        raise NotOnStandby("The figures are being counted.")
    changed = counting.changed_days(session)
    if len(changed) > MAX_DAYS:
        raise NotOnStandby("Too many days have changed.")
    return {day: frozenset(contracts) for day, contracts in changed.items()}


def figures_of(session: Session, dimension: Dimension, changed: Changed) -> FromClause:
    """Return the figures of a dimension, with those of the changed days counted from the rows."""
    if not changed:
        return DAILY_FIGURES
    months = defaultdict[date, set[str]](set)
    for day, contracts in changed.items():
        months[first_of_month(day)] |= contracts
    days = [_stored(dimension, Span.DAY, changed)]
    days += [_counted(session, dimension, day, some) for day, some in changed.items()]
    by_day = union_all(*days).subquery()
    in_months = [_added_up(dimension, by_day, month, some) for month, some in months.items()]
    parts = [select(by_day), _stored(dimension, Span.MONTH, months), *in_months]
    return union_all(*parts).subquery()


def _stored(
    dimension: Dimension, span: Span, but: Mapping[date, frozenset[str]] | Mapping[date, set[str]]
) -> Select[Any]:
    """Select the stored figures of a dimension, but those that have changed."""
    stored = DAILY_FIGURES.c
    has_changed = [
        and_(stored.day == day, stored.contract_id.in_(sorted(some))) for day, some in but.items()
    ]
    return select(*(stored[name] for name in _COLUMNS)).where(
        stored.dimension == dimension.value, stored.span == span.value, not_(or_(*has_changed))
    )


def _counted(
    session: Session, dimension: Dimension, day: date, contracts: frozenset[str]
) -> Select[Any]:
    zone = counting.report_zone()
    rows = select_counts(session, dimension, zone, (day, day), contracts=contracts).subquery()
    return select(*_named(dimension, Span.DAY, day), *(rows.c[name] for name in (*KEYS, *SUMS)))


def _added_up(
    dimension: Dimension, by_day: FromClause, month: date, contracts: set[str]
) -> Select[Any]:
    """Add up the days of a month, for the contracts whose stored sum has changed."""
    keys = [by_day.c[name] for name in KEYS]
    sums = [whole(by_day.c[name], name) for name in SUMS]
    last = next_month(month) - timedelta(days=1)
    return (
        select(*_named(dimension, Span.MONTH, month), *keys, *sums)
        .where(by_day.c.day.between(month, last), by_day.c.contract_id.in_(sorted(contracts)))
        .group_by(*keys)
    )


def _named(dimension: Dimension, span: Span, day: date) -> list[ColumnElement[Any]]:
    of_day = literal(day, DAILY_FIGURES.c.day.type).label("day")
    return [literal(dimension.value).label("dimension"), literal(span.value).label("span"), of_day]
