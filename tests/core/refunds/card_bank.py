"""A card provider in this process: payments and refunds as it has them, whatever our books say."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from core.refunds.gateway import (
    Failed,
    MadeRefund,
    Outcome,
    PaidAtProvider,
    RefundJob,
    Standing,
    Succeeded,
    Unknown,
)
from core.refunds.stripe import outcome_of


@dataclass
class Payment:
    """A payment: it is in euros, captured, and large enough unless a test changes it."""

    currency: str = "EUR"
    is_captured: bool = True
    amount_minor: int = 1_000_000
    refunds: list[MadeRefund] = field(default_factory=list)


@dataclass
class CardBank:
    """Refunds once for each key that it still knows; a refund itself is never forgotten."""

    payments: dict[str, Payment] = field(default_factory=dict)
    keys: dict[str, Outcome] = field(default_factory=dict)
    asked: list[RefundJob] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)
    standing: Standing = Standing.SUCCEEDED  # of what is made from now on

    def look_up(self, job: RefundJob) -> PaidAtProvider | Failed | Unknown | None:
        reference = job.reference or ""
        paid = self.payment(reference)
        about = (paid.currency, paid.is_captured, paid.amount_minor)
        return PaidAtProvider(reference, *about, tuple(reversed(paid.refunds)))

    def refund(self, job: RefundJob) -> Outcome:
        self.asked.append(job)
        if job.key not in self.keys:
            self.keys[job.key] = self._decide(job)
        return self.keys[job.key]

    def _decide(self, job: RefundJob) -> Outcome:
        paid = self.look_up(job)
        assert isinstance(paid, PaidAtProvider)
        if not paid.is_captured or paid.left_minor < job.amount_minor:
            return Failed("Stripe refused it: there is not so much to refund.")
        about = {"key": job.key, "order_item_id": job.order_item_id}
        made = self.make(str(job.reference), job.amount_minor, **about)
        return outcome_of(self.find(made))

    def look_again(self, reference: str) -> MadeRefund | Failed | Unknown:
        self.looked_at.append(reference)
        return self.find(reference)

    def payment(self, reference: str) -> Payment:
        return self.payments.setdefault(reference, Payment())

    def make(self, payment: str, amount_minor: int, **about: Any) -> str:
        """Make a refund: by hand, unless metadata are given; return its reference."""
        reference, paid = f"re_{len(self.all_refunds)}", self.payment(payment)
        made = MadeRefund(reference, self.standing, amount_minor, paid.currency, **about)
        paid.refunds.append(made)
        return reference

    @property
    def all_refunds(self) -> list[MadeRefund]:
        return [one for paid in self.payments.values() for one in paid.refunds]

    def find(self, reference: str) -> MadeRefund:
        (found,) = [one for one in self.all_refunds if one.reference == reference]
        return found

    def change(self, reference: str, standing: Standing, why: str = "") -> None:
        """Bring a refund to its end: it is paid out, or the bank returns the money."""
        for paid in self.payments.values():
            paid.refunds = [
                replace(one, standing=standing, why_ended=why)
                if one.reference == reference
                else one
                for one in paid.refunds
            ]

    def give_back(self, reference: str, why: str = "closed account") -> None:
        """Return the money, as a bank does when the account is closed."""
        self.change(reference, Standing.ENDED, why)

    def forget_keys(self) -> None:
        """Forget the idempotency keys, as a provider does after a day."""
        self.keys.clear()

    def paid_for(self, item_id: str) -> int:
        """Return what is with the payer for an item: paid out under its name, and not returned."""
        return self._sum(lambda one: one.order_item_id == item_id)

    @property
    def paid_in_all(self) -> int:
        """Return what is with payers."""
        return self._sum(lambda _: True)

    def _sum(self, counts: Callable[[MadeRefund], bool]) -> int:
        return sum(one.amount_minor for one in self.all_refunds if one.is_alive and counts(one))


class BlindBank(CardBank):
    """The same provider for who does not look before asking: a negative control."""

    def look_up(self, job: RefundJob) -> None:
        return None

    def _decide(self, job: RefundJob) -> Outcome:
        about = {"key": job.key, "order_item_id": job.order_item_id}
        return Succeeded(self.make(str(job.reference), job.amount_minor, **about))
