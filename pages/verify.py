"""Verify: check the code of a voucher."""

from datetime import UTC, datetime

import streamlit as st

from core.ground import InvalidInput, Refused, in_zone, show_controls, word_of
from core.vouchers import Verdict, Verification, verify
from pages.shell import current_actor, plain

LOOKS = {
    Verdict.VALID: (st.success, ":material/verified:"),
    Verdict.USED: (st.warning, ":material/task_alt:"),
    Verdict.REFUNDED: (st.error, ":material/undo:"),
    Verdict.IN_PROGRESS: (st.error, ":material/hourglass_top:"),
    Verdict.EXPIRED: (st.error, ":material/event_busy:"),
    Verdict.EARLY: (st.warning, ":material/event_upcoming:"),
    Verdict.UNKNOWN: (st.error, ":material/help:"),
    Verdict.FORGED: (st.error, ":material/gpp_bad:"),
    Verdict.DAMAGED: (st.warning, ":material/broken_image:"),
}


def show_verdict(found: Verification) -> None:
    """Show the verdict, and the order item that the code belongs to."""
    show, icon = LOOKS[found.verdict]
    show(f"**{found.verdict}.** {plain(found.sentence)}", icon=icon)
    item = found.item
    if item is None:
        return
    facts = {
        "Product": item.product,
        "Airport": item.airport_iata,
        "Passenger": f"{item.passenger_name} ({word_of(item.pax_type)})",
        "Service Date": in_zone(item.service_at, item.airport_tz),
        "Valid From": in_zone(item.valid_from, item.airport_tz),
        "Valid Until": in_zone(item.valid_until, item.airport_tz),
        "Voucher Code": item.voucher_code,
        "Order Item ID": item.order_item_id,
    }
    with st.container(horizontal=True, key="facts", gap="medium"):
        for name, value in facts.items():
            with st.container(width="content", gap=None):
                st.caption(name)
                st.text(show_controls(value))
    order = {"order": item.order_id}
    st.page_link("order.py", label=f"Order {plain(item.order_id)}", query_params=order)


actor = current_actor()
st.title("Verify", anchor=False)
st.caption(
    "Scan the QR code of a voucher, or type the code printed below the QR code. The voucher can be "
    "valid, not valid yet, used, refunded, expired or not genuine."
)
with st.form("verify", border=False):
    code = st.text_input(
        "Code",
        key="code",
        placeholder="7QXM-22KD-9WTA",
        width=560,
    )
    st.form_submit_button("Verify", type="primary", icon=":material/search:")
if code:
    try:
        show_verdict(verify(code, actor=actor, now=datetime.now(UTC)))
    except (InvalidInput, Refused) as error:
        st.error(plain(str(error)))
