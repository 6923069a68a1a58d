"""Two workers, of which one is killed: the other one takes up its work, once."""

from core.access import Actor
from tests.core.books import check_books
from tests.core.forks import working
from tests.core.refunds.refund_races import count_open, refunded_items
from tests.core.refunds.worker_deaths import card_refunds
from tests.team.replicas import wait_until

CARDS = 40


def test_refunds_of_a_killed_worker_are_paid_once_by_the_other_one(
    sqlite_database: str, admin: Actor
) -> None:
    with card_refunds(CARDS, admin) as (_, till), working() as one, working() as other:
        assert till.wait_for(CARDS // 4, seconds=60)
        one.kill()
        one.join()
        assert count_open() > 0
        wait_until(lambda: count_open() == 0, seconds=60)
        other.terminate()
    assert till.payouts.total() == CARDS
    assert till.paid_twice == 0
    assert len(refunded_items()) == CARDS
    check_books()
