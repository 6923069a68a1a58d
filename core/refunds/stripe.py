"""Refund card payments through Stripe. Only this module imports stripe.

A payment is a Stripe payment intent or a charge.
"""

import logging
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

import stripe

from core.ground import decimals_of, to_major
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

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
# Stripe, "Supported currencies" (docs, currencies): amounts are in the smallest unit of the
# currency. These currencies differ from ISO 4217.
_STRIPE_DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}
_REFERENCE = re.compile(r"(pi|ch|py)_[\w-]{1,250}", re.ASCII)
# Stripe, "The Refund object" (docs, api/refunds): status.
_STATUSES: dict[str | None, ProviderStatus] = {
    "succeeded": ProviderStatus.SUCCEEDED,
    "pending": ProviderStatus.PENDING,
    "requires_action": ProviderStatus.PENDING,
    "failed": ProviderStatus.ENDED,
    "canceled": ProviderStatus.ENDED,
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
            max_network_retries=0,  # the worker retries unknown outcomes
        )

    def look_up(self, job: RefundJob) -> PaymentAtProvider | Failed | Unknown:
        """Read the payment and its refunds: Stripe forgets a key after a day, but never a refund.

        If Stripe refuses the look-up, an earlier request may still have made the refund.
        """
        if _reference(job) is None or in_stripe_units(job.amount_minor, job.currency) is None:
            if _reference(job):
                return Failed(f"Stripe cannot refund this amount in {job.currency}.")
            return Failed(f"“{job.reference}” is not a payment that Stripe can refund.")
        refused = _unclear if job.was_asked else _refused
        return _call(job.key, lambda: self._read(_reference(job) or ""), refused)

    def refund(self, job: RefundJob) -> Outcome:
        """Refund the payment at Stripe under the job's key."""
        payment, amount = _reference(job) or "", in_stripe_units(job.amount_minor, job.currency)
        named = {"refund": job.key, "order": job.order_id, "order_item": job.order_item_id}
        asked: Any = {"amount": amount, "metadata": named, _kind(payment): payment}
        options: Any = {"idempotency_key": job.key}

        def create() -> Outcome:
            made = _parse(self._client.v1.refunds.create(asked, options), payment)
            if (made.amount_minor, made.currency) != (job.amount_minor, job.currency):
                logger.error("Stripe made another refund than %s: %s", job.key, made)
                return _INVALID_ANSWER
            return outcome_of(made)

        return _call(job.key, create, _refused)

    def look_again(self, reference: str) -> RefundAtProvider | Failed | Unknown:
        """Read a refund that succeeded; it is ended if the bank has returned the money."""

        def retrieve() -> RefundAtProvider:
            made = _parse(self._client.v1.refunds.retrieve(reference))
            _expect(made.reference == reference, made.reference)
            return made

        return _call(reference, retrieve, _not_seen)

    def _read(self, payment: str) -> PaymentAtProvider:
        """Read the payment and its refunds, in one request if there are at most ten refunds."""
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
        return PaymentAtProvider(payment, currency, is_captured, amount, refunds)

    def _refunds(self, payment: str, charge: Any) -> Iterable[Any]:
        listed: Any = getattr(charge, "refunds", None)
        # The list is not expanded, or it has more than the first ten refunds.
        if getattr(listed, "has_more", True):
            asked: Any = {"limit": 100, _kind(payment): payment}
            return self._client.v1.refunds.list(asked).auto_paging_iter()
        found: Iterable[Any] = listed.data
        return found


_INVALID_ANSWER = Unknown("The card provider sent an invalid answer. Order Desk will ask again.")
_UNCLEAR_ANSWER = Unknown("The card provider gave no clear answer. Order Desk will ask again.")


def _call(
    about: str,
    request: Callable[[], Answer],
    refused: Callable[[str, stripe.StripeError], Failed | Unknown],
) -> Answer | Failed | Unknown:
    """Call Stripe, and turn an error into an outcome."""
    try:
        return request()
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        return refused(about, error)
    except stripe.APIConnectionError as error:
        logger.warning("Stripe did not answer for %s: %s", about, error)
        return Unknown("The card provider did not answer. Order Desk will ask again.")
    except stripe.StripeError as error:
        logger.warning("Stripe gave no outcome for %s: %s", about, error)
        return _UNCLEAR_ANSWER
    except (AttributeError, KeyError, TypeError, ValueError):
        logger.exception("Stripe's answer for %s is invalid", about)
        return _INVALID_ANSWER


def _refused(_about: str, error: stripe.StripeError) -> Failed:
    reason = " ".join((error.user_message or "no reason was given.").split())[:300]
    return Failed(f"Stripe refused the refund: {reason}")


def _not_seen(about: str, error: stripe.StripeError) -> Failed:
    """Return Failed: Stripe does not know the refund, for example with another account's key."""
    logger.warning("Stripe refused to show the refund %s: %s", about, error)
    return Failed("Stripe does not show this refund.")


def _unclear(about: str, error: stripe.StripeError) -> Unknown:
    """Return Unknown: the refund may exist, for example in another account."""
    logger.error("Stripe refused to look up %s. A person must check it: %s", about, error)
    return _UNCLEAR_ANSWER


def outcome_of(made: RefundAtProvider) -> Outcome:
    """Return the outcome of a refund at Stripe."""
    if made.status is ProviderStatus.ENDED:
        return Failed(f"Stripe refused the refund: {made.why_ended}.")
    if made.status is ProviderStatus.PENDING:
        return Unknown("The card provider is still processing the refund.")
    return Succeeded(made.reference)


def _parse(made: Any, payment: str | None = None) -> RefundAtProvider:
    """Parse a refund from Stripe; raises if it is invalid or belongs to another payment."""
    metadata = dict(made.metadata.to_dict()) if made.metadata else {}
    if payment is not None:
        _expect(getattr(made, _kind(payment), None) in (None, payment), made)
    currency = _currency(made)
    status = None if made.status is None else _text(made.status)
    return RefundAtProvider(
        reference=_text(made.id),
        # With an unknown status the money may be paid.
        status=_STATUSES.get(status, ProviderStatus.PENDING),
        amount_minor=_minor(made.amount, currency),
        currency=currency,
        key=metadata.get("refund"),
        order_item_id=metadata.get("order_item"),
        why_ended=str(getattr(made, "failure_reason", None) or status).replace("_", " "),
    )


def _expect(is_valid: bool, value: object) -> None:
    if not is_valid:
        raise ValueError(f"{value!r} is invalid")


def _text(value: Any) -> str:
    _expect(isinstance(value, str) and value != "", value)
    return str(value)


def _currency(of: Any) -> str:
    return _text(of.currency).upper()


def _is_captured(charge: Any) -> bool:
    """Return whether a charge was captured.

    True if the charge is missing or only an ID: then the payment's status decides.
    """
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
    """Return the amount in Stripe's units; None if Stripe cannot express it."""
    amount = to_major(minor, currency) * Decimal(10) ** _decimals(currency)
    return int(amount) if amount == amount.to_integral_value() else None


def _minor(amount: Any, currency: str) -> int:
    """Return an amount from Stripe in minor units; raises ValueError if it is not an amount."""
    _expect(isinstance(amount, int) and not isinstance(amount, bool) and amount >= 0, amount)
    minor = Decimal(amount).scaleb(decimals_of(currency) - _decimals(currency))
    _expect(minor == minor.to_integral_value(), amount)
    return int(minor)
