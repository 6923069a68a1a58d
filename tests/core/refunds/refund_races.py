"""Many who refund the same items at the same moment: how it is run, and what came of it."""

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

MOST_ITEMS = 8  # that one request asks for
LEASES_ARE_OVER = NOW + timedelta(hours=1)
SETTLE_SECONDS = 60
PAUSE_SECONDS = 0.01

Ask = Callable[[Sequence[str], str], Answer]  # ids of items, and the key
Result = TypeVar("Result")


@dataclass(frozen=True)
class Reply:
    """What one request got: an answer, or an error."""

    item_ids: list[str]
    seconds: float
    answer: Answer | None
    error: Exception | None = None


@dataclass(frozen=True)
class Race:
    """What all the requests got."""

    replies: list[Reply]
    seconds: float

    @property
    def errors(self) -> list[Exception]:
        """Return every failure: nobody's request may fail because of the others."""
        return [reply.error for reply in self.replies if reply.error]

    @property
    def wanted(self) -> set[str]:
        """Return the items that somebody asked for."""
        return {one for reply in self.replies for one in reply.item_ids}

    @property
    def incomplete(self) -> list[Reply]:
        """Return the replies that leave items without an outcome, or have some too many."""
        return [
            reply
            for reply in self.replies
            if reply.answer is not None
            and sorted(reply.item_ids) != [one.order_item_id for one in reply.answer.outcomes]
        ]

    @property
    def granted(self) -> Counter[str]:
        """Count how often the refund of each item was granted: once is right."""
        answers = [reply.answer for reply in self.replies if reply.answer is not None]
        return Counter(one.order_item_id for answer in answers for one in answer.requested)

    @property
    def per_second(self) -> float:
        """Return how many requests were answered in a second."""
        return len(self.replies) / self.seconds

    @property
    def times(self) -> list[float]:
        """Return how long each request took, shortest first."""
        return sorted(reply.seconds for reply in self.replies)


def percentile_95(times: Sequence[float]) -> float:
    """Return the time that 19 of 20 keep to."""
    return quantiles(times, n=20)[-1]


def at_once(threads: int, act: Callable[[int], Result]) -> list[Result]:
    """Run an act in that many threads, which all start at the same moment."""
    barrier = Barrier(threads)

    def run(number: int) -> Result:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))


def race(ask: Ask, items: Sequence[str], *, threads: int, requests: int, seed: int = 7) -> Race:
    """Let threads ask, one request after the other, for random items that overlap."""

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
    """Choose some of the items, in an order of chance."""
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
    """Return core's own request, as the dialog makes it."""

    def ask(item_ids: Sequence[str], key: str) -> Answer:
        return refunds.request(
            item_ids, reason="goodwill", key=key, actor=actor, now=NOW, gateways=gateways
        )

    return ask


def settle_all() -> None:
    """Settle until nothing is open, whoever died holding a lease."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while count_open():
        if not refunds.settle_due(now=LEASES_ARE_OVER, gateways=configured_gateways()):
            # PostgreSQL takes a moment to notice that who locked the rows is gone.
            assert time.monotonic() < deadline, f"{count_open()} refunds stay open"
            time.sleep(PAUSE_SECONDS)


def count_open() -> int:
    """Count the refunds whose outcome is not known yet."""
    with storage.reading() as session:
        is_open = select(func.count()).select_from(Refund).where(Refund.status.in_(OPEN))
        return session.scalar(is_open) or 0


def count_double_refunds() -> int:
    """Count the refunds that an item has beyond the first, failed ones aside."""
    each = (
        select(func.count().label("made"))
        .where(Refund.status != RefundStatus.FAILED)
        .group_by(Refund.order_item_id)
        .subquery()
    )
    with storage.reading() as session:
        return session.scalar(select(func.coalesce(func.sum(each.c.made - 1), 0))) or 0


def refunded_items() -> set[str]:
    """Return the items that are refunded."""
    with storage.reading() as session:
        is_refunded = OrderItem.status == ItemStatus.REFUNDED
        return set(session.scalars(select(OrderItem.order_item_id).where(is_refunded)))
