"""Card refunds that the bank returns, and the actions of people after that."""

from dataclasses import replace
from datetime import datetime, timedelta

from core import access, refunds
from core.refunds import look_again_due
from core.refunds.gateway import Failed, Outcome, ProviderStatus, RefundAtProvider, Succeeded
from core.storage import Refund
from tests.conftest import NOW
from tests.core.refunds.refund_rows import (
    AGENT,
    FakeGateway,
    by_card,
    get_refund,
    make_card_order,
    make_refundable,
    request,
    settings,
)

A_DAY = timedelta(days=1)
EVERYWHERE = replace(AGENT, sees_all_contracts=True)
REFUSED = Failed("The card is closed.")


def pay_back(item_id: str, *, at: datetime = NOW, outcome: Outcome | None = None) -> None:
    """Request the refund of an item that was paid by card, and settle it."""
    number = int(at.timestamp())
    gateway = FakeGateway(outcome or Succeeded(f"re_{item_id}_{number}"))
    with settings(stripe_api_key="sk_test_x"):
        key = f"{item_id}-{number}"
        answer = request(item_id, key=key, now=at, actor=EVERYWHERE, gateways=by_card(gateway))
    assert len(answer.requested) == 1


class Bank(FakeGateway):
    """A gateway where one refund was returned by the bank."""

    def __init__(self, returned: Refund) -> None:
        super().__init__(Succeeded())
        self.returned = returned

    def look_again(self, reference: str) -> RefundAtProvider:
        amount = self.returned.amount_minor, self.returned.currency
        if reference != self.returned.external_reference:
            return RefundAtProvider(reference, ProviderStatus.SUCCEEDED, *amount)
        return RefundAtProvider(
            reference, ProviderStatus.ENDED, *amount, why_ended="the account is closed"
        )


def let_the_bank_return(item_id: str, *, at: datetime) -> None:
    """Check every due refund; the bank has returned one of them."""
    bank = by_card(Bank(get_refund(item_id)))
    while look_again_due(now=at, gateways=bank):
        pass
    assert get_refund(item_id).failed_after_success_at == at


def give_back(item_id: str, *, at: datetime) -> None:
    """Give an item back: an admin does this if the customer keeps the service."""
    admin = access.find_local_actor()
    assert admin is not None
    assert refunds.give_back([item_id], note="Kept.", actor=admin, now=at) == [item_id]


def make_every_kind() -> dict[str, str]:
    """Store an order paid by card, with an item for each outcome of a refund."""
    kinds = (
        "not refunded",
        "succeeded",
        "failed, then succeeded",
        "returned",
        "returned, then refunded again",
        "returned, then failed",
        "returned twice",
        "returned, given back",
        "returned, given back, then refunded anew",
    )
    make_card_order("OD-1", paid=3800 * len(kinds), item_count=len(kinds))
    items = {kind: make_refundable("OD-1", order_item_id=f"IT-{n}") for n, kind in enumerate(kinds)}
    for kind, item in items.items():
        if kind.startswith("failed"):
            pay_back(item, outcome=REFUSED)
            pay_back(item, at=NOW + A_DAY)
        elif kind != "not refunded":
            pay_back(item)
        if kind.startswith("returned"):
            let_the_bank_return(item, at=NOW + 2 * A_DAY)
        if "given back" in kind:
            give_back(item, at=NOW + 2 * A_DAY)
        if "again" in kind or "twice" in kind or "anew" in kind:
            pay_back(item, at=NOW + 3 * A_DAY)
        if "then failed" in kind:
            pay_back(item, at=NOW + 3 * A_DAY, outcome=REFUSED)
        if "twice" in kind:
            let_the_bank_return(item, at=NOW + 4 * A_DAY)
    return items
