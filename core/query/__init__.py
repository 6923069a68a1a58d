"""Views as SQL: the rows, counts, totals, choices and searches of what an actor can see.

`conditions` turns filters into SQL, `scoping` adds what the actor can see, `rows` runs the query.
"""

from core.query.beside import Beside, find_beside
from core.query.choices import MAX_CHOICES_LISTED, load_choices
from core.query.conditions import is_among, is_searched, where
from core.query.contracts import contract_names, names_in
from core.query.days import describe_days
from core.query.events import RecordedEvent, ToldEvent, get_event, load_history
from core.query.frames import local_minutes, local_times, repeated_times, to_frame
from core.query.items_of import ItemsOfOrders, TooManyItems, find_items_of
from core.query.order import OrderDetails, get_order
from core.query.pasted_ids import find_missing, read_pasted
from core.query.rows import (
    MAX_WINDOW,
    Figures,
    count_among,
    count_in,
    count_rows,
    count_up_to,
    is_empty,
    load_figures,
    load_keys,
    load_rows,
    load_ticked,
    load_totals,
    read_chunks,
    read_table,
    totals_in,
)
from core.query.scoping import scope, sees_its_order, sees_order
from core.query.ticked import MAX_SELECTED, only_visible, ticked_ids

__all__ = [
    "MAX_CHOICES_LISTED",
    "MAX_SELECTED",
    "MAX_WINDOW",
    "Beside",
    "Figures",
    "ItemsOfOrders",
    "OrderDetails",
    "RecordedEvent",
    "ToldEvent",
    "TooManyItems",
    "contract_names",
    "count_among",
    "count_in",
    "count_rows",
    "count_up_to",
    "describe_days",
    "find_beside",
    "find_items_of",
    "find_missing",
    "get_event",
    "get_order",
    "is_among",
    "is_empty",
    "is_searched",
    "load_choices",
    "load_figures",
    "load_history",
    "load_keys",
    "load_rows",
    "load_ticked",
    "load_totals",
    "local_minutes",
    "local_times",
    "names_in",
    "only_visible",
    "read_chunks",
    "read_pasted",
    "read_table",
    "repeated_times",
    "scope",
    "sees_its_order",
    "sees_order",
    "ticked_ids",
    "to_frame",
    "totals_in",
    "where",
]
