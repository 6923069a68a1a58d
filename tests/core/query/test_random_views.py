"""Views compared with a plain Python filter: grid, count, totals and Excel file agree."""

import io
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import excel, query, storage
from core.access import Actor
from core.ground import decimals_of
from core.query.windows import find_keys
from core.tables import (
    AUDIT_EVENTS,
    BOOKS,
    EMAILS,
    ORDER_ITEMS,
    ORDER_TABS,
    ORDERS,
    REFUNDS,
    USERS,
    Kind,
    Table,
)
from core.views import View, parse_view, to_address, to_json
from core.views.codec import from_address
from tests.conftest import use_database
from tests.core.query.plain_filter import expected_rows, expected_totals, rank
from tests.core.query.random_views import (
    ACTORS,
    COUNTED,
    NOWS,
    PRESETS,
    Raw,
    every_condition,
    every_word,
    views,
)
from tests.core.random_rows import ALL_ROWS, ROWS, ZONES, Row, fill
from tests.core.read_back import (
    cell,
    csv_cell,
    header_cell,
    open_book,
    rows_of_csv,
    rows_of_sheet,
    said_in,
)
from tests.effort import share, some
from tests.rows import store_user

TABLES = {table.name: table for table in (*BOOKS, EMAILS, REFUNDS)}
# Other tests add rows to these: people, and events of exports.
SHARED = {table.name: table for table in (AUDIT_EVENTS, USERS)}
ALL_TABLES = TABLES | SHARED
STEP = some(4, 1)  # from one value of an operator, and one word, to the next
EVERY_ROW: Raw = {"filters": {}, "sort": []}
MOST_KEYS = 100_000
WINDOW = 37  # no table has a multiple of it


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    """Fill one database of each kind with the random rows, once for the module."""
    url = fill(make_database(request.param))
    for actor in ACTORS:
        store_user(actor)
    return url


def _check_windows(view: View, expected: list[Row], actor: Actor, now: datetime) -> None:
    """Page through the view: every row once, in order, with the stored values."""
    frames: list[pd.DataFrame] = []
    while sum(len(frame) for frame in frames) == WINDOW * len(frames):
        start = WINDOW * len(frames)
        frames.append(query.load_rows(view, actor=actor, now=now, start=start, end=start + WINDOW))
    for column in view.columns:
        found = [
            None if value is None else getattr(value, "to_pydatetime", lambda v=value: v)()
            for frame in frames
            for value in frame[column.name].astype("object").where(frame[column.name].notna(), None)
        ]
        assert found == [row[column.name] for row in expected], column.name
    key = view.table.key
    assert [one for frame in frames for one in frame[key]] == [row[key] for row in expected]


def _check_file(view: View, expected: list[Row], actor: Actor, now: datetime) -> None:
    """Export the view: the same rows, cell by cell, and a sheet that describes them."""
    file = io.BytesIO()
    assert excel.export(view, file, actor=actor, now=now) == len(expected)
    sheet, about = open_book(file).worksheets
    header, rows = rows_of_sheet(sheet)
    assert header == [header_cell(column, view.zone) for column in view.columns]
    assert rows == [tuple(cell(c, row, view.zone) for c in view.columns) for row in expected]

    said = said_in(about)
    everything = EVERY_ROW | {"zone": view.zone}
    total = len(expected_rows(view.table, everything, actor=actor, now=now, order_id=view.order_id))
    orders = expected_rows(ORDERS, EVERY_ROW, actor=actor, now=now)
    names = {"contract_id": {row["contract_id"]: row["contract"] for row in orders}}
    seen = query.only_visible(view, actor=actor, now=now)
    words = [one.replace("\x01", "\ufffd") for one in seen.in_words(names)]
    assert said["Filters"] == (words or ["none"])
    assert said["Rows"] == [f"{len(expected):,} of {total:,} {view.table.many}"]
    sums = expected_totals(view.table, expected)
    spoken = [_spoken_amount(minor, currency) for currency, minor in sorted(sums.items())]
    assert said.get(f"Total {_amount_header(view.table)}", []) == spoken


def _check_csv(view: View, expected: list[Row], actor: Actor, now: datetime) -> None:
    file = io.BytesIO()
    csv = excel.FileFormat.CSV
    assert excel.export(view, file, actor=actor, now=now, file_format=csv) == len(expected)
    header, rows = rows_of_csv(file)
    assert header == [header_cell(column, view.zone) for column in view.columns]
    assert rows == [[csv_cell(c, row, view.zone) for c in view.columns] for row in expected]


