"""The built-in views of the tables, as the JSON of core.views."""

from typing import Any

NOT_BLANK = {"filterType": "text", "type": "notBlank"}
YES = {"filterType": "set", "values": ["yes"]}


def recent(column: str = "created_at") -> dict[str, Any]:
    """Return the views *Today* and *This month*."""
    return {
        name: {"filters": {column: {"filterType": "date", "type": preset}}}
        for name, preset in (("Today", "today"), ("This month", "thisMonth"))
    }


def ending(text: str) -> dict[str, str]:
    """Return the filter of texts that end with a text."""
    return {"filterType": "text", "type": "endsWith", "filter": text}


def having(column: str, *values: str) -> dict[str, Any]:
    """Return the view of the rows that have one of the values."""
    return {"filters": {column: {"filterType": "set", "values": list(values)}}}


def refund_expiring(preset: str) -> dict[str, Any]:
    """Return the view of items that can be refunded and whose deadline is soon."""
    return {
        "filters": {
            "refundable_now": YES,
            "refund_expire_at": {"filterType": "date", "type": preset},
        },
        "sort": [{"colId": "refund_expire_at", "sort": "asc"}],
    }
