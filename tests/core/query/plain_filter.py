"""The meaning of a view in plain Python: written from the documentation, not from the SQL."""

import unicodedata
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from core.access import Actor
from core.ground import to_major
from core.tables import ORDERS, Column, Kind, Table
from tests.core.random_rows import (
    ANY_OF,
    Row,
    items_of,
    notes_of,
    orders_of,
    own_orders,
    rows_of,
)

Raw = dict[str, Any]


def expected_rows(
    table: Table, raw: Raw, *, actor: Actor, now: datetime, order_id: str | None = None
) -> list[Row]:
    """Return the rows of a view, in its order; `raw` is the JSON of the view."""
    rows = [row for row in rows_of(table, now) if _may_see(actor, table, row)]
    if order_id is not None:
        rows = [row for row in rows if order_id in orders_of(table, row)]
    return _sorted(table, [row for row in rows if fits(table, raw, row, now)], raw["sort"])


def _may_see(actor: Actor, table: Table, row: Row) -> bool:
    if not actor.sees_all_contracts and row["contract_id"] not in actor.contracts:
        return False
    return not actor.only_own_orders or orders_of(table, row) <= own_orders(actor.email)


def fits(table: Table, raw: Raw, row: Row, now: datetime) -> bool:
    """Return whether a row matches the view: its search, pasted IDs, keys and all filters."""
    ids = raw.get("ids")
    if ids and not any(_is_pasted(c, row[c.name], ids) for c in table.columns if c.is_reference):
        return False
    if raw.get("keys") is not None and row[table.key] not in raw["keys"]:
        return False
    if not all(_is_found(table, row, word) for word in raw.get("search", "").split()):
        return False
    for name, asked in raw["filters"].items():
        column = table.column(name)
        assert column is not None
        parts = asked.get("conditions", [asked])
        held = [_holds(column, row, part, raw["zone"], now) for part in parts]
        if not (any(held) if asked.get("operator") == "OR" else all(held)):
            return False
    return True


def _is_pasted(column: Column, value: str, ids: list[str]) -> bool:
    if column.prefix:
        return value in [_reference(one) for one in ids]
    if column.kind is not Kind.TEXT:
        return value in ids
    return without_case(value, Kind.TEXT) in [without_case(one, Kind.TEXT) for one in ids]


def _is_found(table: Table, row: Row, word: str) -> bool:
    """Return whether a text column of the row, or its order's items or notes, has a word.

    A word that is a reference, such as R-12, finds only rows with this reference or ID.
    """
    prefix = next((c.prefix for c in table.columns if c.prefix), None)
    if prefix and (_reference(word) or "").startswith(prefix):
        return any(_is_pasted(c, row[c.name], [word]) for c in table.columns if c.is_reference)
    columns = [c for c in table.columns if c.can_be_shown and _is_text(c) and not c.prefix]
    columns = [c for c in columns if not (c.allowed or c.wording or c.via or c.any_of)]
    found = [_contains(row[column.name], word, column.kind) for column in columns]
    if table is ORDERS:
        for item in items_of(row):
            found.append(_contains(item["passenger_name"], word, Kind.TEXT))
            found.append(_contains(item["voucher_code"], word, Kind.CODE))
        found += [_contains(note["text"], word, Kind.TEXT) for note in notes_of(row)]
    return any(found)


def _reference(text: str) -> str | None:
    """Return a text as a reference, if it is one: r-012 is R-12."""
    letter, dash, number = text.upper().partition("-")
    is_number = number.isascii() and number.isdigit() and len(number) <= 18
    return f"{letter}-{int(number)}" if letter in ("R", "T") and dash and is_number else None


def _is_text(column: Column) -> bool:
    return column.kind in (Kind.TEXT, Kind.CODE)


def _contains(value: str | None, word: str, kind: Kind) -> bool:
    return value is not None and without_case(word, kind) in without_case(value, kind)


def without_case(text: str, kind: Kind) -> str:
    """Fold the case of a text: in every script for text by people, in ASCII for codes."""
    if kind is Kind.CODE:
        return "".join(c.lower() if c.isascii() else c for c in text)
    folded = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", folded)


