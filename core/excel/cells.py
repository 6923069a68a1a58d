"""Turn the rows of a frame into the XML of a sheet's rows, column by column with Arrow.

Dates are real dates and numbers are real numbers. Text stays text: no cell becomes a formula, a
link or an error.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.utils import get_column_letter

from core.excel.columns import (
    TableCells,
    as_strings,
    as_texts,
    bytes_of,
    flags_at,
    is_any,
    join_cells,
)
from core.ground import InvalidInput, decimals_of
from core.tables import Column

# Microsoft, "Excel specifications and limits".
MAX_CELL_UNITS = 32_767
MAX_EXACT_INTEGER = 2**53
DAY_SECONDS = 86_400
EXCEL_DAYS_TO_1970 = 25_569
# Excel's calendar has a 29 February 1900, which did not exist: earlier days are written as text.
FIRST_EXACT_SECOND = int(datetime(1900, 3, 1, tzinfo=UTC).timestamp())

# Characters that XML 1.0 cannot hold, and texts that Excel would read as an escape.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
REPLACEMENT = "\ufffd"
# The same for Arrow; its strings cannot hold a surrogate.
_UNCLEAN = r"[\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]|_x[0-9A-Fa-f]{4}_"
_LOOKS_LIKE_FORMULA = r"^[=+\-@\t\r{]"
_FORMULA = re.compile(_LOOKS_LIKE_FORMULA)
_BLANK_ENDS = r"^\s|\s$"
_NEEDS_CARE = rf"[&<>]|{_UNCLEAN}|{_LOOKS_LIKE_FORMULA}|{_BLANK_ENDS}"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

_TEXT_HEAD, _TEXT_TAIL = '" t="inlineStr"><is><t>', "</t></is></c>"
_NUMBER_TAIL = "</v></c>"
# XML after a cell's address, the values, XML after the value. A missing value makes no cell.
_Cells = tuple[Any, Any, str]


@dataclass(frozen=True)
class Styles:
    """The numbers of a workbook's styles; plain cells have style 0."""

    quoted: int  # the cell stays text after F2 and Enter (OWASP ASVS 1.2.10)
    instant: int
    money: Mapping[int, int]  # by number of decimals


def clean(text: str, *, is_dump: bool = False) -> tuple[str, bool]:
    """Return the text in a form that a cell can hold, and whether it was cut.

    Characters that XML forbids become U+FFFD; in a dump they become an escape such as `_x0001_`,
    which the import reads back. A text like `_x0041_` is escaped, because Excel would show A. The
    limit of a cell is counted in UTF-16 units, as in Excel.
    """
    text = _ESCAPE_LIKE.sub("_x005F_", text).replace("\r", "_x000D_")
    text = _FORBIDDEN.sub(_escape if is_dump else REPLACEMENT, text)
    if len(text) <= MAX_CELL_UNITS // 2:
        return text, False
    units = text.encode("utf-16-le")
    if len(units) <= MAX_CELL_UNITS * 2:
        return text, False
    return units[: MAX_CELL_UNITS * 2].decode("utf-16-le", errors="ignore"), True


def looks_like_formula(text: str) -> bool:
    """Return whether Excel makes a formula of a text once a person edits its cell."""
    return _FORMULA.match(text) is not None


def _escape(found: re.Match[str]) -> str:
    return f"_x{ord(found[0]):04X}_"


