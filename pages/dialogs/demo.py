"""The strip on every page of a demo database: it says so, and offers to delete or reset the demo.

The session keeps the dialog until it is closed, so that it stays open when the page runs again.
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

DIALOG, DONE = "demo_dialog", "demo_done"


@dataclass(frozen=True)
class Choice:
    """Delete or reset: its button, the texts of its dialog, and the message when it is done."""

    button: str
    icon: str
    outcome: str
    confirm: str
    progress: str
    done: str


CHOICES = {
    "clear": Choice(
        "Start with my own orders",
        ":material/rocket_launch:",
        "Order Desk is then empty, and stays empty after a restart. Next, import your own orders.",
        "Delete demo data",
        "Deleting demo data …",
        "Demo data deleted. Now import your own orders.",
    ),
    "reset": Choice(
        "Reset the demo",
        ":material/restart_alt:",
        "The same number of new sample orders takes their place. The newest is from a moment ago.",
        "Reset the demo",
        "Creating new sample orders. This takes seconds, or minutes for a million orders …",
        "Demo reset.",
    ),
}


@dataclass
class DemoDialog:
    """An open dialog: delete or reset, and the error of the last attempt."""

    choice: str
    fault: str = ""


def show_demo(actor: Actor) -> None:
    """Draw the strip if the database is a demo; only people who may import see its buttons."""
    if DONE in st.session_state:
        st.toast(st.session_state.pop(DONE), icon=":material/check:")
        st.switch_page("orders.py")
    orders = demo.count_orders()
    if orders is None:
        st.session_state.pop(DIALOG, None)
        return
    with st.container(horizontal=True, vertical_alignment="center", key="demo", gap="small"):
        st.markdown(
            f":material/science: **Demo data:** {orders:,} sample order{'s' * (orders != 1)}",
            width="stretch",
        )
        if not may(actor, Permission.IMPORT):
            return
        for name, choice in CHOICES.items():
            st.button(
                choice.button, key=f"demo_{name}", type="tertiary", on_click=_open, args=(name,)
            )
    dialog: DemoDialog | None = st.session_state.get(DIALOG)
    if dialog is not None:
        choice = CHOICES[dialog.choice]
        st.dialog(f"{choice.button}?", icon=choice.icon, on_dismiss=_close)(_show_dialog)(dialog)


def _open(choice: str) -> None:
    _touch_grids()
    st.session_state[DIALOG] = DemoDialog(choice)


def _close() -> None:
    _touch_grids()
    st.session_state.pop(DIALOG, None)


def _touch_grids() -> None:
    for value in st.session_state.values():
        if isinstance(value, GridState):
            value.touch()


def _show_dialog(dialog: DemoDialog) -> None:
    with failures_shown():
        if DIALOG not in st.session_state:  # the person has just confirmed
            st.rerun()
        choice = CHOICES[dialog.choice]
        found = demo.get_contents(actor=current_actor())  # a dialog may be open for hours
        st.markdown("This deletes the following for everyone. It cannot be undone:")
        _show_losses(found)
        st.markdown(
            f"{choice.outcome} Users and their roles stay ({found.people:,}). "
            "The audit trail keeps only the events about users."
        )
        if dialog.fault:
            st.error(plain(dialog.fault))
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Cancel", key="demo_cancel"):
                _close()
                st.rerun()
            is_confirmed = st.button(choice.confirm, type="primary", key="demo_confirm")
        if is_confirmed:
            with st.spinner(choice.progress):
                _confirm(dialog)
            if DIALOG not in st.session_state or dialog.fault:  # the error is not on the screen yet
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
    """Delete or reset the demo. An error is shown in the dialog, which stays open."""
    if DIALOG not in st.session_state:  # a second click
        return
    act = demo.clear if dialog.choice == "clear" else demo.reset
    try:
        act(actor=actor, now=datetime.now(UTC))
    except AppError as error:
        dialog.fault = str(error)
        return
    st.session_state.pop(DIALOG)
    st.session_state[DONE] = CHOICES[dialog.choice].done
    for value in st.session_state.values():
        if isinstance(value, GridState):  # the rows that it shows or has selected are deleted
            value.select(())
            value.refresh()
            value.was_touched = False
