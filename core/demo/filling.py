"""Demo data: filled in, made up anew, or taken away, all at once or not at all.

Only a database that is marked as demo is ever rebuilt: an import of real orders takes the mark off.
People stay in every case, with their roles and sign-ins, and what the audit trail says of them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import access, overview, storage
from core.access import Actor, require
from core.demo.rows import DemoRows
from core.ground import Permission, Refused
from core.storage import (
    DEMO,
    AuditEvent,
    Base,
    Contract,
    Delivery,
    Order,
    Refund,
    SavedView,
    SignIn,
    User,
    UserContract,
)

DEFAULT_ORDERS = 2_000
# What the audit trail says of these is no demo: it stays.
OF_PEOPLE = {"user", "sign_in", "permission", "database"}


class NotDemo(Refused):
    """The database is not marked as demo, so nothing in it may be taken away."""

    def __init__(self) -> None:
        super().__init__("This database holds no demo data any more, so nothing was changed.")


@dataclass(frozen=True)
class DemoContents:
    """What a demo database holds that is gone when it is rebuilt, and the people, who stay."""

    orders: int
    refunds: int
    emails: int
    saved_views: int
    people: int


def fill(orders: int, *, actor: Actor, now: datetime) -> None:
    """Fill the database with demo orders and mark it as demo; one so marked is rebuilt first.

    Raises NotPermitted, AccessLost, and Refused, changing nothing, when it holds data that is not
    demo.
    """
    with _rebuilding(actor) as (session, actor):
        if _is_marked(session):
            _rebuild(session, lambda: _make_up(session, orders, now))
        elif _holds_data(session):
            raise Refused(
                "This database holds data that is not demo data, so nothing was changed. "
                "Name an empty database in DATABASE_URL."
            )
        else:
            _make_up(session, orders, now)
        _record(session, "orders.demo_filled", actor, now, after={"orders": orders})
    overview.refresh_figures_early()


def fill_blank(orders: int, *, actor: Actor | str, now: datetime) -> None:
    """Make schema and demo orders in a database without any table, unless it has some by now.

    One transaction: whoever dies in the middle of it leaves a database that is blank, as before.
    """
    with storage.rebuilding(storage.get_engine()) as session:
        if storage.has_tables(session):  # another process was faster
            return
        storage.recreate_schema(session)
        _make_up(session, orders, now)
        _record(session, "orders.demo_filled", actor, now, after={"orders": orders})


def reset(*, actor: Actor, now: datetime) -> None:
    """Put as many new demo orders in the place of the old ones, and take all else away.

    Raises NotPermitted, AccessLost, NotDemo, and OutsideFailed where somebody else is in the way.
    """
    with _rebuilding(actor) as (session, actor):
        orders, before = _count_marked(session), _contents(session)
        _rebuild(session, lambda: _make_up(session, orders, now))
        _record(session, "orders.demo_reset", actor, now, before, {"orders": orders})
    overview.refresh_figures_early()


def clear(*, actor: Actor, now: datetime) -> None:
    """Take all demo data away: the database is empty, and no demo any more.

    Raises NotPermitted, AccessLost, NotDemo, and OutsideFailed where somebody else is in the way.
    """
    with _rebuilding(actor) as (session, actor):
        _count_marked(session)
        before = _contents(session)
        _rebuild(session)
        _record(session, "orders.demo_cleared", actor, now, before)


@contextmanager
def _rebuilding(actor: Actor) -> Iterator[tuple[Session, Actor]]:
    """Open the transaction of a person who rebuilds the database; yield the actor as of now."""
    rebuilding = partial(storage.rebuilding, storage.get_engine())
    with access.changing(actor, Permission.IMPORT, opened=rebuilding) as found:
        yield found


def is_demo() -> bool:
    """Say whether the database is marked as demo."""
    return count_orders() is not None


def count_orders() -> int | None:
    """Return how many orders were made up; None where the database is not marked as demo."""
    with storage.reading() as session:
        mark = storage.get_fact(session, DEMO)
        return int(mark) if mark is not None else None


def get_contents(*, actor: Actor) -> DemoContents:
    """Count what there is to lose; raises NotPermitted, and NotDemo."""
    require(actor, Permission.IMPORT)
    with storage.reading() as session:
        _count_marked(session)
        return _contents(session)


def _is_marked(session: Session) -> bool:
    return storage.get_fact(session, DEMO) is not None


def _count_marked(session: Session) -> int:
    mark = storage.get_fact(session, DEMO)
    if mark is None:
        raise NotDemo
    return int(mark)


def _holds_data(session: Session) -> bool:
    order, contract = select(Order.order_id).limit(1), select(Contract.contract_id).limit(1)
    return bool(session.scalar(order) or session.scalar(contract))


def _contents(session: Session) -> DemoContents:
    def count(model: type[Base], *conditions: Any) -> int:
        return session.execute(
            select(func.count()).select_from(model).where(*conditions)
        ).scalar_one()

    return DemoContents(
        orders=count(Order),
        refunds=count(Refund),
        emails=count(Delivery),
        saved_views=count(SavedView, SavedView.name.is_not(None)),
        people=count(User),
    )


def _make_up(session: Session, orders: int, now: datetime) -> None:
    # Their figures are counted after the transaction: SQLite reads what is not committed slowly.
    storage.put_fact(session, DEMO, str(orders))
    overview.invalidate_figures(session)
    DemoRows(session, orders, now).write()
    session.flush()
    # The planner chooses indexes by what it knows of the tables.
    session.execute(text("ANALYZE"))


def _rebuild(session: Session, make_up: Callable[[], None] | None = None) -> None:
    """Make the schema anew, without rows but those of people; `make_up` fills it."""
    people = {model: list(storage.bulk_read(session, model)) for model in (User, SignIn)}
    scopes = list(storage.bulk_read(session, UserContract))
    entity = storage.stored_names(AuditEvent).index("entity")
    events = [row for row in storage.bulk_read(session, AuditEvent) if row[entity] in OF_PEOPLE]
    session.expire_all()
    session.expunge_all()
    storage.recreate_schema(session)
    for model, rows in people.items():
        storage.bulk_insert(session, model, rows)
    storage.bulk_insert(session, AuditEvent, events)
    if make_up is not None:
        make_up()
    contracts = set(session.scalars(select(Contract.contract_id)))
    contract = storage.stored_names(UserContract).index("contract_id")
    storage.bulk_insert(
        session, UserContract, [row for row in scopes if row[contract] in contracts]
    )


def _record(
    session: Session,
    action: str,
    actor: Actor | str,
    now: datetime,
    before: DemoContents | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    access.record_event(
        session,
        action,
        actor=actor,
        entity="database",
        entity_id=DEMO,
        now=now,
        before=asdict(before) if before else None,
        after=after,
    )