def _check_beside(view: View, expected: list[Row], actor: Actor, now: datetime) -> None:
    """Go from rows of the view to those before and after them."""
    keys = [None, *(row[view.table.key] for row in expected), None]
    for place in sorted({1, 2, len(keys) // 2, len(keys) - 2} & set(range(1, len(keys) - 1))):
        found = query.find_beside(view, str(keys[place]), actor=actor, now=now)
        assert (found.previous, found.next) == (keys[place - 1], keys[place + 1]), view.sort


def _spoken_amount(minor: int, currency: str) -> str:
    places = decimals_of(currency)
    return f"{Decimal(minor) / 10**places:,.{places}f} {currency}"


def _amount_header(table: Table) -> str:
    return "Price" if table is ORDER_ITEMS else "Amount"


def _check_address(view: View) -> None:
    address = from_address(to_address(view))
    assert parse_view(view.table, address, order_id=view.order_id) == view
    assert parse_view(view.table, to_json(view), order_id=view.order_id) == view


def _our_keys(view: View, actor: Actor, now: datetime) -> list[str]:
    """Find the keys of a view's rows in its order, without rows that other tests add.

    Those may be thousands: more than `load_keys` loads.
    """
    table = view.table
    ours = {row[table.key] for row in ALL_ROWS[table.name]}
    with storage.reading() as session:
        keys = find_keys(session, view, actor=actor, now=now, start=0, end=MOST_KEYS)
    assert len(keys) < MOST_KEYS
    return [key for key in keys if key in ours]


def _homes(table: Table) -> st.SearchStrategy[str | None]:
    """Draw an order ID for a view, if the table is also a tab of the page of an order."""
    orders = [item["order_id"] for item in ROWS["order_items"][:9]]
    return st.none() | st.sampled_from(orders) if table.name in ORDER_TABS else st.none()


@pytest.mark.parametrize("name", TABLES)
@share(0.2)
@given(data=st.data())
def test_grid_count_totals_and_file_match_a_plain_python_filter(
    filled: str, name: str, data: st.DataObject
) -> None:
    use_database(filled)
    table = TABLES[name]
    raw = data.draw(views(table), label="view")
    now = data.draw(st.sampled_from(NOWS), label="now")
    actor = data.draw(st.sampled_from([ACTORS[0], *ACTORS]), label="actor")
    order_id = data.draw(_homes(table), label="order")
    view = parse_view(table, raw, order_id=order_id)
    expected = expected_rows(table, raw, actor=actor, now=now, order_id=order_id)

    assert query.count_rows(view, actor=actor, now=now) == len(expected)
    totals = expected_totals(table, expected)
    assert query.load_totals(view, actor=actor, now=now) == totals
    figures = query.load_figures(view, actor=actor, now=now)
    assert (figures.count, figures.totals or totals) == (len(expected), totals)
    _check_windows(view, expected, actor, now)
    _check_beside(view, expected, actor, now)
    _check_file(view, expected, actor, now)
    _check_csv(view, expected, actor, now)
    _check_address(view)


@pytest.mark.parametrize("name", SHARED)
@share(0.2)
@given(data=st.data())
def test_rows_of_tables_that_grow_match_a_plain_python_filter(
    filled: str, name: str, data: st.DataObject
) -> None:
    use_database(filled)
    table = SHARED[name]
    raw = data.draw(views(table), label="view")
    now = data.draw(st.sampled_from(NOWS), label="now")
    actors = ACTORS if table is AUDIT_EVENTS else ACTORS[:1]
    actor = data.draw(st.sampled_from(actors), label="actor")
    expected = expected_rows(table, raw, actor=actor, now=now)
    assert _our_keys(parse_view(table, raw), actor, now) == [row[table.key] for row in expected]


@pytest.mark.parametrize("name", ALL_TABLES)
def test_every_operator_of_every_column_is_correct(filled: str, name: str) -> None:
    use_database(filled)
    table = ALL_TABLES[name]
    start = 0 if storage.is_sqlite() else STEP // 2
    asked = [
        (column, one)
        for column in table.offered
        for one in every_condition(table, column, STEP, start)
    ]
    for place, (column, one) in enumerate(asked):
        zone = ZONES[place % len(ZONES)]
        raw = EVERY_ROW | {"filters": {column.name: one}, "zone": zone}
        view = parse_view(table, raw)
        for now in NOWS if one.get("type") in PRESETS + COUNTED else [NOWS[place % len(NOWS)]]:
            found = _our_keys(view, ACTORS[0], now)
            expected = expected_rows(table, raw, actor=ACTORS[0], now=now)
            assert found == [row[table.key] for row in expected], (column.name, one, zone, now)


@pytest.mark.parametrize("name", ALL_TABLES)
def test_a_search_finds_only_words_of_the_searched_columns(filled: str, name: str) -> None:
    use_database(filled)
    table = ALL_TABLES[name]
    for place, word in enumerate(every_word(table)[::STEP]):
        raw = EVERY_ROW | {"search": word, "zone": "UTC"}
        now = NOWS[place % len(NOWS)]
        found = _our_keys(parse_view(table, raw), ACTORS[0], now)
        expected = expected_rows(table, raw, actor=ACTORS[0], now=now)
        assert found == [row[table.key] for row in expected], word


@pytest.mark.parametrize("name", TABLES)
def test_the_list_of_every_column_counts_rows_that_match_the_other_filters(
    filled: str, name: str
) -> None:
    use_database(filled)
    table = TABLES[name]
    for place, column in enumerate(one for one in table.offered if one.has_choices):
        now, actor = NOWS[place % len(NOWS)], ACTORS[place % len(ACTORS)]
        number = next(one for one in table.offered if one.kind is Kind.NUMBER)
        least = 7 if number.name == "no" else 1
        others = {number.name: {"filterType": "number", "type": "greaterThan", "filter": least}}
        own = {column.name: {"filterType": "set", "values": []}}
        raw = EVERY_ROW | {"zone": "UTC"}
        view = parse_view(table, raw | {"filters": others | own})
        rows = expected_rows(table, raw | {"filters": others}, actor=actor, now=now)
        counts = Counter(row[column.name] for row in rows)
        listed = query.load_choices(view, column.name, actor=actor, now=now)
        assert dict(listed.to_numpy().tolist()) == counts, column.name
        values = listed["value"].tolist()
        named = sorted(counts.keys() - {None}, key=partial(rank, column))
        assert values == [None] * (None in counts) + named, column.name
