"""Match refunds at the provider with items: every case of the rule."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.refunds.gateway import (
    Failed,
    PaymentAtProvider,
    ProviderStatus,
    RefundAtProvider,
    RefundJob,
    Succeeded,
    Unknown,
)
from core.refunds.matching import decide
from tests.effort import share

JOB = RefundJob("R-1", 2, 3800, "EUR", "OD-1", "I-1", reference="pi_1")
KEYS = [None, "R-1:1", "R-1:2", "R-1:10", "R-10:2", "R-2:1", "R-1", "", "R-1:2:2"]
NAMED = [None, "I-1", "I-10", "I-2", ""]
REFUNDS = st.builds(
    RefundAtProvider,
    reference=st.sampled_from([f"re_{number}" for number in range(6)]),
    status=st.sampled_from(ProviderStatus),
    amount_minor=st.sampled_from([3800, 3799, 38, 7600]),
    currency=st.sampled_from(["EUR", "EUR", "JPY"]),
    key=st.sampled_from(KEYS),
    order_item_id=st.sampled_from(NAMED),
)
PAYMENTS = st.builds(
    PaymentAtProvider,
    reference=st.just("pi_1"),
    currency=st.sampled_from(["EUR", "EUR", "EUR", "JPY"]),
    is_captured=st.sampled_from([True, True, True, False]),
    amount_minor=st.sampled_from([3799, 3800, 20_000, 100_000]),
    refunds=st.lists(REFUNDS, max_size=4, unique_by=lambda one: one.reference).map(tuple),
)
HELD = st.sets(st.sampled_from([f"re_{number}" for number in range(6)]), max_size=3)
RIGHT = PaymentAtProvider("pi_1", "EUR", is_captured=True, amount_minor=100_000)
OURS = RefundAtProvider("re_1", ProviderStatus.SUCCEEDED, 3800, "EUR", "R-1:2", "I-1")
BY_HAND = RefundAtProvider("re_1", ProviderStatus.SUCCEEDED, 3800, "EUR")
AT_WORK = Unknown("The card provider is still processing the refund.")


def paid_with(*refunds: RefundAtProvider, **given: Any) -> PaymentAtProvider:
    return replace(RIGHT, refunds=refunds, **given)


def is_of_item(one: RefundAtProvider) -> bool:
    """Whether a refund names the item; written independently of the code."""
    if one.order_item_id:
        return one.order_item_id == "I-1"
    return one.key is not None and one.key.split(":")[:-1] == ["R-1"]


@given(paid=PAYMENTS, held=HELD, was_asked=st.booleans())
@share(8)
@example(paid_with(OURS, replace(OURS, reference="re_2", status=ProviderStatus.ENDED)), set(), True)
@example(paid_with(replace(OURS, amount_minor=38), currency="JPY"), set(), True)
def test_the_rule_holds_for_every_payment(
    paid: PaymentAtProvider, held: set[str], was_asked: bool
) -> None:
    outcome = decide(replace(JOB, was_asked=was_asked), paid, held=held)
    alive = [one for one in paid.refunds if one.reference not in held and one.is_active]
    of_item = [one for one in alive if is_of_item(one)]
    fitting = [one for one in of_item if (one.amount_minor, one.currency) == (3800, "EUR")]
    unmatched = [one for one in alive if is_of_item(one) or not (one.key and one.order_item_id)]
    if fitting:
        adopted = [Succeeded(one.reference) for one in fitting]
        assert outcome in [*adopted, AT_WORK]
    else:
        assert not isinstance(outcome, Succeeded)
    if unmatched or paid.currency != "EUR" or not paid.is_captured:
        assert outcome is not None  # nothing is requested
    if of_item and was_asked:
        assert not isinstance(outcome, Failed)  # the money may have been paid
    if paid.left_minor < 3800 and not was_asked:
        assert outcome is not None
    if outcome is None:
        assert unmatched == []
    if isinstance(outcome, Failed | Unknown):
        assert set(outcome.to_match) <= set(unmatched)


@given(
    refunds=st.lists(REFUNDS, max_size=4, unique_by=lambda one: one.reference),
    was_asked=st.booleans(),
)
@share(2)
def test_refunds_that_our_rows_hold_do_not_stop_a_request(
    refunds: list[RefundAtProvider], was_asked: bool
) -> None:
    held = {one.reference for one in refunds}
    assert decide(replace(JOB, was_asked=was_asked), paid_with(*refunds), held=held) is None


ADOPTED: dict[str, RefundAtProvider] = {
    "of this attempt": OURS,
    "of an earlier attempt": replace(OURS, key="R-1:1"),
    "of a later attempt": replace(OURS, key="R-1:3"),
    "of a row that is gone": replace(OURS, key="R-9:1"),
    "of an older version": replace(OURS, order_item_id=None),
    "of an older version, an earlier attempt": replace(OURS, key="R-1:1", order_item_id=None),
}


@pytest.mark.parametrize("was_asked", [False, True])
@pytest.mark.parametrize("made", ADOPTED.values(), ids=ADOPTED)
def test_a_refund_of_this_item_is_adopted(made: RefundAtProvider, was_asked: bool) -> None:
    job = replace(JOB, was_asked=was_asked)
    assert decide(job, paid_with(made), held=()) == Succeeded("re_1")
    pending = replace(made, status=ProviderStatus.PENDING)
    assert decide(job, paid_with(pending), held=()) == AT_WORK
    nothing_left = paid_with(made, amount_minor=3800)
    assert decide(job, nothing_left, held=()) == Succeeded("re_1")


def test_a_paid_later_attempt_is_adopted_although_this_attempt_was_refused() -> None:
    """Our books come from a backup that is older than the retry."""
    refused = replace(OURS, status=ProviderStatus.ENDED)
    paid = replace(OURS, reference="re_2", key="R-1:3")
    for order in ((refused, paid), (paid, refused)):
        assert decide(JOB, paid_with(*order), held=()) == Succeeded("re_2")


def test_a_refused_attempt_fails_with_the_reason() -> None:
    refused = replace(OURS, status=ProviderStatus.ENDED, why_ended="expired or canceled card")
    assert decide(JOB, paid_with(refused), held=()) == Failed(
        "The card provider refused the refund: expired or canceled card."
    )
    earlier = replace(refused, key="R-1:1")
    assert decide(JOB, paid_with(earlier), held=()) is None  # a retry is requested


ODD: dict[str, dict[str, Any]] = {
    "another amount": {"amount_minor": 3799},
    "another currency": {"currency": "JPY"},
    "another amount of an older version": {"amount_minor": 38, "order_item_id": None},
}


@pytest.mark.parametrize("given", ODD.values(), ids=ODD)
@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_a_refund_of_this_item_with_another_amount_stops_the_request(
    given: dict[str, Any], currency: str
) -> None:
    made = replace(OURS, **given)
    paid = paid_with(made, currency=currency)
    first, again = (decide(replace(JOB, was_asked=one), paid, held=()) for one in (False, True))
    assert isinstance(first, Failed)
    assert isinstance(again, Unknown)  # it may be the requested refund
    for outcome in (first, again):
        assert outcome.to_match == (made,)
        assert outcome.why.startswith(
            "The card provider already has a refund of this order item: re_1, "
        )


NOT_OURS: list[dict[str, Any]] = [
    {},
    *({"key": key} for key in ("R-9:1", "R-10:2", "R-1", "")),
    {"order_item_id": "of another program"},
    {"key": "R-9:1", "order_item_id": ""},
]


@pytest.mark.parametrize("given", NOT_OURS, ids=str)
def test_a_refund_without_our_metadata_must_be_matched(given: dict[str, Any]) -> None:
    made = replace(BY_HAND, **given)
    first, again = (
        decide(replace(JOB, was_asked=one), paid_with(made), held=()) for one in (False, True)
    )
    assert isinstance(first, Failed)
    assert isinstance(again, Unknown)
    assert first.to_match == again.to_match == (made,)
    assert first.why == again.why


def test_several_unmatched_refunds_are_counted() -> None:
    outcome = decide(JOB, paid_with(BY_HAND, replace(BY_HAND, reference="re_2")), held=())
    assert isinstance(outcome, Failed)
    assert "re_1, 38.00 EUR and 1 more." in outcome.why
    assert len(outcome.to_match) == 2


NOT_IN_THE_WAY: dict[str, RefundAtProvider] = {
    "one that ended": replace(BY_HAND, status=ProviderStatus.ENDED),
    "one of another item": replace(OURS, key="R-2:1", order_item_id="I-2"),
    "an ended one of another attempt": replace(OURS, status=ProviderStatus.ENDED, key="R-1:1"),
}


@pytest.mark.parametrize("made", NOT_IN_THE_WAY.values(), ids=NOT_IN_THE_WAY)
def test_other_refunds_do_not_stop_a_request(made: RefundAtProvider) -> None:
    assert decide(JOB, paid_with(made), held=()) is None


def test_the_rest_of_a_payment_counts_pending_refunds_and_other_items() -> None:
    other = replace(OURS, key="R-2:1", order_item_id="I-2", status=ProviderStatus.PENDING)
    assert decide(JOB, paid_with(other, amount_minor=7600), held=()) is None
    short = decide(JOB, paid_with(other, amount_minor=7599), held=("re_1",))
    assert isinstance(short, Failed)
    assert short.why.startswith("Only 37.99 EUR of payment pi_1 can still be refunded. ")
