"""Which filters are measured: on every column, with frequent, rare and absent values."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.bench.grid_page import (
    NO_ROW,
    Expected,
    GridPage,
    containing,
    equal_to,
    starting_with,
)

NOT_THERE = "zzzz"
NEWEST_FIRST = "ORDER BY created_at DESC, order_id DESC"  # as the grid shows them
FREQUENT, RARE = "count(*) DESC", "count(*)"


@dataclass(frozen=True)
class Typed:
    """A text or number typed into the floating filter."""

    header: str
    text: str
    expected: Expected

    def __str__(self) -> str:
        """Say which filter it is."""
        return f"{self.header}: {self.text}"

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        return page.type_filter(self.header, self.text, self.expected)


@dataclass(frozen=True)
class Picked(Typed):
    """A day put into the floating filter."""

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        return page.pick_day(self.header, self.text, self.expected)


@dataclass(frozen=True)
class Listed(Typed):
    """A value ticked in the column's list."""

    def __str__(self) -> str:
        """Say which filter it is."""
        return f"{self.header}: {self.text}, from the list"

    def seconds(self, page: GridPage) -> float:
        """Filter, and return the seconds to the rows."""
        page.open_list(self.header)
        return page.choose(self.text, self.expected)


def newest_order(orders: sqlite3.Connection) -> Expected:
    """Return what the grid shows first when nothing is filtered."""
    newest = f"SELECT order_id FROM orders {NEWEST_FIRST} LIMIT 1"
    return Expected("order_id", orders.execute(newest).fetchone()[0], rows=1)


def filter_cases(orders: sqlite3.Connection) -> list[Typed]:
    """Choose the values from the orders themselves: from the middle, frequent, rare, absent."""
    return [
        *_on_numbers(orders),
        *_on_order_id(orders),
        *_on_listed(orders, "Widget ID", "widget_id"),
        *_on_listed(orders, "Contract ID", "contract_id"),
        *_on_listed(orders, "Author", "author"),
        *_on_day(orders),
    ]


def _on_numbers(orders: sqlite3.Connection) -> list[Typed]:
    number = str(_middle_order(orders)[0])
    totals = [str(_value(orders, "item_count", by)) for by in (FREQUENT, RARE)]
    return [
        Typed("No", number, equal_to("no", number)),
        Typed("No", "99999999", NO_ROW),
        *(Typed("Total", total, equal_to("item_count", total)) for total in totals),
        Typed("Total", "99", NO_ROW),
    ]


def _on_order_id(orders: sqlite3.Connection) -> list[Typed]:
    order_id = _middle_order(orders)[1]
    month, number = order_id.split("-")
    return [
        Typed("Order ID", month, starting_with("order_id", month)),
        Typed("Order ID", number, containing("order_id", number)),
        Typed("Order ID", NOT_THERE, NO_ROW),
    ]


def _on_listed(orders: sqlite3.Connection, header: str, column: str) -> list[Typed]:
    """Type the second half of the most frequent value, and tick it and the rarest in the list."""
    frequent, rare = (_value(orders, column, by) for by in (FREQUENT, RARE))
    part = frequent[len(frequent) // 2 :].lower()
    return [
        Typed(header, part, containing(column, part)),
        Typed(header, NOT_THERE, NO_ROW),
        Listed(header, frequent, equal_to(column, frequent)),
        Listed(header, rare, equal_to(column, rare)),
    ]


def _on_day(orders: sqlite3.Connection) -> list[Typed]:
    oldest = orders.execute("SELECT min(created_at) FROM orders").fetchone()[0]
    days = [
        f"{datetime.fromtimestamp(created, UTC):%Y-%m-%d}"
        for created in (_middle_order(orders)[2], oldest)
    ]
    return [
        *(Picked("Created Date", day, starting_with("created_at", day)) for day in days),
        Picked("Created Date", "1999-01-01", NO_ROW),
    ]


def _middle_order(orders: sqlite3.Connection) -> tuple[int, str, int]:
    """Return number, id and moment of the order in the middle, which is not on the screen."""
    statement = (
        "SELECT no, order_id, created_at FROM orders WHERE no = (SELECT max(no) / 2 FROM orders)"
    )
    number, order_id, created_at = orders.execute(statement).fetchone()
    return number, order_id, created_at


def _value(orders: sqlite3.Connection, column: str, by: str) -> Any:
    """Return the most frequent or the rarest value that the newest order does not have."""
    newest = f"(SELECT {column} FROM orders {NEWEST_FIRST} LIMIT 1)"
    statement = (
        f"SELECT {column} FROM orders WHERE {column} IS NOT NULL AND {column} IS NOT {newest} "
        f"GROUP BY {column} ORDER BY {by} LIMIT 1"
    )
    return orders.execute(statement).fetchone()[0]
