"""Refund requests: refunded items, refused items with reasons, and no second refund."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core import access, refunds
from core.access import Actor
from core.ground import InvalidInput, NotPermitted, Role
from core.query import MAX_SELECTED
from core.refunds import NO_CARD_REFUNDS, requests
from core.storage import AuditEvent, Refund, RefundBatch
from tests.conftest import NOW
from tests.core.refunds.refund_rows import (
    A_SECOND,
    AGENT,
    OTHER_AGENT,
    count,
    get_balance,
    get_item,
    get_refund,
    ledger,
    make_card_order,
    make_paid_order,
    make_refundable,
    read_books,
    request,
    settings,
)
from tests.rows import make_order, make_transaction

AN_HOUR = timedelta(hours=1)
NO_PAYMENT = "The order has no successful payment, so nothing can be paid back."


@pytest.fixture
def order(database: str) -> str:
    """Store an order that was paid by balance."""
    return make_paid_order("OD-1")


def make_refused() -> dict[str, str]:
    """Store an item for each reason of refusal; return the sentences by item."""
    make_paid_order("OD-3", contract_id="CT-2")
    make_order("OD-4")
    make_card_order("OD-5", reference="pi_5")
    make_transaction(order_id="OD-5")
    make_card_order("OD-6", reference="pi_6")
    make_card_order("OD-7", reference=None)
    second = {"refund_expire_at": NOW - A_SECOND}
    expired = {"valid_until": NOW - A_SECOND}
    passed = "2026-11-23 09:29:59 (Europe/London)."
    used = {"status": "used", "used_at": NOW}
    refunded = {"status": "refunded", "refunded_at": NOW}
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("OD-1", second, f"The Refund Expire Date has passed: {passed}"),
        ("OD-1", expired, "It expired on 2026-11-23 09:29 (Europe/London)."),
        ("OD-1", {"is_refundable": False}, "It is not refundable."),
        ("OD-1", {"refund_expire_at": None}, "It is not refundable."),
        ("OD-1", used, "It has been used."),
        ("OD-1", refunded, "It was refunded on 2026-11-23 09:30 (Europe/London)."),
        ("OD-1", {"status": "refund_requested"}, "A refund is in progress."),
        ("OD-1", {"price_minor": 0}, "The price is zero, so there is nothing to refund."),
        (
            "OD-1",
            {"currency": "USD"},
            "It was sold in USD, but contract CT-1 is in EUR. Refund it by hand.",
        ),
        ("OD-4", {}, NO_PAYMENT),
        (
            "OD-5",
            {},
            "The order has several payments, and it is not clear which one to pay back.",
        ),
        ("OD-6", {}, f"It was paid by card. {NO_CARD_REFUNDS}."),
        ("OD-7", {}, "The payment of the order has no reference, so it cannot be paid back."),
    ]
    said = {make_refundable(order, **given): sentence for order, given, sentence in cases}
    not_theirs = make_refundable("OD-3", contract_id="CT-2")
    for one in (not_theirs, "NO-SUCH-ITEM"):
        said[one] = f"Order item “{one}” was not found, or you have no access to it."
    return said


@pytest.mark.both_databases
def test_a_refunded_item_is_settled_in_the_books(order: str) -> None:
    item = make_refundable()
    answer = request(item)
    assert [one.order_item_id for one in answer.requested] == [item]
    stored = get_item(item)
    assert (stored.status, stored.refunded_at) == ("refunded", NOW)
    assert get_balance() == 3800
    assert ledger(item) == [("succeeded", 3800)]


def test_the_refundable_items_of_a_mixed_selection_are_refunded(order: str) -> None:
    able = [make_refundable(), make_refundable(price_minor=1250)]
    said = make_refused()
    before = {one: get_item(one).status for one in said if one != "NO-SUCH-ITEM"}
    answer = request(*able, *said)
    assert {one.order_item_id: one.why for one in answer.outcomes if one.why} == said
    asked = {one.order_item_id: (one.amount_minor, one.currency) for one in answer.requested}
    assert asked == dict(zip(able, [(3800, "EUR"), (1250, "EUR")], strict=True))
    assert [get_item(one).status for one in able] == ["refunded", "refunded"]
    assert {one: get_item(one).status for one in before} == before
    assert (get_balance("CT-1"), get_balance("CT-2")) == (5050, 0)
    assert all(ledger(one) == [] for one in said)
    assert count(Refund) == 2


def test_a_request_without_refundable_items_changes_no_books(order: str) -> None:
    said = make_refused()
    before = read_books()
    answer = request(*said)
    assert {one.order_item_id: one.why for one in answer.outcomes} == said
    assert answer.requested == []
    after = read_books()
    assert len(after.pop("refund_batches")) == 1  # it stores the answer
    before.pop("refund_batches")
    assert after == before
    assert count(AuditEvent) == 0


def test_an_agent_with_only_own_orders_refunds_only_those(order: str) -> None:
    make_paid_order("OD-8", author="BOB@helios.example")
    mine, not_mine = make_refundable("OD-1"), make_refundable("OD-8")
    actor = replace(AGENT, only_own_orders=True)
    answer = request(mine, not_mine, actor=actor)
    assert [one.order_item_id for one in answer.requested] == [mine]
    assert get_item(not_mine).status == "not_used"


def test_a_deadline_that_passes_while_the_dialog_is_open_counts(order: str) -> None:
    item = make_refundable(refund_expire_at=NOW)
    assert len(refunds.assess([item], actor=AGENT, now=NOW).refundable) == 1
    answer = request(item, now=NOW + A_SECOND)
    assert [one.why for one in answer.outcomes] == [
        "The Refund Expire Date has passed: 2026-11-23 09:30:00 (Europe/London)."
    ]
    assert (get_item(item).status, get_balance()) == ("not_used", 0)


def test_an_item_is_refunded_within_the_second_of_its_deadline(order: str) -> None:
    item = make_refundable(refund_expire_at=NOW, valid_until=NOW)
    request(item, now=NOW + timedelta(microseconds=999_999))
    assert get_item(item).status == "refunded"


@pytest.mark.both_databases
def test_a_replay_changes_nothing_and_gives_the_first_answer(order: str) -> None:
    items = [make_refundable(), make_refundable(), make_refundable(status="used")]
    answer = request(*items)
    before = read_books()
    much_later = NOW + timedelta(days=300)  # when none of the items is refundable any longer
    assert request(*items, now=much_later) == answer
    assert request(*reversed(items), items[0]) == answer
    assert read_books() == before


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "booked_twice"},
        {"note": "Twice."},
        {"actor": OTHER_AGENT},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_key_belongs_to_one_request(order: str, change: dict[str, Any]) -> None:
    item = make_refundable()
    request(item)
    before = read_books()
    with pytest.raises(access.KeyTaken, match="sent before with other items"):
        request(item, **change)
    assert read_books() == before


def test_a_key_belongs_to_the_same_items(order: str) -> None:
    item, other = make_refundable(), make_refundable()
    request(item)
    before = read_books()
    for items in ([other], [item, other]):
        with pytest.raises(access.KeyTaken, match="sent before with other items"):
            request(*items)
    assert read_books() == before


@pytest.mark.both_databases
def test_an_item_is_refunded_once_with_many_requests(order: str) -> None:
    item = make_refundable()
    request(item, key="one")
    late = request(item, key="two")
    assert [one.why for one in late.outcomes] == [
        "It was refunded on 2026-11-23 09:30 (Europe/London)."
    ]
    assert get_balance() == 3800


@pytest.mark.both_databases
def test_a_double_click_is_one_refund(order: str) -> None:
    item, at_once = make_refundable(), threading.Barrier(8)

    def click(_: int) -> requests.Answer:
        at_once.wait()
        return request(item)

    with ThreadPoolExecutor(8) as clicks:
        answers = list(clicks.map(click, range(8)))
    assert answers == answers[:1] * 8
    assert (get_balance(), count(RefundBatch), count(Refund)) == (3800, 1, 1)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ACCOUNTANT])
def test_a_role_without_the_right_to_refund_changes_nothing(order: str, role: Role) -> None:
    item = make_refundable()
    before = read_books()
    with pytest.raises(NotPermitted, match=rf"^Your role, {role.capitalize()}, cannot refund\.$"):
        request(item, actor=replace(AGENT, role=role))
    assert read_books() == before


@pytest.mark.parametrize("key", ["", "k" * 101, "a\nb", "a\x00b", "\ud800"])
def test_a_request_without_a_valid_key_is_refused(order: str, key: str) -> None:
    item = make_refundable()
    with pytest.raises(InvalidInput, match="has no valid key"):
        request(item, key=key)
    assert (count(RefundBatch), get_item(item).status) == (0, "not_used")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": "because"}, r"^Choose a reason for the refund\.$"),
        ({"reason": ""}, r"^Choose a reason for the refund\.$"),
        ({"reason": "other"}, r"^Write the reason in the note\.$"),
        ({"reason": "other", "note": " \n"}, r"^Write the reason in the note\.$"),
        ({"note": "n" * 1_001}, r"^A note has at most 1,000 characters\.$"),
    ],
)
def test_reason_and_note_are_checked(order: str, given: dict[str, Any], said: str) -> None:
    item = make_refundable()
    with pytest.raises(InvalidInput, match=said):
        request(item, **given)
    assert (count(RefundBatch), get_item(item).status) == (0, "not_used")


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "Select 1 to"),
        ([str(one) for one in range(MAX_SELECTED + 1)], "Select 1 to"),
        (["OD-1-\x00"], "one of the IDs is too long"),
        (["OD-1-\ud800"], "one of the IDs is too long"),
        (["x" * 1_001], "one of the IDs is too long"),
    ],
    ids=["none", "too many", "NUL", "half a character", "too long"],
)
def test_ids_that_no_item_has_are_refused(order: str, ids: list[str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        request(*ids)
    assert count(RefundBatch) == 0


@pytest.mark.both_databases
def test_a_note_is_stored_without_characters_that_the_database_cannot_hold(order: str) -> None:
    item = make_refundable()
    request(item, reason="other", note="  Flight\x00 <b>moved</b> – 🛫\ud800 ")
    assert get_refund(item).note == "Flight\ufffd <b>moved</b> – 🛫\ufffd"


class TestHourlyLimit:
    """REFUNDS_PER_HOUR counts each person's order items."""

    def test_over_the_limit_nothing_is_refunded(self, order: str) -> None:
        items = [make_refundable() for _ in range(3)]
        before = read_books()
        with settings(refunds_per_hour=2):
            with pytest.raises(requests.TooManyRefunds) as error:
                request(*items)
            assert str(error.value) == (
                "You can refund 2 order items per hour. You requested 0 in the last hour, so 2 "
                "are left. Select fewer items, or try again later. Nothing was refunded."
            )
            assert read_books() == before
            request(*items[:2])  # the key is still free
        assert get_balance() == 7600

    def test_the_limit_counts_one_person_and_one_hour(self, order: str) -> None:
        items = [make_refundable() for _ in range(4)]
        with settings(refunds_per_hour=2):
            answer = request(*items[:2], key="1")
            for moment in (NOW, NOW + AN_HOUR - A_SECOND):
                with pytest.raises(
                    requests.TooManyRefunds, match=r"You requested 2 .* so 0 are left"
                ):
                    request(items[2], key="2", now=moment)
            assert request(*items[:2], key="1") == answer  # a replay does not count
            assert request(items[2], key="3", actor=OTHER_AGENT).requested
            assert request(items[3], key="2", now=NOW + AN_HOUR).requested

    @pytest.mark.both_databases
    def test_requests_at_the_same_moment_share_the_limit(self, order: str, admin: Actor) -> None:
        items, at_once = [make_refundable() for _ in range(6)], threading.Barrier(6)

        def ask(item: str) -> int:
            at_once.wait()
            try:
                return len(request(item, key=item, actor=admin).requested)
            except requests.TooManyRefunds:
                return 0

        with settings(refunds_per_hour=2), ThreadPoolExecutor(6) as people:
            assert sum(people.map(ask, items)) == 2
        assert get_balance() == 7600


def test_an_item_that_became_refundable_after_it_was_shown_is_not_refunded(order: str) -> None:
    shown, late = make_refundable(), make_refundable()
    answer = request(shown, late, confirmed=[shown])
    assert [one.order_item_id for one in answer.requested] == [shown]
    (refused,) = (one for one in answer.outcomes if one.refund_id is None)
    assert refused.why == "It became refundable only after you confirmed. Select it again."
    assert get_item(late).status == "not_used"
