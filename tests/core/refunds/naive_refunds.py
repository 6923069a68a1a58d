"""Refunds written naively, without the guards of core: the negative control.

The request reads a status in one transaction and relies on it in the next. The worker calls the
provider with a new key each time and records the outcome afterwards.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core import storage
from core.ground import ItemStatus, Method, RefundStatus
from core.refunds.gateway import Gateway, RefundJob
from core.refunds.requests import Answer, Outcome
from core.storage import OrderItem, Refund, RefundBatch, Transaction, new_id
from tests.conftest import NOW
from tests.rows import sold_item


def drop_index() -> None:
    """Drop the unique index that allows one refund per item that is not failed."""
    with storage.writing() as session:
        session.execute(text("DROP INDEX ix_refunds_one_per_item"))


def request(item_ids: Sequence[str], key: str) -> Answer:
    """Refund the unused items without any guard."""
    with storage.reading() as session:
        wanted = select(OrderItem).where(OrderItem.order_item_id.in_(sorted(item_ids)))
        items = {item.order_item_id: item for item in session.scalars(wanted)}
    able = sorted(one for one in items if items[one].status == ItemStatus.NOT_USED)
    batch = RefundBatch(
        batch_id=new_id(),
        idempotency_key=key,
        request_hash="",
        answer={},
        requested_by="naive",
        created_at=NOW,
    )
    with storage.writing() as session:
        session.add(batch)
        session.flush()
        chosen = update(OrderItem).where(OrderItem.order_item_id.in_(able))
        session.execute(chosen.values(status=ItemStatus.REFUND_REQUESTED))
        made = {one: _refund(items[one], batch.batch_id) for one in able}
        session.add_all(made.values())
        outcomes = [_outcome(one, made.get(one)) for one in sorted(item_ids)]
        return Answer(batch.batch_id, tuple(outcomes))


def _refund(item: OrderItem, batch_id: str) -> Refund:
    return Refund(
        refund_id=new_id(),
        batch_id=batch_id,
        order_item_id=item.order_item_id,
        order_id=item.order_id,
        contract_id=item.contract_id,
        **sold_item(),
        amount_minor=item.price_minor,
        currency=item.currency,
        reason="goodwill",
        gateway=Method.BALANCE,
        status=RefundStatus.REQUESTED,
        attempt=1,
        requested_by="naive",
        requested_at=NOW,
    )


def _outcome(item_id: str, refund: Refund | None) -> Outcome:
    if refund is None:
        return Outcome(item_id, None, "It cannot be refunded.", None, None)
    return Outcome(item_id, refund.refund_id, None, refund.amount_minor, refund.currency)


def work(gateway: Gateway, *, now: datetime, may_die: Callable[[], None]) -> None:
    """Settle open refunds with a new key each time; `may_die` can raise in between."""
    with storage.reading() as session:
        found = session.scalars(select(Refund).where(Refund.status == RefundStatus.REQUESTED)).all()
    for refund in found:
        amount = refund.amount_minor, refund.currency
        of_item = refund.order_id, refund.order_item_id
        job = RefundJob(new_id(), 1, *amount, *of_item, reference=refund.payment_reference)
        gateway.refund(job)
        may_die()
        with storage.writing() as session:
            record(session, refund, now)


def record(session: Session, refund: Refund, now: datetime) -> None:
    """Write that a refund was paid."""
    mine = update(Refund).where(Refund.refund_id == refund.refund_id)
    session.execute(mine.values(status=RefundStatus.SUCCEEDED, settled_at=now))
    item = update(OrderItem).where(OrderItem.order_item_id == refund.order_item_id)
    session.execute(item.values(status=ItemStatus.REFUNDED, refunded_at=now))
    ((no,),) = storage.next_numbers(session, (storage.TRANSACTION_NUMBERS, 1))
    session.add(
        Transaction(
            transaction_id=new_id(),
            no=no,
            created_at=now,
            contract_id=refund.contract_id,
            order_id=refund.order_id,
            order_item_id=refund.order_item_id,
            refund_id=refund.refund_id,
            type="refund",
            method=refund.gateway,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
            status="succeeded",
            author="naive",
        )
    )
