"""The states of e-mails, explained: on the page without e-mails, otherwise behind a button."""

import streamlit as st

from core.ground import word_of
from core.mail import STATE_TEXTS
from pages.dialogs.preview import ICONS
from pages.grid import Explanation

QUESTION = "What do the states of an e-mail mean?"


def show_email_states() -> None:
    """List what each state of an e-mail means."""
    lines = [
        f"- {ICONS[status]} **{word_of(status)}.** {words}" for status, words in STATE_TEXTS.items()
    ]
    st.markdown("\n".join(lines))


EMAIL_STATES = Explanation("Columns and states explained", QUESTION, show_email_states)
