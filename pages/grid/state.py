"""The state of one table's grid in a session, and how its view changes.

A view is changed by the grid, by a widget above it, or by the address (a link, a reload, browser
Back). A change by a widget or the address is pushed to the grid with a new revision; an answer of
the grid with an older revision is out of date and ignored. Each run also brings the browser's
address. It is out of date when the person is faster than the round trip, so it counts only in a run
that neither the grid nor a widget has started. The selection is pushed and read in the same way,
with its own revision.
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
from core.ground import AppError, InvalidInput, NotPermitted, OutsideFailed, check_text
from core.query import MAX_SELECTED
from core.tables import ORDER_TABS, Table
from core.views import Opened, View, default_view, parse_view, to_json
from pages.grid.named import Named, named_view, viewer_zone
from pages.shell import browser_cookie, kept_answer

RENEW_SECONDS = access.TOKEN_LIFE_SECONDS * 3 // 4
FIGURES_LIFE = timedelta(seconds=10)
Figure = TypeVar("Figure")


@dataclass(frozen=True)
class Place:
    """The place of a table: its own page, or a tab of one order."""

    table: Table
    order_id: str | None = None

    @property
    def key(self) -> str:
        """Return the name that is part of the keys of the place's widgets."""
        return self.table.name if self.order_id is None else f"{self.table.name}_{self.order_id}"

    @property
    def parameter(self) -> str:
        """Return the query parameter that holds the view."""
        return "view" if self.order_id is None else ORDER_TABS[self.table.name]


@dataclass
class GridState:
    """One grid, as the page last saw it."""

    place: Place
    view: View  # what is on the screen
    address: dict[str, str]  # the query parameters of that view
    addressed: View | None  # the view of that address; None if the address is out of date
    pushed: View  # the view that was last sent to the grid
    browser: str
    linked: tuple[View, str]  # the view of a link, and the error in the link
    revision: int = 1
    selected: tuple[str, ...] = ()  # keys of the selected rows, also of hidden ones
    sent_selection: tuple[str, ...] = ()  # the selection that was last sent to the grid
    selection_revision: int = 1
    data_revision: int = 1  # of the rows: a new one makes the grid reload them
    rows_token: str = ""
    export_token: str = ""
    issued: float = 0.0
    renewals: int = 0
    last_answer: Mapping[str, Any] | None = None  # of the grid
    was_touched: bool = False  # a widget has started this run
    searched: str | None = None  # the last text of the search box
    figures: dict[str, tuple[View, datetime, Any]] = field(default_factory=dict)
    opened: Named | None = None  # the view that was opened by its name
    link: tuple[int, str] = (0, "")  # the last short link to copy, counted

    @property
    def is_changed(self) -> bool:
        """Return whether the view differs from the one that was opened by its name."""
        return self.opened is not None and self.opened.view != self.view

    @property
    def fault(self) -> str:
        """Return the error in the link, as long as the link's view is on the screen."""
        view, fault = self.linked
        return fault if view == self.view else ""

    def push(self, view: View) -> None:
        """Make the grid show a view."""
        self.view = self.pushed = view
        self.revision += 1

    def push_by_widget(self, view: View) -> None:
        """Make the grid show the view of a widget, in the run that the widget has started."""
        self.push(view)
        self.touch()

    def touch(self) -> None:
        """Note that a widget started this run. The run then ignores a changed address."""
        self.was_touched = True

    def select(self, keys: Sequence[str]) -> None:
        """Make the grid select exactly these rows."""
        self.selected = self.sent_selection = tuple(keys)
        self.selection_revision += 1
        self.touch()

    def refresh(self) -> None:
        """Reload the rows and the figures."""
        self.data_revision += 1
        self.figures.clear()

    def figure(self, name: str, view: View, now: datetime, load: Callable[[], Figure]) -> Figure:
        """Return a figure of a view; load it again after some seconds.

        Selecting a row or sorting also runs the page, and adding up millions takes a second.
        """
        asked, at, value = self.figures.get(name, (None, now, None))
        if asked != view.any_order or now - at > FIGURES_LIFE:
            value = load()
            self.figures[name] = (view.any_order, now, value)
        return cast(Figure, value)

    def keep_tokens(self, actor: Actor) -> None:
        """Issue tokens, and keep them for hours: new ones make the grid apply its options again."""
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
        """Read the view from the grid's answer; search, IDs and zone stay those of the page."""
        raw = answer.get("view")
        if not isinstance(raw, Mapping):
            raise InvalidInput("The grid sent an invalid view. Reload the page.")
        own = to_json(self.view)
        asked = {name: raw[name] for name in ("filters", "sort", "columns") if name in raw}
        kept = {name: own[name] for name in ("search", "ids", "keys", "zone") if name in own}
        return parse_view(self.place.table, asked | kept, order_id=self.place.order_id)

    def selection_in(self, answer: Mapping[str, Any]) -> tuple[str, ...]:
        """Read the keys of the selected rows from the grid's answer; raise InvalidInput."""
        keys = answer.get("selected")
        if not isinstance(keys, list) or len(keys) > MAX_SELECTED:
            raise InvalidInput(f"You can select at most {MAX_SELECTED:,} rows.")
        header = self.place.table.key_column.header
        return tuple(dict.fromkeys(check_text(header, key) for key in keys))

    def has_changes(self, answer: Mapping[str, Any] | None) -> bool:
        """Return whether the answer changes anything; repeating what was pushed does not."""
        if answer is None or answer == self.last_answer:
            return False
        if answer.get("renewals", 0) != self.renewals:
            return True
        try:
            return self.read_answer(answer) != (self.view, self.selected)
        except InvalidInput:
            return True

    def read_answer(self, answer: Mapping[str, Any]) -> tuple[View, tuple[str, ...]]:
        """Return view and selection of an answer; where it is out of date, those of the state."""
        view, selected = self.view, self.selected
        if answer.get("revision") == self.revision:
            view = self.view_in(answer)
        if answer.get("selectionRevision") == self.selection_revision:
            selected = self.selection_in(answer)
        return view, selected


