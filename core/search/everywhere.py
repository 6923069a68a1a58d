"""One search over orders, items, e-mails and references: for each kind, the newest and how many.

Each kind is the view of a table, so the scope and the permissions are those of the table, and the
view opens in it. Orders and order items are found as by their quick search; vouchers and passengers
are order items with the text in that column; e-mails are found by recipient, refunds and
transactions by their reference alone.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core.access import Actor, may
from core.ground import format_money, named
from core.query import count_up_to
from core.search.matches import Row, has_all, load, match_of, match_of_orders, searched, view_of
from core.tables import EMAILS, ORDER_ITEMS, ORDERS, REFUNDS, TRANSACTIONS, Column, Table
from core.views import Condition, Filter, Operator, View, as_choice, default_view, parse_search

MIN_LETTERS = 3  # of the longest word: a shorter one is in no index, and every row would be read
PER_KIND = 5
ITEMS_READ = 3 * PER_KIND  # items whose voucher or passenger is found are listed as such
MAX_COUNTED = 1_000  # counting more rows takes longer than a person waits for the next letter
MAX_IN_FILTER = 2  # words that a filter of a column can ask for
ITEM_NAMES = ("order_item_id", "order_id", "product", "passenger_name", "voucher_code", "status")


@dataclass(frozen=True)
class Hit:
    """A row that a search found. Its page is that of its order; without one, `view` shows it.

    `match` says what was found where, such as “Passenger Zoë Müller”; it is empty if the title
    shows that.
    """

    title: str
    detail: str
    order_id: str | None
    view: View | None = None
    match: str = ""


@dataclass(frozen=True)
class Found:
    """The newest hits of a kind, and the view of all rows; the total is None above MAX_COUNTED."""

    kind: str
    hits: list[Hit]
    view: View
    total: int | None

    @property
    def has_more(self) -> bool:
        """Return whether the view has more rows than the hits."""
        return self.total is None or self.total > len(self.hits)

    @property
    def total_in_words(self) -> str:
        """Return how many rows the view has: 1,234, or more than 1,000."""
        return f"more than {MAX_COUNTED:,}" if self.total is None else f"{self.total:,}"


def find_everywhere(text: str, *, actor: Actor, now: datetime) -> list[Found]:
    """Return what a text is found in that the actor may see; nothing if all its words are short.

    Raises InvalidInput if the text has too many words.
    """
    search = parse_search(text)
    if all(len(word) < MIN_LETTERS for word in search.split()):
        return []
    return [found for found in _Search(search, actor, now).find_all() if found.hits]


@dataclass(frozen=True)
class _Search:
    """One search of one person."""

    search: str
    actor: Actor
    now: datetime

    @property
    def words(self) -> list[str]:
        return self.search.split()

    def find_all(self) -> Iterator[Found]:
        find: dict[Table, Callable[[], Iterable[Found]]] = {
            REFUNDS: lambda: self._find_reference(REFUNDS, ("product", "status")),
            TRANSACTIONS: lambda: self._find_reference(TRANSACTIONS, ("type", "status")),
            ORDERS: self._find_orders,
            ORDER_ITEMS: self._find_items,
            EMAILS: self._find_emails,
        }
        for table, of_table in find.items():
            if may(self.actor, table.permission(None)):
                yield from of_table()

    def _find_reference(self, table: Table, names: Sequence[str]) -> Iterator[Found]:
        """Find the row of a reference, such as R-12: its page shows it alone."""
        if not table.is_reference(self.search):
            return
        view = default_view(table).with_search(self.search)
        hits = []
        for row in self._load(view, ("short_reference", "amount_minor", *names), PER_KIND):
            said = (as_choice(_column(table, name), row[name]) for name in names)
            detail = " · ".join((format_money(row["amount_minor"], row["currency"]), *said))
            own = default_view(table).with_ids((row["short_reference"],))
            hits.append(Hit(row["short_reference"], detail, None, own))
        yield self._count(table.title, view, hits, len(hits))

    def _find_orders(self) -> Iterator[Found]:
        view = default_view(ORDERS).with_search(self.search)
        rows = self._load(
            view, {*searched(ORDERS), "contract", "created_at", "item_count"}, PER_KIND
        )
        details = [
            f"{named(row['contract_id'], row['contract'])} · {row['created_at']:%Y-%m-%d} · "
            f"{_count_items(row['item_count'])} · {row['author']}"
            for row in rows
        ]
        matches = match_of_orders(self.words, rows, actor=self.actor, now=self.now)
        hits = [
            Hit(row["order_id"], detail, row["order_id"], match=match)
            for row, detail, match in zip(rows, details, matches, strict=True)
        ]
        yield self._count(ORDERS.title, view, hits, len(rows))

    def _find_items(self) -> Iterator[Found]:
        """Find items by their voucher code, by their passenger, and by anything else of them."""
        for kind, name, other in (
            ("Vouchers", "voucher_code", "passenger_name"),
            ("Passengers", "passenger_name", "voucher_code"),
        ):
            view = self._where(ORDER_ITEMS, name)
            rows = self._load(view, ITEM_NAMES, PER_KIND)
            hits = [
                Hit(row[name], _about(row, "product", other, "status"), row["order_id"])
                for row in rows
            ]
            yield self._count(kind, view, hits, len(rows))
        yield self._find_other_items()

    def _find_other_items(self) -> Found:
        """Find items by what is neither their voucher code nor their passenger alone."""
        view = default_view(ORDER_ITEMS).with_search(self.search)
        rows = self._load(view, {*ITEM_NAMES, *searched(ORDER_ITEMS)}, ITEMS_READ)
        hits = []
        for row in rows:
            if any(has_all(row[name], self.words) for name in ("voucher_code", "passenger_name")):
                continue
            title, detail = row["order_item_id"], _about(row, "product", "passenger_name", "status")
            match = match_of(self.words, ORDER_ITEMS, row)
            hits.append(Hit(title, detail, row["order_id"], match=match))
        return self._count(ORDER_ITEMS.title, view, hits[:PER_KIND], len(rows), ITEMS_READ)

    def _find_emails(self) -> Iterator[Found]:
        view = self._where(EMAILS, "recipient")
        names = ("delivery_id", "recipient", "subject", "status")
        hits = []
        for row in self._load(view, names, PER_KIND):
            status = as_choice(_column(EMAILS, "status"), row["status"])
            own = default_view(EMAILS).with_ids((row["delivery_id"],))
            hits.append(Hit(row["recipient"], f"{status} · {row['subject']}", None, own))
        yield self._count(EMAILS.title, view, hits, len(hits))

    def _where(self, table: Table, name: str) -> View:
        """Return the view of the rows that have the words in one column.

        A filter takes two words. With more of them, the others can be anywhere in the row.
        """
        asked = [Condition(Operator.CONTAINS, word) for word in self.words[:MAX_IN_FILTER]]
        view = replace(default_view(table), filters=(Filter(_column(table, name), tuple(asked)),))
        return view.with_search(self.search) if len(self.words) > MAX_IN_FILTER else view

    def _load(self, view: View, names: Iterable[str], most: int) -> list[Row]:
        return load(view_of(view, names), most, actor=self.actor, now=self.now)

    def _count(
        self, kind: str, view: View, hits: list[Hit], loaded: int, asked: int = PER_KIND
    ) -> Found:
        """Return the hits with their total, which is known if fewer rows came than were asked."""
        if loaded < asked or not hits:
            return Found(kind, hits, view, loaded)
        total = count_up_to(view, MAX_COUNTED, actor=self.actor, now=self.now)
        return Found(kind, hits, view, total)


def _about(row: Row, *names: str) -> str:
    """Return values of an order item in words."""
    said = (row[name] and as_choice(_column(ORDER_ITEMS, name), row[name]) for name in names)
    return " · ".join(filter(None, said))


def _count_items(count: int) -> str:
    return f"{count:,} item{'s' * (count != 1)}"


def _column(table: Table, name: str) -> Column:
    column = table.column(name)
    assert column is not None
    return column
