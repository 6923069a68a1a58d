"""Whether card payments can be refunded here: only if the payment provider is set up."""

from sqlalchemy import exists, select

from core import storage
from core.access import Actor
from core.ground import Method, TransactionStatus, TransactionType
from core.query import scope
from core.refunds.gateways import configured_gateways
from core.storage import Transaction
from core.tables import TRANSACTIONS

_BY_CARD = (
    Transaction.method == Method.CARD,
    Transaction.type == TransactionType.PAYMENT,
    Transaction.status == TransactionStatus.SUCCEEDED,
)


def cannot_refund_cards(*, actor: Actor, order_id: str | None = None) -> bool:
    """Return whether there are card payments, in one order or anywhere, that stay unrefundable.

    So it is False where nobody pays by card, and where the payment provider is set up.
    """
    if Method.CARD in configured_gateways():
        return False
    found = exists().where(*_BY_CARD, scope(TRANSACTIONS, actor))
    if order_id is not None:
        found = found.where(Transaction.order_id == order_id)
    with storage.reading() as session:
        return bool(session.scalar(select(found)))
