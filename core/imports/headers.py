"""Match an imported sheet to its table, and each header to its column."""

import re
from dataclasses import dataclass, field

from core.ground import is_currency, trim, zones
from core.imports.faults import Fault
from core.imports.files import Sheet
from core.tables import SHEETS, USUAL_TITLES, Column, Kind, Table


@dataclass(frozen=True)
class Heading:
    """A column of a sheet: its position, its column, and the zone or currency in its header."""

    index: int
    column: Column
    zone: str | None
    currency: str | None


@dataclass
class Header:
    """The header of a sheet: which of its columns are imported, and which are not."""

    headings: list[Heading] = field(default_factory=list)
    faulty: dict[str, None] = field(default_factory=dict)  # columns of the table, by name
    seen: set[int] = field(default_factory=set)  # the positions with a header
    unknown: dict[int, str] = field(default_factory=dict)  # errors if there is a value below


def table_of(sheet: Sheet) -> Table | None:
    """Find the table of a sheet by its title, or by its headers; None if there is none.

    A sheet with another title needs all required headers, unless it is the only one.
    """
    headers = {normal(_split(str(header))[0]) for header in sheet.header if header}
    if sheet.title is not None:
        found = _titled(sheet.title)
        if found is not None and (found not in USUAL_TITLES or headers & _normal_headers(found)):
            return found
        if sheet.is_hidden:
            return None
    taken = [_titled(title) for title in sheet.titles]
    is_alone = len(sheet.titles) <= 1
    fitting = [
        table
        for table in SHEETS
        if table not in taken and _needed(table, all_required=not is_alone) <= headers
    ]
    # The tables have keys of each other: choose the one that has most of the headers.
    return max(fitting, key=lambda table: len(headers & _normal_headers(table)), default=None)


def _titled(title: str) -> Table | None:
    # When a sheet is full, a dump continues in “Orders (2)”.
    name = normal(re.sub(r"\(\d+\)$", "", title))
    return next((t for t in SHEETS if name in (normal(t.title), t.name)), None)


def _needed(table: Table, *, all_required: bool) -> set[str]:
    required = [c.header for c in table.stored if c.is_required] if all_required else []
    return {normal(header) for header in (table.key_column.header, *required)}


def _headers(table: Table) -> list[str]:
    return [column.header for column in table.stored]


def _normal_headers(table: Table) -> set[str]:
    return set(map(normal, _headers(table)))


def normal(header: str) -> str:
    """Return a header or a value in the form that is compared."""
    return re.sub(r"[\s_\-]+", "_", trim(header).casefold())


def _split(header: str) -> tuple[str, str | None]:
    """Return a header without the brackets at its end, and what is in them."""
    text = trim(header)
    name, opened, inside = text.removesuffix(")").rpartition("(")
    if not opened or not text.endswith(")") or ")" in inside:
        return header, None
    return name, trim(inside)


def read_header(sheet: Sheet, table: Table, title: str, faults: list[Fault]) -> Header:
    """Match the header to the table's columns; a column with an error is not read."""
    # Columns that Download Excel adds, or added. They are calculated, so they are not imported.
    added = [column for column in table.offered if column not in table.stored]
    worked_out = {normal(name) for one in added for name in (one.header, *one.formerly)}
    # An amount is not known by its name, which ends in _minor: it would be cents.
    names = {c.name: c for c in table.stored if c.kind is not Kind.MONEY}
    known = names | {normal(c.header): c for c in table.stored}
    # In an older file, “Reference” is the provider's: a newer one has both, each by its header.
    named = {normal(_split(str(header))[0]) for header in sheet.header if header}
    older = {name for name in worked_out & known.keys() if normal(known[name].header) not in named}
    worked_out -= older
    found = Header()

    def refuse(column: Column, header: str, problem: str) -> None:
        faults.append(Fault(sheet.file, title, sheet.top, header, "", problem))
        found.faulty[column.name] = None

    for index, raw in enumerate(sheet.header):
        header = "" if raw is None else trim(str(raw))
        name, inside = (header, None) if normal(header) in known else _split(header)
        column = known.get(normal(name))
        if header:
            found.seen.add(index)
        if not header or normal(header) in worked_out:
            continue
        if column is None or not _fits(column, inside):
            found.unknown[index] = header
        elif any(one.column == column for one in found.headings):
            refuse(column, header, "is in the header twice")
        else:
            is_instant = column.kind is Kind.INSTANT
            if is_instant and inside is not None and inside not in zones():
                problem = f"names “{inside}”, which is not a time zone such as Europe/London"
                refuse(column, header, problem)
            found.headings.append(_heading(index, column, inside))
    given = {heading.column.name for heading in found.headings}
    for column in table.stored:
        if column.is_required and column.name not in given:
            refuse(column, column.header, "is missing from the header")
    found.headings = [one for one in found.headings if one.column.name not in found.faulty]
    return found


def _fits(column: Column, inside: str | None) -> bool:
    """Return whether a column takes what its header has in brackets: a time zone or a currency."""
    if inside is None or column.kind is Kind.INSTANT:
        return True
    return column.kind is Kind.MONEY and is_currency(inside.upper())


def _heading(index: int, column: Column, inside: str | None) -> Heading:
    if inside is None or column.kind is Kind.INSTANT:
        return Heading(index, column, inside, None)
    return Heading(index, column, None, inside.upper())
