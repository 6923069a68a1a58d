"""Search, IDs and layout of a view: what is valid, what exceeds a limit, what is left out."""

from typing import Any

import pytest

from core.ground import InvalidInput
from core.tables import ORDER_ITEMS, ORDERS, TRANSACTIONS
from core.views import Layout, describe_filter, parse_view, to_address, to_json
from core.views.codec import from_address

GOOD = {"filterType": "text", "type": "contains", "filter": "x"}


def test_a_search_is_kept_as_its_words() -> None:
    view = parse_view(ORDERS, {"search": "  Zoë \t Müller\u00a0\n"})
    assert view.search == "Zoë Müller"
    assert view.in_words() == ["Search “Zoë Müller”"]
    assert to_json(view)["search"] == "Zoë Müller"
    assert parse_view(ORDERS, {"search": " \n "}).search == ""


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("a " * 9, "at most 8 words"),
        ("x" * 1_001, "longer than 1,000 characters"),
        ("a\x00b", "cannot be stored"),
        (3, "invalid at “search”"),
        (None, "invalid at “search”"),
    ],
)
def test_an_invalid_search_is_refused(search: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_view(ORDERS, {"search": search})


def test_pasted_ids_keep_their_order_without_duplicates() -> None:
    view = parse_view(ORDERS, {"ids": ["b", "a", "b", " a"]})
    assert view.ids == ("b", "a", " a")
    assert view.in_words() == ["ID is b or a or  a"]
    assert to_json(view)["ids"] == ["b", "a", " a"]


def test_ten_thousand_ids_are_the_limit() -> None:
    ids = [f"OD-{number}" for number in range(10_001)]
    view = parse_view(ORDERS, {"ids": ids[:10_000]})
    assert len(view.ids) == 10_000
    assert view.in_words() == ["10,000 pasted IDs"]
    with pytest.raises(InvalidInput, match="invalid at “ids”"):
        parse_view(ORDERS, {"ids": ids})


@pytest.mark.parametrize("one", ["", "x" * 1_001, "a\x00b", 3, None, ["a"]])
def test_an_invalid_id_is_refused(one: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_view(ORDERS, {"ids": ["OD-1", one]})


def test_widths_and_pins_are_kept_with_their_columns() -> None:
    pinned = {"colId": "order_id", "pinned": "left"}, {"colId": "author", "pinned": "right"}
    columns = [pinned[1], {"colId": "item_count", "width": 300}, "no", pinned[0]]
    view = parse_view(ORDERS, {"columns": columns})
    layouts = {"order_id": Layout(None, "left"), "item_count": Layout(300)}
    assert dict(view.layout) == layouts | {"author": Layout(None, "right")}
    # In the order of the screen and the file: pinned columns are at their side.
    assert to_json(view)["columns"] == [pinned[0], columns[1], "no", pinned[1]]
    assert parse_view(ORDERS, from_address(to_address(view))) == view


@pytest.mark.parametrize(
    "given",
    [{"width": 19}, {"width": 2_001}, {"width": "100"}, {"width": True}, {"width": 99.5},
     {"pinned": "top"}, {"pinned": True}, {"hide": True}],
)  # fmt: skip
def test_an_invalid_layout_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="invalid at “columns"):
        parse_view(ORDERS, {"columns": [{"colId": "no"} | given]})


def test_a_column_cannot_be_named_twice() -> None:
    with pytest.raises(InvalidInput, match="same column twice"):
        parse_view(ORDERS, {"columns": ["no", {"colId": "no", "width": 100}]})


def test_the_order_of_a_tab_cannot_be_set_by_the_view() -> None:
    view = parse_view(ORDER_ITEMS, {}, order_id="OD-1")
    assert view.order_id == "OD-1"
    assert view.without_filters().order_id == "OD-1"
    assert not view.is_filtered
    assert "order_id" not in to_json(view)
    with pytest.raises(InvalidInput):
        parse_view(ORDER_ITEMS, {"order_id": "OD-2"})


# Invalid parts are left out and reported; the rest stays.


def test_invalid_parts_are_left_out_and_reported() -> None:
    raw = {
        "filters": {
            "gone": GOOD,
            "author": GOOD,
            "no": {"type": "contains", "filter": "x"},
            "created_at": {"type": "equals", "dateFrom": "2026-02-30"},
            "currency": {"filterType": "set", "values": ["EUR"]},
        },
        "sort": [{"colId": "gone", "sort": "asc"}, {"colId": "no", "sort": "desc"}],
        "columns": [{"colId": "gone", "width": 90}, {"colId": "author", "width": 90}],
        "search": "lounge",
        "zone": "Europe/Rome",
    }
    left_out: list[str] = []
    view = parse_view(ORDERS, raw, left_out=left_out)
    assert [describe_filter(one) for one in view.filters] == [
        "Author contains “x”",
        "Currency is EUR",
    ]
    assert [(one.column.name, one.descending) for one in view.sort] == [("no", True)]
    assert [column.name for column in view.columns] == ["author"]
    assert view.layout == (("author", Layout(90)),)
    assert (view.search, view.zone) == ("lounge", "Europe/Rome")
    assert sorted(left_out) == [
        "Created Date: needs a day such as 2026-03-01.",
        "No has no filter “contains”.",
        *["Orders has no column “gone”."] * 3,
    ]
    with pytest.raises(InvalidInput):
        parse_view(ORDERS, raw)


def test_a_view_without_a_known_column_has_the_default_ones() -> None:
    left_out: list[str] = []
    view = parse_view(TRANSACTIONS, {"columns": ["gone", "voucher_serial"]}, left_out=left_out)
    assert view.columns == TRANSACTIONS.shown
    assert len(left_out) == 2


def test_a_valid_view_leaves_nothing_out() -> None:
    left_out: list[str] = []
    view = parse_view(ORDERS, {"filters": {"author": GOOD}}, left_out=left_out)
    assert left_out == []
    assert parse_view(ORDERS, to_json(view)) == view


@pytest.mark.parametrize("raw", [[], None, {"limit": 1}, {"filters": []}, {"zone": "Mars"}])
def test_json_that_is_no_view_is_refused_even_if_parts_may_be_left_out(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_view(ORDERS, raw, left_out=[])
