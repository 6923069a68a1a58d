"""One order: its details, who can see them, and its workbook."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from core import excel, storage
from core.access import Actor
from core.ground import NotFound, Role
from core.query import get_order
from core.storage import AuditEvent
from core.tables import ORDER_ITEMS, TRANSACTIONS
from tests.conftest import NOW
from tests.core.read_back import open_book, rows_of_sheet, said_in
from tests.core.refunds.refund_rows import make_card_order, make_refundable
from tests.core.refunds.returned_money import A_DAY, let_the_bank_return, pay_back
from tests.rows import make_item, make_note, make_order, make_refund, make_transaction

STRANGER = Actor("u", "u@desk.example", Role.ADMIN, contracts=frozenset({"CT-9"}))
NOBODY = Actor("n", "n@desk.example", Role.ADMIN)
OTHER_AUTHOR = Actor(
    "o", "o@desk.example", Role.AGENT, sees_all_contracts=True, only_own_orders=True
)


def _refund(order_id: str, amount: int, **given: Any) -> str:
    return make_transaction(order_id=order_id, type="refund", amount_minor=amount, **given)


@pytest.mark.both_databases
def test_the_details_of_an_order(database: str, admin: Actor) -> None:
    made = datetime(2026, 3, 1, 12, tzinfo=UTC)
    make_order("OD-1", no=77, contract_id="CT-7", widget_id="W-1", created_at=made, author="ana",
               item_count=2, amount_minor=7600, contact_email="c@x.example")  # fmt: skip
    order = get_order("OD-1", actor=admin)
    assert (order.order_id, order.no, order.created_at) == ("OD-1", 77, made)
    assert (order.contract_id, order.contract_name, order.widget_id) == ("CT-7", "CT-7", "W-1")
    assert (order.author, order.item_count) == ("ana", 2)
    assert (order.amount_minor, order.refunded_minor, order.currency) == (7600, 0, "EUR")
    assert order.contact_email == "c@x.example"


@pytest.mark.both_databases
def test_the_refunded_amount_is_the_sum_of_succeeded_refunds(database: str, admin: Actor) -> None:
    make_order("OD-1")
    make_order("OD-2")
    make_transaction(order_id="OD-1", amount_minor=-7600)
    _refund("OD-1", 3800)
    _refund("OD-1", 200)
    _refund("OD-1", 50, status="pending")
    _refund("OD-1", 60, status="failed")
    _refund("OD-1", 70, currency="JPY")
    _refund("OD-2", 80)
    assert get_order("OD-1", actor=admin).refunded_minor == 4000


def test_a_returned_refund_reduces_the_refunded_amount(database: str, admin: Actor) -> None:
    make_card_order("OD-1", paid=7600)
    item, other = (make_refundable("OD-1", order_item_id=f"IT-{number}") for number in (1, 2))
    refunded = []
    for day, step in enumerate((pay_back, let_the_bank_return, pay_back)):
        step(item, at=NOW + day * A_DAY)
        refunded.append(get_order("OD-1", actor=admin).refunded_minor)
    assert refunded == [3800, 0, 3800]
    pay_back(other)
    assert get_order("OD-1", actor=admin).refunded_minor == 7600


def test_an_adjustment_without_a_refund_does_not_change_the_refunded_amount(
    database: str, admin: Actor
) -> None:
    make_order("OD-1")
    _refund("OD-1", 3800)
    make_transaction(order_id="OD-1", type="adjustment", amount_minor=-500)
    make_transaction(order_id="OD-1", type="adjustment", amount_minor=700)
    assert get_order("OD-1", actor=admin).refunded_minor == 3800


@pytest.mark.parametrize("actor", [STRANGER, NOBODY, OTHER_AUTHOR])
def test_a_hidden_order_is_not_found_like_a_missing_one(database: str, actor: Actor) -> None:
    make_order("OD-1")
    said = []
    for order_id in ("OD-1", "OD-2"):
        with pytest.raises(NotFound) as refusal:
            get_order(order_id, actor=actor)
        said.append(str(refusal.value).replace(order_id, "…"))
    assert said[0] == said[1] == "Order “…” was not found, or you have no access to it."


@pytest.mark.parametrize("order_id", ["", "a\x00b", "x" * 5_000, "' OR 1=1 --", "od-1"])
def test_an_invalid_order_id_is_not_found(database: str, admin: Actor, order_id: str) -> None:
    make_order("OD-1")
    with pytest.raises(NotFound) as refusal:
        get_order(order_id, actor=admin)
    assert len(str(refusal.value)) < 200


# Its workbook.


def _workbook(actor: Actor, order_id: str = "OD-1", zone: str = "Europe/Athens") -> Any:
    file = io.BytesIO()
    excel.export_order(order_id, file, actor=actor, now=NOW, zone=zone)
    return open_book(file)


def _fill_two_orders() -> None:
    make_order("OD-1", item_count=2, amount_minor=1_234_500, author="=1+1", widget_id="W-1")
    make_order("OD-2")
    first = make_item("OD-1", order_item_id="I-1", price_minor=1_230_000, status="refunded")
    make_item("OD-1", order_item_id="I-2", price_minor=4_500)
    make_item("OD-2", order_item_id="I-3")
    make_transaction(transaction_id="T-1", order_id="OD-1", amount_minor=-1_234_500)
    _refund("OD-1", 1_230_000, transaction_id="T-2", order_item_id=first)
    make_transaction(transaction_id="T-3", order_id="OD-2")
    make_refund(first, reason="flight_cancelled", note="Gate closed")
    make_refund("I-3")
    make_note("OD-1", text="Called\nthe lounge")
    make_note("OD-2")


def test_the_workbook_of_an_order_has_the_details_of_its_page(database: str, admin: Actor) -> None:
    _fill_two_orders()
    book = _workbook(admin)
    assert book.sheetnames == ["Order", "Products", "Transactions", "Refunds", "Notes"]
    said = {label: texts[0] for label, texts in said_in(book["Order"]).items()}
    assert (said["Order ID"], said["Total"], said["Author"]) == ("OD-1", "2", "=1+1")
    assert said["Created Date"] == "2026-03-01 14:00:00 (Europe/Athens)"
    assert (said["Contract ID"], said["Contract"], said["Widget ID"]) == ("CT-1", "CT-1", "W-1")
    assert (said["Amount"], said["Refunded"]) == ("12,345.00 EUR", "12,300.00 EUR")
    assert said["Exported by"] == "analyst@local"
    assert said["Exported at"] == "2026-11-23 11:30:00 (Europe/Athens)"
    assert said["Page"] == "http://localhost:8501/order?order=OD-1"
    assert all(cell.data_type != "f" for row in book["Order"].iter_rows() for cell in row)


@pytest.mark.both_databases
def test_the_workbook_of_an_order_has_only_its_rows(database: str, admin: Actor) -> None:
    _fill_two_orders()
    book = _workbook(admin)
    header, items = rows_of_sheet(book["Products"])
    assert [name.split(" (")[0] for name in header] == [c.header for c in ORDER_ITEMS.offered]
    place = header.index("Order Item ID")
    assert {row[place] for row in items} == {"I-1", "I-2"}
    header, entries = rows_of_sheet(book["Transactions"])
    assert [name.split(" (")[0] for name in header] == [c.header for c in TRANSACTIONS.offered]
    assert "Created Date (Europe/Athens)" in header
    found = {row[header.index("Transaction ID")]: row[header.index("Amount")] for row in entries}
    assert found == {"T-1": Decimal(-12345), "T-2": Decimal(12300)}
    header, (refund,) = rows_of_sheet(book["Refunds"])
    told = dict(zip(header, refund, strict=True))
    assert (told["Order Item ID"], told["Reference"]) == ("I-1", f"R-{told['No']}")
    assert (told["Reason"], told["Note"]) == ("Flight cancelled", "Gate closed")
    header, (note,) = rows_of_sheet(book["Notes"])
    assert note[header.index("Note")] == "Called\nthe lounge"


def test_an_order_without_transactions_has_an_empty_transactions_sheet(
    sqlite_database: str, admin: Actor
) -> None:
    make_order("OD-1")
    make_item("OD-1")
    header, entries = rows_of_sheet(_workbook(admin)["Transactions"])
    assert "Transaction ID" in header
    assert entries == []


@pytest.mark.parametrize("actor", [STRANGER, NOBODY, OTHER_AUTHOR])
def test_no_workbook_is_written_for_a_hidden_order(database: str, actor: Actor) -> None:
    _fill_two_orders()
    file = io.BytesIO()
    for order_id in ("OD-1", "OD-9"):
        with pytest.raises(NotFound):
            excel.export_order(order_id, file, actor=actor, now=NOW, zone="UTC")
    assert file.getvalue() == b""
    with storage.reading() as session:
        assert session.scalars(select(AuditEvent)).all() == []


def test_the_workbook_of_an_order_is_audited_with_order_and_contract(
    database: str, admin: Actor
) -> None:
    _fill_two_orders()
    _workbook(admin)
    with storage.reading() as session:
        event = session.scalars(select(AuditEvent)).one()
        assert (event.action, event.actor, event.at) == ("order.exported", "analyst@local", NOW)
        assert (event.entity_id, event.order_id, event.contract_id) == ("OD-1", "OD-1", "CT-1")
