"""A second person decides about refunds above a contract's limit: approve or decline them.

What counted at the request (deadline, service day, limit) is not checked again. What can change is:
the rights of who decides, and whether the person who asked is still active.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, storage
from core.access import Actor, require
from core.ground import DeliveryKind, InvalidInput, Permission, may_be_id
from core.query import MAX_SELECTED, scope
from core.refunds import settlement
from core.refunds.decisions import checked_note
from core.refunds.gateway import Gateways
from core.refunds.gateways import configured_gateways
from core.refunds.told import tell_requesters
from core.refunds.verdicts import WAITING, Decider, approve_in, decline_in
from core.storage import Refund, RefundDecision, User, new_id
from core.tables import REFUNDS

NOT_THEIRS = "You asked for this refund yourself. Another person has to decide."
NOT_WAITING = "It no longer waits for approval, or you have no access to it."
INACTIVE = "{who} asked for it and is no longer active, so it was declined."


@dataclass(frozen=True)
class Decided:
    """The result for one refund: whether it is approved or declined now; if neither, why."""

    refund_id: str
    order_item_id: str | None
    is_approved: bool
    is_declined: bool
    why: str | None = None


@dataclass(frozen=True)
class Decision:
    """The answer to a decision, the same for every repeat of it."""

    results: tuple[Decided, ...]

    @property
    def approved(self) -> list[Decided]:
        """Return the refunds that are approved now."""
        return [one for one in self.results if one.is_approved]

    @property
    def declined(self) -> list[Decided]:
        """Return the refunds that are declined now."""
        return [one for one in self.results if one.is_declined]


@dataclass(frozen=True)
class _Asked:
    """A checked decision: which refunds, yes or no, the note, who and when."""

    ids: list[str]
    is_approval: bool
    note: str | None
    key: str
    actor: Actor
    now: datetime

    @property
    def fingerprint(self) -> str:
        """Return a hash of the decision; it detects another one under the same key."""
        return access.fingerprint(self.ids, self.is_approval, self.note, self.actor.user_id)


def approve(
    refund_ids: Sequence[str],
    *,
    note: str | None = None,
    key: str,
    actor: Actor,
    now: datetime,
    gateways: Gateways | None = None,
) -> Decision:
    """Approve waiting refunds under an idempotency key, and pay them back.

    A refund that the actor asked for, or that no longer waits, stays as it is: its result says why.
    If the person who asked is no longer active, the refund is declined. Raises NotPermitted,
    AccessLost, InvalidInput, and KeyTaken if the key belongs to another decision; then nothing has
    changed.
    """
    now = storage.database_time(now)
    decision, batches = _decide_once(_checked(refund_ids, note, key, actor, now, is_approval=True))
    gateways = configured_gateways() if gateways is None else gateways
    settlement.settle_batches(batches, now=now, gateways=gateways)
    return decision


def decline(
    refund_ids: Sequence[str], *, note: str | None, key: str, actor: Actor, now: datetime
) -> Decision:
    """Decline waiting refunds under an idempotency key: their vouchers are valid again.

    The note says why, and is required. Answers and raises as `approve` does.
    """
    now = storage.database_time(now)
    asked = _checked(refund_ids, note, key, actor, now, is_approval=False)
    if asked.note is None:
        raise InvalidInput("Write in the note why the refund is declined.")
    return _decide_once(asked)[0]


def _checked(
    refund_ids: Sequence[str],
    note: str | None,
    key: str,
    actor: Actor,
    now: datetime,
    *,
    is_approval: bool,
) -> _Asked:
    require(actor, Permission.APPROVE)
    ids = sorted(set(refund_ids))
    if not 0 < len(ids) <= MAX_SELECTED or not all(may_be_id(one) for one in ids):
        raise InvalidInput(f"Select 1 to {MAX_SELECTED:,} refunds to decide about them.")
    return _Asked(ids, is_approval, checked_note(note), access.checked_key(key), actor, now)


def _decide_once(asked: _Asked) -> tuple[Decision, list[str]]:
    """Decide in one transaction; return the decision and the batches to pay back."""
    try:
        with access.changing(asked.actor, Permission.APPROVE) as (session, actor):
            before = _find_answer(session, asked)
            return before or _decide(session, asked, actor)
    except IntegrityError:  # the same key at the same time: the other one has decided
        with storage.reading() as session:
            before = _find_answer(session, asked)
        if before is None:
            raise
        return before


def _find_answer(session: Session, asked: _Asked) -> tuple[Decision, list[str]] | None:
    is_same = RefundDecision.idempotency_key == asked.key
    row = session.scalars(select(RefundDecision).where(is_same)).one_or_none()
    if row is None:
        return None
    if row.request_hash != asked.fingerprint:
        raise access.KeyTaken
    results = tuple(Decided(**one) for one in row.answer["results"])
    return Decision(results), list(row.answer["batches"])


def _decide(session: Session, asked: _Asked, actor: Actor) -> tuple[Decision, list[str]]:
    """Change what still waits, tell who asked for it, and keep the answer under its key."""
    is_asked = Refund.refund_id.in_(asked.ids), scope(REFUNDS, actor)
    found = session.scalars(WAITING.where(*is_asked).with_for_update()).all()
    others = [one for one in found if one.requested_by != actor.email]
    active = _find_active(session, {one.requested_by for one in others})
    approved = [one for one in others if asked.is_approval and one.requested_by in active]
    declined = [one for one in others if one not in approved]
    by = Decider(new_id(), actor, asked.now)
    approve_in(
        session, approved, dict.fromkeys((one.refund_id for one in approved), asked.note), by
    )
    inactive = {one.requested_by for one in declined} if asked.is_approval else set()
    names = _names_of(session, inactive)
    whys = {
        one.refund_id: INACTIVE.format(who=names.get(one.requested_by) or one.requested_by)
        if asked.is_approval
        else asked.note
        for one in declined
    }
    decline_in(session, declined, whys, by)
    kind = DeliveryKind.APPROVED if asked.is_approval else DeliveryKind.DECLINED
    tell_requesters(session, kind, approved if asked.is_approval else declined, asked.note, by)
    results = tuple(_result(one, found, approved, declined, whys) for one in asked.ids)
    batches = sorted({one.batch_id for one in approved})
    decision = {
        "decision_id": by.decision_id,
        "idempotency_key": asked.key,
        "request_hash": asked.fingerprint,
        "answer": {"results": [vars(one) for one in results], "batches": batches},
        "decided_by": actor.email,
        "created_at": asked.now,
    }
    session.execute(insert(RefundDecision), decision)
    return Decision(results), batches


def _find_active(session: Session, emails: set[str]) -> frozenset[str]:
    active = select(User.email).where(User.email.in_(sorted(emails)), User.is_active)
    return frozenset(session.scalars(active))


def _names_of(session: Session, emails: set[str]) -> dict[str, str]:
    if not emails:
        return {}
    named = select(User.email, User.name).where(User.email.in_(sorted(emails)))
    return {row.email: row.name for row in session.execute(named)}


def _result(
    refund_id: str,
    found: Sequence[Refund],
    approved: Sequence[Refund],
    declined: Sequence[Refund],
    whys: Mapping[str, str | None],
) -> Decided:
    refund = next((one for one in found if one.refund_id == refund_id), None)
    if refund is None:
        return Decided(refund_id, None, is_approved=False, is_declined=False, why=NOT_WAITING)
    is_approved, is_declined = refund in approved, refund in declined
    is_theirs = not is_approved and not is_declined
    why = NOT_THEIRS if is_theirs else whys.get(refund_id)
    return Decided(refund_id, refund.order_item_id, is_approved, is_declined, why)
