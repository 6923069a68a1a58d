"""The configured payment gateways, by payment method."""

from functools import cache

from core.ground import Method, get_settings
from core.refunds.gateway import Gateway, Gateways, Outcome, RefundJob, Succeeded, Unknown
from core.refunds.stripe import CardGateway


def configured_gateways() -> Gateways:
    """Return the gateways that the settings allow: balance always, card if a Stripe key is set."""
    gateways: dict[Method, Gateway] = {Method.BALANCE: BalanceGateway()}
    settings = get_settings()
    if settings.stripe_api_key is not None:
        key = settings.stripe_api_key.get_secret_value()
        gateways[Method.CARD] = _card_gateway(key, settings.stripe_api_base)
    return gateways


@cache
def _card_gateway(key: str, address: str | None) -> CardGateway:
    """Cache the client and its connections."""
    return CardGateway(key, address=address)


class BalanceGateway:
    """Refunds to the contract's balance. It exists only in our own books, so it always succeeds."""

    def look_up(self, job: RefundJob) -> None:
        """Return None: there is no provider."""

    def refund(self, job: RefundJob) -> Outcome:
        """Return success; the transaction that records it credits the balance."""
        return Succeeded()

    def look_again(self, reference: str) -> Unknown:
        """Return Unknown: a balance refund is never returned."""
        return Unknown(f"{reference} is not a refund of the balance.")
