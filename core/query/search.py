"""Narrow a search by trigram indexes. They yield candidates; the view's conditions decide.

A text of at least three characters is looked up in an index (see core.storage.trigrams). At most
MAX_GATHERED rows are gathered. A common text is not looked up: a scan in sort order soon fills the
page. A column can be looked up in the index of another table, as its description says; the name of
a contract, among the contracts. Without the indexes, searches find the same rows, but more slowly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, or_, select, union_all
from sqlalchemy.orm import Session

from core.ground import ascii_lower, fold
from core.query.conditions import is_searched
from core.storage import (
    Base,
    Contract,
    Gathered,
    Sought,
    can_look_up,
    folded,
    gather,
    has_estimates,
    is_among_gathered,
    is_estimated_above,
    is_looked_up,
    look_up,
    no_rows,
    rows_of,
)
from core.tables import Column, Kind, Table
from core.views import Condition, Filter, Operator, View

MAX_GATHERED = 20_000  # sorted in 20 ms; of three million rows, this is one in 150
SAMPLE = 500  # rows of a common text that are checked before the table is scanned
NARROWING = {Operator.CONTAINS, Operator.EQUALS, Operator.STARTS_WITH, Operator.ENDS_WITH}


@dataclass
class Narrowing:
    """What the indexes yield for a view: conditions for rare texts, a sample for a common one.

    The conditions can let through more rows than match. They are used with the view's conditions.
    """

    conditions: list[ColumnElement[bool]] = field(default_factory=list)
    sample: Gathered | None = None  # empty if PostgreSQL only estimates that the text is common
    most: int = 0  # the largest number of rows that one condition lets through


@dataclass(frozen=True)
class _Sought(Sought):
    """A text to look up in the view's table, or in one that shares the column `by` with it.

    The few contracts have no index: they are scanned, and the rows of those found are looked up.
    """

    by: str | None = None
    is_indexed: bool = True


def narrow(session: Session, view: View) -> Narrowing:
    """Look up the texts of a view in the search indexes."""
    found = Narrowing()
    for term in _terms_of(view):
        if not can_look_up(session, _indexed(term)):
            continue
        parts = _candidates(session, view.table.model, term)
        if isinstance(parts, Gathered):
            found.sample = parts
        else:
            _narrow_to(found, view, parts)
    return found


def narrow_by_rare(session: Session, view: View, limit: int) -> Narrowing | None:
    """Look up the first text of which PostgreSQL estimates at most `limit` rows; None without one.

    SQLite has no estimates.
    """
    if not has_estimates():
        return None
    for term in _terms_of(view):
        if not can_look_up(session, _indexed(term)):
            continue
        if is_estimated_above(session, _lookup(view.table.model, _indexed(term)), limit):
            continue
        rows = gather(session, _lookup(view.table.model, term), MAX_GATHERED)
        if rows is not None:
            found = Narrowing()
            _narrow_to(found, view, [rows])
            return found
    return None


def _narrow_to(found: Narrowing, view: View, parts: Sequence[Gathered]) -> None:
    found.conditions.append(is_among_gathered(view.table.model, parts))
    found.most = max(found.most, sum(one.count for one in parts))


def _terms_of(view: View) -> Iterable[list[_Sought]]:
    return _terms(view) if view.table.is_indexed else ()


def _terms(view: View) -> Iterable[list[_Sought]]:
    """Return the texts to look up: a match contains at least one text of each list."""
    for word in view.search.split():
        if view.table.is_reference(word):
            continue  # its rows are found by indexes of their own
        sought = [_sought(view.table, one, word) for one in view.table.offered if is_searched(one)]
        for also in view.table.also_finds:
            sought += [replace(_sought(also.table, one, word), by=also.by) for one in also.columns]
        yield sought
    for one in view.filters:
        yield from _filtered(view.table, one)


def _filtered(table: Table, one: Filter) -> Iterable[list[_Sought]]:
    if not is_searched(one.column) or one.column.name_of is not None:
        return
    narrowing = [c for c in one.conditions if _narrows(c)]
    if one.joined == "AND":
        yield from ([_sought(table, one.column, asked.value)] for asked in narrowing)
    elif len(narrowing) == len(one.conditions):
        yield [_sought(table, one.column, asked.value) for asked in narrowing]


def _narrows(asked: Condition) -> bool:
    return asked.operator in NARROWING


def _sought(table: Table, column: Column, value: str) -> _Sought:
    if column.name_of is not None:
        return _Sought(Contract, folded(Contract.name).key, fold(value), "contract_id", False)
    through = column.searched_through
    if through is not None:
        return _Sought(through.model, column.name, ascii_lower(value), through.by)
    if column.kind is Kind.TEXT:
        twin = folded(table.attribute(column))
        return _Sought(table.model, twin.key, fold(value))
    return _Sought(table.model, column.name, ascii_lower(value))


def _indexed(term: Sequence[_Sought]) -> list[_Sought]:
    """Return the texts to look up in an index.

    PostgreSQL would estimate that one of the few contracts has any name, with all of its rows.
    """
    return [one for one in term if one.is_indexed]


def _candidates(
    session: Session, model: type[Base], term: Sequence[_Sought]
) -> list[Gathered] | Gathered:
    """Gather the rows that may contain one of the texts; a sample if there are many."""
    if has_estimates():
        return _candidates_by_estimate(session, model, term)
    gathered, left = [], MAX_GATHERED
    tables: dict[tuple[type[Base], str | None], list[Select[Any]]] = {}
    for one in term:
        home = (one.model, one.by) if one.is_indexed else (model, None)
        rows = look_up(one) if one.is_indexed else _rows_with(model, one.model, one.by, [one])
        tables.setdefault(home, []).append(rows)
    for (other, by), lookups in tables.items():
        lookup = union_all(*lookups)
        found = gather(session, lookup, left)
        if found is not None and found.count and by is not None:
            found = gather(session, _that_share(by, model, other, found), left)
        if found is None:
            return _sample(session, model, other, by, lookup)
        left -= found.count
        gathered.append(found)
    return [one for one in gathered if one.count]


def _candidates_by_estimate(
    session: Session, model: type[Base], term: Sequence[_Sought]
) -> list[Gathered] | Gathered:
    """Do it with one statement on PostgreSQL, unless it estimates many rows."""
    if is_estimated_above(session, _lookup(model, _indexed(term)), MAX_GATHERED):
        return no_rows()
    lookup = _lookup(model, term)
    found = gather(session, lookup, MAX_GATHERED)
    if found is None:
        some = gather(session, lookup.limit(SAMPLE).subquery().select(), SAMPLE)
        assert some is not None  # SAMPLE limits both selects
        return some
    return [found] if found.count else []


def _lookup(model: type[Base], term: Sequence[_Sought]) -> CompoundSelect[Any]:
    """Select the rows of a table that may contain one of the texts, for PostgreSQL."""
    tables: dict[tuple[type[Base], str | None], list[_Sought]] = {}
    for one in term:
        tables.setdefault((one.model, one.by), []).append(one)
    return union_all(
        *(_rows_with(model, other, by, texts) for (other, by), texts in tables.items())
    )


def _rows_with(
    model: type[Base], other: type[Base], by: str | None, term: Sequence[_Sought]
) -> Select[Any]:
    is_found = or_(*map(is_looked_up, term))
    if by is None:
        return rows_of(model).where(is_found)
    theirs = select(other.__table__.c[by].label("row")).where(is_found)
    ours = model.__table__.c[by]
    return theirs if ours.primary_key else rows_of(model).where(ours.in_(theirs))


def _sample(
    session: Session,
    model: type[Base],
    other: type[Base],
    by: str | None,
    lookup: CompoundSelect[Any],
) -> Gathered:
    some = gather(session, lookup.limit(SAMPLE).subquery().select(), SAMPLE)
    if some is not None and by is not None:
        theirs = _that_share(by, model, other, some).limit(SAMPLE)
        some = gather(session, theirs.subquery().select(), SAMPLE)
    assert some is not None  # SAMPLE limits both selects
    return some


def _that_share(by: str, model: type[Base], other: type[Base], found: Gathered) -> Select[Any]:
    """Select the rows that share a value of the column `by` with found rows of another table."""
    values = select(other.__table__.c[by]).where(found.has(other))
    return rows_of(model).where(model.__table__.c[by].in_(values))
