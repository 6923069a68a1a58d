"""Card refunds through Stripe: the one door to the provider. A payment is an intent or a charge."""

import logging
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

import stripe

from core.ground import decimals_of, to_major
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

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
# Stripe, "Supported currencies" (docs, currencies): amounts are in the currency's smallest unit,
# with these exceptions to ISO 4217.
_STRIPE_DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}
_REFERENCE = re.compile(r"(pi|ch|py)_[\w-]{1,250}", re.ASCII)
# Stripe, "The Refund object" (docs, api/refunds): status.
_STANDINGS: dict[str | None, Standing] = {
    "succeeded": Standing.SUCCEEDED,
    "pending": Standing.PENDING,
    "requires_action": Standing.PENDING,
    "failed": Standing.ENDED,
    "canceled": Standing.ENDED,
}

Answer = TypeVar("Answer")


class CardGateway:
    """Refunds card payments through Stripe."""

    def __init__(
        self, key: str, *, address: str | None = None, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": address.rstrip("/")} if address else {},
            http_client=stripe.RequestsClient(timeout=timeout),
            max_network_retries=0,  # what is unknown is asked again by the worker
        )

    def look_up(self, job: RefundJob) -> PaidAtProvider | Failed | Unknown:
        """Read the payment and its refunds: Stripe forgets a key after a day, its refunds never.

        A look-up that Stripe refuses says nothing of a refund that was asked for before.
        """
        if _reference(job) is None or in_stripe_units(job.amount_minor, job.currency) is None:
            if _reference(job):
                return Failed(f"Stripe cannot refund this amount in {job.currency}.")
            return Failed(f"Payment “{job.reference}” is not one that Stripe refunds.")
        refused = _unclear if job.was_asked else _refused
        return _asking(job.key, lambda: self._read(_reference(job) or ""), refused)

    def refund(self, job: RefundJob) -> Outcome:
        """Refund at Stripe under the job's key."""
        payment, amount = _reference(job) or "", in_stripe_units(job.amount_minor, job.currency)
        named = {"refund": job.key, "order": job.order_id, "order_item": job.order_item_id}
        asked: Any = {"amount": amount, "metadata": named, _kind(payment): payment}
        options: Any = {"idempotency_key": job.key}

        def create() -> Outcome:
            made = _parse(self._client.v1.refunds.create(asked, options), payment)
            if (made.amount_minor, made.currency) != (job.amount_minor, job.currency):
                logger.error("Stripe answered for %s with something else: %s", job.key, made)
                return _NO_SENSE
            return outcome_of(made)

        return _asking(job.key, create, _refused)

    def look_again(self, reference: str) -> MadeRefund | Failed | Unknown:
        """Read a refund that succeeded: it has ended when the bank has returned the money."""

        def retrieve() -> MadeRefund:
            made = _parse(self._client.v1.refunds.retrieve(reference))
            _expect(made.reference == reference, made.reference)
            return made

        return _asking(reference, retrieve, _not_seen)

    def _read(self, payment: str) -> PaidAtProvider:
        """Read the payment with its refunds, in one request unless they are many."""
        wanted: Any
        if payment.startswith("pi_"):
            wanted = {"expand": ["latest_charge.refunds"]}
            paid: Any = self._client.v1.payment_intents.retrieve(payment, wanted)
            charge: Any = paid.latest_charge
        else:
            wanted = {"expand": ["refunds"]}
            paid = charge = self._client.v1.charges.retrieve(payment, wanted)
        _expect(paid.id == payment, paid.id)
        currency = _currency(paid)
        is_captured = _text(paid.status) == "succeeded" and _is_captured(charge)
        captured = getattr(charge, "amount_captured", None) if is_captured else None
        amount = _minor(paid.amount if captured is None else captured, currency)
        was_charged = is_captured or charge is not None
        made = self._refunds(payment, charge) if was_charged else []
        refunds = tuple(_parse(one, payment) for one in made)
        return PaidAtProvider(payment, currency, is_captured, amount, refunds)

    def _refunds(self, payment: str, charge: Any) -> Iterable[Any]:
        listed: Any = getattr(charge, "refunds", None)
        # They are not expanded, or are more than the ten that come along.
        if getattr(listed, "has_more", True):
            asked: Any = {"limit": 100, _kind(payment): payment}
            return self._client.v1.refunds.list(asked).auto_paging_iter()
        found: Iterable[Any] = listed.data
        return found


