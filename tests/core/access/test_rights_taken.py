"""Rights that are taken away while users act. A short run; tests.soak has the full size."""

import pytest

from core.access import Actor
from tests.core.access.rights_races import ACTS, naive_hand_out, race_for_rights
from tests.core.books import check_books
from tests.core.refunds.refund_races import settle_all
from tests.core.refunds.sold_items import sell
from tests.effort import some

pytestmark = pytest.mark.both_databases

THREADS, ROUNDS, ITEMS = some(8, 12), some(1, 6), some(120, 300)
MOST_ROUNDS = 30  # until the naive act has made an error
FEW = 8  # threads; with more of them than connections, those that only read keep the others waiting


def test_nothing_is_granted_after_the_right_to_it_is_lost(database: str, admin: Actor) -> None:
    race = race_for_rights(ACTS, sell(ITEMS), admin=admin, threads=THREADS, rounds=ROUNDS)
    assert race.errors == []
    assert len(race.changes) == 4 * ROUNDS
    assert race.late == 0
    granted = race.granted
    assert min(granted.refunds, granted.mails, granted.vouchers) > 0
    settle_all()
    check_books()


def test_rights_read_before_the_transaction_grant_too_much(database: str, admin: Actor) -> None:
    items, late = sell(ITEMS), 0
    for seed in range(MOST_ROUNDS):
        race = race_for_rights(
            [naive_hand_out], items, admin=admin, threads=FEW, rounds=1, seed=seed
        )
        late += race.late
        if late:
            break
    assert late > 0
