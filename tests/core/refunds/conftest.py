"""Fixtures of the tests of refunds."""

from collections.abc import Iterator

import pytest

from tests.core.refunds.refund_rows import make_card_order, make_refundable, settings


@pytest.fixture
def card_item(database: str) -> Iterator[str]:
    """Store an item that was paid by card, with a card gateway."""
    make_card_order("OD-2", reference="pi_1")
    with settings(stripe_api_key="sk_test_x"):
        yield make_refundable("OD-2")