_NO_SENSE = Unknown("The card provider's answer makes no sense; it is asked again.")
_NOT_CLEAR = Unknown("The card provider gave no clear answer; it is asked again.")


def _asking(
    about: str,
    ask: Callable[[], Answer],
    refused: Callable[[str, stripe.StripeError], Failed | Unknown],
) -> Answer | Failed | Unknown:
    """Ask Stripe, and turn what goes wrong into an outcome."""
    try:
        return ask()
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        return refused(about, error)
    except stripe.APIConnectionError as error:
        logger.warning("Stripe did not answer for %s: %s", about, error)
        return Unknown("The card provider did not answer; it is asked again.")
    except stripe.StripeError as error:
        logger.warning("Stripe gave no outcome for %s: %s", about, error)
        return _NOT_CLEAR
    except (AttributeError, KeyError, TypeError, ValueError):
        logger.exception("Stripe's answer for %s makes no sense", about)
        return _NO_SENSE


def _refused(_about: str, error: stripe.StripeError) -> Failed:
    words = " ".join((error.user_message or "no reason was given.").split())[:300]
    return Failed(f"Stripe refused it: {words}")


def _not_seen(about: str, error: stripe.StripeError) -> Failed:
    """Say that Stripe knows no such refund: asked with the key of another account, say."""
    logger.warning("Stripe refuses to show the refund %s: %s", about, error)
    return Failed("Stripe does not show this refund.")


def _unclear(about: str, error: stripe.StripeError) -> Unknown:
    """Leave it open: the refund may have been made, with the key of another account, say."""
    logger.error("Stripe refuses to look up %s: somebody has to look: %s", about, error)
    return _NOT_CLEAR


def outcome_of(made: MadeRefund) -> Outcome:
    """Say what a refund that Stripe has comes to."""
    if made.standing is Standing.ENDED:
        return Failed(f"Stripe refused it: {made.why_ended}.")
    if made.standing is Standing.PENDING:
        return Unknown("The card provider is still working on it.")
    return Succeeded(made.reference)


def _parse(made: Any, payment: str | None = None) -> MadeRefund:
    """Understand a refund of Stripe's, of that payment; raises an error where it makes no sense."""
    metadata = dict(made.metadata.to_dict()) if made.metadata else {}
    if payment is not None:
        _expect(getattr(made, _kind(payment), None) in (None, payment), made)
    currency = _currency(made)
    status = None if made.status is None else _text(made.status)
    return MadeRefund(
        reference=_text(made.id),
        standing=_STANDINGS.get(status, Standing.PENDING),  # a new word: the money may be paid
        amount_minor=_minor(made.amount, currency),
        currency=currency,
        key=metadata.get("refund"),
        order_item_id=metadata.get("order_item"),
        why_ended=str(getattr(made, "failure_reason", None) or status).replace("_", " "),
    )


def _expect(is_so: bool, what: object) -> None:
    if not is_so:
        raise ValueError(f"{what!r} makes no sense")


def _text(value: Any) -> str:
    _expect(isinstance(value, str) and value != "", value)
    return str(value)


def _currency(of: Any) -> str:
    return _text(of.currency).upper()


def _is_captured(charge: Any) -> bool:
    """Say whether a charge was captured; of one that is not expanded the payment's status says."""
    if charge is None or isinstance(charge, str):
        return True
    captured = getattr(charge, "captured", True)
    _expect(isinstance(charge, stripe.StripeObject) and isinstance(captured, bool), charge)
    return bool(captured)


def _reference(job: RefundJob) -> str | None:
    return job.reference if job.reference and _REFERENCE.fullmatch(job.reference) else None


def _kind(payment: str) -> str:
    return "payment_intent" if payment.startswith("pi_") else "charge"


def _decimals(currency: str) -> int:
    return _STRIPE_DECIMALS.get(currency, decimals_of(currency))


def in_stripe_units(minor: int, currency: str) -> int | None:
    """Return the amount as Stripe counts it; None for one that it cannot express."""
    amount = to_major(minor, currency) * Decimal(10) ** _decimals(currency)
    return int(amount) if amount == amount.to_integral_value() else None


def _minor(amount: Any, currency: str) -> int:
    """Return an amount of Stripe's in minor units; raises ValueError for what is no amount."""
    _expect(isinstance(amount, int) and not isinstance(amount, bool) and amount >= 0, amount)
    minor = Decimal(amount).scaleb(decimals_of(currency) - _decimals(currency))
    _expect(minor == minor.to_integral_value(), amount)
    return int(minor)
