"""Narrow a search by trigram indexes. They yield candidates; the view's conditions decide.

A text of at least three characters is looked up in an index: on SQLite in FTS5 tables, one per
searched column (`<table>_search_<column>`), on PostgreSQL in GIN indexes (`ix_<table>_search`).
At most MAX_GATHERED rows are gathered. A common text is not looked up: a scan in sort order soon
fills the page. Order IDs in other tables are looked up in the table of orders. Without the indexes,
searches find the same rows, but more slowly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    GenerativeSelect,
    Select,
    SQLColumnExpression,
    Text,
    any_,
    bindparam,
    case,
    column,
    func,
    literal_column,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy import table as sql_table
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import storage
from core.ground import ascii_lower, fold
from core.query.conditions import is_searched
from core.storage import Base, Order, OrderItem, Transaction
from core.tables import Column, Kind, Table
from core.views import Condition, Filter, Operator, View

MAX_GATHERED = 20_000  # sorted in 20 ms; of three million rows, this is one in 150
SAMPLE = 500  # rows of a common text that are checked before the table is scanned
TRIGRAM = 3  # characters
MAX_TRIGRAMS = 16  # a few of a long text narrow as well as all of them
NARROWING = {Operator.CONTAINS, Operator.EQUALS, Operator.STARTS_WITH, Operator.ENDS_WITH}
_INDEXED: tuple[type[Base], ...] = (Order, OrderItem, Transaction)
_ITEMS_SEARCHED = ("passenger_name_folded", "voucher_code")  # for words on Orders


@dataclass(frozen=True)
class Gathered:
    """A limited set of rows: their count and their keys (on SQLite, as JSON text)."""

    count: int
    listed: Any

    def has(self, model: type[Base]) -> ColumnElement[bool]:
        """Restrict to these rows."""
        if storage.is_sqlite():
            each = func.json_each(self.listed).table_valued("value")
            return row_of(model).in_(select(each.c.value))
        return row_of(model) == any_(bindparam(None, self.listed, type_=ARRAY(Text)))


@dataclass
class Narrowing:
    """What the indexes yield for a view: conditions for rare texts, a sample for a common one.

    The conditions can let through more rows than match. They are used with the view's conditions.
    """

    conditions: list[ColumnElement[bool]] = field(default_factory=list)
    sample: Gathered | None = None  # empty if PostgreSQL only estimates that the text is common
    most: int = 0  # the largest number of rows that one condition lets through


@dataclass(frozen=True)
class _Sought:
    """A text to look up in one column: of the row, or of a row of another table, of its order."""

    model: type[Base]
    attribute: str
    text: str


def row_of(model: type[Base]) -> SQLColumnExpression[Any]:
    """Return the expression that identifies a row: on SQLite the rowid, which is in all indexes."""
    if storage.is_sqlite():
        return literal_column(f"{model.__tablename__}.rowid", BigInteger)
    key: SQLColumnExpression[Any] = next(iter(model.__table__.primary_key))
    return key


def rows_of(model: type[Base]) -> Select[Any]:
    """Select the expressions that identify the rows of a table."""
    return select(row_of(model).label("row")).select_from(model)


def gather(session: Session, rows: GenerativeSelect, limit: int = MAX_GATHERED) -> Gathered | None:
    """Gather rows if there are at most `limit`; None if there are more."""
    found = rows.limit(limit + 1).subquery()
    one = next(iter(found.c))
    count = func.count()
    listed = func.json_group_array(one) if storage.is_sqlite() else func.array_agg(one)
    counted = select(count, case((count <= limit, listed))).select_from(found)
    number, which = session.execute(counted).one()
    if number > limit:
        return None
    return Gathered(number, which) if number else _none()


def _none() -> Gathered:
    return Gathered(0, "[]" if storage.is_sqlite() else [])


def narrow(session: Session, view: View) -> Narrowing:
    """Look up the texts of a view in the search indexes."""
    found = Narrowing()
    terms = list(_terms(view)) if view.table.model in _INDEXED else []
    indexed = _indexed(session) if terms else set()
    for term in terms:
        if not _can_narrow(session, term, indexed):
            continue
        parts = _candidates(session, view.table.model, term)
        if isinstance(parts, Gathered):
            found.sample = parts
        else:
            found.conditions.append(_among(view.table.model, parts))
            found.most = max(found.most, sum(one.count for one in parts))
    return found


def _terms(view: View) -> Iterable[list[_Sought]]:
    """Return the texts to look up: a match contains at least one text of each list."""
    for word in view.search.split():
        sought = [_sought(view.table, one, word) for one in view.table.offered if is_searched(one)]
        if view.table.model is Order:
            folded, code = fold(word), ascii_lower(word)
            sought += [
                _Sought(OrderItem, name, folded if name.endswith("_folded") else code)
                for name in _ITEMS_SEARCHED
            ]
        yield sought
    for one in view.filters:
        yield from _filtered(view.table, one)


def _filtered(table: Table, one: Filter) -> Iterable[list[_Sought]]:
    if not is_searched(one.column):
        return
    narrowing = [c for c in one.conditions if _narrows(c)]
    if one.joined == "AND":
        yield from ([_sought(table, one.column, asked.value)] for asked in narrowing)
    elif len(narrowing) == len(one.conditions):
        yield [_sought(table, one.column, asked.value) for asked in narrowing]


def _narrows(asked: Condition) -> bool:
    return asked.operator in NARROWING


def _sought(table: Table, column: Column, value: str) -> _Sought:
    is_of_order = column.name == "order_id" or (
        table.model is OrderItem and column.name == "contract_id"  # that of its order
    )
    if is_of_order:
        return _Sought(Order, column.name, ascii_lower(value))
    if column.kind is Kind.TEXT:
        return _Sought(table.model, f"{column.name}_folded", fold(value))
    return _Sought(table.model, column.name, ascii_lower(value))


def _indexed(session: Session) -> set[str]:
    """Return the names of the existing search indexes."""
    found = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE %'"
        if storage.is_sqlite()
        else "SELECT relname FROM pg_class WHERE relkind = 'i' AND relname ~ '^ix_.*_search$'"
    )
    return set(session.scalars(text(found)))


def _can_narrow(session: Session, term: Sequence[_Sought], indexed: set[str]) -> bool:
    """Return whether each text has an index and at least one trigram."""
    texts = {one.text for one in term}
    if min(map(len, texts)) < TRIGRAM:
        return False
    if storage.is_sqlite():
        return all(_fts_name(one) in indexed for one in term)
    if any(f"ix_{one.model.__tablename__}_search" not in indexed for one in term):
        return False
    return all(_has_trigram(session, one) for one in texts)


def _has_trigram(session: Session, sought: str) -> bool:
    """Ask PostgreSQL: which characters belong to words depends on the server's locale."""
    trigrams = select(func.unnest(func.show_trgm(sought)).label("one")).subquery()
    inner = select(func.count()).where(trigrams.c.one.not_like("% %"))  # not at the edges
    return bool(session.scalar(inner))


