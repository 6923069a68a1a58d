"""Card payments that cannot be refunded here, because no payment provider is set up."""

from dataclasses import replace

import pytest

from core.refunds import cannot_refund_cards
from tests.core.refunds.refund_rows import AGENT, make_card_order, make_paid_order, settings
from tests.rows import make_transaction


@pytest.mark.both_databases
def test_a_card_payment_cannot_be_refunded_until_the_provider_is_set_up(database: str) -> None:
    make_paid_order("OD-1")
    make_card_order("OD-2", reference="pi_1")
    assert cannot_refund_cards(actor=AGENT)
    assert cannot_refund_cards(actor=AGENT, order_id="OD-2")
    assert not cannot_refund_cards(actor=AGENT, order_id="OD-1")
    with settings(stripe_api_key="sk_test_x"):
        assert not cannot_refund_cards(actor=AGENT)


@pytest.mark.parametrize(
    "given", [{"method": "balance"}, {"status": "failed"}, {"type": "adjustment"}]
)
def test_without_a_successful_payment_by_card_there_is_nothing_to_say(
    sqlite_database: str, given: dict[str, str]
) -> None:
    make_paid_order("OD-1")
    make_transaction(**{"order_id": "OD-1", "method": "card"} | given)
    assert not cannot_refund_cards(actor=AGENT)


def test_nobody_hears_of_card_payments_that_they_cannot_see(sqlite_database: str) -> None:
    make_card_order("OD-2", reference="pi_1")
    assert not cannot_refund_cards(actor=replace(AGENT, contracts=frozenset({"CT-2"})))
