"""The move to another database: whole and exact, all or nothing, and the desk goes on there."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from alembic import command
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url

from core import audit, bulk, copies, db, demo, emails, people, saved_views, users
from core.__main__ import main
from core.errors import InvalidInput, OutsideFailed, Refused
from core.models import Base, Order, Refund, SavedView, SignIn, Transaction
from core.people import Rights
from core.states import Role
from core.tables import ORDERS
from core.users import Actor
from core.view_json import parse_view
from tests.conftest import NOW, drop_database, use_database
from tests.core import random_rows
from tests.core.books import check_books
from tests.core.every_kind import HOSTILE
from tests.core.imported import ITEM, ORDER, write_workbook
from tests.core.refund_races import guarded
from tests.core.sold_items import sell
from tests.core.test_backups import check_halves
from tests.rows import make_item, make_order

KINDS = ["sqlite", "postgresql"]
PAIRS = [(one, other) for one in KINDS for other in KINDS]
STORABLE = [one for one in HOSTILE if "\x00" not in one]


@pytest.fixture
def desks(make_database: Callable[[str], str]) -> Iterator[Callable[[str], str]]:
    """Return what makes an empty, migrated database of a kind; all are gone after the test."""
    made: list[str] = []

    def make(kind: str) -> str:
        made.append(make_database(kind))
        return made[-1]

    yield make
    db.engine().dispose()
    for url in made:
        drop_database(url)


def rows_of(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Read every row of every table, as the application reads them."""
    use_database(url)
    with db.reading() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in Base.metadata.sorted_tables
        }


def local_admin() -> Actor:
    actor = users.find_local_actor()
    assert actor is not None
    return actor


def work_at(url: str) -> list[str]:
    """Have a desk with rows in every table, and books that are right; returns items to refund."""
    use_database(url)
    admin = local_admin()
    demo.fill(25, actor=admin, now=NOW)
    items = sell(9)
    guarded(admin)(items[:3], "before")
    emails.send(items[3:5], ["zoe@mail.example"], message="Grüße", key="k", actor=admin, now=NOW)
    rights = Rights(role=Role.AGENT, contracts=frozenset({"SOLD-1", "SOLD-2"}))
    ana = people.add_user("ana@helios.example", rights=rights, actor=admin, now=NOW)
    view = parse_view(ORDERS, {"search": "王伟 İ 😀", "zone": "Asia/Kathmandu"})
    saved_views.save(view, "“Mine” 100%", actor=admin)
    times = {"began_at": NOW, "seen_at": NOW, "expires_at": NOW + timedelta(hours=1)}
    with db.writing() as session:
        session.add(SignIn(sign_in_id="one", user_id=ana, ended_at=NOW, **times))
        odd = {"texts": STORABLE, "numbers": [0, -1, 2**63, 1e22, 1e3, 0.1, 12.50], "no": None}
        about = {"actor": admin, "entity": "order", "entity_id": "=1+1", "now": NOW}
        audit.record(session, "odd.happened", before=odd, after={"é\\u0000": {}, "a": []}, **about)
    return items[5:]


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
    assert copies.copy_to(target) == {name: len(rows) for name, rows in before.items()}
    assert rows_of(target) == before == rows_of(source)

    check_books()
    first = dump(tmp_path / "first.xlsx")
    use_database(target)
    check_books()
    assert dump(tmp_path / "second.xlsx") == first
    goes_on(items, tmp_path)


def goes_on(items: list[str], tmp_path: Path) -> None:
    """Refund and import on the copy, as if nothing had happened."""
    highest = {model: highest_number(model) for model in (Order, Transaction)}
    answer = guarded(local_admin())(items, "after")
    assert [one.order_item_id for one in answer.requested] == sorted(items)
    with db.reading() as session:
        newer = select(Transaction.no).where(Transaction.no > highest[Transaction])
        numbers = sorted(session.scalars(newer))
    assert numbers == [highest[Transaction] + 1 + number for number in range(len(items))]
    path = tmp_path / "new.xlsx"
    write_workbook(path, {"Orders": [ORDER], "Order Items": [ITEM]})
    assert main(["import", str(path)]) == 0
    assert highest_number(Order) == highest[Order] + 1
    check_books()
    for table in ("transactions", "audit_events"):
        with pytest.raises(Exception, match="append-only"), db.writing() as session:
            session.execute(text(f"DELETE FROM {table}"))


def highest_number(model: type[Order] | type[Transaction]) -> int:
    with db.reading() as session:
        return session.scalar(select(func.max(model.no))) or 0


