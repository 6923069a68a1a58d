"""Saved views above a grid: open a view, save the current one, change your own."""

import streamlit as st

from core import views
from core.access import Actor
from core.ground import InvalidInput
from core.views import NameTaken, Saved, View, default_view, parse_view
from pages.grid.explained import show_views_explained
from pages.grid.sharing import ask_to_share, view_of
from pages.grid.state import GridState, viewer_zone
from pages.shell import Dialog, plain

SHARE = "Share with everyone"
TAKEN = "save_taken"  # a name that already exists, which the dialog offers to replace


def show_views(state: GridState, *, actor: Actor) -> None:
    """Draw the list of views, and the dialog while it is open."""
    key, dialog = _key(state), _dialog(state)
    dialog.forget_if_left(key)
    views = st.popover("Views", icon=":material/bookmarks:", key=key, on_change=state.touch)
    if views.open:
        with views:
            _show_links(state, actor)
    if name := dialog.content:
        title, draw = DIALOGS[name]
        dialog.show(title, lambda _name, actor: draw(state, actor))


def _key(state: GridState) -> str:
    return f"views_{state.place.table.name}"


def _dialog(state: GridState) -> Dialog[str]:
    """Return the dialog of the views; its content is a key of DIALOGS."""
    return Dialog(f"{_key(state)}_dialog", state.touch)


def _show_links(state: GridState, actor: Actor) -> None:
    table, zone = state.place.table, viewer_zone()
    ready = {f"All {table.many}": default_view(table, zone)}
    ready |= views.ready_made(table, zone, actor=actor)
    saved = views.find_saved(table, actor=actor)
    with st.container(key="views", gap=None):
        for name, view in ready.items():
            _show_link(state, plain(name), view, {}, name)
        if saved:
            st.caption("Saved")
        for one in saved:
            try:
                view = parse_view(table, one.raw, zone=zone, left_out=[])
            except InvalidInput as error:
                st.caption(plain(f"{one.name}: {error}"))
            else:
                _show_link(state, _label(one), view, {"saved": one.view_id}, one.view_id)
    with st.container(horizontal=True):
        st.button("Save this view …", key=f"save_{table.name}", on_click=_ask, args=(state, "save"))
        if any(one.is_own for one in saved):
            st.button("Manage …", key=f"manage_{table.name}", on_click=_ask, args=(state, "manage"))
    show_views_explained()


def _show_link(
    state: GridState, label: str, view: View, address: dict[str, str], name: str
) -> None:
    st.button(
        label,
        key=f"open_{state.place.table.name}_{name}",
        type="tertiary",
        icon=":material/check:" if view == state.view else None,
        width="stretch",
        on_click=_open,
        args=(state, view, address),
    )


def _open(state: GridState, view: View, address: dict[str, str]) -> None:
    """Show a view. The address of a saved one is its ID, which follows later changes."""
    st.session_state[_key(state)] = False
    state.push_by_widget(view)
    if address:
        state.opened, state.addressed = (view, address), None


def _ask(state: GridState, name: str) -> None:
    """Close the list, and open a dialog in the next run."""
    state.touch()
    st.session_state.pop(TAKEN, None)
    st.session_state[_key(state)] = False
    _dialog(state).open(name)


def _label(one: Saved) -> str:
    notes = ["default"] * one.is_default
    notes += ["shared by you" if one.is_own else "shared"] * one.is_shared
    return plain(one.name) + (f" :gray[({', '.join(notes)})]" if notes else "")


def _save(state: GridState, actor: Actor) -> None:
    """Ask for a name and save the view; replace a view of the same name only after asking."""
    st.caption("Saves filters, search, pasted IDs, sort, columns and time zone.")
    name = st.text_input("Name", max_chars=views.MAX_VIEW_NAME, key="save_name")
    is_shared = st.checkbox(SHARE, key="save_shared")
    is_default = st.checkbox("Open by default", key="save_default")
    may_save = not is_shared or ask_to_share(state.view, "save")
    replaces = bool(name) and st.session_state.get(TAKEN) == name
    if replaces:
        st.warning(plain(str(NameTaken(name))))
    label = f"Replace “{plain(name)}”" if replaces else "Save"
    if not st.button(label, type="primary", key="save_now", disabled=not may_save):
        return
    options = {"is_shared": is_shared, "is_default": is_default, "replaces": replaces}
    try:
        views.save_view(state.view, name, actor=actor, **options)
    except NameTaken:
        st.session_state[TAKEN] = name
        st.rerun(scope="fragment")
    st.toast(plain(f"Saved as “{name}”."), icon=":material/bookmark_added:")
    _dialog(state).close()
    st.rerun()


def _manage(state: GridState, actor: Actor) -> None:
    """Change or delete one of the person's own views."""
    table = state.place.table
    own = {one.view_id: one for one in views.find_saved(table, actor=actor) if one.is_own}
    view_id = st.selectbox(
        "View", list(own), format_func=lambda one: own[one].name, key="manage_view"
    )
    if view_id is None:
        return
    one = own[view_id]
    shared = st.checkbox(SHARE, one.is_shared, key=f"shared_{view_id}")
    first = st.checkbox("Open by default", one.is_default, key=f"default_{view_id}")
    replaces = st.checkbox("Replace with the current view", key=f"replace_{view_id}")
    is_news = shared and (replaces or not one.is_shared or not one.is_sharing_confirmed)
    kept = state.view if replaces else view_of(one, table)
    may_save = not is_news or ask_to_share(kept, view_id)
    with st.container(horizontal=True):
        is_changed = st.button(
            "Save changes", type="primary", key="manage_save", disabled=not may_save
        )
        is_deleted = st.button("Delete", key="manage_delete")
    if is_changed:
        view = state.view if replaces else None
        views.change_view(
            table, view_id, actor=actor, view=view, is_shared=shared, is_default=first
        )
    elif is_deleted:
        views.delete_view(table, view_id, actor=actor)
        st.toast(plain(f"“{one.name}” was deleted."))
    if is_changed or is_deleted:
        _dialog(state).close()
        st.rerun()


DIALOGS = {"save": ("Save this view", _save), "manage": ("Manage views", _manage)}
