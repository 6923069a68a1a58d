"""Send Void Notice: tells those who were mailed a voucher that it is no longer valid."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from core import mail
from core.access import Actor
from core.query import MAX_SELECTED
from pages.grid import GridState
from pages.shell import acting, plain

SAID = 5  # addresses


def show_void_notice(state: GridState, item_ids: Sequence[str], *, actor: Actor) -> None:
    """Draw the button, which is enabled while somebody has a void voucher and does not know."""
    ids = list(item_ids)[:MAX_SELECTED]
    untold = mail.find_void_notices(ids, actor=actor) if ids else ()
    addresses = sorted({one.recipient for one in untold})
    listed = ", ".join(addresses[:SAID]) + (" …" if len(addresses) > SAID else "")
    st.button(
        "Send Void Notice",
        key=f"void_{state.place.key}",
        icon=":material/block:",
        disabled=not untold,
        help=plain(f"Tells {listed} that vouchers they were mailed are no longer valid")
        if untold
        else "Nobody has a mailed voucher that was refunded since and was not told yet",
        on_click=_notify,
        args=(state, ids, secrets.token_urlsafe(16)),
    )


@acting
def _notify(state: GridState, item_ids: Sequence[str], key: str, *, actor: Actor) -> None:
    answer = mail.notify_void(item_ids, key=key, actor=actor, now=datetime.now(UTC))
    say_queued(state, answer)


def say_queued(state: GridState, answer: mail.Answer) -> None:
    """Say how many e-mails were queued, and show the tables anew."""
    count = len(answer.deliveries)
    st.toast(f"{count:,} e-mail{'s' * (count != 1)} queued.", icon=":material/outbox:")
    state.refresh()
