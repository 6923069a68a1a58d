"""What a run of a page costs in statements, on both databases."""

import pytest

from core.access import Actor
from core.query import is_empty
from core.tables import ORDERS
from core.views import default_view
from tests.budgets import RUNS, faults_of_runs
from tests.conftest import NOW
from tests.pages.opened import open_page
from tests.rows import make_item, make_order, make_refund, make_transaction
from tests.statements import noted_statements


@pytest.mark.both_databases
@pytest.mark.parametrize("page_file", RUNS)
def test_no_run_of_a_page_takes_more_statements_than_its_budget(
    database: str, admin: Actor, page_file: str
) -> None:
    for _ in range(2):
        order_id = make_order()
        make_refund(make_item(order_id))
        make_transaction(order_id=order_id)
    open_page(page_file)  # makes the figures of Overview, once for all
    with noted_statements() as first:
        page = open_page(page_file)
    with noted_statements() as second:
        page.run()
    assert faults_of_runs(page_file, len(first), len(second)) == []
    with noted_statements() as more:
        open_page(page_file)
        is_empty(default_view(ORDERS), actor=admin, now=NOW)
    assert faults_of_runs(page_file, len(more), len(second)) != []
