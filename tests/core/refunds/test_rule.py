"""The rule of refunds: every reason, its sentence, its order, and the last second."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.access import Actor
from core.ground import ItemStatus, Method, Role
from core.refunds import REASON_TEXTS, Reason, RefundItem
from core.refunds.rule import Payment, refundable
from core.vouchers import why_not_valid
from tests.conftest import NOW
from tests.effort import share

A_SECOND = timedelta(seconds=1)
AGENT = Actor("ana", "ana@helios.example", Role.AGENT, contracts=frozenset({"CT-1"}))
LONDON = ZoneInfo("Europe/London")
BALANCE, CARD = Payment(Method.BALANCE, None), Payment(Method.CARD, "pi_1")
ITEM = RefundItem(
    order_item_id="OD-1-1",
    order_id="OD-1",
    contract_id="CT-1",
    contract_currency="EUR",
    product_type="lounge",
    product="Aspire Lounge",
    passenger_name="Zoë Müller",
    airport_tz="Europe/London",
    price_minor=3800,
    currency="EUR",
    is_refundable=True,
    refund_expire_at=NOW,
    valid_until=NOW,
    status=ItemStatus.NOT_USED,
    payments=(BALANCE,),
)
# The conditions that an item can miss, in the order of the rule.
FAULTS: tuple[tuple[Reason, dict[str, Any], str], ...] = (
    (
        Reason.NOT_FOUND,
        {"contract_id": "CT-2"},
        "Order item “OD-1-1” was not found, or you have no access to it.",
    ),
    (Reason.USED, {"status": ItemStatus.USED}, "It has been used."),
    (Reason.NOT_REFUNDABLE, {"is_refundable": False}, "It is not refundable."),
    (
        Reason.DEADLINE_PASSED,
        {"refund_expire_at": NOW - A_SECOND},
        "The Refund Expire Date has passed: 2026-11-23 09:29:59 (Europe/London).",
    ),
    (
        Reason.EXPIRED,
        {"valid_until": NOW - A_SECOND},
        "It expired on 2026-11-23 09:29 (Europe/London).",
    ),
    (Reason.FREE, {"price_minor": 0}, "The price is zero, so there is nothing to refund."),
    (
        Reason.OTHER_CURRENCY,
        {"contract_currency": "USD"},
        "It was sold in EUR, but contract CT-1 is in USD. Refund it by hand.",
    ),
    (
        Reason.PAYMENT_UNKNOWN,
        {"payments": ()},
        "The order has no successful payment, so nothing can be paid back.",
    ),
    (
        Reason.NO_GATEWAY,
        {"payments": (CARD,)},
        "It was paid by card. Card payments cannot be refunded here yet: an admin has to set up "
        "the payment provider.",
    ),
)


def reason(item: RefundItem, *, now: datetime = NOW, actor: Actor = AGENT) -> Reason | None:
    refusal = refundable(item, now=now, actor=actor)
    return refusal.reason if refusal else None


def test_an_item_that_meets_every_condition_can_be_refunded() -> None:
    assert refundable(ITEM, now=NOW, actor=AGENT) is None


@pytest.mark.parametrize(("why", "fault", "sentence"), FAULTS, ids=[why for why, *_ in FAULTS])
def test_each_missing_condition_is_refused_with_its_sentence(
    why: Reason, fault: dict[str, Any], sentence: str
) -> None:
    refusal = refundable(replace(ITEM, **fault), now=NOW, actor=AGENT)
    assert refusal is not None
    assert (refusal.reason, refusal.sentence) == (why, sentence)


@pytest.mark.parametrize(
    ("why", "state", "sentence"),
    [
        (Reason.REFUNDED, {"status": ItemStatus.REFUNDED}, "It was refunded."),
        (
            Reason.REFUNDED,
            {"status": ItemStatus.REFUNDED, "refunded_at": datetime(2026, 7, 1, 12, tzinfo=UTC)},
            "It was refunded on 2026-07-01 13:00 (Europe/London).",
        ),
        (
            Reason.IN_PROGRESS,
            {"status": ItemStatus.REFUND_REQUESTED},
            "A refund is in progress.",
        ),
        (Reason.NOT_REFUNDABLE, {"refund_expire_at": None}, "It is not refundable."),
        (
            Reason.PAYMENT_UNKNOWN,
            {"payments": (Payment(Method.CARD, None),)},
            "The payment of the order has no reference, so it cannot be paid back.",
        ),
        (
            Reason.PAYMENT_UNKNOWN,
            {"payments": (CARD, BALANCE)},
            "The order has several payments, and it is not clear which one to pay back.",
        ),
    ],
)
def test_other_causes_of_the_same_reasons(
    why: Reason, state: dict[str, Any], sentence: str
) -> None:
    refusal = refundable(replace(ITEM, **state), now=NOW, actor=AGENT)
    assert refusal is not None
    assert (refusal.reason, refusal.sentence) == (why, sentence)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ACCOUNTANT])
def test_a_missing_permission_is_the_first_reason(role: Role) -> None:
    actor = Actor("v", "v@helios.example", role)  # the actor cannot see the contract either
    refusal = refundable(replace(ITEM, status=ItemStatus.USED), now=NOW, actor=actor)
    assert refusal is not None
    assert refusal.reason is Reason.NO_PERMISSION
    assert refusal.sentence == f"Your role, {role.capitalize()}, cannot refund."


def test_the_first_of_several_reasons_is_given() -> None:
    """Fix an item that misses every condition one by one: each time the next is given."""
    said = []
    for first in range(len(FAULTS)):
        faults: dict[str, Any] = {}
        for _, fault, _ in reversed(FAULTS[first:]):
            faults |= fault
        said.append(reason(replace(ITEM, **faults)))
    assert said == [why for why, *_ in FAULTS]


@pytest.mark.parametrize("state", [ItemStatus.REFUNDED, ItemStatus.REFUND_REQUESTED])
def test_the_status_of_an_item_comes_before_its_deadline(state: ItemStatus) -> None:
    item = replace(ITEM, status=state, refund_expire_at=NOW - timedelta(days=1))
    assert reason(item) in (Reason.REFUNDED, Reason.IN_PROGRESS)


@pytest.mark.parametrize("field", ["refund_expire_at", "valid_until"])
@pytest.mark.parametrize(
    ("past", "is_allowed"),
    [
        (-A_SECOND, True),
        (timedelta(0), True),
        (timedelta(microseconds=1), True),
        (timedelta(microseconds=999_999), True),
        (A_SECOND, False),
    ],
)
def test_an_item_is_refundable_through_the_second_of_its_deadline(
    field: str, past: timedelta, is_allowed: bool
) -> None:
    tomorrow = NOW + timedelta(days=1)
    later: dict[str, Any] = {"refund_expire_at": tomorrow, "valid_until": tomorrow}
    item = replace(ITEM, **(later | {field: NOW}))
    assert (reason(item, now=NOW + past) is None) is is_allowed


# The clock of London shows 01:30 twice on 25 October 2026, and no 01:30 on 29 March 2026.
@pytest.mark.parametrize(
    ("deadline", "shown"),
    [
        (
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            "2026-10-25 01:30:00 (Europe/London, UTC+01:00)",
        ),
        (
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            "2026-10-25 01:30:00 (Europe/London, UTC+00:00)",
        ),
        (datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), "2026-03-29 00:59:59 (Europe/London)"),
        (datetime(2026, 3, 29, 1, 0, 0, tzinfo=UTC), "2026-03-29 02:00:00 (Europe/London)"),
    ],
)
@pytest.mark.parametrize("zone", [UTC, LONDON, ZoneInfo("Asia/Tokyo")], ids=str)
def test_a_deadline_at_a_change_of_clocks_is_one_instant(
    deadline: datetime, shown: str, zone: Any
) -> None:
    item = replace(ITEM, refund_expire_at=deadline, valid_until=deadline + timedelta(days=1))
    assert reason(item, now=deadline.astimezone(zone)) is None
    refusal = refundable(item, now=(deadline + A_SECOND).astimezone(zone), actor=AGENT)
    assert refusal is not None
    assert refusal.sentence == f"The Refund Expire Date has passed: {shown}."


def test_the_first_of_two_equal_clock_times_does_not_last_until_the_second() -> None:
    first = datetime(2026, 10, 25, 1, 30, tzinfo=LONDON)
    item = replace(ITEM, refund_expire_at=first.astimezone(UTC))
    assert reason(replace(item, valid_until=NOW), now=first) is None
    assert reason(item, now=first.replace(fold=1)) is Reason.DEADLINE_PASSED


def test_a_deadline_is_shown_in_the_time_of_its_airport() -> None:
    deadline = NOW - A_SECOND
    item = replace(ITEM, refund_expire_at=deadline, airport_tz="Asia/Kathmandu")
    refusal = refundable(item, now=NOW, actor=AGENT)
    assert refusal is not None
    assert "2026-11-23 15:14:59 (Asia/Kathmandu)" in refusal.sentence


def test_several_payments_by_balance_count_as_one() -> None:
    assert reason(replace(ITEM, payments=(BALANCE, Payment(Method.BALANCE, "B-2")))) is None


def test_an_item_paid_by_card_is_refundable_if_the_gateway_is_set_up() -> None:
    gateways = frozenset(Method)
    assert reason(replace(ITEM, payments=(CARD,), gateways=gateways)) is None


def _around(good: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Prefer values that allow a refund; otherwise no example would be refundable."""
    return st.sampled_from([good] * 6 + list(others))


