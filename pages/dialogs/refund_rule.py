"""The refund rule in words, which a person can open."""

import streamlit as st

from core.refunds import REASON_TEXTS
from pages.grid import GridState


def show_refund_rule(state: GridState) -> None:
    """Draw a popover with the refund rule, next to the button Refund."""
    with st.container(width="content", key="rule"):
        asked = st.popover(
            "What can be refunded?",
            icon=":material/help:",
            type="tertiary",
            key=f"rule_{state.place.key}",
            on_change=state.touch,
        )
    if asked.open:
        with asked:
            show_refund_reasons()


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
