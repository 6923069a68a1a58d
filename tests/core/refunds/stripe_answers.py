"""Handwritten answers of Stripe: a payment, its charge and its refunds.

Their form follows the API reference: https://docs.stripe.com/api.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from core.refunds.stripe import CardGateway
from tests.core.refunds.stripe_server import KEY, Answer, answering

PAYMENT = "pi_1"


def refund_object(**given: Any) -> dict[str, Any]:
    """Return a refund in Stripe's form, by default our refund of item I-1."""
    named = {"refund": "R-1:1", "order": "OD-1", "order_item": "I-1"}
    right = {"id": "re_1", "object": "refund", "amount": 3800, "currency": "eur"}
    return right | {"status": "succeeded", "payment_intent": PAYMENT, "metadata": named} | given


def charge_object(made: list[Any], **given: Any) -> dict[str, Any]:
    """Return the charge of a payment with its refunds."""
    listed = {"object": "list", "data": made, "has_more": False, "url": "/v1/refunds"}
    right = {"id": "ch_1", "object": "charge", "amount": 10_000, "currency": "eur"}
    status = {"captured": True, "amount_captured": 10_000, "status": "succeeded"}
    return right | status | {"refunds": listed} | given


def payment_object(refunds: list[Any], **given: Any) -> dict[str, Any]:
    """Return a payment of 100.00 EUR whose charge is expanded."""
    right = {"id": PAYMENT, "object": "payment_intent", "amount": 10_000, "currency": "eur"}
    charge = charge_object(refunds)
    return right | {"status": "succeeded", "latest_charge": charge} | given


@dataclass
class Canned:
    """A provider with given answers, which records the requests."""

    payment: dict[str, Any]
    listed: list[Any] = field(default_factory=list)  # the answer to a list of a payment's refunds
    made: dict[str, Any] = field(default_factory=refund_object)  # the answer to a refund request
    requests: list[str] = field(default_factory=list)

    def reply(self, method: str, path: str, _body: bytes, _headers: dict[str, str]) -> Answer:
        self.requests.append(f"{method} {urlsplit(path).path}")
        return 200, json.dumps(self._answer(method, urlsplit(path).path)).encode()

    def _answer(self, method: str, path: str) -> Any:
        if method == "POST" or path.startswith("/v1/refunds/"):
            return self.made
        if path == "/v1/refunds":
            return {"object": "list", "data": self.listed, "has_more": False, "url": path}
        return self.payment


@contextmanager
def gateway_of(canned: Canned) -> Iterator[CardGateway]:
    """Run the provider for the block; yields a gateway to it."""
    with answering(canned.reply) as address:
        yield CardGateway(KEY, address=address)
