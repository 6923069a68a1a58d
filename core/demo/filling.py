"""Demo data: fill the database with sample orders, reset them, or delete them; all or nothing.

Only a database marked as demo is ever rebuilt; an import of real orders removes the mark. People
always stay, with their roles, their sign-ins and their events in the audit trail.
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
    SIGNING_SECRET,
    AuditEvent,
    Base,
    Contract,
    Delivery,
    Note,
    Order,
    Refund,
    SavedView,
    SignIn,
    User,
    UserContract,
    VoucherKey,
)

DEFAULT_ORDERS = 2_000
# Audit events about these are not demo data: they stay.
OF_PEOPLE = {"user", "sign_in", "permission", "database"}


class NotDemo(Refused):
    """The database is not marked as demo, so its data must not be deleted."""

    def __init__(self) -> None:
        super().__init__("This database is no longer a demo, so nothing was changed.")


@dataclass(frozen=True)
class DemoContents:
    """How many rows a rebuild of a demo database deletes. The people are counted, but stay."""

    orders: int
    refunds: int
    emails: int
    notes: int
    saved_views: int
    people: int


def fill(orders: int, *, actor: Actor, now: datetime) -> None:
    """Fill the database with sample orders and mark it as demo; rebuild it if it is marked.

    Raises NotPermitted, AccessLost, and Refused if it has data that is not demo data; then nothing
    is changed.
    """
    with _rebuilding(actor) as (session, actor):
        if _is_marked(session):
            _rebuild(session, lambda: _fill_in(session, orders, now))
        elif _has_data(session):
            raise Refused(
                "This database has data that is not demo data, so nothing was changed. "
                "Set DATABASE_URL to an empty database."
            )
        else:
            _fill_in(session, orders, now)
        _record(session, "orders.demo_filled", actor, now, after={"orders": orders})
    overview.refresh_figures_early()


def fill_blank(orders: int, *, actor: Actor | str, now: datetime) -> None:
    """Create the schema and sample orders in a database that has no tables.

    This is one transaction: if the process dies, the database has no tables, as before.
    """
    with storage.rebuilding(storage.get_engine()) as session:
        if storage.has_tables(session):  # another process was faster
            return
        storage.recreate_schema(session)
        _fill_in(session, orders, now)
        _record(session, "orders.demo_filled", actor, now, after={"orders": orders})


def reset(*, actor: Actor, now: datetime) -> None:
    """Replace the sample orders by as many new ones, and delete all other data.

    Raises NotPermitted, AccessLost, NotDemo, and OutsideFailed if another user blocks the database.
    """
    with _rebuilding(actor) as (session, actor):
        orders, before = _count_marked(session), _contents(session)
        _rebuild(session, lambda: _fill_in(session, orders, now))
        _record(session, "orders.demo_reset", actor, now, before, {"orders": orders})
    overview.refresh_figures_early()


def clear(*, actor: Actor, now: datetime) -> None:
    """Delete all demo data: afterwards the database is empty and not marked as demo.

    Raises NotPermitted, AccessLost, NotDemo, and OutsideFailed if another user blocks the database.
    """
    with _rebuilding(actor) as (session, actor):
        _count_marked(session)
        before = _contents(session)
        _rebuild(session)
        _record(session, "orders.demo_cleared", actor, now, before)


@contextmanager
def _rebuilding(actor: Actor) -> Iterator[tuple[Session, Actor]]:
    """Open a transaction that rebuilds the database; yield it and the actor as they are now."""
    rebuilding = partial(storage.rebuilding, storage.get_engine())
    with access.changing(actor, Permission.IMPORT, opened=rebuilding) as found:
        yield found


def is_demo() -> bool:
    """Return whether the database is marked as demo."""
    return count_orders() is not None


def count_orders() -> int | None:
    """Return the number of sample orders; None if the database is not marked as demo."""
    with storage.reading() as session:
        mark = storage.get_fact(session, DEMO)
        return int(mark) if mark is not None else None


def get_contents(*, actor: Actor) -> DemoContents:
    """Count the rows that a rebuild deletes; raises NotPermitted and NotDemo."""
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


def _has_data(session: Session) -> bool:
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
        notes=count(Note),
        saved_views=count(SavedView, SavedView.name.is_not(None)),
        people=count(User),
    )


def _fill_in(session: Session, orders: int, now: datetime) -> None:
    # Figures are counted after the transaction: SQLite is slow to read uncommitted rows.
    storage.put_fact(session, DEMO, str(orders))
    overview.invalidate_figures(session)
    DemoRows(session, orders, now).write()
    session.flush()
    # The query planner needs statistics to choose indexes.
    session.execute(text("ANALYZE"))


def _rebuild(session: Session, fill_in: Callable[[], None] | None = None) -> None:
    """Recreate the schema, keep only the rows of people and keys, then call `fill_in`."""
    kept = {model: list(storage.bulk_read(session, model)) for model in (User, SignIn, VoucherKey)}
    secret = storage.get_fact(session, SIGNING_SECRET)
    scopes = list(storage.bulk_read(session, UserContract))
    entity = storage.stored_names(AuditEvent).index("entity")
    events = [row for row in storage.bulk_read(session, AuditEvent) if row[entity] in OF_PEOPLE]
    session.expire_all()
    session.expunge_all()
    storage.recreate_schema(session)
    for model, rows in kept.items():
        storage.bulk_insert(session, model, rows)
    if secret is not None:
        storage.put_fact(session, SIGNING_SECRET, secret)
    storage.bulk_insert(session, AuditEvent, events)
    if fill_in is not None:
        fill_in()
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
