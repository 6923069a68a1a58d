"""Verify: check the code of a voucher."""

from datetime import UTC, datetime

import streamlit as st

from core.ground import InvalidInput, Refused
from core.vouchers import verify
from pages.dialogs import note_check, show_recent_checks, show_verdict, show_where_codes_are
from pages.shell import current_actor, plain

actor = current_actor()
st.title("Verify", anchor=False)
st.caption(
    "Scan the QR code of a voucher, or type the code printed below the QR code. The voucher can be "
    "valid, not valid yet, used, refunded, expired, unknown or not genuine."
)
with st.form("verify", border=False):
    code = st.text_input(
        "Code",
        key="code",
        placeholder="7QXM-22KD-9WTA",
        width=560,
    )
    asked = st.form_submit_button("Verify", type="primary", icon=":material/search:")
if code:
    try:
        found = verify(code, actor=actor, now=datetime.now(UTC))
    except (InvalidInput, Refused) as error:
        st.error(plain(str(error)))
    else:
        show_verdict(found)
        if asked:
            note_check(code, found, actor)
with st.container(key="verify_help"):
    where, checks = st.columns([2, 3], gap="large")
with checks:
    show_recent_checks(actor)
with where:
    show_where_codes_are()
