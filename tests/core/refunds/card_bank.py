"""A card provider in this process, with its own books of payments and refunds."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from core.refunds.gateway import (
    Failed,
    Outcome,
    PaymentAtProvider,
    ProviderStatus,
    RefundAtProvider,
    RefundJob,
    Succeeded,
    Unknown,
)
from core.refunds.stripe import outcome_of


@dataclass
class Payment:
    """A payment: by default in euros, captured and large enough."""

    currency: str = "EUR"
    is_captured: bool = True
    amount_minor: int = 1_000_000
    refunds: list[RefundAtProvider] = field(default_factory=list)


@dataclass
class CardBank:
    """Refunds once per key until it forgets the key; it never forgets a refund."""

    payments: dict[str, Payment] = field(default_factory=dict)
    keys: dict[str, Outcome] = field(default_factory=dict)
    asked: list[RefundJob] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    status: ProviderStatus = ProviderStatus.SUCCEEDED  # of new refunds

    def look_up(self, job: RefundJob) -> PaymentAtProvider | Failed | Unknown | None:
        reference = job.reference or ""
        paid = self.payment(reference)
        about = (paid.currency, paid.is_captured, paid.amount_minor)
        return PaymentAtProvider(reference, *about, tuple(reversed(paid.refunds)))

    def refund(self, job: RefundJob) -> Outcome:
        self.asked.append(job)
        if job.key not in self.keys:
            self.keys[job.key] = self._decide(job)
        return self.keys[job.key]

    def _decide(self, job: RefundJob) -> Outcome:
        paid = self.look_up(job)
        assert isinstance(paid, PaymentAtProvider)
        if not paid.is_captured or paid.left_minor < job.amount_minor:
            return Failed("Stripe refused the refund: there is not so much to refund.")
        about = {"key": job.key, "order_item_id": job.order_item_id}
        made = self.make(str(job.reference), job.amount_minor, **about)
        return outcome_of(self.find(made))

    def look_again(self, reference: str) -> RefundAtProvider | Failed | Unknown:
        self.looked_at.append(reference)
        return self.find(reference)

    def payment(self, reference: str) -> Payment:
        return self.payments.setdefault(reference, Payment())

    def make(self, payment: str, amount_minor: int, **about: Any) -> str:
        """Make a refund (by hand if there is no metadata); return its reference."""
        reference, paid = f"re_{len(self.all_refunds)}", self.payment(payment)
        made = RefundAtProvider(reference, self.status, amount_minor, paid.currency, **about)
        paid.refunds.append(made)
        return reference

    @property
    def all_refunds(self) -> list[RefundAtProvider]:
        return [one for paid in self.payments.values() for one in paid.refunds]

    def find(self, reference: str) -> RefundAtProvider:
        (found,) = [one for one in self.all_refunds if one.reference == reference]
        return found

    def change(self, reference: str, status: ProviderStatus, why: str = "") -> None:
        """Finish a refund: it is paid, or the bank returns the money."""
        for paid in self.payments.values():
            paid.refunds = [
                replace(one, status=status, why_ended=why) if one.reference == reference else one
                for one in paid.refunds
            ]

    def give_back(self, reference: str, why: str = "closed account") -> None:
        """Return the money of a refund, as if the account were closed."""
        self.change(reference, ProviderStatus.ENDED, why)

    def forget_keys(self) -> None:
        """Forget the idempotency keys, as a provider does after a day."""
        self.keys.clear()

    def paid_for(self, item_id: str) -> int:
        """Return the amount that the payer has received for an item and kept."""
        return self._sum(lambda one: one.order_item_id == item_id)

    @property
    def paid_in_all(self) -> int:
        """Return the amount that all payers have received and kept."""
        return self._sum(lambda _: True)

    def _sum(self, counts: Callable[[RefundAtProvider], bool]) -> int:
        return sum(one.amount_minor for one in self.all_refunds if one.is_active and counts(one))


class BlindBank(CardBank):
    """The same provider without the look-up: a negative control."""

    def look_up(self, job: RefundJob) -> None:
        return None

    def _decide(self, job: RefundJob) -> Outcome:
        about = {"key": job.key, "order_item_id": job.order_item_id}
        return Succeeded(self.make(str(job.reference), job.amount_minor, **about))
