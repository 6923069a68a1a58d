"""Processes that request refunds, or decide about them, until they are killed; see killed.py."""

import random

from sqlalchemy import select

from core import access, storage
from core.storage import OrderItem
from tests.core.refunds.approval_races import decide, find_deciders, find_waiting_ids, pick_decision
from tests.core.refunds.killed import Asked, answer_without_end
from tests.core.refunds.refund_races import guarded, pick


def main(seed: str) -> None:
    """Request refunds of random items."""
    actor = access.find_local_actor()
    assert actor is not None
    with storage.reading() as session:
        items = list(session.scalars(select(OrderItem.order_item_id)))

    def choose(chance: random.Random) -> Asked:
        return {"item_ids": pick(items, chance)}

    answer_without_end(seed, choose, guarded(actor))


def decide_main(seed: str) -> None:
    """Approve and decline random refunds that wait when the process starts."""
    waiting, deciders = find_waiting_ids(), find_deciders()

    def choose(chance: random.Random) -> Asked:
        return pick_decision(waiting, deciders, chance)

    answer_without_end(seed, choose, decide)
