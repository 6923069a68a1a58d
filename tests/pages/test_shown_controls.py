"""An ID with characters that change the direction of text shows them, wherever a page has it."""

from datetime import UTC, datetime, timedelta

import pytest

from core.tables import TABLES, Kind, Table
from pages.grid.options import grid_options
from pages.shell import plain
from tests.pages.opened import grid_says, open_page, texts, values
from tests.rows import make_item, make_order

ID, SHOWN = "OD-\u202e1\u2066", "OD-⟨U+202E⟩1⟨U+2066⟩"
SOON = datetime.now(UTC) + timedelta(days=3)


def test_an_order_shows_them_in_its_heading_and_facts(sqlite_database: str) -> None:
    make_order(ID, widget_id="W\u200f1")
    page = open_page("order", order=ID)
    assert page.title[0].value == f"Order {SHOWN}"
    assert "W⟨U+200F⟩1" in values(page, "text")


def test_a_missing_order_shows_them_in_the_error(sqlite_database: str) -> None:
    make_order("OD-1")
    assert SHOWN in texts(open_page("order", order=ID))


def test_a_dialog_shows_them_in_its_table(sqlite_database: str) -> None:
    make_order("OD-1", item_count=2, contact_email="contact@helios.example")
    make_item("OD-1", order_item_id=ID, status="used", valid_until=SOON)
    make_item("OD-1", order_item_id="I-2", valid_until=SOON)
    page = grid_says(open_page("order_items"), place="order_items", view={}, selected=[ID, "I-2"])
    page = page.button(key="send_order_items").click().run()
    assert page.table[0].value["Order Item ID"].tolist() == [SHOWN]


def test_words_show_them_and_stay_escaped() -> None:
    assert plain("*\u202ea*\u2069") == "\\*⟨U+202E⟩a\\*⟨U+2069⟩"
    assert plain("*a*") == "\\*a\\*"


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_column_of_texts_shows_them_in_the_grid(table: Table) -> None:
    definitions = grid_options(table, "config")["columnDefs"]
    formatted = {one["colId"] for one in definitions if "valueFormatter" in one}
    texts = {one.name for one in table.offered if one.kind in (Kind.TEXT, Kind.CODE)}
    assert formatted == texts
