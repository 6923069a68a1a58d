"""Refunds at a provider that tests stand on: one that the bank returned, one that is unmatched."""

from datetime import timedelta
from typing import Any

from core.refunds import look_again_due
from core.refunds.gateway import MadeRefund, PaidAtProvider, Standing, Succeeded
from tests.conftest import NOW
from tests.core.refunds.refund_rows import (
    FakeGateway,
    by_card,
    make_card_order,
    make_refundable,
    request,
)

TOMORROW = NOW + timedelta(days=1)


def made(reference: str = "re_hand", minor: int = 3800, **given: Any) -> MadeRefund:
    """Return a refund that somebody made at the provider by hand."""
    standing = Standing(str(given.pop("standing", "succeeded")))
    return MadeRefund(reference, standing, minor, str(given.pop("currency", "EUR")), **given)


def paid(*refunds: MadeRefund, minor: int = 11_400) -> PaidAtProvider:
    """Return a payment as the provider has it."""
    return PaidAtProvider("pi_1", "EUR", is_captured=True, amount_minor=minor, refunds=refunds)


def returned_item() -> str:
    """Store an item whose refund succeeded, and the bank returned it a day later."""
    make_card_order("OD-2")
    item = make_refundable("OD-2")
    gateway = FakeGateway(Succeeded("re_1"))
    request(item, key="first", gateways=by_card(gateway))
    gateway.seen = made("re_1", standing="ended", why_ended="lost or stolen card")
    assert look_again_due(now=TOMORROW, gateways=by_card(gateway)) == 1
    return item


def unmatched_items(*prices: int, gateway: FakeGateway | None = None) -> list[str]:
    """Store items of one payment, which has a refund by hand; one request has stopped at it."""
    prices = prices or (3800, 3800, 1250)
    make_card_order("OD-2", paid=sum(prices), item_count=len(prices))
    items = [make_refundable("OD-2", price_minor=price) for price in prices]
    gateway = gateway or FakeGateway(Succeeded("re_new"))
    gateway.paid = paid(made(), minor=sum(prices))
    answer = request(items[0], key="stopped", gateways=by_card(gateway))
    assert len(answer.requested) == 1
    assert gateway.asked == []
    return items
