"""A table on a page: AG Grid with filters, totals, views and a selection."""

from pages.grid.component import register_grid
from pages.grid.explained import Explanation
from pages.grid.extras import Extras
from pages.grid.links import download_address
from pages.grid.named import viewer_zone
from pages.grid.opener import show_opener
from pages.grid.state import GridState, refresh_tables
from pages.grid.table import show_empty, show_table

__all__ = [
    "Explanation",
    "Extras",
    "GridState",
    "download_address",
    "refresh_tables",
    "register_grid",
    "show_empty",
    "show_opener",
    "show_table",
    "viewer_zone",
]
