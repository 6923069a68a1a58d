"""Kill workers while they refund by card: every refund is paid exactly once."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from core import refunds
from core.access import Actor
from core.ground import Method, get_settings
from core.query import MAX_SELECTED
from core.refunds.stripe import CardGateway
from tests.core import steps
from tests.core.forks import working
from tests.core.refunds import naive_refunds
from tests.core.refunds.card_provider import Till, providing
from tests.core.refunds.refund_races import UNSETTLED, count_open
from tests.core.refunds.sold_items import sell

KEY = "sk_test_of_nobody"
SETTINGS = {"STRIPE_API_KEY": KEY, "LEASE_SECONDS": "1", "NO_PROXY": "127.0.0.1"}
MOST_SECONDS = 0.06  # from a payout to the kill: before its answer, or while it is recorded
START_SECONDS, END_SECONDS = 60, 60
LOOK_SECONDS = 0.05


@contextmanager
def card_refunds(items: int, actor: Actor) -> Iterator[tuple[str, Till]]:
    """Run the provider and request refunds of card payments there, which nobody has settled.

    Yields the provider's address and its till.
    """
    with providing() as (address, till), changed(SETTINGS | {"STRIPE_API_BASE": address}):
        sold, now = sell(items, method=Method.CARD), datetime.now(UTC)
        for first in range(0, items, MAX_SELECTED):
            refunds.request(
                sold[first : first + MAX_SELECTED],
                reason="goodwill",
                key=f"cards-{first}",
                actor=actor,
                now=now,
                gateways=UNSETTLED,
            )
        assert count_open() == items
        yield address, till


@contextmanager
def changed(given: dict[str, str]) -> Iterator[None]:
    """Change settings for this process and its children."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    get_settings.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        get_settings.cache_clear()


def kill_workers(till: Till, *, kills: int, seed: int = 7) -> None:
    """Kill one worker after the other while they pay; the last one settles the rest."""
    chance, total = random.Random(seed), count_open()
    for number in steps.through(kills):
        goal = max(total * (number + 1) // (kills + 1), till.payouts.total() + 1)
        with working() as worker:
            assert till.wait_for(goal, START_SECONDS), f"{till.payouts.total()} of {goal} payouts"
            time.sleep(chance.uniform(0, MOST_SECONDS))
            worker.kill()
        assert worker.exitcode == -signal.SIGKILL, f"It ended by itself: {worker.exitcode}"
    with working() as worker:
        _wait_until_settled()
        worker.terminate()
    assert worker.exitcode == 0


def _wait_until_settled() -> None:
    deadline = time.monotonic() + END_SECONDS
    while left := count_open():
        assert time.monotonic() < deadline, f"{left} refunds stay open"
        time.sleep(LOOK_SECONDS)


class Killed(BaseException):
    """Stands for a kill inside this process."""


def kill_naive_workers(address: str, *, kills: int, seed: int = 7) -> None:
    """Let naive workers die between a payout and its record; the last one does the rest."""
    chance, now = random.Random(seed), datetime.now(UTC)
    gateway = CardGateway(KEY, address=address)
    left = [chance.randint(1, count_open() // (kills + 1)) for _ in range(kills)]

    def may_die() -> None:
        steps.step()
        if left:
            left[0] -= 1
            if left[0] == 0:
                left.pop(0)
                raise Killed

    steps.begin(count_open())
    while count_open():
        try:
            naive_refunds.work(gateway, now=now, may_die=may_die)
        except Killed:
            continue
