"""The protocol of payment gateways: the requests and the possible answers.

core.refunds.settlement calls a gateway, outside any transaction. The gateway answers succeeded,
failed or unknown. An unknown outcome is never guessed: the request is repeated later under the same
key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.ground import Method


@dataclass(frozen=True)
class RefundJob:
    """One amount to refund for an order item, in minor units, from the payment `reference`."""

    refund_id: str
    attempt: int
    amount_minor: int
    currency: str
    order_id: str
    order_item_id: str
    reference: str | None = None
    was_asked: bool = False  # already sent under this key: the money may have been paid
    lease_until: datetime | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """Return the idempotency key: the gateway refunds once per key."""
        return f"{self.refund_id}:{self.attempt}"


class ProviderStatus(StrEnum):
    """The status of a refund at the provider."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    ENDED = "ended"  # failed, canceled, or returned by the bank: the money is not with the payer


@dataclass(frozen=True)
class RefundAtProvider:
    """A refund of a payment that exists at the provider, in minor units of its currency."""

    reference: str
    status: ProviderStatus
    amount_minor: int
    currency: str
    key: str | None = None  # of the job that made it; None if Order Desk did not make it
    order_item_id: str | None = None
    why_ended: str = ""

    @property
    def is_active(self) -> bool:
        """Whether the money was paid or can still be paid."""
        return self.status is not ProviderStatus.ENDED


@dataclass(frozen=True)
class PaymentAtProvider:
    """A payment at the provider, with all its refunds."""

    reference: str
    currency: str
    is_captured: bool
    amount_minor: int
    refunds: tuple[RefundAtProvider, ...] = ()

    @property
    def left_minor(self) -> int:
        """Return the amount that can still be refunded."""
        return self.amount_minor - sum(one.amount_minor for one in self.refunds if one.is_active)


@dataclass(frozen=True)
class Succeeded:
    """The refund succeeded; `reference` is its ID at the provider."""

    reference: str | None = None


@dataclass(frozen=True)
class Failed:
    """No money was paid, and none will be; `why` is a sentence for the person who requested it."""

    why: str
    to_match: tuple[RefundAtProvider, ...] = ()  # refunds that a person must match with order items


@dataclass(frozen=True)
class Unknown:
    """The outcome is not known yet: a time-out, an outage, or an invalid answer."""

    why: str
    to_match: tuple[RefundAtProvider, ...] = ()


Outcome = Succeeded | Failed | Unknown


class Gateway(Protocol):
    """A way to pay money back."""

    def look_up(self, job: RefundJob) -> PaymentAtProvider | Failed | Unknown | None:
        """Read the payment and all its refunds; None if no provider is involved, only our books."""
        ...

    def refund(self, job: RefundJob) -> Outcome:
        """Pay the money back, once per key."""
        ...

    def look_again(self, reference: str) -> RefundAtProvider | Failed | Unknown:
        """Read a refund that succeeded; it is ended if the bank has returned the money.

        Returns Failed if the provider does not know it, and Unknown if it does not answer.
        """
        ...


Gateways = Mapping[Method, Gateway]
