"""The refund rule in words, which a person can open."""

import streamlit as st

from core.refunds import REASON_TEXTS
from pages.grid import Explanation

QUESTION = "What can be refunded?"


def show_refund_reasons() -> None:
    """List the reasons, as the rule states them, why an order item cannot be refunded."""
    st.markdown(
        "An order item can be refunded **unless one of these is true**. The dialog says which."
    )
    st.markdown("\n".join(f"- {words}." for words in REASON_TEXTS.values()))
    st.caption(
        "Refund Expire Date is the last second for a refund, in the airport's time zone. "
        "If the bank returned an item's refund, the date no longer applies to it."
    )


REFUND_RULE = Explanation("Columns and refunds explained", QUESTION, show_refund_reasons)
