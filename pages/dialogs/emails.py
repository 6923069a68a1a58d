"""What a person does with the e-mails they ticked: look at one, Resend, Send Void Notice."""

import secrets
from datetime import UTC, datetime
from urllib.parse import urlencode

import streamlit as st

from core import access, mail
from core.access import Actor
from core.ground import DeliveryStatus
from core.mail import DeliveryDetails, count_open, find_items, get_delivery
from core.tables import EMAILS
from pages.dialogs.preview import ICONS, show_preview
from pages.dialogs.void_notice import say_queued, show_void_notice
from pages.grid import GridState
from pages.shell import acting, current_actor, failures_shown, plain, show_text_table
from pages.web import base_path

WATCH_SECONDS = 2


def show_email_actions(state: GridState, *, actor: Actor) -> None:
    """Draw what the actor may do with the ticked e-mails."""
    _watch(state)
    _show_open(state)
    ticked = state.selected
    st.button(
        "Resend",
        key=f"resend_{state.place.key}",
        icon=":material/forward_to_inbox:",
        disabled=not ticked,
        help="Failed and cancelled e-mails are tried again, sent ones go out once more"
        if ticked
        else "Tick e-mails to send them again",
        on_click=_resend,
        args=(state, secrets.token_urlsafe(16)),
    )
    show_void_notice(state, find_items(ticked, actor=actor) if ticked else [], actor=actor)


def _watch(state: GridState) -> None:
    """Look by itself how many are on their way, and show the table anew when that changes."""
    key = f"open_{state.place.key}"

    @st.fragment(run_every=WATCH_SECONDS)
    def look() -> None:
        with failures_shown():
            count = count_open(actor=current_actor())
            if st.session_state.get(key, count) != count:
                st.session_state[key] = count
                state.refresh()
                st.rerun(scope="app")
            st.session_state[key] = count
            if count:
                st.caption(f":material/hourglass_top: {count:,} on the way", width="content")

    look()


def _show_open(state: GridState) -> None:
    """Draw the button that shows the one ticked e-mail, and the dialog while it is open."""
    kept = f"email_dialog_{state.place.key}"
    ticked = state.selected
    is_asked = st.button(
        "Show",
        key=f"show_{state.place.key}",
        icon=":material/visibility:",
        disabled=len(ticked) != 1,
        help=None if len(ticked) == 1 else "Tick one e-mail to look at it",
        on_click=state.touch,
    )
    if is_asked and ticked:
        st.session_state[kept] = ticked[0]
    delivery_id = st.session_state.get(kept)
    if delivery_id is not None:

        def close() -> None:
            state.touch()
            st.session_state.pop(kept, None)

        st.dialog("E-mail", width="large", on_dismiss=close)(_show_delivery)(state, delivery_id)


def _show_delivery(state: GridState, delivery_id: str) -> None:
    """Show a mail with its state and its items; offer it as a file."""
    with failures_shown():
        actor = current_actor()
        found = get_delivery(delivery_id, actor=actor, now=datetime.now(UTC))
        _show_state(found)
        show_preview(found.preview)
        token = access.issue_token(
            "messages", table=EMAILS.name, actor=actor, browser=state.browser
        )
        st.link_button(
            "Download E-mail",
            f"{base_path()}/messages/{delivery_id}?{urlencode({'token': token})}",
            icon=":material/download:",
            help=None
            if found.is_whole
            else "Without its vouchers, since not all of them are valid any more",
        )


def _show_state(found: DeliveryDetails) -> None:
    icon = ICONS[DeliveryStatus(found.status)]
    said = f"{icon} **{found.status.capitalize()}**"
    st.markdown(f"{said} · {plain(found.last_error)}" if found.last_error else said)
    lines = [
        {"Order Item ID": one.order_item_id, "Product": one.product, "Left out": one.why or ""}
        for one in found.lines
    ]
    show_text_table(lines, key="email_items")


@acting
def _resend(state: GridState, key: str, *, actor: Actor) -> None:
    answer = mail.resend(state.selected, key=key, actor=actor, now=datetime.now(UTC))
    state.select([])
    say_queued(state, answer)
