"""What everyone can read in a shared view: shown before it is shared, and once for older views."""

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from core import views
from core.access import Actor
from core.ground import InvalidInput
from core.tables import Table
from core.views import Saved, View, parse_view
from pages.grid.named import viewer_zone
from pages.grid.state import GridState
from pages.shell import acting

MAX_LISTED = 200
LINES_SHOWN = 8
LINE_HEIGHT = 28  # pixels
WILL_READ = "Everyone who opens this view can read these words and IDs."
NO_HARM = "The rows of the view stay limited to what each person may see."
AGREE = "Everyone may read them"


def view_of(saved: Saved, table: Table) -> View | None:
    """Return a saved view; None if it cannot be opened any more."""
    try:
        return parse_view(table, saved.raw, zone=viewer_zone(), left_out=[])
    except InvalidInput:
        return None


def ask_to_share(view: View | None, key: str) -> bool:
    """Show what everyone could read in a view, and ask; return whether it may be shared."""
    if view is None or not view.typed:
        return True
    st.warning(f"{WILL_READ} {NO_HARM}")
    _show_typed({"": view})
    # Who agreed to some words did not agree to others, such as those of the view that replaces it.
    return st.checkbox(AGREE, key=f"agree_{key}_{hash(tuple(view.typed))}")


def _show_typed(shared: Mapping[str, View]) -> None:
    """List the texts of views, as plain text; `shared` has the name of each one."""
    lines = [
        f"{name}{': ' if name else ''}{what} “{text}”"
        for name, view in shared.items()
        for what, text in view.typed
    ]
    if len(lines) > MAX_LISTED:
        lines[MAX_LISTED:] = [f"… and {len(lines) - MAX_LISTED:,} more"]
    is_long = len(lines) > LINES_SHOWN
    height: int | Literal["content"] = LINE_HEIGHT * LINES_SHOWN if is_long else "content"
    st.code("\n".join(lines), language=None, wrap_lines=True, height=height)


def show_shared_before(state: GridState, *, actor: Actor) -> None:
    """List once, to the owner of views shared before there was a question, what they disclose."""
    table = state.place.table
    key = f"shared_before_{table.name}"
    if key not in st.session_state:
        st.session_state[key] = _shared_before(table, actor)
    shared: dict[str, View] = st.session_state[key]
    if not shared:
        return
    with st.container(key="shared_before", border=True):
        st.markdown(
            "**You share views with everyone.** Everyone who opens them can read these words and "
            f"IDs. {NO_HARM} To stop sharing one, choose *Views*, then *Manage…*."
        )
        _show_typed(shared)
        st.button("OK", key=f"{key}_ok", on_click=_confirm, args=(state, key))


def _shared_before(table: Table, actor: Actor) -> dict[str, View]:
    found = views.find_saved(table, actor=actor)
    own = [one for one in found if one.is_own and one.is_shared and not one.is_sharing_confirmed]
    opened = {one.name: view_of(one, table) for one in own}
    return {name: view for name, view in opened.items() if view is not None and view.typed}


@acting
def _confirm(state: GridState, key: str, *, actor: Actor) -> None:
    state.touch()
    views.confirm_sharing(state.place.table, actor=actor)
    st.session_state[key] = {}
