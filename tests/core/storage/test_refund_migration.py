"""The migration of refunds from an older version: no row is lost or changed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError

from core.storage import engine, schema
from tests.core.storage.old_versions import database_of_version, inserter, read, writing

TODAY = datetime.now(UTC).replace(microsecond=0)
A_DAY = timedelta(days=1)
# The refunds, one per item: state, gateway, days since it was settled.
OLD = {
    "requested": ("requested", "card", None),
    "processing": ("processing", "card", None),
    "failed": ("failed", "card", 2),
    "by balance": ("succeeded", "balance", 2),
    "now": ("succeeded", "card", 0),
    "recent": ("succeeded", "card", 34),
    "old": ("succeeded", "card", 36),
    "imported": ("succeeded", "card", 1),  # without the provider's reference
}
ITEM_STATUS = {"requested": "refund_requested", "processing": "refund_requested"}
ITEM_STATUS |= {"succeeded": "refunded", "failed": "not_used"}
INDEXES = {
    "ix_refunds_one_per_item": (True, "failed_after_success_at"),
    "ix_refunds_reference": (True, ""),
    "ix_refunds_batch": (False, ""),
    "ix_refunds_item": (False, ""),
    "ix_refunds_requested": (False, ""),
    "ix_refunds_due": (False, "processing"),
    "ix_refunds_look": (False, "next_look_at"),
    "ix_refunds_returned": (False, "failed_after_success_at"),
}


NEWER = {  # of a later version
    *("ix_refunds_no", "ix_refunds_ledger_no", "ix_refunds_created", "ix_refunds_contract"),
    *("ix_refunds_currency", "ix_refunds_status", "ix_refunds_reason", "ix_refunds_settled"),
    *("ix_refunds_order", "ix_refunds_requester", "ix_refunds_waiting"),
    "ix_refunds_decider",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def old_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Create an empty database with the schema before this migration."""
    with database_of_version("0008", request.param, request, tmp_path) as url:
        yield url


@pytest.fixture
def filled(old_database: str) -> dict[str, list[dict[str, Any]]]:
    """Store a refund in each state with its ledger entries; return the stored rows."""
    with writing() as connection:
        fill(connection)
    return {table: read(table) for table in ("refunds", "transactions", "order_items")}


def fill(connection: Connection) -> None:
    put = inserter(connection)
    put("contracts", contract_id="CT-1", name="CT-1", currency="EUR", balance_minor=3800)
    batch = {"idempotency_key": "key", "request_hash": "", "answer": "{}", "requested_by": "ana"}
    put("refund_batches", batch_id="B-1", created_at=TODAY, **batch)
    order = {"order_id": "OD-1", "no": 1, "contract_id": "CT-1", "author": "ana"}
    put("orders", author_folded="ana", created_at=TODAY, item_count=8, **order, **money(0))
    for no, (name, (status, gateway, days)) in enumerate(OLD.items()):
        put("order_items", **item(no, name, ITEM_STATUS[status]))
        settled = TODAY - days * A_DAY if days is not None else None
        about = {"order_item_id": name, "order_id": "OD-1", "contract_id": "CT-1"} | money(3800)
        made = refund(no, name, status, gateway) | {"settled_at": settled} | about
        put("refunds", **made)
        if settled:
            entry = {"transaction_id": f"TX-{no}", "no": no, "created_at": settled, "author": "ana"}
            entry |= {"refund_id": f"R-{no}", "reference": made["external_reference"]}
            put("transactions", type="refund", method=gateway, status=status, **entry, **about)


def refund(no: int, name: str, status: str, gateway: str) -> dict[str, Any]:
    has_reference = (status, gateway) == ("succeeded", "card") and name != "imported"
    return {
        "refund_id": f"R-{no}",
        "batch_id": "B-1",
        "reason": "goodwill",
        "note": "Ünïcode ✈",
        "gateway": gateway,
        "payment_reference": "pi_1",
        "status": status,
        "attempt": 1 + no,
        "next_attempt_at": TODAY,
        "external_reference": f"re_{no}" if has_reference else None,
        "requested_by": "ana",
        "requested_at": TODAY,
    }


def money(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "EUR"}


def item(no: int, name: str, status: str) -> dict[str, Any]:
    moments = ("service_at", "valid_from", "valid_until", "created_at")
    place = {"airport_iata": "LHR", "airport_tz": "Europe/London", "pax_type": "adult"}
    texts = ("product", "product_folded", "passenger_name", "passenger_name_folded")
    return {
        "order_item_id": name,
        "no": no,
        "order_id": "OD-1",
        "contract_id": "CT-1",
        "product_type": "lounge",
        "voucher_code": name,
        "voucher_serial": bytes([no]) * 8,
        "price_minor": 3800,
        "currency": "EUR",
        "is_refundable": True,
        "status": status,
        **place,
        **dict.fromkeys(texts, "lounge"),
        **dict.fromkeys(moments, TODAY),
    }


