"""Match an imported sheet to its table, and each header to its column."""

import re
from dataclasses import dataclass

from core.ground import zones
from core.imports.faults import Fault
from core.imports.files import Sheet
from core.tables import BOOKS, Column, Kind, Table


@dataclass(frozen=True)
class Heading:
    """A column of a sheet: its position, its column, and the time zone in its header."""

    index: int
    column: Column
    zone: str | None


def table_of(sheet: Sheet) -> Table | None:
    """Find the table of a sheet by its title, or by its headers; None if there is none."""
    if sheet.title is not None:
        # When a sheet is full, a dump continues in “Orders (2)”.
        title = normal(re.sub(r"\(\d+\)$", "", sheet.title))
        return next((t for t in BOOKS if title in (normal(t.title), t.name)), None)
    headers = {normal(_split_zone(str(header))[0]) for header in sheet.header if header}
    # The tables have keys of each other: choose the one that has most of the headers.
    fitting = [t for t in BOOKS if normal(t.key_column.header) in headers]
    return max(fitting, key=lambda t: len(headers & set(map(normal, _headers(t)))), default=None)


def _headers(table: Table) -> list[str]:
    return [column.header for column in table.stored]


def normal(header: str) -> str:
    """Return a header or a value in the form that is compared."""
    return re.sub(r"[\s_\-]+", "_", header.strip().casefold())


def _split_zone(header: str) -> tuple[str, str | None]:
    text = header.rstrip()
    name, opened, zone = text.removesuffix(")").rpartition("(")
    if not opened or not text.endswith(")") or ")" in zone:
        return header, None
    return name.rstrip(), zone.strip()


def read_header(
    sheet: Sheet, table: Table, title: str, faults: list[Fault]
) -> list[Heading] | None:
    """Match the header to the table's columns; None if an error makes further reading useless."""
    # Columns that Download Excel adds. They are calculated, so they are not imported.
    worked_out = {normal(c.header) for c in table.offered if c not in table.stored}
    known = {normal(c.header): c for c in table.stored} | {c.name: c for c in table.stored}
    headings: list[Heading] = []
    before = len(faults)

    def fault(header: str, problem: str) -> None:
        faults.append(Fault(sheet.file, title, 1, header, "", problem))

    for index, raw in enumerate(sheet.header):
        header = "" if raw is None else str(raw).strip()
        if not header:
            continue
        name, zone = _split_zone(header)
        column = known.get(normal(name)) or known.get(normal(header))
        if column is None and normal(name) in worked_out:
            continue
        if column is None:
            fault(header, f"is not a column of {table.title}")
        elif any(heading.column == column for heading in headings):
            fault(header, "is in the header twice")
        elif zone is not None and column.kind is Kind.INSTANT and zone not in zones():
            fault(header, f"names “{zone}”, which is not a time zone such as Europe/London")
        else:
            headings.append(Heading(index, column, zone))
    given = {heading.column.name for heading in headings}
    for column in table.stored:
        if column.is_required and column.name not in given:
            fault(column.header, "is missing from the header")
    return headings if len(faults) == before else None
