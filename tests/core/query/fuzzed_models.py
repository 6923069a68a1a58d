"""Views that the grid would never send: valid ones, broken in many ways.

The generator is seeded, so that a failure repeats.
"""

import copy
import random
from collections.abc import Iterator
from typing import Any

from core.storage import Base
from core.tables import TABLES, Table
from tests.core.query.random_views import every_condition
from tests.core.random_rows import CONTRACTS, ROWS, ZONES

INJECTIONS = [
    "' OR '1'='1",
    "x' OR contract_id <> '' --",
    "'; DROP TABLE orders; --",
    "'); DELETE FROM order_items; --",
    "%' ESCAPE '\\' OR 1=1 --",
    "x' UNION SELECT user_id, email FROM users --",
    "1; UPDATE users SET role = 'admin'",
    '"); DROP TABLE users; --',
    "$$; SELECT pg_sleep(10); $$",
    "%s %(param_1)s :param_1 ? {0} $1",
    "\\",
    "\\'; --",
    "a/*",
    "0x27 OR 1=1",
]
NUMBERS: list[Any] = [
    0, -1, 1, 2.5, -0.0, 5e-324, 1e15, 1e308, -1e308, 2**31, 2**53, 2**53 + 1, 2**63, -(2**63) - 1,
    2**64, 10**400, float("inf"), float("-inf"), float("nan"), True, False,
]  # fmt: skip
DAYS = [
    "0000-00-00", "0001-01-01", "1899-12-31", "1900-01-01", "2026-02-30", "2026-13-01", "20260301",
    "2026-W10-1", "2199-12-31", "2200-01-01", "9999-12-31", "2026-03-01T00:00:00Z", "٢٠٢٦-٠٣-٠١",
    "-2026-03-01", "2026-03-01 00:00:00", "2026-03-01 00:00:00 00:00:00", "now", "infinity",
]  # fmt: skip
BAD_ZONES = [
    "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "utc", "UTC\x00", "UTC+25", "posix/UTC",
    "right/UTC", "Factory", "localtime", "Europe/London'", "", " ", "Etc/GMT+12", "posixrules",
]  # fmt: skip
TEXTS = ["", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\ufffe", "%", "_", "x" * 1_000,
         "x" * 1_001, "😀" * 600, "\u202e", "İ", "ﬃ", "\n", "null", "NaN", "__class__"]  # fmt: skip
KEYS = [
    "filters", "sort", "columns", "zone", "search", "ids", "keys", "filterType", "type", "filter",
    "filterTo", "dateFrom", "dateTo", "values", "operator", "conditions", "colId", "width",
    "pinned", "order_id", "limit", "actor", "model", "__proto__", "constructor",
]  # fmt: skip
OPERATORS = [
    "contains", "notContains", "equals", "notEqual", "startsWith", "endsWith", "lessThan",
    "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "inRange", "blank", "notBlank", "in",
    "today", "yesterday", "thisWeek", "lastWeek", "lastDays", "nextDays", "thisQuarter", "thisYear",
    "last7Days", "thisMonth", "lastMonth", "fromNow", "next24Hours", "next7Days", "AND",
    "OR", "NOT", "regexp", "like", "text", "number", "date", "set", "multi", "true",
]  # fmt: skip
# All stored columns, also those of other tables and those that the grid never shows.
COLUMN_NAMES = sorted(
    {str(column.key) for table in Base.metadata.sorted_tables for column in table.columns}
    | {column.name for table in TABLES.values() for column in table.columns}
)


def _deep(drawn: random.Random) -> Any:
    nested: Any = "x"
    for _ in range(drawn.choice([5, 50, 500, 5_000])):
        nested = [nested] if drawn.random() < 0.5 else {drawn.choice(KEYS): nested}
    return nested


