"""Refund of the selected order items: the button, and the dialog that it opens.

When the dialog opens, it makes an idempotency key and keeps it in the session. So a double click, a
rerun or a lost response repeats the same request, and makes one refund.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core import query, refunds, vouchers
from core.access import Actor, may
from core.ground import AppError, Permission, format_amount, format_money, in_zone
from core.refunds import (
    IN_PROGRESS,
    NOT_REFUNDED,
    REFUNDED,
    Assessed,
    Assessment,
    Reason,
    RefundItem,
    Results,
)
from pages.dialogs.refund_rule import show_refund_reasons
from pages.dialogs.void_notice import show_void_notice
from pages.grid import GridState, download_address, viewer_zone
from pages.shell import acting, current_actor, failures_shown, plain, show_text_table

ASK_SECONDS = 1
REASON, NOTE = "refund_reason", "refund_note"


@dataclass
class RefundDialog:
    """An open dialog: the selected items, the idempotency key, and the batch once it is sent."""

    item_ids: tuple[str, ...]
    key: str
    hidden: int = 0  # items that the table's filter hides
    confirmed: tuple[str, ...] = ()  # items that the dialog said will be refunded
    batch_id: str | None = None
    fault: str = ""
    was_sent: bool = False  # just now: the page behind must run to show it


def show_refund(state: GridState, *, actor: Actor) -> None:
    """Draw the button, and the dialog while it is open."""
    key, dialog_key = f"refund_{state.place.key}", _dialog_key(state)
    if key not in st.session_state:  # the person has left the page, which closes the dialog
        st.session_state.pop(dialog_key, None)
    is_asked = st.button(
        "Refund",
        key=key,
        icon=":material/undo:",
        disabled=not state.selected,
        help=None if state.selected else "Select order items to refund them",
        on_click=state.touch,
    )
    if is_asked and state.selected:
        seen = query.count_among(state.view, state.selected, actor=actor, now=datetime.now(UTC))
        hidden = len(state.selected) - seen
        st.session_state[dialog_key] = RefundDialog(
            state.selected, secrets.token_urlsafe(16), hidden
        )
    dialog: RefundDialog | None = st.session_state.get(dialog_key)
    if dialog is not None:
        close = partial(_close, state)
        st.dialog("Refund", width="large", on_dismiss=close)(_show_dialog)(state, dialog)


def _dialog_key(state: GridState) -> str:
    return f"refund_dialog_{state.place.key}"


def _close(state: GridState) -> None:
    state.touch()
    st.session_state.pop(_dialog_key(state), None)


def _show_dialog(state: GridState, dialog: RefundDialog) -> None:
    with failures_shown():
        actor = current_actor()  # a dialog may be open for hours
        if dialog.was_sent:
            dialog.was_sent = False
            st.rerun()
        if dialog.batch_id is None:
            _show_assessment(state, dialog, actor)
        else:
            _show_results(state, dialog)


def _show_assessment(state: GridState, dialog: RefundDialog, actor: Actor) -> None:
    """Show which selected items can be refunded; ask for the reason; offer to refund them."""
    now = datetime.now(UTC)
    found = refunds.assess(dialog.item_ids, actor=actor, now=now)
    able, refused = found.refundable, [line for line in found.lines if line.refusal]
    dialog.confirmed = tuple(item.order_item_id for item in able)
    st.markdown(f"**{len(able):,}** of {_items(len(found.lines))} will be refunded.")
    if dialog.hidden:
        st.caption(f"The current filter hides {dialog.hidden:,} of them")
    if able:
        show_text_table(_able_lines(able, viewer_zone()), key="refund_able")
        _show_sums(found)
        _show_copies([item.order_item_id for item in able], actor)
    if refused:
        _show_refused(refused)
    if able:
        _ask_why()
    with st.expander("What can be refunded?", icon=":material/help:"):
        show_refund_reasons()
    if dialog.fault:
        st.error(plain(dialog.fault))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel", key="refund_cancel"):
            _close(state)
            st.rerun()
        st.button(
            f"Refund {_items(len(able))}",
            type="primary",
            key="refund_confirm",
            disabled=not able,
            on_click=_confirm,
            args=(state, dialog),
        )


def _show_refused(refused: Sequence[Assessed]) -> None:
    st.markdown(f"**Cannot be refunded** ({len(refused):,})")
    lines = [
        {
            "Order Item ID": line.order_item_id,
            "Product": line.item.product if line.item else "",
            "Why": _why(line),
        }
        for line in refused
    ]
    show_text_table(lines, key="refund_refused")


def _ask_why() -> None:
    reasons = refunds.REASONS
    left, right = st.columns([2, 3])
    left.selectbox("Reason", list(reasons), format_func=lambda one: reasons[one], key=REASON)
    right.text_input("Note", key=NOTE, max_chars=refunds.MAX_NOTE, placeholder="Optional")


def _why(line: Assessed) -> str:
    """Return the reason of a refusal; a missed deadline also in the viewer's time zone."""
    if line.refusal is None:
        return ""
    deadline = line.item.refund_expire_at if line.item else None
    if line.refusal.reason is not Reason.DEADLINE_PASSED or deadline is None:
        return line.refusal.sentence
    here = in_zone(deadline, viewer_zone(), seconds=True)
    return f"{line.refusal.sentence} In your time zone: {here}."


