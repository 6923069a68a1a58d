"""What a payment gateway is: what it is asked, and what it may answer.

It is asked outside any transaction, and says what it knows: succeeded, failed, or unknown, which
is asked again later under the same key and never guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.ground import Method


@dataclass(frozen=True)
class RefundJob:
    """One amount to give back for an order item: minor units, of the payment `reference`."""

    refund_id: str
    attempt: int
    amount_minor: int
    currency: str
    order_id: str
    order_item_id: str
    reference: str | None = None
    was_asked: bool = False  # under this key: it may have been paid
    lease_until: datetime | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """Return the key under which the gateway does this once, however often it is asked."""
        return f"{self.refund_id}:{self.attempt}"


class Standing(StrEnum):
    """What became of a refund that the provider has."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    ENDED = "ended"  # failed, canceled, or returned by the bank: the money is not with the payer


@dataclass(frozen=True)
class MadeRefund:
    """A refund that the provider has of a payment, in minor units of its currency."""

    reference: str
    standing: Standing
    amount_minor: int
    currency: str
    key: str | None = None  # of the job that made it; None when Order Desk did not
    order_item_id: str | None = None
    why_ended: str = ""

    @property
    def is_alive(self) -> bool:
        """Say whether money was or will be paid."""
        return self.standing is not Standing.ENDED


@dataclass(frozen=True)
class PaidAtProvider:
    """A payment as the provider has it, with every refund of it."""

    reference: str
    currency: str
    is_captured: bool
    amount_minor: int
    refunds: tuple[MadeRefund, ...] = ()

    @property
    def left_minor(self) -> int:
        """Return what can still be refunded."""
        return self.amount_minor - sum(one.amount_minor for one in self.refunds if one.is_alive)


@dataclass(frozen=True)
class Succeeded:
    """The money is on its way; `reference` is the provider's word for it."""

    reference: str | None = None


@dataclass(frozen=True)
class Failed:
    """No money was paid, for good; `why` is a sentence for the person who asked."""

    why: str
    to_match: tuple[MadeRefund, ...] = ()  # refunds that a person has to match with order items


@dataclass(frozen=True)
class Unknown:
    """Nobody knows yet: a time-out, an outage, an answer that makes no sense."""

    why: str
    to_match: tuple[MadeRefund, ...] = ()


Outcome = Succeeded | Failed | Unknown


class Gateway(Protocol):
    """What gives money back."""

    def look_up(self, job: RefundJob) -> PaidAtProvider | Failed | Unknown | None:
        """Read the payment and all its refunds; None where no provider but our books knows them."""
        ...

    def refund(self, job: RefundJob) -> Outcome:
        """Give the money back, once for each key."""
        ...

    def look_again(self, reference: str) -> MadeRefund | Failed | Unknown:
        """Read a refund that succeeded: it has ended when the bank has returned the money.

        Failed where the provider does not show it, and Unknown where it does not answer.
        """
        ...


Gateways = Mapping[Method, Gateway]
