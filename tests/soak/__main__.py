"""Attacks refunds and mail at full size on both databases, and opens an Excel file in LibreOffice.

Exit code 1 when a figure is missed.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator

from core.users import Actor
from tests.bench.figures import Figure
from tests.core import naive_refunds
from tests.core.books import check_books
from tests.core.mail_deaths import kill_mail_workers, queued_mails
from tests.core.refund_deaths import kill_requesters
from tests.core.refund_races import (
    at_once,
    count_double_refunds,
    guarded,
    race,
    refunded_items,
    settle_all,
)
from tests.core.sold_items import sell
from tests.core.worker_deaths import card_refunds, kill_naive_workers, kill_workers
from tests.soak.databases import KINDS, fresh_databases
from tests.soak.office import open_in_office

THREADS, REQUESTS, ITEMS = 32, 60, 1_500
ROUNDS = 20
CARDS, MAILS, KILLS = 600, 600, 60

Attack = Callable[[Actor], Iterator[Figure]]


def main() -> int:
    """Open the file, and run every attack on each kind of database."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the processes end with it
    are_met = [_print("Excel", open_in_office())]
    are_met += [_is_met(kind, attack) for kind in KINDS for attack in ATTACKS]
    return 0 if all(are_met) else 1


def _print(about: str, figures: Iterator[Figure]) -> bool:
    """Print a line per figure, and return whether all are met."""
    is_met = True
    for figure in figures:
        result = ("pass" if figure.is_met else "FAIL") if figure.bar else ""
        print(f"{about}: {figure.measure}: {figure.ours}  {result}", flush=True)
        is_met &= figure.is_met
    return is_met


def _is_met(kind: str, attack: Attack) -> bool:
    """Run one attack on a database of its own."""
    started = time.perf_counter()
    with fresh_databases(kind) as make:
        try:
            is_met = _print(kind, attack(make()))
        except AssertionError as broken:
            print(f"{kind}: {attack.__name__}: {broken}  FAIL", flush=True)
            is_met = False
    print(f"{kind}: {attack.__name__} took {time.perf_counter() - started:,.0f} s", flush=True)
    return is_met


def _none(measure: str, count: int) -> Figure:
    return Figure(measure, f"{count:,}", bar="0", is_met=count == 0)


def _some(measure: str, count: int) -> Figure:
    return Figure(measure, f"{count:,}", bar="more than 0", is_met=count > 0)


def race_of_requests(admin: Actor) -> Iterator[Figure]:
    """Let many request overlapping items at once."""
    run = race(guarded(admin), sell(ITEMS), threads=THREADS, requests=REQUESTS)
    for error in run.errors[:3]:
        print(f"  {error!r}")
    yield Figure(
        "requests, settled at once", f"{len(run.replies):,}, {run.per_second:.0f} a second"
    )
    yield _none("unexpected errors", len(run.errors))
    yield _none("answers that leave items out", len(run.incomplete))
    yield _none("double refunds", count_double_refunds())
    yield _none("refunds granted twice", sum(run.granted.values()) - len(run.granted))
    settle_all()
    check_books()
    yield _none("items that were wanted and not refunded", len(run.wanted ^ refunded_items()))


def race_without_guards(_admin: Actor) -> Iterator[Figure]:
    """Do the same with the naive request: the race has to be one."""
    items = sell(ITEMS)
    naive_refunds.drop_index()
    race(naive_refunds.request, items, threads=THREADS, requests=REQUESTS)
    yield _some("double refunds without guards", count_double_refunds())


def one_key(admin: Actor) -> Iterator[Figure]:
    """Send one key many times at once, then a new key each time to the naive request."""
    items, other_answers = sell(REQUESTS), 0
    for item in items:
        answers = at_once(THREADS, lambda _, item=item: guarded(admin)([item], item))
        other_answers += sum(answer != answers[0] for answer in answers)
    yield _none("other answers to the same key", other_answers)
    yield _none("double refunds under the same key", count_double_refunds())
    settle_all()
    check_books()


def new_keys_without_guards(_admin: Actor) -> Iterator[Figure]:
    """Send a new key each time to the naive request."""
    items = sell(REQUESTS)
    naive_refunds.drop_index()
    for item in items:
        at_once(THREADS, lambda n, item=item: naive_refunds.request([item], f"{item} {n}"))
    yield _some("double refunds with new keys and without guards", count_double_refunds())


def killed_processes(admin: Actor) -> Iterator[Figure]:
    """Kill processes that request refunds."""
    sell(ITEMS)
    met = kill_requesters(guarded(admin), rounds=ROUNDS)
    yield Figure("processes killed, and nothing lost or half done", f"{met.rounds}")
    yield Figure("answers given before the kills", f"{met.answered:,}")
    yield _some("requests in flight at the kills", met.in_flight)
    yield Figure("of these written, and not answered any more", f"{met.written:,}")
    yield Figure("refunds that a kill left open", f"{met.left_open:,}")


def killed_workers(admin: Actor) -> Iterator[Figure]:
    """Kill workers as they pay back by card."""
    with card_refunds(CARDS, admin) as (_, till):
        kill_workers(till, kills=KILLS)
        yield Figure("workers killed", f"{KILLS} in {CARDS} refunds by card")
        yield _some("payouts asked for again after a kill", till.asked_again)
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
    """Kill workers as they send."""
    with queued_mails(MAILS, admin) as server:
        met = kill_mail_workers(server, kills=KILLS)
        yield Figure("workers killed", f"{KILLS} in {MAILS} mails")
        yield _none("mails that did not arrive", MAILS - met.arrived)
        yield _none("mails that are not said to be sent", MAILS - met.sent)
        yield Figure("arrived twice, and said so", f"{len(met.twice):,}")
        yield Figure("said to be possibly twice", f"{met.in_doubt:,}")


ATTACKS: tuple[Attack, ...] = (
    race_of_requests,
    race_without_guards,
    one_key,
    new_keys_without_guards,
    killed_processes,
    killed_workers,
    killed_naive_workers,
    killed_mail_workers,
)

if __name__ == "__main__":
    sys.exit(main())
