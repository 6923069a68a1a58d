"""What the card gateway makes of Stripe's answers, the nonsense ones too."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from core.gateway import Failed, MadeRefund, Outcome, Standing, Succeeded, Unknown
from core.refund_matching import refund_once
from core.settlement import settle_due
from core.stripe_gateway import CardGateway
from tests.conftest import NOW
from tests.core.refund_rows import (
    FakeGateway,
    by_card,
    get_item,
    get_refund,
    ledger,
    make_card_order,
    make_refundable,
    request,
    settings,
)
from tests.core.stripe_answers import (
    Canned,
    charge_object,
    gateway_of,
    payment_object,
    refund_object,
)
from tests.core.stripe_server import KEY, Answer, answering, job_of

pytestmark = pytest.mark.usefixtures("sqlite_database")
SHORT = 0.3  # seconds that a gateway waits for an answer which does not come
NO_ANSWER = Unknown("The card provider did not answer; it is asked again.")
NO_SENSE = Unknown("The card provider's answer makes no sense; it is asked again.")
AT_WORK = Unknown("The card provider is still working on it.")
LOOKED, PAID = "GET /v1/payment_intents/pi_1", "POST /v1/refunds"


def error(kind: str, **given: str) -> bytes:
    return json.dumps({"error": {"type": kind, "message": f"Key {KEY} is odd."} | given}).encode()


def answer_of(status: int, body: bytes, *, was_asked: bool = False) -> Outcome:
    """Ask a provider that answers everything with the same."""
    with answering(lambda *_: (status, body)) as address:
        return refund_once(CardGateway(KEY, address=address), job_of("pi_1", was_asked=was_asked))


def ask(canned: Canned, **given: Any) -> Outcome:
    with gateway_of(canned) as gateway:
        return refund_once(gateway, job_of("pi_1", **given))


RUBBISH = {
    "HTML": (200, b"<html><body>Welcome to the airport</body></html>"),
    "HTML that says error": (404, b"<html><body>Not found</body></html>"),
    "nothing": (200, b""),
    "half of it": (200, b'{"id": "re_1", "object": "refund", "amo'),
    "null": (200, b"null"),
    "a list": (200, b"[]"),
    "a number": (200, b"17"),
    "another shape": (200, b'{"oops": 1}'),
    "another object": (200, b'{"object": "charge", "id": "ch_1", "status": "succeeded"}'),
    "an empty error": (400, b'{"oops": 1}'),
    "not UTF-8": (200, b"\xff\xfe\xfa"),
    "server error": (500, error("api_error")),
    "bad gateway": (502, b"<html>502</html>"),
    "unavailable": (503, b""),
    "conflict": (409, error("idempotency_error", code="idempotency_key_in_use")),
    "key used otherwise": (400, error("idempotency_error")),
    "too many": (429, error("invalid_request_error", code="rate_limit")),
    "not authorised": (401, error("invalid_request_error")),
    "not permitted": (403, error("invalid_request_error")),
}


@pytest.mark.parametrize("first", [[], [NO_ANSWER]], ids=["first", "again"])
@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_an_answer_that_is_none_leaves_the_refund_in_progress(
    rubbish: Answer, first: list[Outcome]
) -> None:
    make_card_order("OD-2", reference="pi_1")
    item = make_refundable("OD-2")
    with settings(stripe_api_key=KEY), answering(lambda *_: rubbish) as address:
        mad = by_card(CardGateway(KEY, address=address, timeout=SHORT))
        request(item, gateways=by_card(FakeGateway(*first)) if first else mad)
        assert settle_due(now=NOW + timedelta(hours=1), gateways=mad) == 1
    refund = get_refund(item)
    assert (refund.status, get_item(item).status) == ("processing", "refund_requested")
    assert str(refund.failure).startswith("The ")
    assert str(refund.failure).endswith("; it is asked again.")
    assert ledger(item) == []


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_an_answer_that_is_none_says_nothing_of_a_refund_that_was_made(rubbish: Answer) -> None:
    with answering(lambda *_: rubbish) as address:
        gateway = CardGateway(KEY, address=address, timeout=SHORT)
        assert isinstance(gateway.look_again("re_1"), Unknown)


@pytest.mark.parametrize("was_asked", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_an_answer_that_is_none_to_the_request_to_refund_is_unknown(
    rubbish: Answer, was_asked: bool
) -> None:
    """The look-up went well; what became of the request, nobody knows."""
    payment = json.dumps(payment_object([])).encode()

    def reply(method: str, *_: object) -> Answer:
        return rubbish if method == "POST" else (200, payment)

    with answering(reply) as address:
        gateway = CardGateway(KEY, address=address, timeout=SHORT)
        outcome = refund_once(gateway, job_of("pi_1", was_asked=was_asked))
    assert isinstance(outcome, Unknown)


STATUSES: list[tuple[dict[str, Any], Outcome]] = [
    ({}, Succeeded("re_1")),
    ({"status": "pending"}, AT_WORK),
    ({"status": "requires_action"}, AT_WORK),
    ({"status": "unheard_of"}, AT_WORK),
    ({"status": None}, AT_WORK),
    (
        {"status": "failed", "failure_reason": "expired_or_canceled_card"},
        Failed("Stripe refused it: expired or canceled card."),
    ),
    ({"status": "failed"}, Failed("Stripe refused it: failed.")),
    ({"status": "canceled"}, Failed("Stripe refused it: canceled.")),
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
def test_what_a_refund_says_of_itself_is_the_outcome(
    said: dict[str, Any], outcome: Outcome
) -> None:
    canned = Canned(payment_object([]), made=refund_object(**said))
    assert ask(canned) == outcome
    assert canned.requests == [LOOKED, PAID]


@pytest.mark.parametrize(("said", "outcome"), STATUSES)
@pytest.mark.parametrize("was_asked", [False, True], ids=["first", "again"])
def test_a_refund_that_is_there_is_the_outcome(
    said: dict[str, Any], outcome: Outcome, was_asked: bool
) -> None:
    canned = Canned(payment_object([refund_object(**said)]))
    found = ask(canned, was_asked=was_asked)
    assert type(found) is type(outcome)
    assert getattr(found, "reference", None) == getattr(outcome, "reference", None)
    assert canned.requests == [LOOKED]


@pytest.mark.parametrize("said", NONSENSE, ids=str)
def test_a_refund_that_makes_no_sense_is_unknown(said: dict[str, Any]) -> None:
    assert ask(Canned(payment_object([]), made=refund_object(**said))) == NO_SENSE
    with gateway_of(Canned({}, made=refund_object(**said))) as gateway:
        found = gateway.look_again("re_1")
    assert isinstance(found, Unknown) or found.is_alive


@pytest.mark.parametrize("said", NONSENSE, ids=str)
@pytest.mark.parametrize("was_asked", [False, True], ids=["first", "again"])
def test_nothing_is_paid_beside_a_refund_that_makes_no_sense(
    said: dict[str, Any], was_asked: bool
) -> None:
    canned = Canned(payment_object([refund_object(**said)]))
    outcome = ask(canned, was_asked=was_asked)
    assert not isinstance(outcome, Succeeded)
    assert isinstance(outcome, Unknown) or not was_asked
    assert PAID not in canned.requests


WITHOUT = ["id", "amount", "currency", "status"]


@pytest.mark.parametrize("name", WITHOUT)
def test_a_refund_without_a_field_is_unknown(name: str) -> None:
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
def test_nothing_is_paid_of_a_payment_that_makes_no_sense(
    said: dict[str, Any], was_asked: bool
) -> None:
    canned = Canned(payment_object([], **said))
    assert ask(canned, was_asked=was_asked) == NO_SENSE
    assert PAID not in canned.requests


@pytest.mark.parametrize("name", ["id", "currency", "status", "latest_charge"])
def test_nothing_is_paid_of_a_payment_without_a_field(name: str) -> None:
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
def test_refunds_that_do_not_come_along_are_asked_for(charge: Any) -> None:
    canned = Canned(payment_object([], latest_charge=charge), listed=[refund_object()])
    assert ask(canned) == Succeeded("re_1")
    assert canned.requests == [LOOKED, "GET /v1/refunds"]


@pytest.mark.parametrize(
    "status",
    ["requires_capture", "requires_payment_method", "requires_action", "canceled", "processing"],
)
@pytest.mark.parametrize("charge", [charge_object([], captured=False), None], ids=["held", "none"])
def test_a_payment_that_did_not_go_through_is_not_refunded(status: str, charge: Any) -> None:
    canned = Canned(payment_object([], status=status, latest_charge=charge))
    outcome = ask(canned)
    assert isinstance(outcome, Failed)
    assert "was authorised and not captured, or did not go through" in outcome.why
    assert PAID not in canned.requests


def test_no_more_than_was_captured_is_refunded() -> None:
    part = charge_object([], amount_captured=3799)
    outcome = ask(Canned(payment_object([], latest_charge=part)))
    assert isinstance(outcome, Failed)
    assert outcome.why.startswith("Only 37.99 EUR of payment pi_1 can still be refunded: ")
    enough = charge_object([], amount_captured=3800)
    assert ask(Canned(payment_object([], latest_charge=enough))) == Succeeded("re_1")


def test_refunds_that_ended_leave_the_payment_as_it_was() -> None:
    gone = [refund_object(id=f"re_{one}", status="failed", metadata={}) for one in range(5)]
    canned = Canned(payment_object(gone), made=refund_object(id="re_9"))
    assert ask(canned) == Succeeded("re_9")


def test_an_amount_with_a_part_of_a_minor_unit_makes_no_sense() -> None:
    """Stripe counts ISK in hundredths that nobody can pay: 500 ISK is 50000 there."""
    odd = refund_object(amount=50_050, currency="isk")
    canned = Canned(payment_object([odd], currency="isk"))
    with gateway_of(canned) as gateway:
        assert refund_once(gateway, job_of("pi_1", 500, "ISK")) == NO_SENSE
    assert PAID not in canned.requests


@pytest.mark.parametrize("status", [400, 404])
def test_a_look_up_that_is_refused_says_nothing_of_a_refund_that_was_asked_for(status: int) -> None:
    """It may have been made: with the key of another account, the payment is not even known."""
    refused = error("invalid_request_error", message="No such payment_intent")
    assert isinstance(answer_of(status, refused, was_asked=True), Unknown)
    assert answer_of(status, refused) == Failed("Stripe refused it: No such payment_intent")


def test_another_refund_than_the_one_looked_at_makes_no_sense() -> None:
    with gateway_of(Canned({}, made=refund_object(id="re_2", status="failed"))) as gateway:
        assert gateway.look_again("re_1") == NO_SENSE


def test_a_refund_that_came_back_is_seen_with_the_reason() -> None:
    back = refund_object(status="failed", failure_reason="lost_or_stolen_card")
    with gateway_of(Canned({}, made=back)) as gateway:
        found = gateway.look_again("re_1")
    assert found == MadeRefund(
        "re_1", Standing.ENDED, 3800, "EUR", "R-1:1", "I-1", "lost or stolen card"
    )


def test_the_key_of_the_account_is_in_no_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for kind, status in (("invalid_request_error", 401), ("api_error", 500)):
        answer_of(status, error(kind, message="Something is odd."))
    assert KEY not in caplog.text
