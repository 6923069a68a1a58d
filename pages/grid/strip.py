"""The strips around a grid: count, filters in words, selection and totals.

Each strip keeps its place, whatever it holds, so that the grid does not move.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import query
from core.access import Actor
from core.ground import format_money, show_controls
from core.query import MAX_SELECTED
from core.tables import Kind, Table
from core.views import (
    NamesByColumn,
    View,
    default_view,
    describe_filter,
    describe_ids,
    describe_keys,
    describe_search,
)
from pages.grid.explained import Explanation, show_explained
from pages.grid.state import GridState
from pages.routes import let_first_rows_show, let_rows_go_first
from pages.shell import acting, plain

MAX_MISSING_LISTED = 20
MAX_SUMS_IN_LINE = 3
NO_WORDS = "No filters. Type below a header, or right-click a value."


def show_head(
    state: GridState, *, actor: Actor, now: datetime, explains: Explanation | None = None
) -> int:
    """Draw title and count of the view; return the count."""
    view = state.view
    table = view.table
    count = _figures(state, actor, now).count
    total = count
    if view.is_filtered:
        everything = view.without_filters()

        def count_all() -> int:
            return query.count_rows(everything, actor=actor, now=now)

        total = state.figure("total", everything, now, count_all)
    if view.order_id is None:
        st.title(table.title, anchor=False, width="content")
    st.markdown(f"{_count_in_words(table, count, total)}{_zones_in_words(view)}", width="content")
    show_explained(state, explains)
    return count


def _count_in_words(table: Table, count: int, total: int) -> str:
    """Return how many rows are shown, and of how many if filters hide some."""
    of_total = "" if count == total else f" of {total:,}"
    return f"**{count:,}**{of_total} {table.one if total == 1 else table.many}"


def _zones_in_words(view: View) -> str:
    """Say in which zone the view's times are; those of a place are as the clocks there say."""
    times = [one for one in view.columns if one.kind is Kind.INSTANT]
    of_places = ", ".join(one.header for one in times if one.place_zone)
    if not times:
        return ""
    # In a part of its own, which frame.css hides without room.
    there = f":gray[, {of_places} in local time]" if of_places else ""
    return f" :gray[· times in {view.zone}]{there}"


def _figures(state: GridState, actor: Actor, now: datetime) -> query.Figures:
    view = state.view

    def load() -> query.Figures:
        let_rows_go_first()
        return query.load_figures(view, actor=actor, now=now)

    return state.figure("figures", view, now, load)


def show_words(state: GridState, *, actor: Actor, now: datetime) -> None:
    """Draw a chip for each filter, in words, and Clear all. A click on a chip removes it."""
    view = state.view
    if not view.is_filtered:
        if view.order_id is None:
            with st.container(key="no_words"):
                st.caption(NO_WORDS)
        return

    def load_names() -> NamesByColumn:
        return query.names_in(view, actor=actor)

    names = state.figure("names", view, now, load_names)
    with st.container(horizontal=True, key="words", gap="small"):
        if view.search:
            _show_chip(state, "search", describe_search(view))
        if view.ids:
            _show_chip(state, "ids", describe_ids(view))
        if view.keys is not None:
            _show_chip(state, "keys", describe_keys(view.keys))
        for one in view.filters:
            _show_chip(state, one.column.name, describe_filter(one, names))
        st.button(
            "Clear all",
            key=f"clear_{state.place.key}",
            type="tertiary",
            on_click=_clear,
            args=(state,),
        )


def _clear(state: GridState) -> None:
    state.push_by_widget(state.view.without_filters())


def _remove(state: GridState, name: str) -> None:
    """Remove one filter from the current view, which the grid may have changed since drawing."""
    view = state.view
    others = {
        "search": view.with_search(""),
        "ids": view.with_ids(()),
        "keys": view.with_keys(None),
    }
    state.push_by_widget(others.get(name) or view.without_filter(name))


def _show_chip(state: GridState, name: str, words: str) -> None:
    st.button(
        plain(words),
        key=f"words_{state.place.key}_{name}",
        icon=":material/close:",
        icon_position="right",
        help="Remove this filter",
        on_click=_remove,
        args=(state, name),
    )


def show_missing(state: GridState, *, actor: Actor) -> None:
    """List the pasted IDs that were not found."""
    if not state.view.ids:
        return
    missing = query.find_missing(state.view, actor=actor)
    if not missing:
        return
    listed = ", ".join(missing[:MAX_MISSING_LISTED])
    some = f"{len(missing):,} of the {len(state.view.ids):,} pasted IDs"
    words = f"{some} {'was' if len(missing) == 1 else 'were'} not found: {listed}"
    if len(missing) <= MAX_MISSING_LISTED:
        st.warning(plain(f"{words}."), icon=":material/search_off:")
        return
    with st.expander(plain(f"{words}, …"), icon=":material/search_off:"):
        st.code("\n".join(map(show_controls, missing)), language=None, height=200)


