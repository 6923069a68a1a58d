"""Reset or delete demo data: only in a demo database, all or nothing, and people stay."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from core import access, mail, refunds, startup, storage, views
from core.access import Actor, Rights, find_local_actor
from core.access.actors import find_actor
from core.demo import DemoContents, filling
from core.demo.filling import NotDemo
from core.ground import Method, NotPermitted, OutsideFailed, Refused, Role
from core.refunds.gateway import Outcome, RefundJob, Succeeded
from core.storage import (
    AuditEvent,
    Base,
    Contract,
    DatabaseFact,
    Delivery,
    Note,
    Order,
    OrderItem,
    Refund,
    RefundBatch,
    SignIn,
    Transaction,
)
from core.tables import ORDERS
from core.views import default_view
from tests.conftest import NOW, Fill, use_database
from tests.core.books import check_books
from tests.core.mail.mailing import ScriptedTransport, send_due
from tests.core.refunds.refund_rows import FakeGateway, Killed, request
from tests.core.refusals import everything_stored, refusals
from tests.effort import some
from tests.rows import make_actor, make_order

SAMPLE_ROWS = "3598905f5ad0495b4a88465277bbc56c4d843c6dc31668827a8d450709cc5e7b"
ACTS = {"reset": filling.reset, "clear": filling.clear}


def count(model: type[Base]) -> int:
    with storage.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def events(prefix: str = "orders.demo") -> list[tuple[str, str, Any, Any]]:
    columns = AuditEvent.action, AuditEvent.actor, AuditEvent.before, AuditEvent.after
    statement = select(*columns).where(AuditEvent.action.startswith(prefix))
    with storage.reading() as session:
        return [(*row,) for row in session.execute(statement.order_by(AuditEvent.event_id))]


def an_item() -> str:
    """Return a demo item that can be refunded to a balance, and mailed."""
    fine = (
        select(OrderItem.order_item_id)
        .join(Order, Order.order_id == OrderItem.order_id)
        .where(OrderItem.status == "not_used", OrderItem.is_refundable)
        .where(OrderItem.refund_expire_at > NOW, OrderItem.contract_id == "CT-1001")
        .where(OrderItem.currency == Order.currency)
        .order_by(OrderItem.order_item_id)
    )
    with storage.reading() as session:
        return session.scalars(fine).first() or pytest.fail("no such item")


def send(item_id: str, admin: Actor) -> None:
    mail.send([item_id], ["zoe@mail.example"], message=None, key="mail", actor=admin, now=NOW)


@pytest.fixture
def tried_out(database: str, admin: Actor, filled_once: Fill) -> str:
    return str(filled_once(_try_out, admin))


def _try_out(admin: Actor) -> str:
    """Fill in demo data and add a user, a mail and a view; return the added user."""
    filling.fill(60, actor=admin, now=NOW)
    rights = Rights(Role.AGENT, contracts=frozenset({"CT-1001"}))
    user_id = access.add_user("ana@helios.example", rights=rights, actor=admin, now=NOW)
    with storage.writing() as session:
        session.add(
            SignIn(sign_in_id="s-1", user_id=user_id, began_at=NOW, seen_at=NOW, expires_at=NOW)
        )
    send(an_item(), admin)
    views.save_view(default_view(ORDERS), "Mine", actor=admin)
    return user_id


def test_what_there_is_to_lose_is_counted(tried_out: str, admin: Actor) -> None:
    found = filling.get_contents(actor=admin)
    refunds = count(Refund)
    assert refunds > 0
    assert found == DemoContents(
        orders=60, refunds=refunds, emails=1, notes=count(Note), saved_views=1, people=2
    )


def test_start_with_own_orders_leaves_no_demo_and_the_people(tried_out: str, admin: Actor) -> None:
    before = filling.get_contents(actor=admin)
    filling.clear(actor=admin, now=NOW)
    for model in (Order, OrderItem, Refund, Delivery, Note):
        assert count(model) == 0
    assert not filling.is_demo()
    ana = find_actor(tried_out)
    assert ana is not None
    assert (ana.email, ana.role, ana.contracts) == ("ana@helios.example", Role.AGENT, frozenset())
    assert find_local_actor() == admin
    assert count(SignIn) == 1  # otherwise an ended sign-in would be valid again
    assert [action for action, *_ in events("user.")] == ["user.added"]
    filled, cleared = events()
    assert filled[0] == "orders.demo_filled"
    assert cleared == ("orders.demo_cleared", "analyst@local", vars(before), None)


def test_an_emptied_database_stays_empty_at_the_next_start(tried_out: str, admin: Actor) -> None:
    filling.clear(actor=admin, now=NOW)
    startup.prepare(NOW)
    assert count(Order) == 0
    assert not filling.is_demo()
    make_order("OD-1")
    assert count(Order) == 1


@pytest.mark.both_databases
def test_a_reset_makes_up_as_many_orders_anew(tried_out: str, admin: Actor) -> None:
    request(an_item(), actor=admin, reason="goodwill")
    refunds = count(Refund)
    filling.reset(actor=admin, now=NOW)
    assert (count(Order), filling.count_orders(), count(Delivery)) == (60, 60, 0)
    assert count(Refund) == refunds - 1
    ana = find_actor(tried_out)
    assert ana is not None
    assert ana.contracts == {"CT-1001"}
    assert find_local_actor() == admin
    assert [action for action, *_ in events()] == ["orders.demo_filled", "orders.demo_reset"]
    assert events()[-1][3] == {"orders": 60}
    check_books()


@pytest.mark.parametrize("act", ACTS)
def test_only_a_demo_can_be_taken_away(database: str, admin: Actor, act: str) -> None:
    make_order("OD-1")
    before = everything_stored()
    with pytest.raises(NotDemo):
        ACTS[act](actor=admin, now=NOW)
    with pytest.raises(NotDemo):
        filling.get_contents(actor=admin)
    assert everything_stored() == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.ACCOUNTANT])
@pytest.mark.parametrize("act", ACTS)
def test_other_roles_take_no_demo_away(tried_out: str, act: str, role: Role) -> None:
    actor = make_actor(role)
    before = everything_stored()
    with pytest.raises(NotPermitted):
        ACTS[act](actor=actor, now=NOW)
    assert refusals() == [("import.refused", actor.email)]
    assert everything_stored() == before


def test_an_admin_of_some_contracts_takes_no_demo_away(tried_out: str) -> None:
    actor = make_actor(Role.ADMIN, contracts=frozenset({"CT-1001"}))
    with pytest.raises(NotPermitted):
        filling.clear(actor=actor, now=NOW)
    assert filling.is_demo()


# A process that dies in the middle.


@contextmanager
def dying_at(statement: str) -> Iterator[None]:
    """Kill the connection before a statement is executed, as if the process had died."""
    engine = storage.get_engine()

    def die(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.strip().startswith(statement):
            raise Killed

    event.listen(engine, "before_cursor_execute", die)
    with pytest.raises(Killed):
        yield
    event.remove(engine, "before_cursor_execute", die)


@pytest.mark.both_databases
@pytest.mark.parametrize("statement", ["DROP TABLE", "CREATE TABLE deliveries", "UPDATE contracts"])
def test_a_fill_that_is_cut_off_leaves_what_was_there(
    database: str, admin: Actor, statement: str
) -> None:
    filling.fill(30, actor=admin, now=NOW)
    before = everything_stored()
    with dying_at(statement):
        filling.fill(40, actor=admin, now=NOW)
    assert everything_stored() == before
    filling.fill(40, actor=admin, now=NOW)
    assert count(Order) == filling.count_orders() == 40


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE orders", "UPDATE contracts", "INSERT INTO users"]
)
def test_a_first_start_that_is_cut_off_is_made_up_for_by_the_next(
    tmp_path: Path, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_database(f"sqlite:///{tmp_path / 'new.db'}")
    storage.create_missing_file(f"sqlite:///{tmp_path / 'new.db'}")
    monkeypatch.setattr("core.demo.DEFAULT_ORDERS", 40)
    with dying_at(statement):
        startup.prepare(NOW)
    startup.prepare(NOW)
    assert count(Order) == filling.count_orders() == 40
    assert find_local_actor() is not None
    assert [action for action, *_ in events()] == ["orders.demo_filled"]


def test_two_first_starts_at_once_fill_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.demo.DEFAULT_ORDERS", 40)
    use_database(f"sqlite:///{tmp_path / 'new.db'}")
    assert storage.is_blank()
    threads = [threading.Thread(target=startup.prepare, args=[NOW]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [action for action, *_ in events()] == ["orders.demo_filled"]


# While others work.


@pytest.mark.both_databases
def test_who_reads_meanwhile_reads_to_the_end(database: str, admin: Actor) -> None:
    filling.fill(30, actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 30
        if storage.is_sqlite():
            filling.clear(actor=admin, now=NOW)
        else:
            with pytest.raises(OutsideFailed, match="busy with another change"):
                filling.clear(actor=admin, now=NOW)
        assert (session.scalar(select(func.count()).select_from(OrderItem)) or 0) > 30
    assert filling.is_demo() is not storage.is_sqlite()


@pytest.mark.both_databases
def test_nobody_is_locked_out_by_a_reset(database: str, admin: Actor) -> None:
    filling.fill(30, actor=admin, now=NOW)
    found, done = set[object](), threading.Event()

    def look() -> None:
        while not done.is_set():
            found.add(find_local_actor())

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(some(1, 5)):
        filling.reset(actor=admin, now=NOW)
    done.set()
    for thread in threads:
        thread.join()
    assert found == {admin}


@pytest.mark.both_databases
def test_an_import_that_is_first_is_not_taken_away(database: str, admin: Actor) -> None:
    """An import removes the mark while the reset waits for the tables."""
    filling.fill(30, actor=admin, now=NOW)
    failures = list[Exception]()

    def clear() -> None:
        try:
            filling.clear(actor=admin, now=NOW)
        except Refused as error:
            failures.append(error)

    with storage.writing() as session:
        session.delete(session.get_one(DatabaseFact, storage.DEMO))
        session.flush()
        waiting = threading.Thread(target=clear)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join()
    assert [type(error) for error in failures] == [NotDemo]
    assert count(Order) == 30


@pytest.mark.both_databases
@pytest.mark.parametrize("act", ACTS)
def test_a_mail_that_the_worker_holds_goes_with_the_demo(
    database: str, admin: Actor, act: str, caplog: pytest.LogCaptureFixture
) -> None:
    filling.fill(60, actor=admin, now=NOW)
    send(an_item(), admin)
    transport = ScriptedTransport(before=lambda: ACTS[act](actor=admin, now=NOW))
    assert send_due(transport) == 1
    assert len(transport.attempted) == 1
    assert count(Delivery) == 0
    assert caplog.records == []  # neither a failure nor a warning
    assert mail.deliver_due(now=NOW, transport=ScriptedTransport()) == 0


@pytest.mark.both_databases
@pytest.mark.parametrize("act", ACTS)
def test_a_refund_that_the_worker_holds_goes_with_the_demo(
    database: str, admin: Actor, act: str, caplog: pytest.LogCaptureFixture
) -> None:
    filling.fill(60, actor=admin, now=NOW)

    class Resetting(FakeGateway):
        def refund(self, job: RefundJob) -> Outcome:
            ACTS[act](actor=admin, now=NOW)
            return super().refund(job)

    gateway = Resetting(Succeeded("r-1"))
    request(an_item(), actor=admin, gateways={Method.BALANCE: gateway})
    assert len(gateway.asked) == 1
    assert refunds.settle_due(now=NOW, gateways={Method.BALANCE: gateway}) == 0
    assert caplog.records == []
    check_books()


@pytest.mark.both_databases
def test_sample_rows_never_change(database: str, admin: Actor) -> None:
    """The days of 2025 are over, so no new rule of a time zone changes them."""
    filling.fill(300, actor=admin, now=datetime(2025, 6, 1, 12, tzinfo=UTC))
    models = Contract, Order, OrderItem, Refund, RefundBatch, Transaction
    with storage.reading() as session:
        rows = sorted((row for one in models for row in storage.bulk_read(session, one)), key=repr)
    assert sha256(repr(rows).encode()).hexdigest() == SAMPLE_ROWS