@pytest.mark.parametrize("pair", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_random_hostile_rows_come_out_equal(
    desks: Callable[[str], str], pair: tuple[str, str]
) -> None:
    source, target = desks(pair[0]), desks(pair[1])
    random_rows.fill(source)
    copies.copy_to(target)
    assert rows_of(target) == rows_of(source)


def test_no_stored_table_is_forgotten() -> None:
    assert [model.__table__ for model in copies._models()] == Base.metadata.sorted_tables


def test_a_file_that_is_not_there_is_made_and_a_source_that_is_not_there_is_not(
    desks: Callable[[str], str], tmp_path: Path
) -> None:
    source, target = desks("sqlite"), tmp_path / "new" / "orders.db"
    use_database(source)
    make_order("OD-1")
    copies.copy_to(f"sqlite:///{target}")
    assert len(rows_of(f"sqlite:///{target}")["orders"]) == 1
    use_database(f"sqlite:///{tmp_path / 'nowhere.db'}")
    with pytest.raises(InvalidInput, match=r"There is no database .*nowhere\.db\."):
        copies.copy_to(source)
    assert not (tmp_path / "nowhere.db").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_of_an_older_version_gets_the_newest_schema(
    desks: Callable[[str], str], kind: str
) -> None:
    source, target = desks("sqlite"), desks(kind)
    older = db.create_database_engine(target)
    with db.rebuilding(older) as session:
        db.make_schema_anew(session)
        Base.metadata.drop_all(session.connection())
        session.execute(text("DROP TABLE alembic_version"))
        command.upgrade(db._alembic_config(session.connection()), "0003")
    older.dispose()
    work_at(source)
    copies.copy_to(target)
    assert rows_of(target) == rows_of(source)


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_that_holds_data_is_refused_unless_it_may_be_replaced(
    desks: Callable[[str], str], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = desks("sqlite"), desks(kind)
    use_database(target)
    demo.fill(5, actor=local_admin(), now=NOW)
    there = rows_of(target)
    use_database(source)
    make_order("OD-1")
    assert main(["copy", "--to", target]) == 1
    assert capsys.readouterr().err.strip() == copies.HOLDS_DATA
    assert rows_of(target) == there
    use_database(source)
    assert main(["copy", "--to", target, "--replace"]) == 0
    assert "1 contracts, 1 users, 1 orders." in capsys.readouterr().out
    assert rows_of(target) == rows_of(source)


def test_a_target_with_a_saved_view_alone_holds_data(desks: Callable[[str], str]) -> None:
    source, target = desks("sqlite"), desks("sqlite")
    use_database(target)
    with db.writing() as session:
        kept = {"view_id": "v", "table_name": "orders", "owner": "ana", "view": {}}
        session.add(SavedView(**kept))
    use_database(source)
    with pytest.raises(Refused, match="holds data"):
        copies.copy_to(target)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "change",
    ["DROP TABLE alembic_version", "UPDATE alembic_version SET version_num = '9999'"],
)
def test_a_database_of_something_else_or_newer_is_refused_whatever_is_said(
    desks: Callable[[str], str], kind: str, change: str
) -> None:
    source, target = desks("sqlite"), desks(kind)
    use_database(target)
    with db.writing() as session:
        session.execute(text(change))
    there = rows_of(target)
    use_database(source)
    with pytest.raises(Refused, match="something else, or of a newer Order Desk"):
        copies.copy_to(target, may_replace=True)
    assert rows_of(target) == there


@pytest.mark.parametrize("kind", KINDS)
def test_the_database_itself_is_refused_by_whatever_name(
    desks: Callable[[str], str], kind: str, tmp_path: Path
) -> None:
    source = desks(kind)
    use_database(source)
    make_order("OD-1")
    link = tmp_path / "link.db"
    if kind == "sqlite":
        link.symlink_to(source.removeprefix("sqlite:///"))
    other = {"sqlite": f"sqlite:///{link}", "postgresql": source.replace("127.0.0.1", "localhost")}
    for url in (source, other[kind]):
        with pytest.raises(InvalidInput, match="the database that is to be copied"):
            copies.copy_to(url, may_replace=True)
    assert len(rows_of(source)["orders"]) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://root@127.0.0.1/orders", "--to must start with sqlite:/// or postgresql+psycopg"),
        ("orders.db", "--to is not a database address."),
        ("sqlite://", "--to must name a database"),
        ("postgresql+psycopg://desk:secret@127.0.0.1:9/orders", "cannot be reached, so nothing"),
    ],
)
def test_an_address_that_cannot_be_used_is_said(
    sqlite_database: str, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    assert main(["copy", "--to", url]) == 1
    assert said in (told := capsys.readouterr().err)
    assert "secret" not in told


def break_a_late_row(source: str) -> None:
    """Give a SQLite database an order item that no other takes, past the checks of its own."""
    with closing(sqlite3.connect(source.removeprefix("sqlite:///"))) as raw:
        raw.execute("PRAGMA ignore_check_constraints=ON")
        raw.execute(
            "UPDATE order_items SET status = 'lost' WHERE no = (SELECT max(no) FROM order_items)"
        )
        raw.commit()


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_half_way_leaves_the_target_as_it_was(
    desks: Callable[[str], str], kind: str
) -> None:
    source, empty, kept = desks("sqlite"), desks(kind), desks(kind)
    work_at(source)
    db.engine().dispose()
    break_a_late_row(source)
    work_at(kept)
    for target in (empty, kept):
        there = rows_of(target)
        use_database(source)
        with pytest.raises(Refused, match=r"Nothing was copied: a row cannot be stored .*status"):
            copies.copy_to(target, may_replace=True)
        assert rows_of(target) == there
    use_database(kept)
    check_books()
    assert main(["demo", "--orders", "3"]) == 0


def test_a_failure_half_way_leaves_no_new_file(desks: Callable[[str], str], tmp_path: Path) -> None:
    source = desks("sqlite")
    work_at(source)
    db.engine().dispose()
    break_a_late_row(source)
    with pytest.raises(Refused):
        copies.copy_to(f"sqlite:///{tmp_path / 'new.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_somebody_uses_is_said(desks: Callable[[str], str]) -> None:
    source, target = desks("sqlite"), desks("postgresql")
    other = db.create_database_engine(target)
    use_database(source)
    with other.connect() as somebody:
        somebody.execute(text("SELECT * FROM orders"))
        with pytest.raises(OutsideFailed, match=r"Nothing was copied: .* somebody uses it"):
            copies.copy_to(target)
    other.dispose()
    copies.copy_to(target)


def test_a_nul_that_postgresql_cannot_store_is_named_before_anything_is_written(
    desks: Callable[[str], str],
) -> None:
    source, target, like = desks("sqlite"), desks("postgresql"), desks("sqlite")
    use_database(source)
    make_item(make_order("OD-1"), order_item_id="IT-1", passenger_name="Zoë\x00Müller")
    with pytest.raises(Refused, match=r"order_items, order_item_id 'IT-1': passenger_name has a"):
        copies.copy_to(target)
    copies.copy_to(like)
    assert rows_of(like) == rows_of(source)
    assert rows_of(target)["contracts"] == []


@pytest.mark.parametrize("escaped", [r"\u0000", r"\\u0000", r"x\\\u0000", r"\\\\u0000"])
def test_a_nul_in_json_is_told_from_a_backslash(desks: Callable[[str], str], escaped: str) -> None:
    source, target = desks("sqlite"), desks("postgresql")
    use_database(source)
    with db.writing() as session:
        session.add(SavedView(view_id="v", table_name="orders", owner="ana", view={}))
        session.flush()
        session.execute(
            text("UPDATE saved_views SET view = :v"), {"v": f'{{"search": "{escaped}"}}'}
        )
    if "\x00" in str(rows_of(source)["saved_views"][0][-1]["search"]):
        with pytest.raises(Refused, match="saved_views, view_id 'v': view has a NUL"):
            copies.copy_to(target)
    else:
        copies.copy_to(target)
        assert rows_of(target) == rows_of(source)


def refund_until(is_over: threading.Event, items: list[str], actor: Actor) -> None:
    for number, item in enumerate(items):
        if is_over.is_set():
            return
        guarded(actor)([item], f"key-{number}")


def count_refunds() -> int:
    with db.reading() as session:
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


def test_what_reads_differently_there_is_found(database: str) -> None:
    make_order("OD-1", amount_minor=-1)
    make_order("OD-2", widget_id="None")
    seen = set()
    for change in ("no = no", "amount_minor = -2", "widget_id = NULL", "author = 'Ana'"):
        with db.writing() as session:
            session.execute(text(f"UPDATE orders SET {change}"))
            tally = copies._Tally(Order)
            assert sum(1 for _ in tally.counting(bulk.read(session, Order))) == tally.rows == 2
        seen.add(tally.sum)
    assert len(seen) == 4


def test_the_command_says_what_it_copied_and_no_password(
    desks: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = desks("sqlite"), desks("postgresql")
    use_database(source)
    make_item(make_order("OD-1"))
    secret = make_url(target).set(password="hush").render_as_string(hide_password=False)
    assert main(["copy", "--to", secret]) == 0
    told = capsys.readouterr().out
    assert "1 contracts, 1 users, 1 orders, 1 order items.\nAll 4 rows were read there" in told
    assert "orderdesk:***@127.0.0.1" in told
    assert "hush" not in told
