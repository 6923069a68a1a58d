"""Shared by the tests of refunds: paid orders, and gateways with given answers."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from core import storage
from core.access import Actor
from core.ground import Method, Role, get_settings
from core.refunds import requests
from core.refunds.gateway import (
    Failed,
    Gateway,
    Gateways,
    Outcome,
    PaymentAtProvider,
    RefundAtProvider,
    RefundJob,
    Succeeded,
    Unknown,
)
from core.refunds.gateways import BalanceGateway
from core.refunds.matching import refund_once
from core.storage import Base, Contract, OrderItem, Refund, RefundBatch, Transaction
from tests.conftest import NOW
from tests.rows import make_item, make_order, make_transaction, store_user

LATER = NOW + timedelta(days=30)
A_SECOND = timedelta(seconds=1)
AGENT = Actor("ana", "ana@helios.example", Role.AGENT, contracts=frozenset({"CT-1"}))
OTHER_AGENT = Actor("bob", "bob@helios.example", Role.AGENT, contracts=frozenset({"CT-1"}))


class Killed(BaseException):
    """The process ends at this point: no code catches it."""


class FakeGateway:
    """Gives the prepared answers, and repeats the last one; records the requests.

    What it is told of a payment is what it answers to a look-up, and of a refund to another look.
    """

    def __init__(self, *answers: Outcome | BaseException) -> None:
        self.answers, self.asked = list(answers), list[RefundJob]()
        # None stands for a payment without refunds.
        self.paid: PaymentAtProvider | Failed | Unknown | None = None
        self.seen: RefundAtProvider | Unknown | BaseException = Unknown("Nobody answers.")
        self.looked_at: list[str] = []
        self.given: set[str | None] = set()

    def look_up(self, job: RefundJob) -> PaymentAtProvider | Failed | Unknown | None:
        whole = PaymentAtProvider(job.reference or "", job.currency, True, job.amount_minor)
        return self.paid or whole

    def look_again(self, reference: str) -> RefundAtProvider | Unknown:
        self.looked_at.append(reference)
        if isinstance(self.seen, BaseException):
            raise self.seen
        return self.seen

    def refund(self, job: RefundJob) -> Outcome:
        self.asked.append(job)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Succeeded) and answer.reference in self.given:
            answer = Succeeded(f"{answer.reference} of {job.key}")  # unique, as a provider makes it
        self.given.add(getattr(answer, "reference", None))
        return answer


def by_card(gateway: Gateway) -> Gateways:
    """Return the gateways of an installation that accepts cards."""
    return {Method.BALANCE: BalanceGateway(), Method.CARD: gateway}


@contextmanager
def settings(**values: object) -> Iterator[None]:
    """Run the block with other settings in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name.upper(), str(value))
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()


def ask_once(gateway: Gateway, job: RefundJob) -> Outcome:
    """Look up and request a refund as core.settlement does, without another worker."""
    return refund_once(gateway, job, may_ask=lambda: True)


def make_paid_order(order_id: str = "OD-1", *, paid: int = 3800, **given: Any) -> str:
    """Store an order that was paid by balance."""
    currency = given.get("currency", "EUR")
    contract = given.get("contract_id", "CT-1")
    make_order(order_id, amount_minor=paid, **given)
    make_transaction(order_id=order_id, contract_id=contract, currency=currency, amount_minor=-paid)
    return order_id


def make_card_order(order_id: str = "OD-2", *, reference: str | None = "pi_1", **given: Any) -> str:
    """Store an order that was paid by card."""
    paid = given.pop("paid", 3800)
    currency = given.get("currency", "EUR")
    make_order(order_id, amount_minor=paid, **given)
    make_transaction(
        order_id=order_id,
        contract_id=given.get("contract_id", "CT-1"),
        method="card",
        reference=reference,
        amount_minor=-paid,
        currency=currency,
    )
    return order_id


def make_refundable(order_id: str = "OD-1", **given: Any) -> str:
    """Store an item that can be refunded."""
    usual: dict[str, Any] = {"refund_expire_at": LATER, "valid_until": LATER}
    return make_item(order_id, **(usual | given))


def request(
    *item_ids: str,
    key: str = "key",
    actor: Actor = AGENT,
    now: datetime = NOW,
    gateways: Gateways | None = None,
    reason: str = "goodwill",
    note: str | None = None,
    confirmed: Collection[str] | None = None,
) -> requests.Answer:
    """Request a refund as the dialog does, for a stored user with the actor's rights."""
    store_user(actor)
    return requests.request(
        item_ids,
        reason=reason,
        note=note,
        key=key,
        confirmed=confirmed,
        actor=actor,
        now=now,
        gateways=gateways,
    )


def get_item(item_id: str) -> OrderItem:
    with storage.reading() as session:
        return session.get_one(OrderItem, item_id)


def get_refund(item_id: str) -> Refund:
    """Return the only refund of an item."""
    with storage.reading() as session:
        return session.scalars(select(Refund).where(Refund.order_item_id == item_id)).one()


def get_balance(contract_id: str = "CT-1") -> int:
    with storage.reading() as session:
        return session.get_one(Contract, contract_id).balance_minor


def ledger(item_id: str) -> list[tuple[str, int]]:
    """Return status and amount of an item's refund transactions, in order of number."""
    columns = select(Transaction.status, Transaction.amount_minor)
    refunded = columns.where(Transaction.order_item_id == item_id, Transaction.type == "refund")
    with storage.reading() as session:
        return [(status, minor) for status, minor in session.execute(refunded.order_by("no"))]


def count(model: type[Base]) -> int:
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def read_books() -> dict[str, list[tuple[Any, ...]]]:
    """Read everything that a refund can change, to compare two moments."""
    tables = (Contract, OrderItem, Transaction, Refund, RefundBatch)
    with storage.reading() as session:
        return {
            table.__tablename__: sorted(
                (tuple(row) for row in session.execute(select(*table.__table__.c))), key=repr
            )
            for table in tables
        }
