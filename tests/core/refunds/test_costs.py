"""What a refund request costs in statements, on both databases."""

import pytest

from core.access import Actor
from tests.budgets import REFUNDS, faults_of_refunds
from tests.core.refunds.refund_races import UNSETTLED, guarded
from tests.core.refunds.sold_items import sell
from tests.statements import noted_statements


@pytest.mark.both_databases
def test_no_request_takes_more_statements_than_its_budget(database: str, admin: Actor) -> None:
    items, ask = sell(3), guarded(admin, UNSETTLED)
    ask(items[2:], "before")  # the sequence of the numbers follows the stored rows from then on
    counted = {}
    for name in REFUNDS:  # the second asks for the same item
        with noted_statements() as seen:
            answer = ask(items[:1], name)
        assert len(answer.requested) == (name == "granted")
        counted[name] = sum(not one.startswith("BEGIN") for one, _ in seen)
    assert faults_of_refunds(counted) == []
    assert len(faults_of_refunds({name: one + 1 for name, one in REFUNDS.items()})) == 2
