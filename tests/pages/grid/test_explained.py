"""Explanations on the screen, and texts of empty pages and tabs, run without a browser."""

import pytest
from streamlit.testing.v1 import AppTest

from core.ground import TONES, word_of
from core.refunds import REASON_TEXTS
from core.tables import TABLES, Table
from pages.grid.options import grid_options
from tests.pages.opened import open_page, texts, values
from tests.pages.test_demo import filled as filled
from tests.rows import make_item, make_order, make_refund, make_transaction


def opened(name: str, popover: str) -> AppTest:
    """Open a page and one of its popovers."""
    page = open_page(name)
    page.session_state[popover] = True
    return page.run()


def labels(page: AppTest) -> list[str]:
    """Return the labels of the popovers."""
    return [one.proto.popover.label for one in page.get("popover")]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    "name", ["orders", "order_items", "transactions", "refunds", "users", "audit_trail"]
)
def test_every_column_is_explained_by_its_description(name: str) -> None:
    page = opened(name, f"explained_{name}")
    assert not page.exception
    assert any(label.endswith(" explained") for label in labels(page))
    (table,) = values(page, "table")
    said = dict(table.to_dict("split")["data"])
    columns = TABLES[name].offered
    assert [one.removesuffix(" (hidden by default)") for one in said] == [c.header for c in columns]
    for column, meaning in zip(columns, said.values(), strict=True):
        assert meaning.replace("\\", "").replace("\u2060", "") == column.help


@pytest.mark.usefixtures("filled")
def test_the_refund_rule_is_explained_by_its_reasons() -> None:
    page = opened("order_items", "explained_order_items")
    assert "Columns and refunds explained" in labels(page)
    said = texts(page)
    for words in REASON_TEXTS.values():
        assert words in said


@pytest.mark.parametrize("tab", ["Products", "Transactions", "Refunds"])
def test_a_tab_of_an_order_has_one_popover_of_explanations(sqlite_database: str, tab: str) -> None:
    make_refund(make_item(make_order("OD-1")))
    make_transaction(order_id="OD-1")
    page = open_page("order", order="OD-1", tab=tab)
    assert not page.exception
    helps = [one.proto.popover for one in page.get("popover") if "help" in one.proto.popover.icon]
    (said,) = [one.help for one in helps]
    assert said == "What each column means" + ", and what can be refunded" * (tab != "Transactions")


EMPTY = {
    "order_items": "There are no order items yet.",
    "transactions": "There are no transactions yet.",
    "refunds": "There are no refunds yet.",
    "emails": "There are no e-mails yet.",
    "audit_trail": "There are no events yet.",
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_page_says_what_brings_its_first_row(sqlite_database: str, name: str) -> None:
    page = open_page(name)
    assert EMPTY[name] in texts(page)
    said = next(one.value for one in page.info)
    assert len(said.partition("**")[2].partition("**")[2]) > 20  # there is a next step
    assert not page.get("component_instance")


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("Transactions", "This order has no transactions yet."),
        ("Refunds", "Select items under *Products* and click *Refund*."),
        ("E-mails", "Select items under *Products* and click *Send Voucher*."),
        ("History", "This order has no events yet."),
    ],
)
def test_an_empty_tab_says_what_brings_its_first_row(
    sqlite_database: str, tab: str, words: str
) -> None:
    make_order("OD-1")
    make_item("OD-1")
    page = open_page("order", order="OD-1", tab=tab)
    assert not page.exception
    assert words in texts(page)
    assert not page.get("component_instance")


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_only_states_have_a_tone_and_every_state_has_one(table: Table) -> None:
    definitions = {one["colId"]: one for one in grid_options(table, "")["columnDefs"]}
    for column in table.offered:
        tones = definitions[column.name].get("cellRendererParams", {}).get("tones", {})
        if column.name == "status":
            assert column.allowed is not None
            assert {word_of(word) for word in column.allowed} <= set(tones)
        else:
            assert tones == {}
    assert all(set(states) <= set(tones) for states, tones in TONES.items())
