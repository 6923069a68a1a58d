"""A small payment provider on loopback: the two calls of Stripe that core makes, and no more.

It pays once for each idempotency key, and remembers every payout, whoever asked and died. It
answers with a delay of chance, so that who asks can die between the payout and its answer.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATH = "/v1/refunds"


@dataclass
class Till:
    """What the provider has paid out."""

    most_delay: float
    made: dict[str, dict[str, Any]] = field(default_factory=dict)  # refunds, by idempotency key
    payouts: Counter[str] = field(default_factory=Counter)  # by payment intent
    asked_again: int = 0  # under a key that was paid before, or for the list that has it
    changed: threading.Condition = field(default_factory=threading.Condition)

    def pay(self, key: str, payment: str, amount: int, refund: str) -> dict[str, Any]:
        """Pay out, unless it was done under this key."""
        with self.changed:
            if key in self.made:
                self.asked_again += 1
                return self.made[key]
            self.payouts[payment] += 1
            self.made[key] = {
                "id": f"re_{len(self.made)}",
                "object": "refund",
                "amount": amount,
                "currency": "eur",
                "payment_intent": payment,
                "status": "succeeded",
                "metadata": {"refund": refund},
            }
            self.changed.notify_all()
            return self.made[key]

    def find(self, payment: str) -> list[dict[str, Any]]:
        """List what was paid out for a payment."""
        with self.changed:
            found = [one for one in self.made.values() if one["payment_intent"] == payment]
            self.asked_again += bool(found)
            return found

    @property
    def paid_twice(self) -> int:
        """Count the payouts that a payment has beyond the first."""
        return sum(count - 1 for count in self.payouts.values())

    def wait_for(self, payouts: int, seconds: float) -> bool:
        """Wait until that many payouts were made; say whether they were."""
        with self.changed:
            return self.changed.wait_for(lambda: self.payouts.total() >= payouts, seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, till: Till) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.till = till

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: who asked was killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        made = self.server.till.pay(
            self.headers["Idempotency-Key"],
            asked["payment_intent"],
            int(asked["amount"]),
            asked["metadata[refund]"],
        )
        self._answer(made)

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        found = self.server.till.find(asked["payment_intent"][0])
        self._answer({"object": "list", "url": PATH, "has_more": False, "data": found})

    def _answer(self, what: dict[str, Any]) -> None:
        time.sleep(random.uniform(0, self.server.till.most_delay))
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def providing(*, most_delay: float = 0.04) -> Iterator[tuple[str, Till]]:
    """Run the provider; yields its address and its till."""
    till = Till(most_delay)
    with _Server(till) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", till
        finally:
            server.shutdown()
            thread.join()
