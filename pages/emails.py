"""E-mails: every delivery with its state, a preview, Resend and Send Void Notice."""

import streamlit as st

from core.access import require
from core.ground import Permission
from core.mail import get_pause
from core.tables import EMAILS
from pages.dialogs import outbox_notice, show_email_actions, show_email_states, show_pause
from pages.grid import show_table
from pages.shell import current_actor, plain

actor = current_actor()
require(actor, Permission.EMAILS)
pause = get_pause()
if notice := outbox_notice():
    st.caption(f":material/inbox: {plain(notice)}")
elif pause is not None:
    show_pause(pause)
if not show_table(EMAILS, actor=actor, actions=show_email_actions):
    st.header("What the states of an e-mail mean", anchor=False)
    show_email_states()
