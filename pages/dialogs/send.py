"""Send Voucher: the button for the selected order items or orders, and the dialog that it opens.

The dialog asks for recipients and a message, shows the e-mails, sends them and shows their states.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core import mail, vouchers
from core.access import Actor
from core.ground import AppError
from core.mail import Answer, Assessment, To, split_addresses
from core.tables import EMAILS
from core.vouchers import VoucherLine
from pages.dialogs.left_out import show_left_out
from pages.dialogs.outbox import outbox_notice
from pages.dialogs.preview import show_delivery_states
from pages.dialogs.request import Request, show_none, show_notes, show_problem, show_where
from pages.dialogs.selection import Source
from pages.dialogs.send_assessment import LEFT_OUT, count_mails, show_draft, show_sending
from pages.grid import GridState
from pages.shell import Dialog, acting, plain

ADDRESSES = "addresses"
SEND_TO = {
    ADDRESSES: "Typed addresses",
    To.CONTACTS: "Each order's contact",
    To.PASSENGERS: "Each passenger",
}
MODE, RECIPIENTS, MESSAGE = "send_mode", "send_recipients", "send_message"


@dataclass(kw_only=True)
class SendRequest(Request):
    """A request of e-mails, and its answer once it is sent."""

    contacts: tuple[str, ...]
    strangers: frozenset[str] = frozenset()  # addresses that a warning is shown for
    answer: Answer | None = None


def show_send(state: GridState, source: Source, *, actor: Actor) -> None:
    """Draw the button, and the dialog while it is open."""
    key = f"send_{state.place.key}"
    dialog = Dialog[SendRequest](f"send_dialog_{state.place.key}", state.touch)
    dialog.forget_if_left(key)
    is_asked = st.button(
        source.send,
        key=key,
        icon=":material/mail:",
        disabled=not state.selected,
        help=None if state.selected else source.send_help,
        on_click=state.touch,
    )
    if is_asked and state.selected:
        dialog.open(_begin(state, source, actor))
    dialog.show(source.send.removesuffix("…"), partial(_show_request, state, dialog), width="large")


def _begin(state: GridState, source: Source, actor: Actor) -> SendRequest:
    chosen = source.choose(state, actor)
    contacts: tuple[str, ...] = ()
    if chosen.item_ids:
        contacts = tuple(mail.find_contacts(chosen.item_ids, actor=actor))
    st.session_state[MODE] = To.CONTACTS if len(contacts) > 1 else ADDRESSES
    st.session_state[RECIPIENTS] = contacts[0] if len(contacts) == 1 else ""
    st.session_state[MESSAGE] = ""
    return SendRequest(chosen=chosen, contacts=contacts)


def _show_request(
    state: GridState, dialog: Dialog[SendRequest], request: SendRequest, actor: Actor
) -> None:
    request.show_behind()
    if request.chosen.problem:
        show_problem(request.chosen, dialog, key="send_close")
    elif request.answer is None:
        _show_form(state, dialog, request, actor)
    else:
        _show_answer(dialog, request, request.answer, actor)


def _show_form(
    state: GridState, dialog: Dialog[SendRequest], request: SendRequest, actor: Actor
) -> None:
    """Ask for recipients and a message; show the resulting e-mails; offer to send them."""
    lines = vouchers.assess(request.item_ids, actor=actor, now=datetime.now(UTC))
    found = None
    if any(line.why is None for line in lines):
        if notice := outbox_notice():
            st.info(plain(notice), icon=":material/inbox:")
        show_notes(request.chosen)
        _ask(request)
        found = _show_sending(request, lines, actor)
    else:
        show_none("sent", "vouchers", len(lines))
        show_notes(request.chosen)
        show_left_out(lines, request.chosen, key=LEFT_OUT, heading="Cannot be sent")
    if request.fault:
        st.error(plain(request.fault))
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Cancel", key="send_cancel")
        _show_confirm(state, request, lines, found)


def _ask(request: SendRequest) -> None:
    """Ask for recipients and a message."""
    modes = [one for one in SEND_TO if one != To.CONTACTS or len(request.contacts) > 1]
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


def _show_sending(
    request: SendRequest, lines: list[VoucherLine], actor: Actor
) -> Assessment | None:
    """Show what would be sent; without a valid recipient, the vouchers alone, and return None."""
    found = _assessed(request, actor)
    request.strangers = show_sending(lines, found, request.chosen)
    if found and found.envelopes:
        show_draft(found.envelopes, st.session_state.get(MESSAGE), actor)
    return found


def _show_confirm(
    state: GridState, request: SendRequest, lines: list[VoucherLine], found: Assessment | None
) -> None:
    envelopes = found.envelopes if found else ()
    is_none = all(line.why for line in lines)
    st.button(
        plain(f"Send {count_mails(len(envelopes))}") if envelopes or is_none else "Send",
        type="primary",
        # After a warning it is another button: a click on the one before must not send.
        key=f"send_confirm_{hash(request.strangers)}" if request.strangers else "send_confirm",
        # Enabled without an address: one that is being typed arrives with the click.
        disabled=is_none or (found is not None and not envelopes),
        on_click=_confirm,
        args=(state, request, request.strangers),
    )


def _recipients() -> list[str] | To:
    mode = st.session_state.get(MODE, ADDRESSES)
    if mode != ADDRESSES:
        return To(mode)
    return split_addresses(st.session_state.get(RECIPIENTS, ""))


def _assessed(request: SendRequest, actor: Actor) -> Assessment | None:
    """Return what would be sent; if an address is invalid, show the errors and return None."""
    to = _recipients()
    if to == []:
        return None
    try:
        return mail.assess(request.item_ids, to, actor=actor, now=datetime.now(UTC))
    except AppError as error:
        for line in str(error).splitlines():
            st.error(plain(line))
        return None


@acting
def _confirm(
    state: GridState, request: SendRequest, warned_of: frozenset[str], *, actor: Actor
) -> None:
    """Send. This is the only call that changes data, and it runs before the page.

    `warned_of` are the addresses that a warning was shown for when the button was drawn.
    """
    request.fault, now = "", datetime.now(UTC)
    to = _recipients()
    try:
        found = mail.assess(request.item_ids, to, actor=actor, now=now)
        strangers = {one.recipient for one in found.envelopes if one.unknown_to}
        if not strangers <= warned_of:  # typed just before the click: warn first
            return
        request.answer = mail.send(
            request.item_ids,
            to,
            message=st.session_state.get(MESSAGE),
            key=request.key,
            actor=actor,
            now=now,
        )
    except AppError as error:
        request.fault = str(error)
        return
    request.was_sent = True
    state.select([])
    state.refresh()


def _show_answer(
    dialog: Dialog[SendRequest], request: SendRequest, answer: Answer, actor: Actor
) -> None:
    """Show the state of every e-mail; refresh while some are on their way."""
    show_delivery_states([one.delivery_id for one in answer.deliveries])
    if answer.left_out:
        show_left_out(answer.left_out, request.chosen, key=LEFT_OUT)
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        show_where(EMAILS, [one.delivery_id for one in answer.deliveries], actor=actor)
        dialog.show_close("Done", key="send_done", is_primary=True)
