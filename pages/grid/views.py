"""Saved views above a grid: open a view, save the current one, change your own."""

import streamlit as st

from core import views
from core.access import Actor
from core.ground import InvalidInput
from core.views import NameTaken, Saved, View, default_view, parse_view
from pages.grid.explained import show_views_explained
from pages.grid.named import Named, viewer_zone
from pages.grid.sharing import ask_to_share, view_of
from pages.grid.state import GridState
from pages.shell import Dialog, acting, plain

SHARE = "Share with everyone"
TAKEN = "save_taken"  # a name that already exists, which the dialog offers to replace
MAX_LABEL = 20  # letters of a name on the button
LINK_HELP = (
    "A short link that shows this view to everyone who gets it. "
    "Each person sees only the rows that they may see."
)


def show_views(state: GridState, *, actor: Actor) -> None:
    """Draw the list of views, what to do with a changed one, and the dialog while it is open."""
    key, dialog = _key(state), _dialog(state)
    dialog.forget_if_left(key)
    label = _button_label(state)
    listed = st.popover(label, icon=":material/bookmarks:", key=key, on_change=state.touch)
    if listed.open:
        with listed:
            _show_links(state, actor)
    _show_update(state)
    if name := dialog.content:
        title, draw = DIALOGS[name]
        dialog.show(title, lambda _name, actor: draw(state, actor))


def _button_label(state: GridState) -> str:
    """Return the name of the open view, and whether it was changed since."""
    if state.opened is None:
        return "Views"
    name = state.opened.name
    short = name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL - 1].rstrip()}…"
    return f"View: {plain(short)}{' · *changed*' if state.is_changed else ''}"


def _show_update(state: GridState) -> None:
    """Offer to save a changed view: into itself, or as a new one if another user owns it."""
    opened, name = state.opened, state.place.table.name
    if opened is None or opened.saved is None or not state.is_changed:
        return
    if opened.saved.is_own:
        words = f"Save the current filters, columns and sort in “{plain(opened.name)}”"
        st.button(
            "Update",
            key=f"update_{name}",
            help=words,
            on_click=_update,
            args=(state,),
        )
    else:
        words = f"“{plain(opened.name)}” belongs to another user. Save a copy of your own."
        st.button(
            "Save as new…", key=f"copy_{name}", help=words, on_click=_ask, args=(state, "save")
        )


@acting
def _update(state: GridState, *, actor: Actor) -> None:
    """Save the current view in the opened one; ask first if everyone would read other words."""
    state.touch()
    opened = state.opened
    if opened is None or opened.saved is None:
        return
    if opened.saved.is_shared and not set(state.view.typed) <= set(opened.view.typed):
        _ask(state, "update")
        return
    _save_in(state, opened, actor)


def _save_in(state: GridState, opened: Named, actor: Actor) -> None:
    """Save the current view in the opened one, and open it as it is now."""
    views.change_view(state.place.table, str(opened.view_id), actor=actor, view=state.view)
    _open_saved(state, str(opened.view_id), actor)
    st.toast(plain(f"“{opened.name}” was updated."), icon=":material/bookmark_added:")


def _open_saved(state: GridState, view_id: str, actor: Actor) -> None:
    """Note that the current view is a saved one, whose link is its ID."""
    found = views.find_saved(state.place.table, actor=actor)
    saved = next((one for one in found if one.view_id == view_id), None)
    _note(state, Named(saved.name, state.view, saved) if saved else None)


def _note(state: GridState, opened: Named | None) -> None:
    """Note the view that is open; the address of a saved one is its ID."""
    state.opened, state.addressed = opened, None


def _ask_to_update(state: GridState, actor: Actor) -> None:
    """Ask whether everyone may read the words of a shared view before it is updated."""
    opened = state.opened
    if opened is None:
        return
    may_save = ask_to_share(state.view, "update")
    label = f"Update “{plain(opened.name)}”"
    if st.button(label, type="primary", key="update_now", disabled=not may_save):
        _save_in(state, opened, actor)
        _dialog(state).close()
        st.rerun()


@acting
def _copy_link(state: GridState, *, actor: Actor) -> None:
    """Make the short link; the grid's script, which heard the click, copies it."""
    state.touch()
    saved = state.opened.saved if state.opened else None
    link = views.short_link_of(state.view, saved, actor=actor)
    state.link = state.link[0] + 1, link
    st.session_state[_key(state)] = False


def _key(state: GridState) -> str:
    return f"views_{state.place.table.name}"


def _dialog(state: GridState) -> Dialog[str]:
    """Return the dialog of the views; its content is a key of DIALOGS."""
    return Dialog(f"{_key(state)}_dialog", state.touch)


def _show_links(state: GridState, actor: Actor) -> None:
    table, zone = state.place.table, viewer_zone()
    everything = f"All {table.many}"
    ready = {everything: default_view(table, zone)}
    ready |= views.ready_made(table, zone, actor=actor)
    saved = views.find_saved(table, actor=actor)
    with st.container(key="views", gap=None):
        for name, view in ready.items():
            opened = None if name == everything else Named(name, view)
            _show_link(state, plain(name), view, opened, name)
        if saved:
            st.caption("Saved")
        for one in saved:
            try:
                kept = parse_view(table, one.raw, zone=zone, left_out=[])
            except InvalidInput as error:
                st.caption(plain(f"{one.name}: {error}"))
            else:
                _show_link(state, _label(one), kept, Named(one.name, kept, one), one.view_id)
    with st.container(horizontal=True):
        st.button(
            "Copy link",
            key="copy_link",
            icon=":material/link:",
            help=LINK_HELP,
            on_click=_copy_link,
            args=(state,),
        )
        st.button("Save this view…", key=f"save_{table.name}", on_click=_ask, args=(state, "save"))
        if any(one.is_own for one in saved):
            st.button("Manage…", key=f"manage_{table.name}", on_click=_ask, args=(state, "manage"))
    show_views_explained()


def _show_link(state: GridState, label: str, view: View, opened: Named | None, name: str) -> None:
    st.button(
        label,
        key=f"open_{state.place.table.name}_{name}",
        type="tertiary",
        icon=":material/check:" if view == state.view else None,
        width="stretch",
        on_click=_open,
        args=(state, view, opened),
    )


def _open(state: GridState, view: View, opened: Named | None) -> None:
    """Show a view. The address of a saved one is its ID, which follows later changes."""
    st.session_state[_key(state)] = False
    _note(state, opened)
    state.push_by_widget(view)


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
        view_id = views.save_view(state.view, name, actor=actor, **options)
    except NameTaken:
        st.session_state[TAKEN] = name
        st.rerun(scope="fragment")
    _open_saved(state, view_id, actor)
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
        if replaces:
            _open_saved(state, view_id, actor)
    elif is_deleted:
        views.delete_view(table, view_id, actor=actor)
        st.toast(plain(f"“{one.name}” was deleted."))
        if state.opened and state.opened.view_id == view_id:
            _note(state, None)
    if is_changed or is_deleted:
        _dialog(state).close()
        st.rerun()


DIALOGS = {
    "save": ("Save this view", _save),
    "update": ("Update a shared view", _ask_to_update),
    "manage": ("Manage views", _manage),
}
