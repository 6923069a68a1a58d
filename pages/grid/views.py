"""Saved views above a grid: open one by its link, save the one on the screen, change your own."""

import streamlit as st

from core import saved_views
from core.errors import AppError
from core.saved_views import NameTaken, Saved
from core.users import Actor
from core.view_json import default_view, to_address, to_json
from pages.frame import plain
from pages.grid.state import GridState, viewer_zone


def show_views(state: GridState, *, actor: Actor) -> None:
    """Draw the list of views, each a link, and what keeps one."""
    table = state.place.table
    page, key = f"{table.name}.py", f"views_{table.name}"
    saved = saved_views.find_saved(table, actor=actor)
    here = to_json(state.view)
    name = next((one.name for one in saved if one.raw == here), "Views")
    with st.popover(plain(name), icon=":material/bookmarks:", key=key):
        st.page_link(page, label=f"All {table.many}", query_params={"view": _everything(state)})
        for ready, view in saved_views.ready_made(table, viewer_zone()).items():
            st.page_link(page, label=ready, query_params={"view": to_address(view)})
        if saved:
            st.caption("Saved")
        for one in saved:
            st.page_link(page, label=_label(one), query_params={"saved": one.view_id})
        with st.container(horizontal=True):
            if st.button("Save this view …", key=f"save_{table.name}"):
                _save(state, actor)
            if any(one.is_own for one in saved) and st.button(
                "Manage …", key=f"manage_{table.name}"
            ):
                _manage(state, actor)


def _everything(state: GridState) -> str:
    return to_address(default_view(state.place.table, viewer_zone()))


def _label(one: Saved) -> str:
    notes = [
        note
        for note, holds in (
            ("opens first", one.is_default),
            ("shared by you" if one.is_own else "shared", one.is_shared),
        )
        if holds
    ]
    return plain(one.name) + (f" :gray[({', '.join(notes)})]" if notes else "")


@st.dialog("Save this view")
def _save(state: GridState, actor: Actor) -> None:
    """Ask for a name; a name that is taken is asked about, never overwritten unasked."""
    st.caption("Filters, search, pasted IDs, sort, columns and time zone.")
    name = st.text_input("Name", max_chars=saved_views.MAX_NAME, key="save_name")
    is_shared = st.checkbox("Everybody may open it", key="save_shared")
    is_default = st.checkbox(f"Open {state.place.table.title} with it", key="save_default")
    taken = st.session_state.get("save_taken") == name and bool(name)
    if taken:
        st.warning(plain(str(NameTaken(name))))
    label = f"Replace “{plain(name)}”" if taken else "Save"
    if st.button(label, type="primary", key="save_now"):
        try:
            saved_views.save(
                state.view,
                name,
                actor=actor,
                is_shared=is_shared,
                is_default=is_default,
                replaces=taken,
            )
        except NameTaken:
            st.session_state["save_taken"] = name
            st.rerun(scope="fragment")
        except AppError as error:
            st.error(plain(str(error)))
        else:
            st.session_state.pop("save_taken", None)
            st.toast(plain(f"Saved as “{name}”."), icon=":material/bookmark_added:")
            st.rerun()


@st.dialog("Manage views")
def _manage(state: GridState, actor: Actor) -> None:
    """Change or delete one of the person's own views."""
    table = state.place.table
    own = {one.view_id: one for one in saved_views.find_saved(table, actor=actor) if one.is_own}
    view_id = st.selectbox(
        "View", list(own), format_func=lambda one: own[one].name, key="manage_view"
    )
    if view_id is None:
        return
    one = own[view_id]
    is_shared = st.checkbox("Everybody may open it", one.is_shared, key=f"shared_{view_id}")
    is_default = st.checkbox(
        f"Open {table.title} with it", one.is_default, key=f"default_{view_id}"
    )
    replaces = st.checkbox("Show what is on the screen now", key=f"replace_{view_id}")
    with st.container(horizontal=True):
        if st.button("Save changes", type="primary", key="manage_save"):
            saved_views.change(
                table,
                view_id,
                actor=actor,
                view=state.view if replaces else None,
                is_shared=is_shared,
                is_default=is_default,
            )
            st.rerun()
        if st.button("Delete", key="manage_delete"):
            saved_views.delete(table, view_id, actor=actor)
            st.toast(plain(f"“{one.name}” is deleted."))
            st.rerun()
