"""Refunds under everything that can happen to them, in any order: the books hold at every step.

Hypothesis plays people who refund, retry and click twice, workers that die, a provider that pays,
refuses, breaks and is not heard of, and the clock.
"""

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from core import db
from core.gateway import Failed, Outcome, RefundJob, Succeeded, Unknown
from core.models import OrderItem, Refund, RefundBatch, Transaction
from core.refunds import Answer, KeyTaken
from core.settlement import OPEN, settle_due
from core.states import RefundStatus
from tests.conftest import NOW, use_database
from tests.core.books import check_books
from tests.core.refund_rows import (
    Killed,
    by_card,
    count,
    make_card_order,
    make_paid_order,
    make_refundable,
    request,
    settings,
)
from tests.rows import make_transaction

AN_HOUR, LEASE = timedelta(hours=1), timedelta(seconds=60)
DEADLINES = (NOW + AN_HOUR, NOW + timedelta(days=1), NOW + timedelta(days=30))
PRICES = (3800, 1250, 990)
ITEMS = 2 * len(PRICES)  # half of them by balance, half by card


class Mood(NamedTuple):
    """What happens when the provider is asked: does the request arrive, and then the answer?

    A slow answer comes after the lease, when another worker has asked again.
    """

    arrives: bool
    pays: bool
    end: str  # one of ENDS

    def __repr__(self) -> str:
        done = ("pays" if self.pays else "refuses") if self.arrives else "hears nothing"
        return f"<{done}, {self.end}>"


ENDS = ("answer", "silence", "breaks", "dies", "slow")
MOODS = st.builds(Mood, st.booleans(), st.booleans(), st.sampled_from(ENDS))
WELL = Mood(arrives=True, pays=True, end="answer")


class Provider:
    """Decides once for each key, and pays once; keeps its own record of that."""

    def __init__(self, others: Callable[[], None]) -> None:
        self.others = others
        self.now = NOW
        self.moods = [WELL]
        self.decided: dict[str, bool] = {}
        self.paid: dict[str, int] = defaultdict(int)
        self.jobs: dict[str, RefundJob] = {}
        self.not_before: dict[str, datetime] = {}
        self.faults: list[str] = []  # of whoever asks: an error raised here would be caught

    def refund(self, job: RefundJob) -> Outcome:
        self.check(job)
        mood = self.moods.pop(0) if len(self.moods) > 1 else self.moods[0]
        if mood.arrives and job.key not in self.decided:
            self.decided[job.key] = mood.pays
            if mood.pays:
                self.paid[job.refund_id] += job.amount_minor
        wait = LEASE if mood.end in ("dies", "slow") else timedelta(seconds=5)
        self.not_before[job.key] = self.now + wait
        if mood.end == "slow":
            self.others()
        if mood.end == "breaks":
            raise OSError(f"The answer for {job.key} is lost")
        if mood.end == "dies":
            raise Killed
        if mood.end == "silence" or not mood.arrives:
            return Unknown("Nobody answers.")
        return Succeeded(f"re_{job.key}") if self.decided[job.key] else Failed("No.")

    def check(self, job: RefundJob) -> None:
        before = self.jobs.setdefault(job.key, job)
        same = (job.amount_minor, job.currency, job.reference)
        if same != (before.amount_minor, before.currency, before.reference):
            self.faults.append(f"{job} is unlike {before}")
        if before is not job and not job.was_asked:
            self.faults.append(f"{job} was asked before")
        if self.now < self.not_before.get(job.key, self.now):
            self.faults.append(f"{job} was asked again too soon")


def sell() -> list[str]:
    """Store an order paid by balance and one paid by card, and books that are right."""
    paid = sum(PRICES)
    make_paid_order("BY-BALANCE", paid=paid, item_count=len(PRICES))
    make_card_order("BY-CARD", reference="pi_1", paid=paid, item_count=len(PRICES))
    make_transaction(type="top_up", amount_minor=paid)
    return [
        make_refundable(
            order,
            order_item_id=f"{order}-{number}",
            price_minor=price,
            refund_expire_at=deadline,
        )
        for order in ("BY-BALANCE", "BY-CARD")
        for number, (price, deadline) in enumerate(zip(PRICES, DEADLINES, strict=True))
    ]


