"""Copy to another database: what is refused, and that it is all or nothing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from core import demo, storage
from core.__main__ import main
from core.ground import InvalidInput, OutsideFailed, Refused
from core.storage import SavedView
from core.upkeep import copies
from tests.conftest import NOW, use_database
from tests.core.books import check_books
from tests.core.upkeep.copied import local_admin, rows_of, work_at
from tests.rows import make_item, make_order

KINDS = ["sqlite", "postgresql"]


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
    assert capsys.readouterr().err.strip() == copies.HAS_DATA
    assert rows_of(target) == there
    use_database(source)
    assert main(["copy", "--to", target, "--replace"]) == 0
    assert "1 contracts, 1 users, 1 orders." in capsys.readouterr().out
    assert rows_of(target) == rows_of(source)


def test_a_target_with_a_saved_view_alone_holds_data(desks: Callable[[str], str]) -> None:
    source, target = desks("sqlite"), desks("sqlite")
    use_database(target)
    with storage.writing() as session:
        kept = {"view_id": "v", "table_name": "orders", "owner": "ana", "view": {}}
        session.add(SavedView(**kept))
    use_database(source)
    with pytest.raises(Refused, match="already has data"):
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
    with storage.writing() as session:
        session.execute(text(change))
    there = rows_of(target)
    use_database(source)
    with pytest.raises(Refused, match="another program or a newer Order Desk"):
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
        with pytest.raises(InvalidInput, match="the same database as DATABASE_URL"):
            copies.copy_to(url, may_replace=True)
    assert len(rows_of(source)["orders"]) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://root@127.0.0.1/orders", "--to must start with sqlite:/// or postgresql+psycopg"),
        ("orders.db", "--to is not a database URL."),
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
    """Write an order item into SQLite, without its checks, that PostgreSQL refuses."""
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
    storage.get_engine().dispose()
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
    storage.get_engine().dispose()
    break_a_late_row(source)
    with pytest.raises(Refused):
        copies.copy_to(f"sqlite:///{tmp_path / 'new.db'}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.on_postgresql
def test_a_target_that_somebody_uses_is_said(desks: Callable[[str], str]) -> None:
    source, target = desks("sqlite"), desks("postgresql")
    other = storage.create_database_engine(target)
    use_database(source)
    with other.connect() as somebody:
        somebody.execute(text("SELECT * FROM orders"))
        with pytest.raises(OutsideFailed, match=r"Nothing was copied: .* is in use"):
            copies.copy_to(target)
    other.dispose()
    copies.copy_to(target)


@pytest.mark.on_postgresql
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


@pytest.mark.on_postgresql
@pytest.mark.parametrize("escaped", [r"\u0000", r"\\u0000", r"x\\\u0000", r"\\\\u0000"])
def test_a_nul_in_json_is_told_from_a_backslash(desks: Callable[[str], str], escaped: str) -> None:
    source, target = desks("sqlite"), desks("postgresql")
    use_database(source)
    with storage.writing() as session:
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
