"""Send Void Notice: tell recipients of a mailed voucher that it is no longer valid."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from core import mail
from core.access import Actor
from core.query import MAX_SELECTED
from pages.dialogs.outbox import outbox_notice
from pages.grid import GridState
from pages.shell import acting, plain

MAX_LISTED = 5  # addresses
NOTHING_SELECTED = "Select e-mails with vouchers that were refunded"
NOBODY = "No one needs a void notice: no refunded voucher was mailed, or all recipients were told"


def show_void_notice(state: GridState, item_ids: Sequence[str], *, actor: Actor) -> None:
    """Draw the button; it is enabled if a recipient has a void voucher and no notice of it."""
    ids = list(item_ids)[:MAX_SELECTED]
    due = mail.find_void_notices(ids, actor=actor) if ids else ()
    addresses = sorted({one.recipient for one in due})
    listed = ", ".join(addresses[:MAX_LISTED]) + (", …" if len(addresses) > MAX_LISTED else "")
    st.button(
        "Send Void Notice",
        key=f"void_{state.place.key}",
        icon=":material/block:",
        disabled=not due,
        help=plain(f"Tell {listed} that their vouchers are no longer valid. {outbox_notice()}")
        if due
        else (NOBODY if ids else NOTHING_SELECTED),
        on_click=_notify,
        args=(state, ids, secrets.token_urlsafe(16)),
    )


@acting
def _notify(state: GridState, item_ids: Sequence[str], key: str, *, actor: Actor) -> None:
    answer = mail.notify_void(item_ids, key=key, actor=actor, now=datetime.now(UTC))
    show_queued(state, answer)


def show_queued(state: GridState, answer: mail.Answer) -> None:
    """Show how many e-mails were queued and what becomes of them, and reload the tables."""
    count = len(answer.deliveries)
    then = outbox_notice() or "The status on E-mails says when they are sent."
    words = f"{count:,} e-mail{'s' * (count != 1)} queued. {then}"
    st.toast(plain(words), icon=":material/outbox:", duration="long")
    # E-mails would see that more are on their way, and run again: the message would be gone.
    st.session_state.pop(f"open_{state.place.key}", None)
    state.refresh()
