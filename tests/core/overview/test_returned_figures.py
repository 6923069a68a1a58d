"""Overview follows the money of a refund: paid, returned by the bank, and paid again."""

from datetime import UTC, date, datetime

import pytest

from core import overview
from core.access import Actor
from core.ground import Role
from core.overview import Figure, Period, Question
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.overview.test_figures import _kept, _queued, check
from tests.core.refunds.refund_rows import make_card_order, make_refundable
from tests.core.refunds.returned_money import A_DAY, give_back, let_the_bank_return, pay_back

PERIOD = Period(date(2026, 3, 1), date(2026, 3, 5))
SOLD = {  # contract, product type, airport and day of each item
    "IT-1": ("CT-1", "lounge", "LHR", 1),
    "IT-2": ("CT-1", "fast_track", "LHR", 3),
    "IT-3": ("CT-2", "fast_track", "JFK", 3),
}
PRICES = {"IT-1": 1000, "IT-2": 200, "IT-3": 30}
# The stored figures are not split by author: those of own orders are counted from the rows.
OWN = Actor("own", "ana@helios.example", Role.VIEWER, sees_all_contracts=True, only_own_orders=True)


@pytest.fixture
def sold(database: str) -> None:
    """Store the items, each in an order that was paid by card."""
    for number, (item, (contract, product_type, airport, day)) in enumerate(SOLD.items(), 1):
        shared = {
            "contract_id": contract,
            "created_at": datetime(2026, 3, day, 12, tzinfo=UTC),
        }
        paid = PRICES[item]
        order = make_card_order(f"OD-{number}", reference=f"pi_{number}", paid=paid, **shared)
        make_refundable(
            order,
            order_item_id=item,
            price_minor=paid,
            product_type=product_type,
            airport_iata=airport,
            **shared,
        )


Figures = dict[object, tuple[int, int]]


def refunded(actor: Actor, contract_id: str | None = None) -> Figures:
    """Return the refunded figures of Overview: total, by product type, airport and day."""
    found = check(Question(PERIOD, "EUR", contract_id), actor)
    parts: list[tuple[object, Figure | None]] = [("all", found.refunded)]
    parts += [(one.value, one.refunded) for one in (*found.by_product_type, *found.by_airport)]
    parts += [(one.period.first.day, one.refunded) for one in found.time_steps if one.period.first]
    return {key: (one.count, one.amount_minor) for key, one in parts if one and one.count}


def expected(items: set[str], contract_id: str | None = None) -> Figures:
    """Add up the refunded items."""
    sums: Figures = {}
    for item in items:
        contract, *keys = SOLD[item]
        if contract_id in (None, contract):
            for key in ("all", *keys):
                count, amount = sums.get(key, (0, 0))
                sums[key] = count + 1, amount + PRICES[item]
    return sums


def look(admin: Actor, items: set[str]) -> None:
    """Check that Overview shows exactly these items as refunded, to every kind of actor."""
    for actor, contract_id in ((admin, None), (admin, "CT-2"), (OWN, None)):
        assert refunded(actor, contract_id) == expected(items, contract_id)
    assert _queued() == 0
    kept = _kept()
    overview.rebuild_figures(actor=admin, now=NOW)
    assert _kept() == kept
    check_books()


def test_overview_counts_a_refund_while_the_money_is_with_the_payer(
    sold: None, admin: Actor
) -> None:
    look(admin, set())
    for item in SOLD:
        pay_back(item)
    look(admin, {"IT-1", "IT-2", "IT-3"})
    let_the_bank_return("IT-2", at=NOW + A_DAY)
    look(admin, {"IT-1", "IT-3"})
    let_the_bank_return("IT-3", at=NOW + 3 * A_DAY)
    look(admin, {"IT-1"})
    pay_back("IT-3", at=NOW + 4 * A_DAY)
    look(admin, {"IT-1", "IT-3"})
    let_the_bank_return("IT-3", at=NOW + 5 * A_DAY)
    look(admin, {"IT-1"})
    give_back("IT-2", at=NOW + 5 * A_DAY)
    look(admin, {"IT-1"})
    pay_back("IT-2", at=NOW + 6 * A_DAY)
    look(admin, {"IT-1", "IT-2"})


def test_a_return_is_counted_together_with_its_refund(sold: None, admin: Actor) -> None:
    """Nobody opens Overview in between, so one count covers both changes."""
    pay_back("IT-1")
    let_the_bank_return("IT-1", at=NOW + A_DAY)
    assert _queued() > 0
    look(admin, set())
