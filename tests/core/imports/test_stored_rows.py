"""Import of rows that are stored already: what is updated, kept, or an error."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core import storage
from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from core.storage import AuditEvent, Order, OrderItem
from tests.core.imports.imported import ITEM, ORDER, REFUND, Sheets, changed, plain


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
        assert session.scalars(used).all() == [{"status": "used", "used_at": None}]


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
