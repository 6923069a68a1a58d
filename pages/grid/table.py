"""The Streamlit side of the grid: draw a table, its tools and its figures, all of one view."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st
from st_aggrid import AgGrid, JsCode
from streamlit.delta_generator import DeltaGenerator

from core import query
from core.access import Actor, may
from core.ground import SHOWN_CONTROLS, Permission
from core.query import MAX_SELECTED
from core.tables import BOOKS, Table
from core.views import to_json
from pages.grid.downloads import show_downloads
from pages.grid.extras import Extras
from pages.grid.options import BLOCK_ROWS, THEME, adapting_columns, grid_options
from pages.grid.sharing import show_shared_before
from pages.grid.state import GridState, Place, follow_address, follow_grid, write_address
from pages.grid.strip import (
    Selected,
    selected_in_words,
    show_head,
    show_missing,
    show_selection,
    show_ticked,
    show_totals,
    show_words,
)
from pages.grid.tools import (
    show_columns,
    show_fold,
    show_own_page,
    show_pasting,
    show_search,
)
from pages.grid.views import show_views
from pages.routes import expect_first_rows
from pages.shell import plain
from pages.web import CJK_SHEET, GRID_SCRIPT

HERE = Path(__file__).parent
ASSETS = [
    {"js": GRID_SCRIPT},
    {"css": (HERE / "grid.css").read_text()},
    {"css": f'@import url("../../{CJK_SHEET}");'},
]
UPDATE_ON = [
    ("filterChanged", 50),
    ("sortChanged", 50),
    "orderDeskAnswer",
]
FEW_ROWS = 10  # are seen at a glance: no search is needed
EMPTY = "**There are no {many} yet.**"
EMPTY_FOR_YOU = "**You see no {many} yet.** Your contracts decide what you see; an admin sets them."
EMPTY_FOR_OTHERS = " An admin can import them."
EMPTY_OF_ORDER = "**This order has no {many} yet.**"
EMPTY_BOOKS = """
**There are no {many} yet.** Import your own on the page *Import*, or look around with demo data.
In a terminal, in the project's folder:

- `make import FILE=your-orders.xlsx` imports a workbook or CSV file, like the page
- `make demo ORDERS=2000` fills the database with demo orders

