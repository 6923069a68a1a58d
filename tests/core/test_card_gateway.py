"""The card gateway against a Stripe server: paid, declined, lost, asked twice, down and mad."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from core import db
from core.gateway import Failed, Outcome, RefundJob, Succeeded, Unknown
from core.gateways import configured
from core.models import Transaction
from core.settlement import settle_due
from core.states import Method
from core.stripe_gateway import CardGateway
from tests.conftest import NOW, free_port
from tests.core.books import check_books
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
from tests.core.stripe_server import (
    DECLINED_CARD,
    KEY,
    Answer,
    Line,
    answering,
    charge,
    client_of,
    pay,
    refunds_at,
    running_stripe,
)

SHORT = 0.3  # seconds that a gateway waits for an answer which does not come
NO_ANSWER = Unknown("The card provider did not answer; it is asked again.")
NOT_CLEAR = Unknown("The card provider gave no clear answer; it is asked again.")
NO_SENSE = Unknown("The card provider's answer makes no sense; it is asked again.")


@pytest.fixture(scope="module")
def stripe_address() -> Iterator[str]:
    with running_stripe() as address:
        yield address


@pytest.fixture
def line(stripe_address: str) -> Line:
    return Line(stripe_address)


@pytest.fixture
def behind_line(line: Line) -> Iterator[CardGateway]:
    """Return a gateway with little patience at the near end of the line."""
    with answering(line.reply) as address:
        yield CardGateway(KEY, address=address, timeout=SHORT)


def job_of(reference: str | None, minor: int = 3800, currency: str = "EUR", **given: Any) -> Any:
    values = {"refund_id": "R-1", "attempt": 1} | given
    return RefundJob(amount_minor=minor, currency=currency, reference=reference, **values)


@pytest.mark.parametrize("take_payment", [pay, charge], ids=["payment intent", "charge"])
def test_a_payment_is_refunded(stripe_address: str, take_payment: Any) -> None:
    payment = take_payment(stripe_address)
    outcome = CardGateway(KEY, address=stripe_address).refund(job_of(payment, 1250))
    assert isinstance(outcome, Succeeded)
    assert refunds_at(stripe_address, payment) == [(1250, "eur")]
    made = client_of(stripe_address).v1.refunds.retrieve(str(outcome.reference))
    assert made.to_dict()["metadata"] == {"refund": "R-1:1"}


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
    outcome = CardGateway(KEY, address=stripe_address).refund(job_of(payment, minor, currency))
    assert isinstance(outcome, Succeeded)
    assert refunds_at(stripe_address, payment) == [(at_stripe, currency.lower())]


def test_a_refund_that_the_provider_refuses_has_failed(stripe_address: str) -> None:
    payment = pay(stripe_address, card=DECLINED_CARD)
    gateway = CardGateway(KEY, address=stripe_address)
    refused = Failed("Stripe refused it: Cannot refund a failed payment.")
    assert gateway.refund(job_of(payment)) == refused
    assert gateway.refund(job_of(payment, was_asked=True)) == refused


@pytest.mark.parametrize("reference", ["pi_of_nobody", "ch_of_nobody"])
def test_a_payment_that_the_provider_does_not_know_has_failed(
    stripe_address: str, reference: str
) -> None:
    outcome = CardGateway(KEY, address=stripe_address).refund(job_of(reference))
    assert outcome == Failed("Stripe refused it: Not Found")


@pytest.mark.parametrize("reference", [None, "", "TX-1", "re_1", "PI_1"])
def test_a_reference_of_another_kind_has_failed_without_asking(reference: str | None) -> None:
    nobody = CardGateway(KEY, address=f"http://127.0.0.1:{free_port()}")
    outcome = nobody.refund(job_of(reference))
    assert outcome == Failed(f"Payment “{reference}” is not one that Stripe refunds.")


def test_an_amount_that_stripe_cannot_express_has_failed_without_asking() -> None:
    nobody = CardGateway(KEY, address=f"http://127.0.0.1:{free_port()}")
    assert isinstance(nobody.refund(job_of("pi_1", 1250, "MGA")), Failed)


def test_a_lost_answer_is_found_when_it_is_asked_again(
    stripe_address: str, line: Line, behind_line: CardGateway
) -> None:
    payment = pay(stripe_address)
    line.is_bad = True
    assert behind_line.refund(job_of(payment)) == NO_ANSWER
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]
    line.is_bad = False
    assert isinstance(behind_line.refund(job_of(payment, was_asked=True)), Succeeded)
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]
    assert line.keys == ["R-1:1"]  # the second time it was looked up


def test_a_request_that_never_arrived_is_made_when_it_is_asked_again(stripe_address: str) -> None:
    payment = pay(stripe_address)
    outcome = CardGateway(KEY, address=stripe_address).refund(job_of(payment, was_asked=True))
    assert isinstance(outcome, Succeeded)
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]


def test_a_refund_is_found_by_its_own_key_alone(stripe_address: str) -> None:
    """Other items of the order, and other attempts, are refunds of the same payment."""
    payment = pay(stripe_address, 100_000)
    gateway = CardGateway(KEY, address=stripe_address)
    for given in ({}, {"attempt": 2}, {"refund_id": "R-2"}):
        gateway.refund(job_of(payment, was_asked=True, **given))
        gateway.refund(job_of(payment, was_asked=True, **given))
    assert refunds_at(stripe_address, payment) == [(3800, "eur")] * 3


def test_a_refund_is_found_among_more_than_a_page(stripe_address: str) -> None:
    payment, gateway = pay(stripe_address, 100_000), CardGateway(KEY, address=stripe_address)
    jobs = [job_of(payment, 10, refund_id=f"R-{number}") for number in range(130)]
    made = [gateway.refund(job) for job in jobs]
    for number in (0, 129):
        again = job_of(payment, 10, refund_id=f"R-{number}", was_asked=True)
        assert gateway.refund(again) == made[number]


def test_without_the_look_up_a_forgotten_key_pays_twice(stripe_address: str) -> None:
    """Shows that this server can catch it: it forgets keys, as Stripe does after a day."""
    payment, gateway = pay(stripe_address, 10_000), CardGateway(KEY, address=stripe_address)
    gateway.refund(job_of(payment))
    gateway.refund(job_of(payment))
    assert len(refunds_at(stripe_address, payment)) == 2


def test_a_slow_answer_is_waited_for(stripe_address: str, line: Line) -> None:
    payment = pay(stripe_address)
    line.late_by = SHORT
    with answering(line.reply) as address:
        assert isinstance(CardGateway(KEY, address=address).refund(job_of(payment)), Succeeded)


@pytest.mark.parametrize("was_asked", [False, True])
def test_a_provider_that_is_down_leaves_the_outcome_unknown(was_asked: bool) -> None:
    nobody = CardGateway(KEY, address=f"http://127.0.0.1:{free_port()}")
    assert nobody.refund(job_of("pi_1", was_asked=was_asked)) == NO_ANSWER


def answer_of(status: int, body: bytes, *, was_asked: bool = False) -> Outcome:
    """Ask a provider that answers everything with the same."""
    with answering(lambda *_: (status, body)) as address:
        gateway = CardGateway(KEY, address=address)
        return gateway.refund(job_of("pi_1", was_asked=was_asked))


def error(kind: str, **given: str) -> bytes:
    return json.dumps({"error": {"type": kind, "message": f"Key {KEY} is odd."} | given}).encode()


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
    rubbish: Answer, first: list[Outcome], sqlite_database: str
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


def refund_object(**given: Any) -> dict[str, Any]:
    """Return a refund as Stripe describes it."""
    right = {"id": "re_1", "object": "refund", "amount": 3800, "currency": "eur"}
    made = {"status": "succeeded", "payment_intent": "pi_1", "metadata": {"refund": "R-1:1"}}
    return right | made | given


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({}, Succeeded("re_1")),
        ({"status": "pending"}, Unknown("The card provider is still working on it.")),
        ({"status": "requires_action"}, Unknown("The card provider is still working on it.")),
        ({"status": "unheard_of"}, Unknown("The card provider is still working on it.")),
        ({"status": None}, Unknown("The card provider is still working on it.")),
        (
            {"status": "failed", "failure_reason": "expired_or_canceled_card"},
            Failed("Stripe refused it: expired or canceled card."),
        ),
        ({"status": "failed"}, Failed("Stripe refused it: failed.")),
        ({"status": "canceled"}, Failed("Stripe refused it: canceled.")),
        ({"amount": 3801}, NO_SENSE),
        ({"amount": 38}, NO_SENSE),
        ({"amount": "3800"}, NO_SENSE),
        ({"amount": None, "currency": None}, NO_SENSE),
        ({"currency": "usd"}, NO_SENSE),
    ],
)
def test_what_a_refund_says_of_itself_is_the_outcome(
    said: dict[str, Any], outcome: Outcome
) -> None:
    made = refund_object(**said)
    assert answer_of(200, json.dumps(made).encode()) == outcome
    found = {"object": "list", "data": [made], "has_more": False, "url": "/v1/refunds"}
    assert answer_of(200, json.dumps(found).encode(), was_asked=True) == outcome


@pytest.mark.parametrize("status", [400, 404])
def test_a_look_up_that_is_refused_says_nothing_of_the_refund(status: int) -> None:
    """It may have been made: with the key of another account, the payment is not even known."""
    refused = error("invalid_request_error", message="No such payment_intent")
    assert isinstance(answer_of(status, refused, was_asked=True), Unknown)


def test_the_key_of_the_account_is_in_no_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for kind, status in (("invalid_request_error", 401), ("api_error", 500)):
        answer_of(status, error(kind, message="Something is odd."))
    assert KEY not in caplog.text


def test_the_settings_say_which_gateways_there_are(stripe_address: str) -> None:
    assert set(configured()) == {Method.BALANCE}
    payment = pay(stripe_address)
    with settings(stripe_api_key=KEY, stripe_api_base=f"{stripe_address}/"):
        assert isinstance(configured()[Method.CARD].refund(job_of(payment)), Succeeded)
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]


@pytest.fixture
def takes_cards(database: str) -> Iterator[None]:
    with settings(stripe_api_key=KEY):
        yield


@pytest.mark.usefixtures("takes_cards")
def test_an_order_paid_by_card_is_refunded_at_the_provider(stripe_address: str) -> None:
    payment = pay(stripe_address)
    item = make_refundable(make_card_order(reference=payment))
    request(item, gateways=by_card(CardGateway(KEY, address=stripe_address)))
    assert get_item(item).status == "refunded"
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]
    with db.reading() as session:
        entered = session.query(Transaction).filter_by(type="refund").one()
        made = client_of(stripe_address).v1.refunds.retrieve(str(entered.reference))
    assert made.to_dict()["metadata"] == {"refund": f"{get_refund(item).refund_id}:1"}
    check_books()


@pytest.mark.usefixtures("takes_cards")
def test_a_declined_refund_gives_the_item_back(stripe_address: str) -> None:
    payment = pay(stripe_address, card=DECLINED_CARD)
    item = make_refundable(make_card_order(reference=payment))
    request(item, gateways=by_card(CardGateway(KEY, address=stripe_address)))
    assert (get_item(item).status, ledger(item)) == ("not_used", [("failed", 3800)])
    assert get_refund(item).failure == "Stripe refused it: Cannot refund a failed payment."
    check_books()


@pytest.mark.usefixtures("takes_cards")
def test_a_refund_whose_answer_is_lost_is_paid_once(
    stripe_address: str, line: Line, behind_line: CardGateway
) -> None:
    payment = pay(stripe_address)
    item = make_refundable(make_card_order(reference=payment))
    line.is_bad = True
    request(item, gateways=by_card(behind_line))
    assert (get_item(item).status, ledger(item)) == ("refund_requested", [])
    settle_due(now=NOW + timedelta(hours=1), gateways=by_card(behind_line))
    assert refunds_at(stripe_address, payment) == [(3800, "eur")]
    assert (get_item(item).status, ledger(item)) == ("refunded", [("succeeded", 3800)])
    check_books()
