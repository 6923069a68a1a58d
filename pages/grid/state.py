"""What a session knows of one table's grid, and who may change it.

Three hands change a view: the person in the grid, a widget above it, and the address (a link, a
reload, browser Back). What a widget or the address asks for is pushed to the grid under a new
revision; what the grid says under an older one is out of date and not heard. Each run brings the
browser's address along, which is behind when the person is faster than the round trip: so it asks
for something only in a run in which neither grid nor widget did. The selection is pushed and heard
in the same way, under a revision of its own.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import streamlit as st

from core import access, views
from core.access import Actor
from core.ground import AppError, InvalidInput, NotPermitted, OutsideFailed, check_text, zones
from core.query import MAX_SELECTED
from core.tables import ORDER_TABS, Table
from core.views import View, default_view, parse_view, to_json
from pages.shell import kept_answer
from pages.web import BROWSER_COOKIE

RENEW_SECONDS = access.TOKEN_LIFE_SECONDS * 3 // 4
FIGURES_STAND = timedelta(seconds=10)
Figure = TypeVar("Figure")


@dataclass(frozen=True)
class Place:
    """Where a table is: a page of its own, or a tab of one order."""

    table: Table
    order_id: str | None = None

    @property
    def key(self) -> str:
        """Return what the place's widgets are named by."""
        return self.table.name if self.order_id is None else f"{self.table.name}_{self.order_id}"

    @property
    def parameter(self) -> str:
        """Return the query parameter that holds the view."""
        return "view" if self.order_id is None else ORDER_TABS[self.table.name]


@dataclass
class GridState:
    """One grid, as the page last knew it."""

    place: Place
    view: View  # what is on the screen
    address: dict[str, str]  # the query parameters that say so
    addressed: View | None  # what that address stands for; None when it is behind
    pushed: View  # what the grid was last told
    browser: str
    linked: tuple[View, str]  # what an address asked for, and what was wrong with it
    revision: int = 1
    selected: tuple[str, ...] = ()  # keys of the ticked rows, filtered or not
    told: tuple[str, ...] = ()  # the selection that the grid was last told
    selection_revision: int = 1
    data_revision: int = 1  # of the rows: another one has the grid load them anew
    rows_token: str = ""
    export_token: str = ""
    issued: float = 0.0
    renewals: int = 0
    heard: Mapping[str, Any] | None = None  # the grid's last answer
    was_touched: bool = False  # by a widget, for this run
    searched: str | None = None  # what the search box was last given, or gave
    figures: dict[str, tuple[View, datetime, Any]] = field(default_factory=dict)
    wished: tuple[View, dict[str, str]] | None = None  # a view with an address of its own

    @property
    def fault(self) -> str:
        """Return what was wrong with the link, for as long as its view is on the screen."""
        view, fault = self.linked
        return fault if view == self.view else ""

    def push(self, view: View) -> None:
        """Have the grid show a view."""
        self.view = self.pushed = view
        self.revision += 1

    def push_by_widget(self, view: View) -> None:
        """Have the grid show what a widget asks for, in the run that the widget began."""
        self.push(view)
        self.touch()

    def touch(self) -> None:
        """Note that a widget began this run: the browser's address asks for nothing in it."""
        self.was_touched = True

    def select(self, keys: Sequence[str]) -> None:
        """Have the grid tick these rows and no others."""
        self.selected = self.told = tuple(keys)
        self.selection_revision += 1
        self.touch()

    def refresh(self) -> None:
        """Have grid and figures show the rows as they are by now."""
        self.data_revision += 1
        self.figures.clear()

    def figure(self, name: str, view: View, now: datetime, load: Callable[[], Figure]) -> Figure:
        """Return a figure of a view, loaded anew unless it was some seconds ago.

        Ticking a row or sorting is a run of the page, too, and to add up millions takes a second.
        """
        asked, at, value = self.figures.get(name, (None, now, None))
        if asked != view.any_order or now - at > FIGURES_STAND:
            value = load()
            self.figures[name] = (view.any_order, now, value)
        return cast(Figure, value)

    def keep_tokens(self, actor: Actor) -> None:
        """Keep the tokens the same for hours: new ones make the grid apply its options again."""
        if time.monotonic() - self.issued <= RENEW_SECONDS and self.rows_token:
            return
        name, order_id = self.place.table.name, self.place.order_id
        self.rows_token, self.export_token = (
            access.issue_token(
                purpose, table=name, actor=actor, browser=self.browser, order_id=order_id
            )
            for purpose in ("rows", "export")
        )
        self.issued = time.monotonic()

    def view_in(self, answer: Mapping[str, Any]) -> View:
        """Understand the grid's part of the view; search and IDs are the page's own."""
        raw = answer.get("view")
        if not isinstance(raw, Mapping):
            raise InvalidInput("The grid's view is malformed.")
        own = to_json(self.view)
        asked = {name: raw[name] for name in ("filters", "sort", "columns") if name in raw}
        kept = {name: own[name] for name in ("search", "ids", "zone") if name in own}
        return parse_view(self.place.table, asked | kept, order_id=self.place.order_id)

    def selection_in(self, answer: Mapping[str, Any]) -> tuple[str, ...]:
        """Understand which rows are ticked, by their keys; raises InvalidInput."""
        keys = answer.get("selected")
        if not isinstance(keys, list) or len(keys) > MAX_SELECTED:
            raise InvalidInput(f"At most {MAX_SELECTED:,} rows can be selected.")
        header = self.place.table.key_column.header
        return tuple(dict.fromkeys(check_text(header, key) for key in keys))

    def is_news(self, answer: Mapping[str, Any] | None) -> bool:
        """Say whether the grid asks for anything; that it now shows what was pushed is no news."""
        if answer is None or answer == self.heard:
            return False
        if answer.get("renewals", 0) != self.renewals:
            return True
        try:
            return self.heard_in(answer) != (self.view, self.selected)
        except InvalidInput:
            return True

    def heard_in(self, answer: Mapping[str, Any]) -> tuple[View, tuple[str, ...]]:
        """Return view and selection by an answer, each as it was where the answer is behind."""
        view, selected = self.view, self.selected
        if answer.get("revision") == self.revision:
            view = self.view_in(answer)
        if answer.get("selectionRevision") == self.selection_revision:
            selected = self.selection_in(answer)
        return view, selected


