"""Random views of every table, with every kind of filter, made from the table's description."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from core.access import Actor
from core.ground import EXPIRED, to_major
from core.ground.states import Role
from core.tables import NOTES, ORDER_ITEMS, Column, Kind, Table
from core.views.codec import MAX_SEARCH_WORDS
from tests.core.random_rows import ALL_ROWS, CONTRACTS, OWN_EMAIL, ROWS, TEXTS, ZONES

Raw = dict[str, Any]

# Instants at which the day, month or offset differs between zones: clock changes, ends of months.
NOWS = [
    datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 3, 31, 23, 30, tzinfo=UTC),
    datetime(2026, 4, 1, 3, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
]
TEXT_OPERATORS = ["contains", "notContains", "equals", "notEqual", "startsWith", "endsWith"]
ORDER_OPERATORS = [
    "equals", "notEqual", "lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual",
    "inRange",
]  # fmt: skip
BLANKS = ["blank", "notBlank"]
PRESETS = [
    "today", "yesterday", "thisWeek", "lastWeek", "last7Days", "thisMonth", "lastMonth",
    "thisQuarter", "thisYear", "fromNow", "next24Hours", "next7Days",
    "untilToday",
]  # fmt: skip
COUNTED = ["lastDays", "nextDays"]
COUNTS = [1, 2, 3, 7, 30, 90, 366, 9_999]
FRAGMENTS = ["a", "o", "%", "_", "ÄÖ", "ß", "ss", "е", "OD", "x%", "W", "-1", "\\", "/", "İ", "i̇"]
OPERATORS = {
    "text": TEXT_OPERATORS + BLANKS,
    "number": ORDER_OPERATORS + BLANKS,
    "date": ORDER_OPERATORS + BLANKS + PRESETS + COUNTED,
}
ENDS = {"text": ("filter", ""), "number": ("filter", "filterTo"), "date": ("dateFrom", "dateTo")}


def filter_type(column: Column) -> str | None:
    """Return the grid's name for the filter of a column; None if it has only a list."""
    types: dict[Kind, str | None] = {Kind.NUMBER: "number", Kind.MONEY: "number", Kind.FLAG: None}
    types |= {Kind.INSTANT: "date", Kind.DATE: "date"}
    return types.get(column.kind, "text")


def operators_of(column: Column, kind: str | None) -> list[str]:
    """Return the operators of a column; a calendar day knows no time of the day."""
    to_the_minute = ("fromNow", "next24Hours", "next7Days")
    has = OPERATORS[kind] if kind else []
    return [one for one in has if column.kind is not Kind.DATE or one not in to_the_minute]


def _stored(table: Table, column: Column) -> list[Any]:
    return [row[column.name] for row in ALL_ROWS[table.name] if row.get(column.name) is not None]


def values_of(table: Table, column: Column) -> list[Any]:
    """Return values to compare a column with, near the stored ones and far from them."""
    if column.kind in (Kind.INSTANT, Kind.DATE):
        days = [date(2026, 3, day) for day in range(25, 32)]
        days += [date(2026, 4, day) for day in range(1, 6)]
        days += [date(2026, 10, 25), date(2026, 11, 1), date(1900, 1, 1), date(2199, 12, 31)]
        return [f"{day} 00:00:00" for day in days]
    if column.kind is Kind.NUMBER:
        return [*range(-1, 12), 2.5, 1e6, -3.25, 40]
    if column.kind is Kind.MONEY:
        typed = [0, -1, 0.005, 0.0005, 1, 1.25, 12.5, 125, 1250, -12.5, 9.99, 1e13]
        majors = (
            to_major(row[column.name], row[str(column.currency)]) for row in ROWS[table.name][:20]
        )
        return typed + sorted({float(major) for major in majors})
    if column.allowed:
        words = [str(member) for member in column.allowed] + [EXPIRED]
        return [*words, "Not used", "not used", "ED", "_", " ", "fund", "t u", "top-", "& as"]
    stored = sorted(set(_stored(table, column)))
    return [*stored[:12], *(text[1:4] for text in stored[:6] if text[1:4]), *TEXTS, *FRAGMENTS]


def choices_of(table: Table, column: Column) -> list[str | None]:
    """Return values for the list of a column: all stored ones, blank, and unknown ones."""
    if column.kind is Kind.FLAG:
        return ["yes", "no"]
    if column.allowed:
        words = [str(member) for member in column.allowed] + [EXPIRED]
        return [*words, *(word.replace("_", " ") for word in words if "_" in word)]
    return [*sorted(set(_stored(table, column))), None, "gone"]


@st.composite
def _conditions(draw: Callable[..., Any], table: Table, column: Column, kind: str) -> Raw:
    operator = draw(st.sampled_from(operators_of(column, kind)))
    asked = {"filterType": kind, "type": operator}
    if operator in BLANKS + PRESETS:
        return asked
    if operator in COUNTED:
        return asked | {"filter": draw(st.sampled_from(COUNTS))}
    values, (first, last) = st.sampled_from(values_of(table, column)), ENDS[kind]
    if operator == "inRange":
        ends = sorted([draw(values), draw(values)])
        return asked | {first: ends[0], last: ends[1]}
    return asked | {first: draw(values)}


