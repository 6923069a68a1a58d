"""How the card gateway reads Stripe's answers, valid and invalid."""

import json
import logging
from typing import Any

import pytest

from core.refunds.gateway import (
    Failed,
    Outcome,
    ProviderStatus,
    RefundAtProvider,
    Succeeded,
    Unknown,
)
from core.refunds.stripe import CardGateway
from tests.core.refunds.refund_rows import ask_once
from tests.core.refunds.stripe_answers import (
    Canned,
    charge_object,
    gateway_of,
    payment_object,
    refund_object,
)
from tests.core.refunds.stripe_server import KEY, answering, job_of

pytestmark = pytest.mark.usefixtures("sqlite_database")
SHORT = 0.3  # seconds that a gateway waits for an answer which does not come
NO_ANSWER = Unknown("The card provider did not answer. Order Desk will ask again.")
NO_SENSE = Unknown("The card provider sent an invalid answer. Order Desk will ask again.")
AT_WORK = Unknown("The card provider is still processing the refund.")
LOOKED, PAID = "GET /v1/payment_intents/pi_1", "POST /v1/refunds"


def error(kind: str, **given: str) -> bytes:
    return json.dumps({"error": {"type": kind, "message": f"Key {KEY} is odd."} | given}).encode()


def answer_of(status: int, body: bytes, *, was_asked: bool = False) -> Outcome:
    """Request a refund from a provider that always gives the same answer."""
    with answering(lambda *_: (status, body)) as address:
        return ask_once(
            CardGateway(KEY, address=address),
            job_of("pi_1", was_asked=was_asked),
        )


def ask(canned: Canned, **given: Any) -> Outcome:
    with gateway_of(canned) as gateway:
        return ask_once(gateway, job_of("pi_1", **given))


STATUSES: list[tuple[dict[str, Any], Outcome]] = [
    ({}, Succeeded("re_1")),
    ({"status": "pending"}, AT_WORK),
    ({"status": "requires_action"}, AT_WORK),
    ({"status": "unheard_of"}, AT_WORK),
    ({"status": None}, AT_WORK),
    (
        {"status": "failed", "failure_reason": "expired_or_canceled_card"},
        Failed("Stripe refused the refund: expired or canceled card."),
    ),
    ({"status": "failed"}, Failed("Stripe refused the refund: failed.")),
    ({"status": "canceled"}, Failed("Stripe refused the refund: canceled.")),
]
NONSENSE: list[dict[str, Any]] = [
    {"amount": 3801},
    {"amount": 38},
    {"amount": "3800"},
    {"amount": 3800.0},
    {"amount": True},
    {"amount": None, "currency": None},
    {"amount": -3800},
    {"currency": "usd"},
    {"currency": None},
    {"id": None},
    {"id": ""},
    {"id": 17},
    {"status": 17},
    {"status": ["succeeded"]},
    {"metadata": ["refund"]},
    {"payment_intent": "pi_2"},
]


@pytest.mark.parametrize(("said", "outcome"), STATUSES)
def test_the_status_of_a_new_refund_is_the_outcome(said: dict[str, Any], outcome: Outcome) -> None:
    canned = Canned(payment_object([]), made=refund_object(**said))
    assert ask(canned) == outcome
    assert canned.requests == [LOOKED, PAID]


@pytest.mark.parametrize(("said", "outcome"), STATUSES)
@pytest.mark.parametrize("was_asked", [False, True], ids=["first", "again"])
def test_the_status_of_an_existing_refund_is_the_outcome(
    said: dict[str, Any], outcome: Outcome, was_asked: bool
) -> None:
    canned = Canned(payment_object([refund_object(**said)]))
    found = ask(canned, was_asked=was_asked)
    assert type(found) is type(outcome)
    assert getattr(found, "reference", None) == getattr(outcome, "reference", None)
    assert canned.requests == [LOOKED]


@pytest.mark.parametrize("said", NONSENSE, ids=str)
def test_an_invalid_refund_is_an_unknown_outcome(said: dict[str, Any]) -> None:
    assert ask(Canned(payment_object([]), made=refund_object(**said))) == NO_SENSE
    with gateway_of(Canned({}, made=refund_object(**said))) as gateway:
        found = gateway.look_again("re_1")
    assert isinstance(found, Unknown) or (isinstance(found, RefundAtProvider) and found.is_active)


@pytest.mark.parametrize("said", NONSENSE, ids=str)
@pytest.mark.parametrize("was_asked", [False, True], ids=["first", "again"])
def test_nothing_is_paid_beside_an_invalid_refund(said: dict[str, Any], was_asked: bool) -> None:
    canned = Canned(payment_object([refund_object(**said)]))
    outcome = ask(canned, was_asked=was_asked)
    assert not isinstance(outcome, Succeeded)
    assert isinstance(outcome, Unknown) or not was_asked
    assert PAID not in canned.requests


WITHOUT = ["id", "amount", "currency", "status"]


@pytest.mark.parametrize("name", WITHOUT)
def test_a_refund_with_a_missing_field_is_an_unknown_outcome(name: str) -> None:
    made = {key: value for key, value in refund_object().items() if key != name}
    assert ask(Canned(payment_object([]), made=made)) == NO_SENSE
    canned = Canned(payment_object([made]))
    assert ask(canned) == NO_SENSE
    assert canned.requests == [LOOKED]


