"""Broken answers of the card provider: the outcome stays unknown and is retried."""

import json
from datetime import timedelta

import pytest

from core.refunds import settle_due
from core.refunds.gateway import Outcome, Unknown
from core.refunds.stripe import CardGateway
from tests.conftest import NOW
from tests.core.refunds.refund_rows import (
    FakeGateway,
    ask_once,
    by_card,
    get_item,
    get_refund,
    ledger,
    make_card_order,
    make_refundable,
    request,
    settings,
)
from tests.core.refunds.stripe_answers import (
    payment_object,
)
from tests.core.refunds.stripe_server import KEY, Answer, answering, job_of

pytestmark = pytest.mark.usefixtures("sqlite_database")
SHORT = 0.3  # seconds that a gateway waits for an answer which does not come
NO_ANSWER = Unknown("The card provider did not answer. Order Desk will ask again.")
NO_SENSE = Unknown("The card provider sent an invalid answer. Order Desk will ask again.")
AT_WORK = Unknown("The card provider is still processing the refund.")


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
def test_a_broken_answer_leaves_the_refund_in_progress(
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
    assert str(refund.failure).endswith("Order Desk will ask again.")
    assert ledger(item) == []


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_a_broken_answer_leaves_an_existing_refund_unknown(rubbish: Answer) -> None:
    with answering(lambda *_: rubbish) as address:
        gateway = CardGateway(KEY, address=address, timeout=SHORT)
        assert isinstance(gateway.look_again("re_1"), Unknown)


@pytest.mark.parametrize("was_asked", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH)
def test_a_broken_answer_to_a_refund_request_is_an_unknown_outcome(
    rubbish: Answer, was_asked: bool
) -> None:
    """The look-up succeeded; the outcome of the request is unknown."""
    payment = json.dumps(payment_object([])).encode()

    def reply(method: str, *_: object) -> Answer:
        return rubbish if method == "POST" else (200, payment)

    with answering(reply) as address:
        gateway = CardGateway(KEY, address=address, timeout=SHORT)
        outcome = ask_once(gateway, job_of("pi_1", was_asked=was_asked))
    assert isinstance(outcome, Unknown)
