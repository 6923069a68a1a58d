"""The strip of a demo database, on every page: that it is one, and the two ways on from it.

The dialog lives in the session until it is closed, so that a rerun of the page leaves it open.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from core import demo
from core.access import Actor, may
from core.demo import DemoContents
from core.ground import AppError, Permission
from pages.grid import GridState
from pages.shell import acting, current_actor, failures_shown, plain

KEPT, DONE = "demo_dialog", "demo_done"


@dataclass(frozen=True)
class Way:
    """One way on: its button, what its dialog says, and what is said when it is done."""

    button: str
    icon: str
    then: str
    confirm: str
    doing: str
    done: str


WAYS = {
    "clear": Way(
        "Start with my own orders",
        ":material/rocket_launch:",
        "Order Desk is empty then, and stays so at the next start: bring in your orders next.",
        "Take the demo away",
        "Taking the demo away …",
        "The demo is gone. Now bring in your own orders.",
    ),
    "reset": Way(
        "Reset the demo",
        ":material/restart_alt:",
        "As many new demo orders are made up, the latest of them a moment old.",
        "Reset the demo",
        "Making up new demo orders: some seconds, for a million some minutes …",
        "The demo begins anew.",
    ),
}


@dataclass
class DemoDialog:
    """An open dialog: which way on, and what went wrong with it."""

    way: str
    fault: str = ""


def show_demo(actor: Actor) -> None:
    """Draw the strip where the database is a demo, with its buttons for who may import."""
    if DONE in st.session_state:
        st.toast(st.session_state.pop(DONE), icon=":material/check:")
        st.switch_page("orders.py")
    orders = demo.count_orders()
    if orders is None:
        st.session_state.pop(KEPT, None)
        return
    with st.container(horizontal=True, vertical_alignment="center", key="demo", gap="small"):
        st.markdown(
            f":material/science: **Demo data:** {orders:,} order{'s' * (orders != 1)} "
            "made up by Order Desk",
            width="stretch",
        )
        if not may(actor, Permission.IMPORT):
            return
        for name, way in WAYS.items():
            st.button(way.button, key=f"demo_{name}", type="tertiary", on_click=_open, args=(name,))
    dialog: DemoDialog | None = st.session_state.get(KEPT)
    if dialog is not None:
        way = WAYS[dialog.way]
        st.dialog(f"{way.button}?", icon=way.icon, on_dismiss=_close)(_show_dialog)(dialog)


def _open(way: str) -> None:
    _touch_grids()
    st.session_state[KEPT] = DemoDialog(way)


def _close() -> None:
    _touch_grids()
    st.session_state.pop(KEPT, None)


def _touch_grids() -> None:
    for value in st.session_state.values():
        if isinstance(value, GridState):
            value.touch()


def _show_dialog(dialog: DemoDialog) -> None:
    with failures_shown():
        if KEPT not in st.session_state:  # it was confirmed just now
            st.rerun()
        way = WAYS[dialog.way]
        found = demo.get_contents(actor=current_actor())  # a dialog may be open for hours
        st.markdown("This will be gone, for everybody, and cannot be brought back:")
        _show_losses(found)
        st.markdown(
            f"{way.then} Users and their roles stay ({found.people:,}); of the audit trail only "
            "what it says of them."
        )
        if dialog.fault:
            st.error(plain(dialog.fault))
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Cancel", key="demo_cancel"):
                _close()
                st.rerun()
            is_confirmed = st.button(way.confirm, type="primary", key="demo_confirm")
        if is_confirmed:
            with st.spinner(way.doing):
                _confirm(dialog)
            if KEPT not in st.session_state or dialog.fault:  # else it has been said
                st.rerun()


def _show_losses(found: DemoContents) -> None:
    counts = {
        "Orders": found.orders,
        "Refunds": found.refunds,
        "E-mails": found.emails,
        "Saved views": found.saved_views,
    }
    with st.container(horizontal=True, key="demo_losses", gap="medium"):
        for name, count in counts.items():
            with st.container(width="content", gap=None):
                st.caption(name)
                st.text(f"{count:,}")


@acting
def _confirm(dialog: DemoDialog, *, actor: Actor) -> None:
    """Do it; what is wrong with it is said in the dialog, which stays open."""
    if KEPT not in st.session_state:  # a second click
        return
    act = demo.clear if dialog.way == "clear" else demo.reset
    try:
        act(actor=actor, now=datetime.now(UTC))
    except AppError as error:
        dialog.fault = str(error)
        return
    st.session_state.pop(KEPT)
    st.session_state[DONE] = WAYS[dialog.way].done
    for value in st.session_state.values():
        if isinstance(value, GridState):  # its rows are others, and what is ticked is gone
            value.select(())
            value.refresh()
            value.was_touched = False
