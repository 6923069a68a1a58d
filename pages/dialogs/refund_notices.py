"""Notices about refunds: what needs a decision, and that card payments cannot be refunded here."""

from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import refunds
from core.access import Actor, may
from core.ground import Permission, format_money, in_zone
from core.refunds import Returned, Unmatched
from pages.grid import refresh_tables, viewer_zone
from pages.shell import acting, plain


def show_refund_notices(order_id: str, actor: Actor) -> None:
    """Draw a notice for refunds that the bank returned, each refund to match, and card payments."""
    returned = refunds.find_returned(order_id, actor=actor)
    if returned:
        _show_returned(returned, actor)
    for one in refunds.find_unmatched(order_id, actor=actor):
        _show_unmatched(one, actor)
    _say_no_cards(refunds.cannot_refund_cards(actor=actor, order_id=order_id))


def show_card_notice(actor: Actor) -> None:
    """Say that card payments cannot be refunded here, if there are any: Refundable Now does not.

    It asks once a session, since the answer depends on how Order Desk is set up.
    """
    key = f"card_notice {actor.user_id}"
    if key not in st.session_state:
        st.session_state[key] = refunds.cannot_refund_cards(actor=actor)
    _say_no_cards(st.session_state[key])


def _say_no_cards(is_so: bool) -> None:
    if is_so:
        st.caption(f":material/info: {plain(refunds.NO_CARD_REFUNDS)}.")


def show_unmatched_refunds(actor: Actor) -> None:
    """List the refunds at the card provider, of all orders, that have to be matched."""
    found = refunds.find_unmatched(actor=actor)
    if not found:
        return
    label = f"**To be matched** ({len(found):,})"
    with st.expander(label, key="to_be_matched", icon=":material/link_off:"):
        for one in found:
            order, asked = f"Order {plain(one.order_id)}", {"order": one.order_id}
            st.page_link("order.py", label=order, query_params=asked)
            _show_unmatched(one, actor)


def _show_returned(returned: list[Returned], actor: Actor) -> None:
    lines = [
        f"- {plain(one.order_item_id)}, {_amount(one.amount_minor, one.currency)}, noticed "
        f"{in_zone(one.noticed_at, viewer_zone())}: {plain(one.why)}"
        for one in returned
    ]
    words = "The bank returned the money of these refunds. The vouchers stay void. "
    advice = "Select the items under *Products* and refund them again."
    with _notice("\n".join([words + advice, *lines]), ":material/undo:"):
        if may(actor, Permission.GIVE_BACK):
            _ask_what_to_give_back(returned)


def _notice(words: str, icon: str) -> DeltaGenerator:
    """Draw a notice, and return its row, so that a button can follow."""
    row = st.container(horizontal=True, vertical_alignment="center")
    row.warning(words, icon=icon)
    return row


def _ask_what_to_give_back(returned: list[Returned]) -> None:
    with st.popover("Give items back", icon=":material/redo:", key="give_back"):
        st.caption("The items can be used again. No money is paid.")
        ids = [one.order_item_id for one in returned]
        st.multiselect("Items", ids, default=ids, key="give_back_items")
        st.text_input("Note", key="give_back_note", max_chars=refunds.MAX_NOTE)
        st.button("Give back", type="primary", key="give_back_now", on_click=_give_back)


def _show_unmatched(one: Unmatched, actor: Actor) -> None:
    amount = _amount(one.amount_minor, one.currency)
    words = (
        f"The card provider has a refund that was not made in Order Desk: {plain(one.reference)}, "
        f"{amount}, of payment {plain(one.payment_reference)}. Refunds of this payment are "
        "blocked until someone decides whether it belongs to an order item."
    )
    with _notice(words, ":material/link_off:"):
        if may(actor, Permission.REFUND):
            _ask_for_match(one)


def _ask_for_match(one: Unmatched) -> None:
    with st.popover("Match refund", icon=":material/link:", key=f"match_{one.reference}"):
        names = {
            item.order_item_id: f"{item.order_item_id} · {item.product} · {item.passenger_name}"
            for item in one.candidates
        }
        if names:
            st.selectbox(
                "Order item",
                list(names),
                index=None,
                placeholder="Choose the item",
                format_func=lambda item_id: names[item_id],
                key=f"match_item_{one.reference}",
            )
        else:
            st.caption("No item of this order with this price is left to match.")
        st.text_input("Note", key=f"match_note_{one.reference}", max_chars=refunds.MAX_NOTE)
        with st.container(horizontal=True):
            st.button(
                "Match",
                type="primary",
                key=f"match_now_{one.reference}",
                disabled=not names,
                on_click=_match,
                args=(one.reference,),
            )
            st.button(
                "Belongs to no item",
                key=f"match_none_{one.reference}",
                on_click=_dismiss,
                args=(one.reference,),
                help="Give the reason in the note. Then the order's items can be refunded.",
            )


@acting
def _match(reference: str, *, actor: Actor) -> None:
    item_id = st.session_state.get(f"match_item_{reference}")
    if not item_id:
        st.toast("Choose the order item that was refunded.", icon=":material/error:")
        return
    note, now = st.session_state.get(f"match_note_{reference}"), datetime.now(UTC)
    refunds.match_refund(reference, item_id, note=note, actor=actor, now=now)
    refresh_tables()
    st.toast("Matched. The item is now refunded.", icon=":material/check_circle:")


@acting
def _dismiss(reference: str, *, actor: Actor) -> None:
    note, now = st.session_state.get(f"match_note_{reference}"), datetime.now(UTC)
    refunds.dismiss_refund(reference, note=note, actor=actor, now=now)
    refresh_tables()
    st.toast("Saved: this refund belongs to no item.", icon=":material/check_circle:")


@acting
def _give_back(*, actor: Actor) -> None:
    ids, note = st.session_state.get("give_back_items", []), st.session_state.get("give_back_note")
    given = refunds.give_back(ids, note=note, actor=actor, now=datetime.now(UTC))
    refresh_tables()
    count = len(given)
    st.toast(f"{count:,} item{'s' * (count != 1)} given back.", icon=":material/check_circle:")


def _amount(minor: int, currency: str) -> str:
    return plain(format_money(minor, currency))
