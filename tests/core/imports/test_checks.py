"""Checking files before the import: it writes nothing, and the import does what it said."""

import random
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from core import demo, storage
from core.access import Actor
from core.ground import InvalidInput, ItemStatus, get_settings
from core.imports import Check, import_files
from core.imports.faults import Faulty
from core.imports.outcome import Outcome
from core.imports.progress import Cancelled, Progress
from core.imports.run import check_files
from core.storage import Order, OrderItem
from tests.conftest import NOW
from tests.core.imports.imported import (
    ITEM,
    ORDER,
    REFUND,
    Sheets,
    changed,
    count,
    plain,
    write_workbook,
)
from tests.core.refusals import everything_stored
from tests.effort import some

GENERATED, GENERATED_ON_POSTGRESQL = some(30, 300), some(15, 150)


def _drawn(drawn: random.Random) -> Sheets:
    """Return sheets about few orders, so that many are already stored: new, used, refunded."""
    sheets: Sheets = {"Orders": [], "Order Items": [], "Transactions": []}
    for number in drawn.sample(range(5), drawn.choice([1, 2, 3])):
        order_id, item_id = f"A{number}", f"A{number}-1"
        if drawn.random() < 0.8:
            sheets["Orders"].append(ORDER | {"Order ID": order_id})
        item = ITEM | {"Order ID": order_id, "Order Item ID": item_id}
        item["Status"] = drawn.choice(["not used", "not used", "used", "refunded", "expired"])
        if drawn.random() < 0.1:
            other: list[dict[str, Any]] = [
                {"Price": 40},
                {"Passenger": "Ana"},
                {"Used At": "2026-07-01"},
            ]
            item |= drawn.choice(other)
        if drawn.random() < 0.8:
            sheets["Order Items"] += [item] * drawn.choice([1, 1, 1, 2])
        if item["Status"] == "refunded" or drawn.random() < 0.1:
            refund = {"Transaction ID": f"T{number}", "Order ID": order_id}
            sheets["Transactions"].append(REFUND | refund | {"Order Item ID": item_id})
    return {title: rows for title, rows in sheets.items() if rows} or plain()


def _imported(path: Path, admin: Actor) -> Outcome | list[str]:
    try:
        return import_files([path], actor=admin, now=NOW)
    except Faulty as error:
        return [str(fault) for fault in error.faults]


def _foretold(check: Check) -> Outcome | list[str]:
    return [str(fault) for fault in check.faults] or check.outcome


@pytest.mark.both_databases
def test_a_check_says_what_the_import_then_does_and_writes_nothing(
    database: str, admin: Actor, tmp_path: Path
) -> None:
    drawn, seen, path = random.Random(11), set(), tmp_path / "orders.xlsx"
    for _ in range(GENERATED if storage.is_sqlite() else GENERATED_ON_POSTGRESQL):
        write_workbook(path, _drawn(drawn))
        before = everything_stored()
        check = check_files([path], actor=admin)
        assert everything_stored() == before
        done = _imported(path, admin)
        assert _foretold(check) == done
        if isinstance(done, Outcome):
            seen |= {name for name in ("added", "used", "kept") if getattr(done, name)}
            seen |= {"unchanged"} if any(done.unchanged.values()) else set()
        else:
            seen.add("faults")
            assert everything_stored() == before
        if drawn.random() < 0.1:
            _refund_one_here(drawn)
    assert seen >= {"added", "unchanged", "used", "kept", "faults"}


def _refund_one_here(drawn: random.Random) -> None:
    """Start a refund of an item, so that a file with the item is older."""
    item = OrderItem.order_item_id == f"A{drawn.randrange(5)}-1"
    requested = {"status": ItemStatus.REFUND_REQUESTED}
    with storage.writing() as session:
        session.execute(
            update(OrderItem).where(item, OrderItem.status == ItemStatus.NOT_USED).values(requested)
        )


