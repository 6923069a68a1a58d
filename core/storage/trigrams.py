"""Look texts up in the trigram indexes, which `search_index` maintains.

On SQLite these are FTS5 tables, one per searched column (`<table>_search_<column>`), on PostgreSQL
GIN indexes, one per table (`ix_<table>_search`). A database can be without them, for lack of FTS5
or pg_trgm.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy import table as sql_table
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.storage.engine import is_sqlite
from core.storage.kept_indexes import search_indexes
from core.storage.postgresql import EXPLAIN
from core.storage.types import Base

TRIGRAM = 3  # characters
_SURELY = re.compile("[0-9A-Za-z]{3}")  # they belong to words in every locale
MAX_TRIGRAMS = 16  # a few of a long text narrow as well as all of them


@dataclass(frozen=True)
class Sought:
    """A text to look up in a stored attribute; both in lower case, or case-folded."""

    model: type[Base]
    attribute: str
    text: str


def can_look_up(session: Session, term: Sequence[Sought]) -> bool:
    """Return whether each text has an index, and at least one trigram."""
    texts = {one.text for one in term}
    if min(map(len, texts)) < TRIGRAM:
        return False
    indexed = search_indexes(session)
    if is_sqlite():
        return all(_fts_name(one) in indexed for one in term)
    if any(f"ix_{one.model.__tablename__}_search" not in indexed for one in term):
        return False
    return all(_SURELY.search(one) or _has_trigram(session, one) for one in texts)


def _has_trigram(session: Session, sought: str) -> bool:
    """Ask PostgreSQL: which characters belong to words depends on the server's locale."""
    trigrams = select(func.unnest(func.show_trgm(sought)).label("one")).subquery()
    inner = select(func.count()).where(trigrams.c.one.not_like("% %"))  # not at the edges
    return bool(session.scalar(inner))


def look_up(sought: Sought) -> Select[Any]:
    """Select rows from SQLite's index; it has no positions, so each trigram is a term."""
    name = _fts_name(sought)
    rows = sql_table(name, column("rowid", BigInteger))
    asked = bindparam(None, trigrams_of(sought.text), Text)
    return select(rows.c.rowid.label("row")).where(literal_column(name).op("MATCH")(asked))


def is_looked_up(sought: Sought) -> ColumnElement[bool]:
    """Return the condition that PostgreSQL looks up in its index."""
    attribute: InstrumentedAttribute[Any] = getattr(sought.model, sought.attribute)
    is_folded = sought.attribute.endswith("_folded")
    compared = attribute if is_folded else func.lower(attribute)
    return compared.contains(sought.text, autoescape=True)


def _fts_name(sought: Sought) -> str:
    return f"{sought.model.__tablename__}_search_{sought.attribute}"


def trigrams_of(sought: str) -> str:
    """Return the FTS5 query for rows that have every trigram of a text.

    If the text has more than MAX_TRIGRAMS, the query has that many at most, evenly spread.
    """
    every = list(dict.fromkeys(sought[i : i + TRIGRAM] for i in range(len(sought) - TRIGRAM + 1)))
    step = max(1, -(-len(every) // MAX_TRIGRAMS))
    quoted = ('"' + one.replace('"', '""') + '"' for one in every[::step])
    return " AND ".join(quoted)


def has_estimates() -> bool:
    """Return whether the database estimates how many rows a look-up yields; SQLite does not."""
    return not is_sqlite()


def is_estimated_above(session: Session, rows: CompoundSelect[Any], limit: int) -> bool:
    """Return whether PostgreSQL estimates more rows than `limit`; looking them up may take long.

    SQLite has no such estimate, and finds the rows fast enough.
    """
    if is_sqlite():
        return False
    asked = session.connection().execute(rows, execution_options={EXPLAIN: True})
    plans: Any = asked.scalar_one()
    return int(plans[0]["Plan"]["Plan Rows"]) > limit
