"""The layout adapts to the window only while nobody has chosen another."""

import pytest

from core.tables import ORDER_ITEMS
from core.views import default_view, parse_view
from pages.grid.options import yielding_columns


@pytest.mark.parametrize("order_id", [None, "OD-1"])
def test_no_yields_in_the_default_layout(order_id: str | None) -> None:
    view = default_view(ORDER_ITEMS, order_id=order_id)
    assert yielding_columns(view) == {"no": ORDER_ITEMS.columns[0].yields_below}
    filtered = {"filters": {"no": {"type": "equals", "filter": 1}}, "search": "lounge"}
    assert yielding_columns(parse_view(ORDER_ITEMS, filtered, order_id=order_id)) is not None


@pytest.mark.parametrize(
    "columns", [["no", "order_item_id"], [{"colId": "no", "width": 90}, "order_item_id"]]
)
def test_nothing_yields_in_a_layout_that_a_person_chose(columns: list[object]) -> None:
    assert yielding_columns(parse_view(ORDER_ITEMS, {"columns": columns})) is None
