"""The result of a check or import as JSON, and back: any process shows it.

A check is stored while its files can be imported, so it has no import errors.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core.imports.faults import Fault
from core.imports.headers import Heading
from core.imports.outcome import Outcome
from core.imports.rows import SheetRead
from core.imports.run import Check
from core.tables import TABLES

Json = dict[str, Any]


def faults_to_json(faults: Sequence[Fault]) -> list[Json]:
    """Return import errors as JSON."""
    return [asdict(fault) for fault in faults]


def faults_of_json(lines: Sequence[Json]) -> tuple[Fault, ...]:
    """Return the import errors of `faults_to_json`."""
    return tuple(Fault(**line) for line in lines)


def check_to_json(check: Check) -> Json:
    """Return the result of a check without import errors; tables and columns are by name."""
    return {
        "sheets": [_sheet_to_json(sheet) for sheet in check.sheets],
        "left_out": [list(pair) for pair in check.left_out],
        "first_rows": check.first_rows,
        "outcome": asdict(check.outcome),
        "is_demo": check.is_demo,
    }


def check_of_json(line: Json) -> Check:
    """Return the result of `check_to_json`."""
    return Check(
        tuple(_sheet_of_json(sheet) for sheet in line["sheets"]),
        tuple((file, title) for file, title in line["left_out"]),
        line["first_rows"],
        (),
        (),
        Outcome(**line["outcome"]),
        line["is_demo"],
    )


def _sheet_to_json(sheet: SheetRead) -> Json:
    headings = [
        {
            "index": one.index,
            "column": one.column.name,
            "zone": one.zone,
            "currency": one.currency,
        }
        for one in sheet.headings
    ]
    return vars(sheet) | {"table": sheet.table.name, "headings": headings}


def _sheet_of_json(line: Json) -> SheetRead:
    table = TABLES[line["table"]]
    columns = {column.name: column for column in table.columns}
    headings = tuple(
        Heading(**one | {"column": columns[one["column"]]}) for one in line["headings"]
    )
    return SheetRead(**line | {"table": table, "headings": headings})