def _holds(column: Column, row: Row, asked: Raw, zone: str, now: datetime) -> bool:
    holds = _any_holds if column.any_of is not None else _one_holds
    return holds(column, row, asked, zone, now)


def _one_holds(column: Column, row: Row, asked: Raw, zone: str, now: datetime) -> bool:
    value = row[column.name]
    if asked["filterType"] == "set":
        return _choice_of(column, value) in [_spoken(column, one) for one in asked["values"]]
    match asked["type"]:
        case "blank":
            return value is None
        case "notBlank":
            return value is not None
        case "fromNow":
            return value is not None and value >= now
    if (days := _days_from_now(column, asked)) is not None:
        return value is not None and now <= value <= now + timedelta(days=days)
    if value is None:  # a blank is not equal to any value, so “is not” includes it
        return asked["type"] in ("notContains", "notEqual")
    if _is_text(column):
        return _text_holds(column, value, asked)
    if column.kind in (Kind.DATE, Kind.INSTANT):
        day = _day_of(column, row, zone)
        return _day_holds(day, asked, now.astimezone(ZoneInfo(zone)))
    if column.kind is Kind.MONEY:
        value = to_major(value, row[str(column.currency)])
    first, last = (Decimal(str(asked.get(end, 0))) for end in ("filter", "filterTo"))
    return _compares(Decimal(value), asked["type"], first, last)


def _days_from_now(column: Column, asked: Raw) -> int | None:
    """Return how many times 24 hours a condition reaches from now on."""
    if asked["type"] == "nextDays" and column.is_deadline:
        days: int = asked["filter"]
        return days
    return {"next24Hours": 1, "next7Days": 7}.get(asked["type"])


OPPOSITES = {"notContains": "contains", "notEqual": "equals", "notBlank": "blank"}


def _any_holds(column: Column, row: Row, asked: Raw, zone: str, now: datetime) -> bool:
    """Return whether one of the values of a column holds; “not” means that none does."""
    if asked["type"] in OPPOSITES:
        positive = asked | {"type": OPPOSITES[asked["type"]]}
        return not _any_holds(column, row, positive, zone, now)
    values = row[ANY_OF][column.name]
    if asked["type"] == "blank":
        return not values
    single = replace(column, any_of=None)
    return any(_holds(single, {column.name: one}, asked, zone, now) for one in values)


def _day_of(column: Column, row: Row, zone: str) -> date:
    """Return the day of a value; that of a place is in the place's time zone."""
    if column.kind is Kind.DATE:
        return date.fromisoformat(row[column.name])
    here = ZoneInfo(row[column.place_zone] if column.place_zone else zone)
    day: date = row[column.name].astimezone(here).date()
    return day


def _choice_of(column: Column, value: Any) -> Any:
    if column.kind is Kind.FLAG:
        return "yes" if value else "no"
    return _spoken(column, value)


def _spoken(column: Column, value: str | None) -> str | None:
    return value.replace("_", " ") if value is not None and column.has_words else value


def _text_holds(column: Column, value: str, asked: Raw) -> bool:
    if column.has_words:  # found by its word as it is shown, and by its value with blanks
        words = column.word_of(value), value.replace("_", " ")
        texts = asked["filter"], asked["filter"].replace("_", " ")
        positive = {"notContains": "contains", "notEqual": "equals"}
        operator: str = positive.get(asked["type"]) or asked["type"]
        found = any(
            _text_fits(word, text, operator, column.kind)
            for word, text in zip(words, texts, strict=True)
        )
        return found == (operator == asked["type"])
    return _text_fits(value, asked["filter"], asked["type"], column.kind)


def _text_fits(value: str, asked: str, operator: str, kind: Kind) -> bool:
    wanted, text = without_case(asked, kind), without_case(value, kind)
    return {
        "contains": wanted in text,
        "notContains": wanted not in text,
        "equals": text == wanted,
        "notEqual": text != wanted,
        "startsWith": text.startswith(wanted),
        "endsWith": text.endswith(wanted),
    }[operator]


