"""What is printed on the vouchers of order items."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.ground import airport_names
from core.storage import OrderItem
from core.vouchers import signed_code
from core.vouchers.pdf.page import Voucher


def to_vouchers(session: Session, items: Sequence[OrderItem]) -> list[Voucher]:
    """Return the vouchers of items in the same order, also those that are not valid."""
    numbers = _numbers(session, {item.order_id for item in items})
    return [_voucher(item, numbers) for item in items]


def _voucher(item: OrderItem, numbers: dict[str, str]) -> Voucher:
    return Voucher(
        order_item_id=item.order_item_id,
        order_id=item.order_id,
        number=numbers[item.order_item_id],
        product=item.product,
        product_type=item.product_type,
        airport_iata=item.airport_iata,
        airport_name=airport_names().get(item.airport_iata),
        terminal=item.terminal,
        airport_tz=item.airport_tz,
        service_at=item.service_at,
        flight_number=item.flight_number,
        valid_until=item.valid_until,
        pax_type=item.pax_type,
        passenger_name=item.passenger_name,
        voucher_code=item.voucher_code,
        signed_code=signed_code.sign(
            serial=item.voucher_serial,
            valid_from=item.valid_from,
            valid_until=item.valid_until,
            pax_type=item.pax_type,
        ),
        refund_expire_at=item.refund_expire_at if item.is_refundable else None,
        issued_at=item.created_at,
    )


def _numbers(session: Session, order_ids: set[str]) -> dict[str, str]:
    """Return for each item its place in its order: 2 of 3."""
    orders: dict[str, list[str]] = defaultdict(list)
    rows = select(OrderItem.order_id, OrderItem.order_item_id).where(
        OrderItem.order_id.in_(order_ids)
    )
    for order_id, item_id in session.execute(rows.order_by(OrderItem.no)):
        orders[order_id].append(item_id)
    return {
        item_id: f"{number} of {len(items)}"
        for items in orders.values()
        for number, item_id in enumerate(items, 1)
    }
