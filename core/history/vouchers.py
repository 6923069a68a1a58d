"""The sentences of vouchers and e-mails."""

from core.ground import DECISIONS, DeliveryKind
from core.history.event import KEPT_ON_DISK, Event, counted
from core.history.telling import Subject, tells


@tells("voucher.downloaded", Subject.VOUCHERS)
def _downloaded(event: Event) -> str:
    in_mail = "an e-mail with " if event.words("delivery_id") else ""
    return f"{event.who} downloaded {in_mail}the voucher of {event.item}."


@tells("order_item.used", Subject.VOUCHERS)
def _used(event: Event) -> str:
    file = event.words("file")
    of = f" of {file}" if file else ""
    return f"{event.who}'s import{of} marked {event.item} as used."


@tells("voucher.sent", Subject.EMAILS)
def _sent(event: Event) -> str:
    return f"{event.who} sent the voucher of {event.item}{_to(event)}."


@tells("void_notice.sent", Subject.EMAILS)
def _notice_sent(event: Event) -> str:
    recipient = event.words("recipient")
    whom = f" {recipient}" if recipient else ""
    return f"{event.who} sent{whom} the notice that the voucher of {event.item} is void."


@tells("voucher.saved_to_outbox", Subject.EMAILS)
def _saved(event: Event) -> str:
    return f"{event.who}'s e-mail{_to(event)} with the voucher of {event.item} {KEPT_ON_DISK}"


@tells("void_notice.saved_to_outbox", Subject.EMAILS)
def _notice_saved(event: Event) -> str:
    about = f"about the void voucher of {event.item}"
    return f"{event.who}'s e-mail{_to(event)} {about} {KEPT_ON_DISK}"


@tells("decision.sent", Subject.EMAILS)
def _decision_sent(event: Event) -> str:
    return f"{event.who} sent an e-mail about {_decisions(event)}{_to_colleague(event)}."


@tells("decision.saved_to_outbox", Subject.EMAILS)
def _decision_saved(event: Event) -> str:
    return f"{event.who}'s e-mail{_to_colleague(event)} about {_decisions(event)} {KEPT_ON_DISK}"


@tells("delivery.queued", Subject.EMAILS)
def _queued(event: Event) -> str:
    return f"{event.who} queued {_mail(event)}."


@tells("delivery.resent", Subject.EMAILS)
def _resent(event: Event) -> str:
    return f"{event.who} queued {_mail(event)} again."


@tells("delivery.failed", Subject.EMAILS)
def _failed(event: Event) -> str:
    return f"Order Desk could not send {_mail(event)}.{_why(event)}"


@tells("delivery.cancelled", Subject.EMAILS)
def _cancelled(event: Event) -> str:
    return f"Order Desk did not send {_mail(event)}.{_why(event)}"


@tells("emails.texts_deleted", Subject.EMAILS)
def _texts_deleted(event: Event) -> str:
    return f"{event.who} deleted the senders' own texts of {_old(event, 'e-mail')}."


@tells("outbox.mails_deleted", Subject.EMAILS)
def _mails_deleted(event: Event) -> str:
    return f"{event.who} deleted {_old(event, 'mail')} from the outbox."


def _old(event: Event, one: str) -> str:
    count, days = event.count("count"), event.count("days")
    age = "" if days is None else f" older than {counted(days, 'day')}"
    return f"{f'old {one}s' if count is None else counted(count, one)}{age}"


def _mail(event: Event) -> str:
    """Return what an e-mail holds, and who receives it."""
    kind, count = event.words("kind"), event.count("items")
    if kind == DeliveryKind.MENTION:
        return f"an e-mail about a note{_to_colleague(event)}"
    if kind in DECISIONS:
        return f"an e-mail about {_decisions(event)}{_to_colleague(event)}"
    is_notice = kind == DeliveryKind.VOID_NOTICE
    one = "void voucher" if is_notice else "voucher"
    vouchers = f"{one}s" if count is None else counted(count, one)
    return f"an e-mail {'about' if is_notice else 'with'} {vouchers}{_to(event)}"


def _decisions(event: Event) -> str:
    done = "approved" if event.words("kind") == DeliveryKind.APPROVED else "declined"
    return counted(event.count("items") or 1, f"{done} refund")


def _to(event: Event) -> str:
    recipient = event.words("recipient")
    return f" to {recipient}" if recipient else ""


def _to_colleague(event: Event) -> str:
    whom = event.name_of(event.words("recipient"))
    return f" to {whom}" if whom else ""


def _why(event: Event) -> str:
    why = event.words("why")
    return f" {why}" if why else ""
