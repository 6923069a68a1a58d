"""Demo data: filled into a database that is empty, or marked as demo."""

from datetime import datetime

from sqlalchemy import select, text

from core import audit, db, figures, people
from core.demo_rows import DemoRows
from core.errors import Refused
from core.models import Contract, DatabaseFact, Order
from core.permissions import Permission, require
from core.users import Actor

DEFAULT_ORDERS = 2_000
DEMO = "demo"


def fill(orders: int, *, actor: Actor, now: datetime) -> None:
    """Fill the database with demo orders and mark it as demo; one so marked is rebuilt first.

    Raises NotPermitted, and Refused, changing nothing, when it holds data that is not demo.
    """
    require(actor, Permission.IMPORT)
    if is_demo():
        db.rebuild_schema()
        people.ensure_somebody(now)
    with db.writing() as session:
        held = session.scalar(select(Order.order_id).limit(1)) or session.scalar(
            select(Contract.contract_id).limit(1)
        )
        if held:
            raise Refused(
                "This database holds data that is not demo data, so nothing was changed. "
                "Name an empty database in DATABASE_URL."
            )
        session.add(DatabaseFact(name=DEMO, value=str(orders)))
        figures.forget(session)
        DemoRows(session, orders, now).write()
        audit.record(
            session,
            "orders.demo_filled",
            actor=actor,
            entity="database",
            entity_id=DEMO,
            now=now,
            after={"orders": orders},
        )
        session.flush()
        # The planner chooses indexes by what it knows of the tables.
        session.execute(text("ANALYZE"))
        figures.rebuild_in(session)


def is_demo() -> bool:
    """Say whether the database is marked as demo."""
    with db.reading() as session:
        return session.get(DatabaseFact, DEMO) is not None
