"""The order items of selected orders, for an action on all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select

from core import storage
from core.access import Actor, require
from core.ground import Refused
from core.query.conditions import is_among
from core.query.scoping import scope
from core.query.ticked import MAX_SELECTED, ticked_ids
from core.storage import Order, OrderItem
from core.tables import ORDER_ITEMS, ORDERS


@dataclass(frozen=True)
class ItemsOfOrders:
    """The items of orders, in the order of the given orders and then of the items."""

    orders: dict[str, str]  # the order of each item, by their IDs
    without_items: tuple[str, ...]  # orders
    not_found: tuple[str, ...]  # orders that do not exist, or that the actor may not see

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Return the IDs of the items."""
        return tuple(self.orders)


class TooManyItems(Refused):
    """The orders have more items than an action takes."""

    def __init__(self, orders: int) -> None:
        is_one = orders == 1
        which = "selected order has" if is_one else f"{orders:,} selected orders have"
        hint = "Select its items on Order Items." if is_one else "Select fewer orders."
        super().__init__(
            f"The {which} more than {MAX_SELECTED:,} items, and one action takes at most "
            f"{MAX_SELECTED:,}. {hint}"
        )


def find_items_of(order_ids: Sequence[str], *, actor: Actor) -> ItemsOfOrders:
    """Find the items of orders that the actor may see.

    Raises NotPermitted, InvalidInput for invalid IDs, and TooManyItems.
    """
    require(actor, ORDERS.seen_with)
    ids = ticked_ids(order_ids, ORDERS, "for their items")
    is_its_item = and_(OrderItem.order_id == Order.order_id, scope(ORDER_ITEMS, actor))
    statement = (
        select(Order.order_id, OrderItem.order_item_id)
        .outerjoin(OrderItem, is_its_item)
        .where(is_among(ORDERS, ORDERS.key_column, tuple(ids)), scope(ORDERS, actor))
        .order_by(OrderItem.no)
        .limit(MAX_SELECTED + len(ids) + 1)  # an order without items is a row too
    )
    items: dict[str, list[str]] = {}
    with storage.reading() as session:
        for order_id, item_id in session.execute(statement):
            items.setdefault(order_id, []).extend([item_id] if item_id else [])
    if sum(map(len, items.values())) > MAX_SELECTED:
        raise TooManyItems(len(ids))
    return ItemsOfOrders(
        orders={item: one for one in ids for item in items.get(one, ())},
        without_items=tuple(one for one in ids if items.get(one) == []),
        not_found=tuple(one for one in ids if one not in items),
    )
