"""A tab that was connected, and meets a server that does not know it: after a restart, or a break.

Such a tab still shows what an earlier session drew. A dialog is a fragment of that session, and
this server ignores its buttons. So the page has to run anew, which closes the dialog.
"""

from datetime import timedelta

import streamlit as st

RARELY = timedelta(days=1)
MET = "tab_was_met"
# A toast shows three lines.
WORDS = "The connection was lost, and dialogs were closed. What you had not confirmed was not done."


def follow_reconnection() -> None:
    """Have the page run anew when its tab connects again; say so where the session is lost."""
    _run_when_connected_again()
    if MET not in st.session_state:
        st.session_state[MET] = True
        if _names_lost_session():
            st.toast(WORDS, icon=":material/restart_alt:", duration="long")


@st.fragment(run_every=RARELY)
def _run_when_connected_again() -> None:
    """Draw nothing: a tab that has a fragment with a timer asks for a run when it reconnects."""


def _names_lost_session() -> bool:
    """Return whether the tab named a session when it connected; the protocol's third part is it."""
    protocols = st.context.headers.get("Sec-WebSocket-Protocol", "").split(",")
    return len(protocols) > 2 and bool(protocols[2].strip())
