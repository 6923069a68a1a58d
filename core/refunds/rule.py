"""The rule of refunds: whether an order item can be refunded, and if not, why.

It needs no database. The dialog, the button and the transaction call the same function.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.access import Actor, why_not
from core.ground import (
    EXPIRED,
    VOID_TEXTS,
    ItemStatus,
    Method,
    Permission,
    in_zone,
    why_expired,
    why_not_found,
    why_void,
)


class Reason(StrEnum):
    """Why an item cannot be refunded."""

    NO_PERMISSION = "no_permission"
    NOT_FOUND = "not_found"
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
    NOT_CONFIRMED = "not_confirmed"  # the dialog said that the item cannot be refunded


NO_CARD_REFUNDS = (
    "Card payments cannot be refunded here yet: an admin has to set up the payment provider"
)
# The sentences of the reasons that lie in the item and its payment, in the order of the rule.
REASON_TEXTS = {
    Reason.REFUNDED: VOID_TEXTS[ItemStatus.REFUNDED],
    Reason.IN_PROGRESS: VOID_TEXTS[ItemStatus.REFUND_REQUESTED],
    Reason.USED: VOID_TEXTS[ItemStatus.USED],
    Reason.NOT_REFUNDABLE: "It is not refundable",
    Reason.DEADLINE_PASSED: "The Refund Expire Date has passed",
    Reason.EXPIRED: VOID_TEXTS[EXPIRED],
    Reason.FREE: "The price is zero, so there is nothing to refund",
    Reason.OTHER_CURRENCY: "Its currency differs from the currency of its contract",
    Reason.PAYMENT_UNKNOWN: "It is not known which payment to refund",
    Reason.NO_GATEWAY: f"It was paid by card. {NO_CARD_REFUNDS}",
}

_BY_STATUS = {
    ItemStatus.REFUNDED: Reason.REFUNDED,
    ItemStatus.REFUND_REQUESTED: Reason.IN_PROGRESS,
    ItemStatus.USED: Reason.USED,
}


@dataclass(frozen=True)
class Refusal:
    """A reason, and the sentence that explains it to a person."""

    reason: Reason
    sentence: str


@dataclass(frozen=True)
class Payment:
    """A successful payment of an order: its method, and the provider's reference."""

    method: Method
    reference: str | None


@dataclass(frozen=True)
class RefundItem:
    """The facts for the rule: an order item, its contract's currency and its order's payments."""

    order_item_id: str
    order_id: str
    contract_id: str
    contract_currency: str
    product_type: str
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
    refund_limit_minor: int | None = None  # of the contract; above it, a second person approves
    payments: tuple[Payment, ...] = ()  # only successful ones, in the item's currency
    gateways: frozenset[Method] = frozenset({Method.BALANCE})  # refundable methods

    @property
    def payment(self) -> Payment | None:
        """Return the payment to refund; None if there is none, or if it is ambiguous."""
        by_balance = Payment(Method.BALANCE, None)
        if self.payments and {one.method for one in self.payments} == {Method.BALANCE}:
            return by_balance
        if len(self.payments) == 1 and self.payments[0].reference:
            return self.payments[0]
        return None


def not_found(order_item_id: str) -> Refusal:
    """Refuse an item that does not exist, or that the actor cannot see: one sentence for both."""
    return Refusal(Reason.NOT_FOUND, why_not_found(order_item_id))


def refundable(item: RefundItem, *, now: datetime, actor: Actor) -> Refusal | None:
    """Return why the item cannot be refunded at the instant `now`; None if it can.

    The Refund Expire Date is inclusive, to the second. The status comes first, then the terms, then
    the payment. If the bank returned the item's refund, the terms are not checked again: its
    voucher has been void since.
    """
    why = why_not(actor, Permission.REFUND)
    if why is not None:
        return Refusal(Reason.NO_PERMISSION, why)
    if not (actor.sees_all_contracts or item.contract_id in actor.contracts):
        return not_found(item.order_item_id)
    if item.status == ItemStatus.REFUND_REQUESTED and item.is_returned:
        return _by_payment(item)
    return _by_status(item) or _by_terms(item, now.replace(microsecond=0)) or _by_payment(item)


def _refuse(reason: Reason, detail: str = "") -> Refusal:
    return Refusal(reason, f"{REASON_TEXTS[reason]}{detail}.")


def _by_status(item: RefundItem) -> Refusal | None:
    why = why_void(item.status, item.refunded_at, item.airport_tz)
    return Refusal(_BY_STATUS[ItemStatus(item.status)], why) if why else None


def _by_terms(item: RefundItem, now: datetime) -> Refusal | None:
    if not item.is_refundable or item.refund_expire_at is None:
        return _refuse(Reason.NOT_REFUNDABLE)
    if now > item.refund_expire_at:
        # To the second, as the deadline counts.
        at = in_zone(item.refund_expire_at, item.airport_tz, seconds=True)
        return _refuse(Reason.DEADLINE_PASSED, f": {at}")
    if now > item.valid_until:
        return Refusal(Reason.EXPIRED, why_expired(item.valid_until, item.airport_tz))
    return None


def _by_payment(item: RefundItem) -> Refusal | None:
    if item.price_minor == 0:
        return _refuse(Reason.FREE)
    if item.currency != item.contract_currency:
        sentence = (
            f"It was sold in {item.currency}, but contract {item.contract_id} is in "
            f"{item.contract_currency}. Refund it by hand."
        )
        return Refusal(Reason.OTHER_CURRENCY, sentence)
    if item.payment is None:
        return Refusal(Reason.PAYMENT_UNKNOWN, _unknown(item.payments))
    if item.payment.method not in item.gateways:
        return _refuse(Reason.NO_GATEWAY)
    return None


def _unknown(payments: Sequence[Payment]) -> str:
    if not payments:
        return "The order has no successful payment, so nothing can be paid back."
    if len(payments) == 1:
        return "The payment of the order has no reference, so it cannot be paid back."
    return "The order has several payments, and it is not clear which one to pay back."