@acting
def _confirm(state: GridState, dialog: RefundDialog, *, actor: Actor) -> None:
    """Send the request. This is the only call that changes data, and it runs before the page."""
    reason, note = st.session_state.get(REASON, ""), st.session_state.get(NOTE)
    dialog.fault = ""
    try:
        answer = refunds.request(
            dialog.item_ids,
            reason=reason,
            note=note,
            key=dialog.key,
            confirmed=dialog.confirmed,
            actor=actor,
            now=datetime.now(UTC),
        )
    except AppError as error:
        dialog.fault = str(error)
        return
    dialog.batch_id, dialog.was_sent = answer.batch_id, True
    requested = {one.order_item_id for one in answer.requested}
    state.select([one for one in state.selected if one not in requested])
    state.refresh()


def _show_results(state: GridState, dialog: RefundDialog) -> None:
    """Show the result of every item; refresh while some are in progress."""

    @st.fragment(run_every=ASK_SECONDS)
    def refresh() -> None:
        with failures_shown():
            if _show_lines(dialog, current_actor()) == 0:
                st.rerun(scope="app")

    with failures_shown():
        actor = current_actor()
        is_open = bool(
            len(refunds.get_results(dialog.batch_id or "", actor=actor).having(IN_PROGRESS))
        )
        if is_open:
            state.refresh()  # the table is up to date when this dialog closes
            refresh()
        else:
            _show_lines(dialog, actor)
        _show_ending(state, dialog, actor)


def _show_lines(dialog: RefundDialog, actor: Actor) -> int:
    """Draw the results; return how many are still in progress."""
    results = refunds.get_results(dialog.batch_id or "", actor=actor)
    for result, icon in (
        (REFUNDED, ":material/check_circle:"),
        (IN_PROGRESS, ":material/hourglass_top:"),
        (NOT_REFUNDED, ":material/block:"),
    ):
        count = len(results.having(result))
        if count:
            sums = f": {_sums(results.totals(result))}" if result != NOT_REFUNDED else ""
            st.markdown(f"{icon} **{_items(count)}** {result.lower()}{plain(sums)}")
    show_text_table(_result_lines(results), key="refund_results", lines_shown=12)
    return len(results.having(IN_PROGRESS))


def _show_ending(state: GridState, dialog: RefundDialog, actor: Actor) -> None:
    asked = {"batch": dialog.batch_id, "zone": viewer_zone()}
    refunded = refunds.get_results(dialog.batch_id or "", actor=actor).having(REFUNDED)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if may(actor, Permission.EMAILS):
            show_void_notice(state, list(refunded["order_item_id"]), actor=actor)
        st.link_button(
            "Download Results",
            download_address("export/refunds", "export", "refunds", actor=actor, **asked),
            icon=":material/download:",
        )
        if st.button("Done", type="primary", key="refund_done"):
            _close(state)
            st.rerun()


def _able_lines(items: Sequence[RefundItem], zone: str) -> list[dict[str, str]]:
    def deadline(item: RefundItem, zone: str) -> str:
        # The deadline does not apply to a refund that the bank returned, and may be blank.
        at = None if item.is_returned else item.refund_expire_at
        return in_zone(at, zone, seconds=True) if at else "Returned by the bank"

    return [
        {
            "Order Item ID": item.order_item_id,
            "Product": item.product,
            "Passenger": item.passenger_name,
            "Amount": format_money(item.price_minor, item.currency),
            "Refund Expire Date": deadline(item, item.airport_tz),
            "In your time zone": deadline(item, zone),
        }
        for item in items
    ]


def _result_lines(results: Results) -> list[dict[str, str]]:
    frame = results.frame.astype("object").where(results.frame.notna(), None)
    return [
        {
            "Order Item ID": one["order_item_id"],
            "Product": one["product"] or "",
            "Amount": format_money(one["amount_minor"], one["currency"]) if one["currency"] else "",
            "Result": one["result"],
            "Why": one["why"] or "",
        }
        for one in frame.to_dict("records")
    ]


def _show_copies(item_ids: Sequence[str], actor: Actor) -> None:
    """List the copies of vouchers that the refund makes void."""
    copies = vouchers.find_copies(item_ids, actor=actor)
    if not copies:
        return
    zone = viewer_zone()
    lines = [
        {
            "Order Item ID": one.order_item_id,
            "Copy": one.how,
            "Time": in_zone(one.at, zone),
        }
        for one in copies
    ]
    st.markdown(f":material/content_copy: **Copies that will be void** ({len(copies):,})")
    show_text_table(lines, key="refund_copies", lines_shown=2)


def _show_sums(found: Assessment) -> None:
    with st.container(horizontal=True, vertical_alignment="top", key="refund_sums"):
        st.markdown(f"**Total** {plain(_sums(found.totals))}", width="content")
        with st.container(gap=None, width="stretch"):
            for one in found.balances:
                before, after = (
                    format_amount(minor, one.currency) for minor in (one.before, one.after)
                )
                known = one.name == one.contract_id
                name = one.contract_id if known else f"{one.contract_id} · {one.name}"
                st.caption(plain(f"Balance of {name}: {before} → {after} {one.currency}"))


def _sums(totals: dict[str, int]) -> str:
    return " · ".join(format_money(minor, code) for code, minor in totals.items())


def _items(count: int) -> str:
    return f"{count:,} item{'s' * (count != 1)}"