Then reload this page.
"""


def show_table(
    table: Table, *, actor: Actor, order_id: str | None = None, extras: Extras | None = None
) -> bool:
    """Draw the table, of every order or of one, with what its page adds to it.

    Return whether there are any rows, filters aside. Raises AppError if the rows cannot be loaded.
    If a link is invalid, the page shows a warning and the valid part of its view.
    """
    now, extras = datetime.now(UTC), extras or Extras()
    state = follow_address(Place(table, order_id), actor)
    if query.is_empty(state.view.without_filters(), actor=actor, now=now):
        if order_id is None:
            st.title(table.title, anchor=False)
            extras.show_notice()
        show_empty(table, actor, order_id)
        return False
    state.keep_tokens(actor)
    above = st.container(gap="small", key="above")
    above.empty()  # creates the container now; otherwise the grid jumps later
    extras.show_notice()
    fault = follow_grid(state, _draw(state))
    write_address(state, actor)
    with above:
        for words in filter(None, (state.fault, fault)):
            st.warning(plain(words))
        if order_id is None:
            show_shared_before(state, actor=actor)
        selected = selected_in_words(state, actor=actor, now=now)
        show_above = _show_above if order_id is None else _show_above_of_order
        count = show_above(state, actor, now, selected, extras)
        show_missing(state, actor=actor)
        _show_progress(state)
    with _strip("below"):
        show_selection(state, selected, count)
        show_totals(state, actor=actor, now=now)
    return True


def _show_progress(state: GridState) -> None:
    """Write out of sight for which answer of the grid the links above are; ahead.js reads it."""
    number = (state.last_answer or {}).get("number", 0)
    answer = number if isinstance(number, int) else 0
    with st.container(key="progress"):
        st.html(f'<span data-answer="{answer}" data-revision="{state.revision}"></span>')


def _show_actions(state: GridState, actor: Actor, selected: Selected, extras: Extras) -> None:
    """Draw what acts on the selected rows; on a phone, it is a bar with their number."""
    if extras.actions is not None:
        with _strip("actions"):
            show_ticked(state, selected)
            extras.actions(state, actor=actor)


def _show_above(
    state: GridState, actor: Actor, now: datetime, selected: Selected, extras: Extras
) -> int:
    """Draw three strips: title and downloads, tools and actions, filters. Return the count."""
    with _strip("head"):
        count = show_head(state, actor=actor, now=now, explains=extras.explains)
        st.space("stretch")
        show_downloads(state, count, actor=actor, is_main=not extras.has_main_action)
    with _strip("tools"):
        show_search(state)
        show_fold()
        show_views(state, actor=actor)
        show_pasting(state, actor)
        show_columns(state)
        st.space("stretch")
        _show_actions(state, actor, selected, extras)
    show_words(state, actor=actor, now=now)
    return count


def _show_above_of_order(
    state: GridState, actor: Actor, now: datetime, selected: Selected, extras: Extras
) -> int:
    """Draw one strip, because an order has few rows: search and IDs come with many."""
    with _strip("tools"):
        with _strip("head"):
            count = show_head(state, actor=actor, now=now, explains=extras.explains)
        show_fold()
        if count > FEW_ROWS or state.view.search or state.view.ids:
            show_search(state)
            show_pasting(state, actor)
        show_columns(state)
        show_own_page(state, actor=actor)
        show_words(state, actor=actor, now=now)
        st.space("stretch")
        show_downloads(state, count, actor=actor)
        _show_actions(state, actor, selected, extras)
    return count


def _strip(key: str) -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="center", key=key, gap="small")


def show_empty(table: Table, actor: Actor, order_id: str | None = None) -> None:
    """Say that a table, or its part of one order, is empty, and how to add the first row."""
    words = _why_empty(table, actor, order_id).format(many=table.many)
    st.info(words, icon=":material/inbox:")
    if order_id is None and table in BOOKS and may(actor, Permission.IMPORT):
        label, icon = "Import your own orders", ":material/upload_file:"
        st.page_link("imports.py", label=label, icon=icon)


def _why_empty(table: Table, actor: Actor, order_id: str | None) -> str:
    if order_id is not None:
        return f"{EMPTY_OF_ORDER} {table.hint_of_order}" if table.hint_of_order else EMPTY_OF_ORDER
    if not actor.sees_everything:
        return EMPTY_FOR_YOU
    if table in BOOKS:
        return EMPTY_BOOKS if may(actor, Permission.IMPORT) else EMPTY + EMPTY_FOR_OTHERS
    return f"{EMPTY} {table.hint}" if table.hint else EMPTY


def _draw(state: GridState) -> Mapping[str, Any] | None:
    """Draw the grid and return its last answer, which is untrusted."""
    table, view = state.place.table, to_json(state.pushed)
    shown = {column.name for column in state.pushed.columns}
    config = {
        "table": table.name,
        "title": table.title,
        "many": table.many,
        "place": state.place.key,
        "key": table.key,
        "order": state.place.order_id,
        "token": state.rows_token,
        "revision": state.revision,
        "view": view,
        "adapting": adapting_columns(state.pushed),
        "hidden": [column.name for column in table.offered if column.name not in shown],
        "selection": {"revision": state.selection_revision, "keys": list(state.sent_selection)},
        "data": state.data_revision,
        "block": BLOCK_ROWS,
        "maxSelected": MAX_SELECTED,
        "controls": SHOWN_CONTROLS,
        "link": state.link,
    }
    text = base64.urlsafe_b64encode(json.dumps(config).encode()).decode()
    key = f"{state.place.key}_grid"
    if key not in st.session_state:  # the run before has not drawn it
        expect_first_rows(state.rows_token)
    answer = AgGrid(
        None,
        grid_options(table, text),
        height=600,
        key=key,
        theme=THEME,
        data_return_mode="CUSTOM",
        custom_jscode_for_grid_return=JsCode("orderDesk.answer"),
        update_on=UPDATE_ON,
        pro_assets=ASSETS,
    )
    raw = answer.raw_data
    return raw if isinstance(raw, Mapping) else None
