"""The names of contracts beside their IDs: found, sorted, listed, and shown only to some."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from core import access, excel, query, storage
from core.access import Actor
from core.ground import Role, named
from core.search import find_everywhere
from core.storage import Contract
from core.tables import AUDIT_EVENTS, BOOKS, CONTRACTS, EMAILS, ORDERS, TABLES, USERS, Kind, Table
from core.views import View, default_view, parse_view
from tests.budgets import faults_of_growth
from tests.conftest import NOW, use_database
from tests.core.query.plain_filter import order_of_text, without_case
from tests.core.random_rows import SCRIPTS, TEXTS
from tests.core.read_back import open_book, said_in
from tests.effort import some
from tests.rows import make_contract, make_item, make_note, make_order, make_transaction, store_user
from tests.statements import counted_steps, noted_statements, plans_of

# Every name twice, but for the first; the last is the ID of another contract.
ODD_NAMES = ["Helios Travel", *TEXTS, *TEXTS, *SCRIPTS, "CT-1000"]
NAMES = {f"CT-{1000 + number}": name for number, name in enumerate(ODD_NAMES)}
OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda name, text: text in name,
    "notContains": lambda name, text: text not in name,
    "equals": lambda name, text: name == text,
    "notEqual": lambda name, text: name != text,
    "startsWith": lambda name, text: name.startswith(text),
    "endsWith": lambda name, text: name.endswith(text),
}
WORDS = [
    *dict.fromkeys(ODD_NAMES),
    "HELIOS",
    "e",
    "%",
    "_",
    "\\",
    "'",
    '"',
    "1",
    "ct-100",
    "nobody",
]


def _admin() -> Actor:
    actor = access.find_local_actor()
    assert actor is not None
    return actor


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, make_database: Callable[[str], str]) -> str:
    """Store an order, an item and a transaction of each contract, once for the module."""
    url = make_database(request.param)
    use_database(url)
    with storage.writing() as session:
        for contract_id, name in NAMES.items():
            session.add(Contract(contract_id=contract_id, name=name, currency="EUR"))
    for contract_id in NAMES:
        order_id = make_order(f"OD-{contract_id}", contract_id=contract_id, author="x")
        make_item(order_id, contract_id=contract_id)
        make_transaction(order_id=order_id, contract_id=contract_id, author="x")
        make_note(order_id, author="x", text="x")
    return url


def _contracts_of(view: View, actor: Actor | None = None) -> list[str]:
    """Return the contract IDs of a view's rows, in its order."""
    rows = query.load_rows(view, actor=actor or _admin(), now=NOW, start=0, end=1_000)
    return list(rows["contract_id"])


def _view(table: Table, **raw: Any) -> View:
    return parse_view(table, {"columns": ["contract_id", "contract"], "zone": "UTC"} | raw)


def _filter(type_: str, text: str) -> dict[str, Any]:
    return {"contract": {"filterType": "text", "type": type_, "filter": text}}


@pytest.mark.parametrize("table", BOOKS, ids=lambda table: table.name)
def test_rows_are_found_by_every_name_whatever_its_script(filled: str, table: Table) -> None:
    use_database(filled)
    for number, word in enumerate(WORDS):
        text = without_case(word, Kind.TEXT)
        for operator in list(OPERATORS)[number % some(6, 1) :: some(6, 1)]:
            found = _contracts_of(_view(table, filters=_filter(operator, word)))
            expected = {
                contract_id
                for contract_id, name in NAMES.items()
                if OPERATORS[operator](without_case(name, Kind.TEXT), text)
            }
            assert set(found) == expected, (operator, word)


