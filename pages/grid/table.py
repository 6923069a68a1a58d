"""The Streamlit half of the grid: keeps grid, words, count, file and address one view.

Three hands change a view: the person in the grid, a button above it, and the address (a link, a
reload, browser Back). What a button or the address asks for is pushed to the grid under a new
revision; what the grid says under an older one is out of date and not heard.
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from st_aggrid import AgGrid, JsCode

from core import query, saved_views, tokens
from core.columns import Table
from core.errors import AppError, OutsideFailed
from core.users import Actor
from core.view import View
from core.view_json import default_view, parse_view, to_json
from pages.grid.options import THEME, grid_options
from pages.grid.strip import show_head, show_words
from pages.web import BROWSER_COOKIE

HERE = Path(__file__).parent
ASSETS = [
    {"js": "\n".join((HERE / name).read_text() for name in ("grid.js", "set_filter.js"))},
    {"css": (HERE / "grid.css").read_text()},
]
UPDATE_ON = [
    ("filterChanged", 50),
    ("sortChanged", 50),
    ("columnMoved", 300),
    ("columnVisible", 100),
    "orderDeskRenew",
]
RENEW_SECONDS = tokens.LIFE_SECONDS * 3 // 4
EMPTY = """
**There are no {many} yet.** Bring in your own, or look around with demo data. In a terminal, in the
project's folder:

- `make import FILE=your-orders.xlsx` imports a workbook or CSV file (the README says how it looks)
- `make demo ORDERS=2000` fills the database with demo orders

Then reload this page.
"""


@dataclass
class _State:
    """What a session knows of one table's grid."""

    view: View  # what is on the screen
    address: dict[str, str]  # the query parameters that say so
    pushed: View  # what the grid was last told
    revision: int
    browser: str
    rows_token: str = ""
    export_token: str = ""
    issued: float = 0.0
    renewals: int = 0


def show_table(table: Table, *, actor: Actor) -> View:
    """Draw the table with all that belongs to it, and return the view on the screen.

    Raises AppError when the rows cannot be had; a link that cannot be understood is said on the
    page, which then shows every row.
    """
    state = _follow_address(table, actor)
    if _is_empty(state.view, actor):
        st.title(table.title, anchor=False)
        st.info(EMPTY.format(many=table.many), icon=":material/inbox:")
        return state.view
    _keep_tokens(state, table, actor)
    above = st.container(gap="small", key="above")
    _follow_grid(state, _draw(state, table))
    _write_address(state, actor)
    with above:
        show_head(state.view, actor=actor, token=state.export_token)
        show_words(state.view, lambda view: _push(state, view))
    return state.view


def _follow_address(table: Table, actor: Actor) -> _State:
    """Return the session's state, made anew or moved on when the address has changed."""
    key = f"{table.name}_state"
    state: _State | None = st.session_state.get(key)
    parameters = _address(st.query_params)
    if state is not None and parameters == state.address:
        return state
    zone = st.context.timezone or "UTC"
    try:
        view = saved_views.view_at(table, parameters, zone=zone)
    except OutsideFailed:
        raise
    except AppError as error:
        st.warning(f"The link's filters were left out. {error}")
        view = default_view(table, zone)
    if state is None:
        state = _State(view, parameters, view, revision=1, browser=_browser())
        st.session_state[key] = state
    else:
        _push(state, view)
    state.address = parameters
    return state


def _browser() -> str:
    """Return the browser's cookie; none, and so tokens that open nothing, without a browser."""
    cookie = st.context.cookies.get(BROWSER_COOKIE)
    return cookie if isinstance(cookie, str) else ""


def _address(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: parameters[name] for name in ("view", "saved") if name in parameters}


def _push(state: _State, view: View) -> None:
    state.view = state.pushed = view
    state.revision += 1


def _is_empty(view: View, actor: Actor) -> bool:
    return query.load_rows(view.without_filters(), actor=actor, start=0, end=1).empty


def _keep_tokens(state: _State, table: Table, actor: Actor) -> None:
    """Keep the tokens the same for hours: new ones make the grid apply its options again."""
    if time.monotonic() - state.issued > RENEW_SECONDS or not state.rows_token:
        name, browser = table.name, state.browser
        state.rows_token = tokens.issue("rows", table=name, actor=actor, browser=browser)
        state.export_token = tokens.issue("export", table=name, actor=actor, browser=browser)
        state.issued = time.monotonic()


def _draw(state: _State, table: Table) -> Mapping[str, Any] | None:
    """Draw the grid and return what it last answered, which is untrusted."""
    shown = [column.name for column in state.pushed.columns]
    config = {
        "table": table.name,
        "key": table.key,
        "token": state.rows_token,
        "revision": state.revision,
        "view": to_json(state.pushed),
        "hidden": [column.name for column in table.shown if column.name not in shown],
    }
    text = base64.urlsafe_b64encode(json.dumps(config).encode()).decode()
    answer = AgGrid(
        None,
        grid_options(table, text),
        height=600,
        key=f"{table.name}_grid",
        theme=THEME,
        data_return_mode="CUSTOM",
        custom_jscode_for_grid_return=JsCode("orderDesk.answer"),
        update_on=UPDATE_ON,
        pro_assets=ASSETS,
    )
    raw = answer.raw_data
    return raw if isinstance(raw, Mapping) else None


def _follow_grid(state: _State, answer: Mapping[str, Any] | None) -> None:
    if answer is None:
        return
    if answer.get("renewals", 0) != state.renewals:
        state.renewals = answer["renewals"]
        state.issued = float("-inf")
        st.rerun()
    if answer.get("revision") == state.revision:
        state.view = parse_view(state.view.table, answer.get("view"), zone=state.view.zone)


def _write_address(state: _State, actor: Actor) -> None:
    """Put the view into the address once it is another one: each write is a step of Back."""
    if state.view == state.pushed and not state.address:
        return
    address = saved_views.address_of(state.view, actor=actor)
    if address != state.address:
        state.address = address
        st.query_params.from_dict(address)
