"""The notes of the demo: on a few orders, some with a follow-up."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from core.access import LOCAL_USER_EMAIL
from core.demo.ledger import DemoOrder

ONE_IN = 25  # orders
TEXTS = (
    "Passenger called: the flight is delayed by three hours.\nTold them the voucher stays valid.",
    "Lounge confirmed the guest list by phone.",
    "Wheelchair requested, see https://example.com/assistance",
    "Asked the partner for the missing flight number.",
    "Refund promised for the second passenger if the fast track is closed.",
)
HOUR = 3_600


class DemoNotes:
    """Makes the rows of notes; its own random numbers leave those of the other rows alone."""

    def __init__(self, orders: int, now: int) -> None:
        self.rows: list[tuple[Any, ...]] = []  # not written yet
        self.random, self.now, self.count = random.Random(orders), now, 0

    def leave(self, order: DemoOrder) -> None:
        """Leave a note on one in ONE_IN orders; one in four has a follow-up of these days."""
        drawn = self.random
        if drawn.randrange(ONE_IN):
            return
        no = self.count = self.count + 1
        follow_up, by = None, None
        if not drawn.randrange(4):
            today = datetime.fromtimestamp(self.now, UTC).date()
            follow_up, by = f"{today + timedelta(days=drawn.randrange(-2, 6))}", LOCAL_USER_EMAIL
        self.rows.append(
            (
                f"NT-{no:07d}",
                no,
                order.order_id,
                order.contract.contract_id,
                min(order.created + drawn.randrange(HOUR, 48 * HOUR), self.now),
                LOCAL_USER_EMAIL,
                drawn.choice(TEXTS),
                follow_up,
                by,
                *[None] * 6,  # not done, not withdrawn, no key
            )
        )
