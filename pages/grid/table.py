"""The Streamlit half of the grid: keeps grid, words, count, file and address one view.

Three hands change a view: the person in the grid, a button above it, and the address (a link, a
reload, browser Back). What a button or the address asks for is pushed to the grid under a new
revision; what the grid says under an older one is out of date and not heard. Each run brings the
browser's address along, which is behind when the person is faster than the round trip: so it asks
for something only in a run in which neither grid nor button did.
"""

import base64
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from st_aggrid import AgGrid, JsCode
from streamlit.delta_generator import DeltaGenerator

from core import query, saved_views, tokens
from core.columns import Table
from core.errors import AppError, InvalidInput, OutsideFailed
from core.places import zones
from core.users import Actor
from core.view import View
from core.view_json import default_view, parse_view, to_json
from pages.frame import kept_answer, plain
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
    "orderDeskSay",
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
    addressed: View | None  # what that address stands for; None when it is behind
    pushed: View  # what the grid was last told
    revision: int
    browser: str
    rows_token: str = ""
    export_token: str = ""
    issued: float = 0.0
    renewals: int = 0
    heard: Mapping[str, Any] | None = None  # the grid's last answer
    was_pushed: bool = False  # by a button, for this run


def show_table(table: Table, *, actor: Actor) -> View:
    """Draw the table with all that belongs to it, and return the view on the screen.

    Raises AppError when the rows cannot be had; a link that cannot be understood is said on the
    page, which then shows every row.
    """
    state = _follow_address(table)
    if _is_empty(state.view, actor):
        st.title(table.title, anchor=False)
        st.info(EMPTY.format(many=table.many), icon=":material/inbox:")
        return state.view
    _keep_tokens(state, table, actor)
    above = st.container(gap="small", key="above")
    _follow_grid(state, _draw(state, table), above)
    _write_address(state, actor)
    with above:
        show_head(state.view, actor=actor, token=state.export_token)
        show_words(state.view, lambda view: _push_by_button(state, view))
    return state.view


def _follow_address(table: Table) -> _State:
    """Return the session's state, made anew or moved on when the address asks for another view."""
    key, grid = f"{table.name}_state", f"{table.name}_grid"
    state: _State | None = st.session_state.get(key)
    parameters = _address(st.query_params)
    if state is None:
        view = _view_at(table, parameters)
        state = _State(view, parameters, view, view, revision=1, browser=_browser())
        st.session_state[key] = state
        return state
    spoke = _is_news(state, st.session_state.get(grid))
    if grid not in st.session_state:
        _bring_back(state, kept_answer(grid))
    if parameters != state.address:
        state.address, state.addressed = parameters, None
        if not spoke and not state.was_pushed:
            _push(state, _view_at(table, parameters))
            state.addressed = state.view
    state.was_pushed = False
    return state


def _bring_back(state: _State, unheard: Mapping[str, Any] | None) -> None:
    """Tell a grid that was gone for a run what it showed last: it begins with what it is told."""
    if unheard is not None and _is_news(state, unheard):
        with suppress(InvalidInput):
            state.view = _view_in(unheard, state)
    if state.view != state.pushed:
        _push(state, state.view)


def _is_news(state: _State, answer: Mapping[str, Any] | None) -> bool:
    """Say whether the grid asks for another view; that it now shows a pushed one is no news."""
    if answer is None or answer == state.heard or answer.get("revision") != state.revision:
        return False
    try:
        return _view_in(answer, state) != state.view
    except InvalidInput:
        return True


def _view_at(table: Table, parameters: Mapping[str, str]) -> View:
    zone = st.context.timezone
    zone = zone if zone in zones() else "UTC"
    try:
        return saved_views.view_at(table, parameters, zone=zone)
    except OutsideFailed:
        raise
    except AppError as error:
        st.warning(plain(f"The link's filters were left out. {error}"))
        return default_view(table, zone)


def _browser() -> str:
    """Return the browser's cookie; none, and so tokens that open nothing, without a browser."""
    cookie = st.context.cookies.get(BROWSER_COOKIE)
    return cookie if isinstance(cookie, str) else ""


def _address(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: parameters[name] for name in ("view", "saved") if name in parameters}


def _push(state: _State, view: View) -> None:
    state.view = state.pushed = view
    state.revision += 1


def _push_by_button(state: _State, view: View) -> None:
    _push(state, view)
    state.was_pushed = True


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


def _follow_grid(state: _State, answer: Mapping[str, Any] | None, above: DeltaGenerator) -> None:
    """Hear what the grid says: another view, or that its token is not accepted any more."""
    if answer is None or answer == state.heard:
        return
    state.heard = answer
    if answer.get("revision") == state.revision:
        try:
            state.view = _view_in(answer, state)
        except InvalidInput as error:
            above.warning(plain(str(error)))
    if answer.get("renewals", 0) != state.renewals:
        state.renewals = answer.get("renewals", 0)
        state.issued = float("-inf")
        st.rerun()


def _view_in(answer: Mapping[str, Any], state: _State) -> View:
    return parse_view(state.view.table, answer.get("view"), zone=state.view.zone)


def _write_address(state: _State, actor: Actor) -> None:
    """Put the view into the address when that stands for another: each write is a step of Back."""
    if state.view == state.addressed:
        return
    address = saved_views.address_of(state.view, actor=actor)
    state.addressed = state.view
    if address != state.address:
        state.address = address
        st.query_params.from_dict(address)
