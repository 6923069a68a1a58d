"""The payment gateways of this house: how money goes back, by the way it came."""

from functools import cache

from core.ground import Method, get_settings
from core.refunds.gateway import Gateway, Gateways, Outcome, RefundJob, Succeeded, Unknown
from core.refunds.stripe import CardGateway


def configured_gateways() -> Gateways:
    """Return the gateways that the settings allow: balance always, card with a Stripe key."""
    gateways: dict[Method, Gateway] = {Method.BALANCE: BalanceGateway()}
    settings = get_settings()
    if settings.stripe_api_key is not None:
        key = settings.stripe_api_key.get_secret_value()
        gateways[Method.CARD] = _card_gateway(key, settings.stripe_api_base)
    return gateways


@cache
def _card_gateway(key: str, address: str | None) -> CardGateway:
    """Keep the client, and so its connections."""
    return CardGateway(key, address=address)


class BalanceGateway:
    """Credits the contract's balance: that is in our own books, so it succeeds by itself."""

    def look_up(self, job: RefundJob) -> None:
        """Know nothing beyond our own books."""

    def refund(self, job: RefundJob) -> Outcome:
        """Succeed; the transaction that records it credits the balance."""
        return Succeeded()

    def look_again(self, reference: str) -> Unknown:
        """Know nothing beyond our own books, from which nobody returns money."""
        return Unknown(f"{reference} is not a refund of the balance.")
