"""Refunds with parallel requests and killed processes. Short; see tests.soak."""

from functools import partial

import pytest
from sqlalchemy.exc import IntegrityError

from core.access import Actor
from tests.core.books import check_books
from tests.core.refunds import naive_refunds
from tests.core.refunds.refund_deaths import kill_requesters
from tests.core.refunds.refund_races import (
    at_once,
    count_double_refunds,
    guarded,
    race,
    refunded_items,
    settle_all,
)
from tests.core.refunds.sold_items import sell
from tests.core.refunds.worker_deaths import card_refunds, kill_naive_workers, kill_workers
from tests.effort import some

pytestmark = pytest.mark.both_databases

THREADS, REQUESTS, ITEMS = 16, some(4, 20), some(100, 400)
CARDS, KILLS, DEATHS = some(12, 60), some(1, 6), some(1, 6)


def test_parallel_requests_refund_each_item_once(database: str, admin: Actor) -> None:
    run = race(guarded(admin), sell(ITEMS), threads=THREADS, requests=REQUESTS)
    assert run.errors == []
    assert run.incomplete == []
    assert set(run.granted.values()) == {1}
    assert count_double_refunds() == 0
    settle_all()
    assert refunded_items() == set(run.granted) == run.wanted
    check_books()


def test_without_guards_some_items_are_refunded_twice(database: str) -> None:
    items = sell(ITEMS)
    naive_refunds.drop_index()
    run = race(naive_refunds.request, items, threads=THREADS, requests=REQUESTS)
    assert count_double_refunds() > 0
    assert max(run.granted.values()) > 1


def test_the_unique_index_alone_prevents_a_second_refund(database: str) -> None:
    run = race(naive_refunds.request, sell(ITEMS), threads=THREADS, requests=REQUESTS)
    assert count_double_refunds() == 0
    assert {type(error) for error in run.errors} == {IntegrityError}


def test_parallel_requests_with_one_key_are_one_refund(database: str, admin: Actor) -> None:
    (item,) = sell(1)
    answers = at_once(THREADS, lambda _: guarded(admin)([item], "the key"))
    assert len({answer.batch_id for answer in answers}) == 1
    assert answers == answers[:1] * THREADS
    assert [one.order_item_id for one in answers[0].requested] == [item]
    assert guarded(admin)([item], "the key") == answers[0]
    assert count_double_refunds() == 0
    check_books()


def test_parallel_requests_with_new_keys_are_refused_except_one(
    database: str, admin: Actor
) -> None:
    (item,) = sell(1)
    answers = at_once(THREADS, lambda number: guarded(admin)([item], f"key {number}"))
    assert sorted(len(answer.requested) for answer in answers) == [0] * (THREADS - 1) + [1]
    check_books()


def _refund_naively(item: str, number: int) -> object:
    return naive_refunds.request([item], f"{item} {number}")


def test_a_new_key_each_time_without_guards_refunds_again(database: str) -> None:
    naive_refunds.drop_index()
    for item in sell(20):  # chance decides whether two requests meet
        at_once(THREADS, partial(_refund_naively, item))
        if count_double_refunds():
            break
    assert count_double_refunds() > 0


def test_a_killed_process_loses_no_answer_and_leaves_no_partial_refund(
    database: str, admin: Actor
) -> None:
    sell(ITEMS)
    met = kill_requesters(guarded(admin), rounds=DEATHS)
    assert met.answered > 0
    assert met.in_flight > 0


def test_killed_workers_pay_each_refund_once(database: str, admin: Actor) -> None:
    with card_refunds(CARDS, admin) as (_, till):
        kill_workers(till, kills=KILLS)
        assert till.paid_twice == 0
        assert len(till.payouts) == len(refunded_items()) == CARDS
        check_books()


def test_killed_naive_workers_pay_some_refunds_twice(sqlite_database: str, admin: Actor) -> None:
    with card_refunds(CARDS, admin) as (address, till):
        kill_naive_workers(address, kills=KILLS)
        assert till.paid_twice == KILLS
        assert len(refunded_items()) == CARDS