class RefundMachine(RuleBasedStateMachine):
    """One contract, two orders, six items; every rule is something that happens."""

    def __init__(self) -> None:
        super().__init__()
        self.items = sell()
        self.provider = Provider(others=self.another_worker)
        self.sent: list[tuple[str, list[str], Answer | None]] = []

    @property
    def now(self) -> datetime:
        return self.provider.now

    def another_worker(self) -> None:
        """Work after a lease, while the first worker still waits for its answer."""
        self.provider.now += LEASE
        self.provider.moods = [WELL]
        settle_due(now=self.now, gateways=by_card(self.provider))

    def send(self, key: str, items: list[str]) -> Answer | None:
        """Send a request; None when the process died before it could answer."""
        gateways = by_card(self.provider)
        try:
            return request(*items, key=key, now=self.now, gateways=gateways)
        except Killed:
            return None

    def read_items(self) -> dict[str, OrderItem]:
        with db.reading() as session:
            return {item.order_item_id: item for item in session.scalars(select(OrderItem))}

    def read_refunds(self) -> list[Refund]:
        with db.reading() as session:
            return list(session.scalars(select(Refund)))

    @rule(
        picked=st.sets(st.integers(0, ITEMS - 1), min_size=1),
        moods=st.lists(MOODS, min_size=1, max_size=3),
    )
    def refund(self, picked: set[int], moods: list[Mood]) -> None:
        self.provider.moods = moods
        items = [self.items[number] for number in sorted(picked)]
        before = self.read_items()
        able = {
            one
            for one in items
            if before[one].status == "not_used" and self.now <= before[one].refund_expire_at
        }
        key = f"key {len(self.sent)}"
        answer = self.send(key, items)
        self.sent.append((key, items, answer))
        if answer is not None:
            assert {one.order_item_id for one in answer.requested} == able
            assert [one.order_item_id for one in answer.outcomes] == items

    @precondition(lambda self: self.failed())
    @rule(moods=st.lists(MOODS, min_size=1, max_size=2))
    def try_again_what_failed(self, moods: list[Mood]) -> None:
        failed = [self.items.index(one) for one in self.failed()]
        self.refund(set(failed), moods)

    def failed(self) -> list[str]:
        refunds = self.read_refunds()
        return [one.order_item_id for one in refunds if one.status == RefundStatus.FAILED]

    @precondition(lambda self: self.sent)
    @rule(number=st.integers(0, 100), mood=MOODS)
    def click_again(self, number: int, mood: Mood) -> None:
        number %= len(self.sent)
        key, items, first = self.sent[number]
        self.provider.moods = [mood]
        answer = self.send(key, items)
        if first is None:
            self.sent[number] = (key, items, answer)
        elif answer is not None:
            assert answer == first

    @precondition(lambda self: self.sent)
    @rule(number=st.integers(0, 100))
    def send_other_items_with_an_old_key(self, number: int) -> None:
        key, items, _ = self.sent[number % len(self.sent)]
        before = self.read_items()
        others = [one for one in self.items if one not in items] or items[:-1]
        with pytest.raises(KeyTaken):
            self.send(key, others)
        after = self.read_items()
        assert {one: after[one].status for one in after} == {
            one: before[one].status for one in before
        }

    @rule(moods=st.lists(MOODS, min_size=1, max_size=3))
    def work(self, moods: list[Mood]) -> None:
        self.provider.moods = moods
        with suppress(Killed):
            settle_due(now=self.now, gateways=by_card(self.provider))

    @rule(seconds=st.sampled_from([1, 5, 59, 61, 600, 3_599, 3_601, 90_000]))
    def wait(self, seconds: int) -> None:
        self.provider.now += timedelta(seconds=seconds)

    @invariant()
    def the_books_are_right(self) -> None:
        check_books()

    @invariant()
    def the_provider_paid_what_the_items_say(self) -> None:
        assert self.provider.faults == []
        refunds = self.read_refunds()
        by_item = {one.order_item_id: one.refund_id for one in refunds}
        assert len(by_item) == len(refunds), "a retry is the same refund"
        for item_id, item in self.read_items().items():
            paid = self.provider.paid.get(by_item.get(item_id, ""), 0)
            is_by_card = item.order_id == "BY-CARD"
            price = item.price_minor if is_by_card else 0
            allowed = {"not_used": {0}, "refund_requested": {0, price}, "refunded": {price}}
            assert paid in allowed[item.status], (item_id, item.status, paid)

    @invariant()
    def every_request_is_kept_once(self) -> None:
        assert count(RefundBatch) == len(self.sent)

    def teardown(self) -> None:
        """Let the provider be well and time pass: everything comes to its end."""
        self.provider.moods = [WELL]
        self.provider.now += AN_HOUR  # no lease lasts that long, and nothing waits longer
        while settle_due(now=self.now, gateways=by_card(self.provider)):
            pass
        assert not [one for one in self.read_refunds() if one.status in OPEN]
        self.the_books_are_right()
        self.the_provider_paid_what_the_items_say()
        entered = select(Transaction.refund_id, func.sum(Transaction.amount_minor)).where(
            Transaction.type == "refund",
            Transaction.method == "card",
            Transaction.status == "succeeded",
        )
        with db.reading() as session:
            ledger: list[Any] = list(session.execute(entered.group_by(Transaction.refund_id)))
        assert dict(ledger) == self.provider.paid


# A new database for each example: one of PostgreSQL takes three times as long.
@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 25), ("postgresql", 12)])
def test_the_books_hold_whatever_happens(
    kind: str, examples: int, make_database: Callable[[str], str]
) -> None:
    def start() -> RefundMachine:
        use_database(make_database(kind))
        return RefundMachine()

    with settings(stripe_api_key="sk_test_x"):
        run_state_machine_as_test(
            start,
            settings=hypothesis_settings(
                max_examples=examples,
                stateful_step_count=20,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    db.engine().dispose()
