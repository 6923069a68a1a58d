"""The tools above a grid: search, saved views, pasted IDs, columns, and the actions."""

import html
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st

from core import query, views
from core.access import Actor, may
from core.tables import Column
from core.views import Layout, View, default_view, normal_view, parse_search, parse_view, to_json
from pages.grid.state import GridState
from pages.shell import acting
from pages.web import base_path

OWN_PAGE_HELP = "The same rows on their own page, where you can add those of other orders"
MANY_COLUMNS = 10  # more are hard to look through: there is a search
PASTE_HELP = "One ID per line, for example a column from Excel. Upper and lower case must match."


def show_fold() -> None:
    """Draw the button that shows the other tools on a narrow screen; page.js listens to it."""
    with st.container(key="fold", width="content"):
        st.html('<button type="button" data-folds aria-expanded="false">Tools</button>')


def show_search(state: GridState) -> None:
    """Draw the quick search."""
    key = f"search_{state.place.key}"
    if state.searched != state.view.search or key not in st.session_state:
        st.session_state[key] = state.searched = state.view.search  # by a link, Back or a chip
    table = state.place.table
    named = " · ".join([table.many, *(also.words for also in table.also_finds)])
    st.text_input(
        f"Search {state.place.table.many}",
        key=key,
        type="search",
        live="300ms",
        placeholder=f"Search {named}",
        label_visibility="collapsed",
        icon=":material/search:",
        on_change=_search,
        args=(state, key),
        width=384,
    )


@acting
def _search(state: GridState, key: str, *, actor: Actor) -> None:
    search = parse_search(st.session_state[key] or "")
    state.searched = search  # keep the typed text as it is in the box
    if search != state.view.search:
        state.push_by_widget(state.view.with_search(search))


def show_pasting(state: GridState, actor: Actor) -> None:
    """Draw the popover that takes pasted IDs."""
    key = f"pasted_{state.place.key}"
    names = " or ".join(c.header for c in state.place.table.columns if c.is_reference)
    pasting = st.popover(
        "Paste IDs",
        icon=":material/content_paste:",
        key=f"pasting_{state.place.key}",
        on_change=state.touch,
    )
    if not pasting.open:
        return
    with pasting, st.form(f"paste_{state.place.key}", border=False):
        st.text_area(names, key=key, height=200, help=PASTE_HELP, placeholder=PASTE_HELP, width=380)
        st.form_submit_button("Show these", type="primary", on_click=_paste, args=(state, key))


@acting
def _paste(state: GridState, key: str, *, actor: Actor) -> None:
    text = st.session_state[key] or ""
    table, order_id = state.place.table, state.place.order_id
    pasted = query.read_pasted(text, table, actor=actor, order_id=order_id)
    state.push_by_widget(state.view.with_ids(pasted.ids))
    st.session_state[key] = ""
    st.session_state[f"pasting_{state.place.key}"] = False


def show_own_page(state: GridState, *, actor: Actor) -> None:
    """Draw the link from a tab of an order to the same rows on the table's own page."""
    table, order_id = state.place.table, state.place.order_id
    # One filter says which rows belong to an order, unless the table has a rule of its own.
    if table.of_order is not None or not may(actor, table.permission(None)):
        return
    of_order = {"order_id": {"filterType": "text", "type": "equals", "filter": order_id}}
    asked = to_json(state.view)
    kept = {name: asked[name] for name in ("search", "ids", "keys", "zone") if name in asked}
    there = parse_view(table, kept | {"filters": asked["filters"] | of_order})
    address = f"{base_path()}/{table.name}?{urlencode(views.address_of(there, actor=actor))}"
    with st.container(key="own_page", width="content"):
        # page.js follows it in one step of the history; Streamlit's own links take two.
        st.html(
            f'<a data-goes href="{html.escape(address)}" title="{OWN_PAGE_HELP}">'
            f"<span>See on {html.escape(table.title)}</span></a>"
        )


def show_columns(state: GridState) -> None:
    """Draw the popover that shows, hides and pins columns."""
    view, key = state.view, f"columns_{state.place.key}"
    choosing = st.popover("Columns", icon=":material/view_column:", key=key, on_change=state.touch)
    if not choosing.open:
        return
    with choosing:
        st.caption("Drag a header to move its column. Drag its edge to resize it.")
        listed = list(view.all_columns)
        if len(listed) > MANY_COLUMNS:
            listed = _search_columns(state, listed)
        with st.container(key="columns", gap=None):
            for column in listed:
                box = f"{key}_{column.name}"
                st.session_state[box] = column in view.columns
                st.checkbox(column.header, key=box, on_change=_toggle, args=(state, column, box))
        pinned = f"{key}_pinned"
        st.session_state[pinned] = [c.header for c in view.columns if _is_pinned(view, c)]
        st.multiselect(
            "Pinned to the left",
            [column.header for column in view.columns],
            key=pinned,
            placeholder="No column",
            on_change=_pin,
            args=(state, pinned),
        )
        st.button("Reset columns", key=f"{key}_reset", on_click=_reset, args=(state,))


def _search_columns(state: GridState, columns: Sequence[Column]) -> list[Column]:
    """Draw a search box; return the columns whose headers have what is typed in it."""
    typed = st.text_input(
        "Search columns",
        key=f"columns_{state.place.key}_search",
        type="search",
        live="300ms",
        placeholder="Search columns",
        label_visibility="collapsed",
        icon=":material/search:",
        on_change=state.touch,
    )
    found = [one for one in columns if (typed or "").strip().casefold() in one.header.casefold()]
    if not found:
        st.caption("No column matches.")
    return found


def _toggle(state: GridState, column: Column, box: str) -> None:
    view = state.view
    if st.session_state[box]:
        columns = (*view.columns, column)
    else:
        columns = tuple(one for one in view.columns if one != column)
    if not columns:
        st.toast("A table needs at least one column.")
        return
    layout = tuple(one for one in view.layout if one[0] in {c.name for c in columns})
    state.push_by_widget(normal_view(replace(view, columns=columns, layout=layout)))


def _is_pinned(view: View, column: Column) -> bool:
    return dict(view.layout).get(column.name, Layout()).pinned == "left"


def _pin(state: GridState, key: str) -> None:
    view, chosen, layout = state.view, set(st.session_state[key]), dict(state.view.layout)
    for column in view.columns:
        before = layout.get(column.name, Layout())
        if column.header in chosen:
            layout[column.name] = replace(before, pinned="left")
        elif before.pinned == "left":
            layout[column.name] = replace(before, pinned=None)
    state.push_by_widget(normal_view(replace(view, layout=tuple(layout.items()))))


def _reset(state: GridState) -> None:
    view = state.view
    usual = default_view(view.table, view.zone, order_id=view.order_id)
    state.push_by_widget(replace(view, columns=usual.columns, layout=usual.layout))
