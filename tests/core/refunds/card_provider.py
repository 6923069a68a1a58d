"""A small payment provider on loopback with only the Stripe calls that core makes.

It pays once per idempotency key while it knows the key, and it records every payout, even if the
client was killed. It answers with a random delay, so that a client can die between the payout and
the answer.
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

REFUNDS, PAYMENTS = "/v1/refunds", "/v1/payment_intents"
CAPTURED = 10_000_000  # per payment; more than any test refunds
COMES_ALONG = 10  # number of refunds in the answer for a payment


@dataclass
class Till:
    """The payouts of the provider."""

    most_delay: float
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)  # refunds, by idempotency key
    made: list[dict[str, Any]] = field(default_factory=list)
    payouts: Counter[str] = field(default_factory=Counter)  # by payment intent
    asked_again: int = 0  # requests under a paid key, or for a payment that has a refund
    changed: threading.Condition = field(default_factory=threading.Condition)

    def pay(self, key: str | None, payment: str, amount: int, named: dict[str, str]) -> Any:
        """Pay out once per key; a refund by hand has no key."""
        with self.changed:
            if key is not None and key in self.keys:
                self.asked_again += 1
                return self.keys[key]
            self.payouts[payment] += 1
            refund = {
                "id": f"re_{len(self.made)}",
                "object": "refund",
                "amount": amount,
                "currency": "eur",
                "payment_intent": payment,
                "status": "succeeded",
                "metadata": named,
            }
            self.made.append(refund)
            if key is not None:
                self.keys[key] = refund
            self.changed.notify_all()
            return refund

    def forget_keys(self) -> None:
        """Forget the idempotency keys, as Stripe does after a day."""
        with self.changed:
            self.keys.clear()

    def find(self, payment: str) -> list[dict[str, Any]]:
        """List the payouts of a payment, the newest first."""
        with self.changed:
            found = [one for one in self.made if one["payment_intent"] == payment]
            self.asked_again += bool(found)
            return found[::-1]

    def get(self, reference: str) -> dict[str, Any] | None:
        """Return a refund by its reference; None if it does not exist."""
        with self.changed:
            return next((one for one in self.made if one["id"] == reference), None)

    @property
    def paid_twice(self) -> int:
        """Count the payouts that a payment has beyond the first."""
        return sum(count - 1 for count in self.payouts.values())

    def wait_for(self, payouts: int, seconds: float) -> bool:
        """Wait for a number of payouts; return whether they were made."""
        with self.changed:
            return self.changed.wait_for(lambda: self.payouts.total() >= payouts, seconds)


def describe_payment(payment: str, refunds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a payment in Stripe's form, with its charge and refunds expanded."""
    along = {"data": refunds[:COMES_ALONG], "has_more": len(refunds) > COMES_ALONG}
    charge = {
        "id": f"ch_{payment}",
        "object": "charge",
        "captured": True,
        "amount_captured": CAPTURED,
        "refunds": {"object": "list", "url": REFUNDS} | along,
    }
    return {
        "id": payment,
        "object": "payment_intent",
        "amount": CAPTURED,
        "currency": "eur",
        "status": "succeeded",
        "latest_charge": charge,
    }


NOT_FOUND = {"error": {"type": "invalid_request_error", "message": "No such refund"}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, till: Till) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.till = till

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: the client was killed."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        named = {
            name.removeprefix("metadata[").removesuffix("]"): value
            for name, value in asked.items()
            if name.startswith("metadata[")
        }
        key, payment = self.headers["Idempotency-Key"], asked["payment_intent"]
        self._answer(self.server.till.pay(key, payment, int(asked["amount"]), named))

    def do_GET(self) -> None:
        address, till = urlsplit(self.path), self.server.till
        folder, _, name = address.path.rpartition("/")
        if folder == PAYMENTS:
            self._answer(describe_payment(name, till.find(name)))
        elif folder == REFUNDS:
            found = till.get(name)
            self._answer(found or NOT_FOUND, 200 if found else 404)
        else:
            paid = till.find(parse_qs(address.query)["payment_intent"][0])
            self._answer({"object": "list", "url": REFUNDS, "has_more": False, "data": paid})

    def _answer(self, what: dict[str, Any], status: int = 200) -> None:
        time.sleep(random.uniform(0, self.server.till.most_delay))
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def providing(*, most_delay: float = 0.04) -> Iterator[tuple[str, Till]]:
    """Run the provider; yields its address and its payouts."""
    till = Till(most_delay)
    with _Server(till) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", till
        finally:
            server.shutdown()
            thread.join()
