"""Run many requests for the same items at the same time, and collect the results."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from threading import Barrier
from typing import TypeVar

from sqlalchemy import func, select

from core import refunds, storage
from core.access import Actor
from core.ground import ItemStatus, RefundStatus
from core.refunds import configured_gateways
from core.refunds.gateway import Gateways
from core.refunds.requests import Answer
from core.refunds.settlement import OPEN
from core.storage import OrderItem, Refund
from tests.conftest import NOW
from tests.core import steps

MOST_ITEMS = 8  # per request
LEASES_ARE_OVER = NOW + timedelta(hours=1)
SETTLE_SECONDS = 60
PAUSE_SECONDS = 0.01

Ask = Callable[[Sequence[str], str], Answer]  # the IDs of items and the key
Result = TypeVar("Result")


@dataclass(frozen=True)
class Reply:
    """The result of one request: an answer or an error."""

    item_ids: list[str]
    seconds: float
    answer: Answer | None
    error: Exception | None = None


@dataclass(frozen=True)
class Race:
    """The results of all requests."""

    replies: list[Reply]
    seconds: float

    @property
    def errors(self) -> list[Exception]:
        """Return every error: no request may fail because of another."""
        return [reply.error for reply in self.replies if reply.error]

    @property
    def wanted(self) -> set[str]:
        """Return the items that were requested."""
        return {one for reply in self.replies for one in reply.item_ids}

    @property
    def incomplete(self) -> list[Reply]:
        """Return the replies with missing or extra outcomes."""
        return [
            reply
            for reply in self.replies
            if reply.answer is not None
            and sorted(reply.item_ids) != [one.order_item_id for one in reply.answer.outcomes]
        ]

    @property
    def granted(self) -> Counter[str]:
        """Count how often the refund of each item was granted; once is correct."""
        answers = [reply.answer for reply in self.replies if reply.answer is not None]
        return Counter(one.order_item_id for answer in answers for one in answer.requested)

    @property
    def per_second(self) -> float:
        """Return the number of answered requests per second."""
        return len(self.replies) / self.seconds

    @property
    def times(self) -> list[float]:
        """Return the duration of each request, the shortest first."""
        return sorted(reply.seconds for reply in self.replies)


def percentile_95(times: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(times, n=20)[-1]


def at_once(threads: int, act: Callable[[int], Result]) -> list[Result]:
    """Run a function in several threads that start at the same time."""
    barrier = Barrier(threads)

    def run(number: int) -> Result:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def race(ask: Ask, items: Sequence[str], *, threads: int, requests: int, seed: int = 7) -> Race:
    """Request refunds of overlapping random items from several threads."""

    def run(thread: int) -> list[Reply]:
        chance = random.Random(seed * 1_000 + thread)
        return [
            _timed(ask, pick(items, chance), f"{seed}-{thread}-{number}")
            for number in range(requests)
        ]

    steps.begin(threads * requests)
    started = time.perf_counter()
    replies = [reply for replies in at_once(threads, run) for reply in replies]
    return Race(replies, time.perf_counter() - started)


def pick(items: Sequence[str], chance: random.Random) -> list[str]:
    """Choose some of the items in random order."""
    return chance.sample(items, chance.randint(1, MOST_ITEMS))


def _timed(ask: Ask, item_ids: list[str], key: str) -> Reply:
    started = time.perf_counter()
    try:
        answer, error = ask(item_ids, key), None
    except Exception as failure:
        answer, error = None, failure
    steps.step()
    return Reply(item_ids, time.perf_counter() - started, answer, error)


UNSETTLED: Gateways = {}  # nothing is settled


def guarded(actor: Actor, gateways: Gateways | None = None) -> Ask:
    """Return a function that calls core's request as the dialog does."""

    def ask(item_ids: Sequence[str], key: str) -> Answer:
        return refunds.request(
            item_ids, reason="goodwill", key=key, actor=actor, now=NOW, gateways=gateways
        )

    return ask


def settle_all() -> None:
    """Settle until nothing is open, even if a killed process holds a lease."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while count_open():
        if not refunds.settle_due(now=LEASES_ARE_OVER, gateways=configured_gateways()):
            # PostgreSQL needs a moment to notice that the process with the locks is gone.
            assert time.monotonic() < deadline, f"{count_open()} refunds stay open"
            time.sleep(PAUSE_SECONDS)


def count_open() -> int:
    """Count the refunds without an outcome."""
    with storage.reading() as session:
        is_open = select(func.count()).select_from(Refund).where(Refund.status.in_(OPEN))
        return session.scalar(is_open) or 0


def count_double_refunds() -> int:
    """Count the refunds of an item after the first; failed refunds do not count."""
    each = (
        select(func.count().label("made"))
        .where(Refund.status != RefundStatus.FAILED)
        .group_by(Refund.order_item_id)
        .subquery()
    )
    with storage.reading() as session:
        return session.scalar(select(func.coalesce(func.sum(each.c.made - 1), 0))) or 0


def refunded_items() -> set[str]:
    """Return the refunded items."""
    with storage.reading() as session:
        is_refunded = OrderItem.status == ItemStatus.REFUNDED
        return set(session.scalars(select(OrderItem.order_item_id).where(is_refunded)))
