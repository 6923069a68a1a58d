"""IDs pasted from a spreadsheet or an e-mail: which rows they mean, and which are unknown."""

import pytest

from core import query, storage
from core.access import Actor
from core.ground import InvalidInput, Role
from core.query import find_missing, read_pasted
from core.storage import Order
from core.tables import ORDER_ITEMS, ORDERS, TRANSACTIONS
from core.views import default_view, parse_view, to_json
from tests.conftest import NOW
from tests.rows import CREATED, make_contract, make_item, make_order, make_transaction


def _read(text: str, actor: Actor) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pasted = read_pasted(text, ORDERS, actor=actor)
    return pasted.ids, pasted.missing


@pytest.fixture
def orders(database: str) -> None:
    for order_id in ("OD-1", "OD-2", "A B", "C,D", "E;F", 'G"H', "I'J"):
        make_order(order_id)


TWO = {
    "a line each": "OD-1\nOD-2",
    "lines of a spreadsheet": "OD-1\r\nOD-2\r\n",
    "blank lines and blanks around": "\n  OD-1  \n\n\tOD-2\u00a0\n",
    "a header pasted along": "Order ID\nOD-1\nOD-2",
    "a header in other letters": "ORDER ID\nOD-1\nOD-2",
    "cells of a row": "OD-1\tOD-2",
    "commas": "OD-1,OD-2",
    "commas and blanks": "OD-1, OD-2",
    "semicolons": "OD-1; OD-2;",
    "blanks": "OD-1 OD-2",
    "quotes": '"OD-1"\n"OD-2"',
    "single quotes": "'OD-1'\n'OD-2'",
    "quotes and commas after": '"OD-1",\n"OD-2",',
    "quotes in a line with commas": '"OD-1","OD-2"',
    "single quotes in a line with commas": "'OD-1', 'OD-2'",
    "quotes in a line with semicolons": '"OD-1";"OD-2"',
    "quotes in a line with blanks": '"OD-1" "OD-2"',
    "the same twice": "OD-1\nOD-2\nOD-1",
    "characters that nobody sees": "\ufeffOD-1\u200b\n\u2060\u00a0OD-2\u00ad",
    "the same within quotes": '"\u200bOD-1","OD-2\u00a0\u200d"',
    "other spaces and line ends": "OD-1\u2028OD-2\u3000",
}


@pytest.mark.parametrize("text", TWO.values(), ids=TWO)
def test_pasted_ids_are_parsed_in_every_form(orders: None, admin: Actor, text: str) -> None:
    assert _read(text, admin) == (("OD-1", "OD-2"), ())


WHOLE = {
    "a blank": ("A B", "A B"),
    "a comma": ("C,D", "C,D"),
    "a semicolon": ("E;F", "E;F"),
    "a comma, quoted": ('"C,D"', "C,D"),
    "a quote": ('G"H', 'G"H'),
    "a quote, doubled": ('"G""H"', 'G"H'),
    "an apostrophe": ("I'J", "I'J"),
}


@pytest.mark.both_databases
@pytest.mark.parametrize(("text", "order_id"), WHOLE.values(), ids=WHOLE)
def test_an_id_with_a_separator_is_found_as_a_whole(
    orders: None, admin: Actor, text: str, order_id: str
) -> None:
    assert _read(text, admin) == ((order_id,), ())
    assert _read(f"OD-1\n{text}\nOD-2", admin) == (("OD-1", order_id, "OD-2"), ())


def test_quoted_ids_with_separators_on_one_line_are_found_as_a_whole(
    orders: None, admin: Actor
) -> None:
    assert _read('"C,D","A B","G""H";OD-1', admin) == (("C,D", "A B", 'G"H', "OD-1"), ())


def test_ids_that_no_row_has_are_listed_in_their_order(orders: None, admin: Actor) -> None:
    text = "gone-2\nOD-1\ngone-1\nnot there\ngone-3, OD-2"
    ids, missing = _read(text, admin)
    assert ids == ("gone-2", "OD-1", "gone-1", "not there", "gone-3", "OD-2")
    assert missing == ("gone-2", "gone-1", "not there", "gone-3")


def test_a_view_of_only_missing_ids_has_no_rows(orders: None, admin: Actor) -> None:
    ids, missing = _read("gone\n%\n'", admin)
    assert ids == missing == ("gone", "%", "'")
    view = default_view(ORDERS).with_ids(ids)
    assert query.count_rows(view, actor=admin, now=NOW) == 0


@pytest.mark.parametrize("text", ["", "  \n\t\n", "Order ID", '""', ",;,", "\x00"])
def test_a_paste_without_an_id_is_refused(orders: None, admin: Actor, text: str) -> None:
    with pytest.raises(InvalidInput, match="No IDs were found"):
        _read(text, admin)


