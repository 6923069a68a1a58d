"""What people write is text in every table, and the models keep its twins."""

from collections import defaultdict
from typing import Any

import pytest

from core import storage
from core.storage import Contract, Delivery, Order
from core.tables import TABLES, Kind, Table

WRITTEN = {
    *("Author", "User", "Sent By", "E-mail", "Contact E-mail", "Passenger E-mail", "Recipient"),
    *("Contract", "Passenger", "Product", "Name", "Subject", "Message", "Error", "Before", "After"),
    *("Widget ID", "Terminal", "Flight No", "Object ID", "What happened"),
    *("Provider Reference", "Note", "Last Note", "Failure", "Requested By", "Decided By"),
}


def test_the_same_header_is_of_the_same_kind_in_every_table() -> None:
    kinds = defaultdict(set)
    for table in TABLES.values():
        for column in table.columns:
            kinds[column.header].add(column.kind)
    assert [header for header, some in kinds.items() if len(some) > 1] == []


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_what_people_write_is_text(table: Table) -> None:
    text = {column.header for column in table.columns if column.kind is Kind.TEXT}
    assert text == {column.header for column in table.columns} & WRITTEN


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_text_of_a_table_has_its_twins(table: Table) -> None:
    for column in table.columns:
        if column.name_of is not None:
            assert storage.folded(Contract.name).key in Contract.twins
        elif column.kind is Kind.TEXT:
            of_rows = column.any_of and column.any_of.attribute
            stored = of_rows or table.attribute(column)
            assert storage.folded(stored).key in stored.class_.twins
        if column.is_written:
            assert table.stored_rank(column).key in table.model.twins


def test_twins_follow_their_column() -> None:
    order: Any = Order(author="Zoë", widget_id=None)  # the twins are columns, but no annotations
    found = order.author_folded, order.widget_id_folded, order.widget_id_sort_key
    assert found == ("zoë", None, None)
    order.author = "ÉMILE"
    assert (order.author_folded, order.author_sort_key.partition("\x01")[0]) == ("émile", "emile")
    mail: Any = Delivery(message="Grüße")
    assert mail.message_folded == "grüsse"
    mail.message = None
    assert (mail.message_folded, mail.message_sort_key) == (None, None)
