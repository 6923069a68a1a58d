"""Which columns adapt to the window: the first ones, unless a person chose how they stand."""

from typing import Any

import pytest

from core.tables import ORDER_ITEMS, ORDERS
from core.views import default_view, parse_view
from pages.grid.options import adapting_columns

NO, ID = ({"colId": name, "pinned": "left"} for name in ("no", "order_item_id"))
YIELDS = {"no": ORDER_ITEMS.columns[0].yields_below, "order_item_id": 0}


@pytest.mark.parametrize("order_id", [None, "OD-1"])
def test_no_yields_and_the_id_is_unpinned_by_default(order_id: str | None) -> None:
    assert adapting_columns(default_view(ORDER_ITEMS, order_id=order_id)) == YIELDS
    assert adapting_columns(default_view(ORDERS)) == {}


@pytest.mark.parametrize(
    ("columns", "adapting"),
    [
        ([NO, ID, "voucher_code", "product"], ["no", "order_item_id"]),
        ([ID, "product"], ["order_item_id"]),
        (["no", "order_item_id", "product"], []),  # as in links of before
        ([NO | {"width": 90}, ID], []),
        ([{"colId": "product", "pinned": "left"}, NO, ID], []),
        ([ID, "product", "no"], ["order_item_id"]),
    ],
)
def test_a_column_that_a_person_moved_resized_or_unpinned_stays(
    columns: list[Any], adapting: list[str]
) -> None:
    view = parse_view(ORDER_ITEMS, {"columns": columns})
    assert list(adapting_columns(view)) == adapting
