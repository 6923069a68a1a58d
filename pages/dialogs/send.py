"""Send Voucher: the button for the selected order items, and the dialog that it opens.

The dialog asks for recipients and a message, shows the e-mails, sends them and shows their states.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core import mail
from core.access import Actor
from core.ground import AppError, DeliveryKind, named
from core.mail import Answer, Assessment, Envelope, To, preview_draft, split_addresses
from core.query import contract_names
from core.vouchers import VoucherLine
from pages.dialogs.preview import show_delivery_states, show_preview
from pages.dialogs.request import Request, count_hidden
from pages.dialogs.unprintable import show_unprintable
from pages.grid import GridState
from pages.shell import Dialog, acting, plain, show_text_table

ADDRESSES = "addresses"
SEND_TO = {
    ADDRESSES: "Addresses below",
    To.CONTACTS: "Each order's contact",
    To.PASSENGERS: "Each passenger",
}
MODE, RECIPIENTS, MESSAGE, SHOWN = "send_mode", "send_recipients", "send_message", "send_shown"


@dataclass(kw_only=True)
class SendRequest(Request):
    """A request of e-mails, and its answer once it is sent."""

    contacts: tuple[str, ...]
    strangers: frozenset[str] = frozenset()  # addresses that a warning is shown for
    answer: Answer | None = None


def show_send(state: GridState, *, actor: Actor) -> None:
    """Draw the button, and the dialog while it is open."""
    key = f"send_{state.place.key}"
    dialog = Dialog[SendRequest](f"send_dialog_{state.place.key}", state.touch)
    dialog.forget_if_left(key)
    is_asked = st.button(
        "Send Voucher",
        key=key,
        icon=":material/mail:",
        disabled=not state.selected,
        help=None if state.selected else "Select order items to e-mail their vouchers",
        on_click=state.touch,
    )
    if is_asked and state.selected:
        dialog.open(_begin(state, actor))
    dialog.show("Send Voucher", partial(_show_request, state, dialog), width="large")


def _begin(state: GridState, actor: Actor) -> SendRequest:
    hidden = count_hidden(state, actor)
    contacts = tuple(mail.find_contacts(state.selected, actor=actor))
    st.session_state[MODE] = To.CONTACTS if len(contacts) > 1 else ADDRESSES
    st.session_state[RECIPIENTS] = contacts[0] if len(contacts) == 1 else ""
    st.session_state[MESSAGE] = ""
    return SendRequest(item_ids=state.selected, hidden=hidden, contacts=contacts)


def _show_request(
    state: GridState, dialog: Dialog[SendRequest], request: SendRequest, actor: Actor
) -> None:
    request.show_behind()
    if request.answer is None:
        _show_form(state, dialog, request, actor)
    else:
        _show_answer(dialog, request.answer)


def _show_form(
    state: GridState, dialog: Dialog[SendRequest], request: SendRequest, actor: Actor
) -> None:
    """Ask for recipients and a message; show the resulting e-mails; offer to send them."""
    if request.hidden:
        st.caption(f"The current filter hides {request.hidden:,} of the selected items")
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
    request.strangers = frozenset()
    found = _assessed(request, actor)
    envelopes = found.envelopes if found else ()
    if found:
        _show_assessment(request, found, actor)
    if request.fault:
        st.error(plain(request.fault))
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Cancel", key="send_cancel")
        st.button(
            f"Send {_mails(len(envelopes))}" if envelopes else "Send",
            type="primary",
            # After a warning it is another button: a click on the one before must not send.
            key=f"send_confirm_{hash(request.strangers)}" if request.strangers else "send_confirm",
            # Enabled without an address: one that is being typed arrives with the click.
            disabled=found is not None and not envelopes,
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


def _show_assessment(request: SendRequest, found: Assessment, actor: Actor) -> None:
    sent = {one for envelope in found.envelopes for one in envelope.item_ids}
    asked = len(request.item_ids)
    st.markdown(
        f"**{len(sent):,}** of {asked:,} voucher{'s' * (asked != 1)} "
        f"in {_mails(len(found.envelopes))}"
    )
    if len(found.envelopes) > 1:
        names = contract_names((one.contract_id for one in found.envelopes), actor=actor)
        show_text_table([_line(one, names) for one in found.envelopes], key="send_mails")
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
    request.strangers = frozenset(strangers)
    if found.left_out:
        _show_left_out(found.left_out)
    show_unprintable(found.unprintable, key="send_unprintable")
    if found.envelopes:
        _show_draft(found.envelopes, actor)


def _line(one: Envelope, names: Mapping[str, str]) -> dict[str, str]:
    return {
        "Recipient": one.recipient,
        "Contract ID": named(one.contract_id, names.get(one.contract_id)),
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


def _show_answer(dialog: Dialog[SendRequest], answer: Answer) -> None:
    """Show the state of every e-mail; refresh while some are on their way."""
    show_delivery_states([one.delivery_id for one in answer.deliveries])
    if answer.left_out:
        _show_left_out(answer.left_out)
    with st.container(horizontal=True, horizontal_alignment="right"):
        dialog.show_close("Done", key="send_done", is_primary=True)


def _mails(count: int) -> str:
    return f"{count:,} e-mail{'s' * (count != 1)}"