SECONDS = _around(NOW, NOW - A_SECOND, NOW + A_SECOND)
NO_REFERENCE = Payment(Method.CARD, None)
ITEMS = st.builds(
    replace,
    st.just(ITEM),
    contract_id=_around("CT-1", "CT-2"),
    contract_currency=_around("EUR", "USD"),
    price_minor=_around(3800, 0, 1),
    currency=_around("EUR", "USD"),
    is_refundable=_around(True, False),
    refund_expire_at=st.one_of(SECONDS, SECONDS, SECONDS, st.none()),
    valid_until=SECONDS,
    status=_around(*(ItemStatus.NOT_USED, *ItemStatus)),
    payments=_around((BALANCE,), (), (CARD,), (NO_REFERENCE,), (CARD, BALANCE), (CARD, CARD)),
    gateways=st.sampled_from([frozenset({Method.BALANCE}), frozenset(Method)]),
)
ACTORS = st.builds(
    Actor,
    st.just("u"),
    st.just("u@helios.example"),
    _around(Role.AGENT, *Role),
    sees_all_contracts=st.booleans(),
    contracts=st.sampled_from([frozenset({"CT-1"}), frozenset(), frozenset({"CT-1", "CT-2"})]),
)


def may_be_refunded(item: RefundItem, now: datetime, actor: Actor) -> bool:
    """State the rule again in one expression: every condition must hold."""
    methods = [payment.method for payment in item.payments]
    by_balance = bool(methods) and Method.CARD not in methods
    by_card = methods == [Method.CARD] and item.payments[0].reference is not None
    return all(
        (
            actor.role in ("agent", "admin"),
            actor.sees_all_contracts or item.contract_id in actor.contracts,
            item.status == "not_used",
            item.is_refundable,
            item.refund_expire_at is not None
            and int(now.timestamp()) <= item.refund_expire_at.timestamp(),
            int(now.timestamp()) <= item.valid_until.timestamp(),
            item.price_minor > 0,
            item.currency == item.contract_currency,
            by_balance or (by_card and Method.CARD in item.gateways),
        )
    )


