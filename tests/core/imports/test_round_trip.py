"""Every file that Order Desk writes of its tables can be imported, and brings the same rows.

Excel and CSV, with the default columns and with all, in the time zones whose clock changes differ.
"""

import csv
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from core import excel, imports
from core.access import CONSOLE
from core.excel import FileFormat
from core.ground import decimals_of
from core.tables import BOOKS
from core.views import parse_view
from tests.conftest import NOW, use_database
from tests.core.imports.imported import Sheets, write_workbook
from tests.effort import some

ZONES = [
    "UTC", "Europe/London", "America/New_York", "America/St_Johns", "Asia/Kathmandu", "Asia/Tokyo",
    "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Auckland", "Pacific/Kiritimati",
    "Africa/Casablanca", "America/Havana", "Atlantic/Azores", "Africa/Cairo",
]  # fmt: skip
YEARS = (2020, 2026)  # Apia changed its clocks until 2021
AROUND = [timedelta(minutes=minutes) for minutes in (-61, -30, -1, 0, 29, 61)]
# Each zone with each kind of file; the quick run takes each zone once, and each kind with some.
KINDS = [(form, every) for form in FileFormat for every in (False, True)]  # every column
CASES = [
    (zone, *kind)
    for place, zone in enumerate(ZONES)
    for kind in (KINDS if some(0, 1) else [KINDS[place % len(KINDS)]])
]


def _clock_changes(zone: str) -> list[datetime]:
    """Return the instants of the clock changes of the years, to the hour or half an hour."""
    found = []
    for year in YEARS:
        here, at = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC)
        while at.year == year:
            after = at + timedelta(minutes=30)
            if at.astimezone(here).utcoffset() != after.astimezone(here).utcoffset():
                found.append(after)
            at = after
    return found


def _moments(zone: str) -> list[tuple[str, datetime]]:
    """Return instants around the clock changes of a zone, each with the zone of an airport."""
    changes = _clock_changes(zone) or [datetime(2026, 10, 25, 1, tzinfo=UTC)]
    moments = [change + before for change in changes for before in AROUND]
    others = itertools.cycle(ZONES)
    return [(next(others) if no % 3 == 2 else zone, at) for no, at in enumerate(moments)]


def _sheets(
    zone: str,
    authors: Sequence[str] = ("Zoë Müller", "王伟"),
    currencies: Sequence[str] = ("EUR", "JPY"),
    price: str = "1250",
) -> Sheets:
    """Return sound books: an order with an item for each instant, of every fate."""
    sheets: Sheets = {table.title: [] for table in BOOKS}
    for no, (place, moment) in enumerate(_moments(zone), 1):
        order, item, at = f"OD-{no}", f"OD-{no}-1", moment.isoformat()
        author = authors[no % len(authors)]
        fate = ("not_used", "used", "refunded")[no % 3]
        own = {"Order ID": order, "Created Date": at, "Author": author}
        sheets["Notes"].append(_note(no, own))
        sheets["Orders"].append(own | {"Contract ID": "CT-1", "Widget ID": f"00{no}"})
        money = {"Currency": currencies[no % len(currencies)]}
        about = {"Passenger": author, "Product": "Lounge, “A”; 3 h", "Airport": "XXX"}
        dates = {"Service Date": at, "Refund Expire Date": at, "Created Date": at}
        fates = {"Status": fate, "Used At": at if fate == "used" else None}
        sheets["Order Items"].append(
            {"Order Item ID": item, "Order ID": order, "Product Type": "lounge", "Price": price}
            | (about | dates | fates | money)
            | {"Airport Time Zone": place, "Flight No": "0012", "Terminal": "1E5"}
        )
        entries = [("payment", f"-{price}")] + [("refund", price)] * (fate == "refunded")
        for kind, amount in entries:
            sheets["Transactions"].append(
                {"Transaction ID": f"{kind}-{no}", "Created Date": at, "Type": kind}
                | {"Order ID": order, "Order Item ID": item, "Amount": amount, "Method": "card"}
                | money
            )
    return sheets


def _note(no: int, own: dict[str, Any]) -> dict[str, Any]:
    """Return a note: with a follow-up, done or not, or withdrawn."""
    at = own["Created Date"]
    note = own | {"Note ID": f"N-{no}", "Note": f"{own['Author']}\n#N/A <b>{no}</b>"}
    if no % 4 == 3:
        return note | {"Note": None, "Withdrawn At": at, "Withdrawn By": "ana@helios.example"}
    follow_up = {"Follow Up Date": "2026-12-03", "Follow Up By": "ana@helios.example"}
    done = {"Done At": at, "Done By": "ben@helios.example"}
    return note | (follow_up if no % 4 else {}) | (done if no % 4 == 2 else {})


