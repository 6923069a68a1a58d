"""What happened to some sample orders before the pictures: refunds, a note, and what waits."""

import io
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from core import access, mail, notes, refunds, storage, vouchers
from core.access import Actor
from core.ground import ItemStatus, Method, Role, TransactionType
from core.notes import FollowUp
from core.storage import OrderItem, Transaction
from tests.rows import make_actor

ITEMS_EACH = 2


def tell(now: datetime) -> None:
    """Let two people work for a day; refunds are left that wait for the local admin."""
    ana = make_actor(Role.ADMIN, email="ana.ruiz@helios.example", name="Ana Ruiz")
    ben = make_actor(Role.AGENT, email="ben.ho@helios.example", name="Ben Ho")
    orders = _refundable(now)
    (first, items), *others = orders.items()
    asked: dict[str, Any] = {"actor": ben, "now": now - timedelta(hours=3)}
    vouchers.issue(items, io.BytesIO(), file_format="pdf", **asked)
    mail.send(items, ["zoe@mail.example"], message=None, key="mail", **asked)
    why: dict[str, Any] = {"reason": "flight_cancelled", "note": "Gate closed"}
    asked["now"] += timedelta(hours=1)
    refunds.request(items[:1], key="first", **why, **asked)
    _leave_note(first, ana, ben, now - timedelta(hours=1))
    for order_id, those in others:
        _limit(order_id, ana, now)
        asked["now"] = now - timedelta(minutes=20)
        refunds.request(those, reason="booked_twice", key=order_id, **asked)


def _refundable(now: datetime) -> dict[str, list[str]]:
    """Return the newest orders of three contracts with items that can be refunded."""
    paid = select(Transaction.order_id).where(
        Transaction.method == Method.BALANCE, Transaction.type == TransactionType.PAYMENT
    )
    able = (
        select(OrderItem.contract_id, OrderItem.order_id, func.max(OrderItem.no).label("newest"))
        .where(
            OrderItem.order_id.in_(paid),
            OrderItem.status == ItemStatus.NOT_USED,
            OrderItem.is_refundable,
            OrderItem.refund_expire_at > now + timedelta(days=1),
        )
        .group_by(OrderItem.contract_id, OrderItem.order_id)
        .having(func.count() >= ITEMS_EACH)
    )
    with storage.reading() as session:
        newest = session.execute(able.order_by(func.max(OrderItem.no).desc())).all()
        of_contract = {row.contract_id: row.order_id for row in reversed(newest)}
        orders = list(of_contract.values())[-3:][::-1]
        return {one: _items(session, one, now) for one in orders}


def _items(session: Any, order_id: str, now: datetime) -> list[str]:
    is_able = OrderItem.is_refundable, OrderItem.refund_expire_at > now
    of_order = OrderItem.order_id == order_id, OrderItem.status == ItemStatus.NOT_USED
    ids = select(OrderItem.order_item_id).where(*of_order, *is_able).order_by(OrderItem.no)
    return list(session.scalars(ids.limit(ITEMS_EACH)))


def _leave_note(order_id: str, ana: Actor, ben: Actor, now: datetime) -> None:
    notes.add_note(
        order_id,
        "The airline confirmed the cancellation by phone.\n@Ana Ruiz please check the other item.",
        key="note",
        actor=ben,
        now=now,
        zone="UTC",
        follow_up=FollowUp(now.date() + timedelta(days=2), ana.email),
    )


def _limit(order_id: str, ana: Actor, now: datetime) -> None:
    """Let a second person approve every refund of the order's contract."""
    with storage.reading() as session:
        of_order = select(OrderItem.contract_id).where(OrderItem.order_id == order_id)
        contract_id = str(session.scalars(of_order).first())
    name = access.get_contract(contract_id, actor=ana).name
    asked: dict[str, Any] = {"actor": ana, "now": now - timedelta(days=1)}
    access.change_contract(contract_id, name=name, refund_limit_minor=0, **asked)
