"""Approve and Decline: a second person decides about the selected refunds that wait."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core import refunds
from core.access import Actor, may
from core.ground import AppError, Permission, format_money, get_settings, in_zone
from core.refunds import MAX_NOTE, Decision, Waiting
from pages.dialogs.due import forget_due
from pages.dialogs.refund_assessment import sums_in_words
from pages.grid import GridState, viewer_zone
from pages.shell import Dialog, acting, plain, show_text_table

NOTE = "approval_note"


@dataclass(kw_only=True)
class Deciding:
    """What the dialog is about, and the answer once it is sent.

    The refunds are those that waited when the dialog opened, so nobody decides about one without
    seeing it. The key is made then too, so that a double click decides once.
    """

    is_approval: bool
    refund_ids: tuple[str, ...]
    selected: int
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    fault: str = ""
    decision: Decision | None = None
    was_sent: bool = False


def show_approval(state: GridState, *, actor: Actor) -> None:
    """Draw the two buttons for who may decide, and the dialog while it is open."""
    if not may(actor, Permission.APPROVE):
        return
    dialog = Dialog[Deciding](f"approval_dialog_{state.place.key}", state.touch)
    dialog.forget_if_left(f"approve_{state.place.key}")
    for label, icon in (("Approve", ":material/check:"), ("Decline", ":material/block:")):
        is_asked = st.button(
            label,
            key=f"{label.lower()}_{state.place.key}",
            icon=icon,
            disabled=not state.selected,
            help=None if state.selected else "Select refunds that wait for approval",
            on_click=state.touch,
        )
        if is_asked and state.selected:
            st.session_state[NOTE] = ""
            found = refunds.find_waiting(state.selected, actor=actor)
            ids = tuple(one.refund_id for one in found)
            is_approval, selected = label == "Approve", len(state.selected)
            dialog.open(Deciding(is_approval=is_approval, refund_ids=ids, selected=selected))
    if deciding := dialog.content:
        title = "Approve refunds" if deciding.is_approval else "Decline refunds"
        dialog.show(title, partial(_show, state, dialog), width="large")


def _show(state: GridState, dialog: Dialog[Deciding], deciding: Deciding, actor: Actor) -> None:
    if deciding.was_sent:
        deciding.was_sent = False
        st.rerun()
    if deciding.decision is not None:
        _show_answer(dialog, deciding.decision)
        return
    found = refunds.find_waiting(deciding.refund_ids, actor=actor)
    theirs = [one for one in found if not one.is_own]
    _show_waiting(found, theirs, deciding.selected, is_approval=deciding.is_approval)
    label = "Note" if deciding.is_approval else "Note: why it is declined"
    hint = "Optional" if deciding.is_approval else "The person who asked reads it"
    st.text_input(label, key=NOTE, max_chars=MAX_NOTE, placeholder=hint, disabled=not theirs)
    if deciding.fault:
        st.error(plain(deciding.fault))
    verb = "Approve" if deciding.is_approval else "Decline"
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Cancel", key="approval_cancel")
        st.button(
            f"{verb} {len(theirs):,} refund{'s' * (len(theirs) != 1)}",
            type="primary",
            key="approval_confirm",
            disabled=not theirs,
            on_click=_confirm,
            args=(state, deciding),
        )


def _show_waiting(
    found: Sequence[Waiting], theirs: Sequence[Waiting], selected: int, *, is_approval: bool
) -> None:
    done = "approved" if is_approval else "declined"
    then = " The money is paid back." if is_approval else " The vouchers become valid again."
    st.markdown(f"**{len(theirs):,}** of {selected:,} will be {done}.{then * bool(theirs)}")
    if theirs:
        show_text_table([_line(one) for one in theirs], key="approval_waiting")
        st.markdown(f"Total **{plain(_total(theirs))}**")
    own, gone = len(found) - len(theirs), selected - len(found)
    if own:
        st.caption(f"You asked for {own:,} of these refunds. Another person has to decide on them.")
    if gone:
        does = "does" if gone == 1 else "do"
        st.caption(f"{gone:,} of the selected refunds {does} not wait for approval.")


def _total(waiting: Sequence[Waiting]) -> str:
    totals = Counter[str]()
    for one in waiting:
        totals[one.currency] += one.amount_minor
    return sums_in_words(totals)


def _line(one: Waiting) -> dict[str, str]:
    return {
        "Order Item ID": one.order_item_id,
        "Contract ID": one.contract_id,
        "Product": one.product,
        "Passenger": one.passenger_name,
        "Amount": format_money(one.amount_minor, one.currency),
        "Reason": get_settings().reasons.known.get(one.reason, one.reason),
        "Note": one.note or "",
        "Requested By": one.requested_by,
        "Requested Date": in_zone(one.requested_at, viewer_zone()),
    }


@acting
def _confirm(state: GridState, deciding: Deciding, *, actor: Actor) -> None:
    """Decide. This is the only call that changes data, and it runs before the page."""
    decide = refunds.approve if deciding.is_approval else refunds.decline
    deciding.fault = ""
    try:
        deciding.decision = decide(
            deciding.refund_ids,
            note=st.session_state.get(NOTE),
            key=deciding.key,
            actor=actor,
            now=datetime.now(UTC),
        )
    except AppError as error:
        deciding.fault = str(error)
        return
    deciding.was_sent = True
    forget_due()
    state.select([])
    state.refresh()


def _show_answer(dialog: Dialog[Deciding], decision: Decision) -> None:
    for icon, words, lines in (
        (":material/check_circle:", "approved", decision.approved),
        (":material/block:", "declined", decision.declined),
    ):
        if lines:
            st.markdown(f"{icon} **{len(lines):,}** {words}")
            st.caption(plain(", ".join(one.order_item_id or "" for one in lines)))
    if decision.declined:
        st.caption("Their vouchers are valid again, unless they have expired.")
    odd = [one for one in decision.results if one.why]
    if odd:
        listed = [{"Order Item ID": one.order_item_id or "", "Why": one.why or ""} for one in odd]
        show_text_table(listed, key="approval_results")
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Done", key="approval_done", is_primary=True)
