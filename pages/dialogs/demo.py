"""The strip on every page of a demo database: it says so, and offers to delete or reset it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core import demo
from core.access import Actor, may
from core.demo import DemoContents
from core.ground import AppError, Permission
from pages.grid import GridState
from pages.shell import Dialog, acting, plain

DONE = "demo_done"


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
        "Deleting demo data…",
        "Demo data deleted. Now import your own orders.",
    ),
    "reset": Choice(
        "Reset the demo",
        ":material/restart_alt:",
        "Then the same number of new sample orders is made. The newest is from a moment ago.",
        "Reset the demo",
        "Creating new sample orders. This takes seconds, or minutes for a million orders…",
        "Demo reset.",
    ),
}


@dataclass
class Attempt:
    """What the dialog is about: delete or reset, and the error of the last attempt."""

    choice: str
    fault: str = ""


def show_demo(actor: Actor) -> None:
    """Draw the strip if the database is a demo; only people who may import see its buttons."""
    if DONE in st.session_state:
        st.toast(st.session_state.pop(DONE), icon=":material/check:")
        st.switch_page("orders.py")
    dialog = Dialog[Attempt]("demo_dialog", _touch_grids)
    orders = demo.count_orders()
    if orders is None:
        dialog.forget()
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
                choice.button,
                key=f"demo_{name}",
                type="tertiary",
                on_click=_open,
                args=(dialog, name),
            )
    if attempt := dialog.content:
        choice = CHOICES[attempt.choice]
        dialog.show(f"{choice.button}?", partial(_show_attempt, dialog), icon=choice.icon)


def _open(dialog: Dialog[Attempt], choice: str) -> None:
    _touch_grids()
    dialog.open(Attempt(choice))


def _touch_grids() -> None:
    for value in st.session_state.values():
        if isinstance(value, GridState):
            value.touch()


def _show_attempt(dialog: Dialog[Attempt], attempt: Attempt, actor: Actor) -> None:
    choice = CHOICES[attempt.choice]
    found = demo.get_contents(actor=actor)
    st.markdown("This deletes the following for everyone. It cannot be undone:")
    _show_losses(found)
    st.markdown(
        f"{choice.outcome} Users and their roles stay ({found.people:,}). "
        "The audit trail keeps only the events about users."
    )
    if attempt.fault:
        st.error(plain(attempt.fault))
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Cancel", key="demo_cancel")
        is_confirmed = st.button(choice.confirm, type="primary", key="demo_confirm")
    if is_confirmed:
        with st.spinner(choice.progress):
            _confirm(dialog, attempt)
        if dialog.content is None or attempt.fault:  # the error is not on the screen yet
            st.rerun()


def _show_losses(found: DemoContents) -> None:
    counts = {
        "Orders": found.orders,
        "Refunds": found.refunds,
        "E-mails": found.emails,
        "Notes": found.notes,
        "Saved views": found.saved_views,
    }
    with st.container(horizontal=True, key="demo_losses", gap="medium"):
        for name, count in counts.items():
            with st.container(width="content", gap=None):
                st.caption(name)
                st.text(f"{count:,}")


@acting
def _confirm(dialog: Dialog[Attempt], attempt: Attempt, *, actor: Actor) -> None:
    """Delete or reset the demo. An error is shown in the dialog, which stays open."""
    if dialog.content is None:  # a second click
        return
    act = demo.clear if attempt.choice == "clear" else demo.reset
    try:
        act(actor=actor, now=datetime.now(UTC))
    except AppError as error:
        attempt.fault = str(error)
        return
    dialog.close()
    st.session_state[DONE] = CHOICES[attempt.choice].done
    for value in st.session_state.values():
        if isinstance(value, GridState):  # the rows that it shows or has selected are deleted
            value.select(())
            value.refresh()
            value.was_touched = False
