"""Views from the browser: which are valid, and which are refused with a sentence."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ground import InvalidInput
from core.tables import ORDER_ITEMS, ORDERS, TABLES, TRANSACTIONS
from core.views import default_view, describe_filter, describe_sort, parse_view, to_address
from core.views.codec import from_address
from tests.effort import share


def _text(**given: Any) -> dict[str, Any]:
    return {"filterType": "text", "type": "contains", "filter": "x"} | given


BAD_FILTERS = {
    "unknown column": {"nope": _text()},
    "column that is not offered": {"refund_id": _text()},
    "unknown operator": {"order_id": _text(type="regex")},
    "operator of another kind": {"order_id": _text(type="lessThan")},
    "filter of another kind": {"order_id": _text(filterType="number")},
    "no operator": {"order_id": {"filterType": "text", "filter": "x"}},
    "number for a text": {"order_id": _text(filter=3)},
    "text for a number": {"no": {"filterType": "number", "type": "equals", "filter": "3"}},
    "bool for a number": {"no": {"filterType": "number", "type": "equals", "filter": True}},
    "no number": {"no": {"filterType": "number", "type": "equals", "filter": None}},
    "infinite number": {"no": {"filterType": "number", "type": "equals", "filter": float("inf")}},
    "no such number": {"no": {"filterType": "number", "type": "equals", "filter": float("nan")}},
    "no day": {"created_at": {"filterType": "date", "type": "equals"}},
    "impossible day": {"created_at": {"type": "equals", "dateFrom": "2026-02-30"}},
    "far day": {"created_at": {"type": "equals", "dateFrom": "9999-01-01"}},
    "backward range": {"no": {"type": "inRange", "filter": 5, "filterTo": 2}},
    "half a range": {"no": {"type": "inRange", "filter": 5}},
    "empty text": {"order_id": _text(filter="")},
    "long text": {"order_id": _text(filter="x" * 1_001)},
    "NUL": {"order_id": _text(filter="a\x00b")},
    "half a character": {"order_id": _text(filter="\ud800")},
    "set on a column without": {"order_id": {"filterType": "set", "values": ["x"]}},
    "set without values": {"author": {"filterType": "set"}},
    "set of numbers": {"author": {"filterType": "set", "values": [1]}},
    "huge set": {"author": {"filterType": "set", "values": ["x"] * 10_001}},
    "three conditions": {"no": {"filterType": "number", "conditions": [_text()] * 3}},
    "unknown join": {"order_id": {"operator": "XOR", "conditions": [_text(), _text()]}},
    "extra key": {"order_id": _text(evil=1)},
    "filter that is a list": {"order_id": []},
}


@pytest.mark.parametrize("filters", BAD_FILTERS.values(), ids=BAD_FILTERS.keys())
def test_an_invalid_filter_is_refused_with_a_sentence(filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_view(ORDERS, {"filters": filters})
    assert str(refusal.value).endswith(".")
    assert len(str(refusal.value)) < 300


BAD_VIEWS: dict[str, Any] = {
    "a list": [],
    "nothing": None,
    "unknown key": {"limit": 1},
    "unknown sort column": {"sort": [{"colId": "nope", "sort": "asc"}]},
    "unknown direction": {"sort": [{"colId": "no", "sort": "up"}]},
    "the same column twice in the sort": {"sort": [{"colId": "no", "sort": "asc"}] * 2},
    "unknown visible column": {"columns": ["nope"]},
    "no visible column": {"columns": []},
    "the same visible column twice": {"columns": ["no", "no"]},
    "unknown zone": {"zone": "Mars/Olympus"},
    "path as a zone": {"zone": "../../etc/passwd"},
    "number as a zone": {"zone": 3},
}


@pytest.mark.parametrize("raw", BAD_VIEWS.values(), ids=BAD_VIEWS.keys())
def test_an_invalid_view_is_refused_with_a_sentence(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_view(ORDERS, raw)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                (
                    "filters sort columns zone search ids author no created_at filterType type "
                    "filter filterTo values conditions operator dateFrom colId width pinned text"
                ).split()
            )
            | st.text(max_size=8),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@share(4)
@given(raw=_json, table=st.sampled_from(sorted(TABLES)))
def test_any_json_is_refused_or_parsed_to_a_view_that_round_trips(raw: Any, table: str) -> None:
    for left_out in (None, list[str]()):
        try:
            view = parse_view(TABLES[table], raw, left_out=left_out)
        except InvalidInput:
            continue
        assert parse_view(TABLES[table], from_address(to_address(view))) == view


@pytest.mark.parametrize(
    "text", ["!!!", "a", "e30x", base64.b64encode(b"[" * 100_000).decode(), "x" * 1_000_001, "é"]
)
def test_a_damaged_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_view(ORDERS, from_address(text))


def test_a_url_written_by_hand_is_parsed() -> None:
    raw = {"filters": {"created_at": {"type": "equals", "dateFrom": "2026-03-01"}}}
    text = base64.urlsafe_b64encode(json.dumps(raw).encode()).decode()
    view = parse_view(ORDERS, from_address(text), zone="Europe/Paris")
    assert describe_filter(view.filters[0]) == "Created Date on 2026-03-01"
    assert view.zone == "Europe/Paris"
    assert parse_view(ORDERS, from_address(to_address(view))) == view


def test_the_default_view_is_newest_first_with_the_default_columns() -> None:
    view = default_view(ORDERS)
    assert describe_sort(view) == "Created Date, descending"
    headers = [column.header for column in view.columns]
    assert headers == [
        "No",
        "Order ID",
        "Widget ID",
        "Created Date",
        "Total",
        "Contract ID",
        "Author",
        "Amount",
        "Currency",
    ]


def test_items_of_an_order_come_in_their_own_order() -> None:
    assert describe_sort(default_view(ORDER_ITEMS, order_id="OD-1")) == "No, ascending"
    assert describe_sort(default_view(ORDER_ITEMS)) == "Created Date, descending"
    assert describe_sort(default_view(TRANSACTIONS, order_id="OD-1")) == "Created Date, descending"


def test_a_view_whose_columns_are_all_gone_has_the_default_ones() -> None:
    for order_id in (None, "OD-1"):
        usual = default_view(ORDER_ITEMS, order_id=order_id)
        view = parse_view(ORDER_ITEMS, {"columns": ["gone"]}, order_id=order_id, left_out=[])
        assert (view.columns, view.layout) == (usual.columns, usual.layout)


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"author": _text(filter="ana")}, "Author contains “ana”"),
        ({"author": _text(type="blank")}, "Author is blank"),
        ({"no": {"type": "inRange", "filter": 1, "filterTo": 5}}, "No between 1 and 5"),
        ({"item_count": {"type": "notEqual", "filter": 2}}, "Total ≠ 2"),
        (
            {"created_at": {"type": "lessThan", "dateFrom": "2026-03-01 00:00:00"}},
            "Created Date before 2026-03-01",
        ),
        (
            {"widget_id": {"filterType": "set", "values": ["W-2", None, "W-1"]}},
            "Widget ID is W-1, W-2 or (blank)",
        ),
        (
            {"widget_id": {"filterType": "set", "values": [f"W-{i}" for i in range(9)]}},
            "Widget ID is W-0, W-1 or one of 7 more",
        ),
        ({"widget_id": {"filterType": "set", "values": []}}, "Widget ID matches no value"),
        (
            {"order_id": {"operator": "OR", "conditions": [_text(filter="a"), _text(filter="b")]}},
            "Order ID contains “a” or contains “b”",
        ),
    ],
)
def test_filters_are_described_in_words(filters: dict[str, Any], words: str) -> None:
    view = parse_view(ORDERS, {"filters": filters})
    assert [describe_filter(one) for one in view.filters] == [words]


def test_a_column_that_the_grid_cannot_show_is_refused() -> None:
    for raw in (
        {"filters": {"valid_from": {"type": "blank"}}},
        {"sort": [{"colId": "valid_from", "sort": "asc"}]},
        {"columns": ["valid_from"]},
    ):
        with pytest.raises(InvalidInput, match="Order Items has no column “valid_from”"):
            parse_view(ORDER_ITEMS, raw)
