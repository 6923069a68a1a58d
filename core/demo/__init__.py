"""Demo data: realistic sample orders, the same every time."""

from core.demo.filling import (
    DEFAULT_ORDERS,
    DemoContents,
    clear,
    count_orders,
    fill,
    fill_blank,
    get_contents,
    reset,
)

__all__ = [
    "DEFAULT_ORDERS",
    "DemoContents",
    "clear",
    "count_orders",
    "fill",
    "fill_blank",
    "get_contents",
    "reset",
]