@dataclass(frozen=True)
class Selected:
    """The selected rows in words: how many, how many of them the filter hides; "" for none.

    A single row has a name, because it can be out of sight: Zoë Müller · Fast Track Security.
    """

    words: str = ""
    name: str = ""


def selected_in_words(state: GridState, *, actor: Actor, now: datetime) -> Selected:
    """Return the selected rows in words."""
    selected = state.selected
    if not selected:
        return Selected()
    seen = query.count_among(state.view, selected, actor=actor, now=now)
    hidden = f", {len(selected) - seen:,} hidden by the filter"
    words = f"**{len(selected):,} selected**{hidden if seen < len(selected) else ''}"
    return Selected(words, _name_of(state, actor, now) if len(selected) == 1 else "")


def _name_of(state: GridState, actor: Actor, now: datetime) -> str:
    """Return what tells a person which row is selected; "" if the table has no such columns."""
    table = state.place.table
    columns = tuple(one for one in table.columns if one.name in table.told_by)
    if not columns:
        return ""
    view = replace(default_view(table), columns=columns).with_keys(state.selected)

    def load() -> str:
        rows = query.load_rows(view, actor=actor, now=now, start=0, end=1)
        texts = [str(rows.iloc[0][name]) for name in table.told_by] if len(rows) else []
        return " · ".join(texts)

    return state.figure("name", view, now, load)


def show_ticked(state: GridState, selected: Selected) -> None:
    """Draw what a phone has in one bar with the actions: the words of `selected`, and Clear."""
    with st.container(horizontal=True, vertical_alignment="center", key="ticked", gap="small"):
        if selected.words:
            _show_selected(selected, key="ticked_name")
            _show_clear(state, "Clear", key=f"untick_{state.place.key}")


def _show_selected(selected: Selected, *, key: str) -> None:
    st.markdown(selected.words, width="content")
    if selected.name:
        with st.container(key=key, width="content"):
            st.markdown(plain(selected.name), width="content")


def _show_clear(state: GridState, label: str, *, key: str, help_text: str | None = None) -> None:
    st.button(label, key=key, type="tertiary", on_click=state.select, args=((),), help=help_text)


def show_selection(state: GridState, selected: Selected, count: int) -> None:
    """Draw below the grid the words of `selected`; offer to select all rows or none."""
    key = state.place.key
    if selected.words:
        _show_selected(selected, key="selected_name")
        _show_clear(
            state, "Clear selection", key=f"unselect_{key}", help_text="Or press Esc in the table"
        )
    if 1 < count <= MAX_SELECTED:
        st.button(
            f"Select all {count:,} matching",
            key=f"select_{key}",
            type="tertiary",
            on_click=_select_all,
            args=(state,),
        )
    elif selected.words and count > 1:
        st.caption(f"Select all works for up to {MAX_SELECTED:,} rows", width="content")


@acting
def _select_all(state: GridState, *, actor: Actor) -> None:
    """Add every row of the view to the selection, up to the limit."""
    keys = query.load_keys(state.view, actor=actor, now=datetime.now(UTC))
    both = list(dict.fromkeys([*state.selected, *keys]))
    if len(both) > MAX_SELECTED:
        st.toast(f"You can select at most {MAX_SELECTED:,} rows. Clear the selection first.")
        return
    state.select(both)


def _end_if_left() -> None:
    """End this run if the person has gone on. Streamlit does that whenever its state is read.

    Drawing would do it too, but a message makes the browser work while it draws the grid.
    """
    st.session_state.get("any")


def show_totals(state: GridState, *, actor: Actor, now: datetime) -> None:
    """Add up the amounts of every row of the view, per currency."""
    view, totals = state.view, _figures(state, actor, now).totals
    line = st.empty()
    if totals is None:

        def add_up() -> dict[str, int]:
            let_first_rows_show(state.rows_token, _end_if_left)
            return query.load_totals(view, actor=actor, now=now)

        totals = state.figure("totals", view, now, add_up)
    _show_sums(line, view.total_header, totals)


def _show_sums(line: DeltaGenerator, header: str, totals: Mapping[str, int]) -> None:
    """Draw the totals in a line; if there are many, behind a button."""
    sums = [format_money(minor, code) for code, minor in totals.items()]
    words = f"<p>{html.escape(header)}: {html.escape(' · '.join(sums))}</p>" if sums else "<p></p>"
    if len(sums) <= MAX_SUMS_IN_LINE:
        line.html(words, width="stretch")
        return
    label = f"{plain(header)} in {len(sums)} currencies"
    rows = "".join(f"<tr><td>{html.escape(one)}</td></tr>" for one in sums)
    with line.container(key="sums"):
        with st.popover(label, type="tertiary"):
            st.html(f"<table><caption>{html.escape(header)}</caption>{rows}</table>")
        st.html(words)  # out of sight: a screen reader reads them without the button
