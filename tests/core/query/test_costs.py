"""What an answer costs, whatever the machine: statements, and how much their plans read."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from core import query, storage
from core.access import Actor
from core.demo import fill
from core.tables import BOOKS, ORDERS, REFUNDS, TRANSACTIONS, Table
from core.views import View, parse_view
from tests.budgets import ANSWERS, faults_of_answers, faults_of_growth, faults_of_totals
from tests.conftest import NOW
from tests.rows import make_item, make_note, make_order, make_refund, make_transaction
from tests.statements import counted_steps, noted_statements, plans_of

Answers = dict[str, Callable[[], object]]
VIEWS = {
    "plain": {},
    "filtered": {"filters": {"contract_id": {"filterType": "set", "values": ["CT-1"]}}},
    "searched": {"search": "zzzz"},
}
TABLES = (*BOOKS, REFUNDS)
ROWS = 50
FEW, MANY = 60, 600  # orders


def _answers(table: Table, actor: Actor) -> Answers:
    """Return what answers each question about each view, as the pages and the routes ask it."""
    return {
        f"{name} {question}": answer
        for name, raw in VIEWS.items()
        for question, answer in _answers_of(parse_view(table, raw), actor).items()
    }


def _answers_of(view: View, actor: Actor) -> Answers:
    whole = replace(view, columns=view.table.offered)
    first = query.load_keys(view.without_filters(), actor=actor, now=NOW)[ROWS // 2 :][:1]
    return {
        "beside": lambda: query.find_beside(view, first[0], actor=actor, now=NOW),
        "rows": lambda: query.load_rows(whole, actor=actor, now=NOW, start=0, end=ROWS),
        "count": lambda: query.count_rows(view, actor=actor, now=NOW),
        "figures": lambda: query.load_figures(view, actor=actor, now=NOW),
        "totals": lambda: query.load_totals(view, actor=actor, now=NOW),
        "choices": lambda: query.load_choices(
            view, "contract_id", actor=actor, now=NOW, is_counted=False
        ),
    }


def _statements_of(answers: Answers) -> dict[str, int]:
    counted = {}
    for name, answer in answers.items():
        answer()  # the names of the search indexes are kept from then on
        with noted_statements() as seen:
            answer()
        counted[name] = len(seen)
    return counted


def _steps_of(answers: Answers) -> dict[str, int]:
    counted = {}
    for name, answer in answers.items():
        with counted_steps() as steps:
            answer()
        counted[name] = steps[0]
    return counted


def _make_some_rows() -> None:
    for number in range(30):
        order_id = make_order(f"OD-{number}", currency="JPY" if number % 3 else "EUR")
        make_refund(make_item(order_id, currency="JPY" if number % 3 else "EUR"))
        make_transaction(order_id=order_id)
        make_note(order_id)


@pytest.mark.both_databases
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_answer_takes_more_statements_than_its_budget(
    database: str, table: Table, admin: Actor
) -> None:
    _make_some_rows()
    counted = _statements_of(_answers(table, admin))
    assert counted.keys() == ANSWERS.keys()
    assert faults_of_answers(counted) == []
    assert len(faults_of_answers({name: one + 1 for name, one in ANSWERS.items()})) == len(ANSWERS)


@pytest.mark.both_databases
@pytest.mark.parametrize("table", [ORDERS, TRANSACTIONS, REFUNDS], ids=lambda table: table.name)
def test_totals_of_all_rows_are_read_from_an_index_alone(
    database: str, table: Table, admin: Actor
) -> None:
    _make_some_rows()
    with storage.writing() as session:
        session.execute(text("ANALYZE"))
    totals = _answers(table, admin)["plain totals"]
    with noted_statements() as seen:
        totals()
    assert faults_of_totals(plans_of(seen), table.name) == []
    with storage.writing() as session:  # the index as it was once
        session.execute(text(f"DROP INDEX ix_{table.name}_currency"))
        session.execute(text(f"CREATE INDEX ix_{table.name}_currency ON {table.name} (currency)"))
    assert faults_of_totals(plans_of(seen), table.name) != []


def test_first_rows_and_lists_read_no_more_of_a_table_ten_times_as_large(
    sqlite_database: str, admin: Actor
) -> None:
    counted = []
    for orders in (FEW, MANY):
        fill(orders, actor=admin, now=NOW)
        answers = {
            f"{table.name} {name}": answer
            for table in BOOKS  # so few orders have fewer refunds than a window
            if table.amount is not None  # notes are few
            for name, answer in _answers(table, admin).items()
            if name.startswith("plain")
        }
        counted.append(_steps_of(answers))
    grown = {fault.split(":")[0] for fault in faults_of_growth(*counted)}
    # The others read every row, which is why no person waits for them.
    assert grown == {name for name in answers if not name.endswith(("rows", "choices", "beside"))}
