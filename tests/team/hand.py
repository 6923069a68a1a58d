"""A hand of some version of Order Desk: it does what it is told, in one process that stays.

It runs in the folder of its version and imports that version's core. It is told a line of JSON, and
answers with a line: {"value": …}, or {"refused": "…"} with the sentence that a person would see.
"""

import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from core import access, demo, excel, mail, notes, query, refunds, startup, storage, views, worker
from core.ground import AppError
from core.tables import TABLES


def actor() -> access.Actor:
    found = access.find_console_actor()
    assert found is not None
    return found


def prepare() -> None:
    """Bring the schema to the newest of this version, as a start does."""
    startup.prepare(datetime.now(UTC), may_fill=False)


def fill(orders: int) -> None:
    demo.fill(orders, actor=actor(), now=datetime.now(UTC))


def find_refundable(most: int) -> list[str]:
    """Return items that can be refunded by balance, and their state is that of nobody's action."""
    with storage.reading() as session:
        found = session.scalars(
            text(
                "SELECT i.order_item_id FROM order_items i WHERE i.status = 'not_used' "
                "AND i.is_refundable AND i.refund_expire_at > now() AND NOT EXISTS ("
                "SELECT 1 FROM transactions t WHERE t.order_id = i.order_id AND t.method = 'card') "
                "ORDER BY i.order_item_id LIMIT :most"
            ),
            {"most": most},
        )
        return list(found)


def refund(items: list[str], key: str) -> list[str]:
    """Request refunds; return the items that were granted."""
    now = datetime.now(UTC)
    asked = refunds.request(items, reason="goodwill", key=key, actor=actor(), now=now)
    return [one.order_item_id for one in asked.requested]


def send(items: list[str], key: str) -> list[str]:
    """Queue a mail with vouchers; return its deliveries."""
    to, now = [f"{key}@mail.example"], datetime.now(UTC)
    queued = mail.send(items, to, message=None, key=key, actor=actor(), now=now)
    return [one.delivery_id for one in queued.deliveries]


def note(item: str, words: str) -> str:
    """Write a note on the order of an item; return its ID."""
    with storage.reading() as session:
        found = text("SELECT order_id FROM order_items WHERE order_item_id = :item")
        order_id = session.scalars(found, {"item": item}).one()
    now = datetime.now(UTC)
    return notes.add_note(order_id, words, key=words, actor=actor(), now=now, zone="UTC")


def work() -> None:
    """Settle what is due and send what is queued, once."""
    worker._settle()
    worker._send()


def count() -> dict[str, int]:
    """Load the first rows of every table, and count all of them."""
    now, counts = datetime.now(UTC), {}
    for name, table in TABLES.items():
        view = views.default_view(table)
        frame = query.load_rows(view, actor=actor(), now=now, start=0, end=50)
        counts[name] = query.count_rows(view, actor=actor(), now=now)
        assert len(frame) == min(50, counts[name]), name
    return counts


def export(name: str) -> int:
    """Export a table as Excel; return the size of the file."""
    file = io.BytesIO()
    view = views.default_view(TABLES[name])
    excel.export(view, file, actor=actor(), now=datetime.now(UTC))
    return len(file.getvalue())


ACTS: dict[str, Callable[..., Any]] = {
    one.__name__: one
    for one in (prepare, fill, find_refundable, refund, send, note, work, count, export)
}


def main() -> None:
    """Do what each line says."""
    for line in sys.stdin:
        name, *given = json.loads(line)
        try:
            answer: dict[str, Any] = {"value": ACTS[name](*given)}
        except AppError as error:
            answer = {"refused": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
