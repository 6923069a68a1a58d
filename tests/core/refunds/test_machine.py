"""Refunds under random steps in any order: the books are correct after every step.

Hypothesis plays people who refund, retry and click twice, a second person who approves or declines
what is above a limit that changes, workers that are killed, and a provider that pays, refuses,
fails, forgets keys or does not answer. It also plays banks that return money, a person who refunds
by hand at the provider, and the clock.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

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

from core import storage
from core.access import KeyTaken
from core.ground import RefundStatus, Role
from core.refunds import Decision, approve, decline, decline_late, look_again_due, settle_due
from core.refunds.gateway import ProviderStatus, RefundAtProvider, Succeeded
from core.refunds.requests import Answer
from core.refunds.settlement import OPEN
from core.storage import OrderItem, Refund, RefundBatch, RefundDecision
from tests.core.books import check_books
from tests.core.refunds.card_bank import Payment
from tests.core.refunds.moody_bank import LEASE, MOODS, WELL, Mood, MoodyBank
from tests.core.refunds.refund_rows import (
    FakeGateway,
    Killed,
    by_card,
    count,
    request,
    settings,
)
from tests.core.refunds.refund_world import (
    BY_HAND,
    ITEMS,
    LIMITS,
    MOST_BY_HAND,
    ODD_PAYMENTS,
    PRICES,
    entered,
    limit_refunds,
    read_items,
    read_refunds,
    read_to_match,
    sell,
    sell_for_matching,
    sum_of_a_day,
)
from tests.databases import NOW, POSTGRESQL, SQLITE, use_database
from tests.effort import share
from tests.rows import make_actor

Decided = tuple[str, list[str], bool, Decision | None]  # key, refunds, yes or no, answer


class RefundMachine(RuleBasedStateMachine):
    """One contract, two orders and six items; every rule is an event."""

    def __init__(self) -> None:
        super().__init__()
        self.items = sell()
        self.provider = MoodyBank(others=self.another_worker)
        self.sent: list[tuple[str, list[str], Answer | None]] = []
        self.for_matching = sell_for_matching()
        self.by_hand = self.matched = 0
        self.limit: int | None = None
        self.boss = make_actor(Role.ACCOUNTANT)
        self.decided: list[Decided] = []

    @property
    def now(self) -> datetime:
        return self.provider.now

    def another_worker(self) -> None:
        """Work after a lease, while the first worker still waits for its answer."""
        self.provider.now += LEASE
        self.provider.moods = [WELL]
        self.settle_and_look()

    def settle_and_look(self) -> int:
        gateways = by_card(self.provider)
        settled = settle_due(now=self.now, gateways=gateways)
        looked = look_again_due(now=self.now, gateways=gateways)
        return settled + looked + decline_late(now=self.now)

    def send(self, key: str, items: list[str]) -> Answer | None:
        """Send a request; None if the process died before its answer."""
        gateways = by_card(self.provider)
        try:
            return request(*items, key=key, now=self.now, gateways=gateways)
        except Killed:
            return None

    def read_items(self) -> dict[str, OrderItem]:
        return read_items(self.items)

    def read_refunds(self) -> dict[str, Refund]:
        return read_refunds(self.items)

    def is_able(self, item: OrderItem) -> bool:
        """Whether an item can be refunded now: by its terms, or because the bank returned money."""
        refund = self.read_refunds().get(item.order_item_id)
        if item.status == "refund_requested":
            assert refund is not None
            return refund.status == "failed" and refund.failed_after_success_at is not None
        deadline = item.refund_expire_at
        return item.status == "not_used" and deadline is not None and self.now <= deadline

    @rule(
        picked=st.sets(st.integers(0, ITEMS - 1), min_size=1),
        moods=st.lists(MOODS, min_size=1, max_size=3),
    )
    def refund(self, picked: set[int], moods: list[Mood]) -> None:
        self.provider.moods = moods
        items = [self.items[number] for number in sorted(picked)]
        before = self.read_items()
        able = {one for one in items if self.is_able(before[one])}
        asked = sum(before[one].price_minor for one in able)
        is_over = self.limit is not None and asked + self.sum_of_a_day(able) > self.limit
        key = f"key {len(self.sent)}"
        answer = self.send(key, items)
        self.sent.append((key, items, answer))
        if answer is not None:
            assert {one.order_item_id for one in answer.requested} == able
            assert {one.order_item_id for one in answer.waiting} == (able if is_over else set())
            assert [one.order_item_id for one in answer.outcomes] == items

    @precondition(lambda self: self.failed())
    @rule(moods=st.lists(MOODS, min_size=1, max_size=2))
    def try_again_what_failed(self, moods: list[Mood]) -> None:
        failed = [self.items.index(one) for one in self.failed()]
        self.refund(set(failed), moods)

    def failed(self) -> list[str]:
        refunds = self.read_refunds().items()
        return [item for item, one in refunds if one.status == RefundStatus.FAILED]

    def sum_of_a_day(self, without: set[str]) -> int:
        return sum_of_a_day(self.now, without=without)

    @rule(limit=st.sampled_from(LIMITS))
    def change_the_limit(self, limit: int | None) -> None:
        self.limit = limit
        limit_refunds(limit)

    def waiting(self) -> list[str]:
        refunds = self.read_refunds().values()
        return [one.refund_id for one in refunds if one.status == RefundStatus.WAITING]

    @precondition(lambda self: self.waiting())
    @rule(
        numbers=st.sets(st.integers(0, ITEMS - 1), min_size=1),
        is_approval=st.booleans(),
        moods=st.lists(MOODS, min_size=1, max_size=3),
    )
    def decide(self, numbers: set[int], is_approval: bool, moods: list[Mood]) -> None:
        waiting = self.waiting()
        chosen = sorted({waiting[number % len(waiting)] for number in numbers})
        self.provider.moods = moods
        key = f"decision {len(self.decided)}"
        answer = self.send_decision(key, chosen, is_approval)
        self.decided.append((key, chosen, is_approval, answer))
        if answer is not None:
            done = answer.approved if is_approval else answer.declined
            assert [one.refund_id for one in done] == chosen

    def send_decision(self, key: str, ids: list[str], is_approval: bool) -> Decision | None:
        """Decide; None if the process died before its answer."""
        asked: dict[str, Any] = {"note": "x", "key": key, "actor": self.boss, "now": self.now}
        try:
            if is_approval:
                return approve(ids, gateways=by_card(self.provider), **asked)
            return decline(ids, **asked)
        except Killed:
            return None

    @precondition(lambda self: self.decided)
    @rule(number=st.integers(0, 100), mood=MOODS)
    def decide_again(self, number: int, mood: Mood) -> None:
        number %= len(self.decided)
        key, ids, is_approval, first = self.decided[number]
        self.provider.moods = [mood]
        answer = self.send_decision(key, ids, is_approval)
        if first is None:
            self.decided[number] = (key, ids, is_approval, answer)
        elif answer is not None:
            assert answer == first

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
            self.settle_and_look()

    @rule(seconds=st.sampled_from([1, 5, 59, 61, 600, 3_599, 3_601, 90_000, 700_000]))
    def wait(self, seconds: int) -> None:
        self.provider.wait(seconds)

    @rule(is_slow=st.booleans())
    def let_the_provider_take_days(self, is_slow: bool) -> None:
        self.provider.status = ProviderStatus.PENDING if is_slow else ProviderStatus.SUCCEEDED

    def paid_out(self, status: ProviderStatus) -> list[RefundAtProvider]:
        found = self.provider.all_refunds
        return [one for one in found if one.status is status and one.order_item_id]

    @precondition(lambda self: self.paid_out(ProviderStatus.PENDING))
    @rule(number=st.integers(0, 100), is_paid=st.booleans())
    def end_a_pending_refund(self, number: int, is_paid: bool) -> None:
        pending = self.paid_out(ProviderStatus.PENDING)
        end = ProviderStatus.SUCCEEDED if is_paid else ProviderStatus.ENDED
        self.provider.change(pending[number % len(pending)].reference, end)

    @precondition(lambda self: self.paid_out(ProviderStatus.SUCCEEDED))
    @rule(number=st.integers(0, 100), is_seen=st.booleans())
    def let_the_bank_return_money(self, number: int, is_seen: bool) -> None:
        paid = self.paid_out(ProviderStatus.SUCCEEDED)
        self.provider.give_back(paid[number % len(paid)].reference)
        if is_seen:
            self.provider.moods = [WELL]
            self.provider.wait(700_000)
            while look_again_due(now=self.now, gateways=by_card(self.provider)):
                pass

    @precondition(lambda self: self.by_hand < MOST_BY_HAND)
    @rule(amount=st.sampled_from(BY_HAND))
    def refund_by_hand(self, amount: int) -> None:
        self.by_hand += 1
        self.provider.make("pi_1", amount)

    @rule(odd=st.sampled_from(ODD_PAYMENTS))
    def find_the_payment_odd_for_once(self, odd: dict[str, object]) -> None:
        """Work while the provider's payment differs from our books."""
        payment = self.provider.payment("pi_1")
        for name, value in odd.items():
            setattr(payment, name, value)
        paid = [one.reference for one in self.provider.all_refunds]
        self.provider.moods = [WELL]
        self.send_what_can_be_sent()
        self.settle_and_look()
        assert [one.reference for one in self.provider.all_refunds] == paid
        for name in odd:
            setattr(payment, name, getattr(Payment(), name))

    def send_what_can_be_sent(self) -> None:
        """Refund the most expensive card item: more than the rest of a small payment."""
        dearest = self.items[len(PRICES)]
        key = f"key {len(self.sent)}"
        self.sent.append((key, [dearest], self.send(key, [dearest])))

    @precondition(lambda self: bool(read_to_match()))
    @rule()
    def match_what_was_made_by_hand(self) -> None:
        limit_refunds(None)
        for one in read_to_match():
            self.matched += 1
            item = self.for_matching[one.amount_minor].pop()
            matched = by_card(FakeGateway(Succeeded(one.reference)))
            request(item, key=f"match {one.reference}", now=NOW, gateways=matched)
        limit_refunds(self.limit)

    @invariant()
    def the_books_are_right(self) -> None:
        check_books()

    @invariant()
    def the_provider_paid_what_the_items_say(self) -> None:
        assert self.provider.faults == []
        refunds = self.read_refunds()
        for item_id, item in self.read_items().items():
            paid = self.provider.paid_for(item_id)
            is_by_card = item.order_id == "BY-CARD"
            price = item.price_minor if is_by_card else 0
            reference = refunds[item_id].external_reference if item_id in refunds else None
            is_back = reference in self.provider.returned
            allowed = {
                "not_used": {0},
                "refund_requested": {0, price},
                "refunded": {0} if is_back else {price},
            }
            assert paid in allowed[item.status], (item_id, item.status, paid)

    @invariant()
    def what_the_books_call_paid_is_alive_at_the_provider(self) -> None:
        for item_id, refund in self.read_refunds().items():
            if refund.status == RefundStatus.SUCCEEDED and refund.gateway == "card":
                found = self.provider.find(str(refund.external_reference))
                assert found.order_item_id == item_id
                assert found.is_active or found.reference in self.provider.returned

    @invariant()
    def nothing_is_paid_before_it_is_approved(self) -> None:
        for item_id, refund in self.read_refunds().items():
            is_first = refund.failed_after_success_at is None
            if refund.status in (RefundStatus.WAITING, RefundStatus.DECLINED) and is_first:
                assert self.provider.paid_for(item_id) == 0

    @invariant()
    def every_request_and_decision_is_kept_once(self) -> None:
        assert count(RefundBatch) == len(self.sent) + self.matched
        assert count(RefundDecision) == len(self.decided)

    def teardown(self) -> None:
        """Let the provider recover, match every refund, and let time pass: all refunds end."""
        self.provider.status = ProviderStatus.SUCCEEDED
        for one in self.paid_out(ProviderStatus.PENDING):
            self.provider.change(one.reference, ProviderStatus.SUCCEEDED)
        for _ in range(2):  # refunds by hand that the first round finds are matched in the second
            self.provider.moods = [WELL]
            self.provider.wait(60 * 86_400)  # longer than any lease or check
            while self.settle_and_look():
                pass
            self.match_what_was_made_by_hand()
        refunds = self.read_refunds()
        unfinished = {*OPEN, RefundStatus.WAITING}
        assert not [one for one in refunds.values() if one.status in unfinished]
        self.the_books_are_right()
        self.the_provider_paid_what_the_items_say()
        self.what_the_books_call_paid_is_alive_at_the_provider()
        known = {one.external_reference for one in refunds.values() if one.status == "succeeded"}
        alive = [one for one in self.provider.all_refunds if one.is_active and one.order_item_id]
        assert {one.reference for one in alive} <= known
        cards = [one for one in self.items if one.startswith("BY-CARD")]
        assert entered(cards) == {one: self.provider.paid_for(one) for one in cards}


@pytest.mark.parametrize("kind", [SQLITE, POSTGRESQL])
def test_the_books_are_right_after_any_steps(
    kind: str, empty_database: Callable[[str], str]
) -> None:
    def start() -> RefundMachine:
        """Begin with an empty database for each example."""
        use_database(empty_database(kind))
        return RefundMachine()

    start_as_class: Any = start

    with settings(stripe_api_key="sk_test_x"):
        run_state_machine_as_test(
            start_as_class,
            settings=hypothesis_settings(
                share(0.1 if kind == SQLITE else 0.06),
                stateful_step_count=20,
                suppress_health_check=list(HealthCheck),
            ),
        )
    storage.get_engine().dispose()
