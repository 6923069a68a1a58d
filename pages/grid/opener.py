"""The button that shows the one selected row in a dialog."""

from collections.abc import Callable

import streamlit as st

from core.access import Actor
from pages.grid.state import GridState
from pages.shell import Dialog


def show_opener(state: GridState, title: str, draw: Callable[[str, Actor], None]) -> None:
    """Draw the button, and the dialog while it is open; `draw` gets the key of the row."""
    key, selected = f"show_{state.place.key}", state.selected
    dialog = Dialog[str](f"opened_{state.place.key}", state.touch)
    dialog.forget_if_left(key)
    is_asked = st.button(
        "Show",
        key=key,
        icon=":material/visibility:",
        disabled=len(selected) != 1,
        help=None if len(selected) == 1 else f"Select one {state.place.table.one} to show it",
        on_click=state.touch,
    )
    if is_asked and selected:
        dialog.open(selected[0])
    dialog.show(title, draw, width="large")
