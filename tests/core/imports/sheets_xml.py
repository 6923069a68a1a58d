"""Workbooks as other programs save them: small changes to the XML that openpyxl writes."""

from collections.abc import Callable
from pathlib import Path

from tests.core.imports.fuzzed_files import parts_of, write_parts
from tests.core.imports.imported import Sheets, write_workbook

Change = Callable[[bytes], bytes]


def write_changed(path: Path, sheets: Sheets, part: str, change: Change) -> None:
    """Write a workbook of which one part is changed."""
    write_workbook(path, sheets)
    parts = parts_of(path)
    write_parts(path, parts | {part: change(parts[part])})


def with_empty_results(sheet: bytes) -> bytes:
    """Save the formulas of a sheet as Excel and LibreOffice save an empty result."""
    return sheet.replace(b"><f>", b' t="str"><f>')


def with_results(result: bytes) -> Change:
    """Save the formulas of a sheet with this result."""
    return lambda sheet: with_empty_results(sheet).replace(b"<v></v>", b"<v>" + result + b"</v>")
