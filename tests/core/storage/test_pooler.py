"""DATABASE_POOLER=transaction: everything works behind a PgBouncer that pools by transaction."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import access, query, storage
from core.ground import OutsideFailed
from core.storage import CancelToken, QueryCancelled
from core.tables import ORDERS
from core.views import parse_view
from tests.conftest import NOW, use_database
from tests.databases import close_connections
from tests.pgbouncer import CONNECTIONS, pooled_by_transaction
from tests.rows import make_order

pytestmark = pytest.mark.on_postgresql
PREPARED_AFTER = 5  # runs of a statement, by the driver's default


@pytest.fixture(scope="module")
def pooled(make_database: Callable[[str], str]) -> Iterator[str]:
    """Run PgBouncer before a new database; yields the address."""
    with pooled_by_transaction(make_database("postgresql")) as url:
        yield url


@pytest.fixture
def behind_pooler(pooled: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use the database behind PgBouncer, and say so."""
    monkeypatch.setenv("DATABASE_POOLER", "transaction")
    use_database(pooled)
    yield
    close_connections(storage.get_engine())


def _setting(name: str) -> str:
    with storage.reading() as session:
        return str(session.execute(text(f"SHOW {name}")).scalar_one())


def test_each_transaction_has_its_zone_and_time_outs(behind_pooler: None) -> None:
    for _ in range(2 * CONNECTIONS):
        assert _setting("timezone") == "UTC"
        assert _setting("lock_timeout") == "3s"
        assert _setting("statement_timeout") == "1min"
        assert _setting("idle_in_transaction_session_timeout") == "5min"
        assert _setting("jit") == "off"
    with storage.writing() as session:
        assert session.execute(text("SHOW statement_timeout")).scalar_one() == "0"
        assert session.execute(text("SHOW lock_timeout")).scalar_one() == "3s"


def test_many_threads_share_few_connections(behind_pooler: None) -> None:
    actor = access.find_local_actor()
    assert actor is not None
    for number in range(3):
        make_order(f"OD-{number}", author="ana@helios.example")
    view = parse_view(ORDERS, {"search": "ana", "sort": [{"colId": "order_id", "sort": "asc"}]})
    begun = threading.Barrier(3 * CONNECTIONS)

    def ask(_: int) -> list[int]:
        begun.wait()
        return [query.count_rows(view, actor=actor, now=NOW) for _ in range(2 * PREPARED_AFTER)]

    with ThreadPoolExecutor(3 * CONNECTIONS) as threads:
        assert list(threads.map(ask, range(3 * CONNECTIONS))) == [[3] * 10] * (3 * CONNECTIONS)


def test_a_query_is_cancelled_through_the_pooler(behind_pooler: None) -> None:
    cancel = CancelToken()
    timer = threading.Timer(0.3, cancel.set)
    began = time.monotonic()
    timer.start()
    with (
        pytest.raises(QueryCancelled),
        storage.reading() as session,
        cancel.cancelling(session),
    ):
        session.execute(text("SELECT pg_sleep(20)"))
    assert time.monotonic() - began < 10


def test_without_the_setting_the_pooler_refuses_the_connection(pooled: str) -> None:
    use_database(pooled + "?application_name=refused")
    with pytest.raises(OutsideFailed), storage.reading() as session:
        session.execute(text("SELECT 1"))


def test_without_the_setting_prepared_statements_clash(make_database: Callable[[str], str]) -> None:
    with pooled_by_transaction(make_database("postgresql"), ignored="options") as url:
        _write_often(f"{url}?application_name=one")
        # PgBouncer keeps the connection, on which the other one's statement is prepared already.
        with pytest.raises(DBAPIError, match=r"prepared statement .* already exists"):
            _write_often(f"{url}?application_name=two")


def _write_often(url: str) -> None:
    use_database(url)
    try:
        for _ in range(2 * PREPARED_AFTER):
            with storage.writing() as session:
                session.execute(text("SELECT 'the same'"))
    finally:
        close_connections(storage.get_engine())
