"""Actions on the selected e-mails: Show, Resend and Send Void Notice."""

import secrets
from datetime import UTC, datetime

import streamlit as st

from core import mail
from core.access import Actor
from core.ground import word_of
from core.mail import DeliveryDetails, count_open, find_items, get_delivery
from core.tables import EMAILS
from pages.dialogs.outbox import outbox_notice
from pages.dialogs.preview import ICONS, show_preview
from pages.dialogs.void_notice import show_queued, show_void_notice
from pages.grid import GridState, download_address, show_opener
from pages.shell import acting, current_actor, failures_shown, plain, show_text_table

WATCH_SECONDS = 2
RESEND_HELP = "Retry failed and cancelled e-mails. Send the others once more."


def show_email_actions(state: GridState, *, actor: Actor) -> None:
    """Draw what the actor may do with the selected e-mails."""
    _watch(state)
    show_opener(state, "E-mail", _show_delivery)
    selected = state.selected
    st.button(
        "Resend",
        key=f"resend_{state.place.key}",
        icon=":material/forward_to_inbox:",
        disabled=not selected,
        help=plain(f"{RESEND_HELP} {outbox_notice()}")
        if selected
        else "Select e-mails to send them again",
        on_click=_resend,
        args=(state, secrets.token_urlsafe(16)),
    )
    show_void_notice(state, find_items(selected, actor=actor) if selected else [], actor=actor)


def _watch(state: GridState) -> None:
    """Watch how many e-mails are on their way, and reload the table when that changes."""
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


def _show_delivery(delivery_id: str, actor: Actor) -> None:
    """Show an e-mail with its state and its items; offer it as a file."""
    found = get_delivery(delivery_id, actor=actor, now=datetime.now(UTC))
    _show_state(found)
    show_preview(found.preview)
    if found.text_kept_days is not None:
        st.caption(
            f"Senders’ own texts are deleted after {found.text_kept_days:,} days. "
            "If this e-mail had one, it is no longer stored."
        )
    st.link_button(
        "Download E-mail",
        download_address(f"messages/{delivery_id}", "messages", EMAILS.name, actor=actor),
        icon=":material/download:",
        help=None if found.is_whole else "Without its vouchers, because some are no longer valid",
    )


def _show_state(found: DeliveryDetails) -> None:
    words = f"{ICONS[found.state]} **{word_of(found.state)}**"
    st.markdown(f"{words} · {plain(found.last_error)}" if found.last_error else words)
    is_any_left_out = any(one.why for one in found.lines)
    lines = [
        {"Order Item ID": one.order_item_id, "Product": one.product}
        | ({"Left out": one.why or ""} if is_any_left_out else {})
        for one in found.lines
    ]
    show_text_table(lines, key="email_items")


@acting
def _resend(state: GridState, key: str, *, actor: Actor) -> None:
    answer = mail.resend(state.selected, key=key, actor=actor, now=datetime.now(UTC))
    state.select([])
    show_queued(state, answer)
