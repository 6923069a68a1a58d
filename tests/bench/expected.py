"""The expected content of the grid after a step: matching rows, or a sentence."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """The expected content of the grid: first rows that match in a column, or a sentence."""

    column: str
    pattern: str
    rows: int = 5  # the maximum of checked rows


ANY_ROW = Expected("order_id", ".")
NO_ROW = Expected("", "matches these filters.")


def containing(column: str, text: str) -> Expected:
    """Expect rows whose cell contains the text."""
    return Expected(column, re.escape(text))


def equal_to(column: str, text: str) -> Expected:
    """Expect rows whose cell is the text."""
    return Expected(column, f"^{re.escape(text)}$")


def starting_with(column: str, text: str) -> Expected:
    """Expect rows whose cell starts with the text."""
    return Expected(column, f"^{re.escape(text)}")
