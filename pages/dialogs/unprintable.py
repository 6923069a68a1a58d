"""Say which vouchers have characters that no font has, before they are downloaded or e-mailed."""

from collections.abc import Sequence

import streamlit as st

from core.vouchers import VoucherLine
from pages.shell import show_text_table


def show_unprintable(lines: Sequence[VoucherLine], key: str) -> None:
    """List the vouchers with such characters; nothing without one."""
    if not lines:
        return
    those = "This voucher has" if len(lines) == 1 else f"{len(lines):,} vouchers have"
    st.warning(
        f"{those} characters that Order Desk has no font for. The voucher shows \ufffd in their "
        "place. You can use it anyway.",
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
