"""The ledger: numbered entries for the outcomes of refunds, and the contracts' balances."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core import storage
from core.ground import Method, RefundStatus, TransactionStatus, TransactionType
from core.storage import Contract, Refund, Transaction, new_id


def enter_outcomes(session: Session, settled: Sequence[Refund], now: datetime) -> None:
    """Enter the outcomes of refunds as numbered transactions, failed refunds too."""
    for no, refund in zip(_next_numbers(session, len(settled)), settled, strict=True):
        is_done = refund.status == RefundStatus.SUCCEEDED
        status = TransactionStatus.SUCCEEDED if is_done else TransactionStatus.FAILED
        amount = refund.amount_minor
        session.add(_entry(refund, no, TransactionType.REFUND, amount, status, now))


def enter_return(session: Session, refund: Refund, now: datetime) -> None:
    """Enter a returned refund: an adjustment with the opposite sign."""
    (no,) = _next_numbers(session, 1)
    amount, status = -refund.amount_minor, TransactionStatus.SUCCEEDED
    session.add(_entry(refund, no, TransactionType.ADJUSTMENT, amount, status, now))


def _entry(
    refund: Refund,
    no: int,
    kind: TransactionType,
    amount_minor: int,
    status: TransactionStatus,
    now: datetime,
) -> Transaction:
    return Transaction(
        transaction_id=new_id(),
        no=no,
        created_at=now,
        contract_id=refund.contract_id,
        order_id=refund.order_id,
        order_item_id=refund.order_item_id,
        refund_id=refund.refund_id,
        type=kind,
        method=refund.gateway,
        amount_minor=amount_minor,
        currency=refund.currency,
        status=status,
        reference=refund.external_reference,
        author=refund.requested_by,
    )


def credit(session: Session, settled: Sequence[Refund]) -> None:
    """Credit each balance once, in order of contract, so that parallel writers do not deadlock.

    Call it last in a transaction, because other transactions wait for the contract's row.
    """
    credits: dict[str, int] = defaultdict(int)
    for refund in settled:
        if refund.gateway == Method.BALANCE and refund.status == RefundStatus.SUCCEEDED:
            credits[refund.contract_id] += refund.amount_minor
    for contract_id, amount in sorted(credits.items()):
        contract = update(Contract).where(Contract.contract_id == contract_id)
        session.execute(contract.values(balance_minor=Contract.balance_minor + amount))


def _next_numbers(session: Session, count: int) -> list[int]:
    """Return the next free numbers of the ledger: after the highest; on PostgreSQL from a sequence.

    Imports choose their own numbers. If they have overtaken the sequence, it is moved ahead.
    """
    highest = session.scalar(select(func.max(Transaction.no))) or 0
    if storage.is_sqlite():
        return list(range(highest + 1, highest + 1 + count))
    following = select(func.nextval("transactions_no")).select_from(func.generate_series(1, count))
    numbers = list(session.scalars(following))
    if numbers[0] > highest:
        return numbers
    ahead = text(
        "SELECT setval('transactions_no', :count + greatest(:highest, last_value)) "
        "FROM transactions_no"
    )
    last = session.execute(ahead, {"count": count, "highest": highest}).scalar_one()
    return list(range(last - count + 1, last + 1))
