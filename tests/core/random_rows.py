"""Random rows of all tables, with all extreme values that a stored row can have."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core import storage
from core.ground import (
    Channel,
    DeliveryKind,
    DeliveryStatus,
    ItemStatus,
    Method,
    PaxType,
    ProductType,
    Role,
    TransactionStatus,
    TransactionType,
)
from core.history import Event, sentence_of
from core.storage import Contract, DeliveryItem, ProviderRefund, RefundBatch
from core.tables import (
    AUDIT_EVENTS,
    BOOKS,
    EMAILS,
    NOTES,
    ORDER_ITEMS,
    ORDERS,
    REFUNDS,
    TRANSACTIONS,
    USERS,
    Table,
)
from core.tables import CONTRACTS as CONTRACTS_TABLE
from tests.conftest import NOW, use_database

Row = dict[str, Any]

# Days with a clock change at or near midnight; half-hour offsets; the extreme offsets.
ZONES = [
    "UTC", "Europe/London", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland",
    "Pacific/Kiritimati", "Pacific/Pago_Pago", "Atlantic/Azores", "Asia/Beirut", "America/Nuuk",
    "Australia/Lord_Howe", "America/Havana", "Africa/Cairo",
]  # fmt: skip
# The clock changes of 2026 in spring, around the end of a month, and in autumn.
SPRING, AUTUMN = datetime(2026, 3, 24, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)
TEXTS = [
    "ana@helios.example", "ANA@HELIOS.example", "Zoë Müller", "zoe\u0308", "Иван Петров", "ИВАН",
    "İbrahim", "Straße", "STRASSE", "100%", "a_b", "a/b", "=1+1", "@SUM(A1)", "-2+3", "王伟",
    "محمد", "😀", "x\x01y", "back\\slash", "quote'\"", "_x0041_", "tab\there", "ΣΊΣΥΦΟΣ", "σίσυφος",
]  # fmt: skip
# Ten scripts and more: both cases, accents composed and decomposed, letters whose case is special.
SCRIPTS = [
    "Émile Zoë", "e\u0301mile zoe\u0308", "ÉMILE ZOË", "Emile Zoe", "emile zoe", "Emil", "zoe",
    "Weiß", "WEISS", "weiss", "ẞ", "İstanbul", "ISTANBUL", "ıstanbul", "istanbul", "i\u0307stanbul",
    "Łódź", "łódź", "Lodz", "ǅ", "ǆ", "ŉ", "ﬃ",
    "Οδυσσεύς", "ΟΔΥΣΣΕΎΣ", "οδυσσευ\u0301σ", "ΟΔΥΣΣΕΥΣ",
    "Юлия", "ЮЛИЯ", "юлия", "Андрей", "АНДРЕИ\u0306", "Андреи", "Հայկ Եւս", "ՀԱՅԿ ԵՒՍ", "հայկ և",
    "თამარ", "ᲗᲐᲛᲐᲠ", "مُحَمَّد", "محمد", "آمنة", "ا\u0653منة", "שָׁלוֹם", "שלום", "क़लम", "क\u093cलम",
    "कलम", "東京", "𠮷野家", "がく", "か\u3099く", "かく",
    "한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "👩\u200d👧 1",
]  # fmt: skip
CODES = ["W-1", "w-1", "W_2", "É%", "é%", "=X", "0012", "A/b", "a b", "K", "\u212a"]  # Kelvin
WRITTEN = [*TEXTS, *TEXTS, *SCRIPTS, *CODES]
CURRENCIES = ["EUR", "GBP", "JPY", "KWD", "CLF"]
CONTRACTS = ["CT-1", "CT-2", "ct-3"]
# Two are the same without case, and one has the ID of another in it.
NAMES = dict(
    zip(CONTRACTS, ['Straße 100%_ "王"', 'STRASSE 100%_ "王"', "محمد CT-1 😀"], strict=True)
)
OWN_EMAIL = "ana@helios.example"
ORDER_ROWS, ITEM_ROWS, TRANSACTION_ROWS, EMAIL_ROWS = 45, 110, 80, 60
EVENT_ROWS, USER_ROWS, NOTE_ROWS = 80, 60, 70
PEOPLE = [OWN_EMAIL, "ANA@helios.example", "joana@helios.example", "ben"]

ANY_OF = "any of"

_drawn = random.Random(9)


def _moment() -> datetime:
    first = SPRING if _drawn.random() < 0.75 else AUTUMN
    moment = first + timedelta(seconds=_drawn.randrange(10 * 86_400))
    # In half of the cases an instant at which a day or a clock change begins in some zone.
    return moment if _drawn.random() < 0.5 else moment.replace(minute=0, second=0)


def _at_midnight(zone: str) -> datetime:
    """Return an instant within two seconds of a midnight in the zone."""
    local = _moment().astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0)
    return local.astimezone(UTC) + timedelta(seconds=_drawn.randrange(-2, 3))


def _maybe(value: Any, share: float = 0.7) -> Any:
    return value if _drawn.random() < share else None


def _minor() -> int:
    return _drawn.choice([0, 1, 5, 999, 1000, 1250, 12_500, 125_000, _drawn.randrange(10**7)])


def _order(no: int) -> Row:
    return {
        "no": no,
        "order_id": f"{_drawn.choice(('OD', 'od', 'x%y_z', '=X', 'a b'))}-{no}",
        "contract_id": _drawn.choice(CONTRACTS),
        "widget_id": _maybe(_drawn.choice(WRITTEN)),
        "created_at": _moment(),
        "author": _drawn.choice(WRITTEN),
        "item_count": _drawn.randrange(1, 7),
        "amount_minor": _minor(),
        "currency": _drawn.choice(CURRENCIES),
        "contact_email": _maybe(_drawn.choice(WRITTEN)),
    }


def _item(no: int, order: Row) -> Row:
    zone = _drawn.choice(ZONES)
    service = _drawn.choice((_moment, lambda: _at_midnight(zone)))()
    begins = service.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0)
    return {
        "no": no,
        "order_item_id": f"{order['order_id']}/{no}",
        "order_id": order["order_id"],
        "contract_id": order["contract_id"],
        "product_type": _drawn.choice(list(ProductType)).value,
        "product": _drawn.choice(WRITTEN),
        "airport_iata": _drawn.choice(["LHR", "JFK", "AKL", "BEY"]),
        "airport_tz": zone,
        "terminal": _maybe(_drawn.choice(["1", "2", "T5", "t5", *SCRIPTS])),
        "pax_type": _drawn.choice(list(PaxType)).value,
        "passenger_name": _drawn.choice(WRITTEN),
        "passenger_email": _maybe(_drawn.choice(WRITTEN), 0.3),
        "service_at": service,
        "valid_from": begins.astimezone(UTC),
        "valid_until": begins.astimezone(UTC) + timedelta(days=1, seconds=-1),
        "flight_number": _maybe(_drawn.choice([f"BA{_drawn.randrange(9)}", "ЮТ 371", "ют 371"])),
        "voucher_code": f"{_drawn.choice(('7QXM', '7qxm', '%', 'É'))}-{no}",
        "voucher_serial": no.to_bytes(8, "big"),
        "price_minor": _minor(),
        "currency": _drawn.choice(CURRENCIES),
        "is_refundable": _drawn.random() < 0.6,
        "refund_expire_at": _maybe(_moment()),
        "status": _drawn.choice([ItemStatus.NOT_USED, *ItemStatus]).value,
        "used_at": _maybe(_moment(), 0.3),
        "refunded_at": _maybe(_moment(), 0.3),
        "created_at": _moment(),
    }


def _transaction(no: int, item: Row) -> Row:
    kind = _drawn.choice(list(TransactionType))
    sign = {TransactionType.PAYMENT: -1, TransactionType.ADJUSTMENT: _drawn.choice((-1, 1))}
    order_id = None if kind is TransactionType.TOP_UP else item["order_id"]
    return {
        "no": no,
        "short_reference": f"T-{no}",
        "transaction_id": f"{_drawn.choice(('TX', 'tx', '_'))}-{no}",
        "created_at": _moment(),
        "contract_id": item["contract_id"],
        "order_id": order_id,
        "order_item_id": _maybe(item["order_item_id"]) if order_id else None,
        "refund_id": None,
        "type": kind.value,
        "method": _drawn.choice(list(Method)).value,
        "amount_minor": sign.get(kind, 1) * (_minor() or 1),
        "currency": _drawn.choice(CURRENCIES),
        "status": _drawn.choice(list(TransactionStatus)).value,
        "reference": _maybe(_drawn.choice(WRITTEN)),
        "author": _drawn.choice(WRITTEN),
    }


def _refund(no: int, item: Row) -> Row:
    """Return the refund of an item; those of _RETURNED were returned by the bank."""
    is_returned = item["order_item_id"] in _RETURNED
    status = "failed" if is_returned else _drawn.choice(["requested", "succeeded", "declined"])
    kept = ("order_item_id", "order_id", "contract_id", "product_type", "product")
    return {name: item[name] for name in (*kept, "passenger_name")} | {
        "refund_id": f"{_drawn.choice(('RF', 'rf', '%'))}-{no}",
        "no": no,
        "short_reference": f"R-{no}",
        "batch_id": "B",
        "amount_minor": _minor(),
        "currency": _drawn.choice(CURRENCIES),
        "reason": _drawn.choice(["goodwill", "other", "imported", "no_longer_known"]),
        "note": _maybe(_drawn.choice(WRITTEN), 0.4),
        "gateway": _drawn.choice(list(Method)).value,
        "payment_reference": None,
        "status": status,
        "attempt": _drawn.randrange(1, 4),
        "next_attempt_at": None,
        "lease_until": None,
        "failure": _maybe(_drawn.choice(WRITTEN), 0.3),
        "external_reference": _maybe(f"{_drawn.choice(WRITTEN)}-{no}"),
        "requested_by": _drawn.choice(WRITTEN),
        "requested_at": _moment(),
        "settled_at": _moment() if status == "succeeded" else _maybe(_moment()),
        "asked_at": None,
        "stopped_by": None,
        "failed_after_success_at": NOW if is_returned else None,
        "next_look_at": None,
        "decided_by": _maybe(_drawn.choice(WRITTEN), 0.4),
        "decided_at": _maybe(_moment(), 0.4),
        "decision_note": None,
        "ledger_no": None,
    }


def _note(no: int, order: Row) -> Row:
    """Return a note: some are withdrawn, some have a follow-up, which may be done."""
    is_withdrawn, follows_up = _drawn.random() < 0.2, _drawn.random() < 0.6
    is_done = follows_up and _drawn.random() < 0.3
    return {
        "no": no,
        "note_id": f"{_drawn.choice(('N', 'n', '%'))}-{no}",
        "order_id": order["order_id"],
        "contract_id": order["contract_id"],
        "created_at": _drawn.choice([_moment(), NOW]),
        "author": _drawn.choice(WRITTEN),
        "text": None if is_withdrawn else "\n".join(_drawn.sample(WRITTEN, 2)),
        "follow_up_on": f"{_moment().date()}" if follows_up else None,
        "follow_up_by": _drawn.choice(PEOPLE) if follows_up else None,
        "done_at": _moment() if is_done else None,
        "done_by": _drawn.choice(PEOPLE) if is_done else None,
        "withdrawn_at": _moment() if is_withdrawn else None,
        "withdrawn_by": _drawn.choice(PEOPLE) if is_withdrawn else None,
        "idempotency_key": _maybe(f"key-{no}"),
        "request_hash": None,
    }


def _email(no: int, items: list[Row]) -> Row:
    orders = sorted({item["order_id"] for item in items})
    return {
        "delivery_id": f"{_drawn.choice(('D', 'd', '%'))}-{no}",
        "idempotency_key": f"key-{no}",
        "recipient": _drawn.choice(WRITTEN),
        "contract_id": items[0]["contract_id"],
        "order_id": orders[0] if len(orders) == 1 else None,
        "note_id": None,
        "item_count": len(items),
        "kind": _drawn.choice(list(DeliveryKind)).value,
        "channel": _drawn.choice(list(Channel)).value,
        "subject": _drawn.choice(WRITTEN),
        "message": _maybe(_drawn.choice(WRITTEN), 0.4),
        "status": _drawn.choice(list(DeliveryStatus)).value,
        "attempts": _drawn.randrange(7),
        "next_attempt_at": _moment(),
        "lease_until": None,
        "handed_over_at": _maybe(_moment()),
        "last_error": _maybe(_drawn.choice(WRITTEN), 0.4),
        "may_be_twice": _drawn.random() < 0.2,
        "message_id": f"<{no}@desk.example>",
        "requested_by": _drawn.choice(WRITTEN),
        "queued_at": _moment(),
        "sent_at": _maybe(_moment()),
    }


def _event(no: int, item: Row) -> Row:
    """Return an audit event with JSON as both databases show it."""
    told = {"to": _drawn.choice(WRITTEN), "note": _drawn.choice(WRITTEN)}
    row = {
        "event_id": f"{_drawn.choice(('E', 'e', '%'))}-{no}",
        "at": _moment(),
        "actor": _drawn.choice(WRITTEN),
        "action": _drawn.choice(["voucher.sent", "orders.imported"]),
        "entity": _drawn.choice(["order_item", "import"]),
        "entity_id": _drawn.choice([item["order_item_id"], *WRITTEN]),
        "order_id": _maybe(item["order_id"]),
        "contract_id": _maybe(item["contract_id"]),
        "before": _maybe(json.dumps({"note": _drawn.choice(WRITTEN)}, ensure_ascii=False), 0.3),
        "after": _maybe(json.dumps(told, ensure_ascii=False)),
    }
    is_of_item = (row["entity"], row["entity_id"]) == ("order_item", item["order_item_id"])
    about = {name: row[name] for name in ("action", "actor", "entity", "entity_id")}
    event = Event(**about, after={"product": item["product"]} if is_of_item else None)
    return row | {"sentence": sentence_of(event)}


def _user(no: int) -> Row:
    is_known = _drawn.random() < 0.5
    return {
        "user_id": f"user-{no}",
        "issuer": "https://sign-in.example" if is_known else None,
        "subject": str(no) if is_known else None,
        "email": f"{_drawn.choice(WRITTEN)}-{no}",
        "name": _drawn.choice(WRITTEN),
        "role": _drawn.choice(list(Role)).value,
        "sees_all_contracts": _drawn.random() < 0.5,
        "only_own_orders": _drawn.random() < 0.5,
        "is_active": _drawn.random() < 0.5,
    }


def _some_items() -> list[Row]:
    """Return items of one contract, of one or several orders."""
    first = _drawn.choice(_items)
    others = [one for one in _items if one["contract_id"] == first["contract_id"]]
    return [first, *_drawn.sample([one for one in others if one is not first], _drawn.randrange(3))]


_orders = [_order(no) for no in range(1, ORDER_ROWS + 1)]
_items = [_item(no, _drawn.choice(_orders)) for no in range(1, ITEM_ROWS + 1)]
_RETURNED = {item["order_item_id"] for item in _items[::7]}
_UNMATCHED = {order["order_id"] for order in _orders[::11]}
_transactions = [_transaction(no, _drawn.choice(_items)) for no in range(1, TRANSACTION_ROWS + 1)]
# Each seventh item was returned; of the others, each third has another refund.
_refunded = [one for n, one in enumerate(_items) if n % 7 == 0 or n % 3 == 0]
_refunds = [_refund(no, item) for no, item in enumerate(_refunded, 1)]
_notes = [_note(no, _drawn.choice(_orders)) for no in range(1, NOTE_ROWS + 1)]
_enclosed = [_some_items() for _ in range(EMAIL_ROWS)]
_emails = [_email(no, items) for no, items in enumerate(_enclosed, 1)]
_orders_by_email = {
    email["delivery_id"]: {item["order_id"] for item in items}
    for email, items in zip(_emails, _enclosed, strict=True)
}
ROWS: dict[str, list[Row]] = {
    ORDERS.name: _orders,
    ORDER_ITEMS.name: _items,
    TRANSACTIONS.name: _transactions,
    NOTES.name: _notes,
    EMAILS.name: _emails,
    REFUNDS.name: _refunds,
}
# Other tests add rows to these tables: people, and events.
ALL_ROWS = ROWS | {
    AUDIT_EVENTS.name: [_event(no, _drawn.choice(_items)) for no in range(1, EVENT_ROWS + 1)],
    USERS.name: [_user(no) for no in range(1, USER_ROWS + 1)],
    CONTRACTS_TABLE.name: [
        {
            "contract_id": one,
            "name": NAMES[one],
            "currency": "EUR",
            "balance_minor": 5_000,
            "refund_limit_minor": limit,
        }
        for one, limit in zip(CONTRACTS, (None, 0, 50_000), strict=True)
    ],
}
for _table in (*BOOKS, EMAILS, REFUNDS, AUDIT_EVENTS):
    for _row in ALL_ROWS[_table.name]:
        _row["contract"] = NAMES.get(_row["contract_id"])


def fill(url: str) -> str:
    """Store the random rows in an empty database; return its URL."""
    use_database(url)
    with storage.writing() as session:
        session.add_all(Contract(**row) for row in ALL_ROWS[CONTRACTS_TABLE.name])
        session.flush()
        batch = {"batch_id": "B", "idempotency_key": "B", "request_hash": "B", "answer": {}}
        session.add(RefundBatch(**batch, requested_by="ana@helios.example", created_at=NOW))
        session.flush()
        for table in (*BOOKS, EMAILS, REFUNDS, AUDIT_EVENTS, USERS):
            names = storage.stored_names(table.model)
            rows = (_as_stored(row) for row in ALL_ROWS[table.name])
            storage.bulk_insert(
                session, table.model, [tuple(row[name] for name in names) for row in rows]
            )
        enclosed = zip(_emails, _enclosed, strict=True)
        session.add_all(
            DeliveryItem(
                delivery_id=email["delivery_id"],
                **{key: item[key] for key in ("order_item_id", "order_id", "contract_id")},
            )
            for email, items in enclosed
            for item in items
        )
        _find_at_provider(session)
    return url


def _find_at_provider(session: Session) -> None:
    """Store unmatched refunds of the provider."""
    for order in _orders:
        if order["order_id"] in _UNMATCHED:
            found = {"reference": f"re_{order['no']}", "payment_reference": "pi_1"}
            found |= {name: order[name] for name in ("order_id", "contract_id", "currency")}
            session.add(ProviderRefund(**found, amount_minor=order["amount_minor"], found_at=NOW))


def _as_stored(row: Row) -> Row:
    return {
        name: int(value.timestamp()) if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def rows_of(table: Table, now: datetime) -> list[Row]:
    """Return the table's rows at an instant, with the derived values."""
    if table is ORDER_ITEMS:
        return [row | _worked_out(row, now) for row in _items]
    if table is ORDERS:
        return [
            row | {"refundable_now": _has_refundable_item(row, now)} | _noted(row, now)
            for row in _orders
        ]
    if table is USERS:
        return [
            row | {"contracts": "", "has_signed_in": bool(row["issuer"])}
            for row in ALL_ROWS["users"]
        ]
    if table is EMAILS:
        return [row | {"status": _state(row)} for row in _emails]
    return ALL_ROWS[table.name]


