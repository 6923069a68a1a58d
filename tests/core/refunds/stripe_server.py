"""A card provider for tests: localstripe in its own process, behind a faulty line.

Run alone, it is that process, on loopback: `python -m tests.core.refunds.stripe_server PORT`.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import stripe

from core.refunds.gateway import RefundJob
from tests.conftest import free_port

PROJECT = Path(__file__).resolve().parents[3]
KEY = "sk_test_order_desk"
DECLINED_CARD = "pm_card_chargeCustomerFail"
Answer = tuple[int, bytes]  # HTTP status and body
Reply = Callable[[str, str, bytes, dict[str, str]], Answer | None]  # None: no answer


def serve(port: int) -> None:
    from aiohttp import web
    from localstripe.resources import Store
    from localstripe.server import app

    Store.dump_to_disk = lambda self: None  # otherwise it writes a file in the temporary folder
    web.run_app(app, host="127.0.0.1", port=port, access_log=None)


@contextmanager
def running_stripe() -> Iterator[str]:
    """Run localstripe for the block; yields its address once it listens."""
    port = free_port()
    command = [sys.executable, "-u", "-m", "tests.core.refunds.stripe_server", str(port)]
    with Popen(command, cwd=PROJECT, stdout=PIPE) as process:
        try:
            assert process.stdout is not None
            assert b"Running on" in process.stdout.readline()
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def job_of(reference: str | None, minor: int = 3800, currency: str = "EUR", **given: Any) -> Any:
    """Return the job of a refund, by default the first attempt."""
    usual: dict[str, Any] = {"refund_id": "R-1", "attempt": 1}
    usual |= {"order_id": "OD-1", "order_item_id": "I-1"}
    return RefundJob(amount_minor=minor, currency=currency, reference=reference, **usual | given)


def client_of(address: str) -> stripe.StripeClient:
    """Return the client of a shop that takes payments."""
    return stripe.StripeClient(KEY, base_addresses={"api": address}, max_network_retries=0)


def pay(
    address: str,
    amount: int = 3800,
    currency: str = "eur",
    card: str = "pm_card_visa",
    capture: str = "automatic",
) -> str:
    """Pay by card, in Stripe's units; return the payment's reference."""
    client = client_of(address)
    payment: Any = {"amount": amount, "currency": currency, "payment_method": card}
    intent = client.v1.payment_intents.create(payment | {"capture_method": capture})
    try:
        client.v1.payment_intents.confirm(intent.id)
    except stripe.CardError:
        assert card == DECLINED_CARD
    return intent.id


def charge(address: str, amount: int = 3800) -> str:
    """Pay with a charge, as shops did before payment intents."""
    paid: Any = {"amount": amount, "currency": "eur", "source": "pm_card_visa"}
    return client_of(address).v1.charges.create(paid).id


def refund_by_hand(address: str, payment: str, amount: int, **named: str) -> str:
    """Refund by hand at the provider, or like an older version with its metadata."""
    asked: Any = {"payment_intent": payment, "amount": amount}
    return client_of(address).v1.refunds.create(asked | ({"metadata": named} if named else {})).id


def refunds_at(address: str, payment: str) -> list[tuple[int, str]]:
    """Return amount and currency of every refund of a payment at the provider."""
    kind = "payment_intent" if payment.startswith("pi_") else "charge"
    asked: Any = {kind: payment, "limit": 100}
    found = client_of(address).v1.refunds.list(asked)
    return [(refund.amount, refund.currency) for refund in found.data]


@contextmanager
def answering(reply: Reply) -> Iterator[str]:
    """Serve HTTP for the block, each request answered by `reply`; yields the address."""
    is_over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = reply(self.command, self.path, body, dict(self.headers))
            if answer is None:
                is_over.wait()
                return
            self.send_response(answer[0])
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(answer[1])

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            is_over.set()
            server.shutdown()
            thread.join()


class Line:
    """A proxy to the provider: requests arrive, but with `is_bad` no POST gets an answer."""

    def __init__(self, target: str) -> None:
        self.target, self.is_bad = urlsplit(target).netloc, False
        self.late_by: float = 0
        self.keys: list[str | None] = []
        self.requests: list[str] = []  # method and path of each

    def reply(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer | None:
        connection = HTTPConnection(self.target)
        self.requests.append(f"{method} {urlsplit(path).path}")
        kept = {name: value for name, value in headers.items() if name != "Host"}
        try:
            connection.request(method, path, body or None, kept)
            response = connection.getresponse()
            answer = (response.status, response.read())
        finally:
            connection.close()
        if method == "POST":
            self.keys.append(headers.get("Idempotency-Key"))
            Event().wait(self.late_by)
        return None if self.is_bad and method == "POST" else answer


if __name__ == "__main__":
    serve(int(sys.argv[1]))
