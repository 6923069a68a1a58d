"""Payment gateways: how money goes back, by the way it came. The one door to the provider.

A gateway is asked outside any transaction and answers with what it knows: succeeded, failed, or
unknown, which is asked again later under the same key and never guessed.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

import stripe

from core import money
from core.settings import get_settings
from core.states import Method

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
# Stripe, "Supported currencies" (docs, currencies): amounts are in the currency's smallest unit,
# with these exceptions to ISO 4217.
_STRIPE_DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}


@dataclass(frozen=True)
class RefundJob:
    """One amount to give back: minor units of the currency, of the payment `reference`."""

    refund_id: str
    attempt: int
    amount_minor: int
    currency: str
    reference: str | None = None
    was_asked: bool = False  # under this key, with an outcome that is not known

    @property
    def key(self) -> str:
        """Return the key under which the gateway does this once, however often it is asked."""
        return f"{self.refund_id}:{self.attempt}"


@dataclass(frozen=True)
class Succeeded:
    """The money is on its way; `reference` is the provider's word for it."""

    reference: str | None = None


@dataclass(frozen=True)
class Failed:
    """The gateway said no for good; `why` is a sentence for the person who asked."""

    why: str


@dataclass(frozen=True)
class Unknown:
    """Nobody knows yet: a time-out, an outage, an answer that makes no sense."""

    why: str


Outcome = Succeeded | Failed | Unknown


class Gateway(Protocol):
    """What gives money back."""

    def refund(self, job: RefundJob) -> Outcome:
        """Give the money back, once for each key."""
        ...


Gateways = Mapping[Method, Gateway]


def configured() -> Gateways:
    """Return the gateways that the settings allow: balance always, card with a Stripe key."""
    gateways: dict[Method, Gateway] = {Method.BALANCE: BalanceGateway()}
    settings = get_settings()
    if settings.stripe_api_key is not None:
        key = settings.stripe_api_key.get_secret_value()
        gateways[Method.CARD] = _card_gateway(key, settings.stripe_api_base)
    return gateways


@cache
def _card_gateway(key: str, address: str | None) -> "CardGateway":
    """Keep the client, and so its connections."""
    return CardGateway(key, address=address)


class BalanceGateway:
    """Credits the contract's balance: that is in our own books, so it succeeds by itself."""

    def refund(self, job: RefundJob) -> Outcome:
        """Succeed; the transaction that records it credits the balance."""
        return Succeeded()


class CardGateway:
    """Refunds card payments through Stripe; the payment is a payment intent or a charge."""

    def __init__(
        self, key: str, *, address: str | None = None, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": address.rstrip("/")} if address else {},
            http_client=stripe.RequestsClient(timeout=timeout),
            max_network_retries=0,  # what is unknown is asked again by the worker
        )

    def refund(self, job: RefundJob) -> Outcome:
        """Refund at Stripe; one that was asked for before is looked for first.

        Stripe forgets a key after a day (docs, idempotent requests), its refunds never.
        """
        payment = _payment(job)
        amount = _in_stripe_units(job.amount_minor, job.currency)
        if payment is None or amount is None:
            what = f"Payment “{job.reference}”" if payment is None else f"{job.currency}"
            return Failed(f"{what} is not one that Stripe refunds.")
        asked: Any = {"amount": amount, "metadata": {"refund": job.key}, **payment}
        try:
            made = self._find(job, payment) if job.was_asked else None
            if made is None:
                options: Any = {"idempotency_key": job.key}
                made = self._client.v1.refunds.create(asked, options)
            return _outcome(job, made, amount)
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            return Failed(f"Stripe refused it: {_words(error)}")
        except stripe.APIConnectionError as error:
            logger.warning("Stripe did not answer for %s: %s", job.key, error)
            return Unknown("The card provider did not answer; it is asked again.")
        except stripe.StripeError as error:
            logger.warning("Stripe gave no outcome for %s: %s", job.key, error)
            return Unknown("The card provider gave no clear answer; it is asked again.")

    def _find(self, job: RefundJob, payment: dict[str, str]) -> Any:
        """Find what an earlier request under the same key made."""
        asked: Any = {"limit": 100, **payment}
        try:
            for refund in self._client.v1.refunds.list(asked).auto_paging_iter():
                metadata: Any = refund.metadata
                if metadata is not None and getattr(metadata, "refund", None) == job.key:
                    return refund
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            # A look-up that is refused says nothing of the refund, which may have been made: with
            # the key of another account, say. Somebody has to look.
            logger.error("Stripe refuses to look up the refund %s: %s", job.key, error)
            raise stripe.APIError(f"The look-up was refused: {error}") from error
        return None


def _payment(job: RefundJob) -> dict[str, str] | None:
    reference = job.reference or ""
    if reference.startswith("pi_"):
        return {"payment_intent": reference}
    return {"charge": reference} if reference.startswith(("ch_", "py_")) else None


def _in_stripe_units(minor: int, currency: str) -> int | None:
    """Return the amount as Stripe counts it; None for one that it cannot express."""
    decimals = _STRIPE_DECIMALS.get(currency, money.decimals(currency))
    amount = money.to_major(minor, currency) * Decimal(10) ** decimals
    return int(amount) if amount == amount.to_integral_value() else None


def _outcome(job: RefundJob, made: Any, amount: int) -> Outcome:
    said = {name: getattr(made, name, None) for name in ("id", "status", "amount", "currency")}
    if said["amount"] != amount or str(said["currency"]).upper() != job.currency:
        logger.error("Stripe answered for %s with something else: %s", job.key, said)
        return Unknown("The card provider's answer makes no sense; it is asked again.")
    match said["status"]:
        case "succeeded":
            return Succeeded(said["id"])
        case "failed" | "canceled":
            why = getattr(made, "failure_reason", None) or said["status"]
            return Failed(f"Stripe refused it: {str(why).replace('_', ' ')}.")
    return Unknown("The card provider is still working on it.")


def _words(error: stripe.StripeError) -> str:
    return " ".join((error.user_message or "no reason was given.").split())[:300]
