"""The ledger: numbered entries for the outcomes of refunds, and the contracts' balances.

The number of an outcome's entry is reserved in the transaction of the request: a clash of numbers
after the money has moved would lose the entry.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from core import storage
from core.ground import Method, RefundStatus, TransactionStatus, TransactionType
from core.storage import TRANSACTION_NUMBERS, Contract, Refund, Transaction, new_id


def enter_outcomes(session: Session, settled: Sequence[Refund], now: datetime) -> None:
    """Enter the outcomes of refunds as numbered transactions, failed refunds too."""
    fresh = iter(_next_numbers(session, sum(one.ledger_no is None for one in settled)))
    for refund in settled:
        no = next(fresh) if refund.ledger_no is None else refund.ledger_no
        refund.ledger_no = None  # in use from now on
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
    """Return the next free numbers of the ledger. Imports choose their own numbers."""
    if not count:
        return []
    (found,) = storage.next_numbers(session, (TRANSACTION_NUMBERS, count))
    return found
