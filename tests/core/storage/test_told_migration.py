"""The migration of the audit trail: each stored event gets its sentence; else nothing changes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DatabaseError

from core.ground import fold, sort_key
from core.storage import engine, schema
from tests.conftest import NOW
from tests.core.storage.old_versions import database_of_version, inserter, read, writing
from tests.core.storage.test_written_migration import _guards

MANY = 5_010  # more than a batch
ANA = "ana@helios.example"
REFUNDED = {"status": "succeeded", "order_item_id": "F-1", "amount_minor": 3800, "currency": "EUR"}
INSERT = text(
    "INSERT INTO audit_events (event_id, at, actor, action, entity, entity_id, after, "
    "actor_folded, actor_sort_key, entity_id_folded) VALUES (:event_id, :at, :actor, :action, "
    ":entity, :entity_id, :after, '', '', '')"
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def updated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Store events as the version before stored them, and run the migration."""
    folder: Path = tmp_path_factory.mktemp("old")
    with database_of_version("0013", request.param, request, folder):
        with writing() as connection:
            _store_refund(connection)
            connection.execute(INSERT, list(_events(connection.dialect.name == "sqlite")))
        before, guards = read("audit_events"), _guards()
        schema.migrate()
        yield {"before": before, "guards": guards}


def _store_refund(connection: Connection) -> None:
    """Store a user, and an item with its refund: what the events of then do not name."""

    def put(table: str, **values: Any) -> None:
        stored = [one["name"] for one in inspect(connection).get_columns(table)]
        twins = [one for one in stored if one.endswith(("_folded", "_sort_key"))]
        inserter(connection)(table, **dict.fromkeys(twins, ""), **values)

    put("contracts", contract_id="CT-1", name="CT-1", currency="EUR", balance_minor=0)
    rights = {"sees_all_contracts": True, "only_own_orders": False, "is_active": True}
    put("users", user_id="ana", email=ANA, name="Ana Ruiz", role="agent", **rights)
    money = {"currency": "EUR", "amount_minor": 3800, "contract_id": "CT-1"}
    put(
        "orders",
        **{"order_id": "OD-1", "no": 1, "created_at": NOW, "author": ANA, "item_count": 1},
        **money,
    )
    put(
        "order_items",
        **{"order_item_id": "F-1", "no": 1, "order_id": "OD-1", "contract_id": "CT-1"},
        **{"product_type": "lounge", "product": "Fast Track Security", "airport_iata": "LHR"},
        **{"airport_tz": "Europe/London", "pax_type": "adult", "passenger_name": "Zoë"},
        **{"service_at": NOW, "valid_from": NOW, "valid_until": NOW, "voucher_code": "V"},
        **{"voucher_serial": b"12345678", "price_minor": 3800, "currency": "EUR"},
        **{"is_refundable": True, "status": "refunded", "created_at": NOW},
    )
    put(
        "refund_batches",
        **{"batch_id": "B-1", "idempotency_key": "k", "request_hash": "h", "answer": "{}"},
        **{"requested_by": ANA, "created_at": NOW},
    )
    put(
        "refunds",
        **{"refund_id": "R-1", "batch_id": "B-1", "order_item_id": "F-1", "order_id": "OD-1"},
        **{"reason": "flight_cancelled", "note": "Gate closed", "gateway": "balance"},
        **{"status": "succeeded", "attempt": 1, "requested_by": ANA, "requested_at": NOW},
        **money,
    )


def _events(is_sqlite: bool) -> Iterator[dict[str, Any]]:
    at = int(NOW.timestamp()) if is_sqlite else NOW
    about = {"at": at, "actor": ANA, "entity": "refund", "entity_id": "R-1"}
    refunded = {"action": "refund.succeeded", "after": json.dumps(REFUNDED)}
    yield about | refunded | {"event_id": "e-refund"}
    of_item = {"action": "voucher.downloaded", "entity": "order_item", "entity_id": "F-1"}
    yield about | of_item | {"event_id": "e-item", "after": None}
    gone = {"action": "voucher.sent", "entity": "order_item", "entity_id": "X-9"}
    yield about | gone | {"event_id": "e-gone", "after": '["no", "facts"]'}
    other = {"actor": "ben@blue.example", "entity": "user", "entity_id": ANA, "after": None}
    yield about | other | {"event_id": "e-user", "action": "user.deactivated"}
    yield about | other | {"event_id": "e-old", "action": "order.painted"}
    for number in range(MANY):
        yield about | other | {"event_id": f"m-{number:05}", "action": "sign_in.succeeded"}


def _sentences() -> dict[str, str]:
    return {row["event_id"]: row["sentence"] for row in read("audit_events")}


def test_old_events_are_told_with_the_facts_of_their_rows(updated: dict[str, Any]) -> None:
    told = _sentences()
    assert {name: said for name, said in told.items() if name.startswith("e-")} == {
        "e-refund": "Ana Ruiz refunded Fast Track Security (F-1), 38.00 EUR to the contract's "
        "balance. Reason: flight cancelled. “Gate closed”",
        "e-item": "Ana Ruiz downloaded the voucher of Fast Track Security (F-1).",
        "e-gone": "Ana Ruiz sent the voucher of order item X-9.",
        "e-user": "ben@blue.example deactivated Ana Ruiz.",
        "e-old": "ben@blue.example: order.painted (ana@helios.example).",
    }
    assert list(told.values()).count("ben@blue.example signed in.") == MANY


def test_no_event_changes_but_for_its_sentence(updated: dict[str, Any]) -> None:
    known = updated["before"][0].keys()
    after = [{key: row[key] for key in known} for row in read("audit_events")]
    assert sorted(after, key=str) == updated["before"]


def test_sentences_have_their_twins(updated: dict[str, Any]) -> None:
    for row in read("audit_events"):
        said = row["sentence"]
        assert (row["sentence_folded"], row["sentence_sort_key"]) == (fold(said), sort_key(said))


def test_the_audit_trail_is_guarded_as_before(updated: dict[str, Any]) -> None:
    assert [one for one in _guards() if one in updated["guards"]] == updated["guards"]
    for change in ("UPDATE audit_events SET sentence = 'x'", "DELETE FROM audit_events"):
        with pytest.raises(DatabaseError, match="append-only"), writing() as connection:
            connection.execute(text(change))


def test_the_trail_has_its_indexes_again(updated: dict[str, Any]) -> None:
    asked = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname FROM pg_indexes",
    }
    with engine.get_engine().connect() as connection:
        names = set(connection.scalars(text(asked[connection.dialect.name])))
    assert {f"ix_audit_events_{one}" for one in ("at", "order", "entity", "actor")} <= names
