"""What the grid has to show after a step: rows that match, or a sentence instead."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """What the grid has to show: first rows that match in a column, or a sentence instead."""

    column: str
    pattern: str
    rows: int = 5  # how many are looked at, if that many are there


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
