"""Which rows an actor may see, and which belong to one order: the only rule here about orders."""

from sqlalchemy import and_, false, select, true

from core.access import Actor
from core.ground import fold
from core.query.days import Sql
from core.storage import Order, folded
from core.tables import Table


def scope(table: Table, actor: Actor) -> Sql:
    """Restrict to rows the actor may see; without contracts, none.

    Only an actor who sees everything sees rows that belong to no contract or order.
    """
    stored = table.model.__table__.c
    if "contract_id" not in stored:
        return true() if actor.sees_everything else false()
    allowed: Sql = true()
    if not actor.sees_all_contracts:
        contracts = sorted(actor.contracts)
        allowed = stored.contract_id.in_(contracts) if contracts else false()
    if actor.only_own_orders:
        own = select(Order.order_id).where(folded(Order.author) == fold(actor.email))
        is_own = table.only_of(own) if table.only_of else stored.order_id.in_(own)
        allowed = and_(allowed, is_own)
    return allowed


def of_order(table: Table, order_id: str) -> Sql:
    """Restrict to the rows of one order."""
    if table.of_order is not None:
        return table.of_order(order_id)
    return table.model.__table__.c.order_id == order_id