def _candidates(
    session: Session, model: type[Base], term: Sequence[_Sought]
) -> list[Gathered] | Gathered:
    """Gather the rows that may contain one of the texts; a sample if there are many."""
    gathered, left = [], MAX_GATHERED
    for other in dict.fromkeys(one.model for one in term):
        lookup = union_all(*(_lookup(one) for one in term if one.model is other))
        if not storage.is_sqlite() and _estimate(session, lookup) > MAX_GATHERED:
            return _none()
        found = gather(session, lookup, left)
        if found is not None and found.count and other is not model:
            found = gather(session, _of_same_orders(model, other, found), left)
        if found is None:
            return _sample(session, model, other, lookup)
        left -= found.count
        gathered.append(found)
    return [one for one in gathered if one.count]


def _estimate(session: Session, rows: CompoundSelect[Any]) -> int:
    """Return PostgreSQL's estimate of the row count; looking them up may take long."""
    asked = session.connection().execute(rows, execution_options={storage.EXPLAIN: True})
    plans: Any = asked.scalar_one()
    return int(plans[0]["Plan"]["Plan Rows"])


def _sample(
    session: Session, model: type[Base], other: type[Base], lookup: CompoundSelect[Any]
) -> Gathered:
    some = gather(session, lookup.limit(SAMPLE).subquery().select(), SAMPLE)
    if some is not None and other is not model:
        theirs = _of_same_orders(model, other, some).limit(SAMPLE)
        some = gather(session, theirs.subquery().select(), SAMPLE)
    assert some is not None  # SAMPLE limits both selects
    return some


def _of_same_orders(model: type[Base], other: type[Base], found: Gathered) -> Select[Any]:
    """Select the rows that have the same orders as the found rows of another table."""
    orders = select(other.__table__.c.order_id).where(found.has(other))
    return rows_of(model).where(model.__table__.c.order_id.in_(orders))


def _among(model: type[Base], parts: Sequence[Gathered]) -> ColumnElement[bool]:
    parts = parts or [_none()]
    if len(parts) == 1 or not storage.is_sqlite():
        return or_(*(one.has(model) for one in parts))
    each = [func.json_each(one.listed).table_valued("value") for one in parts]
    return row_of(model).in_(union_all(*(select(one.c.value) for one in each)))


def _lookup(sought: _Sought) -> Select[Any]:
    """Select rows from the index; SQLite's has no positions, so each trigram is a term."""
    if not storage.is_sqlite():
        attribute: InstrumentedAttribute[Any] = getattr(sought.model, sought.attribute)
        is_folded = sought.attribute.endswith("_folded")
        compared = attribute if is_folded else func.lower(attribute)
        return rows_of(sought.model).where(compared.contains(sought.text, autoescape=True))
    name = _fts_name(sought)
    rows = sql_table(name, column("rowid", BigInteger))
    asked = bindparam(None, trigrams_of(sought.text), Text)
    return select(rows.c.rowid.label("row")).where(literal_column(name).op("MATCH")(asked))


def _fts_name(sought: _Sought) -> str:
    return f"{sought.model.__tablename__}_search_{sought.attribute}"


def trigrams_of(sought: str) -> str:
    """Return the FTS5 query for rows with all trigrams of a text, of which at most MAX_TRIGRAMS."""
    every = list(dict.fromkeys(sought[i : i + TRIGRAM] for i in range(len(sought) - TRIGRAM + 1)))
    step = max(1, -(-len(every) // MAX_TRIGRAMS))
    quoted = ('"' + one.replace('"', '""') + '"' for one in every[::step])
    return " AND ".join(quoted)
