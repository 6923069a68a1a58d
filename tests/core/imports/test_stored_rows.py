"""Import of rows that are stored already: what is updated, kept, or an error."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from core import storage
from core.access import Actor
from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from core.refunds import configured_gateways, settle_due
from core.storage import AuditEvent, Order, OrderItem, Refund, Transaction
from tests.conftest import NOW
from tests.core.books import check_books
from tests.core.imports.imported import ITEM, ORDER, REFUND, Sheets, changed, plain
from tests.core.refunds.refund_races import UNSETTLED, guarded
from tests.core.refunds.refund_rows import get_refund
from tests.core.refunds.sold_items import sell


@pytest.mark.both_databases
def test_an_item_that_is_now_used_is_updated_and_audited(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(plain())
    sheets = plain()
    sheets["Order Items"][0] |= {"Status": "used", "Used At": "2026-07-01 11:30"}
    outcome = import_sheets(sheets)
    assert outcome.used == ["A1-1"]
    with storage.reading() as session:
        item = session.get_one(OrderItem, "A1-1")
        assert (item.status, item.used_at) == ("used", datetime(2026, 7, 1, 11, 30, tzinfo=UTC))
        actions = session.scalars(select(AuditEvent.action)).all()
        assert "order_item.used" in actions
    assert import_sheets(sheets).used == []


def test_the_time_of_a_used_item_is_never_made_up(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = plain()
    sheets["Order Items"] += [ITEM | {"Order Item ID": "A1-2", "Status": "used"}]
    import_sheets(sheets)
    sheets["Order Items"][0]["Status"] = "used"
    assert import_sheets(sheets).used == ["A1-1"]
    with storage.reading() as session:
        for item_id in ("A1-1", "A1-2"):
            item = session.get_one(OrderItem, item_id)
            assert (item.status, item.used_at) == ("used", None)
        used = select(AuditEvent.after).where(AuditEvent.action == "order_item.used")
        assert session.scalars(used).all() == [
            {"status": "used", "used_at": None, "product": "Aspire Lounge", "file": "orders.xlsx"}
        ]


def test_a_refund_made_here_wins_over_an_older_file_and_is_listed(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(plain())
    with storage.writing() as session:
        session.get_one(OrderItem, "A1-1").status = "refund_requested"
    sheets = plain()
    sheets["Order Items"][0]["Status"] = "not used"
    outcome = import_sheets(sheets)
    assert outcome.kept == ["A1-1"]
    assert "Kept" in outcome.in_words()
    with storage.reading() as session:
        assert session.get_one(OrderItem, "A1-1").status == "refund_requested"


def test_expired_reads_as_not_used_and_a_number_is_kept_where_it_is_free(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = plain()
    sheets["Order Items"][0]["Status"] = "Expired"
    sheets["Orders"][0]["No"] = 77
    import_sheets(sheets)
    other: Sheets = {
        "Orders": [ORDER | {"Order ID": "B1", "No": 77}],
        "Order Items": [ITEM | {"Order ID": "B1", "Order Item ID": "B1-1"}],
    }
    import_sheets(other)
    with storage.reading() as session:
        assert session.get_one(OrderItem, "A1-1").status == "not_used"
        assert session.get_one(Order, "A1").no == 77
        assert session.get_one(Order, "B1").no == 78


@pytest.mark.both_databases
def test_a_difference_from_what_is_stored_is_a_fault(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(plain())
    with pytest.raises(Faulty, match="1 import error;") as refusal:
        import_sheets(changed("Order Items", Passenger="Somebody Else"))
    assert "differs from the stored value: “Zoë Müller”" in refusal.value.report()


def test_a_difference_is_said_as_people_write_it(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(plain())
    sheets = changed("Order Items", Price=40)
    sheets["Orders"][0]["Created Date"] = "2026-03-02 10:00"
    with pytest.raises(Faulty) as refusal:
        import_sheets(sheets)
    report = refusal.value.report()
    assert "Price: “40.00” differs from the stored value: “38.50”" in report
    assert (
        "“2026-03-02 10:00:00 UTC” differs from the stored value: “2026-03-01 10:00:00 UTC”"
        in report
    )


@pytest.mark.both_databases
def test_a_second_refund_of_a_stored_item_is_a_fault(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    sheets = plain() | {"Transactions": [dict(REFUND)]}
    sheets["Order Items"][0]["Status"] = "refunded"
    import_sheets(sheets)
    with pytest.raises(Faulty) as refusal:
        import_sheets({"Transactions": [REFUND | {"Transaction ID": "T-9"}]})
    assert "already has a refund" in refusal.value.report()


def test_a_new_item_of_a_stored_order_is_a_fault(
    database: str, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    import_sheets(plain())
    with pytest.raises(Faulty) as refusal:
        import_sheets({"Order Items": [ITEM | {"Order Item ID": "A1-9"}]})
    assert "its Total would change" in refusal.value.report()


@pytest.mark.both_databases
def test_a_number_that_a_refund_has_reserved_is_not_taken_from_a_file(
    database: str, admin: Actor, import_sheets: Callable[[Sheets], Outcome]
) -> None:
    """The number of the ledger entry is reserved when the refund is requested."""
    (item,) = sell(1)
    guarded(admin, UNSETTLED)([item], "key")
    reserved = get_refund(item).ledger_no
    paid: dict[str, Any] = {
        "Transaction ID": "TX-1",
        "Created Date": "2026-03-01 10:00",
        "Type": "payment",
    }
    paid |= {"Order ID": "A1", "Amount": "-38.50", "Currency": "EUR", "No": reserved}
    refunded = changed("Order Items", Status="refunded")
    import_sheets(refunded | {"Transactions": [paid, REFUND]})
    while settle_due(now=NOW, gateways=configured_gateways()):
        pass
    with storage.reading() as session:
        entry = select(Transaction.no).where(Transaction.order_item_id == item)
        assert session.scalars(entry).one() == reserved
        assert session.get_one(Transaction, "TX-1").no != reserved
        assert sorted(session.scalars(select(Refund.no))) == [1, 2]
    check_books()
