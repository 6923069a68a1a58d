"""Why an order item is refused, by refunds, vouchers, e-mails and Verify: one sentence a reason."""

from datetime import datetime

from core.ground.places import in_zone
from core.ground.states import EXPIRED, ItemStatus

# By the state that people see; a sentence begins with it and can add when.
VOID_TEXTS: dict[str, str] = {
    ItemStatus.REFUNDED: "It was refunded",
    ItemStatus.REFUND_REQUESTED: "A refund is in progress",
    ItemStatus.USED: "It has been used",
    EXPIRED: "It expired",
}


def why_void(status: str, refunded_at: datetime | None, zone: str) -> str | None:
    """Return why an item with a status is void, as a sentence; None if it is not used yet."""
    if status not in VOID_TEXTS:
        return None
    at = refunded_at if status == ItemStatus.REFUNDED else None
    return _sentence(status, at, zone)


def why_expired(valid_until: datetime, zone: str) -> str:
    """Return the sentence of an item whose Valid Until is over."""
    return _sentence(EXPIRED, valid_until, zone)


def _sentence(state: str, at: datetime | None, zone: str) -> str:
    return f"{VOID_TEXTS[state]}{f' on {in_zone(at, zone)}' if at else ''}."


def why_not_found(order_item_id: str) -> str:
    """Return the sentence of an item that does not exist, or that a person cannot see."""
    return f"Order item “{order_item_id[:100]}” was not found, or you have no access to it."
