"""Queue e-mails to colleagues in the caller's transaction: mentions in notes, and decisions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.access import Actor
from core.ground import DeliveryKind
from core.mail.compose.letters import decision_subject, mention_subject
from core.mail.queue.requests import check_limit, new_delivery, record
from core.storage import Delivery, DeliveryItem, Note, Refund
from core.tables import REFUND_PREFIX


def queue_mentions(
    session: Session, note: Note, emails: Sequence[str], author: str, *, actor: Actor, now: datetime
) -> None:
    """Queue a mail about a note to each colleague whom it mentions.

    The transaction is one of `queueing`. Raises TooManyMails.
    """
    check_limit(session, len(emails), actor, now)
    for email in emails:
        delivery = new_delivery(
            actor.email,
            now,
            idempotency_key=f"note {note.note_id}",
            recipient=email,
            contract_id=note.contract_id,
            order_id=note.order_id,
            note_id=note.note_id,
            item_count=0,
            kind=DeliveryKind.MENTION,
            subject=mention_subject(author, note.order_id),
            message=None,
        )
        _queue(session, delivery, actor, now)


def queue_decisions(
    session: Session,
    kind: DeliveryKind,
    told: Mapping[str, Sequence[Refund]],
    *,
    decision_id: str,
    who: Actor | str,
    name: str,
    note: str | None,
    now: datetime,
) -> None:
    """Queue a mail about a decision for each address and contract: which refunds, and the note.

    `who` decided, and is called `name`. Nobody asked for these mails, so they do not count for the
    hourly limit of a person.
    """
    email = who if isinstance(who, str) else who.email
    for recipient, refunds in told.items():
        by_contract = defaultdict[str, list[Refund]](list)
        for one in refunds:
            by_contract[one.contract_id].append(one)
        for contract_id, theirs in by_contract.items():
            orders = {one.order_id for one in theirs}
            delivery = new_delivery(
                email,
                now,
                idempotency_key=f"decision {decision_id}",
                recipient=recipient,
                contract_id=contract_id,
                order_id=theirs[0].order_id if len(orders) == 1 else None,
                item_count=len(theirs),
                kind=kind,
                subject=decision_subject(
                    kind, name, [f"{REFUND_PREFIX}{one.no}" for one in theirs], orders
                ),
                message=note,
            )
            _queue(session, delivery, who, now)
            session.add_all(_item(delivery, one) for one in theirs)


def _item(delivery: Delivery, refund: Refund) -> DeliveryItem:
    return DeliveryItem(
        delivery_id=delivery.delivery_id,
        order_item_id=refund.order_item_id,
        order_id=refund.order_id,
        contract_id=refund.contract_id,
    )


def _queue(session: Session, delivery: Delivery, actor: Actor | str, now: datetime) -> None:
    session.add(delivery)
    session.flush()
    record(session, delivery, "delivery.queued", actor=actor, now=now)