def refresh_tables() -> None:
    """Reload the rows of the session's tables: something beside them has changed a row."""
    for kept in st.session_state.values():
        if isinstance(kept, GridState):
            kept.refresh()


def follow_address(place: Place, actor: Actor) -> GridState:
    """Return the session's state: a new one, or the old one with the view of a new address."""
    key, grid = f"{place.key}_state", f"{place.key}_grid"
    state: GridState | None = st.session_state.get(key)
    parameters = _address(place)
    if state is None:
        found, fault = _opened_at(place, parameters, actor)
        view = found.view
        state = GridState(place, view, parameters, view, view, browser_cookie(), (view, fault))
        state.opened = named_view(found, actor)
        st.session_state[key] = state
        return state
    was_drawn = grid in st.session_state  # if not, a click came from a page that was left
    has_input = was_drawn and (state.was_touched or state.has_changes(st.session_state[grid]))
    if not was_drawn:
        _restore(state, kept_answer(grid))
    if parameters != state.address:
        state.address, state.addressed = parameters, None
        if not has_input:
            found, fault = _opened_at(place, parameters, actor)
            state.linked, state.opened = (found.view, fault), named_view(found, actor)
            state.push(found.view)
            state.addressed = state.view
    state.was_touched = False
    return state


def _restore(state: GridState, unread: Mapping[str, Any] | None) -> None:
    """Push the last view and selection to a grid that was missing in the previous run."""
    if unread is not None:
        with suppress(InvalidInput):
            state.view, state.selected = state.read_answer(unread)
    if state.view != state.pushed:
        state.push(state.view)
    if state.selected != state.sent_selection:
        state.select(state.selected)


def _opened_at(place: Place, parameters: Mapping[str, str], actor: Actor) -> tuple[Opened, str]:
    """Return the view of an address, and a sentence about the parts that were ignored."""
    zone = viewer_zone()
    left_out: list[str] = []
    try:
        found = views.opened_at(
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
        return Opened(view), f"The filters in the link were ignored. {error}"
    faults = " ".join(dict.fromkeys(left_out))
    words = f"Part of this view was ignored. The rest is shown. {faults}"
    return found, words if left_out else ""


def _address(place: Place) -> dict[str, str]:
    names = ("view", "saved") if place.order_id is None else (place.parameter,)
    return {name: st.query_params[name] for name in names if name in st.query_params}


def follow_grid(state: GridState, answer: Mapping[str, Any] | None) -> str | None:
    """Apply the grid's answer: another view or selection, or a request for a new token.

    Returns the error in the answer, or None.
    """
    if answer is None or answer == state.last_answer:
        return None
    state.last_answer, fault = answer, None
    try:
        state.view, state.selected = state.read_answer(answer)
    except InvalidInput as error:
        fault = str(error)
    if answer.get("renewals", 0) != state.renewals:
        state.renewals = answer.get("renewals", 0)
        state.issued = float("-inf")
        st.rerun()
    return fault


def write_address(state: GridState, actor: Actor) -> None:
    """Write the view to the address if it has changed; each write is one step of Back."""
    if state.view == state.addressed:
        return
    parameter = state.place.parameter
    opened = state.opened.view_id if state.opened else None
    if opened is not None and not state.is_changed:
        address = {"saved": opened}
    else:
        address = views.address_of(state.view, actor=actor, parameter=parameter, opened=opened)
    state.addressed = state.view
    if address != state.address:
        before, state.address = state.address, address
        if before.keys() <= address.keys():
            st.query_params.update(address)  # keeps other parameters, such as the tab
        else:
            st.query_params.from_dict(address)
