"""What people can choose on Overview: contracts and currencies; and which day today is."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select

from core import storage
from core.access import Actor, require
from core.ground import Permission
from core.overview import counting
from core.overview.days import day_of
from core.overview.figures import ContractCurrency
from core.overview.periods import Period
from core.overview.sums import sum_up
from core.storage import Contract, Dimension


def today(now: datetime) -> date:
    """Return the date in the time zone of the figures."""
    return day_of(now, counting.report_zone())


def currencies(pairs: Sequence[ContractCurrency], contract_id: str | None) -> list[str]:
    """Return the currencies of a contract, or of all; the one with the most orders first."""
    orders: dict[str, int] = defaultdict(int)
    for one in pairs:
        if contract_id in (None, one.contract_id):
            orders[one.currency] += one.orders
    return sorted(orders, key=lambda currency: (-orders[currency], currency))


def load_contract_currencies(*, actor: Actor) -> list[ContractCurrency]:
    """Load the contracts and currencies that the actor can choose, in order of contract.

    Raises NotPermitted, and OutsideFailed without a database.
    """
    require(actor, Permission.OVERVIEW)
    counting.refresh_figures()
    with storage.reading() as session:
        keys = ("contract_id", "currency")
        found = sum_up(session, Dimension.CHANNEL, Period(), actor=actor, keys=keys)
        rows = select(Contract.contract_id, Contract.name)
        names = {row.contract_id: row.name for row in session.execute(rows)}
    pairs = [
        ContractCurrency(name=names[key["contract_id"]], orders=sums.rows, **key)
        for key, sums in found
    ]
    return sorted(pairs, key=lambda one: (one.contract_id, one.currency))
