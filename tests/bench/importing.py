"""Import 300,000 rows from three CSV files: time and memory."""

import csv
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench.databases import KEPT
from tests.bench.extent import some
from tests.bench.figures import Figure, memory_figure, time_figure
from tests.bench.processes import core_environment, run_core

ORDERS = some(75_000, 7_500)
ITEMS_AN_ORDER = 2
ROWS = ORDERS * (1 + ITEMS_AN_ORDER + 1)
MAX_SECONDS, MAX_MEGABYTES = 60, 500

HEADERS = {
    "Orders": "Order ID,Created Date,Contract ID,Author,Widget ID",
    "Order Items": "Order Item ID,Order ID,Product Type,Product,Airport,Passenger,Service Date,"
    "Price,Currency,Refundable,Refund Expire Date",
    "Transactions": "Transaction ID,Created Date,Type,Order ID,Amount,Currency",
}


def measure_import() -> Iterator[Figure]:
    """Import the files into an empty database."""
    folder = KEPT / "import"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cost = run_core("import", *_write_files(folder), environment=core_environment(folder))
    shutil.rmtree(folder)
    yield time_figure(f"Import {ROWS:,} rows: time", cost.seconds, MAX_SECONDS)
    yield memory_figure(f"Import {ROWS:,} rows: memory", cost.megabytes, MAX_MEGABYTES)


def _write_files(folder: Path) -> list[Path]:
    rows = {"Orders": _orders(), "Order Items": _items(), "Transactions": _transactions()}
    return [_write(folder / f"{title}.csv", HEADERS[title], rows[title]) for title in rows]


def _write(path: Path, header: str, rows: Iterable[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def _made(number: int) -> str:
    return f"2026-0{1 + number % 9}-1{number % 10} 10:{number % 60:02d}:00"


def _orders() -> Iterator[list[str]]:
    for number in range(ORDERS):
        widget = "" if number % 3 else f"W-{number % 9}"
        author = f"author{number % 300}@partner.example"
        yield [f"B{number:07d}", _made(number), f"CT-{number % 20}", author, widget]


def _items() -> Iterator[list[str]]:
    for number in range(ORDERS):
        service = f"2026-10-1{number % 10} 10:{number % 60:02d}"
        deadline = f"2026-10-0{1 + number % 9} 10:{number % 60:02d}"
        for index in range(ITEMS_AN_ORDER):
            yield [
                *(f"B{number:07d}-{index}", f"B{number:07d}", "lounge", "Aspire Lounge", "LHR"),
                *(f"Passenger {number % 1000}", service, "38.50", "EUR", "yes", deadline),
            ]


def _transactions() -> Iterator[list[str]]:
    for number in range(ORDERS):
        yield [f"T{number:07d}", _made(number), "payment", f"B{number:07d}", "-77.00", "EUR"]
