"""CSV files for people: the cells of an Excel file as text, which Excel opens as it is.

Quoted as in RFC 4180, with CRLF. Excel takes a file for UTF-8 only if it begins with a BOM.
"""

import codecs
from collections.abc import Iterable, Mapping, Sequence
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.excel.columns import (
    TableCells,
    as_strings,
    as_texts,
    bytes_of,
    header_of,
    is_any,
    join_cells,
    pieces_of,
)
from core.ground import decimals_of
from core.tables import Column

BOM, LINE_END = codecs.BOM_UTF8, "\r\n"
# Excel would calculate such a text, so it gets an apostrophe, which the import takes off (OWASP,
# “CSV Injection”). One that has an apostrophe there itself gets another, so that it keeps its own.
_LOOKS_LIKE_FORMULA = r"^'*[=+\-@\t\r]"
_NEEDS_QUOTES = r'[",\r\n]'


def write_csv(
    file: IO[bytes], columns: Sequence[Column], zone: str, frames: Iterable[pd.DataFrame]
) -> int:
    """Write frames one by one, below a header, and return the number of rows.

    The frames have the columns and the columns that those depend on.
    """
    lines, rows = _Lines(columns, zone), 0
    file.write(BOM + lines.header())
    for piece in pieces_of(frames):
        file.write(lines.of(piece))
        rows += len(piece)
    return rows


class _Lines(TableCells[pa.Array]):
    """Makes the lines of one table."""

    def header(self) -> bytes:
        headers = [header_of(column, self.zone) for column in self.columns]
        return (
            ",".join(_quoted(pa.array(headers, pa.large_string())).to_pylist()).encode() + b"\r\n"
        )

    def of(self, frame: pd.DataFrame) -> memoryview:
        cells = [self.cells_of(column, frame) for column in self.columns]
        *most, last = (pc.fill_null(one, "") for one in cells)
        if not most:  # readers leave out an empty line
            last = pc.if_else(pc.equal(last, ""), '""', last)
        return bytes_of(join_cells(*most, join_cells(last, LINE_END), separator=","))

    def times(self, local: pa.Array, repeated: Mapping[int, str], _column: Column) -> pa.Array:
        return as_texts(local, repeated)

    def numbers(self, values: pa.Array, _column: Column) -> pa.Array:
        return as_strings(values)

    def amounts(self, minor: pa.Array, currencies: pa.Array) -> pa.Array:
        """Write every digit of the currency's decimals: 12.50."""
        codes = currencies.dictionary_encode("encode")
        counts = pa.array([decimals_of(str(code)) for code in codes.dictionary.to_pylist()])
        decimals = counts.take(codes.indices)
        exact = minor.cast(pa.decimal128(38, 0))
        amounts = pa.nulls(len(minor), pa.large_string())
        for count in pc.unique(decimals).to_pylist():
            kind = pa.decimal128(38, count)
            major = pa.Array.from_buffers(kind, len(exact), exact.buffers(), offset=exact.offset)
            amounts = pc.if_else(pc.equal(decimals, count), as_strings(major), amounts)
        return amounts

    def texts(self, texts: pa.Array, _column: Column) -> pa.Array:
        is_formula = pc.match_substring_regex(texts, _LOOKS_LIKE_FORMULA)
        if is_any(is_formula):
            texts = pc.if_else(is_formula, join_cells("'", texts), texts)
        return _quoted(texts)

    def taken(self, texts: pa.Array, indices: pa.Array, column: Column) -> pa.Array:
        return self.texts(texts, column).take(indices)


def _quoted(texts: pa.Array) -> pa.Array:
    needs_quotes = pc.match_substring_regex(texts, _NEEDS_QUOTES)
    if not is_any(needs_quotes):
        return texts
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(needs_quotes, join_cells('"', doubled, '"'), texts)
