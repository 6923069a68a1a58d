"""The database: migrations, transactions, instants, start-up; demo data and tokens."""

import sqlite3
import threading
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import StatementError

from core import startup, storage
from core.access import Actor, actors, tokens
from core.demo import filling
from core.ground import NotPermitted, NotSignedIn, OutsideFailed, Refused, get_settings
from core.storage import Base, Contract, DatabaseFact, Order, OrderItem, Refund, Transaction, User
from tests.conftest import NOW, free_port, use_database
from tests.core.books import check_books
from tests.rows import make_contract, make_order

pytestmark = pytest.mark.both_databases


# Alembic does not compare expressions; test_windows.py compares the index of an expression.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_migrated_schema_matches_the_models(database: str) -> None:
    options = {"include_object": lambda _, name, *__: not _is_elsewhere(name)}
    with storage.reading() as session:
        context = MigrationContext.configure(session.connection(), opts=options)
        assert compare_metadata(context, Base.metadata) == []


def _is_elsewhere(name: str | None) -> bool:
    """Return whether a table or index belongs to the search; test_search.py tests these."""
    return name == "ix_order_items_price" or (name is not None and "s_search" in name)


def test_preparing_again_changes_nothing(database: str) -> None:
    make_order("OD-1")
    startup.prepare(NOW)
    with storage.reading() as session:
        assert session.scalars(select(Order.order_id)).all() == ["OD-1"]


def test_a_naive_datetime_is_refused(database: str) -> None:
    with pytest.raises(StatementError, match="has no time zone"):
        make_order(created_at=datetime(2026, 3, 1))  # noqa: DTZ001 - that is the point


def test_an_instant_comes_back_as_it_was_in_utc(database: str) -> None:
    moment = datetime(1969, 12, 31, 23, 59, 58, tzinfo=UTC)
    make_order("OD-1", created_at=moment)
    with storage.reading() as session:
        stored = session.get_one(Order, "OD-1").created_at
    assert stored == moment
    assert stored.tzinfo == UTC


