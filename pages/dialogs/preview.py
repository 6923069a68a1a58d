"""The preview of an e-mail, and the states of e-mails that were just queued."""

import base64
from collections.abc import Sequence

import streamlit as st

from core.access import Actor
from core.ground import DeliveryState, in_zone, word_of
from core.mail import Pause, Preview, get_pause, get_states
from pages.grid import viewer_zone
from pages.shell import current_actor, failures_shown, plain, show_text_table

ASK_SECONDS = 1
HEIGHT = 420  # pixels
OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING)
ICONS = {
    DeliveryState.SENT: ":material/check_circle:",
    DeliveryState.SAVED: ":material/inbox:",
    DeliveryState.QUEUED: ":material/hourglass_top:",
    DeliveryState.SENDING: ":material/hourglass_top:",
    DeliveryState.FAILED: ":material/error:",
    DeliveryState.CANCELLED: ":material/block:",
}
# The mail is in its own frame. This policy also blocks scripts and requests there.
GUARD = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)


def show_preview(preview: Preview) -> None:
    """Draw an e-mail: its headers, then its HTML or its plain text."""
    headers = {
        "From": preview.sender,
        "To": preview.recipient,
        "Subject": preview.subject,
        "Attached": preview.attachment,
    }
    lines = [f":gray[{name}] {plain(value)}" for name, value in headers.items() if value]
    st.markdown("  \n".join(lines))
    html, text = st.tabs(["E-mail", "Plain text"])
    with html:
        guarded = preview.html.replace("<head>", f"<head>{GUARD}", 1)
        page = base64.b64encode(guarded.encode()).decode()
        st.iframe(f"data:text/html;charset=utf-8;base64,{page}", height=HEIGHT, alt="The e-mail")
    with text:
        st.code(preview.text, language=None, wrap_lines=True, height=HEIGHT)


def show_delivery_states(delivery_ids: Sequence[str]) -> None:
    """Show the states of e-mails; refresh while some are on their way."""

    @st.fragment(run_every=ASK_SECONDS)
    def refresh() -> None:
        with failures_shown():
            if not _show_states(delivery_ids, current_actor()):
                st.rerun(scope="app")

    actor = current_actor()
    if any(one.state in OPEN for one in get_states(delivery_ids, actor=actor)):
        refresh()
    else:
        _show_states(delivery_ids, actor)


def _show_states(delivery_ids: Sequence[str], actor: Actor) -> bool:
    """Draw the state of each e-mail; return whether some are still on their way."""
    states = get_states(delivery_ids, actor=actor)
    is_open = any(one.state in OPEN for one in states)
    for state, icon in ICONS.items():
        count = sum(one.state == state for one in states)
        if count:
            said = word_of(state).lower()
            st.markdown(f"{icon} **{count:,} e-mail{'s' * (count != 1)}** {plain(said)}")
    pause = get_pause() if is_open else None
    if pause is not None:
        show_pause(pause)
    lines = [
        {
            "Recipient": one.recipient,
            "Status": word_of(one.state),
            "Error": one.last_error or "",
        }
        for one in states
    ]
    show_text_table(lines, key="send_states", lines_shown=8)
    return is_open


def show_pause(pause: Pause) -> None:
    """Say that sending is paused, and why."""
    zone = viewer_zone()
    st.warning(
        f"Sending has been paused since {plain(in_zone(pause.since, zone))}. No e-mail is lost. "
        f"{plain(pause.why)} Order Desk retries every minute.",
        icon=":material/pause_circle:",
    )
