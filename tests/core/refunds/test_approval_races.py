"""Refunds that wait, with parallel decisions and killed processes. Short; see tests.soak."""

import pytest

from core.access import Actor
from tests.core.books import check_books
from tests.core.refunds import naive_approvals
from tests.core.refunds.approval_deaths import kill_deciders
from tests.core.refunds.approval_races import (
    Faults,
    ask_for_approval,
    decide,
    decided_in,
    find_faults,
    race,
    statuses_of,
)
from tests.core.refunds.refund_races import settle_all
from tests.effort import some

pytestmark = pytest.mark.both_databases

THREADS, EACH, REFUNDS = 32, some(2, 20), some(60, 200)
DEATHS = some(1, 6)
NONE = Faults(decided_twice=0, paid_without_approval=0, paid_twice=0)


def test_parallel_decisions_decide_each_refund_once(database: str, admin: Actor) -> None:
    waiting = ask_for_approval(REFUNDS, admin)
    answers = race(decide, waiting, threads=THREADS, each=EACH)
    assert decided_in(answers) == dict.fromkeys(waiting, 1)
    settle_all()
    assert find_faults() == NONE
    statuses = set(statuses_of(waiting).values())
    assert statuses == {"succeeded", "declined"}
    check_books()


def test_without_guards_some_refunds_are_decided_and_paid_wrongly(
    database: str, admin: Actor
) -> None:
    waiting = ask_for_approval(REFUNDS, admin)
    race(naive_approvals.decide, waiting, threads=THREADS, each=EACH)
    found = find_faults()
    assert found.decided_twice > 0
    assert found.paid_without_approval + found.paid_twice > 0


def test_a_killed_process_loses_no_decision_and_pays_nothing_without_approval(
    database: str, admin: Actor
) -> None:
    met = kill_deciders(admin, rounds=DEATHS, each=REFUNDS)
    assert met.answered > 0
    assert met.in_flight > 0
    assert find_faults() == NONE
