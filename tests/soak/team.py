"""A team under load: processes, workers and the primary are killed, and the version changes.

Three applications behind haproxy, two workers, a primary and a synchronous standby. Everything that
the people were told is compared with the database, the card provider and the mail server.
"""

import time
from collections import Counter
from collections.abc import Iterator

from sqlalchemy import func, select

from core import storage
from core.ground import DeliveryStatus
from core.storage import Delivery
from tests.bench.extent import some
from tests.bench.figures import Figure, in_milliseconds, in_seconds
from tests.bench.people import percentile
from tests.core import steps
from tests.core.books import find_broken
from tests.core.refunds.refund_races import count_double_refunds, count_open, refunded_items
from tests.soak.crowd import crowding
from tests.soak.people import Outcome
from tests.soak.site import AFTER_SECONDS, APPS, BETWEEN_SECONDS, WORKERS, Site, running_site
from tests.team.members import Member
from tests.team.releases import make_newer_release
from tests.team.replicas import wait_until

PEOPLE = 60
CALM_SECONDS, JOIN_SECONDS = some(30, 12), 5
# Each process loads what makes vouchers, mails and workbooks when it is first asked for one, and
# each connection plans its first queries: for half a minute that is most of the work.
WARM_SECONDS = some(35, 5)
STEPS_OF_PEOPLE = some((30, 60, 90, 120, 150, 180, 240), (30, 60))
STEP_SECONDS = some(10, 6)
MAX_SECONDS = 0.3  # for 95 of 100 answers while nothing is down
SETTLE_SECONDS = 120
# What a person gets while something is down: no answer, or one of haproxy or of the application.
WHILE_DOWN = {0, 502, 503, 504}


def work_as_a_team() -> Iterator[Figure]:
    """Measure how many people it carries, then what they notice of faults."""
    with running_site(max(STEPS_OF_PEOPLE)) as site:
        yield from _how_many(site)
        yield from _with_faults(site)


def _how_many(site: Site) -> Iterator[Figure]:
    """Count the people that one, two and three processes carry."""
    steps.begin(APPS)
    for count in range(1, APPS + 1):
        for number in range(1, APPS + 1):
            site.balancer.set_state(number, "ready" if number <= count else "maint")
        time.sleep(AFTER_SECONDS)
        most, tried = 0, []
        for people in STEPS_OF_PEOPLE:
            outcome, reached = _use(site, people)
            failed = sum(not one.is_answered for one in outcome.samples)
            without = f", {failed} without an answer" if failed else ""
            tried.append(f"{people}: {in_milliseconds(reached)}{without}")
            if failed or reached > MAX_SECONDS:
                break
            most = people
        yield Figure(
            f"people that {count} of {APPS} processes carry, 95 of 100 answers within "
            f"{in_milliseconds(MAX_SECONDS)}",
            f"{most} ({'; '.join(tried)})",
        )
        steps.step()


def _use(site: Site, people: int) -> tuple[Outcome, float]:
    """Let people scroll, filter and export; return what came of it, and the 95th percentile."""
    with crowding(site.balancer.url, site.people[:people]) as crowd:
        time.sleep(JOIN_SECONDS + STEP_SECONDS)
        ended = time.monotonic()
    return crowd.outcome, _within(crowd.outcome, ended - STEP_SECONDS, ended)


def _within(outcome: Outcome, began: float, ended: float) -> float:
    rows = [one for one in outcome.samples if one.kind == "rows" and began <= one.began <= ended]
    return percentile([one.seconds for one in rows], 95) if rows else float("inf")


def _with_faults(site: Site) -> Iterator[Figure]:
    """Let sixty people do everything while one thing after the other fails."""
    people = site.people[:PEOPLE]
    steps.begin(2 * APPS + WORKERS + 3)
    with crowding(site.balancer.url, people, items=site.items, mailed=site.mailed) as crowd:
        time.sleep(JOIN_SECONDS + WARM_SECONDS + CALM_SECONDS)
        calm = time.monotonic() - CALM_SECONDS, time.monotonic()
        _break_all(site)
        time.sleep(BETWEEN_SECONDS)
        ended = time.monotonic()
    outcome = crowd.outcome
    within = _within(outcome, *calm)
    yield Figure(
        f"{PEOPLE} people at {APPS} processes, nothing down: 95 of 100 answers within",
        in_milliseconds(within),
        bar=f"at most {in_milliseconds(MAX_SECONDS)}",
        is_met=within <= MAX_SECONDS,
    )
    yield from _noticed(site, outcome, ended)
    yield from _kept(site, outcome)


def _break_all(site: Site) -> None:
    """Kill and restart one after the other, each while all the others run."""
    team, replicas = site.team, site.replicas
    for number, app in enumerate(team.apps, 1):
        with site.fault(f"process {number} killed"):
            app.kill()
            _bring_back(site, app)
    for number, worker in enumerate(team.workers, 1):
        with site.fault(f"worker {number} killed"):
            worker.kill()
            worker.start()
    with site.fault("primary killed, standby promoted"):
        replicas.primary.kill()
        replicas.promote()
    with site.fault("new standby made, which commits wait for"):
        replicas.follow()
    _restart_newer(site)