ODD_PAYMENTS: dict[str, dict[str, Any]] = {
    "another payment": {"id": "pi_2"},
    "no id": {"id": None},
    "no currency": {"currency": None},
    "a number for the currency": {"currency": 17},
    "no status": {"status": None},
    "a number for the status": {"status": 17},
    "a text for captured": {"latest_charge": charge_object([], captured="true")},
    "captured is null": {"latest_charge": charge_object([], captured=None)},
    "a text for the amount": {"latest_charge": charge_object([], amount_captured="10000")},
    "a negative amount": {"latest_charge": charge_object([], amount_captured=-1)},
    "a number for the charge": {"latest_charge": 17},
    "refunds without data": {"latest_charge": charge_object([], refunds={"has_more": False})},
    "a text for a refund": {"latest_charge": charge_object(["re_1"])},
    "null for a refund": {"latest_charge": charge_object([None])},
}


@pytest.mark.parametrize("was_asked", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("said", ODD_PAYMENTS.values(), ids=ODD_PAYMENTS)
def test_nothing_is_paid_from_an_invalid_payment(said: dict[str, Any], was_asked: bool) -> None:
    canned = Canned(payment_object([], **said))
    assert ask(canned, was_asked=was_asked) == NO_SENSE
    assert PAID not in canned.requests


@pytest.mark.parametrize("name", ["id", "currency", "status", "latest_charge"])
def test_nothing_is_paid_from_a_payment_with_a_missing_field(name: str) -> None:
    payment = {key: value for key, value in payment_object([]).items() if key != name}
    canned = Canned(payment)
    assert ask(canned, was_asked=True) == NO_SENSE
    assert PAID not in canned.requests


UNEXPANDED: dict[str, Any] = {
    "charge is an id": "ch_1",
    "charge is null": None,
    "refunds are null": charge_object([], refunds=None),
    "more than come along": charge_object(
        [refund_object(id="re_9", metadata={"refund": "R-9:1", "order_item": "I-9"})],
        refunds={"object": "list", "data": [], "has_more": True, "url": "/v1/refunds"},
    ),
}


@pytest.mark.parametrize("charge", UNEXPANDED.values(), ids=UNEXPANDED)
def test_refunds_that_are_not_in_the_payment_are_requested(charge: Any) -> None:
    canned = Canned(payment_object([], latest_charge=charge), listed=[refund_object()])
    assert ask(canned) == Succeeded("re_1")
    assert canned.requests == [LOOKED, "GET /v1/refunds"]


@pytest.mark.parametrize(
    "status",
    ["requires_capture", "requires_payment_method", "requires_action", "canceled", "processing"],
)
@pytest.mark.parametrize("charge", [charge_object([], captured=False), None], ids=["held", "none"])
def test_a_failed_payment_is_not_refunded(status: str, charge: Any) -> None:
    canned = Canned(payment_object([], status=status, latest_charge=charge))
    outcome = ask(canned)
    assert isinstance(outcome, Failed)
    assert "was not captured or has failed" in outcome.why
    assert PAID not in canned.requests


def test_only_the_captured_amount_is_refunded() -> None:
    part = charge_object([], amount_captured=3799)
    outcome = ask(Canned(payment_object([], latest_charge=part)))
    assert isinstance(outcome, Failed)
    assert outcome.why.startswith("Only 37.99 EUR of payment pi_1 can still be refunded. ")
    enough = charge_object([], amount_captured=3800)
    assert ask(Canned(payment_object([], latest_charge=enough))) == Succeeded("re_1")


def test_ended_refunds_do_not_reduce_the_payment() -> None:
    gone = [refund_object(id=f"re_{one}", status="failed", metadata={}) for one in range(5)]
    canned = Canned(payment_object(gone), made=refund_object(id="re_9"))
    assert ask(canned) == Succeeded("re_9")


def test_an_amount_with_a_fraction_of_a_minor_unit_is_invalid() -> None:
    """Stripe counts ISK in hundredths that cannot be paid: 500 ISK is 50000 there."""
    odd = refund_object(amount=50_050, currency="isk")
    canned = Canned(payment_object([odd], currency="isk"))
    with gateway_of(canned) as gateway:
        assert ask_once(gateway, job_of("pi_1", 500, "ISK")) == NO_SENSE
    assert PAID not in canned.requests


@pytest.mark.parametrize("status", [400, 404])
def test_a_refused_look_up_leaves_an_earlier_request_unknown(status: int) -> None:
    """The refund may exist: another account's key does not know the payment."""
    refused = error("invalid_request_error", message="No such payment_intent")
    assert isinstance(answer_of(status, refused, was_asked=True), Unknown)
    assert answer_of(status, refused) == Failed("Stripe refused the refund: No such payment_intent")


def test_an_answer_with_another_refund_is_invalid() -> None:
    with gateway_of(Canned({}, made=refund_object(id="re_2", status="failed"))) as gateway:
        assert gateway.look_again("re_1") == NO_SENSE


def test_a_returned_refund_is_read_with_the_reason() -> None:
    back = refund_object(status="failed", failure_reason="lost_or_stolen_card")
    with gateway_of(Canned({}, made=back)) as gateway:
        found = gateway.look_again("re_1")
    assert found == RefundAtProvider(
        "re_1", ProviderStatus.ENDED, 3800, "EUR", "R-1:1", "I-1", "lost or stolen card"
    )


def test_the_api_key_is_in_no_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for kind, status in (("invalid_request_error", 401), ("api_error", 500)):
        answer_of(status, error(kind, message="Something is odd."))
    assert KEY not in caplog.text
