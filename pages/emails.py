"""E-mails: every delivery with its state, a preview, Resend and Send Void Notice."""

import streamlit as st

from core.tables import EMAILS
from pages.dialogs import (
    EMAIL_STATES,
    show_email_actions,
    show_email_states,
    show_sending_notice,
)
from pages.grid import Extras, show_table
from pages.shell import current_actor

extras = Extras(show_email_actions, explains=EMAIL_STATES, notice=show_sending_notice)
if not show_table(EMAILS, actor=current_actor(), extras=extras):
    st.header(EMAIL_STATES.question, anchor=False)
    show_email_states()