def test_the_update_keeps_every_row(filled: dict[str, list[dict[str, Any]]]) -> None:
    schema.migrate()
    for table, before in filled.items():
        known = before[0].keys()
        after = [{key: row[key] for key in known} for row in read(table)]
        assert sorted(after, key=str) == sorted(before, key=str)
    assert len(filled["refunds"]) == len(OLD)
    fresh = ("failed_after_success_at", "decided_by", "decided_at", "decision_note")
    assert {row[name] for row in read("refunds") for name in fresh} == {None}
    schema.migrate()  # again, which does nothing
    assert len(read("refunds")) == len(OLD)


def test_only_recent_card_refunds_get_a_scheduled_look(filled: object) -> None:
    schema.migrate()
    looked_at = {row["order_item_id"] for row in read("refunds") if row["next_look_at"]}
    assert looked_at == {"now", "recent"}


def test_only_refunds_in_progress_count_as_sent_to_the_provider(filled: object) -> None:
    """The older version did not record it, so a refund that may have been paid is not *failed*."""
    schema.migrate()
    rows = read("refunds")
    asked = {row["refund_id"]: row["asked_at"] for row in rows if row["asked_at"] is not None}
    assert asked == {
        row["refund_id"]: row["requested_at"] for row in rows if row["status"] == "processing"
    }
    assert asked


def test_rows_still_refer_to_each_other(filled: object) -> None:
    schema.migrate()
    with engine.get_engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        keys = inspect(connection).get_foreign_keys("transactions")
        assert "refunds" in {key["referred_table"] for key in keys}
        of_refunds = inspect(connection).get_foreign_keys("refunds")
    assert {key["referred_table"] for key in of_refunds} == {"refund_batches", "order_items"}
    with pytest.raises(IntegrityError), writing() as connection:
        connection.execute(text("DELETE FROM refunds WHERE refund_id = 'R-2'"))
    with pytest.raises(IntegrityError), writing() as connection:
        connection.execute(text("UPDATE refunds SET batch_id = 'gone'"))


SET_STATUS = text("UPDATE refunds SET status = :status WHERE order_item_id = 'requested'")


def test_only_known_states_can_be_stored(filled: object) -> None:
    schema.migrate()
    for status in ("waiting", "declined", "processing", "succeeded", "failed"):
        with writing() as connection:
            connection.execute(SET_STATUS, {"status": status})
    for status in ("returned", "Waiting", ""):
        with pytest.raises(IntegrityError), writing() as connection:
            connection.execute(SET_STATUS, {"status": status})


def test_before_the_update_a_waiting_refund_cannot_be_stored(filled: object) -> None:
    """The control: only the migration allows it."""
    with pytest.raises(IntegrityError), writing() as connection:
        connection.execute(SET_STATUS, {"status": "waiting"})


def test_the_indexes_are_there(filled: object) -> None:
    schema.migrate()
    with engine.get_engine().connect() as connection:
        found = {str(one["name"]): one for one in inspect(connection).get_indexes("refunds")}
        kind = connection.dialect.name
    assert set(found) - {"ix_refunds_search"} == set(INDEXES) | NEWER
    for name, (is_unique, condition) in INDEXES.items():
        where = found[name]["dialect_options"].get(f"{kind}_where")
        assert bool(found[name]["unique"]) is is_unique
        assert condition in str(where) if condition else where is None


COPY_ITEM = """
    INSERT INTO refunds (refund_id, batch_id, order_item_id, order_id, contract_id, amount_minor,
    currency, reason, gateway, status, attempt, requested_by, requested_at, external_reference, no)
    SELECT 'R-9', batch_id, :item, order_id, contract_id, amount_minor, currency, reason, gateway,
    'requested', 1, requested_by, requested_at, {reference}, 9999 FROM refunds
    WHERE order_item_id = 'old'
"""
SECOND, SAME_REFERENCE = (text(COPY_ITEM.format(reference=one)) for one in ("NULL", "'re_6'"))


def test_an_item_still_has_at_most_one_refund(filled: object) -> None:
    schema.migrate()
    for taken in ("requested", "processing", "recent", "by balance"):
        with pytest.raises(IntegrityError), writing() as connection:
            connection.execute(SECOND, {"item": taken})
    with pytest.raises(IntegrityError), writing() as connection:
        connection.execute(SAME_REFERENCE, {"item": "failed"})
    with writing() as connection:
        connection.execute(SECOND, {"item": "failed"})