@st.composite
def _filters(draw: Callable[..., Any], table: Table, column: Column) -> Raw:
    kind = filter_type(column)
    if kind is None or (column.has_choices and draw(st.booleans())):
        chosen = st.lists(st.sampled_from(choices_of(table, column)), max_size=6)
        return {"filterType": "set", "values": draw(chosen)}
    conditions = _conditions(table, column, kind)
    if draw(st.integers(0, 2)):
        return draw(conditions)
    joined = draw(st.sampled_from(["AND", "OR"]))
    return {
        "filterType": kind,
        "operator": joined,
        "conditions": [draw(conditions), draw(conditions)],
    }


@st.composite
def _layouts(draw: Callable[..., Any], column: Column) -> str | Raw:
    if draw(st.integers(0, 3)):
        return column.name
    width, pinned = st.integers(20, 2_000), st.sampled_from(["left", "right"])
    return {"colId": column.name, "width": draw(width), "pinned": draw(pinned)}


def _searches(table: Table) -> st.SearchStrategy[str]:
    columns = (column for column in table.columns if column.kind in (Kind.TEXT, Kind.CODE))
    stored = [text for column in columns for text in _stored(table, column)[:4]]
    passengers = [item["passenger_name"] for item in ROWS["order_items"][:5]]
    codes = [item["voucher_code"] for item in ROWS["order_items"][:5]]
    notes = [word for note in ROWS["notes"][:9] for word in (note["text"] or "").split()]
    words = st.sampled_from([*stored, *passengers, *codes, *notes, *TEXTS, *FRAGMENTS])
    texts = st.lists(words.map(str.upper) | words, min_size=1, max_size=2).map(" ".join)
    return texts.map(lambda text: " ".join(text.split(" ")[:MAX_SEARCH_WORDS]))


def _ids(table: Table) -> st.SearchStrategy[list[str]]:
    references = [c for c in table.columns if c.is_reference]
    stored = {text for column in references for text in _stored(table, column)}
    return st.lists(st.sampled_from([*sorted(stored), "gone", "%", "'"]), min_size=1, max_size=30)


def _keys(table: Table) -> st.SearchStrategy[list[str]]:
    stored = _stored(table, table.key_column)
    return st.lists(st.sampled_from([*stored, "gone", "%", "'"]), max_size=30)


@st.composite
def views(draw: Callable[..., Any], table: Table) -> Raw:
    """Draw a view as a browser sends it."""
    offered = st.sampled_from(table.offered)
    filtered = draw(st.lists(offered, max_size=3, unique=True))
    sort = draw(st.lists(offered, max_size=3, unique=True))
    raw: Raw = {
        "filters": {column.name: draw(_filters(table, column)) for column in filtered},
        "sort": [{"colId": c.name, "sort": draw(st.sampled_from(["asc", "desc"]))} for c in sort],
        "columns": [draw(_layouts(c)) for c in draw(st.lists(offered, min_size=1, unique=True))],
        "zone": draw(st.sampled_from(ZONES)),
    }
    if draw(st.integers(0, 3)) == 0:
        raw["search"] = draw(_searches(table))
    if draw(st.integers(0, 4)) == 0:
        raw["ids"] = draw(_ids(table))
    if draw(st.integers(0, 4)) == 0:
        raw["keys"] = draw(_keys(table))
    return raw


def every_condition(table: Table, column: Column, step: int = 1, start: int = 0) -> list[Raw]:
    """Return all filters of a column: each operator with values, each choice.

    A larger step leaves values out: other ones for each operator, and for another start.
    """
    asked: list[Raw] = []

    def some_of(filters: list[Raw]) -> list[Raw]:
        return filters[(start + len(asked)) % step :: step] or filters[:1]

    kind = filter_type(column)
    for operator in operators_of(column, kind):
        plain = {"filterType": kind, "type": operator}
        if operator in BLANKS + PRESETS:
            asked.append(plain)
            continue
        if operator in COUNTED:
            asked += some_of([plain | {"filter": count} for count in COUNTS])
            continue
        values, (first, last) = values_of(table, column), ENDS[str(kind)]
        if operator == "inRange":
            ranges = zip(values, values[2:], strict=False)
            pairs = [(low, high) for low, high in ranges if low <= high]
            asked += some_of([plain | {first: low, last: high} for low, high in pairs])
        else:
            asked += some_of([plain | {first: value} for value in values[::3]])
    if column.has_choices:
        choices = choices_of(table, column)
        asked += some_of([{"filterType": "set", "values": [one]} for one in choices])
        asked.append({"filterType": "set", "values": []})
    return asked


def every_word(table: Table) -> list[str]:
    """Return words of all stored texts, searched or not: complete, in part and in capitals."""
    sources = [(table, column) for column in table.columns]
    sources += [(other, column) for other in (ORDER_ITEMS, NOTES) for column in other.columns]
    words = [
        str(text)
        for source, column in sources
        if column.kind in (Kind.TEXT, Kind.CODE)
        for text in sorted(set(_stored(source, column)))[1::7]
    ]
    words = [" ".join(word.split(" ")[:MAX_SEARCH_WORDS]) for word in words]
    return [form for word in words for form in (word, word.upper(), word[-3:]) if form.strip()]


ACTORS = [
    Actor("all", "all@desk.example", Role.ADMIN, sees_all_contracts=True),
    Actor("two", "two@desk.example", Role.ADMIN, contracts=frozenset(CONTRACTS[:2])),
    Actor("own", OWN_EMAIL, Role.ADMIN, sees_all_contracts=True, only_own_orders=True),
]
