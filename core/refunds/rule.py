"""Whether an order item can be refunded, and if not, why: one rule, without a database.

The dialog, the button and the transaction ask the same function.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.access import Actor, why_not
from core.ground import ItemStatus, Method, Permission, in_place


class Reason(StrEnum):
    """Why an item cannot be refunded."""

    NO_PERMISSION = "no_permission"
    NOT_THERE = "not_there"
    REFUNDED = "refunded"
    IN_PROGRESS = "in_progress"
    USED = "used"
    NOT_REFUNDABLE = "not_refundable"
    DEADLINE_PASSED = "deadline_passed"
    EXPIRED = "expired"
    FREE = "free"
    OTHER_CURRENCY = "other_currency"
    PAYMENT_UNKNOWN = "payment_unknown"
    NO_GATEWAY = "no_gateway"
    NOT_AGREED = "not_agreed"  # by the person, who was told that it cannot be refunded


# Why an item, as it is sold and paid, cannot be refunded: in general, in the order of the rule.
IN_GENERAL = {
    Reason.REFUNDED: "Already refunded",
    Reason.IN_PROGRESS: "A refund of it is in progress",
    Reason.USED: "The voucher has been used",
    Reason.NOT_REFUNDABLE: "The voucher is not refundable",
    Reason.DEADLINE_PASSED: "The Refund Expire Date has passed",
    Reason.EXPIRED: "The voucher has expired",
    Reason.FREE: "It cost nothing, so there is nothing to refund",
    Reason.OTHER_CURRENCY: "It was sold in another currency than its contract has",
    Reason.PAYMENT_UNKNOWN: "It is not known which payment to pay back",
    Reason.NO_GATEWAY: "It was paid by card; card refunds are not set up (STRIPE_API_KEY)",
}


@dataclass(frozen=True)
class Refusal:
    """A reason, and the sentence that says it to a person."""

    reason: Reason
    sentence: str


@dataclass(frozen=True)
class Payment:
    """A succeeded payment of an order: how, and the provider's reference of it."""

    method: Method
    reference: str | None


@dataclass(frozen=True)
class RefundItem:
    """What the rule looks at: an order item, its contract's currency, how its order was paid."""

    order_item_id: str
    order_id: str
    contract_id: str
    contract_currency: str
    product: str
    passenger_name: str
    airport_tz: str
    price_minor: int
    currency: str
    is_refundable: bool
    refund_expire_at: datetime | None
    valid_until: datetime
    status: str
    is_returned: bool = False  # a refund of it succeeded, and the bank returned the money
    refunded_at: datetime | None = None
    payments: tuple[Payment, ...] = ()  # succeeded ones, in the item's currency
    gateways: frozenset[Method] = frozenset({Method.BALANCE})  # those that are set up

    @property
    def payment(self) -> Payment | None:
        """Return the payment to refund; None when there is none, or no telling which it is."""
        by_balance = Payment(Method.BALANCE, None)
        if self.payments and {one.method for one in self.payments} == {Method.BALANCE}:
            return by_balance
        if len(self.payments) == 1 and self.payments[0].reference:
            return self.payments[0]
        return None


def not_there(order_item_id: str) -> Refusal:
    """Refuse an item that does not exist or is not the actor's to see: the same sentence."""
    sentence = f"There is no order item “{order_item_id[:100]}” that you may see."
    return Refusal(Reason.NOT_THERE, sentence)


def refundable(item: RefundItem, *, now: datetime, actor: Actor) -> Refusal | None:
    """Return why the item cannot be refunded at the instant `now`; None when it can.

    The Refund Expire Date is inclusive, to the second. What became of the item is said before
    what its terms are, and its terms before how it was paid. One whose refund the bank returned is
    refunded again without its terms being asked: its voucher has been void all the time.
    """
    why = why_not(actor, Permission.REFUND)
    if why is not None:
        return Refusal(Reason.NO_PERMISSION, why)
    if not (actor.sees_all_contracts or item.contract_id in actor.contracts):
        return not_there(item.order_item_id)
    if item.status == ItemStatus.REFUND_REQUESTED and item.is_returned:
        return _by_payment(item)
    return _by_fate(item) or _by_terms(item, now.replace(microsecond=0)) or _by_payment(item)


def _refuse(reason: Reason, detail: str = "") -> Refusal:
    return Refusal(reason, f"{IN_GENERAL[reason]}{detail}.")


def _by_fate(item: RefundItem) -> Refusal | None:
    match item.status:
        case ItemStatus.REFUNDED:
            when = f" on {_local(item.refunded_at, item)}" if item.refunded_at else ""
            return _refuse(Reason.REFUNDED, when)
        case ItemStatus.REFUND_REQUESTED:
            return _refuse(Reason.IN_PROGRESS)
        case ItemStatus.USED:
            return _refuse(Reason.USED)
    return None


def _by_terms(item: RefundItem, now: datetime) -> Refusal | None:
    if not item.is_refundable or item.refund_expire_at is None:
        return _refuse(Reason.NOT_REFUNDABLE)
    if now > item.refund_expire_at:
        return _refuse(Reason.DEADLINE_PASSED, f": {_local(item.refund_expire_at, item)}")
    if now > item.valid_until:
        return _refuse(Reason.EXPIRED, f": {_local(item.valid_until, item)}")
    return None


def _by_payment(item: RefundItem) -> Refusal | None:
    if item.price_minor == 0:
        return _refuse(Reason.FREE)
    if item.currency != item.contract_currency:
        sentence = (
            f"It was sold in {item.currency}, but contract {item.contract_id} is in "
            f"{item.contract_currency}: refund it by hand."
        )
        return Refusal(Reason.OTHER_CURRENCY, sentence)
    if item.payment is None:
        return Refusal(Reason.PAYMENT_UNKNOWN, _unknown(item.payments))
    if item.payment.method not in item.gateways:
        return _refuse(Reason.NO_GATEWAY)
    return None


def _unknown(payments: Sequence[Payment]) -> str:
    if not payments:
        return "No succeeded payment of the order is known, so nothing can be paid back."
    if len(payments) == 1:
        return "The payment of the order has no reference, so it cannot be paid back."
    return "The order has several payments, and it is not known which one to pay back."


def _local(instant: datetime, item: RefundItem) -> str:
    """Write an instant as it is at the airport."""
    return in_place(instant, item.airport_tz, seconds=True)
