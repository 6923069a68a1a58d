"""Refunds at a Stripe server: the item, the ledger and the provider agree."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core import storage
from core.refunds import settle_due
from core.refunds.stripe import CardGateway
from core.storage import Transaction
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.refunds.refund_rows import (
    by_card,
    get_item,
    get_refund,
    ledger,
    make_card_order,
    make_refundable,
    request,
    settings,
)
from tests.core.refunds.stripe_server import (
    DECLINED_CARD,
    KEY,
    Line,
    answering,
    client_of,
    pay,
    refunds_at,
    running_stripe,
)

SHORT = 0.3  # seconds that a gateway waits for an answer which does not come


@pytest.fixture(scope="module")
def stripe_address() -> Iterator[str]:
    with running_stripe() as address:
        yield address


@pytest.fixture
def takes_cards(database: str) -> Iterator[None]:
    with settings(stripe_api_key=KEY):
        yield


@pytest.mark.usefixtures("takes_cards")
def test_an_order_paid_by_card_is_refunded_at_the_provider(stripe_address: str) -> None:
    payment = pay(stripe_address)
    item = make_refundable(make_card_order(reference=payment))
    request(item, gateways=by_card(CardGateway(KEY, address=stripe_address)))
    assert get_item(item).status == "refunded"
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]
    with storage.reading() as session:
        entered = session.query(Transaction).filter_by(type="refund").one()
        made = client_of(stripe_address).v1.refunds.retrieve(str(entered.reference))
    assert made.to_dict()["metadata"] == {
        "refund": f"{get_refund(item).refund_id}:1",
        "order": "OD-2",
        "order_item": item,
    }
    check_books()


@pytest.mark.usefixtures("takes_cards")
def test_a_declined_refund_frees_the_item(stripe_address: str) -> None:
    payment = pay(stripe_address, card=DECLINED_CARD)
    item = make_refundable(make_card_order(reference=payment))
    request(item, gateways=by_card(CardGateway(KEY, address=stripe_address)))
    assert (get_item(item).status, ledger(item)) == ("not_used", [("failed", 3800)])
    assert "has failed, so there is nothing to pay back" in str(get_refund(item).failure)
    check_books()


@pytest.mark.usefixtures("takes_cards")
def test_a_refund_whose_answer_is_lost_is_paid_once(stripe_address: str) -> None:
    payment, line = pay(stripe_address), Line(stripe_address)
    item = make_refundable(make_card_order(reference=payment))
    line.is_bad = True
    with answering(line.reply) as address:
        behind_line = CardGateway(KEY, address=address, timeout=SHORT)
        request(item, gateways=by_card(behind_line))
        assert (get_item(item).status, ledger(item)) == ("refund_requested", [])
        settle_due(now=NOW + timedelta(hours=1), gateways=by_card(behind_line))
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]
    assert (get_item(item).status, ledger(item)) == ("refunded", [("succeeded", 3800)])
    check_books()
