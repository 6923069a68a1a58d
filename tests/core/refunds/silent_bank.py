"""Shared by the tests of returned refunds: a bank that may not answer, and ledger entries."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from core import storage
from core.refunds import look_again_due
from core.refunds.gateway import Failed, RefundAtProvider, Unknown
from core.storage import Transaction
from tests.conftest import NOW
from tests.core.refunds.card_bank import CardBank
from tests.core.refunds.refund_rows import (
    by_card,
)

AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
LONG_AFTER = NOW + timedelta(days=400)  # every deadline of the item has passed


class Bank(CardBank):
    """A provider that may not answer, or that runs code during a check."""

    said: RefundAtProvider | Failed | Unknown | BaseException | None = None
    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def look_again(self, reference: str) -> RefundAtProvider | Failed | Unknown:
        found = super().look_again(reference)
        self.meanwhile()
        if isinstance(self.said, BaseException):
            raise self.said
        return found if self.said is None else self.said


def look(bank: Bank, now: datetime) -> int:
    return look_again_due(now=now, gateways=by_card(bank))


def entries(item: str) -> list[tuple[str, str, int, str | None]]:
    """Return type, status, amount and reference of an item's ledger entries."""
    of_item = select(Transaction).where(Transaction.order_item_id == item).order_by("no")
    with storage.reading() as session:
        rows = session.scalars(of_item).all()
    return [(one.type, one.status, one.amount_minor, one.reference) for one in rows]


PAID = ("refund", "succeeded", 3800, "re_0")
BACK = ("adjustment", "succeeded", -3800, "re_0")
PAID_AGAIN = ("refund", "succeeded", 3800, "re_1")
