"""What people write is found in lists and among pasted IDs, and an index sorts it."""

import pytest
from sqlalchemy import event, text

from core import query, storage
from core.access import Actor
from core.query import windows
from core.tables import ORDER_ITEMS, ORDERS, TRANSACTIONS, USERS
from core.views import default_view, parse_view
from tests.conftest import NOW
from tests.rows import make_actor, make_order, make_transaction

pytestmark = pytest.mark.both_databases


def test_pasted_addresses_are_found_in_any_case_and_form(database: str, admin: Actor) -> None:
    make_actor(email="zoë@helios.example")
    pasted = query.read_pasted("ZOE\u0308@Helios.example\nnobody@x.example", USERS, actor=admin)
    assert pasted.missing == ("nobody@x.example",)
    view = parse_view(USERS, {"ids": list(pasted.ids), "zone": "UTC"})
    found = query.load_rows(view, actor=admin, now=NOW, start=0, end=10)
    assert found["email"].tolist() == ["zoë@helios.example"]


def test_lists_are_searched_and_sorted_as_texts(database: str, admin: Actor) -> None:
    names = ["Юлия", "ЮЛИЯ", "zoë", "Ana", "ana", "Zoe"]
    for number, name in enumerate(names):
        make_order(f"OD-{number}", author=name)
        make_transaction(author=name)
    for table in (ORDERS, TRANSACTIONS):
        for search, expected in (
            ("юли", ["ЮЛИЯ", "Юлия"]),
            ("ZOE\u0308", ["zoë"]),
            ("", ["Ana", "ana", "Zoe", "zoë", "ЮЛИЯ", "Юлия"]),
        ):
            for is_counted in (True, False):
                listed = query.load_choices(
                    default_view(table), "author", actor=admin, now=NOW,
                    search=search, is_counted=is_counted,
                )  # fmt: skip
                assert listed["value"].tolist() == expected


@pytest.mark.parametrize("name", ["passenger_name", "product", "author"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_texts_are_sorted_by_an_index(
    database: str, admin: Actor, name: str, direction: str
) -> None:
    table = ORDERS if name == "author" else ORDER_ITEMS
    view = parse_view(table, {"sort": [{"colId": name, "sort": direction}], "zone": "UTC"})
    asked: list[tuple[str, object]] = []
    with storage.reading() as session:
        event.listen(
            session.connection(), "before_cursor_execute", lambda *given: asked.append(given[2:4])
        )
        windows.find_keys(session, view, actor=admin, now=NOW, start=0, end=10)
        if not storage.is_sqlite():  # or it prefers to sort such a small table
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_sort = off"))
        explain = "EXPLAIN QUERY PLAN" if storage.is_sqlite() else "EXPLAIN"
        statement, values = asked[0]
        found = session.connection().exec_driver_sql(f"{explain} {statement}", values).all()  # type: ignore[arg-type]
    plan = "\n".join(map(str, found))
    assert f"ix_{table.name}_{name.removesuffix('_name')}" in plan
    if table is ORDER_ITEMS:  # the index of authors is by date, so equal ones are sorted
        assert "TEMP B-TREE" not in plan
        assert "Sort " not in plan