def _write(path: Path, sheets: Sheets) -> None:
    """Write a workbook whose texts stay texts."""
    write_workbook(path, sheets)
    book = openpyxl.load_workbook(path)
    for cell in (cell for sheet in book for row in sheet for cell in row):
        if isinstance(cell.value, str):
            cell.data_type = "s"
    book.save(path)


Fill = Callable[..., None]


@pytest.fixture
def fill(make_database: Callable[[str], str], tmp_path: Path) -> Fill:
    """Return a function that makes a new database, with books made from the arguments."""

    def fill(zone: str, **given: Any) -> None:
        use_database(make_database("sqlite"))
        _write(tmp_path / "books.xlsx", _sheets(zone, **given))
        imports.import_files([tmp_path / "books.xlsx"], actor=CONSOLE, now=NOW)

    return fill


def _export(folder: Path, zone: str, form: FileFormat, every: bool, **raw: Any) -> list[Path]:
    """Write each table as its page does."""
    folder.mkdir()
    paths = []
    for table in BOOKS:
        view = parse_view(table, {"zone": zone} | raw)
        view = replace(view, columns=view.all_columns) if every else view
        paths.append(folder / f"{table.name}.{form}")
        with paths[-1].open("wb") as file:
            excel.export(view, file, actor=CONSOLE, now=NOW, file_format=form)
    return paths


def _rows(paths: list[Path]) -> list[list[tuple[Any, ...]]]:
    """Read the rows of files, without those that are about a workbook."""
    found: list[list[tuple[Any, ...]]] = []
    for path in paths:
        if path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                found.append([tuple(row) for row in csv.reader(file, strict=True)])
        else:
            found.append(list(openpyxl.load_workbook(path).worksheets[0].values))
    return found


def _check(make_database: Callable[[str], str], tmp_path: Path, *kind: Any) -> None:
    """Import the files where they come from, and into an empty database."""
    paths = _export(tmp_path / "first", *kind)
    rows = [len(one) - 1 for one in _rows(paths)]
    again = imports.import_files(paths, actor=CONSOLE, now=NOW)
    assert (again.added, again.used, again.kept, again.returned) == ({}, [], [], [])
    assert sum(again.unchanged.values()) == sum(rows)
    use_database(make_database("sqlite"))
    anew = imports.import_files(paths, actor=CONSOLE, now=NOW)
    assert [anew.added[table.name] for table in BOOKS] == rows
    assert _rows(_export(tmp_path / "second", *kind)) == _rows(paths)


def test_the_books_have_both_clock_changes_of_every_zone_that_has_them() -> None:
    changes = {zone: len(_clock_changes(zone)) for zone in ZONES}
    fixed = {"UTC", "Asia/Kathmandu", "Asia/Tokyo", "Pacific/Kiritimati"}
    assert {zone for zone, count in changes.items() if count == 0} == fixed
    assert all(count >= 2 for zone, count in changes.items() if zone not in fixed)


@pytest.mark.parametrize(("zone", "form", "every"), CASES)
def test_a_file_of_every_table_brings_the_same_rows(
    fill: Fill,
    make_database: Callable[[str], str],
    tmp_path: Path,
    zone: str,
    form: FileFormat,
    every: bool,
) -> None:
    fill(zone)
    _check(make_database, tmp_path, zone, form, every)


@pytest.mark.parametrize(("form", "every"), KINDS)
def test_texts_that_look_like_a_formula_come_back_as_they_were(
    make_database: Callable[[str], str], fill: Fill, tmp_path: Path, form: FileFormat, every: bool
) -> None:
    texts = ["=1+1", "+49 89", "-", "@ana", "'=1", "''@", "'s-Gravenhage", "'", "a=b"]
    fill("Europe/London", authors=texts)
    _check(make_database, tmp_path, "UTC", form, every)


@pytest.mark.parametrize("form", FileFormat)
@pytest.mark.parametrize("currency", ["KWD", "CLF", "JPY", "EUR"])
def test_amounts_come_back_with_any_number_of_decimals(
    make_database: Callable[[str], str],
    fill: Fill,
    tmp_path: Path,
    currency: str,
    form: FileFormat,
) -> None:
    fill("UTC", currencies=[currency], price="1.5" if decimals_of(currency) > 2 else "1250")
    _check(make_database, tmp_path, "UTC", form, False)


@pytest.mark.parametrize(("form", "every"), KINDS)
def test_files_with_headers_only_bring_nothing(
    fill: Fill, tmp_path: Path, form: FileFormat, every: bool
) -> None:
    fill("UTC")
    paths = _export(tmp_path / "none", "UTC", form, every, search="no such row at all")
    assert [len(rows) for rows in _rows(paths)] == [1, 1, 1, 1]
    outcome = imports.import_files(paths, actor=CONSOLE, now=NOW)
    assert (outcome.added, sum(outcome.unchanged.values())) == ({}, 0)