@pytest.mark.parametrize("table", BOOKS, ids=lambda table: table.name)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_rows_are_sorted_by_name_and_those_of_the_same_name_by_contract(
    filled: str, table: Table, direction: str
) -> None:
    use_database(filled)
    sort = [{"colId": "contract", "sort": direction}]
    expected = sorted(NAMES, key=lambda one: (order_of_text(NAMES[one]), one))
    expected = expected if direction == "asc" else expected[::-1]
    assert _contracts_of(_view(table, sort=sort)) == expected
    only = _view(table, sort=sort, filters=_filter("contains", "e"))
    assert _contracts_of(only) == [
        one for one in expected if "e" in without_case(NAMES[one], Kind.TEXT)
    ]


def test_the_list_of_contract_ids_is_searched_by_id_and_by_name(filled: str) -> None:
    use_database(filled)
    for word in WORDS:
        listed = query.load_choices(
            default_view(ORDERS), "contract_id", actor=_admin(), now=NOW, search=word
        )
        expected = [
            [contract_id, 1]
            for contract_id, name in NAMES.items()
            if without_case(word, Kind.TEXT) in without_case(name, Kind.TEXT)
            or without_case(word, Kind.CODE) in without_case(contract_id, Kind.CODE)
        ]
        assert listed.to_numpy().tolist() == expected, word


@pytest.mark.parametrize("table", BOOKS, ids=lambda table: table.name)
def test_a_search_finds_the_rows_of_a_contract_by_its_name(filled: str, table: Table) -> None:
    use_database(filled)
    for word in ("helios", "STRASSE", "ΟΔΥΣΣΕΎΣ", "ct-1000"):
        found = set(_contracts_of(_view(table, search=word)))
        expected = {
            contract_id
            for contract_id, name in NAMES.items()
            if without_case(word, Kind.TEXT) in without_case(name, Kind.TEXT)
            or word in contract_id.lower()
        }
        assert found == expected, word
    both = _view(table, search="helios travel ct-1000")
    assert _contracts_of(both) == ["CT-1000"]


def test_one_search_over_everything_finds_and_says_the_name(filled: str) -> None:
    use_database(filled)
    found = find_everywhere("helios tra", actor=_admin(), now=NOW)
    hits = [hit for one in found for hit in one.hits]
    assert {hit.order_id for hit in hits} == {"OD-CT-1000"}
    assert hits[0].detail.startswith("CT-1000 · Helios Travel · ")


def test_a_filter_says_the_name_of_its_contracts(filled: str) -> None:
    use_database(filled)
    chosen = {"contract_id": {"filterType": "set", "values": ["CT-1000", "CT-1001", "gone", None]}}
    view = _view(ORDERS, filters=chosen)
    names = query.names_in(view, actor=_admin())
    assert view.in_words(names) == [
        "Contract ID is CT-1000 (Helios Travel), CT-1001 (ana@helios.example) or one of 2 more"
    ]
    typed = {"contract_id": {"filterType": "text", "type": "notEqual", "filter": "CT-1000"}}
    view = _view(ORDERS, filters=typed)
    words = ["Contract ID is not “CT-1000” (Helios Travel)"]
    assert view.in_words(query.names_in(view, actor=_admin())) == words
    file = io.BytesIO()
    excel.export(view, file, actor=_admin(), now=NOW)
    assert said_in(open_book(file).worksheets[1])["Filters"] == words


def test_a_name_that_is_the_id_is_not_repeated(database: str, admin: Actor) -> None:
    make_order("OD-1", contract_id="CT-1")
    view = _view(ORDERS, filters={"contract_id": {"filterType": "set", "values": ["CT-1"]}})
    assert view.in_words(query.names_in(view, actor=admin)) == ["Contract ID is CT-1"]
    assert [named("CT-1", one) for one in ("CT-1", None, "Helios")] == [
        *("CT-1", "CT-1", "CT-1 · Helios"),
    ]


def test_words_of_other_filters_ask_for_no_names(database: str, admin: Actor) -> None:
    view = _view(ORDERS, filters=_filter("contains", "helios"), search="CT-1")
    with noted_statements() as seen:
        assert query.names_in(view, actor=admin) == {}
    assert seen == []
    assert view.in_words() == ["Search “CT-1”", "Contract contains “helios”"]


