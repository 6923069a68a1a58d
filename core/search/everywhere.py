"""One search over orders, items, e-mails and references: a few hits of each kind, newest first.

Each table is searched as by its quick search, so the scope and the permissions are the same.
E-mails are searched by recipient; refunds and transactions by their reference alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.access import Actor, may
from core.ground import fold, format_money, named
from core.query import load_rows
from core.tables import EMAILS, ORDER_ITEMS, ORDERS, REFUNDS, TRANSACTIONS, Column, Table
from core.views import Condition, Filter, Operator, View, as_choice, default_view, parse_search

MIN_LETTERS = 3  # of the longest word: a shorter one is in no index, and every row would be read
PER_KIND = 5
ITEMS_READ = 3 * PER_KIND  # vouchers, passengers and items come from the same rows


@dataclass(frozen=True)
class Hit:
    """A row that a search found. Its page is that of its order; without one, `view` shows it."""

    kind: str
    title: str
    detail: str
    order_id: str | None
    view: View | None = None


def find_everywhere(text: str, *, actor: Actor, now: datetime) -> list[Hit]:
    """Return the hits of a text that the actor may see; none if all its words are short.

    Raises InvalidInput if the text has too many words.
    """
    search = parse_search(text)
    if all(len(word) < MIN_LETTERS for word in search.split()):
        return []
    find: dict[Table, Callable[[str, Actor, datetime], Iterable[Hit]]] = {
        REFUNDS: _find_refunds,
        TRANSACTIONS: _find_transactions,
        ORDERS: _find_orders,
        ORDER_ITEMS: _find_items,
        EMAILS: _find_emails,
    }
    tables = [table for table in find if may(actor, table.permission(None))]
    return [hit for table in tables for hit in find[table](search, actor, now)]


def _find_refunds(search: str, actor: Actor, now: datetime) -> Iterable[Hit]:
    names = ("amount_minor", "product", "status")
    return _find_reference(REFUNDS, search, names, actor, now)


def _find_transactions(search: str, actor: Actor, now: datetime) -> Iterable[Hit]:
    return _find_reference(TRANSACTIONS, search, ("amount_minor", "type", "status"), actor, now)


def _find_reference(
    table: Table, search: str, names: Sequence[str], actor: Actor, now: datetime
) -> Iterable[Hit]:
    """Find the row of a reference, such as R-12: its page shows it alone."""
    if not table.is_reference(search):
        return
    columns = ("short_reference", *names)
    for row in _load(_view(table, columns).with_search(search), PER_KIND, actor, now):
        amount = format_money(row["amount_minor"], row["currency"])
        said = (as_choice(_column(table, name), row[name]) for name in names[1:])
        own = default_view(table).with_ids((row["short_reference"],))
        yield Hit(table.title, row["short_reference"], " · ".join((amount, *said)), None, own)


def _find_orders(search: str, actor: Actor, now: datetime) -> Iterable[Hit]:
    names = ("order_id", "contract_id", "contract", "author", "created_at")
    view = _view(ORDERS, names).with_search(search)
    for row in _load(view, PER_KIND, actor, now):
        contract = named(row["contract_id"], row["contract"])
        detail = f"{contract} · {row['author']} · {row['created_at']:%Y-%m-%d}"
        yield Hit("Orders", row["order_id"], detail, row["order_id"])


def _find_items(search: str, actor: Actor, now: datetime) -> Iterable[Hit]:
    """Sort the items by what the search found in them: voucher code, passenger, or other."""
    names = ("order_item_id", "order_id", "product", "passenger_name", "voucher_code", "status")
    view = _view(ORDER_ITEMS, names).with_search(search)
    words = fold(search).split()
    found: dict[str, list[Hit]] = {"Vouchers": [], "Passengers": [], "Order Items": []}
    for row in _load(view, ITEMS_READ, actor, now):
        status = as_choice(_column(ORDER_ITEMS, "status"), row["status"])
        code, name = row["voucher_code"] or "", row["passenger_name"] or ""
        if _has(code, words):
            kind, title, about = "Vouchers", code, (status, name, row["product"])
        elif _has(name, words):
            kind, title, about = "Passengers", name, (row["product"], row["order_id"], status)
        else:
            kind, title = "Order Items", row["order_item_id"]
            about = (row["product"], name, status)
        if len(found[kind]) < PER_KIND:
            found[kind].append(Hit(kind, title, " · ".join(filter(None, about)), row["order_id"]))
    return [hit for hits in found.values() for hit in hits]


def _find_emails(search: str, actor: Actor, now: datetime) -> Iterable[Hit]:
    names = ("delivery_id", "recipient", "subject", "status", "order_id")
    asked = Filter(_column(EMAILS, "recipient"), (Condition(Operator.CONTAINS, search),))
    view = replace(_view(EMAILS, names), filters=(asked,))
    for row in _load(view, PER_KIND, actor, now):
        status = as_choice(_column(EMAILS, "status"), row["status"])
        own = default_view(EMAILS).with_ids((row["delivery_id"],))
        yield Hit("E-mails", row["recipient"], f"{status} · {row['subject']}", None, own)


def _has(text: str, words: list[str]) -> bool:
    folded = fold(text)
    return all(word in folded for word in words)


def _view(table: Table, names: Iterable[str]) -> View:
    return replace(default_view(table), columns=tuple(_column(table, name) for name in names))


def _column(table: Table, name: str) -> Column:
    column = table.column(name)
    assert column is not None
    return column


def _load(view: View, most: int, actor: Actor, now: datetime) -> list[Mapping[str, Any]]:
    frame = load_rows(view, actor=actor, now=now, start=0, end=most)
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
