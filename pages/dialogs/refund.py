"""Refund of the selected order items, orders' items or failed refunds: the button and its dialog.

The dialog shows what can be refunded, asks for the reason, sends the request and shows the results.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core import refunds
from core.access import Actor
from core.ground import AppError, get_settings
from core.refunds import Assessment
from pages.dialogs.refund_assessment import count_items, show_assessment
from pages.dialogs.refund_results import show_results
from pages.dialogs.refund_rule import QUESTION, show_refund_reasons
from pages.dialogs.request import Request, show_problem
from pages.dialogs.selection import Source
from pages.grid import GridState
from pages.shell import Dialog, acting, plain

ASK = "Ask for approval"
REASON, NOTE = "refund_reason", "refund_note"


@dataclass(kw_only=True)
class RefundRequest(Request):
    """A request of refunds, and their batch once it is sent."""

    confirmed: tuple[str, ...] = ()  # items that the dialog said will be refunded
    batch_id: str | None = None


def show_refund(state: GridState, source: Source, *, actor: Actor) -> None:
    """Draw the button, and the dialog while it is open."""
    key = f"refund_{state.place.key}"
    dialog = Dialog[RefundRequest](f"refund_dialog_{state.place.key}", state.touch)
    dialog.forget_if_left(key)
    is_asked = st.button(
        source.refund,
        key=key,
        icon=":material/undo:",
        disabled=not state.selected,
        help=None if state.selected else source.refund_help,
        on_click=state.touch,
    )
    if is_asked and state.selected:
        dialog.open(RefundRequest(chosen=source.choose(state, actor)))
    dialog.show("Refund", partial(_show_request, state, source, dialog), width="large")


def _show_request(
    state: GridState,
    source: Source,
    dialog: Dialog[RefundRequest],
    request: RefundRequest,
    actor: Actor,
) -> None:
    request.show_behind()
    if request.chosen.problem:
        show_problem(request.chosen, dialog, key="refund_close")
    elif request.batch_id is None:
        _show_form(state, source, dialog, request, actor)
    else:
        show_results(state, dialog, request.batch_id, request.chosen, actor)


def _show_form(
    state: GridState,
    source: Source,
    dialog: Dialog[RefundRequest],
    request: RefundRequest,
    actor: Actor,
) -> None:
    """Show which items can be refunded; ask for the reason; offer to refund them."""
    found = refunds.assess(request.item_ids, actor=actor, now=datetime.now(UTC))
    request.confirmed = tuple(item.order_item_id for item in found.refundable)
    show_assessment(found, request.chosen, actor=actor)
    if found.refundable:
        _ask_why(request)
    with st.expander(QUESTION, icon=":material/help:"):
        show_refund_reasons()
    if request.fault:
        st.error(plain(request.fault))
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Cancel", key="refund_cancel")
        st.button(
            _label(found),
            type="primary",
            key="refund_confirm",
            disabled=not found.refundable,
            on_click=_confirm,
            args=(state, source, request),
        )


def _label(found: Assessment) -> str:
    waiting = len(found.waiting)
    now = len(found.refundable) - waiting
    if not waiting:
        return f"Refund {count_items(now)}"
    return f"Refund {count_items(now)}, ask for approval of {waiting:,}" if now else ASK


def _ask_why(request: RefundRequest) -> None:
    """Ask for the reason, which has no default: a default would be the reason of most refunds."""
    reasons = get_settings().reasons.offered
    left, right = st.columns([2, 3])
    left.selectbox(
        "Reason",
        list(reasons),
        index=None,
        placeholder="Choose a reason",
        format_func=lambda one: reasons[one],
        key=REASON,
        on_change=request.forget_fault,
    )
    right.text_input("Note", key=NOTE, max_chars=refunds.MAX_NOTE, placeholder="Optional")


@acting
def _confirm(state: GridState, source: Source, request: RefundRequest, *, actor: Actor) -> None:
    """Send the request. This is the only call that changes data, and it runs before the page."""
    reason, note = st.session_state.get(REASON) or "", st.session_state.get(NOTE)
    request.fault = ""
    try:
        answer = refunds.request(
            request.item_ids,
            reason=reason,
            note=note,
            key=request.key,
            confirmed=request.confirmed,
            actor=actor,
            now=datetime.now(UTC),
        )
    except AppError as error:
        request.fault = str(error)
        return
    request.batch_id, request.was_sent = answer.batch_id, True
    requested = {one.order_item_id for one in answer.requested}
    state.select(source.remaining(state.selected, request.chosen, requested))
    state.refresh()