def _make_two_contracts() -> None:
    for contract_id, name in (("CT-1", "Helios"), ("CT-2", "Secret Tours")):
        make_contract(contract_id, name=name)
    for contract_id, author in (("CT-1", "me@desk.example"), ("CT-2", "other@desk.example")):
        order_id = make_order(f"OD-{contract_id}", contract_id=contract_id, author=author)
        make_item(order_id, contract_id=contract_id)
        make_transaction(order_id=order_id, contract_id=contract_id)
        make_note(order_id)


SCOPED: dict[str, dict[str, Any]] = {
    "one contract": {"contracts": frozenset({"CT-1"})},
    "own orders": {"sees_all_contracts": True, "only_own_orders": True},
    "own orders of both contracts": {
        "contracts": frozenset({"CT-1", "CT-2"}),
        "only_own_orders": True,
    },
}


@pytest.mark.both_databases
@pytest.mark.parametrize("scope", SCOPED)
def test_nobody_learns_the_name_of_a_contract_that_they_see_no_row_of(
    database: str, scope: str
) -> None:
    _make_two_contracts()
    actor = store_user(Actor("me", "me@desk.example", Role.ADMIN, **SCOPED[scope]))
    chosen = {"contract_id": {"filterType": "set", "values": ["CT-1", "CT-2"]}}
    file = io.BytesIO()
    seen: list[object] = []
    for table in BOOKS:
        view = _view(table, filters=chosen)
        seen.append(view.in_words(query.names_in(view, actor=actor)))
        seen.append(_contracts_of(view, actor))
        for word in ("", "secret", "helios"):
            asked: dict[str, Any] = {"actor": actor, "now": NOW, "search": word}
            listed = query.load_choices(default_view(table), "contract_id", **asked)
            seen.append(query.contract_names(listed["value"], actor=actor))
        for raw in ({"search": "secret"}, {"filters": _filter("contains", "secret")}):
            assert _contracts_of(_view(table, **raw), actor) == []
            assert query.count_rows(_view(table, **raw), actor=actor, now=NOW) == 0
        assert _contracts_of(_view(table, filters=_filter("contains", "HELIOS")), actor) == ["CT-1"]
        excel.export(view, file, actor=actor, now=NOW)
        seen.append(said_in(open_book(file).worksheets[1]))
    assert query.contract_names(["CT-1", "CT-2"], actor=actor) == {"CT-1": "Helios"}
    assert "Secret" not in repr(seen)
    assert "Helios" in repr(seen)  # the control: names are there
    admin = Actor("local", "analyst@local", Role.ADMIN, sees_all_contracts=True)
    assert "CT-2" in query.contract_names(["CT-1", "CT-2"], actor=admin)


def test_without_contracts_there_are_no_names(database: str) -> None:
    _make_two_contracts()
    nobody = store_user(Actor("n", "n@desk.example", Role.ADMIN))
    assert query.contract_names(["CT-1", "CT-2", ""], actor=nobody) == {}


@pytest.mark.both_databases
def test_users_are_listed_with_the_names_of_their_contracts(database: str, admin: Actor) -> None:
    _make_two_contracts()
    make_contract("CT-3")
    contracts = frozenset({"CT-3", "CT-2", "CT-1"})
    store_user(Actor("me", "me@desk.example", Role.AGENT, contracts=contracts))
    view = parse_view(USERS, {"search": "SECRET"})
    (listed,) = query.load_rows(view, actor=admin, now=NOW, start=0, end=9)["contracts"]
    assert listed == "CT-1 · Helios, CT-2 · Secret Tours, CT-3"


def test_every_table_with_contract_ids_offers_their_names() -> None:
    assert (TABLES["emails"], TABLES["audit_trail"]) == (EMAILS, AUDIT_EVENTS)
    for table in (one for one in TABLES.values() if one is not CONTRACTS):  # it has the names
        ids, names = table.column("contract_id"), table.column("contract")
        assert (ids is None) == (names is None), table.name
        if ids is not None and names is not None:
            assert table.column_of_names(ids) is names
            assert (names.header, names.is_shown, names.is_offered) == ("Contract", False, True)
    assert [one.header for one in ORDERS.shown] == [
        *("No", "Order ID", "Widget ID", "Created Date", "Total", "Contract ID", "Author"),
        *("Amount", "Currency"),
    ]


