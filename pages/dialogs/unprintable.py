"""Say which vouchers have characters that no font has, before they are downloaded or e-mailed."""

from collections.abc import Sequence

import streamlit as st

from core.vouchers import VoucherLine
from pages.shell import show_text_table


def show_unprintable(lines: Sequence[VoucherLine], key: str) -> None:
    """List these vouchers; draw nothing if there are none."""
    if not lines:
        return
    st.warning(
        "Order Desk has no font for some characters of the vouchers below. They show \ufffd "
        "instead. You can still download and send them.",
        icon=":material/warning:",
    )
    listed = [
        {
            "Order Item ID": one.order_item_id,
            "Product": one.product,
            "Characters": ", ".join(map(_named, one.unprintable)),
        }
        for one in lines
    ]
    show_text_table(listed, key=key)


def _named(character: str) -> str:
    """Return a character and its code point, because the screen may not have it either."""
    return f"{character} U+{ord(character):04X}"
