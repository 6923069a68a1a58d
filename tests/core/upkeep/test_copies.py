"""Copy to another database: complete and exact, and work continues there."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from alembic import command
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url

from core import storage
from core.__main__ import main
from core.access import Actor
from core.ground import InvalidInput
from core.storage import (
    DERIVED,
    Base,
    Order,
    ProviderRefund,
    Refund,
    Transaction,
    engine,
    schema,
    transactions,
)
from core.upkeep import copies
from tests.conftest import use_database
from tests.core import random_rows
from tests.core.books import check_books
from tests.core.imports.imported import ITEM, ORDER, write_workbook
from tests.core.refunds.refund_races import guarded
from tests.core.refunds.sold_items import sell
from tests.core.upkeep.copied import check_files, local_admin, rows_of, work_at
from tests.core.upkeep.test_backups import check_halves
from tests.rows import make_item, make_order

KINDS = ["sqlite", "postgresql"]
PAIRS = [(one, other) for one in KINDS for other in KINDS]


def dump(path: Path) -> list[list[tuple[Any, ...]]]:
    assert main(["dump", str(path)]) == 0
    return [list(sheet.values) for sheet in openpyxl.load_workbook(path)]


@pytest.mark.parametrize("pair", PAIRS, ids="-to-".join)
def test_every_row_of_every_table_comes_out_equal_and_the_desk_works_on(
    desks: Callable[[str], str], pair: tuple[str, str], tmp_path: Path
) -> None:
    source, target = desks(pair[0]), desks(pair[1])
    items = work_at(source)
    before = rows_of(source)
    assert [name for name, rows in before.items() if not rows] == []
    check_every_column_is_used(before)
    assert copies.copy_to(target) == {name: len(rows) for name, rows in before.items()}
    assert rows_of(target) == before == rows_of(source)

    check_books()
    first = dump(tmp_path / "first.xlsx")
    use_database(target)
    check_books()
    assert dump(tmp_path / "second.xlsx") == first
    goes_on(items, tmp_path)


def check_every_column_is_used(rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """Check that every column of the refunds has a value, so that a lost column is noticed."""
    for model in (Refund, ProviderRefund):
        table = model.__table__
        for number, column in enumerate(table.columns):
            values = {row[number] for row in rows[model.__tablename__]}
            assert values - {None}, f"{column.name} is empty in every row"


def goes_on(items: list[str], tmp_path: Path) -> None:
    """Refund and import on the copy."""
    highest = {model: highest_number(model) for model in (Order, Transaction)}
    answer = guarded(local_admin())(items, "after")
    assert [one.order_item_id for one in answer.requested] == sorted(items)
    with transactions.reading() as session:
        newer = select(Transaction.no).where(Transaction.no > highest[Transaction])
        numbers = sorted(session.scalars(newer))
    assert numbers == [highest[Transaction] + 1 + number for number in range(len(items))]
    path = tmp_path / "new.xlsx"
    write_workbook(path, {"Orders": [ORDER], "Order Items": [ITEM]})
    assert main(["import", str(path)]) == 0
    assert highest_number(Order) == highest[Order] + 1
    check_books()
    for table in ("transactions", "audit_events"):
        with pytest.raises(Exception, match="append-only"), transactions.writing() as session:
            session.execute(text(f"DELETE FROM {table}"))


def highest_number(model: type[Order] | type[Transaction]) -> int:
    with transactions.reading() as session:
        return session.scalar(select(func.max(model.no))) or 0


@pytest.mark.parametrize("pair", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_random_hostile_rows_come_out_equal(
    desks: Callable[[str], str], pair: tuple[str, str]
) -> None:
    source, target = desks(pair[0]), desks(pair[1])
    random_rows.fill(source)
    copies.copy_to(target)
    assert rows_of(target) == rows_of(source)


@pytest.mark.parametrize("pair", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_checks_of_files_stay_behind_even_if_the_target_cannot_store_them(
    desks: Callable[[str], str], pair: tuple[str, str]
) -> None:
    source, target = desks(pair[0]), desks(pair[1])
    use_database(source)
    check_files(local_admin())
    if pair[0] == "sqlite":
        with transactions.writing() as session:
            session.execute(text("UPDATE import_runs SET failure = char(0)"))
    assert "import_runs" not in copies.copy_to(target)
    for url, runs in ((source, 1), (target, 0)):
        use_database(url)
        with transactions.reading() as session:
            assert session.scalar(text("SELECT count(*) FROM import_runs")) == runs


def test_no_stored_table_is_forgotten() -> None:
    tables = [table for table in Base.metadata.sorted_tables if table.name not in DERIVED]
    assert [model.__table__ for model in copies._models()] == tables


def test_a_file_that_is_not_there_is_made_and_a_source_that_is_not_there_is_not(
    desks: Callable[[str], str], tmp_path: Path
) -> None:
    source, target = desks("sqlite"), tmp_path / "new" / "orders.db"
    use_database(source)
    make_order("OD-1")
    copies.copy_to(f"sqlite:///{target}")
    assert len(rows_of(f"sqlite:///{target}")["orders"]) == 1
    use_database(f"sqlite:///{tmp_path / 'nowhere.db'}")
    with pytest.raises(InvalidInput, match=r"The database .*nowhere\.db was not found\."):
        copies.copy_to(source)
    assert not (tmp_path / "nowhere.db").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_of_an_older_version_gets_the_newest_schema(
    desks: Callable[[str], str], kind: str
) -> None:
    source, target = desks("sqlite"), desks(kind)
    older = engine.create_database_engine(target)
    with transactions.rebuilding(older) as session:
        schema.recreate_schema(session)
        Base.metadata.drop_all(session.connection())
        session.execute(text("DROP TABLE alembic_version"))
        command.upgrade(schema._alembic_config(session.connection()), "0003")
    older.dispose()
    work_at(source)
    copies.copy_to(target)
    assert rows_of(target) == rows_of(source)


def refund_until(is_over: threading.Event, items: list[str], actor: Actor) -> None:
    for number, item in enumerate(items):
        if is_over.is_set():
            return
        guarded(actor)([item], f"key-{number}")


def count_refunds() -> int:
    with transactions.reading() as session:
        return session.scalar(select(func.count()).select_from(Refund)) or 0


@pytest.mark.parametrize("pair", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_source_that_is_written_to_meanwhile_is_copied_as_of_one_moment(
    desks: Callable[[str], str], pair: tuple[str, str]
) -> None:
    source, target = desks(pair[0]), desks(pair[1])
    use_database(source)
    items, is_over = sell(900), threading.Event()
    with ThreadPoolExecutor(1) as others:
        refunding = others.submit(refund_until, is_over, items, local_admin())
        while count_refunds() < 5:
            is_over.wait(0.01)
        before = count_refunds()
        counts = copies.copy_to(target)
        after = count_refunds()
        is_over.set()
        refunding.result()
    assert before <= counts["refunds"] < after
    use_database(target)
    assert count_refunds() == counts["refunds"]
    check_books()
    check_halves()


@pytest.mark.both_databases
def test_what_reads_differently_there_is_found(database: str) -> None:
    make_order("OD-1", amount_minor=-1)
    make_order("OD-2", widget_id="None")
    seen = set()
    for change in ("no = no", "amount_minor = -2", "widget_id = NULL", "author = 'Ana'"):
        with transactions.writing() as session:
            session.execute(text(f"UPDATE orders SET {change}"))
            tally = copies._Tally(Order)
            assert (
                sum(1 for _ in tally.counting(storage.bulk_read(session, Order))) == tally.rows == 2
            )
        seen.add(tally.sum)
    assert len(seen) == 4


@pytest.mark.on_postgresql
def test_the_command_says_what_it_copied_and_no_password(
    desks: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = desks("sqlite"), desks("postgresql")
    use_database(source)
    make_item(make_order("OD-1"))
    secret = make_url(target).set(password="hush").render_as_string(hide_password=False)
    assert main(["copy", "--to", secret]) == 0
    told = capsys.readouterr().out
    assert "1 contracts, 1 users, 1 orders, 1 order items.\nAll 4 rows were read back" in told
    assert "orderdesk:***@127.0.0.1" in told
    assert "hush" not in told