def test_a_failed_transaction_leaves_nothing(database: str) -> None:
    def fail() -> None:
        with storage.writing() as session:
            session.add(Contract(contract_id="CT-9", name="x", currency="EUR"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with storage.reading() as session:
        assert session.get(Contract, "CT-9") is None


def test_simultaneous_writers_wait_for_each_other(database: str) -> None:
    make_contract("CT-1")

    def add_one() -> None:
        for _ in range(10):
            with storage.writing() as session:
                balance = text("UPDATE contracts SET balance_minor = balance_minor + 1")
                session.execute(balance)

    threads = [threading.Thread(target=add_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with storage.reading() as session:
        assert session.get_one(Contract, "CT-1").balance_minor == 80


def test_an_unreachable_database_raises_a_readable_error() -> None:
    use_database(f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/none")
    assert not storage.is_reachable()
    with pytest.raises(OutsideFailed, match="The database cannot be reached"), storage.reading():
        pass
    with pytest.raises(OutsideFailed):
        startup.prepare(NOW)


def test_a_busy_database_raises_a_readable_error(sqlite_database: str) -> None:
    path = sqlite_database.removeprefix("sqlite:///")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def hurry(driver: sqlite3.Connection, *_: object) -> None:
        driver.execute("PRAGMA busy_timeout=10")

    event.listen(storage.get_engine(), "checkout", hurry)
    with (
        pytest.raises(OutsideFailed, match="busy with another change"),
        storage.writing() as session,
    ):
        session.connection()
    event.remove(storage.get_engine(), "checkout", hurry)
    other.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite://"),
        ("IMPORT_ZONE", "Mars/Olympus"),
        ("IMPORT_MAX_MB", "many"),
        ("LOGO", "/no/such/file.svg"),
        ("LOGO", __file__),
        ("VOUCHER_COLOUR", "teal"),
        ("VOUCHER_SUPPORT", "x" * 201),
        ("VOUCHER_TERMS", "x" * 1501),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    with pytest.raises(SystemExit, match=name):
        get_settings()
    monkeypatch.undo()
    get_settings.cache_clear()


def test_a_missing_database_file_is_not_replaced_by_an_empty_one(
    sqlite_database: str,
) -> None:
    path = Path(sqlite_database.removeprefix("sqlite:///"))
    away = path.with_suffix(".away")
    storage.get_engine().dispose()
    path.rename(away)
    assert not storage.is_reachable()
    assert not path.exists()
    away.rename(path)
    assert storage.is_reachable()


# First start and demo data.


def test_a_new_sqlite_file_is_filled_and_marked_as_demo(tmp_path: Path) -> None:
    use_database(f"sqlite:///{tmp_path / 'new' / 'orders.db'}")
    startup.prepare(NOW)
    assert filling.is_demo()
    with storage.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == filling.DEFAULT_ORDERS


def test_an_existing_database_is_never_filled_automatically(database: str) -> None:
    startup.prepare(NOW)
    assert not filling.is_demo()
    with storage.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_demo_data_is_never_added_to_real_orders(database: str, admin: Actor) -> None:
    make_order("OD-1")
    with pytest.raises(Refused, match="not demo data"):
        filling.fill(10, actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.scalars(select(Order.order_id)).all() == ["OD-1"]


def test_demo_data_replaces_demo_data(database: str, admin: Actor) -> None:
    filling.fill(50, actor=admin, now=NOW)
    filling.fill(20, actor=admin, now=NOW)
    with storage.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 20
        assert session.get_one(DatabaseFact, "demo").value == "20"
    assert actors.find_local_actor() is not None


def _fingerprint() -> list[object]:
    tables = (Order, OrderItem, Refund, Transaction)
    with storage.reading() as session:
        return [
            session.execute(select(model.__table__).order_by(*model.__table__.primary_key)).all()
            for model in tables
        ]


def test_demo_data_is_the_same_every_time(database: str, admin: Actor) -> None:
    filling.fill(200, actor=admin, now=NOW)
    first = _fingerprint()
    filling.fill(200, actor=admin, now=NOW)
    assert _fingerprint() == first


def test_demo_data_has_a_consistent_ledger(database: str, admin: Actor) -> None:
    filling.fill(1_500, actor=admin, now=NOW)
    check_books()


def test_demo_data_is_varied_enough_to_show_everything(database: str, admin: Actor) -> None:
    filling.fill(2_000, actor=admin, now=NOW)
    with storage.reading() as session:
        statuses = set(session.scalars(select(OrderItem.status).distinct()))
        assert statuses == {"not_used", "used", "refunded"}
        currencies = set(session.scalars(select(Order.currency).distinct()))
        assert {"EUR", "JPY", "KWD"} <= currencies
        items = session.execute(
            select(OrderItem.is_refundable, OrderItem.refund_expire_at > NOW).distinct()
        ).all()
        assert {(True, True), (True, False), (False, None)} <= {tuple(row) for row in items}
        names = "".join(session.scalars(select(OrderItem.passenger_name).distinct()))
        for letter in "aиγşمה王":
            assert letter in names
        with_widget = select(func.count()).where(Order.widget_id.is_not(None))
        assert 0.28 < (session.scalar(with_widget) or 0) / 2_000 < 0.39


# Tokens and users.


def test_a_token_is_valid_only_for_its_purpose_table_and_browser(
    sqlite_database: str, admin: Actor
) -> None:
    token = tokens.issue_token("rows", table="orders", actor=admin, browser="mine")
    granted = tokens.accept_token(token, "rows", table="orders", browser="mine")
    assert granted == tokens.Grant(admin, order_id=None)
    with pytest.raises(NotSignedIn):
        tokens.accept_token(token, "export", table="orders", browser="mine")
    with pytest.raises(NotPermitted):
        tokens.accept_token(token, "rows", table="transactions", browser="mine")
    for browser in ("other", ""):
        with pytest.raises(NotSignedIn):
            tokens.accept_token(token, "rows", table="orders", browser=browser)
    for forged in ("", "x", token[:-1], token + "A", token.replace(".", "")):
        with pytest.raises(NotSignedIn):
            tokens.accept_token(forged, "rows", table="orders", browser="mine")


def test_a_token_for_one_order_grants_only_that_order(sqlite_database: str, admin: Actor) -> None:
    token = tokens.issue_token(
        "rows", table="transactions", actor=admin, browser="mine", order_id="OD-1"
    )
    granted = tokens.accept_token(token, "rows", table="transactions", browser="mine")
    assert granted == tokens.Grant(admin, order_id="OD-1")


def test_a_token_without_a_browser_cookie_is_refused(sqlite_database: str, admin: Actor) -> None:
    token = tokens.issue_token("rows", table="orders", actor=admin, browser="")
    with pytest.raises(NotSignedIn):
        tokens.accept_token(token, "rows", table="orders", browser="")


def test_a_token_expires(
    sqlite_database: str, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tokens.issue_token("rows", table="orders", actor=admin, browser="mine")
    later = time.time() + tokens.TOKEN_LIFE_SECONDS + 2
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(NotSignedIn, match="too long"):
        tokens.accept_token(token, "rows", table="orders", browser="mine")


@pytest.mark.parametrize(("ahead", "is_accepted"), [(2, True), (29, True), (40, False)])
def test_a_token_of_a_machine_whose_clock_is_a_little_ahead_is_accepted(
    sqlite_database: str,
    admin: Actor,
    monkeypatch: pytest.MonkeyPatch,
    ahead: int,
    is_accepted: bool,
) -> None:
    with monkeypatch.context() as elsewhere:
        there = time.time() + ahead
        elsewhere.setattr(time, "time", lambda: there)
        token = tokens.issue_token("rows", table="orders", actor=admin, browser="mine")
    with nullcontext() if is_accepted else pytest.raises(NotSignedIn, match="too long"):
        tokens.accept_token(token, "rows", table="orders", browser="mine")


def test_a_deactivated_user_is_no_actor_at_once(database: str, admin: Actor) -> None:
    token = tokens.issue_token("rows", table="orders", actor=admin, browser="mine")
    with storage.writing() as session:
        session.get_one(User, actors.LOCAL_USER_ID).is_active = False
    assert actors.find_local_actor() is None
    with pytest.raises(NotSignedIn, match="not signed in"):
        tokens.accept_token(token, "rows", table="orders", browser="mine")


def test_the_signing_secret_is_created_once_as_a_private_file(
    sqlite_database: str, data_dir: Path
) -> None:
    tokens.ensure_secret()
    path = data_dir / "signing_secret"
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_text()
    assert len(before) >= 48
    tokens._secret.cache_clear()
    tokens.ensure_secret()
    assert path.read_text() == before