def _many(drawn: random.Random) -> list[Any]:
    """Return a list of the maximum length or longer, mostly of texts."""
    count = drawn.choice([100, 3_000, 10_000, 10_001])
    kind = drawn.choice(["text", "text", "text", "injection", "mixed"])
    if kind == "mixed":
        return [drawn.choice([None, 1, "x", [], {}]) for _ in range(count)]
    if kind == "injection":
        return [f"{drawn.choice(INJECTIONS)}{number}" for number in range(count)]
    return [f"v{number}" for number in range(count)]


def _hostile(drawn: random.Random) -> Any:
    """Return a value to put into a view."""
    pool = drawn.choice(
        [INJECTIONS, INJECTIONS, NUMBERS, NUMBERS, DAYS, TEXTS, BAD_ZONES, OPERATORS, OPERATORS,
         COLUMN_NAMES, CONTRACTS, [None, [], {}, [[]], {"": {}}], "deep", "many"]
    )  # fmt: skip
    if pool == "deep":
        return _deep(drawn)
    return _many(drawn) if pool == "many" else copy.deepcopy(drawn.choice(list(pool)))


def _real(drawn: random.Random, table: Table) -> dict[str, Any]:
    """Return a view as the grid sends it, with all parts."""
    offered = drawn.sample(table.offered, 3)
    filtered = {c.name: drawn.choice(every_condition(table, c)) for c in offered}
    two = drawn.choice(offered)
    filtered[two.name] = {
        "operator": drawn.choice(["AND", "OR"]),
        "conditions": [drawn.choice(every_condition(table, two)) for _ in range(2)],
    }
    stored = [row[table.key] for row in drawn.sample(ROWS[table.name], 3)]
    pinned = {"colId": offered[2].name, "width": 90, "pinned": "left"}
    real = {
        "filters": {name: filtered[name] for name in list(filtered)[: drawn.randrange(1, 4)]},
        "sort": [{"colId": c.name, "sort": drawn.choice(["asc", "desc"])} for c in offered[:2]],
        "columns": [offered[0].name, offered[1].name, pinned],
        "zone": drawn.choice(ZONES),
        "search": drawn.choice(["a", "ana", "1", "x%"]),
        "ids": stored,
        "keys": stored,
    }
    # Usually with fewer parts: rows that search or IDs exclude never reach the filters.
    for part in ("search", "ids", "keys", "sort", "columns"):
        if drawn.random() < 0.7:
            del real[part]
    return copy.deepcopy(real)


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Return all places of values in a view: a dict or list, with a key or index."""
    found: list[tuple[Any, Any]] = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            within = list(one) if isinstance(one, dict) else list(range(len(one)))[:20]
            found += [(one, key) for key in within]
            waiting += [one[key] for key in within]
    return found


def _break(drawn: random.Random, view: dict[str, Any], table: Table) -> None:
    """Change one value in the view."""
    places = _places(view)
    if not places:
        return
    holder, key = drawn.choice(places)
    match drawn.randrange(6):
        case 0 | 1:
            holder[key] = _hostile(drawn)
        case 2:
            del holder[key]
        case 3 if isinstance(holder, dict):
            holder[drawn.choice([*KEYS, *COLUMN_NAMES, *INJECTIONS])] = holder.pop(key)
        case 4:
            other, place = drawn.choice(places)
            holder[key] = None if isinstance(other[place], dict | list) else other[place]
        case _:
            filters = view.get("filters")
            if isinstance(filters, dict):
                name = drawn.choice([c.name for c in table.offered])
                text = drawn.choice(INJECTIONS + TEXTS)
                ask = {"filterType": "text", "type": drawn.choice(OPERATORS[:6]), "filter": text}
                filters[name] = drawn.choice([ask, {"filterType": "set", "values": [text, None]}])


def fuzzed_views(table: Table, count: int) -> Iterator[Any]:
    """Yield `count` views of a table, nearly all of them broken in one to four places."""
    drawn = random.Random(f"{table.name} of Order Desk")
    for number in range(count):
        if number % 25 == 0:
            yield _hostile(drawn)  # not a view at all
            continue
        view = _real(drawn, table)
        for _ in range(drawn.choice([0, 1, 1, 1, 2, 2, 3, 4])):
            _break(drawn, view, table)
        yield view
