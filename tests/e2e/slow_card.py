"""A card provider that takes its time, hangs or refuses, as a test wants it to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.core.refunds.card_provider import describe_payment
from tests.core.refunds.stripe_server import Answer, answering
from tests.core.refunds.worker_deaths import changed

SLOW_SECONDS = 1.5
CARD = {"method": "card", "reference": "pi_1"}
REFUSAL = {"type": "card_error", "code": "card_declined", "message": "The card has expired."}


@dataclass
class SlowCard:
    """A provider of one payment, which is refunded once for each key."""

    order_id: str
    is_hanging: bool = False
    is_refusing: bool = False  # then it makes no refund
    seconds: float = SLOW_SECONDS
    keys: list[str] = field(default_factory=list)
    is_asked: threading.Event = field(default_factory=threading.Event)

    def reply(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer | None:
        """Answer the two calls that Order Desk makes: the payment first, then its refund."""
        if method == "GET":
            made = [self._made() for _ in self.keys[:1]]
            return 200, json.dumps(describe_payment(CARD["reference"], made)).encode()
        if self.is_refusing:
            return 402, json.dumps({"error": REFUSAL}).encode()
        self.keys.append(headers["Idempotency-Key"])
        self.is_asked.set()
        if self.is_hanging:
            return None
        threading.Event().wait(self.seconds)
        return 200, json.dumps(self._made()).encode()

    def _made(self) -> dict[str, object]:
        made = {"id": "re_1", "object": "refund", "amount": 3800, "currency": "eur"}
        items = {"refund": self.keys[0], "order": self.order_id, "order_item": f"{self.order_id}-1"}
        return made | {"status": "succeeded", "metadata": items}


@contextmanager
def answering_slowly(order_id: str) -> Iterator[SlowCard]:
    """Run the provider of an order's payment; every process that starts meanwhile uses it."""
    card = SlowCard(order_id)
    with answering(card.reply) as address:
        given = {"STRIPE_API_KEY": "sk_test_slow", "STRIPE_API_BASE": address, "LEASE_SECONDS": "4"}
        with changed(given):
            yield card
