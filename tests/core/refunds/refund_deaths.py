"""Processes that are killed while they request refunds: every answer must stay true."""

import random
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from core import storage
from core.ground import RefundStatus
from core.refunds.requests import Answer, Outcome
from core.storage import Refund, RefundBatch
from tests.core import steps
from tests.core.books import check_books
from tests.core.refunds import refund_process
from tests.core.refunds.killed import Said, run_and_kill
from tests.core.refunds.refund_races import Ask, count_open, settle_all


@dataclass
class Deaths:
    """Counts that prove that the kills came in the middle of the work."""

    rounds: int = 0
    answered: int = 0
    in_flight: int = 0
    written: int = 0  # requests that were committed but not answered
    left_open: int = 0  # refunds that were requested but not settled


def kill_requesters(ask: Ask, *, rounds: int, seed: int = 7) -> Deaths:
    """Kill a process that requests refunds, several times; check the database each time."""
    met, chance, said = Deaths(rounds), random.Random(seed), list[Said[Answer]]()
    for number in steps.through(rounds):
        said.append(run_and_kill(refund_process.main, f"{seed}-{number}", chance, _read))
        check_books()  # before any repair
        met.answered += len(said[-1].answered)
        met.in_flight += len(said[-1].in_flight)
        met.written += _count_written(said[-1].in_flight)
        met.left_open += count_open()
        _send_in_flight_again(said[-1], ask)
        settle_all()
        check_books()
        _check_that_it_stands(said[-1], ask)
    for one in said:  # later rounds must not change it
        _check_that_it_stands(one, ask)
    check_books()
    return met


def _read(answer: Any) -> Answer:
    return Answer(answer["batch_id"], tuple(Outcome(**one) for one in answer["outcomes"]))


def _count_written(keys: list[str]) -> int:
    with storage.reading() as session:
        written = select(RefundBatch.batch_id).where(RefundBatch.idempotency_key.in_(keys))
        return len(session.scalars(written).all())


def _send_in_flight_again(said: Said[Answer], ask: Ask) -> None:
    """Repeat requests whose answer was lost: each item has its outcome."""
    lost = said.in_flight
    said.ask_in_flight_again(ask)
    for key in lost:
        outcomes = said.answered[key].outcomes
        assert [one.order_item_id for one in outcomes] == sorted(said.asked[key]["item_ids"])


def _check_that_it_stands(said: Said[Answer], ask: Ask) -> None:
    """Check that no answer is lost, and that a replay gives the same answer."""
    granted = {one.refund_id for answer in said.answered.values() for one in answer.requested}
    with storage.reading() as session:
        succeeded = select(Refund.refund_id).where(Refund.status == RefundStatus.SUCCEEDED)
        lost = granted - set(session.scalars(succeeded))
    assert not lost, f"Granted and not refunded: {sorted(map(str, lost))[:3]}"
    said.check_repeats(ask)
