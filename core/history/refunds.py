"""The sentences of refunds."""

from core.ground import Method, RefundStatus
from core.history.event import Event, in_one_line
from core.history.telling import Subject, tells

_TO: dict[str, str] = {Method.BALANCE: " to the contract's balance", Method.CARD: " to the card"}


def _amount(event: Event) -> str:
    """Return the item with its amount."""
    return f"{event.item}, {event.money}" if event.money else event.item


def _amount_inside(event: Event) -> str:
    """Return the same in the middle of a sentence."""
    return f"{event.item}, {event.money}," if event.money else event.item


def _named(event: Event, article: str) -> str:
    """Return the refund by its reference: refund R-12; of older events, a refund."""
    named = event.words("refund")
    return f"refund {named}" if named else f"{article} refund"


def _asked(event: Event) -> str:
    """Return the item with its amount, and who asked for the refund."""
    who = event.name_of(event.words("requested_by"))
    return f"{_amount_inside(event)} that {who} asked for" if who else _amount(event)


def _why(event: Event) -> str:
    """Return the reason and the note, as sentences after a blank."""
    return (f" Reason: {event.reason}." if event.reason else "") + event.note


def _failure(event: Event) -> str:
    failure = event.words("failure")
    return f" {failure}" if failure else ""


@tells("order_item.refund_requested", Subject.REFUNDS)
def _requested(event: Event) -> str:
    again = " again" if (event.count("attempt") or 1) > 1 else ""
    return f"{event.who} requested{again} {_named(event, 'a')} of {_amount(event)}.{_why(event)}"


@tells("order_item.approval_requested", Subject.REFUNDS)
def _approval_requested(event: Event) -> str:
    limit = event.words("refund_limit")
    passed = f" The contract's limit is {limit} in 24 hours." if limit else ""
    start = f"{event.who} asked for approval of {_named(event, 'a')} of {_amount(event)}"
    return f"{start}.{passed}{_why(event)}"


@tells("refund.approved", Subject.REFUNDS)
def _approved(event: Event) -> str:
    return f"{event.who} approved {_named(event, 'the')} of {_asked(event)}.{event.note}"


@tells("refund.declined", Subject.REFUNDS)
def _declined(event: Event) -> str:
    is_free = event.words("status") == RefundStatus.DECLINED  # else the bank had returned it
    then = " The voucher is valid again, unless it has expired." if is_free else ""
    return f"{event.who} declined {_named(event, 'the')} of {_asked(event)}.{event.note}{then}"


@tells("refund.succeeded", Subject.REFUNDS)
def _succeeded(event: Event) -> str:
    to = _TO.get(event.words("method"), "")
    approver = event.name_of(event.words("approved_by"))
    approved = f", approved by {approver}" if approver else ""
    return f"{event.who} refunded {_amount(event)}{to}{approved}.{_why(event)}"


@tells("refund.failed", Subject.REFUNDS)
def _failed(event: Event) -> str:
    named = f" {event.words('refund')}" if event.words("refund") else ""
    return f"{event.who}'s refund{named} of {_amount_inside(event)} failed.{_failure(event)}"


@tells("refund.returned", Subject.REFUNDS)
def _returned(event: Event) -> str:
    named = _named(event, "the")
    start = f"{named[:1].upper()}{named[1:]} of {_amount_inside(event)} came back"
    return f"{start}.{_failure(event)}"


@tells("refund.matched", Subject.REFUNDS)
def _matched(event: Event) -> str:
    named = _reference(event.words("reference"))
    return f"{event.who} matched the provider's refund{named} with {_amount(event)}.{event.note}"


@tells("provider_refund.dismissed", Subject.REFUNDS)
def _dismissed(event: Event) -> str:
    amount = f", {event.money}," if event.money else ""
    named = _reference(in_one_line(event.entity_id))
    start = f"{event.who} dismissed the provider's refund{named}{amount}"
    return f"{start} because it belongs to no order item.{event.note}"


def _reference(reference: str) -> str:
    return f" {reference}" if reference else ""


@tells("order_item.given_back", Subject.REFUNDS)
def _given_back(event: Event) -> str:
    return f"{event.who} gave back {event.item}. It can be used again.{event.note}"