@share(6)
@given(item=ITEMS, actor=ACTORS, microseconds=st.integers(-1_500_000, 1_500_000))
def test_an_item_is_refundable_exactly_if_every_condition_holds(
    item: RefundItem, actor: Actor, microseconds: int
) -> None:
    now = NOW + timedelta(microseconds=microseconds)
    refusal = refundable(item, now=now, actor=actor)
    assert (refusal is None) is may_be_refunded(item, now, actor)
    assert refusal is None or refusal.sentence.endswith(".")


def test_the_examples_include_both_outcomes() -> None:
    """Otherwise the property above would prove nothing."""
    found: set[bool] = set()

    @settings(max_examples=300, derandomize=True, database=None)
    @given(item=ITEMS, actor=ACTORS)
    def collect(item: RefundItem, actor: Actor) -> None:
        found.add(may_be_refunded(item, NOW, actor))

    collect()
    assert found == {True, False}


@pytest.mark.parametrize("refunded_at", [None, NOW])
@pytest.mark.parametrize("status", list(ItemStatus))
def test_a_voucher_is_refused_with_the_sentence_of_the_refund(
    status: ItemStatus, refunded_at: datetime | None
) -> None:
    over = replace(ITEM, status=status, refunded_at=refunded_at, valid_until=NOW - A_SECOND)
    refusal = refundable(over, now=NOW, actor=AGENT)
    assert refusal is not None
    terms = (over.status, over.valid_until, over.refunded_at, over.airport_tz)
    assert refusal.sentence == why_not_valid(*terms, now=NOW)


def test_the_explained_rule_lists_every_reason_in_order() -> None:
    of_the_item = [reason for reason, *_ in FAULTS if reason is not Reason.NOT_FOUND]
    said = dict.fromkeys(of_the_item)
    assert [reason for reason in REASON_TEXTS if reason in said] == list(said)
    about_people = {Reason.NO_PERMISSION, Reason.NOT_FOUND, Reason.NOT_CONFIRMED}
    assert set(REASON_TEXTS) == set(Reason) - about_people
    for reason, fault, sentence in FAULTS:
        if reason not in about_people | {Reason.OTHER_CURRENCY, Reason.PAYMENT_UNKNOWN}:
            assert sentence.startswith(REASON_TEXTS[reason]), fault
