"""A second person above a contract's limit: decided once, and no money before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import query, refunds, storage
from core.access import Actor, KeyTaken
from core.access.rights import AccessLost
from core.due import count_due
from core.ground import InvalidInput, NotPermitted, Role
from core.refunds import approve, decline, decline_late
from core.refunds.gateway import Succeeded
from core.storage import AuditEvent, Contract, Order, Refund, User
from core.tables import REFUNDS
from core.views import View, default_view, parse_view
from tests.conftest import NOW
from tests.core.access.use_cases import take_away
from tests.core.books import check_books
from tests.core.refunds.refund_rows import (
    AGENT,
    OTHER_AGENT,
    FakeGateway,
    by_card,
    get_balance,
    get_item,
    get_refund,
    ledger,
    make_paid_order,
    make_refundable,
    request,
    settings,
)
from tests.core.refunds.returned import TOMORROW, returned_item
from tests.rows import make_actor, make_transaction, store_user

A_MINUTE = timedelta(minutes=1)
PRICE = 3_800


def limit(amount: int | None, contract_id: str = "CT-1") -> None:
    with storage.writing() as session:
        is_one = Contract.contract_id == contract_id
        session.execute(update(Contract).where(is_one).values(refund_limit_minor=amount))


def sell(count: int = 1, contract_id: str = "CT-1") -> list[str]:
    order = f"OD-{contract_id}"
    make_paid_order(order, paid=PRICE * count, contract_id=contract_id, item_count=count)
    make_transaction(type="top_up", amount_minor=PRICE * count, contract_id=contract_id)
    return sorted(make_refundable(order, contract_id=contract_id) for _ in range(count))


def audited(action: str) -> list[AuditEvent]:
    with storage.reading() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.action == action)))


def ask(*items: str) -> list[str]:
    """Request refunds as the agent; return the IDs of those that wait."""
    return [str(one.refund_id) for one in request(*items, key=f"ask {items}").waiting]


def keys(view: View) -> list[str]:
    seen = query.load_rows(view, actor=make_actor(Role.ADMIN), now=NOW, start=0, end=100)
    return list(seen["refund_id"])


def found(search: str) -> list[str]:
    """Return the refunds that a search of Refunds finds."""
    return keys(default_view(REFUNDS).with_search(search))


def decided_by(boss: Actor) -> list[str]:
    """Return the refunds about which somebody decided, by the filter of Decided By."""
    is_theirs = {"filterType": "text", "type": "equals", "filter": boss.email}
    return keys(parse_view(REFUNDS, {"filters": {"decided_by": is_theirs}}))


@pytest.mark.both_databases
def test_above_the_limit_no_money_moves_until_a_second_person_approves(database: str) -> None:
    (item,) = sell()
    limit(PRICE - 1)
    before = get_balance()
    (waiting,) = ask(item)
    assert get_item(item).status == "refund_requested"  # the voucher is void from now on
    assert (get_refund(item).status, get_balance(), ledger(item)) == ("waiting", before, [])
    boss = make_actor(Role.ACCOUNTANT)
    decision = approve([waiting], note="Fine", key="yes", actor=boss, now=NOW + A_MINUTE)
    assert [one.refund_id for one in decision.approved] == [waiting]
    refund = get_refund(item)
    assert (refund.status, refund.decided_by, refund.decision_note) == (
        "succeeded",
        boss.email,
        "Fine",
    )
    assert (get_item(item).status, get_balance()) == ("refunded", before + PRICE)
    assert decided_by(boss) == found(boss.email.upper()) == [waiting]
    (event,) = audited("refund.approved")
    assert (event.actor, event.before, event.after and event.after["note"]) == (
        boss.email,
        {"status": "waiting"},
        "Fine",
    )
    check_books()


@pytest.mark.both_databases
def test_a_declined_refund_makes_the_voucher_valid_and_can_be_requested_anew(
    database: str,
) -> None:
    (item,) = sell()
    limit(0)
    (waiting,) = ask(item)
    boss = make_actor(Role.ADMIN)
    decision = decline([waiting], note="Not agreed", key="no", actor=boss, now=NOW)
    assert [one.refund_id for one in decision.declined] == [waiting]
    assert get_item(item).status == "not_used"
    assert (get_refund(item).status, ledger(item)) == ("declined", [])
    assert decided_by(boss) == found("not AGREED") == [waiting]
    limit(None)
    assert request(item, key="again").requested[0].refund_id != waiting
    assert get_item(item).status == "refunded"
    check_books()


def test_up_to_the_limit_nobody_is_asked(sqlite_database: str) -> None:
    (item,) = sell()
    limit(PRICE)
    assert ask(item) == []
    assert get_item(item).status == "refunded"


def test_only_items_of_contracts_over_their_limit_wait(sqlite_database: str) -> None:
    low, high = *sell(contract_id="CT-1"), *sell(contract_id="CT-2")
    limit(PRICE, "CT-1")
    limit(PRICE - 1, "CT-2")
    both = make_actor(contracts=frozenset({"CT-1", "CT-2"}))
    answer = request(low, high, actor=both)
    assert [one.order_item_id for one in answer.waiting] == [high]
    assert get_item(low).status == "refunded"
    assert len(answer.requested) == 2


def test_what_one_person_asked_for_within_a_day_counts(sqlite_database: str) -> None:
    first, second, third, fourth = sell(4)
    limit(2 * PRICE)
    hours = timedelta(hours=1)
    assert not request(first, key="1", now=NOW).waiting
    assert not request(second, key="2", now=NOW + hours).waiting
    assert request(third, key="3", now=NOW + 23 * hours).waiting
    # The first is over a day old; the one that waits counts too.
    assert request(fourth, key="4", now=NOW + 24 * hours + A_MINUTE).waiting
    with storage.writing() as session:
        session.execute(update(Refund).where(Refund.order_item_id == third).values(status="failed"))
    fifth = make_refundable("OD-CT-1")
    assert not request(fifth, key="5", now=NOW + 47 * hours, actor=OTHER_AGENT).waiting


@pytest.mark.both_databases
def test_a_refund_that_the_bank_returned_counts_once_when_it_is_requested_again(
    database: str,
) -> None:
    later = TOMORROW - timedelta(hours=1)  # within a day of the first request
    with settings(stripe_api_key="sk_test_x"):
        item = returned_item()
        limit(PRICE)
        found = refunds.assess([item], actor=AGENT, now=later)
        gateways = by_card(FakeGateway(Succeeded("re_2")))
        answer = request(item, key="again", now=later, gateways=gateways)
    assert (len(answer.requested), found.waiting, answer.waiting) == (1, [], [])


@pytest.mark.both_databases
def test_a_declined_refund_that_the_bank_had_returned_stays_returned(database: str) -> None:
    with settings(stripe_api_key="sk_test_x"):
        item = returned_item()
        limit(0)
        (outcome,) = request(item, key="again", now=TOMORROW, gateways={}).waiting
    boss = make_actor(Role.ADMIN)
    assert decline([str(outcome.refund_id)], note="No", key="d", actor=boss, now=NOW).declined
    refund = get_refund(item)
    assert (refund.status, refund.failed_after_success_at) == ("failed", TOMORROW)
    assert get_item(item).status == "refund_requested"  # its voucher stays void
    assert [one.order_item_id for one in refunds.find_returned("OD-2", actor=AGENT)] == [item]
    check_books()


def test_failed_and_declined_refunds_do_not_count(sqlite_database: str) -> None:
    first, second = sell(2)
    limit(0)
    (waiting,) = ask(first)
    decline([waiting], note="no", key="no", actor=make_actor(Role.ADMIN), now=NOW)
    limit(PRICE)
    assert not request(second, key="second").waiting


def test_nobody_decides_about_their_own_request(sqlite_database: str) -> None:
    (item,) = sell()
    limit(0)
    boss = make_actor(Role.ADMIN)
    (outcome,) = request(item, actor=boss).waiting
    for decide in (approve, decline):
        result = decide(
            [str(outcome.refund_id)], note="mine", key=decide.__name__, actor=boss, now=NOW
        ).results[0]
        assert (result.is_approved, result.is_declined) == (False, False)
        assert result.why == "You asked for this refund yourself. Another person has to decide."
    assert get_refund(item).status == "waiting"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT])
def test_only_accountants_and_admins_decide(sqlite_database: str, role: Role) -> None:
    (item,) = sell()
    limit(0)
    (waiting,) = ask(item)
    for decide in (approve, decline):
        with pytest.raises(NotPermitted, match="cannot approve or decline refunds"):
            decide([waiting], note="x", key="k", actor=make_actor(role), now=NOW)
    assert get_refund(item).status == "waiting"


def test_whoever_does_not_see_the_contract_cannot_decide(sqlite_database: str) -> None:
    (item,) = sell()
    limit(0)
    (waiting,) = ask(item)
    other = make_actor(Role.ACCOUNTANT, contracts=frozenset({"CT-2"}))
    missing = approve(["no such refund"], key="a", actor=other, now=NOW).results[0]
    hidden = approve([waiting], key="b", actor=other, now=NOW).results[0]
    assert hidden.why == missing.why
    assert hidden.order_item_id is None
    assert get_refund(item).status == "waiting"


def test_who_sees_only_their_own_orders_decides_about_those(sqlite_database: str) -> None:
    (item,) = sell()
    limit(0)
    (waiting,) = ask(item)
    for email, is_theirs in (("else@helios.example", False), ("ana@helios.example", True)):
        own = make_actor(Role.ACCOUNTANT, only_own_orders=True)
        with storage.writing() as session:
            session.get_one(Order, "OD-CT-1").author = own.email if is_theirs else email
        assert count_due(actor=own, today=NOW.date()).to_approve == int(is_theirs)
        result = approve([waiting], key=email, actor=own, now=NOW).results[0]
        assert result.is_approved == is_theirs


def test_rights_that_are_lost_before_the_decision_count(sqlite_database: str) -> None:
    (item,) = sell()
    limit(0)
    (waiting,) = ask(item)
    boss = make_actor(Role.ACCOUNTANT)
    take_away(boss, role=Role.AGENT)  # the page still has the rights of before
    for number, act in enumerate((approve, decline)):
        with pytest.raises(NotPermitted):
            act([waiting], note="x", key=f"{number}", actor=boss, now=NOW)
    take_away(boss, role=Role.ACCOUNTANT, sees_all_contracts=False)
    assert not approve([waiting], key="blind", actor=boss, now=NOW).approved
    take_away(boss, is_active=False)
    with pytest.raises(AccessLost):
        approve([waiting], key="gone", actor=boss, now=NOW)
    assert get_refund(item).status == "waiting"


def test_the_key_of_one_person_is_refused_to_another(sqlite_database: str) -> None:
    (item,) = sell()
    limit(0)
    (waiting,) = ask(item)
    approve([waiting], key="k", actor=make_actor(Role.ADMIN), now=NOW)
    with pytest.raises(KeyTaken):
        approve([waiting], key="k", actor=make_actor(Role.ADMIN), now=NOW)


def test_a_new_limit_leaves_what_waits_waiting(sqlite_database: str) -> None:
    first, second = sell(2)
    limit(0)
    (waiting,) = ask(first)
    limit(None)
    assert get_refund(first).status == "waiting"
    assert not request(second, key="second").waiting
    assert approve([waiting], key="k", actor=make_actor(Role.ADMIN), now=NOW).approved


def test_the_request_of_someone_inactive_is_declined(sqlite_database: str) -> None:
    (item,) = sell()
    limit(0)
    (waiting,) = ask(item)
    with storage.writing() as session:
        session.execute(update(User).where(User.user_id == AGENT.user_id).values(is_active=False))
    (result,) = approve([waiting], key="k", actor=make_actor(Role.ADMIN), now=NOW).results
    assert result.is_declined
    assert AGENT.email in str(result.why)
    assert (get_item(item).status, get_refund(item).status) == ("not_used", "declined")
    check_books()


def test_a_repeat_returns_the_first_answer_and_another_decision_is_refused(
    sqlite_database: str,
) -> None:
    first, second = sell(2)
    limit(0)
    waiting = ask(first, second)
    boss = make_actor(Role.ADMIN)
    answer = approve(waiting[:1], key="k", actor=boss, now=NOW)
    assert approve(waiting[:1], key="k", actor=boss, now=NOW + A_MINUTE) == answer
    assert len(audited("refund.approved")) == 1
    with pytest.raises(KeyTaken):
        decline(waiting[:1], note="no", key="k", actor=boss, now=NOW)
    with pytest.raises(KeyTaken):
        approve(waiting, key="k", actor=boss, now=NOW)
    late = decline(waiting[:1], note="no", key="other", actor=boss, now=NOW).results[0]
    assert not late.is_declined
    assert late.why
    assert get_item(first).status == "refunded"


def test_the_deadline_counts_at_the_request_and_not_at_the_approval(sqlite_database: str) -> None:
    (item,) = sell()
    limit(0)
    (waiting,) = ask(item)
    years = NOW + timedelta(days=2_000)
    assert approve([waiting], key="k", actor=make_actor(Role.ADMIN), now=years).approved
    assert get_item(item).status == "refunded"


@pytest.mark.both_databases
def test_a_refund_that_nobody_decides_about_is_declined_by_the_worker(database: str) -> None:
    (item,) = sell()
    limit(0)
    ask(item)
    with settings(approval_days=3):
        days = timedelta(days=3)
        assert decline_late(now=NOW + days - A_MINUTE) == 0
        assert decline_late(now=NOW + days) == 1
        assert decline_late(now=NOW + days) == 0
    assert get_item(item).status == "not_used"
    assert get_refund(item).failure == "Nobody decided within 3 days, so it was declined."
    check_books()


@pytest.mark.parametrize(
    "ids", [[], ["x" * 1_001], ["\x00"], ["a"] * 2 + [str(n) for n in range(1_001)]]
)
def test_odd_ids_are_refused_in_words(sqlite_database: str, ids: list[str]) -> None:
    with pytest.raises(InvalidInput):
        approve(ids, key="k", actor=make_actor(Role.ADMIN), now=NOW)


def test_a_refusal_needs_a_note(sqlite_database: str) -> None:
    with pytest.raises(InvalidInput, match="Write in the note why"):
        decline(["x"], note=" ", key="k", actor=make_actor(Role.ADMIN), now=NOW)


@pytest.mark.both_databases
def test_two_requests_at_once_cannot_both_stay_below_the_limit(database: str) -> None:
    items = sell(8)
    limit(4 * PRICE)
    store_user(AGENT)

    def one(number: int) -> int:
        answer = refunds.request(
            [items[number]], reason="goodwill", key=f"k{number}", actor=AGENT, now=NOW
        )
        return len(answer.waiting)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(8))) == 4
    check_books()
