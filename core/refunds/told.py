"""Tell people of decisions about refunds by e-mail, in the transaction of the decision.

The local user has no mailbox, and who is no longer active is not told. Whether somebody still sees
the order is asked when the mail is sent.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from core import mail
from core.access import LOCAL_USER_EMAIL, roles_with
from core.ground import DeliveryKind, Permission
from core.query import sees_its_order
from core.refunds.verdicts import Decider
from core.storage import Order, Refund, User

# Pairs of an address and a refund.
_HAS_MAIL = User.is_active, User.email != LOCAL_USER_EMAIL
_REQUESTERS = (
    select(User.email, Refund.refund_id)
    .select_from(User)
    .join(Refund, Refund.requested_by == User.email)
    .where(*_HAS_MAIL)
)
# Those who could have decided: never about their own requests.
_APPROVERS = (
    select(User.email, Refund.refund_id)
    .select_from(User)
    .join(Refund, Refund.requested_by != User.email)
    .join(Order, Order.order_id == Refund.order_id)
    .where(*_HAS_MAIL, User.role.in_(roles_with(Permission.APPROVE)), sees_its_order())
)


def tell_requesters(
    session: Session, kind: DeliveryKind, refunds: Sequence[Refund], note: str | None, by: Decider
) -> None:
    """Queue a mail to each person who asked for some of the refunds."""
    _tell(session, kind, refunds, _pairs(session, _REQUESTERS, refunds), note, by)


def tell_all(session: Session, refunds: Sequence[Refund], why: str, by: Decider) -> None:
    """Queue mails that refunds were declined also to those who could have decided about them."""
    pairs = [one for asked in (_REQUESTERS, _APPROVERS) for one in _pairs(session, asked, refunds)]
    _tell(session, DeliveryKind.DECLINED, refunds, pairs, why, by)


def _pairs(
    session: Session, asked: Select[str, str], refunds: Sequence[Refund]
) -> Sequence[Row[str, str]]:
    is_one = Refund.refund_id.in_([one.refund_id for one in refunds])
    return session.execute(asked.where(is_one).order_by(User.email)).all()


def _tell(
    session: Session,
    kind: DeliveryKind,
    refunds: Sequence[Refund],
    pairs: Iterable[Row[str, str]],
    note: str | None,
    by: Decider,
) -> None:
    by_id = {one.refund_id: one for one in refunds}
    told = defaultdict[str, list[Refund]](list)
    for email, refund_id in pairs:
        told[email].append(by_id[refund_id])
    mail.queue_decisions(
        session,
        kind,
        told,
        decision_id=by.decision_id,
        who=by.who,
        name=by.name,
        note=note,
        now=by.now,
    )
