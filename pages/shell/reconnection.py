"""Reconnection: a tab connects again to a server that has lost its session, as after a restart.

The tab still shows what the lost session drew. A dialog is a fragment of that session, and the
server ignores its buttons. So the page must run again, which closes the dialog.
"""

from datetime import timedelta

import streamlit as st

RARELY = timedelta(days=1)
KNOWN = "tab_is_known"
SECONDS = 60  # for people who look at another window when it happens
# A toast shows three lines.
WORDS = "The connection was lost and dialogs were closed. Unconfirmed changes were not made."


def follow_reconnection() -> None:
    """Run the page again when its tab reconnects; show a toast if the session was lost."""
    _run_on_reconnection()
    if KNOWN not in st.session_state:
        st.session_state[KNOWN] = True
        if _lost_session():
            st.toast(WORDS, icon=":material/restart_alt:", duration=SECONDS)


@st.fragment(run_every=RARELY)
def _run_on_reconnection() -> None:
    """Draw nothing: a tab with a timed fragment asks for a run when it reconnects."""


def _lost_session() -> bool:
    """Return whether the tab named a session when it connected: the third protocol."""
    protocols = st.context.headers.get("Sec-WebSocket-Protocol", "").split(",")
    return len(protocols) > 2 and bool(protocols[2].strip())
