"""The attacks at full size, each on a new database, grouped into parts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from core.access import Actor
from tests.bench.figures import Figure
from tests.core import steps
from tests.core.access.rights_races import ACTS, naive_hand_out, race_for_rights
from tests.core.books import check_books
from tests.core.mail.mail_deaths import kill_mail_workers, queued_mails
from tests.core.refunds import approval_races, naive_approvals, naive_refunds
from tests.core.refunds.approval_deaths import kill_deciders
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

THREADS, REQUESTS, ITEMS = 32, 60, 1_500
ROUNDS = 20
WAITING, DECISIONS = 200, 40  # refunds, and decisions of each thread
RIGHTS_ROUNDS, NAIVE_ROUNDS = 15, 8  # of four changes each
CARDS, MAILS, KILLS = 600, 600, 60

Attack = Callable[[Actor], Iterator[Figure]]


@dataclass(frozen=True)
class Planned:
    """An attack, and its duration in seconds on two idle cores."""

    attack: Attack
    seconds: float


def _none(measure: str, count: int) -> Figure:
    return Figure(measure, f"{count:,}", bar="0", is_met=count == 0)


def _some(measure: str, count: int) -> Figure:
    return Figure(measure, f"{count:,}", bar="more than 0", is_met=count > 0)


def race_of_requests(admin: Actor) -> Iterator[Figure]:
    """Send parallel requests for overlapping items."""
    run = race(guarded(admin), sell(ITEMS), threads=THREADS, requests=REQUESTS)
    for error in run.errors[:3]:
        print(f"  {error!r}")
    yield Figure(
        "requests, settled immediately", f"{len(run.replies):,}, {run.per_second:.0f} a second"
    )
    yield _none("unexpected errors", len(run.errors))
    yield _none("answers with missing items", len(run.incomplete))
    yield _none("double refunds", count_double_refunds())
    yield _none("refunds granted twice", sum(run.granted.values()) - len(run.granted))
    settle_all()
    check_books()
    yield _none("requested items that are not refunded", len(run.wanted ^ refunded_items()))


def race_without_guards(_admin: Actor) -> Iterator[Figure]:
    """Do the same with the naive request, as a negative control."""
    items = sell(ITEMS)
    naive_refunds.drop_index()
    race(naive_refunds.request, items, threads=THREADS, requests=REQUESTS)
    yield _some("double refunds without guards", count_double_refunds())


def _send_once(admin: Actor, item: str, _thread: int) -> object:
    return guarded(admin)([item], item)


def _send_naively(item: str, thread: int) -> object:
    return naive_refunds.request([item], f"{item} {thread}")


def one_key(admin: Actor) -> Iterator[Figure]:
    """Send each key many times in parallel; every answer must be the same."""
    items, other_answers = sell(REQUESTS), 0
    steps.begin(REQUESTS)
    for item in items:
        answers = at_once(THREADS, partial(_send_once, admin, item))
        other_answers += sum(answer != answers[0] for answer in answers)
        steps.step()
    yield _none("different answers to the same key", other_answers)
    yield _none("double refunds under the same key", count_double_refunds())
    settle_all()
    check_books()


def new_keys_without_guards(_admin: Actor) -> Iterator[Figure]:
    """Send parallel naive requests with new keys, as a negative control."""
    items = sell(REQUESTS)
    naive_refunds.drop_index()
    for number in steps.through(REQUESTS):
        item = items[number]
        at_once(THREADS, partial(_send_naively, item))
    yield _some("double refunds with new keys and without guards", count_double_refunds())


def killed_processes(admin: Actor) -> Iterator[Figure]:
    """Kill processes that request refunds."""
    sell(ITEMS)
    met = kill_requesters(guarded(admin), rounds=ROUNDS)
    yield Figure("processes killed without loss or partial work", f"{met.rounds}")
    yield Figure("answers given before the kills", f"{met.answered:,}")
    yield _some("requests in flight at the kills", met.in_flight)
    yield Figure("of these committed but not answered", f"{met.written:,}")
    yield Figure("refunds that a kill left open", f"{met.left_open:,}")


def race_of_decisions(admin: Actor) -> Iterator[Figure]:
    """Approve and decline overlapping refunds in parallel."""
    waiting = approval_races.ask_for_approval(WAITING, admin)
    answers = approval_races.race(approval_races.decide, waiting, threads=THREADS, each=DECISIONS)
    decided = approval_races.decided_in(answers)
    yield Figure("decisions about waiting refunds", f"{len(answers):,}")
    yield _none("refunds that nobody decided", WAITING - len(decided))
    yield _none("refunds decided in two answers", decided.total() - len(decided))
    settle_all()
    yield from _faults_of_decisions()
    check_books()


def _faults_of_decisions() -> Iterator[Figure]:
    for name, count in vars(approval_races.find_faults()).items():
        yield _none(f"refunds {name.replace('_', ' ')}", count)


def race_of_naive_decisions(admin: Actor) -> Iterator[Figure]:
    """Do the same with decisions that rely on an earlier read, as a negative control."""
    waiting = approval_races.ask_for_approval(WAITING, admin)
    approval_races.race(naive_approvals.decide, waiting, threads=THREADS, each=DECISIONS)
    found = approval_races.find_faults()
    yield _some("refunds decided twice without guards", found.decided_twice)
    wrongly = found.paid_without_approval + found.paid_twice
    yield _some("refunds paid wrongly without guards", wrongly)


def killed_deciders(admin: Actor) -> Iterator[Figure]:
    """Kill processes that approve and decline refunds."""
    met = kill_deciders(admin, rounds=ROUNDS, each=WAITING)
    yield Figure("deciding processes killed without loss or partial work", f"{met.rounds}")
    yield _some("decisions in flight at the kills", met.in_flight)
    yield Figure("of these committed but not answered", f"{met.written:,}")
    yield Figure("approved refunds that a kill left open", f"{met.left_open:,}")
    yield from _faults_of_decisions()


def killed_workers(admin: Actor) -> Iterator[Figure]:
    """Kill workers while they refund by card."""
    with card_refunds(CARDS, admin) as (_, till):
        kill_workers(till, kills=KILLS)
        yield Figure("workers killed", f"{KILLS} in {CARDS} refunds by card")
        yield _some("payouts requested again after a kill", till.asked_again)
        yield _none("paid twice", till.paid_twice)
        yield _none("unpaid", CARDS - len(till.payouts))
        yield _none("items that are not refunded", CARDS - len(refunded_items()))
        check_books()


def killed_naive_workers(admin: Actor) -> Iterator[Figure]:
    """Kill naive workers between a payout and its record."""
    with card_refunds(CARDS, admin) as (address, till):
        kill_naive_workers(address, kills=KILLS)
        yield _some("paid twice by naive workers", till.paid_twice)


def killed_mail_workers(admin: Actor) -> Iterator[Figure]:
    """Kill workers while they send mail."""
    with queued_mails(MAILS, admin) as server:
        met = kill_mail_workers(server, kills=KILLS)
        yield Figure("workers killed", f"{KILLS} in {MAILS} mails")
        yield _none("mails that did not arrive", MAILS - met.arrived)
        yield _none("mails that are not marked as sent", MAILS - met.sent)
        yield Figure("arrived twice and marked as such", f"{len(met.twice):,}")
        yield Figure("marked as possibly sent twice", f"{met.in_doubt:,}")


def rights_taken_away(admin: Actor) -> Iterator[Figure]:
    """Let agents refund, mail and download vouchers while an admin removes their rights."""
    run = race_for_rights(ACTS, sell(ITEMS), admin=admin, threads=THREADS, rounds=RIGHTS_ROUNDS)
    for error in run.errors[:3]:
        print(f"  {error!r}")
    yield Figure("changes of rights", f"{len(run.changes)}")
    yield _none("unexpected errors", len(run.errors))
    yield _some("refunds granted before the changes", run.granted.refunds)
    yield _some("mails queued before the changes", run.granted.mails)
    yield _some("vouchers downloaded before the changes", run.granted.vouchers)
    yield _none("granted after the right was removed", run.late)
    settle_all()
    check_books()


def rights_read_too_early(admin: Actor) -> Iterator[Figure]:
    """Do the same with code that reads the rights before its transaction: a negative control."""
    run = race_for_rights(
        [naive_hand_out], sell(ITEMS), admin=admin, threads=THREADS, rounds=NAIVE_ROUNDS
    )
    yield _some("granted after the change, by rights read too early", run.late)


PARTS: dict[str, tuple[Planned, ...]] = {
    "refunds": (
        Planned(race_of_requests, 60),
        Planned(race_without_guards, 40),
        Planned(one_key, 40),
        Planned(new_keys_without_guards, 40),
    ),
    "approvals": (
        Planned(race_of_decisions, 30),
        Planned(race_of_naive_decisions, 15),
        Planned(killed_deciders, 60),
    ),
    "rights": (Planned(rights_taken_away, 60), Planned(rights_read_too_early, 20)),
    "processes": (Planned(killed_processes, 120),),
    "workers": (Planned(killed_workers, 120), Planned(killed_naive_workers, 40)),
    "mail": (Planned(killed_mail_workers, 120),),
}
