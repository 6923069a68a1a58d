"""Many people approve and decline the same refunds at the same time, also in killed processes."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from core import refunds, storage
from core.access import Actor
from core.access.actors import find_actor
from core.ground import RefundStatus, Role
from core.refunds import Decided, Decision
from core.storage import AuditEvent, Contract, Refund, RefundDecision, Transaction, User
from tests.conftest import NOW
from tests.core import steps
from tests.core.refunds.killed import Asked
from tests.core.refunds.refund_races import UNSETTLED, at_once, guarded
from tests.core.refunds.sold_items import sell
from tests.rows import make_actor

MOST_REFUNDS = 6  # in one decision
DECIDERS = 4
APPROVED, DECLINED = "refund.approved", "refund.declined"
Act = Callable[..., Decision | None]  # as `decide`


def ask_for_approval(count: int, admin: Actor, key: str = "ask") -> list[str]:
    """Sell items, and request their refunds, all of which wait; return the refunds."""
    items = sell(count)
    with storage.writing() as session:
        session.execute(update(Contract).values(refund_limit_minor=0))
    answer = guarded(admin, UNSETTLED)(items, key)
    assert len(answer.waiting) == count
    return [str(one.refund_id) for one in answer.waiting]


def make_deciders() -> list[str]:
    """Store accountants who see everything; return their user IDs."""
    return [make_actor(Role.ACCOUNTANT).user_id for _ in range(DECIDERS)]


def find_deciders() -> list[str]:
    with storage.reading() as session:
        deciding = select(User.user_id).where(User.role == Role.ACCOUNTANT)
        return list(session.scalars(deciding.order_by(User.user_id)))


def find_waiting_ids() -> list[str]:
    with storage.reading() as session:
        waiting = select(Refund.refund_id).where(Refund.status == RefundStatus.WAITING)
        return list(session.scalars(waiting.order_by(Refund.refund_id)))


def pick_decision(waiting: Sequence[str], deciders: Sequence[str], chance: random.Random) -> Asked:
    """Choose some refunds, who decides about them, and how."""
    return {
        "refund_ids": chance.sample(waiting, chance.randint(1, min(MOST_REFUNDS, len(waiting)))),
        "decider": chance.choice(deciders),
        "is_approval": chance.random() < 0.5,
    }


def decide(refund_ids: Sequence[str], decider: str, is_approval: bool, key: str) -> Decision:
    """Decide as the dialog does."""
    actor = find_actor(decider)
    assert actor is not None
    act = refunds.approve if is_approval else refunds.decline
    return act(refund_ids, note="As agreed", key=key, actor=actor, now=NOW)


def race(act: Act, waiting: Sequence[str], *, threads: int, each: int) -> list[Decision | None]:
    """Decide about overlapping random refunds from several threads, then about all that is left."""
    deciders = make_deciders()
    steps.begin(threads * each)

    def run(thread: int) -> list[Decision | None]:
        chance = random.Random(thread)
        made = []
        for number in range(each):
            asked = pick_decision(waiting, deciders, chance)
            made.append(act(**asked, key=f"{thread}-{number}"))
            steps.step()
        return made

    made = [one for some in at_once(threads, run) for one in some]
    left = find_waiting_ids()
    return [*made, decide(left, deciders[0], True, "left")] if left else made


@dataclass(frozen=True)
class Faults:
    """What must never be; each counts refunds, beyond the first where one is right."""

    decided_twice: int
    paid_without_approval: int
    paid_twice: int


def find_faults() -> Faults:
    """Count the faults by the audit trail and the ledger, which both are append-only."""
    with storage.reading() as session:
        verdicts = select(AuditEvent.entity_id, AuditEvent.action).where(
            AuditEvent.action.in_((APPROVED, DECLINED))
        )
        told = Counter((str(one), str(action)) for one, action in session.execute(verdicts))
        paid = (
            select(Transaction.refund_id, func.count())
            .where(Transaction.type == "refund", Transaction.status == "succeeded")
            .group_by(Transaction.refund_id)
        )
        payments: dict[str, int] = {str(one): count for one, count in session.execute(paid)}
    decided = {one for one, _ in told}
    return Faults(
        decided_twice=told.total() - len(decided),
        paid_without_approval=sum(
            (one, APPROVED) not in told or (one, DECLINED) in told for one in payments
        ),
        paid_twice=sum(payments.values()) - len(payments),
    )


def decided_in(answers: Sequence[Decision | None]) -> Counter[str]:
    """Count how often each refund was decided, by the answers that people got."""
    return Counter(
        one.refund_id
        for answer in answers
        if answer is not None
        for one in (*answer.approved, *answer.declined)
    )


def statuses_of(refund_ids: Sequence[str]) -> dict[str, str]:
    with storage.reading() as session:
        rows = session.execute(
            select(Refund.refund_id, Refund.status).where(Refund.refund_id.in_(refund_ids))
        )
        return {str(one): str(status) for one, status in rows}


def check_that_they_stand(answers: Sequence[Decision]) -> None:
    """Check that what was approved is paid, and that what was declined is not."""
    for answer in answers:
        approved = statuses_of([one.refund_id for one in answer.approved])
        declined = statuses_of([one.refund_id for one in answer.declined])
        assert set(approved.values()) <= {RefundStatus.SUCCEEDED}
        assert set(declined.values()) <= {RefundStatus.DECLINED}


def read_decision(answer: Any) -> Decision:
    """Read a decision that a process printed."""
    return Decision(tuple(Decided(**one) for one in answer["results"]))


def count_decisions(keys: Sequence[str]) -> int:
    """Count the decisions that were committed under these keys."""
    with storage.reading() as session:
        kept = select(func.count()).where(RefundDecision.idempotency_key.in_(keys))
        return session.execute(kept).scalar_one()
