"""Which rows an actor may see, and which belong to one order: the only rule here about orders."""

from sqlalchemy import SQLColumnExpression, and_, exists, false, literal, or_, select, true

from core.access import Actor, roles_with
from core.ground import Permission, fold
from core.query.days import Sql
from core.storage import Contract, Order, User, UserContract, folded
from core.tables import Table


def scope(table: Table, actor: Actor) -> Sql:
    """Restrict to rows the actor may see; without contracts, none.

    Only an actor who sees everything sees rows that belong to no contract or order.
    """
    stored = table.model.__table__.c
    if "contract_id" not in stored:
        return true() if actor.sees_everything else false()
    allowed = _of_contracts(stored.contract_id, actor)
    if actor.only_own_orders:
        own = select(Order.order_id).where(_is_own(actor))
        is_own = table.only_of(own) if table.only_of else stored.order_id.in_(own)
        allowed = and_(allowed, is_own)
    return allowed


def scope_of_contracts(actor: Actor) -> Sql:
    """Restrict to contracts the actor may see; if they see only their own orders, to those of them.

    So nobody learns the name of a contract of which they see no row.
    """
    allowed = _of_contracts(Contract.contract_id, actor)
    if actor.only_own_orders:
        own = select(Order.contract_id).where(_is_own(actor))
        allowed = and_(allowed, Contract.contract_id.in_(own))
    return allowed


def _of_contracts(ids: SQLColumnExpression[str], actor: Actor) -> Sql:
    if actor.sees_all_contracts:
        return true()
    return ids.in_(sorted(actor.contracts)) if actor.contracts else false()


def _is_own(actor: Actor) -> Sql:
    return folded(Order.author) == fold(actor.email)


def sees_order(contract_id: str, author: str) -> Sql:
    """Restrict users to those who may see an order: `scope`, seen from the order."""
    return _sees(literal(contract_id), literal(fold(author)))


def sees_its_order() -> Sql:
    """Restrict pairs of a user and an order to those where the user may see the order."""
    return _sees(Order.contract_id, folded(Order.author))


def _sees(contract_id: SQLColumnExpression[str], author: SQLColumnExpression[str]) -> Sql:
    theirs = UserContract.user_id == User.user_id, UserContract.contract_id == contract_id
    return and_(
        User.is_active,
        User.role.in_(roles_with(Permission.ORDERS)),
        or_(User.sees_all_contracts, exists().where(*theirs)),
        or_(~User.only_own_orders, folded(User.email) == author),
    )


def of_order(table: Table, order_id: str) -> Sql:
    """Restrict to the rows of one order."""
    if table.of_order is not None:
        return table.of_order(order_id)
    return table.model.__table__.c.order_id == order_id
