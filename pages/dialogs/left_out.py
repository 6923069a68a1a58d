"""List the vouchers that an action leaves out."""

from collections.abc import Sequence

import streamlit as st

from core.vouchers import VoucherLine
from pages.dialogs.selection import ITEM, Chosen
from pages.shell import plain, show_text_table


def show_left_out(
    lines: Sequence[VoucherLine], chosen: Chosen, *, key: str, heading: str = "Left out"
) -> None:
    """List vouchers that are not valid or have no recipient, with the reason."""
    st.markdown(f"**{plain(heading)}** ({len(lines):,})")
    listed = [
        {ITEM: one.order_item_id, "Product": one.product, "Why": one.why or ""} for one in lines
    ]
    show_text_table(chosen.with_orders(listed), key=key)
