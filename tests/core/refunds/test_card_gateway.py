"""The card gateway with a Stripe server: paid, declined, lost, repeated, and down."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.ground import Method
from core.refunds import configured_gateways
from core.refunds.gateway import (
    Failed,
    Outcome,
    PaymentAtProvider,
    ProviderStatus,
    RefundAtProvider,
    RefundJob,
    Succeeded,
    Unknown,
)
from core.refunds.stripe import CardGateway
from tests.conftest import free_port
from tests.core.refunds.refund_rows import ask_once, settings
from tests.core.refunds.stripe_server import (
    DECLINED_CARD,
    KEY,
    Line,
    answering,
    charge,
    client_of,
    job_of,
    pay,
    refund_by_hand,
    refunds_at,
    running_stripe,
)

pytestmark = pytest.mark.usefixtures("sqlite_database")  # it stores which refunds are ours
SHORT = 0.3  # seconds that a gateway waits for an answer which does not come
NO_ANSWER = Unknown("The card provider did not answer. Order Desk will ask again.")
OURS = {"refund": "R-1:1", "order": "OD-1", "order_item": "I-1"}
NOT_PAID = (
    "was not captured or has failed, so there is nothing to pay back. "
    "Check it at the card provider."
)


@pytest.fixture(scope="module")
def stripe_address() -> Iterator[str]:
    with running_stripe() as address:
        yield address


@pytest.fixture
def line(stripe_address: str) -> Line:
    return Line(stripe_address)


@pytest.fixture
def behind_line(line: Line) -> Iterator[CardGateway]:
    """Return a gateway with a short time-out behind the line."""
    with answering(line.reply) as address:
        yield CardGateway(KEY, address=address, timeout=SHORT)


def ask(address: str, job: RefundJob) -> Outcome:
    """Refund as the worker does: look the payment up, then request a missing refund."""
    return ask_once(CardGateway(KEY, address=address), job)


@pytest.mark.parametrize("take_payment", [pay, charge], ids=["payment intent", "charge"])
def test_a_payment_is_refunded_in_two_requests(
    stripe_address: str, line: Line, take_payment: Any
) -> None:
    payment = take_payment(stripe_address)
    with answering(line.reply) as address:
        outcome = ask(address, job_of(payment, 1250))
    assert isinstance(outcome, Succeeded)
    assert refunds_at(stripe_address, payment) == [(1250, "eur")]
    made = client_of(stripe_address).v1.refunds.retrieve(str(outcome.reference))
    assert made.to_dict()["metadata"] == OURS
    looked_up = "charges" if take_payment is charge else "payment_intents"
    assert line.requests == [f"GET /v1/{looked_up}/{payment}", "POST /v1/refunds"]


@pytest.mark.parametrize(
    ("currency", "minor", "at_stripe"),
    [
        ("EUR", 1250, 1250),
        ("JPY", 500, 500),
        ("KWD", 12340, 12340),
        ("ISK", 500, 50000),
        ("UGX", 500, 50000),
        ("MGA", 1200, 12),
    ],
)
def test_each_currency_is_refunded_in_stripes_units(
    stripe_address: str, currency: str, minor: int, at_stripe: int
) -> None:
    payment = pay(stripe_address, at_stripe * 2, currency.lower())
    job = job_of(payment, minor, currency)
    first = ask(stripe_address, job)
    assert isinstance(first, Succeeded)
    assert refunds_at(stripe_address, payment) == [(at_stripe, currency.lower())]
    assert ask(stripe_address, job) == first  # the amount is checked too


@pytest.mark.parametrize("currency", ["JPY", "KWD", "USD"])
@pytest.mark.parametrize("was_asked", [False, True], ids=["first", "again"])
def test_a_payment_in_another_currency_is_not_refunded(
    stripe_address: str, currency: str, was_asked: bool
) -> None:
    payment = pay(stripe_address, 3800, currency.lower())
    assert ask(stripe_address, job_of(payment, was_asked=was_asked)) == Failed(
        f"Payment {payment} is in {currency} at the card provider, but this refund is in EUR. "
        "Nothing was paid back. Check the payment and refund it by hand."
    )
    assert refunds_at(stripe_address, payment) == []


def test_without_the_look_up_another_currency_is_paid(stripe_address: str) -> None:
    """A negative control: Stripe takes the amount in the currency of the payment."""
    payment = pay(stripe_address, 3800, "kwd")
    CardGateway(KEY, address=stripe_address).refund(job_of(payment))
    assert refunds_at(stripe_address, payment) == [(3800, "kwd")]


def test_a_payment_that_was_not_captured_is_not_refunded(stripe_address: str) -> None:
    payment = pay(stripe_address, capture="manual")
    not_paid = Failed(f"Payment {payment} {NOT_PAID}")
    assert ask(stripe_address, job_of(payment)) == not_paid
    client_of(stripe_address).v1.payment_intents.cancel(payment)
    assert ask(stripe_address, job_of(payment)) == not_paid


def test_a_payment_that_was_captured_later_is_refunded(stripe_address: str) -> None:
    payment = pay(stripe_address, capture="manual")
    client_of(stripe_address).v1.payment_intents.capture(payment)
    assert isinstance(ask(stripe_address, job_of(payment)), Succeeded)


def test_a_payment_that_was_never_confirmed_is_not_refunded(stripe_address: str) -> None:
    made = client_of(stripe_address).v1.payment_intents.create({"amount": 3800, "currency": "eur"})
    assert ask(stripe_address, job_of(made.id)) == Failed(f"Payment {made.id} {NOT_PAID}")


def test_a_payment_that_was_declined_is_not_refunded(stripe_address: str) -> None:
    payment = pay(stripe_address, card=DECLINED_CARD)
    not_paid = Failed(f"Payment {payment} {NOT_PAID}")
    assert ask(stripe_address, job_of(payment)) == not_paid
    assert ask(stripe_address, job_of(payment, was_asked=True)) == not_paid


def test_more_than_the_rest_of_a_payment_is_not_refunded(stripe_address: str) -> None:
    payment = pay(stripe_address, 5000)
    other = job_of(payment, 1300, refund_id="R-2", order_item_id="I-2")
    assert isinstance(ask(stripe_address, other), Succeeded)
    assert ask(stripe_address, job_of(payment)) == Failed(
        f"Only 37.00 EUR of payment {payment} can still be refunded. Nothing was paid back. "
        "Check the payment's refunds at the card provider."
    )
    assert isinstance(ask(stripe_address, job_of(payment, 3700)), Succeeded)
    assert sorted(refunds_at(stripe_address, payment)) == [(1300, "eur"), (3700, "eur")]


def test_a_refund_made_by_hand_stops_other_refunds_of_its_payment(stripe_address: str) -> None:
    payment = pay(stripe_address, 10_000)
    by_hand = refund_by_hand(stripe_address, payment, 3800)
    outcome = ask(stripe_address, job_of(payment))
    assert isinstance(outcome, Failed)
    assert [one.reference for one in outcome.to_match] == [by_hand]
    assert outcome.why == (
        "The card provider has a refund of this payment that Order Desk did not make: "
        f"{by_hand}, 38.00 EUR. Nothing was paid. Match it on the order's page, then refund again."
    )
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]


def test_the_rest_of_a_partial_capture_stops_a_refund(stripe_address: str) -> None:
    """This server refunds the rest itself, without our metadata."""
    payment = pay(stripe_address, 10_000, capture="manual")
    client_of(stripe_address).v1.payment_intents.capture(payment, {"amount_to_capture": 3000})
    assert isinstance(ask(stripe_address, job_of(payment)), Failed)
    assert refunds_at(stripe_address, payment) == [(7000, "eur")]


@pytest.mark.parametrize("reference", ["pi_of_nobody", "ch_of_nobody"])
def test_a_refund_of_an_unknown_payment_fails(stripe_address: str, reference: str) -> None:
    assert ask(stripe_address, job_of(reference)) == Failed("Stripe refused the refund: Not Found")
    again = job_of(reference, was_asked=True)  # for example with another account's key
    assert isinstance(ask(stripe_address, again), Unknown)


NO_REFERENCES = [
    None,
    "",
    "TX-1",
    "re_1",
    "PI_1",
    "pi_",
    "cs_1",
    "pi_1/refunds",
    "pi_1?a=b",
    "pi_é",
]
BLANKS = [" ", "\t", "\r\n", "\n", "\xa0", "\u200b", "\ufeff", "\u2028", "\x00"]


@pytest.mark.parametrize(
    "reference",
    NO_REFERENCES
    + [f"pi_{blank}1" for blank in BLANKS]
    + [f"{blank}pi_1" for blank in BLANKS]
    + [f"pi_1{blank}" for blank in BLANKS]
    + [f"pi_{'1' * 251}"],
)
def test_a_reference_of_another_kind_fails_without_a_request(reference: str | None) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    outcome = ask(nobody, job_of(reference))
    assert outcome == Failed(f"“{reference}” is not a payment that Stripe can refund.")


@pytest.mark.parametrize("reference", ["pi_1", "ch_1", "py_1", "pi_3Pq-X_y", f"pi_{'1' * 250}"])
def test_a_valid_reference_is_requested(reference: str) -> None:
    assert ask(f"http://127.0.0.1:{free_port()}", job_of(reference)) == NO_ANSWER


def test_an_amount_that_stripe_cannot_express_fails_without_a_request() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    assert isinstance(ask(nobody, job_of("pi_1", 1250, "MGA")), Failed)


def test_a_refund_with_a_lost_answer_is_found_by_the_retry(
    stripe_address: str, line: Line, behind_line: CardGateway
) -> None:
    payment = pay(stripe_address)
    line.is_bad = True
    assert ask_once(behind_line, job_of(payment)) == NO_ANSWER
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]
    line.is_bad = False
    assert isinstance(ask_once(behind_line, job_of(payment, was_asked=True)), Succeeded)
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]
    assert line.keys == ["R-1:1"]  # the second time the look-up found it


def test_a_lost_request_is_repeated_by_the_retry(stripe_address: str) -> None:
    payment = pay(stripe_address)
    assert isinstance(ask(stripe_address, job_of(payment, was_asked=True)), Succeeded)
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]


def test_another_item_of_the_payment_is_another_refund(stripe_address: str) -> None:
    payment = pay(stripe_address, 100_000)
    for number in (1, 2, 3):
        job = job_of(payment, refund_id=f"R-{number}", order_item_id=f"I-{number}")
        assert ask(stripe_address, job) == ask(stripe_address, job)
    assert refunds_at(stripe_address, payment) == [(3800, "eur")] * 3


@pytest.mark.parametrize("given", [{"attempt": 2}, {"refund_id": "R-2"}, {"was_asked": True}])
def test_the_same_item_is_not_paid_again(stripe_address: str, given: dict[str, Any]) -> None:
    """Whatever our books have lost: another attempt, another refund, or the same again."""
    payment = pay(stripe_address, 100_000)
    first = ask(stripe_address, job_of(payment))
    assert ask(stripe_address, job_of(payment, **given)) == first
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]


@pytest.mark.parametrize("count", [10, 11, 130])
def test_a_refund_is_found_among_many(stripe_address: str, count: int) -> None:
    payment, gateway = pay(stripe_address, 100_000), CardGateway(KEY, address=stripe_address)
    jobs = [
        job_of(payment, 10, refund_id=f"R-{number}", order_item_id=f"I-{number}")
        for number in range(count)
    ]
    made = [gateway.refund(job) for job in jobs]
    for number in (0, count - 1):
        assert ask_once(gateway, jobs[number]) == made[number]
    found = gateway.look_up(jobs[0])
    assert isinstance(found, PaymentAtProvider)
    assert len(found.refunds) == count


def test_without_the_look_up_a_forgotten_key_pays_twice(stripe_address: str) -> None:
    """A negative control: this server forgets keys, as Stripe does after a day."""
    payment, gateway = pay(stripe_address, 10_000), CardGateway(KEY, address=stripe_address)
    gateway.refund(job_of(payment))
    gateway.refund(job_of(payment))
    assert len(refunds_at(stripe_address, payment)) == 2


def test_a_slow_answer_is_waited_for(stripe_address: str, line: Line) -> None:
    payment = pay(stripe_address)
    line.late_by = SHORT
    with answering(line.reply) as address:
        assert isinstance(ask(address, job_of(payment)), Succeeded)


@pytest.mark.parametrize("was_asked", [False, True])
def test_a_provider_that_is_down_leaves_the_outcome_unknown(was_asked: bool) -> None:
    nobody = CardGateway(KEY, address=f"http://127.0.0.1:{free_port()}")
    assert ask_once(nobody, job_of("pi_1", was_asked=was_asked)) == NO_ANSWER
    assert nobody.look_again("re_1") == NO_ANSWER


def test_a_refund_can_be_read_again(stripe_address: str) -> None:
    payment = pay(stripe_address)
    made = ask(stripe_address, job_of(payment))
    assert isinstance(made, Succeeded)
    seen = CardGateway(KEY, address=stripe_address).look_again(str(made.reference))
    assert seen == RefundAtProvider(
        str(made.reference), ProviderStatus.SUCCEEDED, 3800, "EUR", "R-1:1", "I-1", "succeeded"
    )


def test_a_refund_that_the_provider_does_not_know_stays_unchanged(stripe_address: str) -> None:
    found = CardGateway(KEY, address=stripe_address).look_again("re_of_nobody")
    assert found == Failed("Stripe does not show this refund.")


def test_the_settings_decide_which_gateways_exist(stripe_address: str) -> None:
    assert set(configured_gateways()) == {Method.BALANCE}
    payment = pay(stripe_address)
    with settings(stripe_api_key=KEY, stripe_api_base=f"{stripe_address}/"):
        assert isinstance(ask_once(configured_gateways()[Method.CARD], job_of(payment)), Succeeded)
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]
