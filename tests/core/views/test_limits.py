"""Search, IDs and layout of a view: what is kept, what is too much, what is left out unharmed."""

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
        (3, "malformed at “search”"),
        (None, "malformed at “search”"),
    ],
)
def test_a_search_that_cannot_be_is_refused(search: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_view(ORDERS, {"search": search})


def test_pasted_ids_are_kept_once_each_in_their_order() -> None:
    view = parse_view(ORDERS, {"ids": ["b", "a", "b", " a"]})
    assert view.ids == ("b", "a", " a")
    assert view.in_words() == ["ID is b or a or  a"]
    assert to_json(view)["ids"] == ["b", "a", " a"]


def test_ten_thousand_ids_fit_and_not_one_more() -> None:
    ids = [f"OD-{number}" for number in range(10_001)]
    view = parse_view(ORDERS, {"ids": ids[:10_000]})
    assert len(view.ids) == 10_000
    assert view.in_words() == ["ID is one of 10,000 pasted"]
    with pytest.raises(InvalidInput, match="malformed at “ids”"):
        parse_view(ORDERS, {"ids": ids})


@pytest.mark.parametrize("one", ["", "x" * 1_001, "a\x00b", 3, None, ["a"]])
def test_an_id_that_cannot_be_is_refused(one: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_view(ORDERS, {"ids": ["OD-1", one]})


def test_widths_and_pins_are_kept_with_their_columns() -> None:
    pinned = {"colId": "order_id", "pinned": "left"}, {"colId": "author", "pinned": "right"}
    columns = [pinned[1], {"colId": "item_count", "width": 300}, "no", pinned[0]]
    view = parse_view(ORDERS, {"columns": columns})
    layouts = {"order_id": Layout(None, "left"), "item_count": Layout(300)}
    assert dict(view.layout) == layouts | {"author": Layout(None, "right")}
    # As they stand on the screen, and so in the file: what is pinned stands at its side.
    assert to_json(view)["columns"] == [pinned[0], columns[1], "no", pinned[1]]
    assert parse_view(ORDERS, from_address(to_address(view))) == view


@pytest.mark.parametrize(
    "given",
    [{"width": 19}, {"width": 2_001}, {"width": "100"}, {"width": True}, {"width": 99.5},
     {"pinned": "top"}, {"pinned": True}, {"hide": True}],
)  # fmt: skip
def test_a_layout_that_cannot_be_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="malformed at “columns"):
        parse_view(ORDERS, {"columns": [{"colId": "no"} | given]})


def test_a_column_named_in_two_ways_is_one_column_too_many() -> None:
    with pytest.raises(InvalidInput, match="same column twice"):
        parse_view(ORDERS, {"columns": ["no", {"colId": "no", "width": 100}]})


def test_the_order_of_a_tab_is_no_wish_of_the_view() -> None:
    view = parse_view(ORDER_ITEMS, {}, order_id="OD-1")
    assert view.order_id == "OD-1"
    assert view.without_filters().order_id == "OD-1"
    assert not view.is_filtered
    assert "order_id" not in to_json(view)
    with pytest.raises(InvalidInput):
        parse_view(ORDER_ITEMS, {"order_id": "OD-2"})


# Leniency: what is asked in vain is left out and said, the rest stays.


def test_what_is_asked_in_vain_is_left_out_and_said() -> None:
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
        "Created Date: a day such as 2026-03-01 is missing.",
        "No has no filter “contains”.",
        *["Orders has no column “gone”."] * 3,
    ]
    with pytest.raises(InvalidInput):
        parse_view(ORDERS, raw)


def test_a_view_without_a_column_that_is_there_has_the_usual_ones() -> None:
    left_out: list[str] = []
    view = parse_view(TRANSACTIONS, {"columns": ["gone", "voucher_serial"]}, left_out=left_out)
    assert view.columns == TRANSACTIONS.shown
    assert len(left_out) == 2


def test_a_view_in_which_all_is_right_leaves_nothing_out() -> None:
    left_out: list[str] = []
    view = parse_view(ORDERS, {"filters": {"author": GOOD}}, left_out=left_out)
    assert left_out == []
    assert parse_view(ORDERS, to_json(view)) == view


@pytest.mark.parametrize("raw", [[], None, {"limit": 1}, {"filters": []}, {"zone": "Mars"}])
def test_what_is_no_view_at_all_is_refused_also_leniently(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_view(ORDERS, raw, left_out=[])