@pytest.mark.both_databases
def test_an_event_without_a_contract_has_no_name_and_comes_last(
    database: str, admin: Actor
) -> None:
    _make_two_contracts()
    with storage.writing() as session:
        for contract_id in (None, "CT-2", "CT-1", "gone"):
            about: dict[str, Any] = {"actor": admin, "entity": "order", "entity_id": "1"}
            access.record_event(session, "x", contract_id=contract_id, now=NOW, **about)
    for direction, first in (("asc", ["CT-1", "CT-2"]), ("desc", ["CT-2", "CT-1"])):
        view = _view(AUDIT_EVENTS, sort=[{"colId": "contract", "sort": direction}])
        rows = query.load_rows(view, actor=admin, now=NOW, start=0, end=9)
        assert list(rows["contract_id"][:2]) == first
        assert rows["contract"][2:].isna().all()
    blank = _view(AUDIT_EVENTS, filters={"contract": {"filterType": "text", "type": "blank"}})
    assert query.count_rows(blank, actor=admin, now=NOW) == 2
    other = _view(AUDIT_EVENTS, filters=_filter("notContains", "helios"))
    assert query.count_rows(other, actor=admin, now=NOW) == 3


def _fill_contracts(orders: int, *, after: int = 0) -> None:
    """Store orders of a dozen contracts; one more has only two, however many there are."""
    for number in range(after, after + orders):
        contract_id = "CT-SMALL" if number < 2 else f"CT-{number % 12}"
        order_id = make_order(f"OD-{number:04}", contract_id=contract_id)
        make_item(order_id, contract_id=contract_id)


def test_a_filter_and_a_sort_by_name_read_no_more_of_a_table_ten_times_as_large(
    sqlite_database: str, admin: Actor
) -> None:
    sort = [{"colId": "contract", "sort": "asc"}]
    by_name = _view(TABLES["order_items"], sort=sort)
    filtered = _view(ORDERS, filters=_filter("contains", "small"))
    answers = {
        "sorted": lambda: query.load_rows(by_name, actor=admin, now=NOW, start=0, end=5),
        "counted": lambda: query.count_rows(filtered, actor=admin, now=NOW),
        "control": lambda: query.count_rows(default_view(ORDERS), actor=admin, now=NOW),
    }
    counted = []
    for orders, after in ((60, 0), (540, 60)):
        _fill_contracts(orders, after=after)
        with storage.writing() as session:
            session.connection().exec_driver_sql("ANALYZE")
        steps = {}
        for name, answer in answers.items():
            with counted_steps() as some_steps:
                answer()
            steps[name] = some_steps[0]
        counted.append(steps)
    assert [fault.split(":")[0] for fault in faults_of_growth(*counted)] == ["control"]


@pytest.mark.both_databases
def test_a_filter_and_a_sort_by_name_read_the_index_of_contract_ids(
    database: str, admin: Actor
) -> None:
    _fill_contracts(300)
    with storage.writing() as session:
        session.connection().exec_driver_sql("ANALYZE")
    by_name = _view(ORDERS, sort=[{"colId": "contract", "sort": "asc"}])
    with noted_statements() as seen:
        query.load_rows(by_name, actor=admin, now=NOW, start=0, end=5)
    plan = plans_of([one for one in seen if "JOIN contracts" in one[0]])
    assert "ix_contracts_name" in plan
    assert "ix_orders_contract" in plan
    small = _view(ORDERS, filters=_filter("contains", "small"))
    with noted_statements() as seen:
        query.count_rows(small, actor=admin, now=NOW)
    assert "ix_orders_contract" in plans_of(seen)
