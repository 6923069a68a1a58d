"""Request refunds of order items.

A request is one transaction under an idempotency key, which the dialog makes. A replay changes
nothing and returns the first answer. The money is paid back after the transaction (see
core.refunds.settlement).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, storage
from core.access import Actor, require
from core.ground import NEEDS_NOTE, InvalidInput, Permission, Refused, get_settings
from core.refunds import claims, settlement
from core.refunds.assessment import Assessed, assess_in, sorted_ids
from core.refunds.claims import Request
from core.refunds.decisions import checked_note
from core.refunds.gateway import Gateways
from core.refunds.gateways import configured_gateways
from core.refunds.limits import find_over_limit
from core.refunds.rule import Reason, RefundItem, Refusal
from core.storage import Refund, RefundBatch


@dataclass(frozen=True)
class Outcome:
    """The answer for one item: its refund was requested, or it was refused for a reason."""

    order_item_id: str
    refund_id: str | None
    why: str | None
    amount_minor: int | None
    currency: str | None
    is_waiting: bool = False  # for a second person to approve it


@dataclass(frozen=True)
class Answer:
    """The answer to a request, the same for every replay of it."""

    batch_id: str
    outcomes: tuple[Outcome, ...]

    @property
    def requested(self) -> list[Outcome]:
        """Return the items whose refund was requested."""
        return [one for one in self.outcomes if one.refund_id is not None]

    @property
    def waiting(self) -> list[Outcome]:
        """Return the items whose refund waits for the approval of a second person."""
        return [one for one in self.outcomes if one.is_waiting]


class TooManyRefunds(Refused):
    """The request would exceed the number of refunds that the settings allow in an hour."""

    def __init__(self, limit: int, before: int, _requested: int) -> None:
        left = f"{max(0, limit - before):,}"
        super().__init__(
            f"You can refund {limit:,} order items per hour. You requested {before:,} in the last "
            f"hour, so {left} are left. Select fewer items, or try again later. "
            "Nothing was refunded."
        )


def request(
    item_ids: Sequence[str],
    *,
    reason: str,
    note: str | None = None,
    key: str,
    actor: Actor,
    now: datetime,
    confirmed: Collection[str] | None = None,
    gateways: Gateways | None = None,
) -> Answer:
    """Request the refund of order items under an idempotency key, and settle what is possible now.

    `confirmed` are the items that the dialog showed as refundable; None means all of `item_ids`.
    Items that cannot be refunded or are not confirmed are in the answer with the reason; they do
    not stop the others. A replay with the same key returns the first answer and changes nothing.
    Raises NotPermitted, AccessLost, InvalidInput, TooManyRefunds over the hourly limit, and
    KeyTaken if the key belongs to another request; then nothing has changed.
    """
    require(actor, Permission.REFUND)
    ids = sorted_ids(item_ids)
    note = _checked_note(reason, note)
    access.checked_key(key)
    shown = frozenset(ids if confirmed is None else confirmed)
    now = storage.database_time(now)
    answer = _write_once(Request(ids, shown, reason, note, key, actor, now))
    gateways = configured_gateways() if gateways is None else gateways
    settlement.settle_batches([answer.batch_id], now=now, gateways=gateways)
    return answer


def _checked_note(reason: str, note: str | None) -> str | None:
    note = checked_note(note)
    if reason not in get_settings().reasons.offered:
        raise InvalidInput("Choose a reason for the refund.")
    if reason == NEEDS_NOTE and not note:
        raise InvalidInput("Write the reason in the note.")
    return note


def _write_once(request: Request) -> Answer:
    try:
        # One person's requests run one after the other: together they count against limits.
        with access.changing(request.actor, Permission.REFUND, counts=True) as (
            session,
            actor,
        ):
            return _write(session, replace(request, actor=actor))
    # If the key is stored, this is a replay, maybe a parallel one. The limit ignores replays.
    except (IntegrityError, TooManyRefunds):
        before = _find_answer(request)
        if before is None:
            raise
        return before


def _find_answer(request: Request) -> Answer | None:
    """Find the first answer for a key; raises KeyTaken if it belongs to another request."""
    with storage.reading() as session:
        batch = session.scalars(
            select(RefundBatch).where(RefundBatch.idempotency_key == request.key)
        ).one_or_none()
        if batch is None:
            return None
        if batch.request_hash != request.fingerprint:
            raise access.KeyTaken
        outcomes = batch.answer.get("outcomes", [])
        return Answer(batch.batch_id, tuple(Outcome(**one) for one in outcomes))


def _write(session: Session, request: Request) -> Answer:
    """Claim the items that can be refunded; write the batch, the refunds and the audit events."""
    lines, items = _claim(session, request)
    refunds = claims.refunds_of(session, items)
    over = find_over_limit(session, items, requested_by=request.actor.email, now=request.now)
    outcomes = []
    for line in lines:
        item, refund = line.item, refunds.get(line.order_item_id)
        if item is not None and refund is not None:
            amount = item.price_minor, item.currency
            is_waiting = item.contract_id in over
            outcomes.append(
                Outcome(line.order_item_id, refund.refund_id, None, *amount, is_waiting)
            )
        else:
            why = line.refusal.sentence if line.refusal else "It has just changed. Try again."
            outcomes.append(Outcome(line.order_item_id, None, why, None, None))
    batch = {
        "batch_id": request.batch_id,
        "idempotency_key": request.key,
        "request_hash": request.fingerprint,
        "answer": {"outcomes": [vars(one) for one in outcomes]},
        "requested_by": request.actor.email,
        "created_at": request.now,
    }
    session.connection().execute(insert(RefundBatch), batch)
    for item in items:
        refund = refunds[item.order_item_id]
        claims.write(session, refund, item, request, is_waiting=item.contract_id in over)
    return Answer(request.batch_id, tuple(outcomes))


def _claim(session: Session, request: Request) -> tuple[list[Assessed], list[RefundItem]]:
    """Claim the refundable items in one conditional UPDATE; return all lines and the claimed items.

    If another request was faster for an item, its line says so.
    """
    actor, now = request.actor, request.now
    lines = assess_in(session, request.ids, actor=actor, now=now)
    lines = [_check_confirmed(line, request) for line in lines]
    able = [line.item for line in lines if line.item and not line.refusal]
    if not able:
        return lines, []
    _check_limit(session, len(able), request)
    taken = claims.claim_items(session, [one.order_item_id for one in able], request)
    taken |= claims.claim_returned(
        session, [one.order_item_id for one in able if one.is_returned], request
    )
    if len(taken) < len(able):
        late = assess_in(session, request.ids, actor=actor, now=now)
        pairs = zip(lines, late, strict=True)
        lines = [then if then.order_item_id in taken else by_now for then, by_now in pairs]
    return lines, [item for item in able if item.order_item_id in taken]


def _check_confirmed(line: Assessed, request: Request) -> Assessed:
    if line.refusal or line.order_item_id in request.confirmed:
        return line
    sentence = "It became refundable only after you confirmed. Select it again."
    return replace(line, refusal=Refusal(Reason.NOT_CONFIRMED, sentence))


def _check_limit(session: Session, count: int, request: Request) -> None:
    def requested_since(instant: datetime) -> int:
        mine = Refund.requested_by == request.actor.email, Refund.requested_at > instant
        return session.execute(select(func.count()).where(*mine)).scalar_one()

    limit = get_settings().refunds_per_hour
    access.check_hourly_limit(
        limit, requested_since, lambda: count, TooManyRefunds, now=request.now
    )