def orders_of(table: Table, row: Row) -> set[str | None]:
    """Return the orders of a row; an e-mail may have several."""
    return _orders_by_email[row["delivery_id"]] if table is EMAILS else {row.get("order_id")}


def items_of(order: Row) -> list[Row]:
    """Return the items of an order."""
    return [item for item in _items if item["order_id"] == order["order_id"]]


def notes_of(order: Row) -> list[Row]:
    """Return the notes of an order."""
    return [note for note in _notes if note["order_id"] == order["order_id"]]


def _noted(order: Row, now: datetime) -> Row:
    """Return what an order shows of its notes; under ANY_OF, what filters compare."""
    standing = [one for one in notes_of(order) if one["withdrawn_at"] is None]
    standing.sort(key=lambda one: (one["created_at"], one["no"]))
    texts = [one["text"] for one in standing[-1:]]
    still = [one for one in standing if one["follow_up_on"] and one["done_at"] is None]
    first = min((one["follow_up_on"] for one in still), default=None)
    today = f"{(now + timedelta(hours=14)).date()}"  # where the day is furthest
    meant = [one for one in still if one["follow_up_on"] in (first, *_until(today, still))]
    people = sorted({one["follow_up_by"] for one in meant})
    return {
        "note_count": len(standing),
        "last_note": texts[0] if texts else None,
        "follow_up_on": first,
        "follow_up_by": ", ".join(people) or None,
        ANY_OF: {
            "last_note": texts,
            "follow_up_on": [one["follow_up_on"] for one in meant],
            "follow_up_by": people,
        },
    }


