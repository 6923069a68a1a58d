"""The columns of a table as cells, in every kind of file: their headers, values and pieces."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.ground import flag_value
from core.query import local_times, repeated_times
from core.tables import Column, Kind

PIECE_ROWS, PIECE_BYTES = 20_000, 2**25
Cells = TypeVar("Cells")


def header_of(column: Column, zone: str) -> str:
    """Return the header; for an instant shown in one zone, it names the zone."""
    is_local = column.kind is Kind.INSTANT and column.place_zone is None
    return f"{column.header} ({zone})" if is_local else column.header


def pieces_of(frames: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Cut frames into pieces of bounded size: fewer rows if the texts are long."""
    for frame in frames:
        size = int(frame.memory_usage(index=False).sum())
        step = max(1, min(PIECE_ROWS, PIECE_BYTES * len(frame) // max(1, size)))
        yield from (frame.iloc[start : start + step] for start in range(0, len(frame), step))


class TableCells(ABC, Generic[Cells]):
    """Turns the columns of one table into cells; each kind of file writes its own.

    What a cell shows is the same in all of them: local times, words, amounts in major units. A
    local time that happens twice, because clocks go back, is a text with its offset from UTC:
    2026-10-25 01:30:00+00:00.
    """

    def __init__(self, columns: Sequence[Column], zone: str) -> None:
        self.columns, self.zone = columns, zone
        self.repeated = 0  # how many times were written with their offset

    def cells_of(self, column: Column, frame: pd.DataFrame) -> Cells:
        """Return the cells of a column; the frame also has the columns that it depends on."""
        if column.kind is Kind.INSTANT:
            return self._local_times(column, frame)
        values = as_array(frame[column.name])
        if column.kind is Kind.NUMBER:
            return self.numbers(values, column)
        if column.kind is Kind.MONEY:
            return self.amounts(values, as_array(frame[str(column.currency)]))
        if column.kind is Kind.FLAG:
            given = pc.if_else(pc.fill_null(values, False), flag_value(True), flag_value(False))
            return self._words(as_strings(given), column)
        if column.kind is Kind.BYTES:
            digits = pa.array([one.hex() for one in frame[column.name]])
            return self.texts(as_strings(digits), column)
        if column.has_words:
            return self._words(as_strings(values), column)
        return self.texts(as_strings(values), column)

    def _local_times(self, column: Column, frame: pd.DataFrame) -> Cells:
        local = local_times(frame, column, self.zone)
        repeated = repeated_times(frame, column, self.zone, local)
        self.repeated += len(repeated)
        return self.times(as_array(local).cast(pa.timestamp("s")), repeated, column)

    def _words(self, values: pa.Array, column: Column) -> Cells:
        """Make the cell of each different value once, and take it for every row that has it."""
        codes = values.dictionary_encode()
        words = [column.word_of(value) for value in codes.dictionary.to_pylist()]
        return self.taken(pa.array(words, pa.large_string()), codes.indices, column)

    @abstractmethod
    def times(self, local: pa.Array, repeated: Mapping[int, str], column: Column) -> Cells:
        """Write local times; `repeated` has the texts of those that happen twice, by position."""

    @abstractmethod
    def numbers(self, values: pa.Array, column: Column) -> Cells:
        """Write whole numbers."""

    @abstractmethod
    def amounts(self, minor: pa.Array, currencies: pa.Array) -> Cells:
        """Write minor units as major units, with the decimals of each currency."""

    @abstractmethod
    def texts(self, texts: pa.Array, column: Column) -> Cells:
        """Write texts, which stay texts in every program."""

    @abstractmethod
    def taken(self, texts: pa.Array, indices: pa.Array, column: Column) -> Cells:
        """Write for each index the text at that place."""


def as_array(series: "pd.Series[Any]") -> pa.Array:
    """Return a column of a frame as one Arrow array."""
    array = pa.array(series)
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def as_strings(values: pa.Array) -> pa.Array:
    """Return values as text."""
    return values.cast(pa.large_string())


def as_texts(local: pa.Array, repeated: Mapping[int, str]) -> pa.Array:
    """Return local times as text; those that happen twice have their offset."""
    texts = as_strings(local)
    if not repeated:
        return texts
    few = pa.array([repeated[position] for position in sorted(repeated)], pa.large_string())
    return pc.replace_with_mask(texts, flags_at(repeated, len(texts)), few)


def flags_at(positions: Iterable[int], count: int) -> pa.Array:
    """Return flags for a number of rows, set at these positions."""
    flags = np.zeros(count, dtype=bool)
    flags[list(positions)] = True
    return pa.array(flags)


def join_cells(*parts: Any, missing: str = "emit_null", separator: str = "") -> pa.Array:
    """Join strings and arrays of strings row by row; a missing part makes the row missing."""
    columns = [pa.scalar(one, pa.large_string()) if isinstance(one, str) else one for one in parts]
    return pc.binary_join_element_wise(
        *columns, pa.scalar(separator, pa.large_string()), null_handling=missing
    )


def is_any(flags: pa.Array) -> bool:
    """Return whether a flag is set; missing ones are not."""
    return bool(pc.any(flags).as_py())


def bytes_of(rows: pa.Array) -> memoryview:
    """Return the bytes of new texts, one after another."""
    return memoryview(rows.buffers()[2])[: pc.sum(pc.binary_length(rows)).as_py() or 0]
