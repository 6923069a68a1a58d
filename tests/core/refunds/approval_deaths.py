"""Processes that are killed while they approve and decline refunds: every answer stays true."""

import random

from core.access import Actor
from core.refunds import Decision
from tests.core import steps
from tests.core.books import check_books
from tests.core.refunds import refund_process
from tests.core.refunds.approval_races import (
    ask_for_approval,
    check_that_they_stand,
    count_decisions,
    decide,
    decided_in,
    make_deciders,
    read_decision,
)
from tests.core.refunds.killed import Said, run_and_kill
from tests.core.refunds.refund_deaths import Deaths
from tests.core.refunds.refund_races import count_open, settle_all


def kill_deciders(admin: Actor, *, rounds: int, each: int, seed: int = 7) -> Deaths:
    """Kill a process that decides about refunds, several times; check the database each time."""
    make_deciders()
    met, chance, said = Deaths(rounds), random.Random(seed), list[Said[Decision]]()
    for number in steps.through(rounds):
        ask_for_approval(each, admin, f"ask {number}")
        about = f"{seed}-{number}"
        said.append(run_and_kill(refund_process.decide_main, about, chance, read_decision))
        check_books()  # before any repair
        met.answered += len(said[-1].answered)
        met.in_flight += len(said[-1].in_flight)
        met.written += count_decisions(said[-1].in_flight)
        met.left_open += count_open()
        said[-1].ask_in_flight_again(decide)
        settle_all()
        check_books()
    for one in said:  # later rounds must not change it
        check_that_they_stand(list(one.answered.values()))
        one.check_repeats(decide)
    answers = [answer for one in said for answer in one.answered.values()]
    assert set(decided_in(answers).values()) <= {1}
    check_books()
    return met
