"""The limit of a contract: above it, a refund waits for a second person."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import storage
from core.ground import RefundStatus
from core.refunds.rule import RefundItem
from core.storage import Refund

A_DAY = timedelta(hours=24)
# A refund that failed or was declined moved no money.
COUNTED = (
    RefundStatus.WAITING,
    RefundStatus.REQUESTED,
    RefundStatus.PROCESSING,
    RefundStatus.SUCCEEDED,
)


def find_over_limit(
    session: Session, items: Sequence[RefundItem], *, requested_by: str, now: datetime
) -> frozenset[str]:
    """Return the contracts over their limit if one person requests these refunds now.

    What the person requested for a contract within 24 hours counts, in the contract's currency,
    and each item once. In a write transaction the person's row must be locked, so that two requests
    cannot both stay below the limit. No statement is run if no contract has a limit.
    """
    limits = {
        one.contract_id: one.refund_limit_minor
        for one in items
        if one.refund_limit_minor is not None
    }
    if not limits:
        return frozenset()
    sums: Counter[str] = Counter()
    for one in items:
        sums[one.contract_id] += one.price_minor
    currencies = {one.contract_id: one.contract_currency for one in items}
    for contract_id, currency, amount in session.execute(
        select(Refund.contract_id, Refund.currency, func.sum(Refund.amount_minor))
        .where(
            Refund.requested_by == requested_by,
            Refund.requested_at > now - A_DAY,
            Refund.status.in_(COUNTED),
            Refund.contract_id.in_(sorted(limits)),
            # A refund that the bank returned is claimed by now: it is one of these items.
            ~storage.is_any_of(Refund.order_item_id, [one.order_item_id for one in items]),
        )
        .group_by(Refund.contract_id, Refund.currency)
    ):
        if currency == currencies[contract_id]:
            sums[contract_id] += int(amount)
    return frozenset(one for one, limit in limits.items() if sums[one] > limit)