def _many_orders(count: int) -> list[str]:
    make_contract("CT-1")
    names = storage.stored_names(Order)
    ids = [f"OD-{number:06d}" for number in range(count)]
    usual = {"contract_id": "CT-1", "author": "a", "item_count": 1}
    usual |= {"amount_minor": 1, "currency": "EUR", "created_at": int(CREATED.timestamp())}
    with storage.writing() as session:
        rows = [usual | {"no": no, "order_id": order_id} for no, order_id in enumerate(ids, 1)]
        storage.bulk_insert(session, Order, [tuple(map(row.get, names)) for row in rows])
    return ids


@pytest.mark.both_databases
def test_a_view_can_have_ten_thousand_ids(database: str, admin: Actor) -> None:
    ids = _many_orders(10_001)
    ids[500] = "gone"
    pasted = read_pasted("\n".join(ids[:10_000]), ORDERS, actor=admin)
    assert (len(pasted.ids), pasted.missing) == (10_000, ("gone",))
    view = default_view(ORDERS).with_ids(pasted.ids)
    assert parse_view(ORDERS, to_json(view)) == view
    assert query.count_rows(view, actor=admin, now=NOW) == 9_999
    assert find_missing(view, actor=admin) == ["gone"]


def test_too_many_ids_are_refused(database: str, admin: Actor) -> None:
    text = "\n".join(f"OD-{number}" for number in range(10_001))
    with pytest.raises(InvalidInput, match="You pasted 10,001 IDs; the limit is 10,000"):
        read_pasted(text, ORDERS, actor=admin)


def test_a_line_with_thousands_of_ids_is_parsed(database: str, admin: Actor) -> None:
    ids = _many_orders(3_000)
    assert read_pasted(", ".join(ids), ORDERS, actor=admin).missing == ()


def test_a_text_that_is_too_long_for_an_id_is_refused(sqlite_database: str, admin: Actor) -> None:
    with pytest.raises(InvalidInput, match="longer than 1,000 characters"):
        read_pasted("a long letter " * 100, ORDERS, actor=admin)


@pytest.mark.both_databases
def test_a_hidden_id_is_missing_like_an_unknown_one(database: str) -> None:
    make_order("OD-1", contract_id="CT-1")
    make_order("OD-2", contract_id="CT-2")
    scoped = Actor("u", "u@desk.example", Role.VIEWER, contracts=frozenset({"CT-1"}))
    pasted = read_pasted("OD-1\nOD-2\nOD-3", ORDERS, actor=scoped)
    assert pasted.missing == ("OD-2", "OD-3")
    view = default_view(ORDERS).with_ids(pasted.ids)
    assert find_missing(view, actor=scoped) == ["OD-2", "OD-3"]
    assert query.count_rows(view, actor=scoped, now=NOW) == 1


@pytest.mark.both_databases
def test_any_reference_of_a_row_finds_it(database: str, admin: Actor) -> None:
    order_id = make_order("OD-1")
    first = make_item(order_id, voucher_code="AAAA-1")
    second = make_item(order_id, voucher_code="BBBB-2")
    make_item(make_order("OD-2"))
    for text, count in ((first, 1), ("BBBB-2", 1), ("OD-1", 2), (f"{second}\nAAAA-1", 2)):
        pasted = read_pasted(text, ORDER_ITEMS, actor=admin)
        assert pasted.missing == ()
        view = default_view(ORDER_ITEMS).with_ids(pasted.ids)
        assert query.count_rows(view, actor=admin, now=NOW) == count


def test_ids_of_other_orders_are_missing_in_the_tab_of_an_order(
    database: str, admin: Actor
) -> None:
    for order_id in ("OD-1", "OD-2"):
        make_order(order_id)
        make_transaction(transaction_id=f"TX-of-{order_id}", order_id=order_id)
    text = "TX-of-OD-1\nTX-of-OD-2"
    pasted = read_pasted(text, TRANSACTIONS, actor=admin, order_id="OD-1")
    assert pasted.missing == ("TX-of-OD-2",)
    view = default_view(TRANSACTIONS, order_id="OD-1").with_ids(pasted.ids)
    assert find_missing(view, actor=admin) == ["TX-of-OD-2"]


def test_filters_do_not_make_an_id_missing(database: str, admin: Actor) -> None:
    make_order("OD-1", author="ana")
    view = default_view(ORDERS).with_ids(("OD-1",)).with_search("bob")
    assert query.count_rows(view, actor=admin, now=NOW) == 0
    assert find_missing(view, actor=admin) == []