def _until(day: str, notes: list[Row]) -> list[str]:
    return [one["follow_up_on"] for one in notes if one["follow_up_on"] <= day]


def own_orders(email: str) -> set[str]:
    """Return the orders that a user created."""
    return {row["order_id"] for row in _orders if row["author"].casefold() == email}


def _status(item: Row, now: datetime) -> str:
    """Return the status of an item: one that was not used by the end of its day is expired."""
    is_over = item["status"] == "not_used" and item["valid_until"] < now
    return "expired" if is_over else item["status"]


def _state(email: Row) -> str:
    """Return what people see of an e-mail: whether it was sent, or saved to the outbox."""
    is_sent, channel = email["status"] == "sent", email["channel"]
    seen = {"smtp": "sent_by_server", "outbox": "saved_to_outbox"}
    return seen[channel] if is_sent else str(email["status"])


def _worked_out(item: Row, now: datetime) -> Row:
    return {
        "status": _status(item, now),
        "refundable_now": _is_refundable(item, now),
        "refund_returned": item["order_item_id"] in _RETURNED,
        "unmatched_refund": item["order_id"] in _UNMATCHED,
        "refund_reason": _counted_refund(item).get("reason"),
        "refunded_by": _counted_refund(item).get("requested_by"),
    }


def _counted_refund(item: Row) -> Row:
    """Return the refund of an item that was not declined, and did not fail at first; or blank."""
    mine = (one for one in _refunds if one["order_item_id"] == item["order_item_id"])
    return next((one for one in mine if one["status"] != "declined"), {})


def _is_refundable(item: Row, now: datetime) -> bool:
    """Return whether an item was not used, and neither its day nor its deadline is over."""
    deadline = item["refund_expire_at"]
    is_open = _status(item, now) == "not_used" and deadline is not None and deadline >= now
    return bool(is_open and item["is_refundable"])


def _has_refundable_item(order: Row, now: datetime) -> bool:
    return any(_is_refundable(item, now) for item in items_of(order))
