"""Processes that are killed while they request refunds: every answer must stay true."""

import json
import random
import signal
import time
from dataclasses import dataclass, field

from sqlalchemy import select

from core import storage
from core.ground import RefundStatus
from core.refunds.requests import Answer, Outcome
from core.storage import Refund, RefundBatch
from tests.core import steps
from tests.core.books import check_books
from tests.core.forks import forked
from tests.core.refunds import refund_process
from tests.core.refunds.refund_races import Ask, count_open, settle_all

MOST_ANSWERS = 30  # before the process is killed
MOST_SECONDS = 0.05  # then the process is killed at a random moment


@dataclass
class Said:
    """The output of a process until it was killed."""

    asked: dict[str, list[str]] = field(default_factory=dict)  # items, by key
    answered: dict[str, Answer] = field(default_factory=dict)

    @property
    def in_flight(self) -> list[str]:
        """Return the keys of requests without an answer."""
        return sorted(self.asked.keys() - self.answered.keys())

    def hear(self, line: str) -> None:
        """Read one line; an incomplete line does not count."""
        if not line.endswith("\n"):
            return
        what = json.loads(line)
        if "asks" in what:
            self.asked[what["asks"]] = what["item_ids"]
        else:
            outcomes = tuple(Outcome(**one) for one in what["answer"]["outcomes"])
            self.answered[what["answered"]] = Answer(what["answer"]["batch_id"], outcomes)


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
    met, chance, said = Deaths(rounds), random.Random(seed), []
    for number in steps.through(rounds):
        said.append(_run_and_kill(f"{seed}-{number}", chance))
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


def _run_and_kill(seed: str, chance: random.Random) -> Said:
    enough, said = chance.randint(1, MOST_ANSWERS), Said()
    with forked(refund_process.main, seed) as (process, output):
        for line in output:
            said.hear(line)
            if len(said.answered) == enough:
                time.sleep(chance.uniform(0, MOST_SECONDS))
                process.kill()
    assert process.exitcode == -signal.SIGKILL, f"It ended by itself: {process.exitcode}"
    return said


def _count_written(keys: list[str]) -> int:
    with storage.reading() as session:
        written = select(RefundBatch.batch_id).where(RefundBatch.idempotency_key.in_(keys))
        return len(session.scalars(written).all())


def _send_in_flight_again(said: Said, ask: Ask) -> None:
    """Repeat requests whose answer was lost: the same key always gives the same answer."""
    for key in said.in_flight:
        said.answered[key] = ask(said.asked[key], key)
        outcomes = said.answered[key].outcomes
        assert [one.order_item_id for one in outcomes] == sorted(said.asked[key])


def _check_that_it_stands(said: Said, ask: Ask) -> None:
    """Check that no answer is lost, and that a replay gives the same answer."""
    granted = {one.refund_id for answer in said.answered.values() for one in answer.requested}
    with storage.reading() as session:
        succeeded = select(Refund.refund_id).where(Refund.status == RefundStatus.SUCCEEDED)
        lost = granted - set(session.scalars(succeeded))
    assert not lost, f"Granted and not refunded: {sorted(map(str, lost))[:3]}"
    for key, answer in said.answered.items():
        again = ask(said.asked[key], key)
        assert again == answer, f"Key {key} was answered {answer}, and then {again}"
