"""Send Voucher: the button for the selected order items, and the dialog that it opens.

When the dialog opens, it makes an idempotency key and keeps it in the session. So a double click, a
rerun or a lost response repeats the same request, and sends one e-mail.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core import mail, query
from core.access import Actor
from core.ground import AppError, DeliveryKind
from core.mail import Answer, Assessment, Envelope, To, preview_draft, split_addresses
from core.vouchers import VoucherLine
from pages.dialogs.preview import show_delivery_states, show_preview
from pages.grid import GridState
from pages.shell import acting, current_actor, failures_shown, plain, show_text_table

ADDRESSES = "addresses"
SEND_TO = {
    ADDRESSES: "Addresses below",
    To.CONTACTS: "Each order's contact",
    To.PASSENGERS: "Each passenger",
}
MODE, RECIPIENTS, MESSAGE, SHOWN = "send_mode", "send_recipients", "send_message", "send_shown"


@dataclass
class SendDialog:
    """An open dialog: the selected items, the idempotency key, and the answer once it is sent."""

    item_ids: tuple[str, ...]
    key: str
    hidden: int  # items that the table's filter hides
    contacts: tuple[str, ...]
    strangers: frozenset[str] = frozenset()  # addresses that a warning was shown for
    answer: Answer | None = None
    fault: str = ""
    was_sent: bool = False  # just now: the page behind must run to show it


def show_send(state: GridState, *, actor: Actor) -> None:
    """Draw the button, and the dialog while it is open."""
    key, dialog_key = f"send_{state.place.key}", _dialog_key(state)
    if key not in st.session_state:  # the person has left the page, which closes the dialog
        st.session_state.pop(dialog_key, None)
    is_asked = st.button(
        "Send Voucher",
        key=key,
        icon=":material/mail:",
        disabled=not state.selected,
        help=None if state.selected else "Select order items to e-mail their vouchers",
        on_click=state.touch,
    )
    if is_asked and state.selected:
        _open(state, actor)
    dialog: SendDialog | None = st.session_state.get(dialog_key)
    if dialog is not None:
        close = partial(_close, state)
        st.dialog("Send Voucher", width="large", on_dismiss=close)(_show_dialog)(state, dialog)


def _open(state: GridState, actor: Actor) -> None:
    ids = state.selected
    seen = query.count_among(state.view, ids, actor=actor, now=datetime.now(UTC))
    contacts = tuple(mail.find_contacts(ids, actor=actor))
    st.session_state[_dialog_key(state)] = SendDialog(
        ids, secrets.token_urlsafe(16), len(ids) - seen, contacts
    )
    st.session_state[MODE] = To.CONTACTS if len(contacts) > 1 else ADDRESSES
    st.session_state[RECIPIENTS] = contacts[0] if len(contacts) == 1 else ""
    st.session_state[MESSAGE] = ""


def _dialog_key(state: GridState) -> str:
    return f"send_dialog_{state.place.key}"


def _close(state: GridState) -> None:
    state.touch()
    st.session_state.pop(_dialog_key(state), None)


def _show_dialog(state: GridState, dialog: SendDialog) -> None:
    with failures_shown():
        actor = current_actor()  # a dialog may be open for hours
        if dialog.was_sent:
            dialog.was_sent = False
            st.rerun()
        if dialog.answer is None:
            _show_form(state, dialog, actor)
        else:
            _show_answer(state, dialog, dialog.answer)


def _show_form(state: GridState, dialog: SendDialog, actor: Actor) -> None:
    """Ask for recipients and a message; show the resulting e-mails; offer to send them."""
    if dialog.hidden:
        st.caption(f"The current filter hides {dialog.hidden:,} of the selected items")
    modes = [one for one in SEND_TO if one != To.CONTACTS or len(dialog.contacts) > 1]
    st.radio("Send to", modes, format_func=SEND_TO.__getitem__, key=MODE, horizontal=True)
    if st.session_state[MODE] == ADDRESSES:
        st.text_area(
            "Recipients",
            key=RECIPIENTS,
            height=80,
            placeholder="One address per line. Each address gets every voucher.",
        )
    st.text_area(
        "Message", key=MESSAGE, height=80, max_chars=mail.MAX_MESSAGE, placeholder="Optional"
    )
    found = _assessed(dialog, actor)
    envelopes = found.envelopes if found else ()
    if found:
        _show_assessment(dialog, found, actor)
    if dialog.fault:
        st.error(plain(dialog.fault))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel", key="send_cancel"):
            _close(state)
            st.rerun()
        st.button(
            f"Send {_mails(len(envelopes))}" if envelopes else "Send",
            type="primary",
            key="send_confirm",
            # Enabled without an address: one that is being typed arrives with the click.
            disabled=found is not None and not envelopes,
            on_click=_confirm,
            args=(state, dialog),
        )


def _recipients() -> list[str] | To:
    mode = st.session_state.get(MODE, ADDRESSES)
    if mode != ADDRESSES:
        return To(mode)
    return split_addresses(st.session_state.get(RECIPIENTS, ""))


def _assessed(dialog: SendDialog, actor: Actor) -> Assessment | None:
    """Return what would be sent; if an address is invalid, show the errors and return None."""
    to = _recipients()
    if to == []:
        return None
    try:
        return mail.assess(dialog.item_ids, to, actor=actor, now=datetime.now(UTC))
    except AppError as error:
        for line in str(error).splitlines():
            st.error(plain(line))
        return None


def _show_assessment(dialog: SendDialog, found: Assessment, actor: Actor) -> None:
    sent = {one for envelope in found.envelopes for one in envelope.item_ids}
    st.markdown(
        f"**{len(sent):,}** of {len(dialog.item_ids):,} voucher{'s' * (len(dialog.item_ids) != 1)} "
        f"in {_mails(len(found.envelopes))}"
    )
    if len(found.envelopes) > 1:
        show_text_table([_line(one) for one in found.envelopes], key="send_mails")
    strangers: dict[str, list[str]] = {}
    for one in found.envelopes:  # a recipient gets one e-mail per contract
        if one.unknown_to:
            strangers.setdefault(one.recipient, []).extend(one.unknown_to)
    for recipient, orders in list(strangers.items())[:3]:
        listed = ", ".join(orders[:3]) + (" …" if len(orders) > 3 else "")
        st.warning(
            f"{plain(recipient)} is not the contact or a passenger of {plain(listed)}. "
            "Send anyway?",
            icon=":material/person_alert:",
        )
    if len(strangers) > 3:
        more = len(strangers) - 3
        st.warning(f"The same applies to {more:,} more recipient{'s' * (more != 1)}.")
    dialog.strangers = frozenset(strangers)
    if found.left_out:
        _show_left_out(found.left_out)
    if found.envelopes:
        _show_draft(found.envelopes, actor)


def _line(one: Envelope) -> dict[str, str]:
    return {
        "Recipient": one.recipient,
        "Contract ID": one.contract_id,
        "Order": ", ".join(one.order_ids),
        "Vouchers": f"{len(one.item_ids):,}",
    }


def _show_left_out(left_out: Sequence[VoucherLine]) -> None:
    st.markdown(f"**Left out** ({len(left_out):,})")
    lines = [
        {"Order Item ID": one.order_item_id, "Product": one.product, "Why": one.why or ""}
        for one in left_out
    ]
    show_text_table(lines, key="send_left_out")


def _show_draft(envelopes: Sequence[Envelope], actor: Actor) -> None:
    """Show the first e-mail as it would arrive, when the preview is opened."""
    more = st.expander("Preview", key="send_preview", on_change="rerun")
    if more.open:
        with more:
            message = st.session_state.get(MESSAGE)
            kind, now = DeliveryKind.VOUCHER, datetime.now(UTC)
            show_preview(preview_draft(envelopes[0], message, kind=kind, actor=actor, now=now))
            if len(envelopes) > 1:
                st.caption(f"This is the first of {len(envelopes):,} e-mails.")


@acting
def _confirm(state: GridState, dialog: SendDialog, *, actor: Actor) -> None:
    """Send. This is the only call that changes data, and it runs before the page."""
    dialog.fault, now = "", datetime.now(UTC)
    to = _recipients()
    try:
        found = mail.assess(dialog.item_ids, to, actor=actor, now=now)
        strangers = {one.recipient for one in found.envelopes if one.unknown_to}
        if not strangers <= dialog.strangers:  # typed just before the click: warn first
            return
        dialog.answer = mail.send(
            dialog.item_ids,
            to,
            message=st.session_state.get(MESSAGE),
            key=dialog.key,
            actor=actor,
            now=now,
        )
    except AppError as error:
        dialog.fault = str(error)
        return
    dialog.was_sent = True
    state.select([])
    state.refresh()


def _show_answer(state: GridState, dialog: SendDialog, answer: Answer) -> None:
    """Show the state of every e-mail; refresh while some are on their way."""
    show_delivery_states([one.delivery_id for one in answer.deliveries])
    if answer.left_out:
        _show_left_out(answer.left_out)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Done", type="primary", key="send_done"):
            _close(state)
            st.rerun()


def _mails(count: int) -> str:
    return f"{count:,} e-mail{'s' * (count != 1)}"
