"""Refunds: what can be refunded, the request, and what became of it.

A request is one transaction, under a key that its dialog made: a replay of it changes nothing and
returns the first answer. Paying back comes after it (see core.refunds.settlement), outside of it.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import access, storage
from core.access import Actor, require
from core.ground import InvalidInput, Permission, Refused, get_settings
from core.refunds import claims, settlement
from core.refunds.assessment import Assessed, assess_in, sorted_ids
from core.refunds.claims import Request
from core.refunds.decisions import checked_note
from core.refunds.gateway import Gateways
from core.refunds.gateways import configured_gateways
from core.refunds.rule import Reason, RefundItem, Refusal
from core.storage import Refund, RefundBatch

MAX_KEY = 100
REASONS = {
    "passenger_cancelled": "Passenger cancelled",
    "flight_cancelled": "Flight cancelled",
    "booked_twice": "Booked twice",
    "not_delivered": "Service not delivered",
    "goodwill": "Goodwill",
    "other": "Other (see note)",
}
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Outcome:
    """The first answer about one item: its refund was requested, or refused with the reason."""

    order_item_id: str
    refund_id: str | None
    why: str | None
    amount_minor: int | None
    currency: str | None


@dataclass(frozen=True)
class Answer:
    """The answer to a request, the same for every replay of it."""

    batch_id: str
    outcomes: tuple[Outcome, ...]

    @property
    def requested(self) -> list[Outcome]:
        """Return those that are being refunded."""
        return [one for one in self.outcomes if one.refund_id is not None]


class TooMany(Refused):
    """The actor would refund more items in an hour than the settings allow."""

    def __init__(self, limit: int, before: int) -> None:
        left = f"{max(0, limit - before):,}"
        super().__init__(
            f"You may refund {limit:,} order items an hour, and {before:,} were refunded in the "
            f"last hour: {left} more now. Tick fewer, or try again later. Nothing was refunded."
        )


class KeyTaken(Refused):
    """A key was sent again with another request."""

    def __init__(self) -> None:
        super().__init__(
            "This request was sent before with other items, reason or note, and this time nothing "
            "was changed. Close the dialog and look what became of the items."
        )


def request(
    item_ids: Sequence[str],
    *,
    reason: str,
    note: str | None = None,
    key: str,
    actor: Actor,
    now: datetime,
    agreed: Collection[str] | None = None,
    gateways: Gateways | None = None,
) -> Answer:
    """Request the refund of order items under an idempotency key, and settle what can be at once.

    Items that cannot be refunded are in the answer with the reason, and never stop the others; so
    are those that can be, but are not among the `agreed` ones that the person was shown.
    The same key and request again: the first answer, and nothing changes. Raises NotPermitted,
    NoLongerIn, InvalidInput, TooMany over the hourly limit, and KeyTaken for the key of another
    request; then nothing was changed.
    """
    require(actor, Permission.REFUND)
    ids = sorted_ids(item_ids)
    note = _checked_note(reason, note)
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidInput("A refund needs a key; close the dialog and open it again.")
    agreed = frozenset(ids if agreed is None else agreed)
    asked = Request(ids, agreed, reason, note, key, actor, now)
    answer = _write_once(asked)
    gateways = configured_gateways() if gateways is None else gateways
    settlement.settle_batch(answer.batch_id, now=now, gateways=gateways)
    return answer


def _checked_note(reason: str, note: str | None) -> str | None:
    note = checked_note(note)
    if reason not in REASONS:
        raise InvalidInput("Choose a reason for the refund.")
    if reason == "other" and not note:
        raise InvalidInput("Say in the note what the reason is.")
    return note


def _write_once(asked: Request) -> Answer:
    try:
        is_limited = get_settings().refunds_per_hour is not None
        with access.changing(asked.actor, Permission.REFUND, counts=is_limited) as (session, actor):
            return _write(session, replace(asked, actor=actor))
    # The key is there, so this is a replay, maybe of this very moment; it counts for no limit.
    except (IntegrityError, TooMany):
        before = _find_answer(asked)
        if before is None:
            raise
        return before


def _find_answer(asked: Request) -> Answer | None:
    """Find the first answer to a key; raises KeyTaken when it was for another request."""
    with storage.reading() as session:
        batch = session.scalars(
            select(RefundBatch).where(RefundBatch.idempotency_key == asked.key)
        ).one_or_none()
        if batch is None:
            return None
        if batch.request_hash != asked.fingerprint:
            raise KeyTaken
        outcomes = batch.answer.get("outcomes", [])
        return Answer(batch.batch_id, tuple(Outcome(**one) for one in outcomes))


def _write(session: Session, asked: Request) -> Answer:
    """Take the items that can be refunded, and write batch, refunds and audit events."""
    lines, items = _take(session, asked)
    refunds = claims.refunds_of(session, items)
    outcomes = []
    for line in lines:
        item, refund = line.item, refunds.get(line.order_item_id)
        if item is not None and refund is not None:
            granted = refund.refund_id, None, item.price_minor, item.currency
            outcomes.append(Outcome(line.order_item_id, *granted))
        else:
            why = line.refusal.sentence if line.refusal else "It changed meanwhile: try again."
            outcomes.append(Outcome(line.order_item_id, None, why, None, None))
    batch = {
        "batch_id": asked.batch_id,
        "idempotency_key": asked.key,
        "request_hash": asked.fingerprint,
        "answer": {"outcomes": [asdict(one) for one in outcomes]},
        "requested_by": asked.actor.email,
        "created_at": asked.now,
    }
    session.execute(insert(RefundBatch), [batch])
    for item in items:
        claims.write(session, refunds[item.order_item_id], item, asked)
    return Answer(asked.batch_id, tuple(outcomes))


def _take(session: Session, asked: Request) -> tuple[list[Assessed], list[RefundItem]]:
    """Take what can be refunded in one conditional UPDATE; return every line, and what was taken.

    Where somebody was faster, the lines say what became of those items.
    """
    actor, now = asked.actor, asked.now
    lines = assess_in(session, asked.ids, actor=actor, now=now)
    lines = [_unless_agreed(line, asked) for line in lines]
    able = [line.item for line in lines if line.item and not line.refusal]
    if not able:
        return lines, []
    _check_limit(session, len(able), asked)
    taken = claims.mark_requested(session, [one.order_item_id for one in able], asked)
    taken |= claims.mark_returned(
        session, [one.order_item_id for one in able if one.is_returned], asked
    )
    if len(taken) < len(able):
        late = assess_in(session, asked.ids, actor=actor, now=now)
        pairs = zip(lines, late, strict=True)
        lines = [then if then.order_item_id in taken else by_now for then, by_now in pairs]
    return lines, [item for item in able if item.order_item_id in taken]


def _unless_agreed(line: Assessed, asked: Request) -> Assessed:
    if line.refusal or line.order_item_id in asked.agreed:
        return line
    sentence = "It can be refunded only since you confirmed: tick it again."
    return replace(line, refusal=Refusal(Reason.NOT_AGREED, sentence))


def _check_limit(session: Session, count: int, asked: Request) -> None:
    limit = get_settings().refunds_per_hour
    if limit is None:
        return
    in_hour = Refund.requested_at > asked.now - AN_HOUR
    statement = select(func.count()).where(Refund.requested_by == asked.actor.email, in_hour)
    before = session.execute(statement).scalar_one()
    if before + count > limit:
        raise TooMany(limit, before)
