"""Load many rows at once: the same checks, triggers and values as one by one."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core import storage
from core.storage import FIGURE_CHANGES, Contract, Order, OrderItem
from core.storage.bulk import MAX_VALUES
from tests.conftest import NOW
from tests.rows import make_contract, make_order

MODELS = Order, OrderItem
SECONDS = int(NOW.timestamp())
PARTS: tuple[str, ...] = (
    "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE contype = 'f'",
    "SELECT tgname, tgrelid::regclass::text, tgenabled FROM pg_trigger WHERE NOT tgisinternal",
)


def order(no: int, **values: Any) -> tuple[Any, ...]:
    """Return the row of an order, as `bulk_insert` expects it."""
    row = {
        "order_id": f"OD-{no}",
        "no": no,
        "contract_id": "CT-1",
        "widget_id": None,
        "created_at": SECONDS + no,
        "author": f"Zoë {no}",
        "item_count": 1,
        "amount_minor": 100,
        "currency": "EUR",
        "contact_email": None,
    } | values
    return tuple(row[name] for name in storage.stored_names(Order))


def parts() -> list[list[Any]]:
    """Return the foreign keys and triggers of the database."""
    kept = PARTS
    if storage.is_sqlite():
        kept = ("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'",)
    with storage.reading() as session:
        return [sorted(map(tuple, session.execute(text(one)))) for one in kept]


@pytest.mark.both_databases
def test_any_number_of_rows_is_stored_in_order(database: str) -> None:
    """Many rows share a statement; the last few have statements of their own."""
    make_contract("CT-1")
    rows = [order(no) for no in range(MAX_VALUES // 7)]
    assert len(rows) % (MAX_VALUES // len(Order.__table__.columns)) > 1
    with storage.writing() as session:
        storage.bulk_insert(session, Order, rows)
    with storage.reading() as session:
        assert sorted(storage.bulk_read(session, Order)) == sorted(rows)
        columns = Order.author, Order.author_folded, Order.author_sort_key  # type: ignore[attr-defined]
        for name, folded, key in session.execute(select(*columns)):
            assert [folded, key] == [
                twin.made_from(name) for twin in list(Order.twins.values())[2:4]
            ]


@pytest.mark.both_databases
def test_a_word_that_is_not_allowed_stops_every_row(database: str) -> None:
    make_contract("CT-1")
    rows = [*map(order, range(100)), order(100, item_count=0)]
    with pytest.raises(IntegrityError), storage.writing() as session:
        storage.bulk_insert(session, Order, rows)
    with storage.reading() as session:
        assert session.scalar(select(Order.no)) is None


@pytest.mark.on_postgresql
@pytest.mark.parametrize("seconds", [10**12, -(10**12)])
def test_an_instant_that_python_cannot_read_is_not_copied(database: str, seconds: int) -> None:
    make_contract("CT-1")
    with pytest.raises(ValueError, match="is no instant"), storage.writing() as session:
        storage.bulk_insert(session, Order, [order(1, created_at=seconds)])


@pytest.mark.on_postgresql
@pytest.mark.parametrize("contract", ["CT-1", "CT-2"])
def test_foreign_keys_are_checked_after_a_load(database: str, contract: str) -> None:
    make_contract("CT-1")

    def load() -> None:
        with storage.rebuilding(storage.get_engine()) as session, storage.loading(session, *MODELS):
            storage.bulk_insert(session, Order, [order(1, contract_id=contract)])

    if contract == "CT-1":
        load()
    else:
        with pytest.raises(IntegrityError, match="fk_orders_contract_id"):
            load()
    with storage.reading() as session:
        assert (session.scalar(select(Order.no)) == 1) is (contract == "CT-1")


@pytest.mark.both_databases
def test_a_load_leaves_foreign_keys_and_triggers_as_they_were(database: str) -> None:
    before = parts()
    assert all(before)
    with storage.rebuilding(storage.get_engine()) as session, storage.loading(session, *MODELS):
        session.add(Contract(contract_id="CT-1", name="Helios", currency="EUR"))
        session.flush()
        storage.bulk_insert(session, Order, [order(9)])
        assert session.execute(select(FIGURE_CHANGES)).all() == []
    assert parts() == before
    make_order("OD-2")
    with storage.reading() as session:
        changes = session.execute(select(FIGURE_CHANGES)).all()
    assert bool(changes)