def _day_holds(day: date, asked: Raw, now: datetime) -> bool:
    today, counted = now.date(), asked.get("filter", 0)
    ago = (today - day).days
    last_month = today.replace(day=1) - timedelta(days=1)
    relative = {
        "today": ago == 0,
        "yesterday": ago == 1,
        "last7Days": 0 <= ago < 7,  # today is the last of the seven days
        "lastDays": 0 <= ago < counted,
        "nextDays": 0 <= -ago < counted,  # today is the first of them
        "untilToday": ago >= 0,
        "thisWeek": _week(day) == _week(today),
        "lastWeek": _week(day) == _week(today - timedelta(days=7)),
        "thisMonth": (day.year, day.month) == (today.year, today.month),  # also its future days
        "lastMonth": (day.year, day.month) == (last_month.year, last_month.month),
        "thisQuarter": _quarter(day) == _quarter(today),
        "thisYear": day.year == today.year,
    }
    if asked["type"] in relative:
        return relative[asked["type"]]
    first = date.fromisoformat(asked["dateFrom"][:10])
    last = date.fromisoformat(str(asked.get("dateTo", asked["dateFrom"]))[:10])
    return _compares(day, asked["type"], first, last)


def _week(day: date) -> tuple[int, int]:
    """Return the ISO year and week of a day: weeks begin on Monday."""
    return day.isocalendar()[:2]


def _quarter(day: date) -> tuple[int, int]:
    return day.year, (day.month - 1) // 3


def _compares(value: Any, operator: str, first: Any, last: Any) -> bool:
    return {
        "equals": value == first,
        "notEqual": value != first,
        "lessThan": value < first,
        "lessThanOrEqual": value <= first,
        "greaterThan": value > first,
        "greaterThanOrEqual": value >= first,
        "inRange": first <= value <= last,
    }[operator]


def _sorted(table: Table, rows: list[Row], sort: list[Raw]) -> list[Row]:
    """Sort rows: blanks come last in both directions, equal rows are in the order of the key."""
    keys = [(one["colId"], one["sort"] == "desc") for one in sort]
    keys.append((table.key, keys[-1][1] if keys else False))
    for name, descending in reversed(keys):
        column = table.column(name)
        assert column is not None
        present = [row for row in rows if row[name] is not None]
        missing = [row for row in rows if row[name] is None]
        present.sort(key=partial(_rank, column), reverse=descending)
        rows = present + missing
    return rows


def _rank(column: Column, row: Row) -> Any:
    """Return what a row is sorted by, such as an amount in major units: 12 KWD is after 10 EUR."""
    value = row[column.name]
    if column.name == "contract":  # contracts with the same name stay apart
        return order_of_text(value), row["contract_id"]
    return to_major(value, row[str(column.currency)]) if column.currency else rank(column, value)


def rank(column: Column, value: Any) -> Any:
    """Return what a value is sorted by; text by people and references are not sorted by itself."""
    if column.prefix is not None:
        return int(value.removeprefix(column.prefix))
    if column.kind is not Kind.TEXT:
        return value
    is_written = column.derived is None or column.any_of is not None
    return order_of_text(value) if is_written else without_case(value, Kind.TEXT)


def order_of_text(value: str) -> tuple[str, str, str]:
    """Return what a text is sorted by: without accents and case, then without case, then all of it.

    Python compares text by code point, as both databases are set up to do.
    """
    folded = without_case(value, Kind.TEXT)
    letters = (c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", "".join(letters)), folded, value


def expected_totals(table: Table, rows: list[Row]) -> dict[str, int]:
    """Return the sums of the first amount column of a table, by currency."""
    amount = next((c for c in table.columns if c.kind is Kind.MONEY), None)
    if amount is None:
        return {}
    totals: dict[str, int] = {}
    for row in rows:
        currency = row[str(amount.currency)]
        totals[currency] = totals.get(currency, 0) + row[amount.name]
    return totals
