"""A table on a page: AG Grid with filters, totals, views and a selection."""

from pages.grid.component import register_grid
from pages.grid.links import download_address
from pages.grid.named import viewer_zone
from pages.grid.opener import show_opener
from pages.grid.state import GridState
from pages.grid.table import show_empty, show_table
from pages.grid.tools import Actions

__all__ = [
    "Actions",
    "GridState",
    "download_address",
    "register_grid",
    "show_empty",
    "show_opener",
    "show_table",
    "viewer_zone",
]
