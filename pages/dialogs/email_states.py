"""The states of e-mails, explained: on the page without e-mails, else behind a button."""

import streamlit as st

from core.ground import word_of
from core.mail import STATE_TEXTS
from pages.dialogs.preview import ICONS
from pages.grid import GridState


def show_email_states() -> None:
    """List what each state of an e-mail means."""
    lines = [
        f"- {ICONS[status]} **{word_of(status)}.** {words}" for status, words in STATE_TEXTS.items()
    ]
    st.markdown("\n".join(lines))


def show_states_explained(state: GridState) -> None:
    """Draw a popover with the states, in the line of the actions."""
    with st.container(width="content", key="states_explained"):
        asked = st.popover(
            "What do the states mean?",
            icon=":material/help:",
            type="tertiary",
            key=f"states_{state.place.key}",
            on_change=state.touch,
        )
    if asked.open:
        with asked:
            show_email_states()