def test_a_check_says_what_was_understood_of_each_sheet(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "1.xlsx"
    order = ORDER | {"Created Date (Asia/Tokyo)": ORDER["Created Date"]}
    del order["Created Date"]
    write_workbook(path, plain() | {"Orders": [order], "Notes": [{"Remember": "milk"}]})
    check = check_files([path], actor=admin, names=["My orders.xlsx"])
    assert check.faults == ()
    assert check.left_out == (("My orders.xlsx", "Notes"),)
    orders, items = check.sheets
    assert (orders.file, orders.title, orders.rows) == ("My orders.xlsx", "Orders", 1)
    assert [heading.column.header for heading in items.headings] == list(ITEM)
    zones = {heading.column.name: heading.zone for heading in orders.headings}
    assert zones["created_at"] == "Asia/Tokyo"
    first = check.first_rows["orders"]
    assert first == [
        {
            "Order ID": "A1",
            "Created Date": "2026-03-01 01:00:00 UTC",
            "Contract ID": "CT-1",
            "Author": "Ana",
        }
    ]
    assert [one["Price"] for one in check.first_rows["order_items"]] == ["38.50"]
    assert check.outcome.added == {"orders": 1, "order_items": 1}
    assert (check.rows, check.is_demo) == (2, False)


def test_a_fault_names_the_file_as_people_call_it(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "1.xlsx"
    write_workbook(path, changed("Order Items", Price="abc"))
    check = check_files([path], actor=admin, names=["Mine.xlsx"])
    (fault,) = check.faults
    assert str(fault) == "Mine.xlsx, Order Items, row 2, Price: “abc” is not a number"
    assert check.outcome == Outcome()


def test_a_check_of_a_demo_database_says_that_it_is_one(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    demo.fill(5, actor=admin, now=NOW)
    path = tmp_path / "orders.xlsx"
    write_workbook(path, plain())
    assert check_files([path], actor=admin).is_demo
    import_files([path], actor=admin, now=NOW)
    assert not check_files([path], actor=admin).is_demo


def test_a_csv_file_over_the_limit_is_refused_in_words(
    sqlite_database: str, admin: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPORT_MAX_MB", "1")
    get_settings.cache_clear()
    path = tmp_path / "orders.csv"
    path.write_text(",".join(ORDER) + "\n" + "," * 3 * 400_000)
    with pytest.raises(InvalidInput, match=r"^orders.csv: .* limit of 1 MB \(IMPORT_MAX_MB\)"):
        check_files([path], actor=admin)
    get_settings.cache_clear()


# Progress and cancelling.


def _many(tmp_path: Path, orders: int = 3_000) -> list[Path]:
    """Write CSV files of orders with an item each."""
    rows: dict[str, list[dict[str, Any]]] = {
        "orders": [ORDER | {"Order ID": f"M{number}"} for number in range(orders)],
        "items": [
            ITEM | {"Order ID": f"M{number}", "Order Item ID": f"M{number}-1"}
            for number in range(orders)
        ],
    }
    paths = []
    for name, lines in rows.items():
        paths.append(tmp_path / f"{name}.csv")
        text = [list(lines[0]), *(list(line.values()) for line in lines)]
        paths[-1].write_text("\n".join(",".join(values) for values in text))
    return paths


@pytest.mark.parametrize("act", [check_files, import_files])
def test_progress_is_said_in_words_and_never_goes_back(
    database: str, admin: Actor, tmp_path: Path, act: Callable[..., object]
) -> None:
    said: list[tuple[str, float]] = []
    progress = Progress(lambda phase, share: said.append((phase, share)))
    asked: dict[str, Any] = {} if act is check_files else {"now": NOW}
    act(_many(tmp_path), actor=admin, progress=progress, **asked)
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.1
    assert 0.9 < shares[-1] <= 1
    words = [phase for phase, _ in said]
    doing = "Checking" if act is check_files else "Writing"
    assert "Reading items.csv: Order Items" in words
    assert "Comparing 2,000 of 3,000 orders with stored data" in words
    assert f"{doing} 1,000 of 3,000 order items" in words


def _is_used_up(steps: Iterator[int]) -> bool:
    return next(steps, None) is None


@pytest.mark.both_databases
def test_an_import_cancelled_at_any_step_leaves_nothing(
    database: str, admin: Actor, tmp_path: Path
) -> None:
    import_files(_many(tmp_path, 1), actor=admin, now=NOW)
    before = everything_stored()
    paths = _many(tmp_path, 1_100)
    steps = 0
    while True:
        asked = iter(range(steps))
        progress = Progress(is_cancelled=partial(_is_used_up, asked))
        try:
            import_files(paths, actor=admin, now=NOW, progress=progress)
        except Cancelled:
            assert everything_stored() == before
            steps += 1
        else:
            break
    assert steps > 8
    assert count(Order) == 1_100


def test_a_check_takes_no_more_memory_than_the_import(
    sqlite_database: str, admin: Actor, tmp_path: Path
) -> None:
    check_files(_many(tmp_path, 5), actor=admin)  # loads what is loaded only once
    peaks = []
    paths = _many(tmp_path, 2_000)
    acts: list[Callable[[list[Path]], object]] = [
        lambda paths: check_files(paths, actor=admin),
        lambda paths: import_files(paths, actor=admin, now=NOW),
    ]
    for act in acts:
        tracemalloc.start()
        act(paths)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[0] < peaks[1] * 1.05
