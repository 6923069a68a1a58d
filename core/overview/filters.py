"""The filters of the view that shows the rows of a figure."""

from datetime import date
from typing import Any


def among(*values: str) -> dict[str, Any]:
    """Return a filter for one of some values."""
    return {"filterType": "set", "values": list(values)}


def on_days(first: date, last: date) -> dict[str, Any]:
    """Return a filter for the days from first to last."""
    if first == last:
        return {"filterType": "date", "type": "equals", "dateFrom": f"{first}"}
    return {"filterType": "date", "type": "inRange", "dateFrom": f"{first}", "dateTo": f"{last}"}