class SheetRows(TableCells[_Cells]):
    """Makes the rows of one table for a sheet, and counts the texts that it cuts."""

    def __init__(
        self, title: str, columns: Sequence[Column], zone: str, styles: Styles, *, is_dump: bool
    ) -> None:
        super().__init__(columns, zone)
        self.title, self.styles, self.is_dump = title, styles, is_dump
        self.cut = self._first = 0

    def to_xml(self, frame: pd.DataFrame, first: int) -> memoryview:
        """Return the XML of a frame's rows; `first` is the sheet's row number of the first one.

        The frame has the table's columns and the columns that those depend on. Raises
        InvalidInput, with the row, if a text of a dump is too long for a cell.
        """
        self._first = first
        numbers = as_strings(pa.array(np.arange(first, first + len(frame))))
        parts: list[Any] = ['<row r="', numbers, '">']
        for index, column in enumerate(self.columns, 1):
            head, values, tail = self.cells_of(column, frame)
            cell = [f'<c r="{get_column_letter(index)}', numbers, head, values, tail]
            # Only a column with missing values is joined apart: a join copies all texts.
            parts += [join_cells(*cell)] if values.null_count else cell
        return bytes_of(join_cells(*parts, "</row>", missing="skip"))

    def times(self, local: pa.Array, repeated: Mapping[int, str], column: Column) -> _Cells:
        """Turn local times into Excel's day numbers (days since 1900)."""
        seconds = local.cast(pa.int64())
        moved = pc.add(seconds, EXCEL_DAYS_TO_1970 * DAY_SECONDS).cast(pa.float64())
        days = as_strings(pc.divide(moved, float(DAY_SECONDS)))
        cells = f'" s="{self.styles.instant}"><v>', days, _NUMBER_TAIL
        is_text = pc.less(seconds, FIRST_EXACT_SECOND)
        if repeated:
            is_text = pc.or_(is_text, flags_at(repeated, len(local)))
        if not is_any(is_text):
            return cells
        return self._mixed(is_text, as_texts(local, repeated).filter(is_text), cells, column)

    def numbers(self, values: pa.Array, column: Column) -> _Cells:
        """Write numbers; those that Excel cannot hold exactly are texts."""
        numbers = as_strings(values)
        cells = '"><v>', numbers, _NUMBER_TAIL
        is_inexact = pc.or_(
            pc.greater(values, MAX_EXACT_INTEGER), pc.less(values, -MAX_EXACT_INTEGER)
        )
        if not is_any(is_inexact):
            return cells
        return self._mixed(is_inexact, numbers.filter(is_inexact), cells, column)

    def amounts(self, minor: pa.Array, currencies: pa.Array) -> _Cells:
        """Turn minor units into major units, with the number format of each currency."""
        codes = currencies.dictionary_encode("encode")
        decimals = [decimals_of(str(code)) for code in codes.dictionary.to_pylist()]
        heads = [f'" s="{self.styles.money[count]}"><v>' for count in decimals]
        factors = pa.array([10.0**count for count in decimals])
        major = pc.divide(minor.cast(pa.float64(), safe=False), factors.take(codes.indices))
        return as_strings(pa.array(heads)).take(codes.indices), as_strings(major), _NUMBER_TAIL

    def taken(self, texts: pa.Array, indices: pa.Array, column: Column) -> _Cells:
        """Write for each index the text at that place."""
        return "", join_cells(*self.texts(texts, column)).take(indices), ""

    def _mixed(self, is_text: pa.Array, texts: pa.Array, numbers: _Cells, column: Column) -> _Cells:
        """Write the few texts in place of their numbers, which Excel cannot hold exactly."""
        cells, few = join_cells(*numbers), join_cells(*self.texts(texts, column))
        return "", pc.replace_with_mask(cells, is_text.fill_null(False), few), ""

    def texts(self, texts: pa.Array, column: Column) -> _Cells:
        """Clean texts, escape them for XML, and mark those that look like a formula."""
        is_empty = pc.equal(pc.binary_length(texts), 0)
        if is_any(is_empty):
            texts = pc.if_else(is_empty, None, texts)
        if not is_any(pc.or_(pc.match_substring_regex(texts, _NEEDS_CARE), _is_long(texts))):
            return _TEXT_HEAD, texts, _TEXT_TAIL
        formula = pc.match_substring_regex(texts, _LOOKS_LIKE_FORMULA)
        style = as_strings(pc.if_else(formula, f'" s="{self.styles.quoted}"', '"'))
        texts = self._cleaned(texts, column)
        blank = pc.match_substring_regex(texts, _BLANK_ENDS)
        begin = as_strings(pc.if_else(blank, '<t xml:space="preserve">', "<t>"))
        for character, entity in _ENTITIES.items():
            texts = pc.replace_substring(texts, character, entity)
        return join_cells(style, ' t="inlineStr"><is>', begin), texts, _TEXT_TAIL

    def _cleaned(self, texts: pa.Array, column: Column) -> pa.Array:
        """Clean the few texts that need it, one by one."""
        is_unclean = pc.or_(pc.match_substring_regex(texts, _UNCLEAN), _is_long(texts))
        if not is_any(is_unclean):
            return texts
        cleaned = texts.to_pylist()
        for index in pc.indices_nonzero(is_unclean.fill_null(False)).to_pylist():
            text, is_cut = clean(cleaned[index], is_dump=self.is_dump)
            if is_cut and self.is_dump:
                raise InvalidInput(
                    f"{self.title}, row {self._first + index}: {column.header} has "
                    f"{len(cleaned[index]):,} characters; a cell holds at most "
                    f"{MAX_CELL_UNITS:,}. Nothing was written."
                )
            self.cut += is_cut
            cleaned[index] = text
        return pa.array(cleaned, pa.large_string())


def _is_long(texts: pa.Array) -> pa.Array:
    """Say which texts may be too long: UTF-8 never has fewer bytes than UTF-16 has units."""
    return pc.greater(pc.binary_length(texts), MAX_CELL_UNITS)
