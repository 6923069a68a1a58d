"""E-mails: every delivery with its state, a preview, Resend and Send Void Notice."""

import streamlit as st

from core.access import require
from core.ground import Channel, Permission, get_settings
from core.mail import configured_channel, get_pause
from core.tables import EMAILS
from pages.dialogs import show_email_actions, show_email_states, show_pause
from pages.grid import show_table
from pages.shell import current_actor, plain

actor = current_actor()
require(actor, Permission.EMAILS)
pause = get_pause()
if configured_channel() is Channel.OUTBOX:
    folder = plain(str(get_settings().data_dir / "outbox"))
    st.caption(
        f":material/inbox: No mail server is set up, so e-mails are only saved in the outbox on "
        f"disk: {folder}"
    )
elif pause is not None:
    show_pause(pause)
if not show_table(EMAILS, actor=actor, actions=show_email_actions):
    st.header("What the states of an e-mail mean", anchor=False)
    show_email_states()
