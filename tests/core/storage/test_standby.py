"""DATABASE_READ_URL: figures and large files come from a standby, everything else does not."""

import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import Connection, Engine, event, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from core import access, excel, overview, query, storage
from core.access import Actor
from core.excel import exports
from core.ground import get_settings
from core.overview import Overview, Period, Question
from core.storage import AuditEvent, standby
from core.tables import ORDERS
from core.views import default_view
from tests.conftest import use_database
from tests.databases import PostgresqlDatabases, close_connections
from tests.rows import make_item, make_order
from tests.standby import Standby, following, running_primary

pytestmark = pytest.mark.on_postgresql
DELAY_SECONDS = 5


@pytest.fixture(scope="module")
def primary() -> Iterator[tuple[str, str]]:
    """Run a server that a standby can follow; yields its address and that of a database."""
    with running_primary() as server:
        yield server, PostgresqlDatabases(server).make()


@pytest.fixture
def late(primary: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Standby]:
    """Use the database, with a standby that is five seconds late."""
    server, url = primary
    with following(server, delay_seconds=DELAY_SECONDS) as late:
        _use(url, f"{late.url}/{make_url(url).database}", monkeypatch)
        yield late
        _close()


def _use(url: str, read_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_READ_URL", read_url)
    use_database(url)


def _close() -> None:
    for engine in (storage.get_engine(), _standby_engine()):
        close_connections(engine)


def _standby_engine() -> Engine:
    return standby._engine_of(str(get_settings().database_read_url))


@pytest.fixture
def boss() -> Actor:
    """Return the local admin, once there is a database."""
    found = access.find_local_actor()
    assert found is not None
    return found


def _look(actor: Actor) -> Overview:
    question = Question(Period(), "EUR")
    return overview.load_overview(question, actor=actor, now=datetime.now(UTC))


def _sell() -> str:
    order = make_order()
    make_item(order)
    return order


def _count(actor: Actor) -> int:
    return query.count_rows(default_view(ORDERS), actor=actor, now=datetime.now(UTC))


def _write(actor: Actor) -> dict[str, str]:
    """Export the orders; return what the file says of itself."""
    file = io.BytesIO()
    excel.export(default_view(ORDERS), file, actor=actor, now=datetime.now(UTC))
    sheet = openpyxl.load_workbook(file)["About this export"]
    return {str(row[0].value): str(row[1].value) for row in sheet.iter_rows()}


def _exports() -> list[AuditEvent]:
    with storage.reading() as session:
        asked = select(AuditEvent).where(AuditEvent.action == "orders.exported")
        return list(session.scalars(asked.order_by(AuditEvent.event_id)))


def test_what_a_person_has_just_done_shows_at_once_but_for_figures_that_say_their_age(
    late: Standby, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "MAX_AGE", timedelta(minutes=1))  # a busy machine takes its time
    before = _count(boss)
    _sell()
    late.wait()
    sold = datetime.now(UTC)
    _sell()
    # Rows come from the primary; the figures of the standby lack the last order, and say so.
    assert _count(boss) == before + 2
    found = _look(boss)
    assert found.orders.count == found.items.count == before + 1
    assert found.as_of is not None
    assert found.as_of < sold
    # A small file has every row; a large one says as of when. Both are in the audit trail at once.
    assert _write(boss)["Rows"] == f"{before + 2} of {before + 2} orders"
    monkeypatch.setattr(exports, "MANY_ROWS", 0)
    sold = datetime.now(UTC)
    _sell()
    said = _write(boss)
    assert said["Rows"] in (f"{one} of {one} orders" for one in (before + 1, before + 2))
    assert said["Rows as of"] < f"{sold:%Y-%m-%d %H:%M:%S}"
    small, large = _exports()[-2:]
    assert "as_of" not in (small.after or {})
    assert (large.after or {})["as_of"] < sold.isoformat()
    # Later the standby has it all, without a count of the figures in between.
    late.wait()
    assert _look(boss).orders.count == before + 3
    assert _look(boss).as_of is not None


def test_a_standby_that_is_killed_is_not_noticed(
    late: Standby, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "MAX_AGE", timedelta(minutes=1))
    _sell()
    late.wait()
    asked: list[datetime | None] = []

    def read(session: Session, as_of: datetime | None) -> int:
        asked.append(as_of)
        if as_of is not None:
            late.kill()
        return int(session.execute(text("SELECT count(*) FROM orders")).scalar_one())

    assert storage.read_aside(read) == _count(boss)
    assert asked[0] is not None
    assert asked[1:] == [None]
    began = time.monotonic()
    found = _look(boss)
    assert found.as_of is None
    assert found.orders.count == _count(boss)
    monkeypatch.setattr(exports, "MANY_ROWS", 0)
    assert "Rows as of" not in _write(boss)
    assert time.monotonic() - began < 5


def test_the_age_is_asked_for_where_the_rows_are_read(
    late: Standby, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several hosts, each connection may lead to another one."""
    monkeypatch.setattr(standby, "MAX_AGE", timedelta(minutes=1))
    _sell()
    late.wait()
    with _standby_engine().connect(), _standby_engine().connect():
        pass  # two connections wait in the pool now
    seen: list[int] = []

    def note(connection: Connection, *_: object) -> None:
        driver: Any = connection.connection.driver_connection
        seen.append(driver.info.backend_pid)

    event.listen(_standby_engine(), "before_cursor_execute", note)
    assert _look(boss).as_of is not None
    event.remove(_standby_engine(), "before_cursor_execute", note)
    assert len(seen) > 1
    assert len(set(seen)) == 1


def test_a_standby_that_is_too_far_behind_is_not_used(
    late: Standby, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby, "MAX_AGE", timedelta(minutes=1))
    _sell()
    late.wait()
    assert _look(boss).as_of is not None
    monkeypatch.setattr(standby, "MAX_AGE", timedelta(seconds=1))
    _sell()
    time.sleep(1.2)
    found = _look(boss)
    assert found.as_of is None
    assert found.orders.count == _count(boss)


@pytest.mark.parametrize("is_of_another", [True, False])
def test_what_is_no_standby_of_this_database_is_not_used(
    primary: tuple[str, str],
    make_database: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    is_of_another: bool,
) -> None:
    _, url = primary
    _use(url, make_database("postgresql") if is_of_another else url, monkeypatch)
    assert storage.read_aside(lambda _, as_of: as_of) is None
    _close()
