"""A measured figure with its bar, and the table of figures as text and as Markdown."""

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.history import PROJECT, git

RESULTS = Path(__file__).with_name("RESULTS.md")
TITLE = """# What `make bench` measured

`python -m tests.bench PART` measures one part again. “Alternative” is the plain `AgGrid(df)` with
the whole frame, unless the line says otherwise. The ratio is alternative to ours. Where ours is
compared with itself (10,000 orders, no other people), it is ours to ours.
"""
HEADER = ("measure", "ours", "alternative", "ratio", "bar", "result")


@dataclass(frozen=True)
class Figure:
    """One line of the table; a figure without a bar is only for comparison."""

    measure: str
    ours: str
    alternative: str = ""
    ratio: float | None = None
    bar: str = ""
    is_met: bool = True

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of the line, in the order of HEADER."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        result = ("pass" if self.is_met else "FAIL") if self.bar else ""
        return (self.measure, self.ours, self.alternative, ratio, self.bar, result)


def in_seconds(seconds: float) -> str:
    """Return a time as text; a time-out is infinite."""
    if math.isinf(seconds):
        return "timed out"
    if seconds < 0.1:
        return in_milliseconds(seconds)
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:,.0f} s"


def in_milliseconds(seconds: float) -> str:
    """Return a short time as text."""
    return f"{seconds * 1000:,.{1 if seconds < 0.01 else 0}f} ms"


def in_megabytes(megabytes: float) -> str:
    """Return an amount of memory as text."""
    return f"{megabytes:,.0f} MB"


def in_kilobytes(size: int) -> str:
    """Return a number of bytes as text."""
    return f"{size / 1000:,.0f} kB"


def time_figure(measure: str, seconds: float, bar: float) -> Figure:
    """Make the figure of a time with an upper bar."""
    return Figure(measure, in_seconds(seconds), bar=f"under {bar:g} s", is_met=seconds < bar)


def memory_figure(measure: str, megabytes: float, bar: float) -> Figure:
    """Make the figure of an amount of memory with an upper bar."""
    said = in_megabytes(megabytes)
    return Figure(measure, said, bar=f"under {bar:,g} MB", is_met=megabytes < bar)


def as_text(figures: Sequence[Figure]) -> str:
    """Render the table as text."""
    rows = [HEADER, *(figure.cells for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def write_results(
    part: str, parts: Sequence[str], figures: Sequence[Figure], *, load: float, seconds: float
) -> None:
    """Write a part's table to RESULTS.md; keep the other parts and the notes.

    `load` is the system load before the part began, and `seconds` the time of the whole part. Notes
    are lines of a part that begin with “>”.
    """
    sections = _read_sections()
    notes = [line for line in sections.get(part, "").splitlines() if line.startswith(">")]
    rows = [HEADER, ("---",) * len(HEADER), *(figure.cells for figure in figures)]
    lines = [_circumstances(load, seconds), "", *("| " + " | ".join(row) + " |" for row in rows)]
    sections[part] = "\n".join([*lines, *(["", *notes] if notes else [])])
    known = [f"## {name}\n\n{sections[name]}\n" for name in parts if name in sections]
    RESULTS.write_text("\n".join([TITLE, *known]), encoding="utf-8")


def _read_sections() -> dict[str, str]:
    """Return the sections of RESULTS.md, by part."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    parted = (part.partition("\n") for part in text.split("\n## ")[1:])
    return {name.strip(): said.strip() for name, _, said in parted}


def _circumstances(load: float, seconds: float) -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_commit()}, {seconds / 60:.1f} minutes, {os.cpu_count()} "
        f"CPUs with a load of {load:.1f} before it began, Python {platform.python_version()}, "
        f"Streamlit {version('streamlit')}, streamlit-aggrid {version('streamlit-aggrid')}."
    )


def _commit() -> str:
    """Return the measured commit; RESULTS.md itself does not count as a change."""
    said = git("rev-parse", "--short", "HEAD").decode().strip()
    changed = git("status", "--porcelain", "--", ".", f":!{RESULTS.relative_to(PROJECT)}")
    return f"commit {said}{' with changes' if changed else ''}"
