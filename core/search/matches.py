"""What of a row a search has found: the column, and its value near the word."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.access import Actor
from core.ground import fold
from core.query import MAX_WINDOW, is_searched, load_rows
from core.tables import ORDERS, Column, Table
from core.views import View, default_view

Row = Mapping[str, Any]
BEFORE, WHOLE = 20, 80  # letters before a word in a long text, and of all that is shown


def searched(table: Table) -> list[str]:
    """Return the names of the columns that a table's quick search reads."""
    return [column.name for column in table.offered if is_searched(column)]


def view_of(view: View, names: Iterable[str]) -> View:
    """Return a view with these columns alone."""
    wanted = set(names)
    return replace(view, columns=tuple(one for one in view.table.columns if one.name in wanted))


def load(view: View, most: int, *, actor: Actor, now: datetime) -> list[Row]:
    """Load the first rows of a view; a missing value is None."""
    frame = load_rows(view, actor=actor, now=now, start=0, end=most)
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def has_all(text: str | None, words: Sequence[str]) -> bool:
    """Return whether a text has all the words, in any case."""
    return all(has(text, word) for word in words)


def has(text: str | None, word: str) -> bool:
    """Return whether a text has a word, in any case."""
    return fold(word) in fold(text or "")


def match_of(words: Sequence[str], table: Table, row: Row) -> str:
    """Say where the words are that the row's ID does not have: Flight No BA 117."""
    found = (_in_row(word, table, row) for word in words if not has(row[table.key], word))
    return _joined(found)


def match_of_orders(
    words: Sequence[str], orders: Sequence[Row], *, actor: Actor, now: datetime
) -> list[str]:
    """Say the same for each order: also in its order items and notes."""
    found: dict[str, list[str]] = {str(row["order_id"]): [] for row in orders}
    for word in words:
        left = []
        for row in orders:
            if has(row["order_id"], word):
                continue
            if own := _in_row(word, ORDERS, row):
                found[row["order_id"]].append(own)
            else:
                left.append(row["order_id"])
        for order_id, said in _in_other_rows(word, left, actor, now).items():
            found[order_id].append(said)
    return [_joined(said) for said in found.values()]


def _joined(found: Iterable[str]) -> str:
    return " · ".join(dict.fromkeys(filter(None, found)))


def _in_row(word: str, table: Table, row: Row) -> str:
    columns = [one for one in table.offered if one.name in row and is_searched(one)]
    return _in_columns(word, columns, row)


def _in_other_rows(
    word: str, order_ids: Sequence[str], actor: Actor, now: datetime
) -> dict[str, str]:
    """Find a word in the rows of other tables that the search of orders finds too."""
    found: dict[str, str] = {}
    for also in ORDERS.also_finds:
        left = tuple(one for one in order_ids if one not in found)
        if not left:
            break
        view = default_view(also.table).with_ids(left).with_search(word)
        names = {"order_id", *also.names}
        for row in load(view_of(view, names), MAX_WINDOW, actor=actor, now=now):
            said = _in_columns(word, also.columns, row)
            if said and row["order_id"] in left:
                found.setdefault(row["order_id"], said)
    return found


def _in_columns(word: str, columns: Iterable[Column], row: Row) -> str:
    """Return the first column with a word, and its value near the word; empty without one."""
    one = next((one for one in columns if has(row[one.name], word)), None)
    return f"{one.header} {_near(row[one.name], word)}" if one else ""


def _near(text: str, word: str) -> str:
    """Return a text in one line; of a long one, the part with the word."""
    line = " ".join(text.split())
    if len(line) <= WHOLE:
        return line
    start = max(0, min(fold(line).find(fold(word)) - BEFORE, len(line) - WHOLE))
    before, after = "…" * (start > 0), "…" * (start + WHOLE < len(line))
    return f"{before}{line[start : start + WHOLE].strip()}{after}"
