"""Say that e-mails reach nobody as long as no mail server is set up, or that sending is paused."""

import streamlit as st

from core.ground import Channel, get_settings
from core.mail import OUTBOX_FOLDER, configured_channel, get_pause
from pages.dialogs.preview import show_pause
from pages.shell import plain


def outbox_notice() -> str:
    """Return the notice; with a mail server, return an empty text."""
    if configured_channel() is not Channel.OUTBOX:
        return ""
    folder = get_settings().data_dir / OUTBOX_FOLDER
    return (
        "No mail server is set up, so e-mails are only saved in the outbox on disk: "
        f"{folder}. Nobody receives them."
    )


def show_sending_notice() -> None:
    """Draw why e-mails do not leave this machine, if they do not."""
    if notice := outbox_notice():
        st.caption(f":material/inbox: {plain(notice)}")
    elif (pause := get_pause()) is not None:
        show_pause(pause)
