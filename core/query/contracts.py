"""The names of contracts: rows that have one, and the names that an actor may see.

Contracts are few, so a condition on a name first finds their IDs, which the tables have indexes of.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from core import storage
from core.access import Actor
from core.query.days import Sql
from core.query.scoping import scope_of_contracts
from core.storage import Contract, is_any_of, sorted_by
from core.views import View

# What rows are sorted by if they are sorted by the name of their contract; see `joined`.
RANK = (sorted_by(Contract.name), Contract.contract_id)


def is_of_named(
    ids: InstrumentedAttribute[Any], fits: Callable[[InstrumentedAttribute[Any]], Sql] | None = None
) -> Sql:
    """Restrict to rows whose contract has a name that fits; without it, any name."""
    found = select(Contract.contract_id).correlate(None)
    return ids.in_(found if fits is None else found.where(fits(Contract.name)))


def joined(view: View, rows: Select[Any]) -> Select[Any]:
    """Join the contracts if the view is sorted by their names.

    The database then reads the rows of one contract after the other from the index of IDs. With the
    name as an expression of each row, it would read and sort all rows.
    """
    for one in view.sort:
        if one.column.name_of is not None:
            ids = view.table.attribute(one.column)
            is_outer = view.table.is_nullable(one.column)
            return rows.join(Contract, Contract.contract_id == ids, isouter=is_outer)
    return rows


def contract_names(ids: Iterable[str], *, actor: Actor) -> dict[str, str]:
    """Return the names of contracts by ID; without those that the actor may not see."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = select(Contract.contract_id, Contract.name).where(
        is_any_of(Contract.contract_id, wanted), scope_of_contracts(actor)
    )
    with storage.reading() as session:
        return {row.contract_id: row.name for row in session.execute(found)}


def names_in(view: View, *, actor: Actor) -> dict[str, dict[str, str]]:
    """Return the names of the contracts that a view filters by, by column and ID, for its words."""
    asked = [one for one in view.filters if view.table.column_of_names(one.column) is not None]
    names = contract_names((text for one in asked for _, text in one.typed), actor=actor)
    return {one.column.name: names for one in asked}