def _bring_back(site: Site, app: Member) -> None:
    app.start()
    app.wait()
    wait_until(lambda: site.balancer.count_up() == APPS)


def _restart_newer(site: Site) -> None:
    """Change to a newer version with a newer schema, one process after the other."""
    newer = make_newer_release(site.folder / "newer")
    with site.fault("schema migrated"):
        site.team.run("migrate", release=newer)
    for number, app in enumerate(site.team.apps, 1):
        with site.fault(f"process {number} restarted as the newer version"):
            site.balancer.set_state(number, "maint")
            app.end()
            app.release = newer
            app.start()
            app.wait()
            site.balancer.set_state(number, "ready")
            wait_until(lambda: site.balancer.count_up() == APPS)
    for worker in site.team.workers:
        worker.end()
        worker.release = newer
        worker.start()


def _noticed(site: Site, outcome: Outcome, ended: float) -> Iterator[Figure]:
    """Say what the people noticed of each fault."""
    failed = [one for one in outcome.samples if not one.is_answered]
    for name, began, over in site.faults:
        of_it = [one for one in failed if began <= one.began + one.seconds <= over]
        slowest = max(
            (one.seconds for one in outcome.samples if began <= one.began <= over), default=0.0
        )
        last = max((one.began + one.seconds - began for one in of_it), default=0.0)
        yield Figure(
            f"{name}: requests without an answer, the last after, slowest answer",
            f"{len(of_it)}, {in_seconds(last)}, {in_seconds(slowest)}",
        )
    between = [
        one.seconds
        for one in outcome.samples
        if one.kind == "rows" and one.began <= ended and not site.is_down(one.began)
    ]
    yield Figure(
        "between the faults: 95 of 100 answers within", in_milliseconds(percentile(between, 95))
    )
    unexpected = [
        one
        for one in failed
        if one.status not in WHILE_DOWN or not site.is_down(one.began + one.seconds)
    ]
    for one in unexpected[:5]:
        print(f"  {one}")
    yield _none("unexpected errors", len(unexpected))
    complaints = site.team.complaints()
    for line in complaints[:5]:
        print(f"  {line[:300]}")
    yield _none("errors in the logs of the processes", len(complaints))


def _kept(site: Site, outcome: Outcome) -> Iterator[Figure]:
    """Compare what the people were told with what there is."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (left := count_open() + _count_queued()) and time.monotonic() < deadline:
        time.sleep(0.5)
    yield Figure("requests", f"{len(outcome.samples):,}")
    yield Figure("refunds and mails asked for", f"{len(outcome.asked):,}")
    yield _none("without an answer at the end", outcome.unanswered)
    yield _none("still open at the end", left)
    granted = Counter(item for items in outcome.granted.values() for item in items)
    done = refunded_items() & set(site.items)
    yield Figure("items whose refund was acknowledged", f"{len(granted):,}")
    yield _none("acknowledged refunds that are lost", len(granted.keys() - done))
    yield _none("refunds that nobody was told of", len(done - granted.keys()))
    yield _none("refunds acknowledged twice", granted.total() - len(granted))
    yield _none("double refunds", count_double_refunds())
    yield _none("paid twice by card", site.till.paid_twice)
    yield from _mails_kept(site, outcome)
    yield _none("broken invariants of the books", len(find_broken()))


def _mails_kept(site: Site, outcome: Outcome) -> Iterator[Figure]:
    queued = {one for deliveries in outcome.queued.values() for one in deliveries}
    with storage.reading() as session:
        rows = session.execute(
            select(Delivery.delivery_id, Delivery.message_id, Delivery.may_be_twice)
        ).all()
    arrived = Counter(one.message["Message-ID"] for one in site.mails.received)
    known = {row.delivery_id for row in rows}
    yield Figure("mails that were acknowledged", f"{len(queued):,}")
    yield _none("acknowledged mails that are lost", len(queued - known))
    yield _none("mails that nobody was told of", len(known - queued))
    yield _none("mails that did not arrive", sum(not arrived[row.message_id] for row in rows))
    twice = [row for row in rows if arrived[row.message_id] > 1]
    yield _none("arrived twice and not marked", sum(not row.may_be_twice for row in twice))
    yield Figure("arrived twice and marked as such", f"{len(twice)}")


def _count_queued() -> int:
    is_open = Delivery.status.in_((DeliveryStatus.QUEUED, DeliveryStatus.SENDING))
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(Delivery).where(is_open)) or 0


def _none(measure: str, count: int) -> Figure:
    return Figure(measure, f"{count:,}", bar="0", is_met=count == 0)
