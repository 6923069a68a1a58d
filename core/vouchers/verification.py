"""Verify the code of a voucher, for the person at the desk who scans it.

A genuine signature proves that the voucher was made here, and for which days. Only the database
knows whether it has been used or refunded since.
"""

import logging
import re
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, delete, func, not_, select

from core import storage
from core.access import Actor
from core.ground import (
    AppError,
    InvalidInput,
    ItemStatus,
    OutsideFailed,
    Refused,
    get_settings,
    in_zone,
    is_storable,
)
from core.query import scope
from core.storage import OrderItem, VerificationAttempt, new_id
from core.tables import ORDER_ITEMS
from core.vouchers import signed_code
from core.vouchers.issuing import is_early, why_not_valid
from core.vouchers.printed_code import ALPHABET, CODE_LENGTH, GROUP
from core.vouchers.shared_keys import accepted_keys
from core.vouchers.signed_code import DamagedCode, ForeignCode, UnknownKey, WrongSignature

logger = logging.getLogger(__name__)

A_MINUTE = timedelta(minutes=1)
MAX_LENGTH = 500
_NOT_IN_CODE = re.compile(f"[^{ALPHABET}]")


class Verdict(StrEnum):
    """The result of checking a code, in words for people."""

    VALID = "Valid"
    USED = "Used"
    REFUNDED = "Refunded"
    IN_PROGRESS = "Refund in progress"
    EXPIRED = "Expired"
    EARLY = "Not valid yet"
    UNKNOWN = "Unknown"
    FORGED = "Wrong signature"
    DAMAGED = "Damaged"


_BY_STATUS = {
    ItemStatus.USED: Verdict.USED,
    ItemStatus.REFUNDED: Verdict.REFUNDED,
    ItemStatus.REFUND_REQUESTED: Verdict.IN_PROGRESS,
}
_BY_ERROR: dict[type[AppError], Verdict] = {
    WrongSignature: Verdict.FORGED,
    UnknownKey: Verdict.FORGED,
    DamagedCode: Verdict.DAMAGED,
}


@dataclass(frozen=True)
class VerifiedItem:
    """The order item of a code: the facts that the person at the desk needs."""

    order_item_id: str
    order_id: str
    product: str
    airport_iata: str
    airport_tz: str
    passenger_name: str
    pax_type: str
    service_at: datetime
    valid_from: datetime
    valid_until: datetime
    voucher_code: str


@dataclass(frozen=True)
class Verification:
    """The verdict on a code, a sentence that says why, and the order item if it was found."""

    verdict: Verdict
    sentence: str
    item: VerifiedItem | None = None


_attempts: dict[str, deque[float]] = defaultdict(deque)  # by time.monotonic
_attempts_lock = threading.Lock()


def verify(text: str, *, actor: Actor, now: datetime) -> Verification:
    """Verify a scanned text or a typed code.

    Raises InvalidInput if the text is empty or too long. Raises Refused if the actor verifies more
    codes in a minute than VERIFICATIONS_PER_MINUTE: no one can find codes by guessing.
    """
    text = text.strip()
    if not text or len(text) > MAX_LENGTH:
        raise InvalidInput(f"Scan or type a code of 1 to {MAX_LENGTH} characters.")
    _count_attempt(actor, now)
    try:
        signed = signed_code.parse_code(text, accepted_keys())
    except ForeignCode:
        return _look_up(_has_printed_code(text), actor, now)
    except tuple(_BY_ERROR) as error:
        return Verification(_BY_ERROR[type(error)], str(error))
    return _look_up(OrderItem.voucher_serial == signed.serial, actor, now)


def _count_attempt(actor: Actor, now: datetime) -> None:
    """Count an attempt, unless it is one too many.

    All processes count together, in the database. Where one writer holds up all others, which an
    import does for minutes while people verify, each process counts by itself; and where the
    database takes no writes, because a voucher can still be looked up there.
    """
    limit = get_settings().verifications_per_minute
    if storage.has_one_writer():
        may_verify = _count_here(actor.user_id, limit)
    else:
        try:
            may_verify = _count_together(actor.user_id, limit, storage.database_time(now))
        except OutsideFailed as error:
            logger.warning("Verifications are counted by this process alone: %s", error)
            may_verify = _count_here(actor.user_id, limit)
    if not may_verify:
        raise Refused(f"You can verify at most {limit:,} codes per minute. Wait a moment.")


def _count_here(user_id: str, limit: int) -> bool:
    moment = time.monotonic()
    with _attempts_lock:
        mine = _attempts[user_id]
        while mine and mine[0] <= moment - A_MINUTE.total_seconds():
            mine.popleft()
        if len(mine) >= limit:
            return False
        mine.append(moment)
        return True


def _count_together(user_id: str, limit: int, now: datetime) -> bool:
    """Count in the database; attempts of one person wait for each other, but for no standby."""
    mine = VerificationAttempt.user_id == user_id
    is_recent = VerificationAttempt.at > now - A_MINUTE, VerificationAttempt.at < now + A_MINUTE
    with storage.writing(is_minor=True) as session:
        storage.take_lock(session, storage.lock_key_of(f"verify {user_id}"))
        session.execute(delete(VerificationAttempt).where(not_(and_(*is_recent))))
        if session.execute(select(func.count()).where(mine)).scalar_one() >= limit:
            return False
        session.add(VerificationAttempt(attempt_id=new_id(), user_id=user_id, at=now))
        return True


def _has_printed_code(text: str) -> ColumnElement[bool]:
    """Match printed codes: the text itself, or the same letters with other case and separators."""
    bare = _NOT_IN_CODE.sub("", text.upper())
    groups = (bare[i : i + GROUP] for i in range(0, CODE_LENGTH, GROUP))
    candidates = {text, "-".join(groups)} if len(bare) == CODE_LENGTH else {text}
    return OrderItem.voucher_code.in_(sorted(one for one in candidates if is_storable(one)))


def _look_up(has_code: ColumnElement[bool], actor: Actor, now: datetime) -> Verification:
    with storage.reading() as session:
        item = session.scalars(select(OrderItem).where(has_code, scope(ORDER_ITEMS, actor))).first()
        if item is None:
            sentence = "No voucher found with this code, or you have no access to it."
            return Verification(Verdict.UNKNOWN, sentence)
        terms = item.status, item.valid_until, item.refunded_at, item.airport_tz
        why = why_not_valid(*terms, now=now)
        names = VerifiedItem.__dataclass_fields__
        found = VerifiedItem(**{name: getattr(item, name) for name in names})
    if why is not None:
        return Verification(_BY_STATUS.get(ItemStatus(item.status), Verdict.EXPIRED), why, found)
    if is_early(found.valid_from, now=now):
        since = in_zone(found.valid_from, found.airport_tz, seconds=bool(found.valid_from.second))
        return Verification(Verdict.EARLY, f"It is valid from {since}.", found)
    return Verification(Verdict.VALID, "It is genuine, and has not been used.", found)
