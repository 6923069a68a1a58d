"""Refunds for tests: one that the bank returned, and one that is unmatched."""

from datetime import timedelta
from typing import Any

from core.refunds import look_again_due
from core.refunds.gateway import PaymentAtProvider, ProviderStatus, RefundAtProvider, Succeeded
from tests.conftest import NOW
from tests.core.refunds.refund_rows import (
    FakeGateway,
    by_card,
    make_card_order,
    make_refundable,
    request,
)

TOMORROW = NOW + timedelta(days=1)


def made(reference: str = "re_hand", minor: int = 3800, **given: Any) -> RefundAtProvider:
    """Return a refund that was made by hand at the provider."""
    status = ProviderStatus(str(given.pop("status", "succeeded")))
    return RefundAtProvider(reference, status, minor, str(given.pop("currency", "EUR")), **given)


def paid(*refunds: RefundAtProvider, minor: int = 11_400) -> PaymentAtProvider:
    """Return a payment at the provider."""
    return PaymentAtProvider("pi_1", "EUR", is_captured=True, amount_minor=minor, refunds=refunds)


def returned_item() -> str:
    """Store an item whose refund succeeded and was returned by the bank a day later."""
    make_card_order("OD-2")
    item = make_refundable("OD-2")
    gateway = FakeGateway(Succeeded("re_1"))
    request(item, key="first", gateways=by_card(gateway))
    gateway.seen = made("re_1", status="ended", why_ended="lost or stolen card")
    assert look_again_due(now=TOMORROW, gateways=by_card(gateway)) == 1
    return item


def unmatched_items(*prices: int, gateway: FakeGateway | None = None) -> list[str]:
    """Store items of a payment with a refund made by hand that has stopped a request."""
    prices = prices or (3800, 3800, 1250)
    make_card_order("OD-2", paid=sum(prices), item_count=len(prices))
    items = [make_refundable("OD-2", price_minor=price) for price in prices]
    gateway = gateway or FakeGateway(Succeeded("re_new"))
    gateway.paid = paid(made(), minor=sum(prices))
    answer = request(items[0], key="stopped", gateways=by_card(gateway))
    assert len(answer.requested) == 1
    assert gateway.asked == []
    return items