def follow_address(place: Place, actor: Actor) -> GridState:
    """Return the session's state, made anew or moved on when the address asks for another view."""
    key, grid = f"{place.key}_state", f"{place.key}_grid"
    state: GridState | None = st.session_state.get(key)
    parameters = _address(place)
    if state is None:
        view, _ = linked = _view_at(place, parameters, actor)
        state = GridState(place, view, parameters, view, view, browser_cookie(), linked)
        st.session_state[key] = state
        return state
    spoke = state.was_touched or state.is_news(st.session_state.get(grid))
    if grid not in st.session_state:
        _bring_back(state, kept_answer(grid))
    if parameters != state.address:
        state.address, state.addressed = parameters, None
        if not spoke:
            state.linked = _view_at(place, parameters, actor)
            state.push(state.linked[0])
            state.addressed = state.view
    state.was_touched = False
    return state


def _bring_back(state: GridState, unheard: Mapping[str, Any] | None) -> None:
    """Tell a grid that was gone for a run what it showed last: it begins with what it is told."""
    if unheard is not None:
        with suppress(InvalidInput):
            state.view, state.selected = state.heard_in(unheard)
    if state.view != state.pushed:
        state.push(state.view)
    if state.selected != state.told:
        state.select(state.selected)


def _view_at(place: Place, parameters: Mapping[str, str], actor: Actor) -> tuple[View, str]:
    """Return the view that an address asks for, and in words what of it could not be had."""
    zone = viewer_zone()
    left_out: list[str] = []
    try:
        view = views.view_at(
            place.table,
            parameters,
            actor=actor,
            zone=zone,
            parameter=place.parameter,
            order_id=place.order_id,
            left_out=left_out,
        )
    except (OutsideFailed, NotPermitted):
        raise
    except AppError as error:
        view = default_view(place.table, zone, order_id=place.order_id)
        return view, f"The link's filters were left out. {error}"
    faults = " ".join(dict.fromkeys(left_out))
    words = f"A part of this view was left out, the rest is shown. {faults}"
    return view, words if left_out else ""


def viewer_zone() -> str:
    """Return the browser's time zone; UTC when it names none that is known."""
    zone = st.context.timezone
    return zone if zone in zones() else "UTC"


def browser_cookie() -> str:
    """Return the browser's cookie; none, and so tokens that open nothing, without a browser."""
    cookie = st.context.cookies.get(BROWSER_COOKIE)
    return cookie if isinstance(cookie, str) else ""


def _address(place: Place) -> dict[str, str]:
    names = ("view", "saved") if place.order_id is None else (place.parameter,)
    return {name: st.query_params[name] for name in names if name in st.query_params}


def follow_grid(state: GridState, answer: Mapping[str, Any] | None) -> str | None:
    """Hear what the grid says: another view or selection, or that its token is not accepted.

    Returns what was wrong with it, if anything was.
    """
    if answer is None or answer == state.heard:
        return None
    state.heard, fault = answer, None
    try:
        state.view, state.selected = state.heard_in(answer)
    except InvalidInput as error:
        fault = str(error)
    if answer.get("renewals", 0) != state.renewals:
        state.renewals = answer.get("renewals", 0)
        state.issued = float("-inf")
        st.rerun()
    return fault


def write_address(state: GridState, actor: Actor) -> None:
    """Put the view into the address when that stands for another: each write is a step of Back."""
    if state.view == state.addressed:
        return
    parameter = state.place.parameter
    if state.wished and state.wished[0] == state.view:
        address = state.wished[1]
    else:
        address = views.address_of(state.view, actor=actor, parameter=parameter)
    state.addressed = state.view
    if address != state.address:
        before, state.address = state.address, address
        if before.keys() <= address.keys():
            st.query_params.update(address)  # leaves alone what belongs to others, such as the tab
        else:
            st.query_params.from_dict(address)
